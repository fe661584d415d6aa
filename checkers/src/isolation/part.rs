//! A part of a history: a few of its transactions, and of these only what they say about each other.
//! What breaks a level in a part breaks it in the whole, for every order of the whole is one of the part.
//!
//! ```text
//!   T1  w x 1, w y 1          without T2:    T1  w x 1
//!   T2  w y 2                                T3  r x 1        (its read of y says nothing any more)
//!   T3  r x 1, r y 2
//! ```

use std::collections::BTreeSet;

use histories::SessionId;
use histories::compact::{TxnId, TxnStatus, TxnTable, TxnTableBuilder};

use super::sources::{INITIAL, NONE};
use super::view::View;

/// A part, as a table of its own. Its sessions are numbered as in the whole.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) table: TxnTable,
    /// Each transaction's number in the whole, ascending.
    pub(crate) transactions: Vec<u32>,
    /// Each key's number in the whole.
    pub(crate) keys: Vec<u32>,
}

impl Part {
    /// These transactions, which are sorted, without the keys in `ignored`.
    pub(crate) fn new(view: &View<'_>, transactions: Vec<u32>, ignored: &BTreeSet<u32>) -> Self {
        let mut builder = TxnTableBuilder::default();
        let mut keys = Vec::new();
        for txn in &transactions {
            builder.begin(SessionId(view.session(*txn)));
            let mut writes: Vec<u32> = Vec::new();
            for place in view.table.range(TxnId(*txn)) {
                let key = view.table.key_at(place);
                let source = view.sources.of[place];
                let speaks = source == INITIAL || transactions.binary_search(&source).is_ok();
                if ignored.contains(&key) || !(view.table.writes_at(place) || source != NONE && speaks) {
                    continue;
                }
                let number = builder.key_of_number(u64::from(key));
                if number as usize == keys.len() {
                    keys.push(key);
                }
                if view.table.writes_at(place) {
                    writes.push(number);
                } else {
                    builder.read(number, (source != INITIAL).then_some(i64::from(source)));
                }
            }
            // Writes come last, so that no read is one of an own write.
            writes.sort_unstable();
            writes.dedup();
            writes.iter().for_each(|key| builder.write(*key, i64::from(*txn)));
            match view.table.times(TxnId(*txn)) {
                Some((invoked, completed)) => builder.end_at(TxnStatus::Committed, invoked, completed),
                None => builder.end(TxnStatus::Committed),
            }
        }
        Self { table: builder.finish(), transactions, keys }
    }
}

/// The fewest transactions found that are still broken, and the keys that do not matter. Takes out more
/// and more at a time, then fewer and fewer, as long as `is_broken` stays true.
///
/// Source: Zeller & Hildebrandt, Simplifying and isolating failure-inducing input, TSE 2002.
pub(crate) fn shrunk(
    view: &View<'_>,
    mut transactions: Vec<u32>,
    mut is_broken: impl FnMut(&TxnTable) -> bool,
) -> Part {
    let nothing = BTreeSet::new();
    transactions.sort_unstable();
    transactions.dedup();
    let mut size = transactions.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        let before = transactions.len();
        while start < transactions.len() {
            let end = transactions.len().min(start + size);
            let rest = [&transactions[..start], &transactions[end..]].concat();
            if is_broken(&Part::new(view, rest.clone(), &nothing).table) {
                transactions = rest;
            } else {
                start = end;
            }
        }
        // At the end, again as long as something goes.
        size = if size == 1 && transactions.len() < before { 1 } else { size / 2 };
    }
    let mut ignored = BTreeSet::new();
    for key in Part::new(view, transactions.clone(), &nothing).keys {
        ignored.insert(key);
        if !is_broken(&Part::new(view, transactions.clone(), &ignored).table) {
            ignored.remove(&key);
        }
    }
    Part::new(view, transactions, &ignored)
}
