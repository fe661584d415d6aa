//! Levels below serializability on registers and lists: an order of commits that keeps an axiom.
//!
//! ```text
//!   T3 reads x from T2, and T1 writes x too. T1 comes before T2 if
//!     read committed T3 had seen something of T1 before that read, or follows it in its session
//!     read atomic    T3 saw something of T1, or follows it in its session
//!     causal         the same by way of others
//!     prefix         T1 comes before, or is, one that T3 saw or follows
//!     snapshot       the same, or one before T3 that writes a key that T3 writes
//! ```
//!
//! A list shows the order of its appends: each element is older than the next, and than whatever is not in it. A read
//! of it is one of its last element.
//!
//! Source: Biswas & Enea, On the complexity of checking transactional consistency, OOPSLA 2019, §2.2.

use histories::{Key, MicroOp, Operation};

use super::relation::{Given, Relation};
use super::state::Machine;
use crate::Flaw;
use crate::record::{Part, Shape};

/// The axiom of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axiom {
    ReadCommitted,
    ReadAtomic,
    Causal,
    Prefix,
    Snapshot,
}

/// Operations whose orders are all tried.
const TRIED_MAX: usize = 9;

/// A read of one transaction: from whom, none if nothing was there.
struct Read {
    reader: usize,
    /// Which part of the reader.
    part: usize,
    from: Option<usize>,
    /// Others that write the key.
    writers: Vec<usize>,
}

struct Trial<'t, 'h> {
    operations: &'t [&'h Operation],
    axiom: Axiom,
    /// The order of sessions or of time, if the level promises it.
    given: Vec<u32>,
    /// Seen or given, one step.
    direct: Vec<u32>,
    /// The same by way of others.
    known: Vec<u32>,
    /// Who appended before whom, as lists show.
    listed: Vec<u32>,
    reads: Vec<Read>,
}

/// True if some order keeps the axiom.
pub(super) fn has_order<'h>(
    machine: &Machine<'_, 'h>,
    operations: &[&'h Operation],
    axiom: Axiom,
    given: Given,
) -> Result<bool, Flaw> {
    if operations.len() > TRIED_MAX {
        return Err(Flaw::TooMany(operations.len()));
    }
    let relation = Relation::with_reads(machine.record, operations, given);
    let direct = relation.before.clone();
    let closed = Relation::closed(relation.before);
    if closed.is_cyclic {
        return Ok(false);
    }
    let reads = reads(machine, operations);
    let given = Relation::new(machine.record, operations, given).before;
    let trial = Trial {
        operations,
        axiom,
        given,
        direct,
        known: closed.before,
        listed: listed(machine, operations),
        reads,
    };
    Ok(trial.extend(&mut Vec::new()))
}

fn reads<'h>(machine: &Machine<'_, 'h>, operations: &[&'h Operation]) -> Vec<Read> {
    let mut reads = Vec::new();
    for (reader, operation) in operations.iter().enumerate() {
        for index in 0..operation.call.micro_ops().len() {
            let part = Part { operation, index };
            let key = part.asked().key();
            let is_external = !operation.call.micro_ops()[..index]
                .iter()
                .any(|other| other.key() == key && !other.is_read());
            let last = shown(machine, operations, &part).map(|shown| shown.last().copied());
            if let Some(from) = last.filter(|from| is_external && *from != Some(reader)) {
                let writers = (0..operations.len()).filter(|other| *other != reader && Some(*other) != from);
                let writers = writers.filter(|other| writes(operations[*other], key)).collect();
                reads.push(Read { reader, part: index, from, writers });
                continue;
            }
            let Some(value) = machine.scope.value(machine.record, &part).filter(|_| is_external) else {
                continue;
            };
            let from = match value {
                None => None,
                Some(value) => {
                    let maker = machine.record.maker(key, value);
                    let place =
                        maker.and_then(|maker| operations.iter().position(|other| other.id == maker.id()));
                    let Some(place) = place.filter(|place| *place != reader) else { continue };
                    Some(place)
                }
            };
            let writers = (0..operations.len()).filter(|other| *other != reader && Some(*other) != from);
            let writers = writers.filter(|other| writes(operations[*other], key)).collect();
            reads.push(Read { reader, part: index, from, writers });
        }
    }
    reads
}

/// Who of the operations appended what a read of a list shows, in its order; none if it is no such read.
fn shown<'h>(machine: &Machine<'_, 'h>, operations: &[&'h Operation], part: &Part<'h>) -> Option<Vec<usize>> {
    let key = part.asked().key();
    let held = machine.scope.of(key).filter(|held| held.shape == Shape::List && held.nothing)?;
    let seen = crate::record::list(part.observed().filter(|_| part.asked().is_read())?)?;
    let place = |element| {
        let maker = machine.record.maker(key, element)?;
        operations.iter().position(|operation| operation.id == maker.id())
    };
    Some(seen.iter().filter(|element| held.values.contains(element)).filter_map(place).collect())
}

/// The operations that each must come after, as lists show.
fn listed<'h>(machine: &Machine<'_, 'h>, operations: &[&'h Operation]) -> Vec<u32> {
    let mut before = vec![0_u32; operations.len()];
    for operation in operations {
        for index in 0..operation.call.micro_ops().len() {
            let part = Part { operation, index };
            let Some(shown) = shown(machine, operations, &part) else { continue };
            let pairs = shown.windows(2).filter(|two| two[0] != two[1]);
            pairs.for_each(|two| before[two[1]] |= 1 << two[0]);
            let Some(last) = shown.last().copied() else { continue };
            for (place, other) in operations.iter().enumerate() {
                let is_later = writes(other, part.asked().key()) && machine.record.happened(other);
                if is_later && !shown.contains(&place) {
                    before[place] |= 1 << last;
                }
            }
        }
    }
    before
}

fn writes(operation: &Operation, key: &Key) -> bool {
    let is_write = |micro_op: &MicroOp| {
        matches!(
            micro_op,
            MicroOp::Write { .. }
                | MicroOp::CompareAndSet { .. }
                | MicroOp::Delete { .. }
                | MicroOp::Append { .. }
        )
    };
    operation.call.micro_ops().iter().any(|micro_op| is_write(micro_op) && micro_op.key() == key)
}

impl Trial<'_, '_> {
    /// True if the order can go on to one of all that keeps the axiom.
    fn extend(&self, order: &mut Vec<usize>) -> bool {
        if order.len() == self.operations.len() {
            return self.is_kept(order);
        }
        for place in 0..self.operations.len() {
            let done = order.iter().fold(0_u32, |done, other| done | 1 << other);
            if done & (1 << place) != 0 || (self.known[place] | self.listed[place]) & !done != 0 {
                continue;
            }
            order.push(place);
            if self.extend(order) {
                return true;
            }
            order.pop();
        }
        false
    }

    fn is_kept(&self, order: &[usize]) -> bool {
        let at = |place: usize| order.iter().position(|other| *other == place).unwrap_or(usize::MAX);
        self.reads.iter().all(|read| {
            let mut owed = read.writers.iter().filter(|writer| self.is_visible(**writer, read, &at));
            owed.all(|writer| read.from.is_some_and(|from| at(*writer) < at(from)))
        })
    }

    fn is_visible(&self, writer: usize, read: &Read, at: &impl Fn(usize) -> usize) -> bool {
        let reader = read.reader;
        let is_set = |bits: u32, place: usize| bits & (1 << place) != 0;
        let upto = |test: &dyn Fn(usize) -> bool| {
            (0..self.operations.len()).any(|other| at(writer) <= at(other) && test(other))
        };
        match self.axiom {
            Axiom::ReadCommitted => {
                let is_earlier = |other: &Read| other.reader == reader && other.part < read.part;
                let mut seen = self.reads.iter().filter(|other| is_earlier(other));
                is_set(self.given[reader], writer) || seen.any(|other| other.from == Some(writer))
            }
            Axiom::ReadAtomic => is_set(self.direct[reader], writer),
            Axiom::Causal => is_set(self.known[reader], writer),
            Axiom::Prefix => upto(&|other| is_set(self.direct[reader], other)),
            Axiom::Snapshot => {
                upto(&|other| is_set(self.direct[reader], other))
                    || upto(&|other| at(other) < at(reader) && self.conflict(other, reader))
            }
        }
    }

    fn conflict(&self, one: usize, other: usize) -> bool {
        let keys = self.operations[one].call.micro_ops().iter().map(MicroOp::key);
        let mut shared = keys.filter(|key| writes(self.operations[one], key));
        shared.any(|key| writes(self.operations[other], key))
    }
}
