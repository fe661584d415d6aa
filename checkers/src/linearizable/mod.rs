//! Linearizable: the store behaves like a single copy, on which each call takes effect at one instant
//! between question and answer.
//!
//! ```text
//!   c0  |--- write x 5 ---|
//!   c1                       |-- write x 6 --|
//!   c2                                          |-- read x -> 5 --|      6 was confirmed: broken
//! ```
//!
//! Each key is judged for itself, for a history is linearizable iff it is so on each key (Herlihy &
//! Wing 1990, §3.1). Where each state has one known writer, by zones in near-linear time; lists and sets
//! that only grow, by what reads saw of them, as fast; counters, where that refutes them, by what may have been
//! counted; queues and stacks whose elements differ, by when
//! each was put in and taken out, as fast; all else by a search within the budget of steps
//! and within some 200 MB.
//!
//! Left out: reads after the load (phases settle, settled and final reads). They are answered by one
//! node for itself, on purpose, and no promise about them is linearizable. A failed call is taken to
//! have had no effect and to have seen nothing, so a compare-and-set that failed for no reason is not
//! noticed. A key on which somebody saw siblings, a transaction of several operations, or a mix of
//! lists, sets and counters, is not judged, nor is a queue or stack that nobody fills, and then nothing is said to have held.
//!
//! Source: Herlihy & Wing, Linearizability, TOPLAS 1990.

mod bounds;
mod growth;
mod infer;
mod items;
mod model;
mod register;
mod search;
mod shrink;
mod stack;
mod taken;
mod witness;
mod words;
mod zones;

use histories::threads::in_halves;
use histories::{MicroOp, Observed, Phase, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Address, KeyKind, KeyNumber, Verb};
use crate::invariant::unique_ids::is_source;
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Verdict};
use growth::Growth;
use items::Items;
use model::{Change, Model, State};
use register::{Sorted, interval};
use search::{Call, Searched, search};
use shrink::shrink;
use witness::Witness;

/// Judges `linearizable`.
pub struct Linearizable;

const GUARANTEE: &str = "linearizable";

impl Checker for Linearizable {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "the store behaves like a single copy: once a write is confirmed, everybody sees it or a later one"
    }

    fn check(&self, facts: &Facts<'_>, mut budget: Budget) -> Verdict {
        let mut tally = Tally::default();
        let keys: Vec<KeyNumber> = facts.keys().collect();
        let judged = in_halves(facts.micro_op_count(), &keys, |half| {
            let of_key = |key: &KeyNumber| (chances(facts, *key), judge(facts, *key));
            half.iter().map(of_key).collect::<Vec<_>>()
        });
        for (key, (chances, judged)) in keys.iter().zip(judged.into_iter().flatten()) {
            tally.chances += chances;
            tally.keys += u64::from(chances > 0);
            // One after the other, so that they share the budget in the same way however many threads there are.
            match judged.unwrap_or_else(|Unsettled| by_search(facts, *key, &mut budget)) {
                Judged::Legal => {}
                Judged::Illegal(finding) => tally.findings.push(*finding),
                Judged::Not(why) => tally.not[why as usize] += u64::from(chances > 0),
            }
        }
        tally.verdict()
    }
}

/// Whether one key behaved like a single copy.
enum Judged {
    Legal,
    Illegal(Box<Finding>),
    Not(Why),
}

/// Only a search can tell how a key behaved.
struct Unsettled;

/// Why a key is not judged.
#[derive(Debug, Clone, Copy)]
enum Why {
    Siblings,
    Transactions,
    Mixed,
    Source,
    OutOfSteps,
    OutOfRoom,
}

const WHYS: [Why; 6] =
    [Why::Siblings, Why::Transactions, Why::Mixed, Why::Source, Why::OutOfSteps, Why::OutOfRoom];

impl Why {
    fn describe(self) -> &'static str {
        match self {
            Self::Siblings => "showed siblings, which a single copy has not",
            Self::Transactions => "took part in transactions of several operations",
            Self::Mixed => "mixed lists, sets or counters",
            Self::Source => "gave out elements that nobody put in",
            Self::OutOfSteps => "needed a longer search: a larger budget of steps may help",
            Self::OutOfRoom => "allowed too many orders to hold all in memory",
        }
    }
}

#[derive(Default)]
struct Tally {
    chances: u64,
    keys: u64,
    not: [u64; WHYS.len()],
    findings: Vec<Finding>,
}

impl Tally {
    fn verdict(mut self) -> Verdict {
        let what = match self.chances {
            0 => "no read began after a confirmed write to the same key".into(),
            _ => format!(
                "{} after a confirmed write, on {}",
                counted(self.chances, "read", "reads"),
                counted(self.keys, "key", "keys")
            ),
        };
        let chances = Chances { count: self.chances, what };
        if !self.findings.is_empty() {
            self.findings.sort_by_cached_key(|finding| finding.steps.len());
            let count = self.findings.len() as u64;
            let summary = format!("{} did not behave like a single copy", counted(count, "key", "keys"));
            return Verdict::broken(GUARANTEE, chances, summary, count, self.findings);
        }
        let not_judged = WHYS.iter().filter(|why| self.not[**why as usize] > 0);
        let reasons: Vec<String> = not_judged
            .map(|why| format!("{} {}", counted(self.not[*why as usize], "key", "keys"), why.describe()))
            .collect();
        match reasons.is_empty() {
            true => Verdict::unbroken(GUARANTEE, chances),
            false => Verdict::not_judged(GUARANTEE, chances, reasons.join("; ")),
        }
    }
}

/// Reads, takes and compare-and-sets of the load that began after a change of the same key was confirmed:
/// each might have found what was there before.
fn chances(facts: &Facts<'_>, key: KeyNumber) -> u64 {
    let (mut first_change, mut finds) = (u64::MAX, Vec::new());
    for visit in facts.visits(key).iter().filter(|visit| visit.is_confirmed) {
        let (invoked, completed) = visit.interval();
        if visit.verb != Verb::Read {
            first_change = completed.min(first_change);
        }
        match visit.verb {
            Verb::Read if !visit.is_load => {}
            Verb::Read | Verb::Take | Verb::CompareAndSet => finds.push(invoked),
            Verb::Write | Verb::Bring | Verb::Other => {}
        }
    }
    finds.iter().filter(|invoked| first_change < **invoked).count() as u64
}

fn judge(facts: &Facts<'_>, key: KeyNumber) -> Result<Judged, Unsettled> {
    if let Some(why) = out_of_scope(facts, key) {
        return Ok(Judged::Not(why));
    }
    let witness = Witness { facts, key };
    Ok(match facts.kind(key) {
        KeyKind::Queue | KeyKind::Stack => match items::judge(facts, key) {
            Items::Legal => Judged::Legal,
            Items::Illegal(conflict) => Judged::Illegal(Box::new(witness.items(&conflict))),
            Items::Other => return Err(Unsettled),
        },
        KeyKind::Register => match register::sort(facts, key) {
            Sorted::Ambiguous => return Err(Unsettled),
            Sorted::Unexplained(read) => Judged::Illegal(Box::new(witness.unexplained(read))),
            Sorted::Register(register) => match zones::test(&register) {
                Some(conflict) => Judged::Illegal(Box::new(witness.conflict(&register, &conflict))),
                None => Judged::Legal,
            },
        },
        KeyKind::Counter => match bounds::out_of_bounds(facts, key) {
            Some(beyond) => Judged::Illegal(Box::new(witness.out_of_bounds(&beyond))),
            None => return Err(Unsettled),
        },
        _ => match growth::judge(facts, key) {
            Growth::Legal => Judged::Legal,
            Growth::Illegal(proof) => Judged::Illegal(Box::new(witness.searched(proof, None))),
            Growth::Unexplained(read) => Judged::Illegal(Box::new(witness.unexplained(read))),
            Growth::Other => return Err(Unsettled),
        },
    })
}

fn out_of_scope(facts: &Facts<'_>, key: KeyNumber) -> Option<Why> {
    if facts.kind(key) == KeyKind::Mixed {
        return Some(Why::Mixed);
    }
    if is_source(facts, key) {
        return Some(Why::Source);
    }
    let usage = facts.usage(key);
    let siblings = usage.siblings.then_some(Why::Siblings);
    siblings.or(usage.in_transactions.then_some(Why::Transactions))
}

fn by_search(facts: &Facts<'_>, key: KeyNumber, budget: &mut Budget) -> Judged {
    let mut model = Model::new(facts, key);
    let (addresses, calls) = calls(facts, key, &mut model);
    if facts.kind(key) == KeyKind::Register
        && let Some((read, writer)) = too_early(&calls)
    {
        let finding = Witness { facts, key }.read_too_early(addresses[read], addresses[writer]);
        return Judged::Illegal(Box::new(finding));
    }
    let last = match search(&mut model, &calls, budget) {
        Searched::Legal => return Judged::Legal,
        Searched::OutOfSteps => return Judged::Not(Why::OutOfSteps),
        Searched::OutOfRoom => return Judged::Not(Why::OutOfRoom),
        Searched::Illegal { at } => calls[at].completed,
    };
    // What had not ended by then may not have happened yet; what began later made nothing in time.
    let found: FxHashSet<State> =
        calls.iter().filter(|call| call.invoked <= last).filter_map(|call| call.change.found()).collect();
    let takes_part = |call: &Call<'_>| {
        call.invoked <= last || call.change.made().is_some_and(|made| found.contains(&made))
    };
    let (begun, clipped): (Vec<Address>, Vec<Call<'_>>) = addresses
        .iter()
        .zip(&calls)
        .filter(|(_, call)| takes_part(call))
        .map(|(at, call)| (*at, call.until(last)))
        .unzip();
    let places = shrink(&mut model, facts.kind(key), &clipped);
    let proof: Vec<Address> = places.iter().map(|place| begun[*place]).collect();
    let left: Vec<Call<'_>> = places.iter().map(|place| clipped[*place]).collect();
    Judged::Illegal(Box::new(Witness { facts, key }.searched(proof, infer::circle(&left))))
}

// A call that found a state which all who made it began to make only later; the shorter story. Only
// on registers: what a list, set or counter holds can have grown step by step.
fn too_early(calls: &[Call<'_>]) -> Option<(usize, usize)> {
    let mut makers: FxHashMap<State, usize> = FxHashMap::default();
    for (place, call) in calls.iter().enumerate() {
        if let Change::Write(made) | Change::Swap(_, made) = call.change {
            makers.entry(made).or_insert(place);
        }
    }
    calls.iter().enumerate().find_map(|(place, call)| match call.change {
        Change::Read(Some(found)) | Change::Swap(Some(found), _) if found != model::ABSENT => {
            let maker = *makers.get(&found)?;
            (call.completed < calls[maker].invoked).then_some((place, maker))
        }
        _ => None,
    })
}

// An unknown change stays possible for ever, unless nobody can tell whether it happened: then it did not.
fn calls<'h>(facts: &Facts<'h>, key: KeyNumber, model: &mut Model) -> (Vec<Address>, Vec<Call<'h>>) {
    let (mut seen, mut shown) = (Vec::new(), FxHashSet::default());
    let mut calls = Vec::new();
    for at in facts.on_key(key) {
        let operation = facts.operation(*at);
        let micro_op = facts.micro_op(*at);
        let is_left_out = micro_op.is_read() && (operation.phase != Phase::Load || !operation.is_confirmed());
        if operation.outcome.is_failed() || is_left_out {
            continue;
        }
        let change = model.change(micro_op, facts.observed(*at));
        if let Change::Read(found) | Change::Swap(found, _) = change {
            seen.extend(found);
            shown.extend(found_elements(facts, *at));
        }
        if let Change::Take(_, Some(taken)) = change {
            shown.extend(taken);
        }
        let (invoked, completed) = interval(facts, *at);
        calls.push((*at, Call { invoked, completed, change }));
    }
    seen.sort_unstable();
    seen.dedup();
    calls.retain(|(_, call)| match call.change {
        Change::Write(made) | Change::Swap(_, made) if call.completed == u64::MAX => {
            seen.binary_search(&made).is_ok() || facts.kind(key) != KeyKind::Register
        }
        // While its element was there nobody looked, so it may as well never have come.
        Change::Grow(
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. },
        ) if call.completed == u64::MAX => shown.contains(element),
        _ => true,
    });
    calls.into_iter().unzip()
}

// The elements that a read saw or a compare-and-set expected.
fn found_elements<'h>(facts: &Facts<'h>, at: Address) -> impl Iterator<Item = &'h Value> {
    let expected = match facts.micro_op(at) {
        MicroOp::CompareAndSet { expected, .. } => Some(&**expected),
        _ => None,
    };
    let found = expected.or(facts.observed(at)).and_then(Observed::single);
    found.and_then(Value::as_list).unwrap_or_default().iter()
}

#[cfg(test)]
mod tests;
