//! Reads of one transaction that do not agree, whoever wrote what they saw.
//!
//! ```text
//!   T1  w x 1      T2  w x 2      T3  w x 2      T4  r x 1, r x 2
//!
//!   T2 or T3 wrote what T4 read second, nobody knows which: it is another version than the first anyway
//! ```
//!
//! Where both versions are known: `atomic.rs`. O(n) for the micro-ops of transactions that read such a value.

use histories::compact::TxnId;
use rustc_hash::FxHashMap;

use super::atomic::{self, Unrepeatable};
use super::view::View;

/// Every read that saw another version than an earlier one of its transaction; of those whose writer nobody
/// knows, one for each transaction and key.
pub(crate) fn unrepeatable(view: &View<'_>) -> Vec<Unrepeatable> {
    let mut found = atomic::unrepeatable(view);
    let sources = &view.sources;
    let mut ambiguous: Vec<(u32, u32)> = sources.ambiguous_at.clone();
    ambiguous.retain(|(reader, _)| sources.happened[*reader as usize]);
    ambiguous.sort_unstable();
    for reads in ambiguous.chunk_by(|a, b| a.0 == b.0) {
        changed(view, reads[0].0, reads, &mut found);
    }
    found
}

/// What a transaction saw of a key first, and where; none once it is told or the transaction wrote the key.
type First = Option<(usize, i64)>;

fn changed(view: &View<'_>, reader: u32, ambiguous: &[(u32, u32)], found: &mut Vec<Unrepeatable>) {
    let of = &view.sources.of;
    let is_ambiguous =
        |place: usize| ambiguous.binary_search_by_key(&place, |(_, place)| *place as usize).is_ok();
    let mut firsts: FxHashMap<u32, First> = FxHashMap::default();
    for place in view.table.range(TxnId(reader)) {
        let row = view.table.row(place);
        if row.is_write {
            firsts.insert(row.key, None);
            continue;
        }
        match *firsts.entry(row.key).or_insert(Some((place, row.value))) {
            Some((before, value)) if value != row.value && (is_ambiguous(before) || is_ambiguous(place)) => {
                let sources = [of[before], of[place]];
                found.push(Unrepeatable { reader, key: row.key, sources, place: place as u32 });
                firsts.insert(row.key, None);
            }
            _ => {}
        }
    }
}
