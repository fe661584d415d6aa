//! Last write wins: of any two writes the later one stays, tombstones included.
//!
//! ```text
//! A   write 1 at 100.0 ──┐
//! B   write 2 at 100.1 ──┴─► 2 everywhere; the client of A was told that its write was taken, and it is gone
//! ```
//!
//! Time is hybrid, so a write that knew of another one is later whatever the wall clocks say. With a single leader no
//! two writes are concurrent, and the later one is the one that the leader took later.

use std::hash::{Hash, Hasher};

use super::{Intent, Moment, Strategy, rewrite};
use crate::clock::Stamp;
use crate::datum::Datum;
use crate::defect::{Defect, Defects};
use crate::event::{Change, Key};
use crate::refusal::Refusal;
use crate::request::{Action, Reading};

/// The strategy.
pub(super) struct Lww;

/// A value or a tombstone, and who left it when. Default: nobody ever did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Register {
    latest: Option<Latest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Latest {
    stamp: Stamp,
    value: Option<Datum>,
}

impl Register {
    /// The value, and when it was written.
    pub(super) fn value(&self) -> Option<(&Datum, Stamp)> {
        let latest = self.latest.as_ref()?;
        latest.value.as_ref().map(|value| (value, latest.stamp))
    }

    /// Takes a value, or none for a tombstone, if it is later.
    pub(super) fn assign(&mut self, value: Option<Datum>, moment: &Moment<'_>) {
        if self.latest.as_ref().is_none_or(|held| supersedes(moment.stamp, held.stamp, moment.defects)) {
            self.latest = Some(Latest { stamp: moment.stamp, value });
        }
    }

    pub(super) fn fingerprint(&self, key: &Key, mut hasher: &mut dyn Hasher) {
        if let Some(Latest { stamp, value }) = &self.latest {
            (key.as_str(), stamp, value).hash(&mut hasher);
        }
    }
}

fn supersedes(challenger: Stamp, holder: Stamp, defects: &Defects) -> bool {
    // Planted bug: within one millisecond, whoever comes last has won.
    if defects.has(Defect::NoTieBreak) {
        return challenger.hlc.millis >= holder.hlc.millis;
    }
    // The same event once more is no later, yet one transaction may write a key twice.
    challenger >= holder
}

impl Strategy for Lww {
    type Cell = Register;

    fn read(cell: &Register) -> Reading {
        match cell.value() {
            None => Reading::Absent,
            Some((value, stamp)) => Reading::One { value: value.clone(), version: Some(stamp.dot) },
        }
    }

    fn change(cell: &Register, intent: &Intent<'_>, _: &Moment<'_>) -> Result<Change, Refusal> {
        if *intent.action == Action::Delete {
            return Ok(Change::Delete { covers: Default::default(), tallies: Default::default() });
        }
        let value = rewrite::rewritten(cell.value().map(|(value, _)| value), intent)?;
        Ok(Change::Write { value, covers: Default::default() })
    }

    fn apply(cell: &mut Register, change: &Change, moment: &Moment<'_>) {
        match change {
            Change::Write { value, .. } => cell.assign(Some(value.clone()), moment),
            Change::Delete { .. } => cell.assign(None, moment),
            // Another mode's changes: such an event came from a node that is configured differently.
            Change::Append { .. } | Change::Increment { .. } | Change::Add { .. } | Change::Remove { .. } => {
            }
        }
    }

    fn fingerprint(cell: &Register, key: &Key, hasher: &mut dyn Hasher) {
        cell.fingerprint(key, hasher);
    }
}
