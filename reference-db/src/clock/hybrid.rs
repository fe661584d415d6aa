//! Hybrid logical clocks: close to the wall clock, yet never behind what they have seen.
//!
//! ```text
//! A (wall 100)  write x   100.0 ─┐
//! B (wall  90)                   └► sees 100.0, writes x at 100.1: later, though B's wall clock is behind
//! ```
//!
//! Two nodes can still draw the same time; a [`Stamp`] adds the dot, whose first part is the node's name, so that any
//! two writes are ordered in the same way everywhere.
//!
//! Source: Kulkarni, Demirbas et al., *Logical Physical Clocks* (2014). There is no bound on how far a peer's clock may
//! pull ours ahead: a node with a clock in the future drags the cluster along, as it does in most systems of the kind.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::Dot;
use crate::time::Nanos;

/// A hybrid time: milliseconds of the wall clock, then a count of the events within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "(u64, u32)", into = "(u64, u32)")]
pub struct Hlc {
    /// Milliseconds since the host's epoch.
    pub millis: u64,
    /// Events since the clock last showed a new millisecond.
    pub count: u32,
}

impl From<(u64, u32)> for Hlc {
    fn from((millis, count): (u64, u32)) -> Hlc {
        Hlc { millis, count }
    }
}

impl From<Hlc> for (u64, u32) {
    fn from(hlc: Hlc) -> (u64, u32) {
        (hlc.millis, hlc.count)
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis, self.count)
    }
}

impl Hlc {
    /// The least time after this one.
    fn next(self) -> Hlc {
        match self.count.checked_add(1) {
            Some(count) => Hlc { count, ..self },
            None => Hlc { millis: self.millis.saturating_add(1), count: 0 },
        }
    }
}

/// When and by which event: a total order of all events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// When.
    pub hlc: Hlc,
    /// By which event; breaks ties, by node name first.
    pub dot: Dot,
}

/// The clock of one node.
#[derive(Debug, Clone, Default)]
pub struct HybridClock {
    latest: Hlc,
}

impl HybridClock {
    /// A time for a new event: after everything seen, and not behind the wall clock.
    pub fn tick(&mut self, now: Nanos) -> Hlc {
        self.latest = self.peek(now);
        self.latest
    }

    /// What [`HybridClock::tick`] would give.
    pub fn peek(&self, now: Nanos) -> Hlc {
        self.latest.next().max(Hlc { millis: now.millis(), count: 0 })
    }

    /// Takes notice of a time that another node drew.
    pub fn observe(&mut self, seen: Hlc) {
        self.latest = self.latest.max(seen);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_time_is_after_all_that_came_before(steps in prop::collection::vec((any::<bool>(), 0..50_u64), 1..100)) {
            let mut clock = HybridClock::default();
            let mut latest = Hlc::default();
            for (local, millis) in steps {
                if local {
                    let drawn = clock.tick(Nanos::from_millis(millis));
                    prop_assert!(drawn > latest, "{drawn} is not after {latest}");
                    prop_assert!(drawn.millis >= millis);
                    latest = drawn;
                } else {
                    clock.observe(Hlc { millis, count: 3 });
                    latest = latest.max(Hlc { millis, count: 3 });
                }
            }
        }
    }

    #[test]
    fn the_count_carries_into_the_next_millisecond() {
        assert_eq!(Hlc { millis: 7, count: u32::MAX }.next(), Hlc { millis: 8, count: 0 });
    }
}
