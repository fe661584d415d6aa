//! All transactions in one order along sessions and reads: the first guess at an order that explains all
//! that was seen, and the way along which edges are looked for.
//!
//! ```text
//!   table   T0  T1  T2      T2 read from T1, T1 from T0: everything comes after what it saw,
//!                           the table's own order will do
//!   table   T0  T1  T2      T0 read from T2: T2 must be first, the sessions are walked (`walk.rs`)
//! ```
//!
//! Most files are written as things happened. Who goes through transactions as they happened also finds what
//! they saw of each other in the processor's cache. O(n), eight bytes a transaction.

use super::sources::NONE;
use super::view::{Implied, View};
use super::walk::{Stuck, in_order};
use histories::compact::TxnId;

/// The transactions that happened, in such an order as far as there is one.
#[derive(Debug)]
pub(crate) struct Order {
    /// Of each session in program order, also where there is no order of all.
    pub(crate) transactions: Vec<u32>,
    /// A number for each transaction that grows along the order.
    rank: Vec<u32>,
    /// Why there is no order.
    pub(crate) stuck: Option<Stuck>,
}

impl Order {
    pub(crate) fn new(view: &View<'_>) -> Self {
        if view.in_table_order().all(|txn| is_after_its_sources(view, txn)) {
            let rank = (0..view.len() as u32).collect();
            return Self { transactions: view.in_table_order().collect(), rank, stuck: None };
        }
        let mut transactions = Vec::with_capacity(view.len());
        let walked = in_order(view, None, |txn| transactions.push(txn));
        if let Err(stuck) = walked {
            return Self {
                transactions: view.in_table_order().collect(),
                rank: Vec::new(),
                stuck: Some(stuck),
            };
        }
        let mut rank = vec![0; view.len()];
        for (place, txn) in transactions.iter().enumerate() {
            rank[*txn as usize] = place as u32;
        }
        Self { transactions, rank, stuck: None }
    }

    /// True if this is an order along these edges, too. That it is not does not mean that there is none.
    pub(crate) fn goes_along(&self, implied: &[Implied]) -> bool {
        let is_along = |(from, to): (u32, u32)| self.rank[from as usize] < self.rank[to as usize];
        self.stuck.is_none() && implied.iter().map(Implied::edge).all(is_along)
    }
}

fn is_after_its_sources(view: &View<'_>, txn: u32) -> bool {
    let sources = &view.sources.of[view.table.range(TxnId(txn))];
    sources.iter().all(|source| *source < txn || *source >= NONE)
}
