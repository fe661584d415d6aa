//! Cycles in one component: for each kind that it holds, a shortest one.
//!
//! ```text
//!   kinds from the strongest on    G0, G1c, G-single-item, …, G0-process, …
//!     told already as a stronger one?                skip
//!     none in the component (`decide.rs`)?           skip
//!     from each edge that it needs (`walk.rs`)       first 2 edges deep, then 3, 4, … until one closes
//!     from each earlier transaction                  so deep again: of those equally short the earliest
//!     too many steps?                                the shortest so far, and the cycle says so
//! ```
//!
//! An edge leads as far as one observation does: from the writer of a version to that of each later one, not
//! only of the next. The fewest transactions that contradict each other are then the fewest edges.
//!
//! Where many transactions are strongly connected, real time takes part with one edge only: of two such
//! edges one always closes the cycle alone, for of two pairs of intervals, each one after the other, the first
//! of one pair precedes the second of the other (Fishburn 1970). That cycle may be of a stronger kind.
//!
//! A step an edge looked at; so many times the edges of the component, for a cycle through a million
//! transactions refutes a level as well as a short one does. Whether there is one never depends on them.

use super::acyclic::Times;
use super::decide::{Layers, needed};
use super::kind::{Kind, Order, Shape};
use super::link::Link;
use super::walk::{Closes, Start, Walk};
use super::web::Web;
use crate::{Budget, EdgeKind};

/// One dependency of a cycle, by numbers of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) kind: EdgeKind,
}

/// A cycle, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) kind: Kind,
    pub(super) hops: Vec<Hop>,
    /// False if the steps ran out before every shorter one was ruled out.
    pub(super) is_shortest: bool,
}

impl Cycle {
    fn new(hops: Vec<Hop>, is_shortest: bool) -> Self {
        let kinds: Vec<EdgeKind> = hops.iter().map(|hop| hop.kind).collect();
        Self { kind: Kind::of(&kinds), hops, is_shortest }
    }

    /// The transaction that was asked first.
    pub(super) fn first(&self) -> u32 {
        self.hops.iter().map(|hop| hop.from).min().unwrap_or(0)
    }
}

/// Transactions of which each is reached from each.
pub(super) struct Knot<'t> {
    /// With edges to the next versions only: the same is reached, by fewer edges.
    pub(super) near: Web,
    /// With edges to all that one observation shows to be later.
    pub(super) far: Web,
    pub(super) times: &'t Times,
}

/// How long a cycle may be, try after try.
const LENGTHS: [usize; 12] = [2, 3, 4, 5, 6, 7, 8, 12, 24, 100, 1_000, u32::MAX as usize];
/// Each kind may take this part of the steps.
const SHARE: u64 = 8;

/// Steps that looking for a shortest cycle of one kind may take in each graph: so many in any case,
const STEPS_MIN: u64 = 1_000_000;
/// and so many for each edge of the component.
const STEPS_PER_EDGE: u64 = 1;

/// A cycle of no more transactions is short enough: no other kind is looked for to tell the same.
const SHORT: usize = 8;

/// Up to so many transactions real time may take part with more than one edge.
const MANY: usize = 64;

/// One cycle of each kind that no stronger one of the component already is, the shortest first.
pub(super) fn cycles(knot: &Knot<'_>, order: Order, budget: &mut Budget) -> Vec<Cycle> {
    let mut found: Vec<Cycle> = Vec::new();
    let mut orders = vec![Order::Dependencies];
    if order != Order::Dependencies {
        orders.push(order);
    }
    for order in orders {
        for shape in Shape::ALL {
            let kind = Kind { order, shape };
            let known =
                found.iter().filter(|cycle| cycle.kind.is_also(kind)).map(|cycle| cycle.hops.len()).min();
            if known.is_some_and(|length| length <= SHORT) || !knot.near.has(needed(shape)) {
                continue;
            }
            let layers = Layers::new(&knot.near, kind);
            if layers.is_clean() {
                continue;
            }
            let shortest = [&knot.far, &knot.near].into_iter().find_map(|web| {
                let most = STEPS_MIN + STEPS_PER_EDGE * web.graph.len() as u64;
                let mut share = Budget { steps: most.min(budget.steps / SHARE) };
                let before = share.steps;
                let hops = Search { knot, web, kind, layers: &layers }.run(&mut share);
                budget.steps -= before - share.steps;
                hops.map(|hops| Cycle::new(hops, share.steps > 0 && std::ptr::eq(web, &knot.far)))
            });
            // Where one rw is not enough, several are looked for next, and that finds one for sure.
            let or_some = || {
                let hops = layers.some_cycle(&knot.near, knot.times).filter(|_| shape != Shape::GSingle)?;
                Some(Cycle::new(hops, false))
            };
            let is_news = |cycle: &Cycle| known.is_none_or(|length| cycle.hops.len() < length);
            found.extend(shortest.or_else(or_some).filter(is_news));
        }
    }
    found.sort_by_key(|cycle| (cycle.hops.len(), cycle.first()));
    found
}

struct Search<'k> {
    knot: &'k Knot<'k>,
    web: &'k Web,
    kind: Kind,
    layers: &'k Layers,
}

impl Search<'_> {
    /// A shortest cycle of the kind and of those the earliest; if the steps run out, the best so far.
    fn run(&self, budget: &mut Budget) -> Option<Vec<Hop>> {
        let is_real_time = self.kind.order == Order::RealTime;
        let mut best = None;
        if is_real_time {
            self.shorten(&mut best, &self.after_time(), budget);
        }
        if !is_real_time || self.web.operations.len() <= MANY {
            self.shorten(&mut best, &self.needed_edges(), budget);
            best = best.map(|hops| self.earliest(hops, budget));
        }
        best.map(|hops| self.turned(hops))
    }

    /// Looks for cycles that are shorter than what is known.
    fn shorten(&self, best: &mut Option<Vec<Hop>>, starts: &[Start], budget: &mut Budget) {
        let mut tried = 1;
        for length in LENGTHS {
            let most =
                |best: &Option<Vec<Hop>>| best.as_ref().map_or(length, |best| length.min(best.len() - 1));
            if most(best) <= tried {
                return;
            }
            tried = most(best);
            for start in starts {
                let limit = most(best);
                if limit < 2 || !budget.step() {
                    return;
                }
                let shorter = self.walk(*start).shortest(limit as u32, budget);
                *best = shorter.or_else(|| best.take());
            }
        }
    }

    /// One that is as short, and in which the first transaction is the earliest.
    fn earliest(&self, hops: Vec<Hop>, budget: &mut Budget) -> Vec<Hop> {
        let first = hops.iter().map(|hop| hop.from).min().unwrap_or(0);
        for (node, operation) in (0..).zip(&self.web.operations) {
            if *operation >= first || !budget.step() {
                break;
            }
            let start = Start { lowest: node, ..Start::anywhere(node) };
            let earlier = self.walk(start).shortest(hops.len() as u32, budget);
            if let Some(earlier) = earlier {
                return earlier;
            }
        }
        hops
    }

    /// Begins with an edge that the kind needs, or after that of real time.
    fn turned(&self, mut hops: Vec<Hop>) -> Vec<Hop> {
        let needed = needed(self.kind.shape).kind();
        let places = || 0..hops.len();
        let after_time = places().find(|place| hops[*place].kind == EdgeKind::RealTime);
        let first_needed = places().filter(|place| Some(hops[*place].kind) == needed);
        let first_needed = first_needed.min_by_key(|place| hops[*place].from);
        let begin = after_time.map(|place| place + 1).or(first_needed).unwrap_or(0);
        let begin = begin % hops.len().max(1);
        hops.rotate_left(begin);
        hops
    }

    fn walk(&self, start: Start) -> Walk<'_> {
        Walk { web: self.web, times: self.knot.times, kind: self.kind, layers: self.layers, start }
    }

    /// Transactions with an edge that such a cycle needs.
    fn needed_edges(&self) -> Vec<Start> {
        let needed = needed(self.kind.shape);
        let mut nodes: Vec<u32> = (0..self.web.operations.len() as u32).collect();
        nodes.retain(|node| {
            let mut edges = self.web.graph.edges(*node);
            self.layers.is_knotted(*node) && edges.any(|(_, label)| Link::of(label) == needed)
        });
        nodes.into_iter().map(|node| Start { first: Some(needed), ..Start::anywhere(node) }).collect()
    }

    /// In real time the edge that closes the cycle is the one of time, and any transaction may come after it.
    fn after_time(&self) -> Vec<Start> {
        let nodes = (0..self.web.operations.len() as u32).filter(|node| self.layers.is_knotted(*node));
        nodes.map(|node| Start { closes: Closes::ByTime, ..Start::anywhere(node) }).collect()
    }
}
