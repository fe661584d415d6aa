//! Causal order: what may have influenced what, by session order and by reading what others wrote.
//!
//! ```text
//!   c2  write x 1 ──wr──▶ c7  read x → 1          1 ──▶ 2 ──▶ 3 ──▶ 4
//!                         c7  write y 2 ──wr──▶ c4  read y → 2
//! ```
//!
//! A read depends on the write that it saw, and a compare-and-set on what it replaced, whether it named
//! that by version or by value. Sources: Lamport 1978; Ahamad et al., Causal memory, 1995, §2.2.
//!
//! O(n) time, without recursion.

use histories::OperationId;

use crate::Facts;
use crate::causal::clock::Clock;
use crate::causal::seen::{Seen, columns};

/// No operation.
pub(crate) const NONE: u32 = u32::MAX;

/// Session order, what reads from what, and an order that agrees with both. Operations are numbered
/// as in the history.
#[derive(Debug)]
pub(crate) struct CausalOrder {
    /// The operation before it in its session.
    pub(crate) previous: Vec<u32>,
    /// The place of its session among all sessions.
    pub(crate) session: Vec<u32>,
    /// Its place in its session, from 1.
    pub(crate) position: Vec<u32>,
    /// A session's column in a clock; [`NONE`] if it writes nothing.
    pub(crate) column: Vec<u32>,
    offsets: Vec<u32>,
    sources: Vec<u32>,
    /// How many operations saw its effect.
    pub(crate) readers: Vec<u32>,
    sorted: Vec<u32>,
    /// Each operation's place in the order that agrees with the causal one.
    pub(crate) rank: Vec<u32>,
    /// Cycles of session order and reads-from; the edges that closed them are left out.
    pub(crate) cycles: Vec<Vec<u32>>,
}

impl CausalOrder {
    /// Orders the operations. `sources` lists for each what it saw, as pairs of operation and source.
    pub(crate) fn new(facts: &Facts<'_>, seen: &Seen) -> Self {
        let operations = facts.history().operations();
        let (count, column) = (operations.len(), columns(facts));
        let mut order = Self {
            previous: vec![NONE; count],
            session: vec![0; count],
            position: vec![0; count],
            column,
            offsets: Vec::new(),
            sources: Vec::new(),
            readers: vec![0; count],
            sorted: Vec::with_capacity(count),
            rank: vec![0; count],
            cycles: Vec::new(),
        };
        for (number, (_, ids)) in facts.sessions().enumerate() {
            order.add_session(number as u32, ids);
        }
        order.add_sources(&seen.reads_from, count);
        order.sort(usize::MAX);
        for (rank, operation) in order.sorted.iter().enumerate() {
            order.rank[*operation as usize] = rank as u32;
        }
        for source in order.sources.iter().filter(|source| **source != NONE) {
            order.readers[*source as usize] += 1;
        }
        order
    }

    /// Cycles of this order and further pairs of what comes first and what comes later; each cycle
    /// from its last operation back to its first. No more than `most` of them.
    pub(crate) fn cycles_with(&self, further: &[(u32, u32)], most: usize) -> Vec<Vec<u32>> {
        let count = self.previous.len();
        let mut pairs: Vec<(u32, u32)> = further.iter().map(|(first, later)| (*later, *first)).collect();
        for operation in 0..count as u32 {
            pairs.extend(self.sources(operation).map(|source| (operation, source)));
        }
        let mut both = Self {
            previous: self.previous.clone(),
            session: Vec::new(),
            position: Vec::new(),
            column: Vec::new(),
            offsets: Vec::new(),
            sources: Vec::new(),
            readers: Vec::new(),
            sorted: Vec::with_capacity(count),
            rank: Vec::new(),
            cycles: Vec::new(),
        };
        both.add_sources(&pairs, count);
        both.sort(most);
        both.cycles
    }

    fn add_session(&mut self, number: u32, ids: &[OperationId]) {
        let mut previous = NONE;
        for (place, id) in ids.iter().enumerate() {
            self.previous[id.index()] = previous;
            self.session[id.index()] = number;
            self.position[id.index()] = place as u32 + 1;
            previous = id.0;
        }
    }

    fn add_sources(&mut self, reads_from: &[(u32, u32)], count: usize) {
        self.offsets = vec![0; count + 1];
        for (reader, _) in reads_from {
            self.offsets[*reader as usize + 1] += 1;
        }
        for index in 0..count {
            self.offsets[index + 1] += self.offsets[index];
        }
        let mut next = self.offsets.clone();
        self.sources = vec![NONE; reads_from.len()];
        for (reader, source) in reads_from {
            self.sources[next[*reader as usize] as usize] = *source;
            next[*reader as usize] += 1;
        }
    }

    /// The writes whose effect this operation saw.
    pub(crate) fn sources(&self, operation: u32) -> impl Iterator<Item = u32> {
        let range = self.offsets[operation as usize] as usize..self.offsets[operation as usize + 1] as usize;
        self.sources[range].iter().copied().filter(|source| *source != NONE)
    }

    /// The column of the operation's session in a clock; [`NONE`] if it writes nothing.
    pub(crate) fn column_of(&self, operation: u32) -> u32 {
        self.column[self.session[operation as usize] as usize]
    }

    /// True if a clock includes this write.
    pub(crate) fn is_in(&self, write: u32, clock: &Clock) -> bool {
        clock.get(self.column_of(write)) >= self.position[write as usize]
    }

    /// All operations in an order that agrees with the causal one.
    pub(crate) fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    // Depth-first over what comes before, in the order of invocation, with a stack of our own.
    fn sort(&mut self, cycles_max: usize) {
        let count = self.previous.len();
        let mut mark = vec![Mark::New; count];
        let mut stack: Vec<(u32, u32)> = Vec::new();
        for start in 0..count as u32 {
            if mark[start as usize] != Mark::New {
                continue;
            }
            stack.push((start, 0));
            mark[start as usize] = Mark::Open;
            while let Some((at, tried)) = stack.last().copied() {
                let Some(before) = self.nth_predecessor(at, tried) else {
                    stack.pop();
                    mark[at as usize] = Mark::Done;
                    self.sorted.push(at);
                    continue;
                };
                if before != NONE && mark[before as usize] == Mark::Open {
                    self.break_cycle(before, &mut stack, &mut mark);
                    if self.cycles.len() >= cycles_max {
                        return;
                    }
                    continue;
                }
                stack.last_mut().expect("it was just there").1 += 1;
                if before != NONE && mark[before as usize] == Mark::New {
                    mark[before as usize] = Mark::Open;
                    stack.push((before, 0));
                }
            }
        }
    }

    fn nth_predecessor(&self, operation: u32, nth: u32) -> Option<u32> {
        if nth == 0 {
            return Some(self.previous[operation as usize]);
        }
        let place = self.offsets[operation as usize] + nth - 1;
        (place < self.offsets[operation as usize + 1]).then(|| self.sources[place as usize])
    }

    // Session order has no cycles, so some reader on the cycle can be made to forget its source.
    fn break_cycle(&mut self, repeated: u32, stack: &mut Vec<(u32, u32)>, mark: &mut [Mark]) {
        let begin = stack.iter().position(|(at, _)| *at == repeated).expect("it is open, so on the stack");
        self.cycles.push(stack[begin..].iter().map(|(at, _)| *at).collect());
        let top = stack.len() - 1;
        // The top has not moved past the edge that closes the cycle; the others are one past theirs.
        let forgets = (begin..=top)
            .rev()
            .find_map(|place| {
                let (at, tried) = stack[place];
                let edge = if place == top { tried } else { tried - 1 };
                (edge > 0).then_some((place, at, edge))
            })
            .expect("a cycle has an edge that is not session order");
        let (place, at, edge) = forgets;
        self.sources[(self.offsets[at as usize] + edge - 1) as usize] = NONE;
        for (popped, _) in stack.drain(place + 1..) {
            mark[popped as usize] = Mark::New;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}
