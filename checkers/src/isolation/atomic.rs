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

use histories::threads;

use super::committed::Next;
use super::lists::Lists;
use super::sources::NONE;
use super::view::{Implied, Seen, View};

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
    for reader in view.in_table_order() {
        next.begin(reader + 1);
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

/// Every needed edge that is news, in the order of the readers: of those that sessions
/// imply, then of those that reads imply.
pub(crate) fn implied(view: &View<'_>, readers: &[u32]) -> Vec<Implied> {
    let (mut implied, by_reads) = threads::both(
        view.table.micro_op_count(),
        || implied_by_sessions(view, readers),
        || implied_by_reads(view, readers),
    );
    implied.extend(by_reads);
    implied
}

/// Some sessions at a time, so that their newest writers of all keys take no more room than the table.
fn implied_by_sessions(view: &View<'_>, readers: &[u32]) -> Vec<Implied> {
    let mut implied = Vec::new();
    let (keys, sessions) = (view.table.key_count(), view.chains.len());
    let at_once = (view.table.micro_op_count() / keys.max(1)).clamp(1, sessions.max(1));
    let groups = Lists::new(sessions.div_ceil(at_once), |take| {
        readers.iter().for_each(|reader| take(view.session(*reader) / at_once as u32, *reader));
    });
    // Perhaps of a session that was looked at before in the same place.
    let mut newest = vec![NONE; keys * at_once];
    for reader in (0..groups.len()).flat_map(|group| groups.get(group)).copied() {
        let session = view.session(reader);
        let newest = &mut newest[session as usize % at_once * keys..][..keys];
        for Seen { key, source } in view.reads(reader) {
            let first = newest[key as usize];
            if first != NONE && first != source && view.session(first) == session {
                implied.extend(view.news(Implied { first, later: source, reader, key }));
            }
        }
        for key in view.written.get(reader as usize) {
            newest[*key as usize] = reader;
        }
    }
    implied
}

fn implied_by_reads(view: &View<'_>, readers: &[u32]) -> Vec<Implied> {
    let mut implied = Vec::new();
    let mut next = Next::new(view.table.key_count());
    for reader in readers.iter().copied() {
        next.begin(reader + 1);
        view.reads(reader).for_each(|seen| next.set(seen));
        let mut before = NONE;
        for first in view.read_from(reader) {
            if first != before {
                next.shared_with(view.written.get(first as usize), &mut |key, later| {
                    if later != first {
                        implied.extend(view.news(Implied { first, later, reader, key }));
                    }
                });
            }
            before = first;
        }
    }
    implied
}
