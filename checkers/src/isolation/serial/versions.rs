//! Versions of keys with dense numbers, who reads and who writes them, and what that says about writers.
//!
//! ```text
//!   T0 w x, w y      versions 0 (x) and 1 (y)
//!   T1 r x           reads 0
//!   T2 w x           version 2                     at first: 3 (x) and 4 (y)
//! ```
//!
//! O(n log n) for n micro-ops; for what readers saw besides, O(r²) for each transaction of r reads.

use histories::Nanos;

use super::lifetimes::Lifetimes;
use crate::isolation::lists::Lists;
use crate::isolation::sources::{INITIAL, NONE};
use crate::isolation::view::View;

/// What each transaction leaves on each key that it writes, and after these what each key is at first.
pub(super) struct Versions {
    /// The number of the first version of each transaction.
    first: Vec<u32>,
    /// The number of the first initial version.
    pub(super) initial: u32,
    /// Which transaction reads which versions.
    pub(super) read_by: Lists,
    /// Who reads each version.
    pub(super) readers: Lists,
    /// When the last read of each version began.
    pub(super) needed_until: Vec<Nanos>,
    /// Who writes each key, by end.
    pub(super) writers: Lists,
}

impl Versions {
    pub(super) fn new(view: &View<'_>, lifetimes: &Lifetimes) -> Self {
        let mut first = Vec::with_capacity(view.len() + 1);
        let mut initial = 0;
        for txn in 0..view.len() {
            first.push(initial);
            initial += view.written.get(txn).len() as u32;
        }
        let count = initial as usize + view.table.key_count();
        let mut read_by = Lists::with_capacity(view.len(), view.len());
        let mut scratch = Vec::new();
        let version = |key: u32, source: u32| match source {
            INITIAL => Some(initial + key),
            _ => {
                let place = view.written.get(source as usize).binary_search(&key).ok()?;
                Some(first[source as usize] + place as u32)
            }
        };
        for txn in 0..view.len() as u32 {
            if view.sources.happened[txn as usize] {
                scratch.extend(view.reads(txn).filter_map(|seen| version(seen.key, seen.source)));
            }
            read_by.push_sorted(&mut scratch);
        }
        let readers = Lists::new(count, |take| {
            for txn in 0..view.len() as u32 {
                read_by.get(txn as usize).iter().for_each(|version| take(*version, txn));
            }
        });
        let needed_until = (0..count).map(|version| lifetimes.last_begin(readers.get(version))).collect();
        let mut by_end: Vec<u32> = view.transactions().collect();
        by_end.sort_unstable_by_key(|txn| (lifetimes.of(*txn).1, *txn));
        let writers = Lists::new(view.table.key_count(), |take| {
            for txn in &by_end {
                view.written.get(*txn as usize).iter().for_each(|key| take(*key, *txn));
            }
        });
        Self { first, initial, read_by, readers, needed_until, writers }
    }

    pub(super) fn count(&self) -> usize {
        self.needed_until.len()
    }

    /// Who wrote this version; none if it was there at first.
    pub(super) fn writer_of(&self, version: u32) -> Option<u32> {
        (version < self.initial).then(|| self.first.partition_point(|first| *first <= version) as u32 - 1)
    }

    /// The keys that a transaction writes, each with the version that it leaves.
    pub(super) fn left_by<'v>(
        &self,
        view: &'v View<'_>,
        txn: u32,
    ) -> impl Iterator<Item = (u32, u32)> + use<'v> {
        let first = self.first[txn as usize];
        view.written.get(txn as usize).iter().zip(first..).map(|(key, version)| (*key, version))
    }
}

/// For each transaction, those that must come before it since a reader of it had seen them and their key
/// as it left it. None if that leaves no order.
pub(super) fn seen_by_readers(view: &View<'_>) -> Option<Lists> {
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut reads = Vec::new();
    for reader in view.transactions() {
        reads.clear();
        reads.extend(view.reads(reader));
        for seen in reads.iter().map(|seen| seen.source).filter(|source| *source < NONE) {
            let written = view.written.get(seen as usize);
            for read in reads.iter().filter(|read| read.source != seen) {
                if written.binary_search(&read.key).is_ok() {
                    if read.source == INITIAL {
                        return None;
                    }
                    pairs.push((read.source, seen));
                }
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    Some(Lists::new(view.len(), |take| pairs.iter().for_each(|(later, first)| take(*later, *first))))
}
