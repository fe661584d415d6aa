//! What must come before what among a few operations, apart from what they saw.

use histories::{MicroOp, Operation, SessionId};

use crate::record::{Part, Record, Shape};

/// What an order has to agree with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// Nothing but what was seen.
    Nothing,
    /// The order of each session.
    Sessions,
    /// Real time.
    RealTime,
    /// Sessions, and a compare-and-set after what it replaced.
    Replaced,
    /// The same, and what this session read before what it did afterwards.
    KnownTo(SessionId),
    /// Sessions, and who saw what whom did: what may have caused what.
    Causes,
}

/// The operations that must come before each, a bit each; transitive.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) before: Vec<u32>,
    /// True if something must come before itself.
    pub(super) is_cyclic: bool,
}

impl Relation {
    pub(super) fn new(record: &Record<'_>, operations: &[&Operation], given: Given) -> Self {
        let mut before = vec![0_u32; operations.len()];
        for (place, later) in operations.iter().enumerate() {
            for (other, earlier) in operations.iter().enumerate().filter(|(other, _)| *other != place) {
                let in_session = earlier.session == later.session && earlier.id < later.id;
                let is_given = match given {
                    Given::Nothing => false,
                    Given::Sessions => in_session,
                    Given::RealTime => earlier.precedes(later) || in_session && earlier.is_confirmed(),
                    Given::Replaced => in_session || is_replaced(record, earlier, later),
                    Given::KnownTo(session) => {
                        let reads = later.session == session && is_seen(record, earlier, later);
                        in_session || reads || is_replaced(record, earlier, later)
                    }
                    Given::Causes => in_session || is_seen(record, earlier, later),
                };
                before[place] |= u32::from(is_given) << other;
            }
        }
        Self::closed(before)
    }

    /// What one part of the operation at this place knows of: what came before in its session, and by what it
    /// saw itself. What other parts of the same call saw says nothing about it.
    pub(super) fn known_to(
        &self,
        record: &Record<'_>,
        operations: &[&Operation],
        place: usize,
        part: &Part<'_>,
    ) -> u32 {
        let later = operations[place];
        let mut known = 0;
        for (other, earlier) in operations.iter().enumerate().filter(|(other, _)| *other != place) {
            let in_session = earlier.session == later.session && earlier.id < later.id;
            let is_change = earlier.call.micro_ops().iter().any(|micro_op| !micro_op.is_read());
            if in_session || is_change && sees(record, earlier, part) {
                known |= self.before[other] | 1 << other;
            }
        }
        known
    }

    /// Who saw what whom did, and what was given.
    pub(super) fn with_reads(record: &Record<'_>, operations: &[&Operation], given: Given) -> Self {
        let mut relation = Self::new(record, operations, given);
        for (place, later) in operations.iter().enumerate() {
            for (other, earlier) in operations.iter().enumerate().filter(|(other, _)| *other != place) {
                relation.before[place] |= u32::from(is_seen(record, earlier, later)) << other;
            }
        }
        relation
    }

    pub(super) fn is_closed_cyclic(&self) -> bool {
        Self::closed(self.before.clone()).is_cyclic
    }

    pub(super) fn closed(mut before: Vec<u32>) -> Self {
        for _ in 0..before.len() {
            for place in 0..before.len() {
                let through = (0..before.len()).filter(|other| before[place] & (1 << other) != 0);
                let more = through.fold(0, |more, other| more | before[other]);
                before[place] |= more;
            }
        }
        let is_cyclic = before.iter().enumerate().any(|(place, before)| before & (1 << place) != 0);
        Self { before, is_cyclic }
    }
}

/// True if the later is a compare-and-set of what only the earlier can have made.
fn is_replaced(record: &Record<'_>, earlier: &Operation, later: &Operation) -> bool {
    matches!(later.call.micro_ops(), [MicroOp::CompareAndSet { .. }]) && is_seen(record, earlier, later)
}

/// True if the later saw what only the earlier can have made.
fn is_seen(record: &Record<'_>, earlier: &Operation, later: &Operation) -> bool {
    let mut parts = (0..later.call.micro_ops().len()).map(|index| Part { operation: later, index });
    let is_change = earlier.call.micro_ops().iter().any(|micro_op| !matches!(micro_op, MicroOp::Read { .. }));
    is_change && parts.any(|part| sees(record, earlier, &part))
}

fn sees(record: &Record<'_>, earlier: &Operation, part: &Part<'_>) -> bool {
    let (key, Some(found)) = (part.asked().key(), part.found()) else { return false };
    // What it wrote before it looked is no news of others.
    let before = &part.operation.call.micro_ops()[..part.index];
    if before.iter().any(|other| other.key() == key && !other.is_read()) {
        return false;
    }
    let by_earlier = |value| record.maker(key, value).is_some_and(|maker| maker.id() == earlier.id);
    match record.shape(key) {
        Shape::List | Shape::Set => {
            part.asked().is_read()
                && found.values.iter().filter_map(histories::Value::as_list).flatten().any(by_earlier)
        }
        Shape::Register | Shape::Queue | Shape::Stack => found.values.iter().any(by_earlier),
        Shape::Counter | Shape::Mixed => false,
    }
}
