//! How one operation came to know of another: a path with as few hops between sessions as possible.
//!
//! ```text
//!   1 ──wr──▶ 2 ──so──▶ 3 ──wr──▶ 4 ──so──▶ 5
//! ```
//!
//! Breadth-first backwards from the later one, a session at a time: all earlier operations of a session
//! are one step away. No operation is looked at twice, and none that is ranked before the goal.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::EdgeKind;
use crate::causal::order::{CausalOrder, NONE};

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) kind: EdgeKind,
}

/// A session was entered at `operation`, because `reader` in the session of `parent` read from it.
struct Entry {
    operation: u32,
    parent: usize,
    reader: u32,
}

/// A path in causal order from one operation to another; none if there is none, or none within so
/// many operations looked at.
pub(crate) fn path(order: &CausalOrder, from: u32, to: u32, steps: u64) -> Option<Vec<Hop>> {
    path_through(order, from, to, |_| true, steps)
}

/// The same, where of what the last one saw only some counts.
pub(crate) fn path_through(
    order: &CausalOrder,
    from: u32,
    to: u32,
    counts: impl Fn(u32) -> bool,
    mut steps: u64,
) -> Option<Vec<Hop>> {
    let mut entries = vec![Entry { operation: to, parent: 0, reader: NONE }];
    let mut entered: FxHashSet<u32> = FxHashSet::default();
    let mut floors: FxHashMap<u32, u32> = FxHashMap::default();
    let mut next = 0;
    while let Some(Entry { operation, .. }) = entries.get(next) {
        let entry = *operation;
        let floor = floors.entry(order.session[entry as usize]).or_insert(0);
        let mut at = entry;
        while at != NONE && order.position[at as usize] > *floor {
            if at == from {
                return Some(forward(&entries, next, from));
            }
            steps = steps.checked_sub(1)?;
            if order.rank[at as usize] < order.rank[from as usize] {
                break;
            }
            let sources = order.sources(at).filter(|source| at != to || counts(*source));
            let sources = sources.filter(|source| entered.insert(*source));
            entries.extend(sources.map(|operation| Entry { operation, parent: next, reader: at }));
            at = order.previous[at as usize];
        }
        *floor = (*floor).max(order.position[entry as usize]);
        next += 1;
    }
    None
}

fn forward(entries: &[Entry], last: usize, from: u32) -> Vec<Hop> {
    let mut hops = Vec::new();
    let (mut at, mut place) = (from, last);
    loop {
        let entry = &entries[place];
        if at != entry.operation {
            hops.push(Hop { from: at, to: entry.operation, kind: EdgeKind::Session });
        }
        if entry.reader == NONE {
            return hops;
        }
        hops.push(Hop { from: entry.operation, to: entry.reader, kind: EdgeKind::WriteRead });
        (at, place) = (entry.reader, entry.parent);
    }
}
