//! Read committed: what a transaction has seen of another is not undone by what it reads later.
//!
//! ```text
//!   T1  w x 1            T3 read from T2 before it read x, and T2 writes x too:
//!   T2  w x 2, w y 2     what T3 then saw of x, T1's, must be newer than T2's
//!   T3  r y 2, r x 1     T2 ──▶ T1
//! ```
//!
//! Only the next read of each key after the first look at T2 matters: if that one saw T1 and a later one
//! T4, then T1 ──▶ T4 follows by the same rule. Whichever is smaller, what T2 wrote or what T3 goes on to
//! read, is gone through: O(n^{3/2}) for n micro-ops.
//!
//! Source: Biswas & Enea, OOPSLA 2019 (the rule); AWDIT, PLDI 2025 (which of its edges are needed).

use histories::threads;

use super::view::{Implied, Seen, View};

/// Every needed edge that is news, in the order of the readers.
pub(crate) fn implied(view: &View<'_>, readers: &[u32]) -> Vec<Implied> {
    threads::in_halves(view.table.micro_op_count(), readers, |readers| implied_by(view, readers)).concat()
}

fn implied_by(view: &View<'_>, readers: &[u32]) -> Vec<Implied> {
    let mut implied = Vec::new();
    let mut next = Next::new(view.table.key_count());
    let mut first_look = vec![0_u32; view.len()];
    let mut reads: Vec<(Seen, bool)> = Vec::new();
    for reader in readers.iter().copied() {
        let stamp = reader + 1;
        reads.clear();
        for seen in view.reads(reader) {
            let is_first = first_look
                .get_mut(seen.source as usize)
                .is_some_and(|look| std::mem::replace(look, stamp) != stamp);
            reads.push((seen, is_first));
        }
        next.begin(stamp);
        for (seen, is_first) in reads.iter().rev() {
            let mut edge = |key: u32, later: u32| {
                if later != seen.source {
                    implied.extend(view.news(Implied { first: seen.source, later, reader, key }));
                }
            };
            if *is_first {
                next.shared_with(view.written.get(seen.source as usize), &mut edge);
            } else if (seen.source as usize) < view.len() {
                next.of(seen.key).into_iter().for_each(|later| edge(seen.key, later));
            }
            next.set(*seen);
        }
    }
    implied
}

/// For each key, what the next read of it sees, going backwards through a transaction.
pub(super) struct Next {
    /// The transaction of which a key's entry is, and the entry.
    entries: Vec<(u32, u32)>,
    keys: Vec<u32>,
    /// One bit for each key that is read, by its last six bits: most keys need no look at the entries.
    hint: u64,
    stamp: u32,
}

impl Next {
    pub(super) fn new(keys: usize) -> Self {
        Self { entries: vec![(0, 0); keys], keys: Vec::new(), hint: 0, stamp: 0 }
    }

    /// Forgets all; `stamp` must not have been used before.
    pub(super) fn begin(&mut self, stamp: u32) {
        self.keys.clear();
        (self.hint, self.stamp) = (0, stamp);
    }

    #[inline]
    pub(super) fn of(&self, key: u32) -> Option<u32> {
        if self.hint >> (key & 63) & 1 == 0 {
            return None;
        }
        let (stamp, source) = self.entries[key as usize];
        (stamp == self.stamp).then_some(source)
    }

    pub(super) fn set(&mut self, seen: Seen) {
        if self.of(seen.key).is_none() {
            self.keys.push(seen.key);
        }
        self.hint |= 1 << (seen.key & 63);
        self.entries[seen.key as usize] = (self.stamp, seen.source);
    }

    /// The keys that have an entry and are among `written`, which is sorted, each with its entry.
    #[inline]
    pub(super) fn shared_with(&self, written: &[u32], take: &mut impl FnMut(u32, u32)) {
        if written.len() <= self.keys.len() * 4 {
            for key in written {
                if let Some(source) = self.of(*key) {
                    take(*key, source);
                }
            }
            return;
        }
        for key in &self.keys {
            if written.binary_search(key).is_ok() {
                take(*key, self.entries[*key as usize].1);
            }
        }
    }
}
