//! Merging: concurrent operations all take effect, by the type that the key has.
//!
//! | operation | type | two concurrent ones |
//! |---|---|---|
//! | `append` | list | both elements, in the order of time |
//! | `add`, `remove` | set | both; adding wins over removing the same element |
//! | `increment` | counter | both count |
//! | `write`, `cas` | register | the later one stays, as with last-write-wins |
//!
//! The first operation gives a key its type, and others are refused. Two nodes may create a key with different types at
//! once; both parts are then kept, and every node shows the first of list, set, counter, register that is not empty.
//!
//! A delete removes the elements and sums that its node had seen and leaves a tombstone in the register; concurrent
//! additions survive it, and the emptied key may take another type. A set without elements is absent.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use super::lww::Register;
use super::{Intent, Moment, Strategy};
use crate::clock::DotSet;
use crate::datatype::counter::Counter;
use crate::datatype::list::List;
use crate::datatype::set::Set;
use crate::datum::Datum;
use crate::event::{Change, Key, Tag};
use crate::names::Dot;
use crate::refusal::Refusal;
use crate::request::{Action, Reading};

/// The strategy.
pub(super) struct Crdt;

/// A key of any type; usually all but one are empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    list: List,
    set: Set,
    counter: Counter,
    register: Register,
    /// Elements that were deleted and have not come yet.
    awaited: DotSet,
}

/// The type that a key shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    List,
    Set,
    Counter,
    Register,
}

impl Shown {
    fn name(self) -> &'static str {
        match self {
            Shown::List => "merged list",
            Shown::Set => "merged set",
            Shown::Counter => "merged counter",
            Shown::Register => "plain value",
        }
    }
}

impl Merged {
    fn shown(&self) -> Option<Shown> {
        [
            (Shown::List, self.list.elements().next().is_some()),
            (Shown::Set, self.set.elements().next().is_some()),
            (Shown::Counter, self.counter.value().is_some()),
            (Shown::Register, self.register.value().is_some()),
        ]
        .into_iter()
        .find_map(|(shown, filled)| filled.then_some(shown))
    }

    fn increment(&self, by: i64, key: &Key) -> Result<Change, Refusal> {
        match self.counter.value().unwrap_or(0).checked_add(by) {
            Some(_) => Ok(Change::Increment { by }),
            None => Err(Refusal::Overflow { key: key.clone() }),
        }
    }

    fn delete(&mut self, covers: &DotSet, moment: &Moment<'_>) {
        let covered = |tag: Tag| covers.contains(tag.dot) || tag.dot == moment.stamp.dot;
        self.list.retain(covered);
        self.set.retain(covered);
        self.register.assign(None, moment);
        self.awaited.merge(covers);
        self.awaited.prune(moment.applied);
    }

    /// The events of the elements that are here.
    fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        let listed = self.list.entries().keys().map(|(_, tag)| tag.dot);
        listed.chain(self.set.additions().values().flatten().map(|tag| tag.dot))
    }
}

/// The type on which an action acts.
fn wanted(action: &Action) -> Option<Shown> {
    match action {
        Action::Append { .. } => Some(Shown::List),
        Action::Add { .. } | Action::Remove { .. } => Some(Shown::Set),
        Action::Increment { .. } => Some(Shown::Counter),
        Action::Write { .. } | Action::Cas { .. } => Some(Shown::Register),
        Action::Read | Action::Delete => None,
    }
}

impl Strategy for Crdt {
    type Cell = Merged;

    fn read(cell: &Merged) -> Reading {
        let merged = |value| Reading::One { value, version: None };
        match cell.shown() {
            None => Reading::Absent,
            Some(Shown::List) => merged(Datum::list(cell.list.elements())),
            Some(Shown::Set) => merged(Datum::list(cell.set.elements())),
            Some(Shown::Counter) => merged(Datum::integer(cell.counter.value().unwrap_or_default())),
            Some(Shown::Register) => match cell.register.value() {
                None => Reading::Absent,
                Some((value, stamp)) => Reading::One { value: value.clone(), version: Some(stamp.dot) },
            },
        }
    }

    fn change(cell: &Merged, intent: &Intent<'_>, moment: &Moment<'_>) -> Result<Change, Refusal> {
        if let (Some(wanted), Some(shown)) = (wanted(intent.action), cell.shown())
            && wanted != shown
        {
            return Err(intent.mismatch(shown.name()));
        }
        match intent.action {
            Action::Append { value } => Ok(Change::Append { value: value.clone() }),
            Action::Add { value } => Ok(Change::Add { value: value.clone() }),
            Action::Remove { value } => {
                Ok(Change::Remove { value: value.clone(), tags: cell.set.tags(value) })
            }
            Action::Increment { by } => cell.increment(*by, intent.key),
            Action::Write { value } | Action::Cas { to: value, .. } => {
                Ok(Change::Write { value: value.clone(), covers: DotSet::new() })
            }
            Action::Delete => {
                let covers = DotSet::of(cell.dots().filter(|dot| *dot != moment.stamp.dot));
                Ok(Change::Delete { covers, tallies: cell.counter.tallies() })
            }
            Action::Read => Err(intent.mismatch("value")),
        }
    }

    fn apply(cell: &mut Merged, change: &Change, moment: &Moment<'_>) {
        let deleted = cell.awaited.contains(moment.stamp.dot);
        match change {
            Change::Append { value } if !deleted => cell.list.append(value, moment.stamp.hlc, moment.tag()),
            Change::Add { value } if !deleted => cell.set.add(value, moment.tag()),
            Change::Append { .. } | Change::Add { .. } => {}
            Change::Remove { value, tags } => cell.set.remove(value, tags, moment.applied),
            Change::Increment { by } => cell.counter.increment(*by, moment.stamp.dot),
            Change::Write { value, .. } => cell.register.assign(Some(value.clone()), moment),
            Change::Delete { covers, tallies } => {
                cell.delete(covers, moment);
                cell.counter.reset(tallies);
            }
        }
    }

    // What is awaited is left out: it is settled wherever all events have come, and only there are hashes compared.
    fn fingerprint(cell: &Merged, key: &Key, mut hasher: &mut dyn Hasher) {
        cell.register.fingerprint(key, hasher);
        if !cell.counter.is_blank() {
            (key.as_str(), &cell.counter).hash(&mut hasher);
        }
        let additions: &BTreeMap<_, _> = cell.set.additions();
        if !additions.is_empty() || !cell.list.entries().is_empty() {
            (key.as_str(), additions, cell.list.entries()).hash(&mut hasher);
        }
    }
}
