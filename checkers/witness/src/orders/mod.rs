//! No order: every order of the few operations is tried, and each gives one of them another answer.
//!
//! ```text
//!   serializable, linearizable, sequential    one order, one copy of the store     `search.rs`, `state.rs`
//!   pram, causal-memory                       one for each session
//!   causal-consistency, session guarantees    one for each read, of what its session knows
//!   causal-order                              one order of all, each read knows a part of it
//!   snapshot-isolation and weaker             an order that keeps the level's axiom  `axioms.rs`
//! ```
//!
//! By the definitions, with no inference to go wrong; so only for few operations. None of them may be
//! left out: then the document says no more than it must, and cannot be changed into another one.
//!
//! Sources: Herlihy & Wing 1990; Lamport 1979; Papadimitriou 1979; Bouajjani, Enea, Guerraoui & Hamza 2017
//! (CC, CCv, CM); Biswas & Enea 2019 (the axioms); Terry et al. 1994 (session guarantees).

mod axioms;
mod names;
mod relation;
mod scope;
mod search;
mod state;

use histories::{Operation, OperationId, SessionId};

use crate::document::Claim;
use crate::record::{Part, Record};
use crate::{Derived, Flaw};
use axioms::Axiom;
use relation::{Given, Relation};
use scope::Scope;
use search::Question;
use state::{Counts, Machine};

/// Operations that may be tried in all orders.
pub(crate) const OPERATIONS_MAX: usize = 16;

/// How a guarantee is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defined {
    /// One order that agrees with what is given.
    OneOrder(Given),
    /// Each session has an order of all writes.
    EachSession(Given),
    /// Each read has an order of what it knows of by causal order.
    EachRead,
    /// Each read has an order of what its session knows of without what others had read.
    EachReader,
    /// One order of all, of which each read knows a part.
    Convergent,
    /// An order that keeps an axiom.
    Axiom(Axiom, Given),
}

fn defined(guarantee: &str) -> Option<Defined> {
    use Defined::{Axiom as By, Convergent, EachRead, EachReader, EachSession, OneOrder};
    Some(match guarantee {
        "serializable" => OneOrder(Given::Nothing),
        "strong-session-serializable" | "sequential" => OneOrder(Given::Sessions),
        "strict-serializable" => OneOrder(Given::RealTime),
        "linearizable" => OneOrder(Given::RealTime),
        "pram" => EachSession(Given::Replaced),
        "causal-memory" => EachSession(Given::Causes),
        "causal-consistency" | "writes-follow-reads" => EachRead,
        "monotonic-reads" | "monotonic-writes" | "read-your-writes" => EachReader,
        "causal-order" => Convergent,
        "read-atomic" => By(Axiom::ReadAtomic, Given::Nothing),
        "monotonic-atomic-view" => By(Axiom::ReadCommitted, Given::Nothing),
        "strong-session-monotonic-atomic-view" => By(Axiom::ReadCommitted, Given::Sessions),
        "strong-session-read-atomic" => By(Axiom::ReadAtomic, Given::Sessions),
        "transactional-causal" => By(Axiom::Causal, Given::Sessions),
        "prefix-consistency" => By(Axiom::Prefix, Given::Sessions),
        "snapshot-isolation" => By(Axiom::Snapshot, Given::Nothing),
        "strong-session-snapshot-isolation" => By(Axiom::Snapshot, Given::Sessions),
        "strong-snapshot-isolation" => By(Axiom::Snapshot, Given::RealTime),
        _ => return None,
    })
}

/// The claim that these operations have no order.
pub(crate) fn derive(record: &Record<'_>, guarantee: &str, ids: &[OperationId]) -> Result<Derived, Flaw> {
    let form = || Flaw::Form { form: "no-order", guarantee: guarantee.into() };
    let defined = defined(guarantee).ok_or_else(form)?;
    let mut operations: Vec<&Operation> = ids.iter().map(|id| record.find(*id)).collect::<Result<_, _>>()?;
    operations.sort_unstable_by_key(|operation| operation.id);
    operations.dedup_by_key(|operation| operation.id);
    if operations.len() > OPERATIONS_MAX {
        return Err(Flaw::TooMany(operations.len()));
    }
    if let Some(failed) = operations.iter().find(|operation| !operation.is_possible()) {
        return Err(Flaw::NotNeeded(failed.id));
    }
    if has_order(record, guarantee, defined, &operations)? {
        return Err(Flaw::Explained);
    }
    for place in 0..operations.len() {
        let mut fewer = operations.clone();
        let left_out = fewer.remove(place);
        if !has_order(record, guarantee, defined, &fewer)? {
            return Err(Flaw::NotNeeded(left_out.id));
        }
    }
    let name = name(record, guarantee, defined, &operations)?;
    let operations = operations.iter().map(|operation| operation.id).collect();
    Ok(Derived { claim: Claim::NoOrder {}, operations, name })
}

/// What such operations are called.
fn name<'h>(
    record: &Record<'h>,
    guarantee: &str,
    defined: Defined,
    operations: &[&'h Operation],
) -> Result<String, Flaw> {
    let causes = Relation::new(record, operations, Given::Causes);
    Ok(match defined {
        Defined::EachReader => names::of_session(guarantee),
        Defined::EachRead if guarantee != "causal-consistency" => names::of_session(guarantee),
        Defined::EachRead | Defined::Convergent if causes.is_cyclic => "causal-cycle",
        Defined::EachRead => "causal-violation",
        Defined::Convergent => {
            let machine = Machine { record, scope: Scope::new(record, operations) };
            if each_read(&machine, operations, |_| Given::Causes)? {
                "contradictory-orders"
            } else {
                "causal-violation"
            }
        }
        Defined::EachSession(_) => "contradictory-orders",
        Defined::OneOrder(_) if guarantee == "linearizable" => names::of_copy(record, operations),
        Defined::OneOrder(_) if guarantee == "sequential" => "no-legal-order",
        Defined::OneOrder(given) | Defined::Axiom(_, given) => {
            match Relation::with_reads(record, operations, given).is_closed_cyclic() {
                true => "circular-information-flow",
                false => names::of_level(guarantee),
            }
        }
    }
    .to_string())
}

/// True if an order explains what these operations saw, by the definition of the guarantee; for those of a
/// session also if they are not of the shape that it speaks of.
fn has_order<'h>(
    record: &Record<'h>,
    guarantee: &str,
    defined: Defined,
    operations: &[&'h Operation],
) -> Result<bool, Flaw> {
    let scope = Scope::new(record, operations);
    let machine = Machine { record, scope };
    let all = (1_u32 << operations.len()) - 1;
    match defined {
        Defined::OneOrder(given) => {
            let relation = Relation::new(record, operations, given);
            let counts = vec![Counts::All; operations.len()];
            let (before, among) = (&relation.before, all);
            Question { machine: &machine, operations, before, among, counts: &counts }.has_order()
        }
        Defined::EachSession(given) => each_session(&machine, operations, given),
        Defined::EachRead | Defined::EachReader if !names::is_of_shape(record, guarantee, operations) => {
            Ok(true)
        }
        Defined::EachRead => each_read(&machine, operations, |_| Given::Causes),
        Defined::EachReader => each_read(&machine, operations, Given::KnownTo),
        // A store that shows siblings need not order them the same for all.
        Defined::Convergent if operations.iter().any(|operation| shows_siblings(operation)) => {
            each_read(&machine, operations, |_| Given::Causes)
        }
        Defined::Convergent => convergent(&machine, operations),
        Defined::Axiom(axiom, given) => axioms::has_order(&machine, operations, axiom, given),
    }
}

fn each_session<'h>(
    machine: &Machine<'_, 'h>,
    operations: &[&'h Operation],
    given: Given,
) -> Result<bool, Flaw> {
    let relation = Relation::new(machine.record, operations, given);
    if relation.is_cyclic {
        return Ok(false);
    }
    let mut sessions: Vec<_> = operations.iter().map(|operation| operation.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    for session in sessions {
        let (mut among, mut counts) = (0, Vec::new());
        for (place, operation) in operations.iter().enumerate() {
            let is_own = operation.session == session;
            counts.push(if is_own { Counts::All } else { Counts::None });
            among |= u32::from(is_own || !operation.call.is_read_only()) << place;
        }
        let before = &relation.before;
        if !(Question { machine, operations, before, among, counts: &counts }).has_order()? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn each_read<'h>(
    machine: &Machine<'_, 'h>,
    operations: &[&'h Operation],
    given: impl Fn(SessionId) -> Given,
) -> Result<bool, Flaw> {
    for (place, operation) in operations.iter().enumerate().filter(|(_, operation)| operation.is_confirmed())
    {
        let relation = Relation::new(machine.record, operations, given(operation.session));
        if relation.is_cyclic {
            return Ok(false);
        }
        for part in reads_of(operation) {
            let mut counts = vec![Counts::None; operations.len()];
            counts[place] = Counts::Part(part.index);
            let mut before = relation.before.clone();
            before[place] = relation.known_to(machine.record, operations, place, &part);
            let among = before[place] | 1 << place;
            if !(Question { machine, operations, before: &before, among, counts: &counts }).has_order()? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn shows_siblings(operation: &Operation) -> bool {
    let replies = operation.outcome.replies().into_iter().flatten();
    replies.filter_map(|reply| reply.observed.as_ref()).any(|observed| observed.values.len() > 1)
}

fn reads_of<'h>(operation: &'h Operation) -> impl Iterator<Item = Part<'h>> {
    let parts = (0..operation.call.micro_ops().len()).map(move |index| Part { operation, index });
    parts.filter(|part| part.asked().is_read())
}

/// Operations of which all orders are tried without remembering states.
const CONVERGENT_MAX: usize = 9;

fn convergent<'h>(machine: &Machine<'_, 'h>, operations: &[&'h Operation]) -> Result<bool, Flaw> {
    let relation = Relation::new(machine.record, operations, Given::Causes);
    if relation.is_cyclic {
        return Ok(false);
    }
    if operations.len() > CONVERGENT_MAX {
        return Err(Flaw::TooMany(operations.len()));
    }
    Ok(extend(machine, operations, &relation, &mut Vec::new()))
}

/// True if the order can go on to one of all operations.
fn extend<'h>(
    machine: &Machine<'_, 'h>,
    operations: &[&'h Operation],
    relation: &Relation,
    order: &mut Vec<usize>,
) -> bool {
    if order.len() == operations.len() {
        return true;
    }
    for place in 0..operations.len() {
        let is_ready = (0..operations.len())
            .all(|other| relation.before[place] & (1 << other) == 0 || order.contains(&other));
        if order.contains(&place) || !is_ready {
            continue;
        }
        order.push(place);
        let is_explained = |part: Part<'h>| {
            let known = relation.known_to(machine.record, operations, place, &part);
            let past = order.iter().filter(|other| known & (1 << **other) != 0);
            let states = past.fold(vec![state::State::default()], |states, other| {
                states.iter().flat_map(|state| machine.run(state, operations[*other], Counts::None)).collect()
            });
            let counts = Counts::Part(part.index);
            states.iter().any(|state| !machine.run(state, operations[place], counts).is_empty())
        };
        let mut reads = reads_of(operations[place]).filter(|part| part.observed().is_some());
        if reads.all(is_explained) && extend(machine, operations, relation, order) {
            return true;
        }
        order.pop();
    }
    false
}
