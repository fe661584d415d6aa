//! What all levels need to know of a table: who wrote what was read, and the sessions' order.

use histories::compact::{TxnId, TxnTable};
use histories::threads;

use super::lists::Lists;
use super::sources::{INITIAL, NONE, Sources};

/// A table with its indexes: about 8 bytes a micro-op and 20 a transaction.
#[derive(Debug)]
pub(crate) struct View<'t> {
    pub(crate) table: &'t TxnTable,
    pub(crate) sources: Sources,
    /// The transactions of each session that happened, in program order.
    pub(crate) chains: Lists,
    /// The place of each transaction in its session.
    pub(crate) position: Vec<u32>,
    /// The keys that each transaction writes, sorted.
    pub(crate) written: Lists,
}

/// A read that another transaction, or the initial state, explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) key: u32,
    /// A transaction or [`INITIAL`].
    pub(crate) source: u32,
}

impl<'t> View<'t> {
    pub(crate) fn new(table: &'t TxnTable) -> Self {
        let sources = Sources::new(table);
        let happened = &sources.happened;
        let ((chains, position), written) = threads::both(
            table.micro_op_count(),
            || in_sessions(table, happened),
            || written_by_each(table, happened),
        );
        Self { table, sources, chains, position, written }
    }

    /// How many transactions there are, whether they happened or not.
    pub(crate) fn len(&self) -> usize {
        self.position.len()
    }

    /// The reads of a transaction that say something, in program order.
    #[inline]
    pub(crate) fn reads(&self, txn: u32) -> impl Iterator<Item = Seen> {
        self.places_of_reads(txn).map(|(_, seen)| seen)
    }

    /// The same, each with the place of its micro-op.
    #[inline]
    pub(crate) fn places_of_reads(&self, txn: u32) -> impl Iterator<Item = (usize, Seen)> {
        self.table.range(TxnId(txn)).filter_map(|place| {
            let source = self.sources.of[place];
            (source != NONE).then(|| (place, Seen { key: self.table.key_at(place), source }))
        })
    }

    /// The transactions that this one read from, perhaps repeatedly.
    #[inline]
    pub(crate) fn read_from(&self, txn: u32) -> impl Iterator<Item = u32> {
        self.sources.of[self.table.range(TxnId(txn))].iter().copied().filter(|source| *source < NONE)
    }

    #[inline]
    pub(crate) fn session(&self, txn: u32) -> u32 {
        self.table.session_of(TxnId(txn))
    }

    #[cfg(test)]
    pub(crate) fn writes(&self, txn: u32, key: u32) -> bool {
        self.written.get(txn as usize).binary_search(&key).is_ok()
    }

    /// All transactions that happened, in the order of the table.
    pub(crate) fn in_table_order(&self) -> impl Iterator<Item = u32> {
        (0..self.position.len() as u32).filter(|txn| self.sources.happened[*txn as usize])
    }

    /// All transactions that happened, session by session.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = u32> {
        (0..self.chains.len()).flat_map(|chain| self.chains.get(chain)).copied()
    }

    /// True if both are of one session, in this order.
    pub(crate) fn in_session_order(&self, first: u32, later: u32) -> bool {
        self.session(first) == self.session(later)
            && self.position[first as usize] < self.position[later as usize]
    }

    /// An implied edge, if sessions do not say the same.
    #[inline]
    pub(crate) fn news(&self, edge: Implied) -> Option<Implied> {
        (edge.later == INITIAL || !self.in_session_order(edge.first, edge.later)).then_some(edge)
    }

    /// The keys that `reader` read from `writer`.
    pub(crate) fn keys_read_from(&self, reader: u32, writer: u32) -> impl Iterator<Item = u32> {
        self.reads(reader).filter(move |seen| seen.source == writer).map(|seen| seen.key)
    }

    /// How many reads are explained by another transaction or by the initial state.
    pub(crate) fn read_count(&self) -> u64 {
        self.sources.of.iter().filter(|source| **source != NONE).count() as u64
    }

    /// The writers of each key, by session and in program order within it.
    pub(crate) fn writers(&self) -> Lists {
        Lists::new(self.table.key_count(), |take| {
            for txn in self.transactions() {
                self.written.get(txn as usize).iter().for_each(|key| take(*key, txn));
            }
        })
    }
}

/// The transactions of each session that happened, and the place of each there.
fn in_sessions(table: &TxnTable, happened: &[bool]) -> (Lists, Vec<u32>) {
    let chains = Lists::new(table.session_count(), |take| {
        for txn in table.transactions().filter(|txn| happened[txn.index()]) {
            take(table.session_of(txn), txn.0);
        }
    });
    let mut position = vec![0; table.len()];
    for chain in 0..chains.len() {
        for (place, txn) in chains.get(chain).iter().enumerate() {
            position[*txn as usize] = place as u32;
        }
    }
    (chains, position)
}

/// The keys that each transaction writes that happened, sorted.
fn written_by_each(table: &TxnTable, happened: &[bool]) -> Lists {
    let mut written = Lists::with_capacity(table.len(), table.micro_op_count() / 2);
    let mut scratch = Vec::new();
    for txn in table.transactions() {
        if happened[txn.index()] {
            scratch.extend(table.rows(txn).filter(|row| row.is_write).map(|row| row.key));
        }
        written.push_sorted(&mut scratch);
    }
    written
}

/// `first` must come before `later` in every order of commits, for `reader` saw the `key` that both
/// write as `later` left it, although it knew of `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Implied {
    pub(crate) first: u32,
    /// A transaction or [`INITIAL`]: then nothing explains the read.
    pub(crate) later: u32,
    pub(crate) reader: u32,
    pub(crate) key: u32,
}

impl Implied {
    /// What must come before what. A read of the initial state comes before all writers of its key.
    pub(crate) fn edge(&self) -> (u32, u32) {
        match self.later {
            INITIAL => (self.reader, self.first),
            later => (self.first, later),
        }
    }
}
