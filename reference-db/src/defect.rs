//! Planted bugs, off by default: each breaks one guarantee, so that a test harness can show that it would notice.
//!
//! | defect | bites in | breaks |
//! |---|---|---|
//! | `apply-dependent-early` | `delivery` | causal order: an effect is seen before its cause |
//! | `confirm-before-durable` | `node::local` | durability: a crash within 100 ms loses confirmed writes |
//! | `forget-tombstones` | `conflict::keyspace` | deletes: an older write that arrives late brings a key back, at one node only |
//! | `no-tie-break` | `conflict::lww` | convergence: of two writes in one millisecond each node keeps the one it saw last |
//! | `skip-version-check` | `node::replicate`, `node::links` | exactly once: an event that comes again is applied again |

use std::collections::BTreeSet;

use crate::choice::choices;

choices! {
    /// A planted bug.
    pub enum Defect ("defect") {
        ApplyDependentEarly = "apply-dependent-early", "apply an event before those it depends on";
        ConfirmBeforeDurable = "confirm-before-durable", "confirm a write before it is on disk";
        ForgetTombstones = "forget-tombstones", "forget that a key was deleted, and when";
        NoTieBreak = "no-tie-break", "compare the clocks of two writes without a tie-break";
        SkipVersionCheck = "skip-version-check", "apply an event without checking whether it was applied before";
    }
}

/// The planted bugs that are switched on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defects(BTreeSet<Defect>);

impl Defects {
    /// True if the bug is switched on.
    pub fn has(&self, defect: Defect) -> bool {
        self.0.contains(&defect)
    }

    /// Those that are on, in order.
    pub fn iter(&self) -> impl Iterator<Item = Defect> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Defects {
        Defects(defects.into_iter().collect())
    }
}
