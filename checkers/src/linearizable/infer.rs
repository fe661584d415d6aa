//! From a few calls without a legal order to a circle of what must come first, where each read has
//! one write that it can have seen.
//!
//! ```text
//!   w5 ──rt──▶ w6 ──rt──▶ r5        r5 saw w5, and w6 is after it:    r5 ──rw──▶ w6
//!   w5 ──wr──▶ r5                   a circle: w6 ──rt──▶ r5 ──rw──▶ w6
//! ```
//!
//! A write that comes before a read comes before what the read saw; a write that comes after what was
//! read comes after the read. These two rules are applied until there is a circle or nothing is left to
//! say. O(n⁴): for a handful of calls.

use crate::EdgeKind;
use crate::linearizable::model::{Change, State};
use crate::linearizable::search::Call;

/// Calls beyond which no circle is sought.
const CALLS_MAX: usize = 24;

/// One must come first, by place among the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: EdgeKind,
}

/// A circle, if the rules find one.
pub(super) fn circle(calls: &[Call<'_>]) -> Option<Vec<First>> {
    let is_simple =
        |call: &Call<'_>| !matches!(call.change, Change::Grow(_) | Change::Take(..) | Change::Read(None));
    if calls.len() > CALLS_MAX || !calls.iter().all(is_simple) {
        return None;
    }
    let mut known = Known { calls, edges: Vec::new() };
    for from in 0..calls.len() {
        for to in 0..calls.len() {
            if calls[from].completed < calls[to].invoked {
                known.edges.push(First { from, to, kind: EdgeKind::RealTime });
            }
        }
    }
    loop {
        if let Some(circle) = known.shortest_circle() {
            return Some(circle);
        }
        if !known.conclude() {
            return None;
        }
    }
}

struct Known<'c, 'h> {
    calls: &'c [Call<'h>],
    edges: Vec<First>,
}

impl Known<'_, '_> {
    // Adds what follows from one more read; false if nothing does.
    fn conclude(&mut self) -> bool {
        (0..self.calls.len()).any(|read| {
            let Some(found) = self.calls[read].change.found() else { return false };
            let makers = self.makers(read, found);
            match makers.as_slice() {
                [maker] => self.conclude_from(read, *maker),
                _ => false,
            }
        })
    }

    // Who may have made what the read found; none stands for the initial state. The last one that is
    // left is kept even if it cannot be: that is the contradiction.
    fn makers(&self, read: usize, found: State) -> Vec<Option<usize>> {
        let made = |place: &usize| self.calls[*place].change.made() == Some(found) && *place != read;
        let initial = (found == crate::linearizable::model::ABSENT).then_some(None);
        let mut makers: Vec<Option<usize>> =
            initial.into_iter().chain((0..self.calls.len()).filter(made).map(Some)).collect();
        let is_hidden = |maker: Option<usize>| {
            let writes = (0..self.calls.len()).filter(|place| self.calls[*place].change.made().is_some());
            writes.filter(|place| Some(*place) != maker && *place != read).any(|place| {
                maker.is_none_or(|maker| self.is_before(maker, place)) && self.is_before(place, read)
            }) || maker.is_some_and(|maker| self.is_before(read, maker))
        };
        while makers.len() > 1 {
            let Some(hidden) = makers.iter().position(|maker| is_hidden(*maker)) else { break };
            makers.remove(hidden);
        }
        makers
    }

    fn conclude_from(&mut self, read: usize, maker: Option<usize>) -> bool {
        let mut new = Vec::new();
        if let Some(maker) = maker {
            new.push(First { from: maker, to: read, kind: EdgeKind::WriteRead });
        }
        for write in (0..self.calls.len()).filter(|place| self.calls[*place].change.made().is_some()) {
            if Some(write) == maker || write == read {
                continue;
            }
            if maker.is_none_or(|maker| self.is_before(maker, write)) {
                new.push(First { from: read, to: write, kind: EdgeKind::ReadWrite });
            }
            if let Some(maker) = maker
                && self.is_before(write, read)
            {
                new.push(First { from: write, to: maker, kind: EdgeKind::WriteWrite });
            }
        }
        let before = self.edges.len();
        for edge in new {
            if !self.edges.iter().any(|other| (other.from, other.to) == (edge.from, edge.to)) {
                self.edges.push(edge);
            }
        }
        self.edges.len() > before
    }

    fn is_before(&self, from: usize, to: usize) -> bool {
        self.way(from, to).is_some()
    }

    fn shortest_circle(&self) -> Option<Vec<First>> {
        (0..self.calls.len()).filter_map(|start| self.way(start, start)).min_by_key(Vec::len)
    }

    // Breadth-first, at least one edge.
    fn way(&self, from: usize, to: usize) -> Option<Vec<First>> {
        let mut ways: Vec<(usize, Option<(usize, First)>)> = vec![(from, None)];
        let mut next = 0;
        while let Some((at, _)) = ways.get(next).copied() {
            for edge in self.edges.iter().filter(|edge| edge.from == at) {
                if edge.to == to {
                    let mut way = vec![*edge];
                    let mut place = next;
                    while let (_, Some((before, edge))) = ways[place] {
                        way.push(edge);
                        place = before;
                    }
                    way.reverse();
                    return Some(way);
                }
                if !ways.iter().any(|(seen, _)| *seen == edge.to) {
                    ways.push((edge.to, Some((next, *edge))));
                }
            }
            next += 1;
        }
        None
    }
}
