//! Readers of several keys that were written once: long forks and causal reverse by all orders of the writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::generator::Draw;
use crate::{Truth, Written, compare, permutations};

const KEYS: [&str; 3] = ["x", "y", "z"];

struct Write {
    from: u64,
    to: u64,
    is_confirmed: bool,
}

/// One write a key, and the keys that readers looked at, with those that they saw written.
struct Readers {
    writes: Vec<Write>,
    reads: Vec<BTreeMap<usize, bool>>,
    text: String,
}

impl Written for Readers {
    fn to_text(&self) -> String {
        self.text.clone()
    }
}

fn make(seed: u64) -> Readers {
    let mut draw = Draw::new(seed);
    let (mut writes, mut reads, mut text) = (Vec::new(), Vec::new(), String::new());
    for (number, key) in KEYS.iter().enumerate().take(2 + draw.below(2)) {
        let from = draw.below(12) as u64;
        let write = Write { from, to: from + draw.below(6) as u64, is_confirmed: !draw.chance(20) };
        let outcome = if write.is_confirmed { "ok" } else { "unknown" };
        let _ = writeln!(text, "c{number} {}..{} write {key} 1 -> {outcome}", write.from, write.to);
        writes.push(write);
    }
    for number in 0..1 + draw.below(3) {
        let keys: Vec<usize> = match draw.below(3) {
            0 => (0..writes.len()).collect(),
            from => vec![(from - 1).min(writes.len() - 2), (from).min(writes.len() - 1)],
        };
        let seen: BTreeMap<usize, bool> = keys.into_iter().map(|key| (key, draw.chance(50))).collect();
        let asked: Vec<String> = seen.keys().map(|key| format!("read {}", KEYS[*key])).collect();
        let answers: Vec<&str> = seen.values().map(|seen| if *seen { "1" } else { "nothing" }).collect();
        let from = draw.below(15) as u64;
        let to = from + draw.below(6) as u64;
        let _ = writeln!(
            text,
            "c{} {from}..{to} txn {} -> {}",
            10 + number,
            asked.join("; "),
            answers.join("; ")
        );
        reads.push(seen);
    }
    Readers { writes, reads, text }
}

// Did this reader see the first so many of its keys in this order, and none of the others?
fn is_start(order: &[usize], seen: &BTreeMap<usize, bool>) -> bool {
    let answers: Vec<bool> = order.iter().filter_map(|key| seen.get(key).copied()).collect();
    answers.is_sorted_by_key(|seen| !seen)
}

// Of each group of readers of the same keys: is there an order of the writes in which each saw a start?
fn long_forks(readers: &Readers) -> Truth {
    let groups: BTreeSet<Vec<usize>> =
        readers.reads.iter().map(|seen| seen.keys().copied().collect()).collect();
    let is_forked = |keys: &&Vec<usize>| {
        let mut group = readers.reads.iter().filter(|seen| seen.keys().eq(keys.iter()));
        !permutations(readers.writes.len())
            .iter()
            .any(|order| group.clone().all(|seen| is_start(order, seen)))
            && group.next().is_some()
    };
    match groups.iter().filter(is_forked).count() as u64 {
        0 => Truth::Unbroken,
        forks => Truth::Broken(forks),
    }
}

// Of each reader: is there an order of the writes that agrees with time, in which it saw a start?
fn reversed(readers: &Readers) -> Truth {
    let precedes = |one: usize, other: usize| {
        let [one, other] = [one, other].map(|write| &readers.writes[write]);
        one.is_confirmed && one.to < other.from
    };
    let is_in_time = |order: &&Vec<usize>| {
        (0..order.len()).all(|later| (0..later).all(|first| !precedes(order[later], order[first])))
    };
    let orders = permutations(readers.writes.len());
    // What of its keys happened: a write of unknown outcome that it did not see may not have.
    let is_reversed =
        |seen: &&BTreeMap<usize, bool>| !orders.iter().filter(is_in_time).any(|order| is_start(order, seen));
    match readers.reads.iter().filter(is_reversed).count() as u64 {
        0 => Truth::Unbroken,
        reversed => Truth::Broken(reversed),
    }
}

#[test]
fn long_forks_are_readers_whom_no_order_of_the_writes_explains() {
    compare("no-long-fork", 10_000, make, long_forks);
}

#[test]
fn causal_reverse_is_a_reader_whom_no_order_in_time_explains() {
    compare("no-causal-reverse", 10_000, make, reversed);
}
