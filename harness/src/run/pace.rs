//! One client's part in a load, the same in both worlds: what it draws from, which node it asks, and
//! when. Pure: time goes in, and whoever drives the client does the waiting.
//!
//! ```text
//!   rate 600, 10 clients: one call each 16.7 ms; client 0 at 0.0, 16.7, 33.3 … client 1 at 1.7, 18.3 …
//! ```

use std::collections::VecDeque;

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Resolved;
use crate::rng::Seed;
use crate::script::{Player, Script};
use crate::workload::{Generator, Share, Updates, Workload};

/// What one client does. The three are asked in step, once each for each call.
pub(crate) struct Part {
    pub(crate) generator: Box<dyn Generator>,
    pub(crate) route: Route,
    pub(crate) pace: Pace,
}

/// The parts of all clients of a load that begins at `began`, in the order of the clients.
pub(crate) fn parts(
    resolved: &Resolved,
    workload: &dyn Workload,
    updates: Updates,
    began: Nanos,
) -> Vec<Part> {
    if let Some(script) = &resolved.script {
        return script
            .sessions()
            .into_iter()
            .map(|session| pinned(script, session, resolved, began))
            .collect();
    }
    let drawn = |index: u32| Part {
        generator: workload.generator(share(index, resolved, updates)),
        route: Route::new(index, resolved),
        pace: Pace::new(index, resolved, began),
    };
    (0..resolved.clients).map(drawn).collect()
}

fn pinned(script: &Script, session: u32, resolved: &Resolved, began: Nanos) -> Part {
    // A script names nodes that there are: that is seen to before anything runs.
    let place = |node| resolved.nodes.iter().position(|known| known == node).unwrap_or_default();
    let lines = || script.of_session(session);
    Part {
        generator: Box::new(Player::new(script, session)),
        route: Route::Pinned(lines().map(|line| place(&line.node)).collect()),
        pace: Pace::Pinned(lines().map(|line| began + line.at).collect()),
    }
}

fn seed_of(index: u32, resolved: &Resolved) -> Seed {
    resolved.seed().fork("load").fork(&format!("client {index}"))
}

/// What the generator of client `index` draws from.
fn share(index: u32, resolved: &Resolved, updates: Updates) -> Share {
    let rng = seed_of(index, resolved).stream();
    let Resolved { clients, keys, key_distribution, .. } = *resolved;
    Share { client: index, clients, keys, key_distribution, updates, rng }
}

/// Which node a client asks next.
pub(crate) enum Route {
    Home(usize),
    Roam { home: usize, nodes: usize, rng: Box<ChaCha8Rng> },
    Pinned(VecDeque<usize>),
}

impl Route {
    fn new(index: u32, resolved: &Resolved) -> Self {
        let nodes = resolved.nodes.len();
        match resolved.roams() {
            true => {
                let rng = Box::new(seed_of(index, resolved).fork("route").stream());
                Self::Roam { home: index as usize % nodes, nodes, rng }
            }
            false => Self::Home(index as usize % nodes),
        }
    }

    /// The client lives where this node is.
    pub(crate) fn home(&self) -> usize {
        match self {
            Self::Home(home) | Self::Roam { home, .. } => *home,
            Self::Pinned(nodes) => nodes.front().copied().unwrap_or_default(),
        }
    }

    pub(crate) fn next(&mut self) -> usize {
        match self {
            Self::Home(home) => *home,
            Self::Roam { nodes, rng, .. } => rng.random_range(0..*nodes),
            Self::Pinned(nodes) => nodes.pop_front().unwrap_or_default(),
        }
    }
}

/// When a client's calls are planned.
pub(crate) enum Pace {
    Even(Even),
    /// Each is asked, however late.
    Pinned(VecDeque<Nanos>),
}

impl Pace {
    fn new(index: u32, resolved: &Resolved, began: Nanos) -> Self {
        Self::Even(Even::new(index, resolved, began))
    }

    /// When the next call is planned; it may be late already. None if the load is over.
    pub(crate) fn next(&mut self, now: Nanos) -> Option<Nanos> {
        match self {
            Self::Even(even) => even.next(now),
            Self::Pinned(times) => times.pop_front(),
        }
    }
}

/// One call after another, with even gaps.
pub(crate) struct Even {
    next: Nanos,
    /// Between two calls of one client; zero is as fast as answers come.
    interval: Nanos,
    end: Nanos,
}

impl Even {
    fn new(index: u32, resolved: &Resolved, began: Nanos) -> Self {
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

    fn next(&mut self, now: Nanos) -> Option<Nanos> {
        let planned = if self.interval == Nanos(0) { now } else { self.next };
        self.next = self.next + self.interval;
        // A client that is hopelessly late stops with the load.
        (planned < self.end && now < self.end).then_some(planned)
    }
}
