//! Read atomic: of another transaction's effects one sees all or none, and one's session goes on from
//! where it was.
//!
//! ```text
//!   T1  w x 1, w y 1
//!   T2  w x 2, w y 2     T3 read y from T2, and T2 writes x too: T1, whose x it saw, must be newer
//!   T3  r x 1, r y 2     T2 ──▶ T1; the same if T2 is before T3 in one session
//! ```
//!
//! Of one session only the newest writer of each key before T3 matters: the older ones are before it.
//! O(n^{3/2}) for n micro-ops.
//!
//! Source: Biswas & Enea, OOPSLA 2019 (the rule); AWDIT, PLDI 2025 (which of its edges are needed).

use super::committed::Next;
use super::sources::NONE;
use super::view::{Implied, View};

/// One transaction read two versions of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unrepeatable {
    pub(crate) reader: u32,
    pub(crate) key: u32,
    /// Whose versions they are: transactions or the initial state.
    pub(crate) sources: [u32; 2],
    /// The place of the second read.
    pub(crate) place: u32,
}

/// Every read that saw another version than an earlier one of its transaction.
pub(crate) fn unrepeatable(view: &View<'_>) -> Vec<Unrepeatable> {
    let mut found = Vec::new();
    let mut next = Next::new(view.table.key_count());
    for (number, reader) in view.transactions().enumerate() {
        next.begin(number as u32 + 1);
        for (place, seen) in view.places_of_reads(reader) {
            match next.of(seen.key) {
                Some(before) if before != seen.source => {
                    let sources = [before, seen.source];
                    found.push(Unrepeatable { reader, key: seen.key, sources, place: place as u32 });
                }
                Some(_) => {}
                None => next.set(seen),
            }
        }
    }
    found
}

/// Hands every needed edge to `take`.
pub(crate) fn implied(view: &View<'_>, mut take: impl FnMut(Implied)) {
    let mut next = Next::new(view.table.key_count());
    // The newest writer of each key in the session that is gone through, and which session that was.
    let mut newest = vec![(u32::MAX, 0_u32); view.table.key_count()];
    for chain in 0..view.chains.len() {
        for reader in view.chains.get(chain).iter().copied() {
            next.begin(reader + 1);
            for seen in view.reads(reader) {
                next.set(seen);
                let (session, first) = newest[seen.key as usize];
                if session == chain as u32 && first != seen.source {
                    take(Implied { first, later: seen.source, reader, key: seen.key });
                }
            }
            let mut before = NONE;
            for first in view.read_from(reader) {
                if first != before {
                    next.shared_with(view.written.get(first as usize), &mut |key, later| {
                        if later != first {
                            take(Implied { first, later, reader, key });
                        }
                    });
                }
                before = first;
            }
            for key in view.written.get(reader as usize) {
                newest[*key as usize] = (chain as u32, reader);
            }
        }
    }
}
