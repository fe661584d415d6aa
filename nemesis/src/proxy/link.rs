//! One directed link: its gate, its latency, and what it has carried.
//!
//! ```text
//! chunk ──► gate: whole? ──► carried += length ──► receiver
//!             └─ cut: wait for the heal
//! ```
//!
//! A chunk is written while the gate is held for reading, and a cut takes it for writing: once
//! [`Link::set_cut`] returns, not one more byte passes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// What a directed link has carried since it exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Bytes of requests and of responses in this direction.
    pub bytes: u64,
    /// Connections that were opened in this direction, up to the upstream.
    pub connections: u64,
}

/// How late a link delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// In the mean.
    pub mean: Duration,
    /// Around the mean, evenly spread; at most the mean.
    pub jitter: Duration,
}

/// The state of a link's gate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) cut: bool,
    pub(super) latency: Option<Latency>,
}

#[derive(Debug, Default)]
pub(super) struct Link {
    gate: watch::Sender<Gate>,
    bytes: AtomicU64,
    connections: AtomicU64,
    draws: AtomicU64,
}

impl Link {
    pub(super) fn set_cut(&self, cut: bool) {
        self.gate.send_modify(|gate| gate.cut = cut);
    }

    pub(super) fn set_latency(&self, latency: Option<Latency>) {
        self.gate.send_modify(|gate| gate.latency = latency);
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Gate> {
        self.gate.subscribe()
    }

    pub(super) fn carried(&self) -> Carried {
        Carried {
            bytes: self.bytes.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// How late something is that goes far, over a link that may be slow besides.
    pub(super) fn draw_both(&self, far: Option<Latency>, slow: Option<Latency>) -> Duration {
        far.into_iter().chain(slow).map(|latency| self.draw(latency)).sum()
    }

    /// A latency drawn evenly around the mean.
    fn draw(&self, latency: Latency) -> Duration {
        let spread = 2 * u64::try_from(latency.jitter.as_nanos()).unwrap_or(u64::MAX / 2);
        let drawn = scramble(self.draws.fetch_add(1, Ordering::Relaxed)) % spread.saturating_add(1);
        (latency.mean + Duration::from_nanos(drawn)).saturating_sub(latency.jitter)
    }
}

// A 64-bit finaliser: jitter needs to look even, not to be secret or to repeat.
fn scramble(count: u64) -> u64 {
    let mut bits = count.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    bits ^ (bits >> 32)
}
