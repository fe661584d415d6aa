//! A history by key: who did what to it, and who may have made what.
//!
//! ```text
//!   x   op 0 write 1    op 3 read → 1    op 7 write 1 (failed)       makers of 1: op 0
//! ```
//!
//! One pass over the history; all else is looked up among the operations on one key.

use std::collections::BTreeMap;

use histories::{History, Key, MicroOp, Observed, Operation, OperationId, Reply, Value};
use rustc_hash::FxHashMap;

use crate::Flaw;

/// One part of one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'h> {
    pub(crate) operation: &'h Operation,
    pub(crate) index: usize,
}

impl<'h> Part<'h> {
    pub(crate) fn id(&self) -> OperationId {
        self.operation.id
    }

    pub(crate) fn asked(&self) -> &'h MicroOp {
        &self.operation.call.micro_ops()[self.index]
    }

    pub(crate) fn reply(&self) -> Option<&'h Reply> {
        self.operation.outcome.replies()?.get(self.index)
    }

    /// What it is known to have seen there.
    pub(crate) fn observed(&self) -> Option<&'h Observed> {
        self.reply()?.observed.as_ref()
    }

    /// The same, or what a compare-and-set that happened must have found.
    pub(crate) fn found(&self) -> Option<&'h Observed> {
        match self.asked() {
            MicroOp::CompareAndSet { expected, .. } if self.operation.is_possible() => Some(expected),
            _ => self.observed(),
        }
    }

    /// The value or element that it brings.
    pub(crate) fn brings(&self) -> Option<&'h Value> {
        brings(self.asked())
    }

    pub(crate) fn is_possible(&self) -> bool {
        self.operation.is_possible()
    }
}

/// The value or element that a part brings.
pub(crate) fn brings(micro_op: &MicroOp) -> Option<&Value> {
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value),
        MicroOp::Append { element, .. }
        | MicroOp::Add { element, .. }
        | MicroOp::Enqueue { element, .. }
        | MicroOp::Push { element, .. } => Some(element),
        MicroOp::Read { .. }
        | MicroOp::Remove { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Pop { .. } => None,
    }
}

/// What a key is, by what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Register,
    List,
    Set,
    Counter,
    Queue,
    Stack,
    Mixed,
}

/// A history by key.
pub struct Record<'h> {
    pub(crate) history: &'h History,
    by_key: FxHashMap<&'h Key, Vec<Part<'h>>>,
}

impl<'h> Record<'h> {
    /// Goes through the history once.
    pub fn new(history: &'h History) -> Self {
        let mut by_key: FxHashMap<&'h Key, Vec<Part<'h>>> = FxHashMap::default();
        for operation in history.operations() {
            for (index, micro_op) in operation.call.micro_ops().iter().enumerate() {
                by_key.entry(micro_op.key()).or_default().push(Part { operation, index });
            }
        }
        Self { history, by_key }
    }

    pub(crate) fn find(&self, id: OperationId) -> Result<&'h Operation, Flaw> {
        self.history.find(id).ok_or(Flaw::Missing(id))
    }

    /// Everything that was asked of the key, in the order of invocation.
    pub(crate) fn on(&self, key: &Key) -> &[Part<'h>] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// The operation's parts on the key.
    pub(crate) fn parts(&self, operation: &'h Operation, key: &Key) -> Vec<Part<'h>> {
        let parts = operation.call.micro_ops().iter().enumerate();
        let on_key = parts.filter(|(_, micro_op)| micro_op.key() == key);
        on_key.map(|(index, _)| Part { operation, index }).collect()
    }

    /// The keys that both touch, sorted.
    pub(crate) fn shared(&self, one: &'h Operation, other: &'h Operation) -> Vec<&'h Key> {
        let mut keys: Vec<&Key> = one.call.micro_ops().iter().map(MicroOp::key).collect();
        keys.retain(|key| other.call.micro_ops().iter().any(|micro_op| micro_op.key() == *key));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Who may have brought the value or element.
    pub(crate) fn makers(&self, key: &Key, value: &Value) -> Vec<Part<'h>> {
        let all = self.on(key).iter().filter(|part| part.is_possible() && part.brings() == Some(value));
        all.copied().collect()
    }

    /// The one who may have, if there is only one.
    pub(crate) fn maker(&self, key: &Key, value: &Value) -> Option<Part<'h>> {
        match self.makers(key, value).as_slice() {
            [maker] => Some(*maker),
            _ => None,
        }
    }

    /// Changes that may have happened and that are so.
    pub(crate) fn possible(&self, key: &Key, is_so: impl Fn(&MicroOp) -> bool) -> Vec<Part<'h>> {
        let all = self.on(key).iter().filter(|part| part.is_possible() && is_so(part.asked()));
        all.copied().collect()
    }

    /// Confirmed reads, and takes, with what they saw.
    pub(crate) fn reads(&self, key: &Key) -> impl Iterator<Item = (Part<'h>, &'h Observed)> {
        self.on(key).iter().filter_map(|part| Some((*part, part.observed()?)))
    }

    /// What the key is: anything that is written as a whole and also grows is mixed.
    pub(crate) fn shape(&self, key: &Key) -> Shape {
        let mut counts: BTreeMap<u8, Shape> = BTreeMap::new();
        for part in self.on(key) {
            let (rank, shape) = match part.asked() {
                MicroOp::Write { .. } | MicroOp::CompareAndSet { .. } => (0, Shape::Register),
                MicroOp::Append { .. } => (1, Shape::List),
                MicroOp::Add { .. } | MicroOp::Remove { .. } => (2, Shape::Set),
                MicroOp::Increment { .. } => (3, Shape::Counter),
                MicroOp::Enqueue { .. } | MicroOp::Dequeue { .. } => (4, Shape::Queue),
                MicroOp::Push { .. } | MicroOp::Pop { .. } => (5, Shape::Stack),
                MicroOp::Read { .. } | MicroOp::Delete { .. } => continue,
            };
            counts.insert(rank, shape);
        }
        let mut shapes = counts.into_values();
        match (shapes.next(), shapes.next()) {
            (None, _) => Shape::Register,
            (Some(shape), None) => shape,
            (Some(_), Some(_)) => Shape::Mixed,
        }
    }

    /// The value that a read of a register found; none if nothing was there, as far as it can tell: the
    /// outer none if it saw several.
    pub(crate) fn value(&self, key: &Key, observed: &'h Observed) -> Option<Option<&'h Value>> {
        match observed.values.as_slice() {
            [] => Some(None),
            [value] if self.is_blank(key, value) => Some(None),
            [value] => Some(Some(value)),
            _ => None,
        }
    }

    /// True if this is how a store may show that nothing is there: an empty list or a 0, and nobody wrote it.
    fn is_blank(&self, key: &Key, value: &Value) -> bool {
        let is_nothing = value.as_list().is_some_and(<[Value]>::is_empty) || value.as_integer() == Some(0);
        is_nothing && !self.on(key).iter().any(|part| part.brings() == Some(value))
    }

    /// True if it surely took effect: it was confirmed, or somebody else saw what only it can have made.
    pub(crate) fn happened(&self, operation: &'h Operation) -> bool {
        operation.is_confirmed() || self.witness_of(operation).is_some()
    }

    /// Who saw what only this operation can have made.
    pub(crate) fn witness_of(&self, operation: &'h Operation) -> Option<OperationId> {
        if operation.outcome.is_failed() {
            return None;
        }
        let parts = (0..operation.call.micro_ops().len()).map(|index| Part { operation, index });
        let sees = |observed: &Observed, value: &Value| {
            let has = |seen: &Value| seen == value || seen.as_list().is_some_and(|list| list.contains(value));
            observed.values.iter().any(has)
        };
        let mut witnesses = parts.filter_map(|part| {
            let (key, value) = (part.asked().key(), part.brings()?);
            self.maker(key, value)?;
            let mut reads = self.reads(key).filter(|(reader, _)| reader.id() != operation.id);
            reads.find(|(_, observed)| sees(observed, value)).map(|(reader, _)| reader.id())
        });
        witnesses.next()
    }
}

/// The list that a read saw; none if it saw something else.
pub(crate) fn list(observed: &Observed) -> Option<&[Value]> {
    match observed.values.as_slice() {
        [] => Some(&[]),
        [value] => value.as_list(),
        _ => None,
    }
}
