//! Numbers: counters between bounds, totals of accounts, counters that only grow.
//!
//! ```text
//!   +1 ok   +5 unknown    read → 9        more than 6: out-of-bounds
//!   a and b hold 20       read → 5, 10    15 in all: wrong-total
//!   read → 2, read → 1                    in one session, and nobody takes away: went-back
//! ```

use histories::{Key, MicroOp, Observed, Operation, OperationId, Phase, Value};
use rustc_hash::FxHashMap;

use crate::document::Claim;
use crate::flaw::demand;
use crate::outline::{Single, named};
use crate::record::{Part, Record, Shape};
use crate::{Derived, Flaw};

pub(crate) fn derive(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    match single.form {
        "out-of-bounds" => out_of_bounds(record, guarantee, single),
        "wrong-total" => wrong_total(record, guarantee, single),
        _ => went_back(record, guarantee, single),
    }
}

fn number(observed: &Observed) -> Option<i128> {
    match observed.values.as_slice() {
        [] => Some(0),
        [Value::Integer(number)] => Some(i128::from(*number)),
        _ => None,
    }
}

fn whole(number: i128) -> Result<i64, Flaw> {
    i64::try_from(number).map_err(|_| Flaw::NotSo("the sum does not fit 64 bits"))
}

fn out_of_bounds(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = match guarantee {
        "no-made-up-values" => Some("counter-out-of-bounds"),
        "no-lost-updates" => Some("lost-update"),
        _ => None,
    };
    let name = named(single, guarantee, name)?;
    let (key, [operation]) = (&single.key, single.told()?);
    demand(record.shape(key) == Shape::Counter, "that is no counter")?;
    let is_other = |micro_op: &MicroOp| !matches!(micro_op, MicroOp::Increment { .. } | MicroOp::Read { .. });
    demand(record.possible(key, is_other).is_empty(), "the counter was also changed otherwise")?;
    let reader = record.find(operation)?;
    let is_end = guarantee == "no-lost-updates";
    if is_end {
        end_is_known(record, key, reader)?;
    }
    let (low, high) = bounds(record, key, reader, is_end);
    let parts = record.parts(reader, key);
    let mut values = parts.iter().filter_map(|part| number(part.observed()?));
    let value = values.find(|value| !(low..=high).contains(value));
    let value = value.ok_or(Flaw::NotSo("the calls may add up to what was read"))?;
    let (value, low, high) = (whole(value)?, whole(low)?, whole(high)?);
    let claim = Claim::OutOfBounds { key: key.clone(), operation, value, low, high };
    Ok(Derived { claim, operations: vec![operation], name })
}

/// What may have been added when this read ended; at the end, all that was confirmed before must have been.
fn bounds(record: &Record<'_>, key: &Key, reader: &Operation, is_end: bool) -> (i128, i128) {
    let (mut low, mut high) = (0, 0);
    for part in record.on(key) {
        let MicroOp::Increment { by, .. } = part.asked() else { continue };
        let (by, operation) = (i128::from(*by), part.operation);
        let may_count = operation.is_possible() && Some(operation.invoked) <= reader.completed;
        if is_end && operation.precedes(reader) {
            (low, high) = (low + by, high + by);
        } else if may_count {
            (low, high) = (low + by.min(0), high + by.max(0));
        }
    }
    (low, high)
}

/// Every node has a final read of the counter, and all found the same.
fn end_is_known(record: &Record<'_>, key: &Key, reader: &Operation) -> Result<(), Flaw> {
    demand(reader.phase == Phase::FinalReads, "that is no final read")?;
    let finals = record.reads(key).filter(|(part, _)| part.operation.phase == Phase::FinalReads);
    let finals: Vec<(Part<'_>, i128)> =
        finals.filter_map(|(part, observed)| Some((part, number(observed)?))).collect();
    let is_read = |node| finals.iter().any(|(part, _)| part.operation.node.as_ref() == Some(node));
    demand(record.history.nodes().iter().all(is_read), "some node was not read at the end")?;
    let same = finals.iter().all(|(_, value)| *value == finals[0].1);
    demand(same, "the final reads do not agree")
}

fn wrong_total(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "bank-totals").then_some("wrong-total"))?;
    let [operation, right] = single.told()?;
    let (reader, other) = (record.find(operation)?, record.find(right)?);
    let accounts = totals(reader).ok_or(Flaw::NotSo("that is no read of several numbers at once"))?;
    demand(accounts.contains_key(&single.key), "the account was not read")?;
    let found: i128 = accounts.values().sum();
    let mut openers = Vec::new();
    for changer in record.history.operations().iter().filter(|operation| operation.is_possible()) {
        match effect(changer, &accounts) {
            Effect::Kept => {}
            Effect::Opened(sum) => openers.push((changer.id, sum)),
            Effect::Changed => return Err(Flaw::NotSo("a call may have changed the total")),
        }
    }
    let expected = match (openers.as_slice(), totals(other)) {
        ([(opener, sum)], _) if *opener == right => {
            // Before they were opened, nothing is there.
            demand(other.precedes(reader) || found != 0, "the accounts were not open yet")?;
            *sum
        }
        ([], Some(totals)) if totals.keys().eq(accounts.keys()) => totals.values().sum(),
        _ => return Err(Flaw::NotSo("it does not say what the total should be")),
    };
    demand(found != expected, "the total is right")?;
    let mut keys: Vec<Key> = accounts.keys().map(|key| (*key).clone()).collect();
    keys.sort_unstable();
    let (found, expected) = (whole(found)?, whole(expected)?);
    let claim = Claim::WrongTotal { keys, operation, found, right, expected };
    Ok(Derived { claim, operations: vec![operation, right], name })
}

type Totals<'h> = std::collections::BTreeMap<&'h Key, i128>;

/// What a read-only transaction found of several numbers.
fn totals(operation: &Operation) -> Option<Totals<'_>> {
    let found =
        operation.steps().map(|(micro_op, reply)| Some((micro_op.key(), number(reply?.observed.as_ref()?)?)));
    let found: Totals<'_> = found.collect::<Option<_>>()?;
    (operation.is_confirmed() && operation.call.is_read_only() && found.len() > 1).then_some(found)
}

enum Effect {
    Kept,
    Opened(i128),
    Changed,
}

fn effect(operation: &Operation, accounts: &Totals<'_>) -> Effect {
    let (mut sum, mut written, mut is_known) = (0, Vec::new(), true);
    let mut had: FxHashMap<&Key, i128> = FxHashMap::default();
    for (micro_op, reply) in operation.steps().filter(|(micro_op, _)| accounts.contains_key(micro_op.key())) {
        let key = micro_op.key();
        match micro_op {
            MicroOp::Read { .. } => {
                let found = reply.and_then(|reply| number(reply.observed.as_ref()?));
                had.extend(found.map(|found| (key, found)));
            }
            MicroOp::Increment { by, .. } => sum += i128::from(*by),
            MicroOp::Write { value: Value::Integer(new), .. } => {
                written.push(key);
                let old = had.insert(key, i128::from(*new));
                is_known &= old.is_some();
                sum += i128::from(*new) - old.unwrap_or_default();
            }
            MicroOp::CompareAndSet { expected, value: Value::Integer(new), .. } => match number(expected) {
                Some(old) => sum += i128::from(*new) - old,
                None => return Effect::Changed,
            },
            _ => return Effect::Changed,
        }
    }
    written.sort_unstable();
    written.dedup();
    match is_known {
        true if sum == 0 => Effect::Kept,
        false if written.len() == accounts.len() => Effect::Opened(sum),
        _ => Effect::Changed,
    }
}

fn went_back(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = (guarantee == "monotonic-values").then_some("value-goes-back");
    let name = named(single, guarantee, name)?;
    let (key, [before, after]) = (&single.key, single.told()?);
    let grows = |micro_op: &MicroOp| match micro_op {
        MicroOp::Read { .. } => true,
        MicroOp::Increment { by, .. } => *by >= 0,
        _ => false,
    };
    demand(record.possible(key, |micro_op| !grows(micro_op)).is_empty(), "the counter may become less")?;
    demand(record.shape(key) == Shape::Counter, "that is no counter")?;
    let (first, second) = (record.find(before)?, record.find(after)?);
    demand(first.session == second.session && before <= after, "no session read the one after the other")?;
    let seen = |operation| -> Vec<(OperationId, usize, i128)> {
        let parts: Vec<Part<'_>> = record.parts(operation, key);
        let numbers =
            parts.iter().filter_map(|part| Some((part.id(), part.index, number(part.observed()?)?)));
        numbers.collect()
    };
    let (these, those) = (seen(first), seen(second));
    let fell = these.iter().any(|(id, index, value)| {
        those.iter().any(|(other, place, later)| (id, index) < (other, place) && later < value)
    });
    demand(fell, "the counter did not become less")?;
    let claim = Claim::WentBack { key: key.clone(), before, after };
    Ok(Derived { claim, operations: vec![before, after], name })
}
