//! One order of all calls, guessed by when they were asked and answered: where it fits, every order that
//! anybody asks for exists.
//!
//! ```text
//!   c0  |-- write x 1 --|             |-- read x → 2 --|      1 must be there by the end of its zone,
//!   c1          |-- write x 2 --|                             2 until the start of c0's read
//!   guessed     write 1, write 2, read x → 2
//! ```
//!
//! Each write is given a time: of all calls that need what it wrote, where the first ends, or where the last
//! begins if all of them could be at once; then no call of a key's other such span comes between. A write is
//! done when it is the next of its session and nobody needs any more what it replaces, the earliest first;
//! a read as soon as it is right. There is no way back: nothing is concluded if the guess does not fit. It
//! always fits a linearizable history. O(n log n).
//!
//! The spans are the zones of Gibbons & Korach, Testing shared memories, SIAM J. Comput. 1997.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Facts;
use crate::causal::order::NONE;
use crate::views::record::{Found, Record};

/// True if the guessed order explains all reads and agrees with all sessions.
pub(super) fn fits(facts: &Facts<'_>, record: &Record) -> bool {
    let keys = record.nodes.iter().map(|node| node.key.index() + 1).max().unwrap_or(0);
    let mut left = vec![0_u32; keys + record.nodes.len()];
    for node in &record.nodes {
        if let Some(state) = state(keys, node.key.index(), node.found) {
            left[state] += 1;
        }
    }
    let mut guess = Guess {
        record,
        keys,
        times: times(facts, record, keys),
        left,
        holds: (0..keys).collect(),
        done: vec![0; record.sessions.len()],
        ready: BinaryHeap::new(),
        parked: vec![BinaryHeap::new(); keys],
        swaps: vec![NONE; keys],
        waiting: vec![NONE; keys + record.nodes.len()],
        next_waiting: vec![NONE; record.sessions.len()],
        awake: (0..record.sessions.len() as u32).rev().collect(),
    };
    guess.run() == record.nodes.len()
}

/// States are numbered: of each key what is there before all writes, then what each node wrote.
fn state(keys: usize, key: usize, found: Found) -> Option<usize> {
    match found {
        Found::Unsaid => None,
        Found::Initial => Some(key),
        Found::From(source) => Some(keys + source as usize),
    }
}

// The time of each node's state.
fn times(facts: &Facts<'_>, record: &Record, keys: usize) -> Vec<u64> {
    let mut ends = vec![u64::MAX; keys + record.nodes.len()];
    let mut begins = vec![0_u64; keys + record.nodes.len()];
    ends[..keys].fill(0);
    for (number, node) in record.nodes.iter().enumerate() {
        let operation = facts.operation(node.at);
        let invoked = operation.invoked.0 + 1;
        let completed = operation.completed.filter(|_| operation.is_confirmed());
        let completed = completed.map_or(u64::MAX, |completed| completed.0 + 1);
        let own = node.writes.then_some(keys + number);
        for state in state(keys, node.key.index(), node.found).into_iter().chain(own) {
            ends[state] = completed.min(ends[state]);
            begins[state] = invoked.max(begins[state]);
        }
    }
    let mut spans: Vec<Vec<(u64, u64)>> = (0..keys).map(|key| vec![(0, begins[key])]).collect();
    for (number, node) in record.nodes.iter().enumerate().filter(|(_, node)| node.writes) {
        let state = keys + number;
        if ends[state] < begins[state] {
            spans[node.key.index()].push((ends[state], begins[state]));
        }
    }
    spans.iter_mut().for_each(|spans| spans.sort_unstable());
    let time = |(number, node): (usize, &crate::views::record::Node)| {
        let (end, begin) = (ends[keys + number], begins[keys + number]);
        if end < begin {
            return end;
        }
        let spans = &spans[node.key.index()];
        let before = spans.partition_point(|(from, _)| *from < begin);
        before.checked_sub(1).map_or(begin, |at| begin.max(spans[at].1))
    };
    record.nodes.iter().enumerate().map(time).collect()
}

struct Guess<'r> {
    record: &'r Record,
    keys: usize,
    /// Of each node: when it should be done, if it writes.
    times: Vec<u64>,
    /// Of each state: how many calls that need it are not done.
    left: Vec<u32>,
    /// The state of each key.
    holds: Vec<usize>,
    /// How many calls of each session are done.
    done: Vec<u32>,
    /// Writes that are next in their sessions, the earliest on top.
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// Of each key: those that waited in vain for its state to be needed no more.
    parked: Vec<BinaryHeap<Reverse<(u64, u32)>>>,
    /// Of each key: the compare-and-set that is next in its session and finds what it expects.
    swaps: Vec<u32>,
    /// Of each state the first session whose next call waits for it, and of each session the next such.
    waiting: Vec<u32>,
    next_waiting: Vec<u32>,
    /// Sessions whose next call may have become possible.
    awake: Vec<u32>,
}

impl Guess<'_> {
    // How many calls could be done.
    fn run(&mut self) -> usize {
        loop {
            while let Some(session) = self.awake.pop() {
                self.advance(session);
            }
            let Some(Reverse((time, node))) = self.ready.pop() else { break };
            let key = self.record.node(node).key.index();
            match self.left[self.holds[key]] {
                0 => self.write(node),
                _ => self.parked[key].push(Reverse((time, node))),
            }
        }
        self.done.iter().map(|done| *done as usize).sum()
    }

    fn advance(&mut self, session: u32) {
        let calls = &self.record.sessions[session as usize];
        while let Some(number) = calls.get(self.done[session as usize] as usize).copied() {
            let node = self.record.node(number);
            let key = node.key.index();
            let Some(needed) = state(self.keys, key, node.found) else {
                if node.writes {
                    self.ready.push(Reverse((self.times[number as usize], number)));
                    return;
                }
                self.done[session as usize] += 1;
                continue;
            };
            if self.holds[key] != needed {
                self.next_waiting[session as usize] = self.waiting[needed];
                self.waiting[needed] = session;
                return;
            }
            if node.writes {
                self.swaps[key] = number;
                self.swap(key);
                return;
            }
            self.done[session as usize] += 1;
            self.left[needed] -= 1;
            self.freed(key);
        }
    }

    // One call less needs what this key holds.
    fn freed(&mut self, key: usize) {
        self.swap(key);
        if self.left[self.holds[key]] == 0 {
            self.ready.extend(self.parked[key].pop());
        }
    }

    // A compare-and-set replaces what it alone still needs.
    fn swap(&mut self, key: usize) {
        let number = self.swaps[key];
        if number != NONE && self.left[self.holds[key]] == 1 {
            self.swaps[key] = NONE;
            self.left[self.holds[key]] = 0;
            self.write(number);
        }
    }

    fn write(&mut self, number: u32) {
        let node = self.record.node(number);
        let (key, state) = (node.key.index(), self.keys + number as usize);
        self.holds[key] = state;
        self.done[node.session as usize] += 1;
        self.awake.push(node.session);
        let mut session = std::mem::replace(&mut self.waiting[state], NONE);
        while session != NONE {
            self.awake.push(session);
            session = std::mem::replace(&mut self.next_waiting[session as usize], NONE);
        }
        if self.left[state] == 0 {
            self.ready.extend(self.parked[key].pop());
        }
    }
}
