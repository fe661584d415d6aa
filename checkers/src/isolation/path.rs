//! Shortest ways through session order, reads and implied edges, backwards from their ends: the table
//! knows what comes before a transaction, and nothing has to be built.
//!
//! ```text
//!   T9  ◀── its session: T1 … T8      one step, however many lie between
//!       ◀── whom it read from
//!       ◀── what is implied to be before it
//! ```

use rustc_hash::FxHashMap;

use super::answer::{Link, Why};
use super::sources::INITIAL;
use super::view::{Implied, View};
use super::walk::Stuck;
use histories::compact::TxnId;

/// Transactions, each before the next; for a circle the last is before the first. With each goes the
/// reason why it is before the next, if neither session order nor a read is.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) steps: Vec<(u32, Option<Implied>)>,
}

/// Transactions that are looked at before the best so far is taken.
const LOOKS_MAX: usize = 2_000_000;

impl Path {
    pub(crate) fn transactions(&self) -> Vec<u32> {
        self.steps.iter().map(|(txn, _)| *txn).collect()
    }

    /// The edges of a circle.
    pub(crate) fn links(&self, view: &View<'_>) -> Vec<Link> {
        let next = self.steps.iter().skip(1).chain(self.steps.first());
        self.steps.iter().zip(next).map(|((from, reason), (to, _))| link(view, *from, *to, *reason)).collect()
    }
}

fn link(view: &View<'_>, from: u32, to: u32, reason: Option<Implied>) -> Link {
    let why = match reason {
        Some(Implied { later: INITIAL, key, .. }) => Why::Overwritten { key },
        Some(Implied { reader, key, .. }) => Why::Newer { key, reader: TxnId(reader) },
        None => match view.keys_read_from(to, from).next() {
            Some(key) => Why::Read { key },
            None => Why::Session,
        },
    };
    Link { from: TxnId(from), to: TxnId(to), why }
}

/// A circle among what could not be put in order: a shortest one, if the search does not get too long.
pub(crate) fn shortest_circle(view: &View<'_>, implied: &[Implied], stuck: Stuck) -> Path {
    let is_stuck = |txn: u32| !stuck.done[txn as usize];
    let mut search = Search::new(view, &stuck.done, implied);
    let mut best = search.with_reasons(&stuck.circle);
    for edge in implied {
        let (from, to) = edge.edge();
        if search.looks == 0 || best.steps.len() <= 2 {
            break;
        }
        if is_stuck(from) && is_stuck(to) {
            // The way back from `to` to `from` closes the circle.
            if let Some(way) = search.way(to, from, best.steps.len() - 1) {
                best = search.with_reasons(&way);
            }
        }
    }
    if implied.is_empty() {
        search.circles_of_reads(&mut best);
    }
    best
}

/// Transactions through which `from` is known to `to`, by session order and reads.
pub(crate) fn between(view: &View<'_>, from: u32, to: u32) -> Vec<u32> {
    let mut search = Search::new(view, &[], &[]);
    search.way(from, to, usize::MAX).unwrap_or_default()
}

struct Search<'v> {
    view: &'v View<'v>,
    /// Transactions that are part of no circle; empty if nobody knows.
    done: &'v [bool],
    /// By what they lead to, and the reason of each.
    implied: FxHashMap<u32, Vec<Implied>>,
    looks: usize,
}

impl<'v> Search<'v> {
    fn new(view: &'v View<'v>, done: &'v [bool], implied: &[Implied]) -> Self {
        let mut by_end: FxHashMap<u32, Vec<Implied>> = FxHashMap::default();
        for edge in implied {
            let (from, to) = edge.edge();
            if !done[from as usize] && !done[to as usize] {
                by_end.entry(to).or_default().push(*edge);
            }
        }
        Self { view, done, implied: by_end, looks: LOOKS_MAX }
    }

    fn with_reasons(&self, circle: &[u32]) -> Path {
        let next = circle.iter().skip(1).chain(circle.first());
        let reason = |from: u32, to: u32| {
            let known = self.view.in_session_order(from, to) || self.view.read_from(to).any(|by| by == from);
            let edges = self.implied.get(&to).filter(|_| !known);
            edges.and_then(|edges| edges.iter().find(|edge| edge.edge().0 == from).copied())
        };
        Path { steps: circle.iter().zip(next).map(|(from, to)| (*from, reason(*from, *to))).collect() }
    }

    fn circles_of_reads(&mut self, best: &mut Path) {
        let view = self.view;
        for reader in view.transactions().filter(|txn| !self.done[*txn as usize]) {
            for source in view.read_from(reader) {
                if self.looks == 0 || best.steps.len() <= 2 {
                    return;
                }
                if !self.done[source as usize]
                    && let Some(way) = self.way(reader, source, best.steps.len() - 1)
                {
                    *best = self.with_reasons(&way);
                }
            }
        }
    }

    /// A shortest way of at most so many transactions, both ends included.
    fn way(&mut self, from: u32, to: u32, most: usize) -> Option<Vec<u32>> {
        let mut next: FxHashMap<u32, u32> = FxHashMap::default();
        // Of each session that was met, how many transactions from its start on are looked at already.
        let mut covered: FxHashMap<u32, u32> = FxHashMap::default();
        next.insert(to, to);
        let (mut layer, mut length) = (vec![to], 1);
        while !layer.is_empty() && length < most && self.looks > 0 {
            let mut farther = Vec::new();
            for txn in layer {
                for before in self.before(txn, &mut covered) {
                    self.looks = self.looks.saturating_sub(1);
                    next.entry(before).or_insert_with(|| {
                        farther.push(before);
                        txn
                    });
                }
            }
            if next.contains_key(&from) {
                return Some(way_along(&next, from, to));
            }
            (layer, length) = (farther, length + 1);
        }
        None
    }

    fn before(&self, txn: u32, covered: &mut FxHashMap<u32, u32>) -> Vec<u32> {
        let view = self.view;
        let session = view.session(txn);
        let chain = view.chains.get(session as usize);
        let from = covered.entry(session).or_insert(0);
        let place = view.position[txn as usize];
        let of_session = &chain[(*from).min(place) as usize..place as usize];
        *from = place.max(*from);
        let implied = self.implied.get(&txn).map_or(&[][..], Vec::as_slice);
        let all = of_session.iter().copied().chain(view.read_from(txn));
        let all = all.chain(implied.iter().map(|edge| edge.edge().0));
        all.filter(|before| self.done.get(*before as usize) != Some(&true)).collect()
    }
}

fn way_along(next: &FxHashMap<u32, u32>, from: u32, to: u32) -> Vec<u32> {
    let mut way = vec![from];
    let mut at = from;
    while at != to {
        at = next[&at];
        way.push(at);
    }
    way
}
