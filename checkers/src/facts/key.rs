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
    /// True if a confirmed read or an expectation showed several values at once.
    pub siblings: bool,
    /// True if it takes part in a transaction of several operations.
    pub in_transactions: bool,
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
                self.notes(expected);
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

    /// Takes in how the key is used elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            reads,
            writes,
            compare_and_sets,
            appends,
            adds,
            removes,
            increments,
            deletes,
            enqueues,
            dequeues,
            pushes,
            pops,
            list_values,
            versions,
            not_lists,
            siblings,
            in_transactions,
            failures,
            is_account,
        } = *other;
        self.reads += reads;
        self.writes += writes;
        self.compare_and_sets += compare_and_sets;
        self.appends += appends;
        self.adds += adds;
        self.removes += removes;
        self.increments += increments;
        self.deletes += deletes;
        self.enqueues += enqueues;
        self.dequeues += dequeues;
        self.pushes += pushes;
        self.pops += pops;
        self.list_values |= list_values;
        self.versions |= versions;
        self.not_lists |= not_lists;
        self.siblings |= siblings;
        self.in_transactions |= in_transactions;
        self.failures |= failures;
        self.is_account |= is_account;
    }

    pub(super) fn saw(&mut self, observed: &Observed) {
        self.notes(observed);
        self.not_lists |= match observed.values.as_slice() {
            [] => false,
            [value] => !is_list(value),
            _ => true,
        };
    }

    fn notes(&mut self, observed: &Observed) {
        self.versions |= !observed.versions.is_empty();
        self.siblings |= observed.values.len() > 1;
    }
}

fn is_list(value: &Value) -> bool {
    value.as_list().is_some()
}
