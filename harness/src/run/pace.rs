//! One client's part in a load, the same in both worlds: what it draws from, which node it asks, and
//! when. Pure: time goes in, and whoever drives the client does the waiting.
//!
//! ```text
//!   rate 600, 10 clients: one call each 16.7 ms; client 0 at 0.0, 16.7, 33.3 … client 1 at 1.7, 18.3 …
//! ```

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Resolved;
use crate::workload::{Share, Updates};

/// What the generator of client `index` draws from.
pub(crate) fn share(index: u32, resolved: &Resolved, updates: Updates) -> Share {
    let seed = resolved.seed().fork("load").fork(&format!("client {index}"));
    let Resolved { clients, keys, key_distribution, .. } = *resolved;
    Share { client: index, clients, keys, key_distribution, updates, rng: seed.stream() }
}

/// Which node a client asks next.
pub(crate) struct Route {
    home: usize,
    nodes: usize,
    roam: Option<ChaCha8Rng>,
}

impl Route {
    pub(crate) fn new(index: u32, resolved: &Resolved) -> Self {
        let nodes = resolved.nodes.len();
        let seed = resolved.seed().fork("load").fork(&format!("client {index}"));
        let rng = seed.fork("route").stream();
        Self { home: index as usize % nodes, nodes, roam: resolved.roams().then_some(rng) }
    }

    pub(crate) fn next(&mut self) -> usize {
        match &mut self.roam {
            Some(rng) => rng.random_range(0..self.nodes),
            None => self.home,
        }
    }
}

/// When a client's calls are planned.
pub(crate) struct Pace {
    next: Nanos,
    /// Between two calls of one client; zero is as fast as answers come.
    interval: Nanos,
    end: Nanos,
}

impl Pace {
    pub(crate) fn new(index: u32, resolved: &Resolved, began: Nanos) -> Self {
        let end = began + resolved.duration;
        let second = 1_000_000_000_u64;
        let interval = match resolved.rate {
            0 => Nanos(0),
            rate => Nanos(second * u64::from(resolved.clients) / u64::from(rate)),
        };
        // Clients start one after another, so that their calls are spread evenly.
        let offset = Nanos(interval.0 * u64::from(index) / u64::from(resolved.clients));
        Self { next: began + offset, interval, end }
    }

    /// When the next call is planned; it may be late already. None if the load is over.
    pub(crate) fn next(&mut self, now: Nanos) -> Option<Nanos> {
        let planned = if self.interval == Nanos(0) { now } else { self.next };
        self.next = self.next + self.interval;
        // A client that is hopelessly late stops with the load.
        (planned < self.end && now < self.end).then_some(planned)
    }
}
