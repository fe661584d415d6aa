//! Versions of a register, each known by its value: what a transaction found, what it left, and which of
//! two comes first.
//!
//! ```text
//!   read x → 1, write x 2, write x 3        found 1, left 3; 2 is seen by nobody who may see it
//! ```
//!
//! A value stands for a version only if one call alone can have written it. Source: Kingsbury & Alvaro,
//! Elle, VLDB 2020, §5.2.

use histories::{Key, MicroOp, Operation, Value};

use crate::document::{Known, VersionStep};
use crate::edge::Promise;
use crate::record::{Part, Record};

/// The version that others see of what the operation wrote to the key.
pub(crate) fn left<'h>(record: &Record<'h>, operation: &'h Operation, key: &Key) -> Option<&'h Value> {
    let parts = record.parts(operation, key);
    let value = parts.iter().rev().find_map(Part::brings)?;
    (operation.is_possible() && record.maker(key, value).is_some()).then_some(value)
}

/// The version of others that the operation found: the inner none if nothing was there, the outer if that
/// is not known.
pub(crate) fn found<'h>(
    record: &Record<'h>,
    operation: &'h Operation,
    key: &Key,
) -> Option<Option<&'h Value>> {
    let first = record.parts(operation, key).first().copied()?;
    let found = record.value(key, first.found().filter(|_| operation.is_confirmed())?)?;
    match found {
        None => record
            .possible(key, |micro_op| matches!(micro_op, MicroOp::Delete { .. }))
            .is_empty()
            .then_some(None),
        Some(value) => {
            let maker = record.maker(key, value)?;
            (maker.id() != operation.id && left(record, maker.operation, key) == Some(value))
                .then_some(Some(value))
        }
    }
}

/// Why the one version comes before the other.
pub(crate) fn step(
    record: &Record<'_>,
    key: &Key,
    before: Option<&Value>,
    after: Option<&Value>,
    promise: Promise,
) -> Option<VersionStep> {
    if before == after {
        return None;
    }
    let known = known(record, key, before, after, promise)?;
    Some(VersionStep { before: before.cloned(), after: after.cloned(), known })
}

fn known(
    record: &Record<'_>,
    key: &Key,
    before: Option<&Value>,
    after: Option<&Value>,
    promise: Promise,
) -> Option<Known> {
    if before.is_none() {
        return Some(Known::Start {});
    }
    if promise >= Promise::Transactions
        && let Some(after) = after
    {
        let writer = record.maker(key, after)?.operation;
        if found(record, writer, key).is_some_and(|found| found == before) {
            return Some(Known::Replaced { operation: writer.id });
        }
    }
    if promise < Promise::Sessions {
        return None;
    }
    let touches = touches(record, key);
    let is_last = |operation: &&&Operation| {
        left(record, operation, key).map(Some).or_else(|| found(record, operation, key)) == Some(before)
    };
    let is_first = |operation: &&&Operation| {
        found(record, operation, key).or_else(|| left(record, operation, key).map(Some)) == Some(after)
    };
    let seconds: Vec<&Operation> = touches.iter().filter(is_first).copied().collect();
    let firsts = touches.iter().filter(|operation| operation.is_confirmed()).filter(is_last);
    let mut pairs = firsts.flat_map(|one| seconds.iter().map(move |other| (*one, *other)));
    pairs.find_map(|(one, other)| {
        let (first, second) = (one.id, other.id);
        let in_session = one.session == other.session && first < second;
        let in_time = promise == Promise::RealTime && one.precedes(other);
        match (in_session, in_time) {
            (true, _) => Some(Known::Session { first, second }),
            (false, true) => Some(Known::Time { first, second }),
            (false, false) => None,
        }
    })
}

fn touches<'h>(record: &Record<'h>, key: &Key) -> Vec<&'h Operation> {
    let mut touches: Vec<&Operation> = record.on(key).iter().map(|part| part.operation).collect();
    touches.dedup_by_key(|operation| operation.id);
    touches.retain(|operation| record.happened(operation));
    touches
}
