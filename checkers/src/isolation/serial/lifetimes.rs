//! When each transaction began and ended, as far as an order has to respect it.
//!
//! ```text
//!   T1 |- w x 1 -|
//!                   T2 |- w x 2 -|
//!                                    T3 |- r x 1 -|       T3 read what had been replaced when it began
//! ```
//!
//! An order in real time does not exist here. One that goes only along sessions, or along nothing, may
//! have T3 before T2: so T3 may have happened at any time, and all the others when they did.
//!
//! ```text
//!   T1 |- w x 1 ------------- nobody knows
//!            T2 |- r x 1 -|                   T1 was over when T2 was; T2 did not begin before T1
//! ```
//!
//! O(n log n). A reader that is stale only by what it saw of several keys is not noticed.

use histories::Nanos;
use histories::compact::TxnId;

use super::Along;
use crate::isolation::lists::Lists;
use crate::isolation::sources::INITIAL;
use crate::isolation::view::View;

pub(super) struct Lifetimes {
    of: Vec<(Nanos, Nanos)>,
}

/// Any time at all.
const ALWAYS: (Nanos, Nanos) = (Nanos(0), Nanos(u64::MAX));

impl Lifetimes {
    /// None if reads and sessions go round in a circle, or against time.
    pub(super) fn new(view: &View<'_>, along: Along) -> Option<Self> {
        let transactions = 0..view.len() as u32;
        let of = transactions.map(|txn| view.table.times(TxnId(txn)).unwrap_or(ALWAYS)).collect();
        let mut lifetimes = Self { of };
        if along < Along::RealTime {
            for reader in lifetimes.stale_readers(view) {
                lifetimes.of[reader as usize] = ALWAYS;
            }
        }
        lifetimes.tighten(view, along)?;
        Some(lifetimes)
    }

    /// Nobody begins before whom it read from, and nobody ends after those who read from it.
    fn tighten(&mut self, view: &View<'_>, along: Along) -> Option<()> {
        let followers = Lists::new(view.len(), |take| {
            for txn in view.transactions() {
                view.read_from(txn).for_each(|source| take(source, txn));
            }
            for chain in (0..view.chains.len()).filter(|_| along >= Along::Sessions) {
                view.chains.get(chain).windows(2).for_each(|pair| take(pair[0], pair[1]));
            }
        });
        let order = followers.topological()?;
        for txn in &order {
            let begin = self.of(*txn).0;
            for follower in followers.get(*txn as usize) {
                let theirs = &mut self.of[*follower as usize].0;
                *theirs = begin.max(*theirs);
            }
        }
        for txn in order.iter().rev() {
            let ends = followers.get(*txn as usize).iter().map(|follower| self.of(*follower).1);
            let end = ends.min().unwrap_or(Nanos(u64::MAX));
            let own = &mut self.of[*txn as usize].1;
            *own = end.min(*own);
        }
        view.transactions().all(|txn| self.of(txn).0 <= self.of(txn).1).then_some(())
    }

    /// Begin and end.
    #[inline]
    pub(super) fn of(&self, txn: u32) -> (Nanos, Nanos) {
        self.of[txn as usize]
    }

    /// When the last of these began.
    pub(super) fn last_begin(&self, transactions: &[u32]) -> Nanos {
        transactions.iter().map(|txn| self.of(*txn).0).max().unwrap_or(Nanos(0))
    }

    /// Who read a version of a key that another had replaced, from begin to end after its writer and before
    /// its reader.
    fn stale_readers(&self, view: &View<'_>) -> Vec<u32> {
        let writers = view.writers();
        let newest: Vec<Vec<(Nanos, Nanos)>> =
            (0..writers.len()).map(|key| self.newest_begins(writers.get(key))).collect();
        let is_stale = |reader: u32| {
            let begin = self.of(reader).0;
            view.reads(reader).any(|seen| {
                let newest = &newest[seen.key as usize];
                let count = newest.partition_point(|(end, _)| *end < begin);
                let replaced = count.checked_sub(1).map(|place| newest[place].1);
                match seen.source {
                    INITIAL => replaced.is_some(),
                    source => replaced.is_some_and(|replaced| self.of(source).1 < replaced),
                }
            })
        };
        view.transactions().filter(|reader| is_stale(*reader)).collect()
    }

    /// By end, and with each the newest begin among those that ended until then.
    fn newest_begins(&self, writers: &[u32]) -> Vec<(Nanos, Nanos)> {
        let mut ends: Vec<(Nanos, Nanos)> = writers.iter().map(|txn| self.of(*txn)).collect();
        ends.iter_mut().for_each(|lifetime| *lifetime = (lifetime.1, lifetime.0));
        ends.sort_unstable();
        let mut newest = Nanos(0);
        for (_, begin) in &mut ends {
            newest = newest.max(*begin);
            *begin = newest;
        }
        ends
    }
}
