//! Values and elements one by one: written by nobody, by a failed call, too late, too seldom; gone; given twice.
//!
//! ```text
//!   read x → 5, and nobody writes 5                unwritten
//!   read x → 5, and the write of 5 failed          failed-write
//!   read x → 5, and then somebody asks for it      too-early
//!   read l → [5 5], and 5 was appended once        twice
//!   add s 5 → OK, read s → [4]                     missing
//!   put q 5 → OK, take q → nothing                 left
//! ```
//!
//! The first value of the read, in its order, that shows it is the one that is stated.

use histories::{Key, MicroOp, Observed, OperationId, Value};

use crate::document::Claim;
use crate::flaw::demand;
use crate::guarantee::{by_paper, is_committed, is_level};
use crate::outline::{Single, named};
use crate::record::{Part, Record, Shape, brings};
use crate::{Derived, Flaw};

pub(crate) fn derive(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    match single.form {
        "unwritten" => unwritten(record, guarantee, single),
        "failed-write" => failed(record, guarantee, single),
        "too-early" => too_early(record, guarantee, single),
        "twice" => twice(record, guarantee, single),
        "missing" => missing(record, guarantee, single),
        "left" => left(record, guarantee, single),
        _ => same_name(record, guarantee, single),
    }
}

/// What a read shows, whole and in parts: each value, and the elements of a list.
fn shown<'h>(record: &Record<'h>, part: &Part<'h>, is_one_copy: bool) -> Vec<&'h Value> {
    let key = part.asked().key();
    let Some(observed) = part.found() else { return Vec::new() };
    let is_take = part.asked().observes() && !part.asked().is_read();
    let mut shown = Vec::new();
    for value in &observed.values {
        match value.as_list() {
            Some(elements) if !is_one_copy && !is_whole(record, key, value) => shown.extend(elements),
            // A 0 may stand for nothing, but not where it was taken from a queue.
            _ if is_take || record.value(key, observed) != Some(None) => shown.push(value),
            _ => {}
        }
    }
    shown
}

// A list is one value where lists are written as a whole and this one was.
fn is_whole(record: &Record<'_>, key: &Key, value: &Value) -> bool {
    record.on(key).iter().any(|part| part.brings() == Some(value))
}

/// Who may have brought it, alone or within a list.
fn sources<'h>(record: &Record<'h>, key: &Key, value: &Value) -> Vec<Part<'h>> {
    record.possible(key, |micro_op| carries(micro_op, value))
}

fn carries(micro_op: &MicroOp, value: &Value) -> bool {
    let has =
        |brought: &Value| brought == value || brought.as_list().is_some_and(|list| list.contains(value));
    brings(micro_op).is_some_and(has)
}

fn first_shown<'h>(
    record: &Record<'h>,
    guarantee: &str,
    single: &Single,
    is_wrong: impl Fn(&Part<'h>, &Value) -> bool,
) -> Result<(OperationId, &'h Value), Flaw> {
    let [operation] = single.told()?;
    // A single copy holds lists as they were stored; others may merge them.
    let is_one_copy = guarantee == "linearizable" && record.shape(&single.key) == Shape::Register;
    for part in record.parts(record.find(operation)?, &single.key) {
        if let Some(value) =
            shown(record, &part, is_one_copy).into_iter().find(|value| is_wrong(&part, value))
        {
            return Ok((operation, value));
        }
    }
    Err(Flaw::NotSo("everything that the read saw may have been there"))
}

fn name_of_nowhere(guarantee: &str) -> Option<&'static str> {
    match guarantee {
        "total-queue" => Some("unexpected-element"),
        "causal-consistency" | "causal-order" | "linearizable" | "no-made-up-values" => Some("thin-air-read"),
        _ => is_committed(guarantee).then_some("thin-air-read"),
    }
}

fn unwritten(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, name_of_nowhere(guarantee))?;
    let key = &single.key;
    demand(record.shape(key) != Shape::Counter, "what a counter shows is a sum")?;
    let nobody = |_: &Part<'_>, value: &Value| {
        sources(record, key, value).is_empty()
            && !record.on(key).iter().any(|part| carries(part.asked(), value))
    };
    let (operation, value) = first_shown(record, guarantee, single, nobody)?;
    let claim = Claim::Unwritten { operation, key: key.clone(), value: value.clone() };
    Ok(Derived { claim, operations: vec![operation], name })
}

fn failed(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = match guarantee {
        "no-made-up-values" => Some("aborted-read"),
        _ => by_paper(guarantee, "G1a", "aborted-read").or_else(|| name_of_nowhere(guarantee)),
    };
    let name = named(single, guarantee, name)?;
    let key = &single.key;
    let who = |value: &Value| record.on(key).iter().find(|part| carries(part.asked(), value)).copied();
    let only_failed =
        |_: &Part<'_>, value: &Value| sources(record, key, value).is_empty() && who(value).is_some();
    let (operation, value) = first_shown(record, guarantee, single, only_failed)?;
    let writer = who(value).map(|part| part.id()).ok_or(Flaw::Operations)?;
    let claim = Claim::FailedWrite { operation, key: key.clone(), value: value.clone(), writer };
    Ok(Derived { claim, operations: vec![operation, writer], name })
}

fn too_early(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = match guarantee {
        "no-made-up-values" => Some("future-read"),
        "total-queue" => Some("unexpected-element"),
        "linearizable" => Some("read-from-the-future"),
        _ => None,
    };
    let name = named(single, guarantee, name)?;
    let key = &single.key;
    let too_late = |reader: &Part<'_>, value: &Value| {
        let sources = sources(record, key, value);
        let is_late = |part: &Part<'_>| match part.id() == reader.id() {
            true => part.index > reader.index,
            false => reader.operation.precedes(part.operation),
        };
        !sources.is_empty() && sources.iter().all(is_late)
    };
    let (operation, value) = first_shown(record, guarantee, single, too_late)?;
    let writers: Vec<OperationId> = ids(&sources(record, key, value));
    let operations = [&[operation], writers.as_slice()].concat();
    let claim = Claim::TooEarly { operation, key: key.clone(), value: value.clone(), writers };
    Ok(Derived { claim, operations, name })
}

fn ids(parts: &[Part<'_>]) -> Vec<OperationId> {
    parts.iter().map(Part::id).collect()
}

fn twice(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = match guarantee {
        "linearizable" | "no-made-up-values" | "set-full" | "total-queue" => Some("duplicate-elements"),
        _ if is_level(guarantee) => Some("duplicate-elements"),
        _ => None,
    };
    let name = named(single, guarantee, name)?;
    let key = &single.key;
    let [first] = single.told()?;
    let sighted = |value: &Value| -> Vec<OperationId> {
        let mut counts: Vec<(Part<'_>, usize)> = Vec::new();
        for (part, observed) in record.reads(key) {
            let lists = observed.values.iter().filter_map(Value::as_list);
            let count = match part.asked().is_read() {
                true => lists.flatten().filter(|element| *element == value).count(),
                false => observed.values.iter().filter(|taken| *taken == value).count(),
            };
            counts.push((part, count));
        }
        // Of takes all together, of reads one alone.
        let takes = counts.iter().filter(|(part, count)| !part.asked().is_read() && *count > 0);
        let takes: Vec<OperationId> = takes.map(|(part, _)| part.id()).collect();
        let reads = counts.iter().filter(|(part, _)| part.asked().is_read() && part.id() == first);
        let read = reads.max_by_key(|(_, count)| *count);
        match read {
            Some((part, count)) => vec![part.id(); *count],
            None => takes,
        }
    };
    let operation = record.find(first)?;
    let mut values: Vec<&Value> =
        record.parts(operation, key).iter().flat_map(|part| shown(record, part, false)).collect();
    values.retain(|value| single.value.as_ref().is_none_or(|stated| stated == *value));
    let is_twice = |value: &&Value| {
        let written = sources(record, key, value).len();
        written > 0 && sighted(value).len() > written
    };
    let value = values.into_iter().find(is_twice);
    let value = value.ok_or(Flaw::NotSo("nothing was seen more often than it was written"))?;
    let (written, seen) = (ids(&sources(record, key, value)), sighted(value));
    demand(seen.first() == Some(&first), "somebody else saw it first")?;
    let operations = [written.as_slice(), seen.as_slice()].concat();
    let claim = Claim::Twice { key: key.clone(), value: value.clone(), written, seen };
    Ok(Derived { claim, operations, name })
}

// Known since a confirmed add, or since a read had it; in no read that ended after the one without it began.
fn missing(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "set-full").then_some("lost-element"))?;
    let (key, [read]) = (&single.key, single.told()?);
    let value = single.value.as_ref().ok_or(Flaw::Operations)?;
    let reader = record.find(read)?;
    let takes_away = |micro_op: &MicroOp| match micro_op {
        MicroOp::Remove { element, .. } => element == value,
        MicroOp::Write { .. } | MicroOp::CompareAndSet { .. } | MicroOp::Delete { .. } => true,
        _ => false,
    };
    demand(record.possible(key, takes_away).is_empty(), "somebody may have taken the element out")?;
    let adder = record.maker(key, value).ok_or(Flaw::NotSo("not one call alone added the element"))?;
    let has =
        |observed: &Observed| observed.values.iter().filter_map(Value::as_list).flatten().any(|v| v == value);
    let parts = record.parts(reader, key);
    let mut seen = parts.iter().filter_map(Part::observed).peekable();
    demand(seen.peek().is_some() && !seen.any(has), "the read has the element")?;
    let confirmed = adder.operation.is_confirmed().then_some((adder.operation.completed, adder.id()));
    let sightings = record.reads(key).filter(|(_, observed)| has(observed));
    let sightings: Vec<_> = sightings.map(|(part, _)| (part.operation.completed, part.id())).collect();
    let known = sightings.iter().copied().chain(confirmed).min();
    let (since, known) = known.ok_or(Flaw::NotSo("nobody knows that the element was there"))?;
    demand(since < Some(reader.invoked), "it was not known that the element was there")?;
    let is_over = sightings.iter().all(|(end, _)| *end < Some(reader.invoked));
    demand(is_over, "another read has the element later")?;
    let (writer, key, value) = (adder.id(), key.clone(), value.clone());
    let operations = vec![writer, known, read];
    Ok(Derived { claim: Claim::Missing { key, value, writer, known, read }, operations, name })
}

fn left(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "total-queue").then_some("lost-element"))?;
    let (key, [empty]) = (&single.key, single.told()?);
    let taker = record.find(empty)?;
    let whole = |micro_op: &MicroOp| {
        matches!(micro_op, MicroOp::Write { .. } | MicroOp::CompareAndSet { .. } | MicroOp::Delete { .. })
    };
    demand(record.possible(key, whole).is_empty(), "the whole may have been replaced")?;
    let finds_nothing =
        |part: &Part<'_>| !part.asked().is_read() && part.observed().is_some_and(Observed::is_absent);
    demand(record.parts(taker, key).iter().any(finds_nothing), "it did not find it empty")?;
    let is_take = |micro_op: &MicroOp| micro_op.observes() && !micro_op.is_read();
    let unknown = record.possible(key, is_take).iter().filter(|part| !part.operation.is_confirmed()).count();
    let mut values: Vec<&Value> = Vec::new();
    for put in record.on(key).iter().filter_map(Part::brings) {
        let puts = record.makers(key, put);
        let before = puts.iter().filter(|part| part.operation.precedes(taker)).count();
        let takes = record.reads(key).filter(|(_, observed)| observed.values.contains(put)).count();
        let confirmed = puts.iter().filter(|part| part.operation.is_confirmed()).count();
        if before > takes && confirmed > takes && !values.contains(&put) {
            values.push(put);
        }
    }
    demand(values.len() > unknown, "every element may have been taken")?;
    values.truncate(unknown + 1);
    let mut operations: Vec<OperationId> =
        values.iter().flat_map(|value| ids(&record.makers(key, value))).collect();
    operations.push(empty);
    let values = values.into_iter().cloned().collect();
    Ok(Derived { claim: Claim::Left { key: key.clone(), values, empty }, operations, name })
}

fn same_name(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "unique-ids").then_some("duplicate-id"))?;
    let (key, [one, other]) = (&single.key, single.told()?);
    demand(one <= other, "the later one is named first")?;
    let [first, second] = [record.find(one)?, record.find(other)?].map(|of| record.parts(of, key));
    let is_put_in = |micro_op: &MicroOp| brings(micro_op).is_some();
    let is_source = record.possible(key, is_put_in).is_empty();
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
    let mut pairs = pairs.filter(|(a, b)| (a.id(), a.index) < (b.id(), b.index));
    let given = pairs.find_map(|(a, b)| {
        let id = |part: &Part<'_>| part.observed().and_then(Observed::single).cloned();
        let version = |part: &Part<'_>| {
            let version = part.reply()?.version.as_ref()?;
            Some(Value::from(version.as_str()))
        };
        let is_id = is_source && !a.asked().is_read() && id(a).is_some() && id(a) == id(b);
        let differ = a.brings().is_some() && b.brings().is_some() && a.brings() != b.brings();
        let is_version = differ && version(a).is_some() && version(a) == version(b);
        if is_id { id(a) } else { is_version.then(|| version(a)).flatten() }
    });
    let given = given.ok_or(Flaw::NotSo("the two were not given one name"))?;
    let claim = Claim::SameName { key: key.clone(), one, other, name: given };
    Ok(Derived { claim, operations: vec![one, other], name })
}
