//! All orders of a few operations: depth first, each set of done ones in each state once.

use std::collections::BTreeSet;

use histories::Operation;

use super::state::{Counts, Machine, State};
use crate::Flaw;

/// Orders begun, above which nothing is said.
const STEPS_MAX: usize = 300_000;

/// Operations, and which must come before which: a bit each.
pub(super) struct Question<'q, 'h> {
    pub(super) machine: &'q Machine<'q, 'h>,
    pub(super) operations: &'q [&'h Operation],
    /// The operations that must come before each.
    pub(super) before: &'q [u32],
    /// Those that take part.
    pub(super) among: u32,
    /// Whose answers count.
    pub(super) counts: &'q [Counts],
}

impl<'h> Question<'_, 'h> {
    /// True if some order explains the answers. Who was never answered may be left out, unless
    /// something must come after it.
    pub(super) fn has_order(&self) -> Result<bool, Flaw> {
        let needed = (0..self.operations.len()).filter(|place| self.is_needed(*place));
        let needed: u32 = needed.map(|place| 1 << place).sum::<u32>() & self.among;
        let mut seen: BTreeSet<(u32, State<'h>)> = BTreeSet::new();
        let mut open: Vec<(u32, State<'h>)> = vec![(0, State::default())];
        while let Some((done, state)) = open.pop() {
            if done & needed == needed {
                return Ok(true);
            }
            if seen.len() > STEPS_MAX {
                return Err(Flaw::TooMany(self.operations.len()));
            }
            for place in 0..self.operations.len() {
                let bit = 1 << place;
                let waits = self.before[place] & self.among & !done;
                if bit & self.among == 0 || bit & done != 0 || waits != 0 {
                    continue;
                }
                for next in self.machine.run(&state, self.operations[place], self.counts[place]) {
                    if seen.insert((done | bit, next.clone())) {
                        open.push((done | bit, next));
                    }
                }
            }
        }
        Ok(false)
    }

    // Also if it was never answered: somebody saw what only it can have made, here or elsewhere.
    fn is_needed(&self, place: usize) -> bool {
        let is_waited_for = self.before.iter().any(|before| before & (1 << place) != 0);
        is_waited_for || self.machine.record.happened(self.operations[place])
    }
}
