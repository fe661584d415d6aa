//! A walk through all operations in causal order, with one vector clock a session.
//!
//! ```text
//!   c2  write x 1          clock of c2: [c2: 1]          kept until c7 has read it
//!   c7  read x → 1         clock of c7: [c2: 1, c7: 1]
//! ```
//!
//! A clock has a column for each session that writes. The clock of a write is kept until its last
//! reader is done, and so memory does not grow with the history. O(n · k) time for k such sessions.
//!
//! Source: Fidge 1988; Mattern 1989 (vector clocks).

use crate::causal::order::{CausalOrder, NONE};

/// What is known when the walk comes to an operation.
pub(crate) struct Visit<'w> {
    pub(crate) operation: u32,
    /// What its session knew before it.
    pub(crate) before: &'w [u32],
    /// The same and what it learned by what it saw; not the operation itself.
    pub(crate) after: &'w [u32],
    clocks: &'w Kept,
}

impl Visit<'_> {
    /// The clock of a source of this operation, with the source itself; none if it is no source.
    pub(crate) fn clock_of(&self, source: u32) -> Option<&[u32]> {
        self.clocks.get(source)
    }
}

/// Clocks of writes that somebody will still read.
struct Kept {
    slot: Vec<u32>,
    clocks: Vec<Vec<u32>>,
    free: Vec<u32>,
}

impl Kept {
    fn get(&self, write: u32) -> Option<&[u32]> {
        let slot = self.slot[write as usize];
        (slot != NONE).then(|| self.clocks[slot as usize].as_slice())
    }

    fn keep(&mut self, write: u32, clock: &[u32]) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.clocks.push(Vec::new());
            self.clocks.len() as u32 - 1
        });
        self.clocks[slot as usize].clear();
        self.clocks[slot as usize].extend_from_slice(clock);
        self.slot[write as usize] = slot;
    }

    fn release(&mut self, write: u32) {
        let slot = std::mem::replace(&mut self.slot[write as usize], NONE);
        self.free.push(slot);
    }
}

/// Walks all operations in causal order.
pub(crate) fn walk(order: &CausalOrder, mut visit: impl FnMut(&Visit<'_>)) {
    let sessions = order.column.len();
    let mut clocks: Vec<Vec<u32>> = vec![Vec::new(); sessions];
    let mut left = order.readers.clone();
    let mut kept = Kept { slot: vec![NONE; order.previous.len()], clocks: Vec::new(), free: Vec::new() };
    let mut before: Vec<u32> = Vec::new();
    for operation in order.sorted().iter().copied() {
        let clock = &mut clocks[order.session[operation as usize] as usize];
        clock.resize(order.columns, 0);
        let learns = order.sources(operation).next().is_some();
        if learns {
            before.clear();
            before.extend_from_slice(clock);
            for source in order.sources(operation) {
                join(clock, kept.get(source).expect("a source comes first and is kept"));
            }
        }
        let earlier = if learns { &before } else { &*clock };
        visit(&Visit { operation, before: earlier, after: clock, clocks: &kept });
        for source in order.sources(operation) {
            left[source as usize] -= 1;
            if left[source as usize] == 0 {
                kept.release(source);
            }
        }
        let column = order.column_of(operation);
        if column != NONE {
            clock[column as usize] = order.position[operation as usize];
        }
        if left[operation as usize] > 0 {
            kept.keep(operation, clock);
        }
    }
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
