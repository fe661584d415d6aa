//! Lists and sets that only grow, by elements that are brought once each: exact in near-linear time.
//!
//! ```text
//!   reads of the list   []     [1]     [1 2 3]              stage   0   read → []
//!   appends             1, 2, 3, and 4 that nobody saw              1   append 1
//!                                                                   2   read → [1]
//!   a set grows alike:  {}  ⊂  {1}  ⊂  {1 2 3}                      3   append 2   …   6  append 4
//! ```
//!
//! Nothing ever disappears, so what reads saw must be a chain: each list the beginning of the next, each
//! set a part of the next. That chain says which call comes before which, in *stages*; calls of one
//! stage may come in any order. So there is a legal order iff no call of a later stage ended before a
//! call of an earlier stage began. An unknown append that nobody saw never has to have happened.
//!
//! The chain of prefixes is the observation behind Kingsbury & Alvaro, Elle, VLDB 2020, §4.

use std::collections::hash_map::Entry;

use histories::{MicroOp, Phase, Value};
use rustc_hash::FxHashMap;

use crate::Facts;
use crate::facts::{Address, KeyKind, KeyNumber};
use crate::linearizable::register::interval;

/// What became of a key that only grows.
#[derive(Debug)]
pub(super) enum Growth {
    /// There is an order.
    Legal,
    /// These calls have none.
    Illegal(Vec<Address>),
    /// This one saw an element that no call can have brought.
    Unexplained(Address),
    /// The key does not only grow, or an element was brought twice.
    Other,
}

/// A read, or what brought an element, with its place in the only order there can be.
struct Staged {
    stage: usize,
    at: Address,
    invoked: u64,
    completed: u64,
}

/// Judges a key. O(n log n) in operations and elements seen.
pub(super) fn judge(facts: &Facts<'_>, key: KeyNumber) -> Growth {
    let usage = facts.usage(key);
    let only_grows = usage.writes + usage.compare_and_sets + usage.deletes + usage.removes == 0;
    if !only_grows || !matches!(facts.kind(key), KeyKind::List | KeyKind::Set) {
        return Growth::Other;
    }
    let Some(bringers) = bringers(facts, key) else { return Growth::Other };
    let mut reads = Vec::new();
    for at in facts.on_key(key) {
        if facts.operation(*at).phase != Phase::Load {
            continue;
        }
        let Some(observed) = facts.observed(*at) else { continue };
        match observed.single().map_or(Some(&[][..]), Value::as_list) {
            Some(elements) => reads.push((*at, elements)),
            None => return Growth::Other,
        }
    }
    reads.sort_by_key(|(at, elements)| (elements.len(), *at));
    let chain = match Chain::new(facts.kind(key), &reads) {
        Ok(chain) => chain,
        Err(growth) => return growth,
    };
    // The shortest read that shows an element which nobody brought; each is shown first where it is as long.
    let unexplained = chain.length.iter().filter(|(element, _)| !bringers.contains_key(*element));
    if let Some(shortest) = unexplained.map(|(_, length)| *length).min()
        && let Some((read, _)) = reads.iter().find(|(_, seen)| seen.len() >= shortest)
    {
        return Growth::Unexplained(*read);
    }
    let mut calls: Vec<Staged> = Vec::with_capacity(reads.len() + bringers.len());
    let mut add = |stage: usize, at: Address| {
        let (invoked, completed) = interval(facts, at);
        calls.push(Staged { stage, at, invoked, completed });
    };
    for (at, elements) in &reads {
        add(2 * elements.len(), *at);
    }
    for (element, at) in &bringers {
        match chain.length.get(element) {
            // Just before the shortest read that shows it.
            Some(length) => add(2 * length - 1, *at),
            None if facts.operation(*at).is_confirmed() => add(usize::MAX, *at),
            None => {}
        }
    }
    calls.sort_unstable_by_key(|call| (call.stage, call.at));
    match out_of_order(&calls) {
        Some((late, early)) => Growth::Illegal(proof(&reads, late, early)),
        None => Growth::Legal,
    }
}

// Who brought each element; none if one was brought twice.
fn bringers<'h>(facts: &Facts<'h>, key: KeyNumber) -> Option<FxHashMap<&'h Value, Address>> {
    let mut bringers = FxHashMap::default();
    for at in facts.on_key(key).iter().filter(|at| facts.operation(**at).is_possible()) {
        if let MicroOp::Append { element, .. } | MicroOp::Add { element, .. } = facts.micro_op(*at)
            && bringers.insert(element, *at).is_some()
        {
            return None;
        }
    }
    Some(bringers)
}

/// What was seen, each a part of the next.
struct Chain<'h> {
    /// Of each element that was seen: how long the shortest read is that shows it.
    length: FxHashMap<&'h Value, usize>,
}

impl<'h> Chain<'h> {
    /// From reads in the order of their lengths.
    fn new(kind: KeyKind, reads: &[(Address, &'h [Value])]) -> Result<Self, Growth> {
        let mut length: FxHashMap<&Value, usize> = FxHashMap::default();
        let mut shorter: Option<(Address, &[Value])> = None;
        for (at, elements) in reads {
            let (before, part) = shorter.map_or((*at, &[][..]), |(before, part)| (before, part));
            // Most reads show what the one before them showed.
            if shorter.is_some() && part == *elements {
                shorter = Some((*at, elements));
                continue;
            }
            let is_part = match kind {
                KeyKind::List if !elements.starts_with(part) => false,
                KeyKind::List => {
                    for element in &elements[part.len()..] {
                        length.entry(element).or_insert(elements.len());
                    }
                    true
                }
                // All that shorter reads showed, for each is a part of the one before this.
                _ => take_in(&mut length, elements, part.len()) == part.len(),
            };
            if !is_part {
                return Err(Growth::Illegal(vec![before, *at]));
            }
            // An element that is there twice: not what this test is about.
            if length.len() != elements.len() {
                return Err(Growth::Other);
            }
            shorter = Some((*at, elements));
        }
        if kind == KeyKind::List {
            let longest = shorter.map_or(&[][..], |(_, elements)| elements);
            length = longest.iter().enumerate().map(|(place, element)| (element, place + 1)).collect();
        }
        Ok(Self { length })
    }
}

// Takes in what a read of a set shows; says how much of it shorter reads had shown, of so many elements.
fn take_in<'h>(length: &mut FxHashMap<&'h Value, usize>, elements: &'h [Value], shorter: usize) -> usize {
    let mut known = 0;
    for element in elements {
        match length.entry(element) {
            Entry::Vacant(entry) => {
                entry.insert(elements.len());
            }
            // Twice in this read.
            Entry::Occupied(entry) if *entry.get() == elements.len() && shorter < elements.len() => {}
            Entry::Occupied(_) => known += 1,
        }
    }
    known
}

// A call of a later stage that ended before one of an earlier stage began; the earlier stage as late as
// may be.
fn out_of_order(calls: &[Staged]) -> Option<(&Staged, &Staged)> {
    let mut first: Option<&Staged> = None;
    for stage in calls.chunk_by(|a, b| a.stage == b.stage).rev() {
        let last = stage.iter().max_by_key(|call| (call.invoked, call.at))?;
        if let Some(first) = first.filter(|first| first.completed < last.invoked) {
            return Some((first, last));
        }
        first = first.into_iter().chain(stage).min_by_key(|call| (call.completed, call.at));
    }
    None
}

// The two calls, and if neither is a read the shortest that shows the one and not, or not so early, the
// other.
fn proof(reads: &[(Address, &[Value])], late: &Staged, early: &Staged) -> Vec<Address> {
    let mut proof = vec![late.at, early.at];
    if !late.stage.is_multiple_of(2) && !early.stage.is_multiple_of(2) {
        let shows = |(_, elements): &&(Address, &[Value])| 2 * elements.len() > early.stage;
        proof.extend(reads.iter().find(shows).map(|(at, _)| *at));
    }
    proof.sort_unstable();
    proof
}
