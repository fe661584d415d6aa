//! Keys: a dense number for each, and what it is used for.

use std::fmt;

use histories::{MicroOp, Observed, Value};

/// A key's place among all keys of the history, in natural order: k2 is before k10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNumber(pub u32);

impl KeyNumber {
    /// As an index into a slice that is ordered by this number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a key is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Holds a value that is replaced as a whole: by writes, compare-and-set and deletes. The value
    /// may well be a list; then [`KeyUse::list_values`] is true.
    Register,
    /// Grows by appends.
    List,
    /// Changes by adds and removes.
    Set,
    /// Changes by increments.
    Counter,
    /// Changes by enqueues and dequeues.
    Queue,
    /// Changes by pushes and pops.
    Stack,
    /// Several of these at once.
    Mixed,
}

/// Nouns, for sentences.
impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Register => "value",
            Self::List => "list",
            Self::Set => "set",
            Self::Counter => "counter",
            Self::Queue => "queue",
            Self::Stack => "stack",
            Self::Mixed => "state",
        })
    }
}

/// How often each kind of micro-op touches a key, whatever its outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// Reads.
    pub reads: u32,
    /// Blind writes.
    pub writes: u32,
    /// Compare-and-set.
    pub compare_and_sets: u32,
    /// Appends.
    pub appends: u32,
    /// Adds.
    pub adds: u32,
    /// Removes.
    pub removes: u32,
    /// Increments.
    pub increments: u32,
    /// Deletes.
    pub deletes: u32,
    /// Enqueues.
    pub enqueues: u32,
    /// Dequeues.
    pub dequeues: u32,
    /// Pushes.
    pub pushes: u32,
    /// Pops.
    pub pops: u32,
    /// True if a write or compare-and-set stored a list.
    pub list_values: bool,
    /// True if an answer or an expectation named a version.
    pub versions: bool,
    /// True if a confirmed read saw something else than one list, or nothing.
    pub not_lists: bool,
    /// True if a call failed.
    pub failures: bool,
    /// True if it is an account of a bank, which holds something that no call of the history put there.
    pub is_account: bool,
}

impl KeyUse {
    /// What the key is used as.
    pub fn kind(&self) -> KeyKind {
        let kinds = [
            (KeyKind::List, self.appends > 0),
            (KeyKind::Set, self.adds + self.removes > 0),
            (KeyKind::Counter, self.increments > 0 || self.is_account),
            (KeyKind::Queue, self.enqueues + self.dequeues > 0),
            (KeyKind::Stack, self.pushes + self.pops > 0),
        ];
        let mut used = kinds.iter().filter(|(_, used)| *used);
        match (used.next(), used.next()) {
            (None, _) => KeyKind::Register,
            (Some((kind, _)), None) => *kind,
            (Some(_), Some(_)) => KeyKind::Mixed,
        }
    }

    pub(super) fn count(&mut self, micro_op: &MicroOp) {
        match micro_op {
            MicroOp::Read { .. } => self.reads += 1,
            MicroOp::Write { value, .. } => {
                self.writes += 1;
                self.list_values |= is_list(value);
            }
            MicroOp::CompareAndSet { value, expected, .. } => {
                self.compare_and_sets += 1;
                self.list_values |= is_list(value);
                self.names_versions(expected);
            }
            MicroOp::Append { .. } => self.appends += 1,
            MicroOp::Add { .. } => self.adds += 1,
            MicroOp::Remove { .. } => self.removes += 1,
            MicroOp::Increment { .. } => self.increments += 1,
            MicroOp::Delete { .. } => self.deletes += 1,
            MicroOp::Enqueue { .. } => self.enqueues += 1,
            MicroOp::Dequeue { .. } => self.dequeues += 1,
            MicroOp::Push { .. } => self.pushes += 1,
            MicroOp::Pop { .. } => self.pops += 1,
        }
    }

    pub(super) fn saw(&mut self, observed: &Observed) {
        self.names_versions(observed);
        self.not_lists |= match observed.values.as_slice() {
            [] => false,
            [value] => !is_list(value),
            _ => true,
        };
    }

    fn names_versions(&mut self, observed: &Observed) {
        self.versions |= !observed.versions.is_empty();
    }
}

fn is_list(value: &Value) -> bool {
    value.as_list().is_some()
}
