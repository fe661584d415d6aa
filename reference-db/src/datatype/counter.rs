//! A counter: what every origin has added, in sum; steps may be negative.
//!
//! ```text
//! A  +3 +4   {A: 7}  ─┐
//! B  -2      {B: -2} ─┴─► 5      a delete takes off the sums it saw: B's later +1 leaves 1
//! ```
//!
//! Like a PN-counter, with one sum for both signs: each origin's sum is only ever changed by that origin's own events,
//! each once, so there is nothing that a second sum would protect.

use std::collections::BTreeMap;

use crate::event::Tally;
use crate::names::{Dot, Origin};

/// What every origin has added, and how much of it was reset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Counter {
    added: BTreeMap<Origin, Tally>,
    reset: BTreeMap<Origin, Tally>,
}

impl Counter {
    /// The count, if anything was added since the last reset.
    pub(crate) fn value(&self) -> Option<i64> {
        let alive = |(origin, tally): (&Origin, &Tally)| {
            let reset = self.reset.get(origin).copied().unwrap_or_default();
            // A reset may come before what it saw; until then there is nothing to show, least of all a debt.
            let since = tally.upto > reset.upto || (tally.upto == reset.upto && tally.sum != reset.sum);
            since.then_some(tally.sum - reset.sum)
        };
        let sums: Vec<i128> = self.added.iter().filter_map(alive).collect();
        // Each origin keeps its own count within 64 bits, but two may pass the limit together.
        let sum = sums.iter().sum::<i128>().clamp(i64::MIN.into(), i64::MAX.into());
        (!sums.is_empty()).then_some(sum as i64)
    }

    pub(crate) fn increment(&mut self, by: i64, dot: Dot) {
        let tally = self.added.entry(dot.origin).or_default();
        tally.upto = tally.upto.max(dot.sequence);
        tally.sum += i128::from(by);
    }

    /// What a reset takes off: all that was added.
    pub(crate) fn tallies(&self) -> BTreeMap<Origin, Tally> {
        self.added.clone()
    }

    /// Takes off what a reset saw. Of two resets the one that saw more of an origin counts.
    pub(crate) fn reset(&mut self, tallies: &BTreeMap<Origin, Tally>) {
        for (origin, tally) in tallies {
            let reset = self.reset.entry(*origin).or_default();
            *reset = (*reset).max(*tally);
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.added.is_empty() && self.reset.is_empty()
    }
}
