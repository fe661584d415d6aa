//! A walk through all operations in causal order, with one vector clock a session.
//!
//! ```text
//!   c2  write x 1          clock of c2: [c2: 1]          kept until c7 has read it
//!   c7  read x → 1         clock of c7: [c2: 1, c7: 1]
//! ```
//!
//! A clock has a column for each session that writes. The clock of a write is kept until its last
//! reader is done, that of a session until its last operation is, and clocks share what is the same in
//! them (`clock.rs`): memory grows neither with the history nor with the square of the number of
//! sessions. O(n · k) time for k sessions that write, and nearly O(n) where clocks share most of theirs.
//!
//! Source: Fidge 1988; Mattern 1989 (vector clocks).

use crate::causal::clock::Clock;
use crate::causal::order::{CausalOrder, NONE};

/// What is known when the walk comes to an operation.
pub(crate) struct Visit<'w> {
    pub(crate) operation: u32,
    /// What its session knew before it.
    pub(crate) before: &'w Clock,
    /// The same and what it learned by what it saw; not the operation itself.
    pub(crate) after: &'w Clock,
    clocks: &'w Kept,
}

impl<'w> Visit<'w> {
    /// The clock of a source of this operation, with the source itself; none if it is no source.
    pub(crate) fn clock_of(&self, source: u32) -> Option<&'w Clock> {
        self.clocks.get(source)
    }

    /// What was known before, and by what these sources knew.
    pub(crate) fn known_by(&self, sources: &[u32]) -> Clock {
        let mut clock = self.before.clone();
        sources.iter().filter_map(|source| self.clock_of(*source)).for_each(|known| clock.join(known));
        clock
    }

    /// The same visit, as if only this had been learned by it.
    pub(crate) fn learning<'v>(&self, after: &'v Clock) -> Visit<'v>
    where
        'w: 'v,
    {
        Visit { operation: self.operation, before: self.before, after, clocks: self.clocks }
    }
}

/// Clocks of writes that somebody will still read.
pub(crate) struct Kept {
    /// How many readers each write still has.
    left: Vec<u32>,
    slot: Vec<u32>,
    clocks: Vec<Clock>,
    free: Vec<u32>,
}

impl Kept {
    /// None yet, and nothing is read.
    pub(crate) fn new(order: &CausalOrder) -> Self {
        let slot = vec![NONE; order.previous.len()];
        Self { left: order.readers.clone(), slot, clocks: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn get(&self, write: u32) -> Option<&Clock> {
        let slot = self.slot[write as usize];
        (slot != NONE).then(|| &self.clocks[slot as usize])
    }

    /// Keeps what is known after an operation, if anybody will read what it wrote.
    pub(crate) fn keep(&mut self, write: u32, clock: &Clock) {
        if self.left[write as usize] == 0 {
            return;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.clocks.push(Clock::default());
            self.clocks.len() as u32 - 1
        });
        self.clocks[slot as usize].clone_from(clock);
        self.slot[write as usize] = slot;
    }

    /// These have been read once more; of what nobody else will read the clock goes.
    pub(crate) fn release(&mut self, sources: impl Iterator<Item = u32>) {
        for source in sources {
            self.left[source as usize] -= 1;
            if self.left[source as usize] == 0 {
                self.forget(source);
            }
        }
    }

    fn forget(&mut self, write: u32) {
        let slot = std::mem::replace(&mut self.slot[write as usize], NONE);
        self.clocks[slot as usize].clear();
        self.free.push(slot);
    }
}

/// Walks all operations in causal order.
pub(crate) fn walk(order: &CausalOrder, mut visit: impl FnMut(&Visit<'_>)) {
    let mut clocks: Vec<Clock> = vec![Clock::default(); order.column.len()];
    let mut left_in_session = vec![0_u32; order.column.len()];
    for session in &order.session {
        left_in_session[*session as usize] += 1;
    }
    let mut kept = Kept::new(order);
    let mut before = Clock::default();
    for operation in order.sorted().iter().copied() {
        let session = order.session[operation as usize] as usize;
        let clock = &mut clocks[session];
        let learns = order.sources(operation).next().is_some();
        if learns {
            before.clone_from(clock);
            for source in order.sources(operation) {
                clock.join(kept.get(source).expect("a source comes first and is kept"));
            }
        }
        let earlier = if learns { &before } else { &*clock };
        visit(&Visit { operation, before: earlier, after: clock, clocks: &kept });
        before.clear();
        kept.release(order.sources(operation));
        let column = order.column_of(operation);
        if column != NONE {
            clock.set(column, order.position[operation as usize]);
        }
        kept.keep(operation, clock);
        left_in_session[session] -= 1;
        if left_in_session[session] == 0 {
            *clock = Clock::default();
        }
    }
}
