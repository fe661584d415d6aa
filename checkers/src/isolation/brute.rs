//! Every order of commits, by the definitions alone: an oracle for small tables.
//!
//! Source: Biswas & Enea, OOPSLA 2019, fig. 2.

use histories::compact::{TxnId, TxnTable};

use super::sources::{INITIAL, NONE};
use super::view::View;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axiom {
    ReadCommitted,
    ReadAtomic,
    Causal,
    Prefix,
    Snapshot,
    Serializable,
    StrictSnapshot,
    StrictSerializable,
}

impl Axiom {
    fn is_strict(self) -> bool {
        matches!(self, Self::StrictSnapshot | Self::StrictSerializable)
    }
}

/// True if some order of commits satisfies the axiom, and every read can be explained.
pub(super) fn holds(axiom: Axiom, table: &TxnTable) -> bool {
    let view = View::new(table);
    if !view.sources.flaws.is_empty() {
        return false;
    }
    let all: Vec<u32> = view.transactions().collect();
    let known = known(&view, &all);
    let in_time = |order: &[u32]| {
        let Some((newest, before)) = order.split_last() else { return true };
        !axiom.is_strict() || before.iter().all(|other| !ended_before(&view, *newest, *other))
    };
    let mut order = Vec::new();
    try_orders(&all, &mut order, &|order| known.agrees(order) && in_time(order), &mut |order| {
        keeps(axiom, &view, &known, order)
    })
}

/// What is before what by session order and reads: directly, and through others.
struct Known {
    direct: Vec<Vec<bool>>,
    through: Vec<Vec<bool>>,
}

impl Known {
    fn agrees(&self, order: &[u32]) -> bool {
        let Some((newest, before)) = order.split_last() else { return true };
        before.iter().all(|other| !self.direct[*newest as usize][*other as usize])
    }
}

fn known(view: &View<'_>, all: &[u32]) -> Known {
    let mut direct = vec![vec![false; view.len()]; view.len()];
    for a in all {
        for b in all {
            direct[*a as usize][*b as usize] =
                view.in_session_order(*a, *b) || view.read_from(*b).any(|source| source == *a);
        }
    }
    let mut through = direct.clone();
    for middle in all.iter().map(|txn| *txn as usize) {
        for a in 0..view.len() {
            for b in 0..view.len() {
                through[a][b] |= through[a][middle] && through[middle][b];
            }
        }
    }
    Known { direct, through }
}

/// True if `accept` takes some order of all of which `possible` takes every beginning.
pub(super) fn try_orders(
    all: &[u32],
    order: &mut Vec<u32>,
    possible: &dyn Fn(&[u32]) -> bool,
    accept: &mut dyn FnMut(&[u32]) -> bool,
) -> bool {
    if order.len() == all.len() {
        return accept(order);
    }
    for txn in all {
        if !order.contains(txn) {
            order.push(*txn);
            if possible(order) && try_orders(all, order, possible, accept) {
                return true;
            }
            order.pop();
        }
    }
    false
}

fn ended_before(view: &View<'_>, first: u32, later: u32) -> bool {
    let times = |txn| view.table.times(TxnId(txn)).unwrap();
    times(first).1 < times(later).0
}

/// True if the axiom demands that `other` is seen by `reader`.
fn is_visible(axiom: Axiom, view: &View<'_>, known: &Known, order: &[u32], pair: (u32, u32)) -> bool {
    let (other, reader) = pair;
    let rank = |txn: u32| order.iter().position(|one| *one == txn);
    // Through some transaction that is not before `other`.
    let through =
        |link: &dyn Fn(u32) -> bool| order.iter().any(|txn| rank(other) <= rank(*txn) && link(*txn));
    let prefix = |strict: bool| {
        through(&|txn| {
            known.direct[txn as usize][reader as usize] || strict && ended_before(view, txn, reader)
        })
    };
    let conflict = || {
        through(&|txn| {
            let keys = view.written.get(txn as usize);
            rank(txn) < rank(reader) && keys.iter().any(|key| view.writes(reader, *key))
        })
    };
    match axiom {
        Axiom::ReadCommitted => false,
        Axiom::ReadAtomic => known.direct[other as usize][reader as usize],
        Axiom::Causal => known.through[other as usize][reader as usize],
        Axiom::Prefix => prefix(false),
        Axiom::Snapshot => prefix(false) || conflict(),
        Axiom::StrictSnapshot => prefix(true) || conflict(),
        Axiom::Serializable | Axiom::StrictSerializable => rank(other) < rank(reader),
    }
}

fn keeps(axiom: Axiom, view: &View<'_>, known: &Known, order: &[u32]) -> bool {
    let rank = |txn: u32| match txn {
        INITIAL => 0,
        txn => 1 + order.iter().position(|other| *other == txn).unwrap_or(usize::MAX - 1),
    };
    order.iter().all(|reader| {
        let places: Vec<usize> = view.table.range(TxnId(*reader)).collect();
        places.iter().filter(|place| view.sources.of[**place] != NONE).all(|place| {
            let (key, source) = (view.table.key_at(*place), view.sources.of[*place]);
            order.iter().filter(|other| **other != source && **other != *reader).all(|other| {
                let seen_before = places
                    .iter()
                    .take_while(|before| *before < place)
                    .any(|before| view.sources.of[*before] == *other);
                let premise = (axiom == Axiom::ReadCommitted && seen_before)
                    || is_visible(axiom, view, known, order, (*other, *reader));
                !view.writes(*other, key) || !premise || rank(*other) < rank(source)
            })
        })
    })
}
