//! What single transactions, or two of them, show without a cycle.
//!
//! ```text
//!   read x → 5, and its writer went on to write 6           intermediate
//!   read x → 5 on top of what a failed call appended        dirty-update
//!   write x 5, read x → 4                                   internal
//!   append l 1, append l 2, and somebody reads l → [1 3 2]  torn
//!   read l → [1 2], read l → [1 3]                          incompatible
//!   two read x → 5 and write it                             lost-update
//!   read 1 write 2, read 2 write 1                          version-cycle
//! ```

use histories::{Key, MicroOp, Operation, OperationId, Value};

use crate::document::{Claim, Known, VersionStep};
use crate::edge::Promise;
use crate::flaw::demand;
use crate::guarantee::{self, is_atomic, is_committed, is_repeatable, is_update_safe};
use crate::outline::{Single, named};
use crate::record::{Part, Record, Shape, list};
use crate::{Derived, Flaw, version};

pub(crate) fn derive(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    if !guarantee::is_level(guarantee) && single.form != "incompatible" {
        return Err(single.no_form(guarantee));
    }
    match single.form {
        "intermediate" => intermediate(record, guarantee, single),
        "dirty-update" => dirty_update(record, guarantee, single),
        "internal" => internal(record, guarantee, single),
        "torn" => torn(record, guarantee, single),
        "incompatible" => incompatible(record, guarantee, single),
        "lost-update" => lost_update(record, guarantee, single),
        "version-cycle" => version_cycle(record, guarantee, single),
        _ => Err(single.no_form(guarantee)),
    }
}

fn when(holds: bool, name: &'static str) -> Option<&'static str> {
    holds.then_some(name)
}

/// The value that a part shows others have left: that of a register, or the last element of a list.
fn last_seen<'h>(record: &Record<'h>, part: &Part<'h>) -> Option<&'h Value> {
    let (key, observed) = (part.asked().key(), part.found()?);
    match record.shape(key) {
        Shape::List => list(observed)?.last(),
        Shape::Register => record.value(key, observed)?,
        _ => None,
    }
}

fn intermediate(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, guarantee::by_paper(guarantee, "G1b", "intermediate-read"))?;
    let (key, [operation]) = (&single.key, single.told()?);
    let reader = record.find(operation)?;
    demand(reader.is_confirmed(), "the reader was not confirmed")?;
    let found = record.parts(reader, key).into_iter().find_map(|part| {
        let value = last_seen(record, &part)?;
        let maker = record.maker(key, value).filter(|maker| maker.id() != operation)?;
        let later = record.parts(maker.operation, key).into_iter().filter(|part| part.index > maker.index);
        let after = later.into_iter().find_map(|part| part.brings())?;
        Some((value, maker.id(), after))
    });
    let (value, writer, after) = found.ok_or(Flaw::NotSo("its writer did not write again"))?;
    let (key, value, after) = (key.clone(), value.clone(), after.clone());
    let claim = Claim::Intermediate { operation, key, value, writer, after };
    Ok(Derived { claim, operations: vec![operation, writer], name })
}

fn dirty_update(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, when(is_committed(guarantee), "dirty-update"))?;
    let (key, [later, writer]) = (&single.key, single.told()?);
    let (second, first) = (record.find(later)?, record.find(writer)?);
    demand(second.is_confirmed() && first.outcome.is_failed(), "not a confirmed call after a failed one")?;
    let brought = |operation| {
        let parts: Vec<Part<'_>> = record.parts(operation, key);
        parts.into_iter().filter_map(|part| part.brings()).collect::<Vec<&Value>>()
    };
    let (failed, made) = (brought(first), brought(second));
    let only = |value: &&&Value| record.makers(key, value).is_empty();
    let found = record.reads(key).find_map(|(part, observed)| {
        let seen = list(observed)?;
        let place = |value: &Value| seen.iter().position(|element| element == value);
        let pairs =
            failed.iter().filter(only).flat_map(|value| made.iter().map(move |after| (*value, *after)));
        let is_on_top =
            |(value, after): &(&Value, &Value)| place(value).zip(place(after)).is_some_and(|(a, b)| a < b);
        pairs.into_iter().find(is_on_top).map(|(value, after)| (part.id(), value, after))
    });
    let (operation, value, after) = found.ok_or(Flaw::NotSo("no read shows the one on top of the other"))?;
    let (key, value, after) = (key.clone(), value.clone(), after.clone());
    let claim = Claim::DirtyUpdate { operation, key, value, writer, after, later };
    Ok(Derived { claim, operations: vec![operation, writer, later], name })
}

/// What a transaction knows of a key as it goes on.
#[derive(Default)]
struct View<'h> {
    /// What it saw last: of a register the value, of a list all of it.
    base: Option<Vec<&'h Value>>,
    /// What it wrote since.
    own: Vec<&'h Value>,
}

fn internal(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let (key, [operation]) = (&single.key, single.told()?);
    let reader = record.find(operation)?;
    demand(reader.is_confirmed(), "the transaction was not confirmed")?;
    let shape = record.shape(key);
    demand(matches!(shape, Shape::List | Shape::Register), "that is neither a list nor a register")?;
    let parts = record.parts(reader, key);
    let mut view = View::default();
    for part in &parts {
        if let Some(seen) = whole(record, part, shape) {
            let own_later = parts.iter().filter(|later| later.index > part.index).filter_map(Part::brings);
            let mut own_later = own_later.filter(|value| record.maker(key, value).is_some());
            if own_later.any(|value| seen.contains(&value)) {
                let name = named(single, guarantee, when(is_committed(guarantee), "future-read"))?;
                return Ok(contradiction(operation, key, part.index, name));
            }
            if !view.explains(&seen, shape) {
                let is_skew = view.own.is_empty()
                    && shape == Shape::Register
                    && is_skew(record, key, &view, &seen, operation);
                let name = match is_skew {
                    true => when(is_repeatable(guarantee), "non-repeatable-read"),
                    false => when(is_atomic(guarantee), "internal"),
                };
                return Ok(contradiction(operation, key, part.index, named(single, guarantee, name)?));
            }
            view = View { base: Some(seen), own: Vec::new() };
        }
        match (part.brings(), shape) {
            (Some(value), Shape::List) => view.own.push(value),
            (Some(value), _) => view.own = vec![value],
            (None, _) => {}
        }
    }
    Err(Flaw::NotSo("the transaction agrees with itself"))
}

fn contradiction(operation: OperationId, key: &Key, part: usize, name: String) -> Derived {
    let claim = Claim::Internal { operation, key: key.clone(), part };
    Derived { claim, operations: vec![operation], name }
}

/// All that a part saw: of a register the one value, or nothing.
fn whole<'h>(record: &Record<'h>, part: &Part<'h>, shape: Shape) -> Option<Vec<&'h Value>> {
    let observed = part.found()?;
    match shape {
        Shape::List => Some(list(observed)?.iter().collect()),
        _ => Some(record.value(part.asked().key(), observed)?.into_iter().collect()),
    }
}

// Two versions that others wrote, or one of them and nothing.
fn is_skew(record: &Record<'_>, key: &Key, view: &View<'_>, seen: &[&Value], reader: OperationId) -> bool {
    let is_of_others = |values: &[&Value]| {
        values.iter().all(|value| {
            let makers = record.makers(key, value);
            !makers.is_empty() && makers.iter().all(|maker| maker.id() != reader)
        })
    };
    view.base.as_ref().is_some_and(|base| is_of_others(base)) && is_of_others(seen)
}

impl View<'_> {
    fn explains(&self, seen: &[&Value], shape: Shape) -> bool {
        if shape == Shape::Register {
            return match (self.own.last(), &self.base) {
                (Some(own), _) => seen == [*own],
                (None, Some(base)) => seen == base.as_slice(),
                (None, None) => true,
            };
        }
        let Some(before) = seen.len().checked_sub(self.own.len()) else { return false };
        seen[before..] == self.own && self.base.as_ref().is_none_or(|base| seen[..before] == *base)
    }
}

fn torn(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, when(is_atomic(guarantee), "internal"))?;
    let (key, [operation]) = (&single.key, single.told()?);
    let parts = record.parts(record.find(operation)?, key);
    let found = parts.iter().filter_map(|part| list(part.observed()?)).find_map(|seen| {
        seen.iter().enumerate().find_map(|(place, element)| {
            let maker = record.maker(key, element)?;
            let own = record.parts(maker.operation, key);
            let next = own.iter().find(|part| part.index > maker.index);
            let behind = seen.get(place + 1);
            let is_other = |second: &&Value| behind.is_some_and(|behind| behind != *second);
            if let Some(second) = next.and_then(Part::brings).filter(is_other) {
                return Some((maker.id(), element.clone(), behind.cloned(), second.clone()));
            }
            let before = own.iter().rev().find(|part| part.index < maker.index)?;
            let first = before.brings().filter(|first| !seen.contains(first))?;
            Some((maker.id(), first.clone(), None, element.clone()))
        })
    });
    let (writer, first, then, second) =
        found.ok_or(Flaw::NotSo("the list keeps together what was appended in a row"))?;
    let claim = Claim::Torn { operation, key: key.clone(), writer, first, then, second };
    Ok(Derived { claim, operations: vec![operation, writer], name })
}

fn incompatible(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = match guarantee {
        // One copy grows to one list.
        "linearizable" | "sequential" => Some("no-legal-order"),
        _ => when(is_committed(guarantee), "incompatible-order"),
    };
    let name = named(single, guarantee, name)?;
    let (key, [one, other]) = (&single.key, single.told()?);
    demand(record.shape(key) == Shape::List, "that is no list that only grows")?;
    demand(one <= other, "the later read is named first")?;
    let [first, second] = [record.find(one)?, record.find(other)?].map(|of| record.parts(of, key));
    let lists = |parts: &[Part<'_>]| -> Vec<Vec<Value>> {
        parts.iter().filter_map(|part| list(part.observed()?)).map(<[Value]>::to_vec).collect()
    };
    let (these, those) = (lists(&first), lists(&second));
    let differ = |a: &[Value], b: &[Value]| a.iter().zip(b).position(|(a, b)| a != b);
    let mut pairs = these.iter().flat_map(|a| those.iter().map(move |b| (a, b)));
    let place = pairs.find_map(|(a, b)| differ(a, b));
    let place = place.ok_or(Flaw::NotSo("the one list is the beginning of the other"))?;
    let claim = Claim::Incompatible { key: key.clone(), one, other, place };
    Ok(Derived { claim, operations: vec![one, other], name })
}

/// What a transaction read of a key before it changed it: a value, or a whole list.
fn base<'h>(record: &Record<'h>, operation: &'h Operation, key: &Key) -> Option<Vec<&'h Value>> {
    let shape = record.shape(key);
    let parts = record.parts(operation, key);
    let first = parts.first()?;
    let replaces =
        parts.iter().any(|part| part.brings().is_some_and(|value| record.maker(key, value).is_some()));
    let is_sure = operation.is_confirmed() && replaces;
    let is_known = match shape {
        Shape::List => true,
        Shape::Register => version::found(record, operation, key).is_some(),
        _ => false,
    };
    whole(record, first, shape).filter(|_| is_sure && is_known)
}

fn lost_update(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, when(is_update_safe(guarantee), "lost-update"))?;
    let (key, [one, other]) = (&single.key, single.told()?);
    demand(one < other, "the later one is named first")?;
    let [first, second] = [record.find(one)?, record.find(other)?].map(|of| base(record, of, key));
    let version = first.ok_or(Flaw::NotSo("the first did not replace what it had read"))?;
    demand(second.as_ref() == Some(&version), "the two did not replace one version")?;
    let value = version.last().map(|value| (*value).clone());
    let claim = Claim::LostUpdate { key: key.clone(), one, other, value };
    Ok(Derived { claim, operations: vec![one, other], name })
}

fn version_cycle(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let level = guarantee::find(guarantee).filter(|level| is_committed(level.name));
    let promise = level.ok_or_else(|| single.no_form(guarantee))?.promise;
    let key = &single.key;
    let mut values: Vec<&Value> = Vec::new();
    let stated = single.value.as_ref().and_then(Value::as_list).unwrap_or_default();
    for value in stated {
        let maker = record.maker(key, value).ok_or(Flaw::NotSo("not one call alone wrote a version"))?;
        values.extend(version::left(record, maker.operation, key).filter(|left| !values.contains(left)));
    }
    for id in &single.operations {
        let left = version::left(record, record.find(*id)?, key);
        values.extend(left.filter(|left| !values.contains(left)));
    }
    demand(values.len() <= VERSIONS_MAX, "that are too many versions")?;
    values.sort_by_key(|value| record.maker(key, value).map(|maker| maker.id()));
    let versions: Vec<Option<&Value>> = std::iter::once(None).chain(values.into_iter().map(Some)).collect();
    let steps = shortest(record, key, &versions, promise).ok_or(Flaw::NoCircle)?;
    let has = |test: fn(&Known) -> bool| steps.iter().any(|step| test(&step.known));
    let name = match (
        has(|known| matches!(known, Known::Time { .. })),
        has(|known| matches!(known, Known::Session { .. })),
    ) {
        (true, _) => "cyclic-versions-realtime",
        (false, true) if promise == Promise::RealTime => "cyclic-versions-realtime",
        (false, true) => "cyclic-versions-process",
        (false, false) => "cyclic-versions",
    };
    let mut operations: Vec<OperationId> = Vec::new();
    for step in &steps {
        operations
            .extend(step.after.as_ref().and_then(|after| record.maker(key, after)).map(|maker| maker.id()));
        operations.extend(step.known.operations());
    }
    Ok(Derived { claim: Claim::VersionCycle { key: key.clone(), steps }, operations, name: name.into() })
}

/// Versions of one circle.
const VERSIONS_MAX: usize = 8;

/// The shortest circle of these versions, from the one that was asked for first on.
fn shortest(
    record: &Record<'_>,
    key: &Key,
    values: &[Option<&Value>],
    promise: Promise,
) -> Option<Vec<VersionStep>> {
    let has_deletes = !record.possible(key, |micro_op| matches!(micro_op, MicroOp::Delete { .. })).is_empty();
    let step = |from: usize, to: usize| {
        let is_known = !has_deletes || values[from].is_some() && values[to].is_some();
        version::step(record, key, values[from], values[to], promise).filter(|_| is_known)
    };
    let mut best: Option<Vec<usize>> = None;
    for start in 0..values.len() {
        let mut ways: Vec<Vec<usize>> = vec![vec![start]];
        for _ in 0..values.len() {
            let closed = ways.iter().find(|way| step(way[way.len() - 1], start).is_some());
            if let Some(way) = closed {
                if best.as_ref().is_none_or(|best| way.len() < best.len()) {
                    best = Some(way.clone());
                }
                break;
            }
            let next = |way: &Vec<usize>| {
                let last = way[way.len() - 1];
                let on: Vec<usize> = (start + 1..values.len())
                    .filter(|to| !way.contains(to) && step(last, *to).is_some())
                    .collect();
                let way = way.clone();
                on.into_iter().map(move |to| [way.as_slice(), &[to]].concat())
            };
            ways = ways.iter().flat_map(next).collect();
        }
    }
    let way = best.filter(|way| way.len() > 1)?;
    (0..way.len()).map(|place| step(way[place], way[(place + 1) % way.len()])).collect()
}
