//! From what a checker says to a witness: looks for an outline that holds. Not a part of verifying.
//!
//! ```text
//!   edges of the finding            a cycle?
//!   operations, keys                any other form?           the first that holds and has the finding's name,
//!   operations and their sources    no order?                 else the first that holds
//! ```

use histories::{Key, MicroOp, OperationId, Value};

use crate::document::{Claim, Kind, VERSION, Witness};
use crate::orders::OPERATIONS_MAX;
use crate::outline::{Outline, Single};
use crate::record::{Part, Record, Shape};
use crate::{Flaw, Stated, identity, state};

/// What a checker says is wrong.
#[derive(Debug, Clone)]
pub struct Hint<'a> {
    /// The guarantee.
    pub guarantee: &'a str,
    /// What the checker calls it.
    pub anomaly: &'a str,
    /// The keys it is about.
    pub keys: &'a [Key],
    /// The operations that it shows.
    pub operations: &'a [OperationId],
    /// The dependencies that it shows.
    pub edges: &'a [(OperationId, OperationId, Kind)],
}

/// A witness for what the checker says; if there is none, one that says so.
pub fn prove(record: &Record<'_>, hint: &Hint<'_>) -> Witness {
    let mut other = None;
    let mut attempts = attempts(record, hint);
    for outline in attempts.by_ref() {
        match state(record, hint.guarantee, &outline) {
            Ok(witness) if witness.anomaly == hint.anomaly => return witness,
            Ok(witness) => other = other.or(Some(witness)),
            Err(_) => {}
        }
    }
    match no_order(record, hint) {
        Ok(witness) if witness.anomaly == hint.anomaly || other.is_none() => witness,
        Ok(_) => other.unwrap_or_else(|| not_verifiable(record, hint, &Flaw::Explained)),
        Err(flaw) => other.unwrap_or_else(|| not_verifiable(record, hint, &flaw)),
    }
}

fn attempts<'a>(record: &'a Record<'_>, hint: &'a Hint<'_>) -> impl Iterator<Item = Outline> + 'a {
    let cycle = (hint.edges.len() > 1).then(|| Outline::turned(hint.edges.to_vec()));
    let singles = hint.keys.iter().flat_map(move |key| singles(record, hint, key));
    cycle.into_iter().chain(singles)
}

fn singles(record: &Record<'_>, hint: &Hint<'_>, key: &Key) -> Vec<Outline> {
    let single = |form: &'static str, operations: Vec<OperationId>, value: Option<&Value>| {
        Outline::Single(Single { form, key: key.clone(), operations, value: value.cloned() })
    };
    let mut outlines = Vec::new();
    // What a checker shows last is what proves it.
    let last_first: Vec<OperationId> = hint.operations.iter().rev().copied().collect();
    for operation in &last_first {
        for form in [
            "failed-write",
            "unwritten",
            "too-early",
            "twice",
            "intermediate",
            "internal",
            "torn",
            "left",
            "out-of-bounds",
            "vanished",
        ] {
            outlines.push(single(form, vec![*operation], None));
        }
    }
    for one in hint.operations {
        for other in &last_first {
            for form in [
                "incompatible",
                "lost-update",
                "same-name",
                "disagree",
                "went-back",
                "dirty-update",
                "wrong-total",
            ] {
                outlines.push(single(form, vec![*one, *other], None));
            }
        }
    }
    for value in &brought(record, hint, key) {
        for read in &last_first {
            outlines.push(single("missing", vec![*read], Some(value)));
        }
        outlines.extend(returns(hint).map(|operations| single("came-back", operations, Some(value))));
    }
    outlines.push(single("version-cycle", hint.operations.to_vec(), None));
    outlines
}

/// A delete and the read that shows the value again, and the reads between them if there are any.
fn returns<'a>(hint: &'a Hint<'_>) -> impl Iterator<Item = Vec<OperationId>> + 'a {
    let pairs = hint.edges.iter().filter(|edge| edge.2 == Kind::Rt).map(|edge| (edge.0, edge.1));
    pairs.flat_map(|(removal, read)| {
        let others: Vec<OperationId> =
            hint.operations.iter().copied().filter(|other| ![removal, read].contains(other)).collect();
        let between =
            others.iter().flat_map(|had| others.iter().map(|gone| vec![removal, read, *had, *gone]));
        std::iter::once(vec![removal, read]).chain(between.collect::<Vec<_>>())
    })
}

fn brought(record: &Record<'_>, hint: &Hint<'_>, key: &Key) -> Vec<Value> {
    let operations = hint.operations.iter().filter_map(|id| record.find(*id).ok());
    let parts = operations.flat_map(|operation| record.parts(operation, key));
    let mut brought: Vec<Value> = parts.filter_map(|part| part.brings().cloned()).collect();
    brought.dedup();
    brought
}

/// The fewest of the operations and their sources that have no order.
fn no_order(record: &Record<'_>, hint: &Hint<'_>) -> Result<Witness, Flaw> {
    let mut failed = None;
    let wider = in_context(record, hint);
    for operations in [hint.operations.to_vec(), with_sources(record, hint.operations), wider] {
        match fewest(record, hint.guarantee, operations) {
            Ok(witness) => return Ok(witness),
            Err(flaw) => failed = Some(flaw),
        }
    }
    Err(failed.unwrap_or(Flaw::Explained))
}

fn fewest(record: &Record<'_>, guarantee: &str, mut operations: Vec<OperationId>) -> Result<Witness, Flaw> {
    loop {
        match state(record, guarantee, &Outline::NoOrder(operations.clone())) {
            Err(Flaw::NotNeeded(left_out)) => operations.retain(|other| *other != left_out),
            stated => return stated,
        }
    }
}

/// The operations, what their sessions did before, and the sources of all that.
fn in_context(record: &Record<'_>, hint: &Hint<'_>) -> Vec<OperationId> {
    let mut all = hint.operations.to_vec();
    let all_operations = record.history.operations();
    for id in hint.operations {
        let Ok(later) = record.find(*id) else { continue };
        let before = all_operations[..all_operations.partition_point(|other| other.id < later.id)]
            .iter()
            .rev()
            .take(LOOKED_AT_MAX);
        let before = before.filter(|operation| operation.session == later.session && operation.is_possible());
        // The nearest say most.
        all.extend(before.take(CONTEXT_MAX).map(|operation| operation.id));
    }
    all.sort_unstable();
    all.dedup();
    with_sources(record, &all)
}

/// Operations of a session that are looked at before one of it.
const CONTEXT_MAX: usize = 3;

/// Operations among which they are looked for.
const LOOKED_AT_MAX: usize = 100_000;

/// The operations, and all who may have made what they saw, as long as they are few.
fn with_sources(record: &Record<'_>, operations: &[OperationId]) -> Vec<OperationId> {
    let mut all = operations.to_vec();
    let mut place = 0;
    while place < all.len() && all.len() <= OPERATIONS_MAX {
        let found = record.find(all[place]).map(|operation| {
            let parts = (0..operation.call.micro_ops().len()).map(|index| Part { operation, index });
            parts.flat_map(|part| sources(record, &part)).collect::<Vec<_>>()
        });
        for source in found.unwrap_or_default() {
            if !all.contains(&source) {
                all.push(source);
            }
        }
        place += 1;
    }
    all
}

/// Elements of a read whose sources are looked for.
const ELEMENTS_MAX: usize = 6;

fn sources(record: &Record<'_>, part: &Part<'_>) -> Vec<OperationId> {
    let key = part.asked().key();
    let ids = |parts: Vec<Part<'_>>| parts.iter().map(Part::id).collect::<Vec<_>>();
    let mut sources = ids(record.possible(key, |micro_op| matches!(micro_op, MicroOp::Delete { .. })));
    let touched = match part.asked() {
        MicroOp::Remove { element, .. } => Some(element),
        _ => part.brings(),
    };
    match record.shape(key) {
        Shape::Register => {
            for value in part.found().into_iter().flat_map(|found| &found.values) {
                sources.extend(ids(record.makers(key, value)));
            }
        }
        Shape::Counter => sources.extend(ids(record.possible(key, |micro_op| !micro_op.is_read()))),
        Shape::Set | Shape::List | Shape::Queue | Shape::Stack => {
            let seen = part.observed().and_then(crate::record::list).unwrap_or_default();
            let seen = seen.iter().take(ELEMENTS_MAX);
            let taken = part.observed().filter(|_| !part.asked().is_read()).and_then(|taken| taken.single());
            let unknown = |taker: &&Part<'_>| {
                taker.asked().observes() && !taker.asked().is_read() && taker.operation.outcome.is_unknown()
            };
            sources.extend(record.on(key).iter().filter(unknown).map(Part::id));
            for value in touched.into_iter().chain(taken).chain(seen) {
                let touches = |micro_op: &MicroOp| match micro_op {
                    MicroOp::Remove { element, .. } => element == value,
                    _ => crate::record::brings(micro_op) == Some(value),
                };
                sources.extend(ids(record.possible(key, touches)));
                let takes = record
                    .reads(key)
                    .filter(|(taker, seen)| !taker.asked().is_read() && seen.values.contains(value));
                sources.extend(takes.map(|(taker, _)| taker.id()));
            }
        }
        Shape::Mixed => {}
    }
    sources
}

fn not_verifiable(record: &Record<'_>, hint: &Hint<'_>, flaw: &Flaw) -> Witness {
    let operations = hint.operations.iter().filter_map(|id| record.find(*id).ok());
    Witness {
        version: VERSION,
        history: identity(record.history),
        guarantee: hint.guarantee.into(),
        anomaly: hint.anomaly.into(),
        operations: operations.map(Stated::of).collect(),
        claim: Claim::NotVerifiable { reason: flaw.to_string() },
    }
}
