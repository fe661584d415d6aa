//! Cycles in one component: for each kind that it holds, a shortest one.
//!
//! ```text
//!   kinds from the strongest on    G0, G1c, G-single-item, …, G0-process, …
//!     told already as a stronger one?                skip
//!     none in the component (`decide.rs`)?           skip
//!     from each edge that it needs, breadth first    first 2 edges deep, then 3, 4, … until one closes
//!     too many steps?                                some cycle of the kind, not the shortest
//! ```
//!
//! Breadth first over pairs of a node and what the way there has used, so that "exactly one rw" or "no
//! two rw in a row" is seen at once. Real time takes part with one edge only: of two such edges one
//! always closes the cycle alone, for of two pairs of intervals, each one after the other, the first of
//! one pair precedes the second of the other (Fishburn 1970).
//!
//! A step an edge looked at; so many times the edges of the component, for a cycle through a million
//! transactions refutes a level as well as a short one does. Whether there is one never depends on them.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::acyclic::Times;
use super::decide::{Layers, allowed, needed};
use super::kind::{Kind, Order, Shape};
use super::link::Link;
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
}

/// How long a cycle may be, try after try.
const LENGTHS: [u32; 10] = [2, 3, 4, 5, 6, 8, 12, 24, 100, u32::MAX];
/// Each kind may take this part of the steps.
const SHARE: u64 = 8;

/// Steps that looking for a shortest cycle of one kind may take: so many in any case,
const STEPS_MIN: u64 = 4_000_000;
/// and so many for each edge of the component.
const STEPS_PER_EDGE: u64 = 1;

/// A cycle of no more transactions is short enough: no other kind is looked for to tell the same.
const SHORT: usize = 8;

/// One cycle of each kind that no stronger one of the component already is, the shortest first.
pub(super) fn cycles(web: &Web, times: &Times, order: Order, budget: &mut Budget) -> Vec<Cycle> {
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
            if known.is_some_and(|length| length <= SHORT) || !web.has(needed(shape)) {
                continue;
            }
            let layers = Layers::new(web, kind);
            if layers.is_clean() {
                continue;
            }
            let most = STEPS_MIN + STEPS_PER_EDGE * web.graph.len() as u64;
            let mut share = Budget { steps: most.min(budget.steps / SHARE) };
            let before = share.steps;
            let shortest = Search { web, times, kind, layers: &layers }.run(&mut share);
            budget.steps -= before - share.steps;
            // Where one rw is not enough, several are looked for next, and that finds one for sure.
            let or_some = || layers.some_cycle(web, times).filter(|_| shape != Shape::GSingle);
            let is_news = |hops: &Vec<Hop>| known.is_none_or(|length| hops.len() < length);
            if let Some(hops) = shortest.or_else(or_some).filter(is_news) {
                let kinds: Vec<EdgeKind> = hops.iter().map(|hop| hop.kind).collect();
                found.push(Cycle { kind: Kind::of(&kinds), hops });
            }
        }
    }
    found.sort_by_key(|cycle| cycle.hops.len());
    found
}

/// What the way from the start has used.
type Used = u8;
const READS: Used = 1;
const ANTI: Used = 2;
const MORE_ANTI: Used = 4;
const IN_A_ROW: Used = 8;
const LAST_IS_ANTI: Used = 16;
const AN_ORDER: Used = 32;

struct Search<'w> {
    web: &'w Web,
    times: &'w Times,
    kind: Kind,
    layers: &'w Layers,
}

/// Where a breadth-first search is, and how it came there.
#[derive(Clone, Copy)]
struct Place {
    node: u32,
    used: Used,
    length: u32,
    /// The place before, and the edge from there.
    from: u32,
    link: Option<Link>,
}

impl Search<'_> {
    fn run(self, budget: &mut Budget) -> Option<Vec<Hop>> {
        let starts = self.starts();
        for limit in LENGTHS {
            for start in &starts {
                if let Some(hops) = self.from(*start, limit, budget) {
                    return Some(hops);
                }
                if !budget.step() {
                    return None;
                }
            }
        }
        None
    }

    /// Edges that such a cycle needs, each as the node behind it and the node that must be reached. In
    /// real time the edge that closes the cycle is the one of time, and any transaction may be the first.
    fn starts(&self) -> Vec<Start> {
        let needed = needed(self.kind.shape);
        let is_anti = needed == Link::ReadWrite;
        let mut starts = Vec::new();
        for from in 0..self.web.operations.len() as u32 {
            let mut edges = self.web.graph.edges(from);
            if self.kind.order == Order::RealTime {
                let is_on_one = |(to, label): (u32, u8)| match self.use_up(0, Link::of(label)) {
                    Some(used) => Link::of(label) != Link::Free && self.joins((from, 0), (to, used)),
                    None => false,
                };
                if edges.any(is_on_one) {
                    starts.push(Start { from, over: None });
                }
                continue;
            }
            let is_on_one = |(to, label): &(u32, u8)| {
                Link::of(*label) == needed && self.layers.joins((from, false), (*to, is_anti))
            };
            let over = edges.filter(is_on_one);
            starts.extend(over.map(|(to, _)| Start { from, over: Some((to, needed)) }));
        }
        starts
    }

    fn joins(&self, (from, used): (u32, Used), (to, then): (u32, Used)) -> bool {
        self.layers.joins((from, used & LAST_IS_ANTI != 0), (to, then & LAST_IS_ANTI != 0))
    }

    fn from(&self, start: Start, limit: u32, budget: &mut Budget) -> Option<Vec<Hop>> {
        let first = Place { node: start.from, used: 0, length: 0, from: 0, link: None };
        let mut places = vec![first];
        let mut queue: VecDeque<u32> = VecDeque::new();
        match start.over {
            None => queue.push_back(0),
            Some((to, link)) => {
                let used = self.use_up(0, link)?;
                places.push(Place { node: to, used, length: 1, from: 0, link: Some(link) });
                queue.push_back(1);
            }
        }
        let mut seen: FxHashSet<(u32, Used)> = FxHashSet::default();
        while let Some(number) = queue.pop_front() {
            let place = places[number as usize];
            if !seen.insert((place.node, place.used)) {
                continue;
            }
            if self.closes(start, place) {
                // Walking back takes as many steps as the way has.
                budget.steps = budget.steps.saturating_sub(u64::from(place.length));
                if let Some(hops) = self.hops(&places, number, start) {
                    return Some(hops);
                }
            }
            for (to, label) in self.web.graph.edges(place.node) {
                if !budget.step() {
                    return None;
                }
                let link = Link::of(label);
                let Some(used) = self.use_up(place.used, link) else { continue };
                if !self.joins((place.node, place.used), (to, used)) {
                    continue;
                }
                let cost = u32::from(link != Link::Free);
                let length = place.length + cost;
                // In real time the closing edge is still to come.
                if length + u32::from(start.over.is_none()) > limit || seen.contains(&(to, used)) {
                    continue;
                }
                places.push(Place { node: to, used, length, from: number, link: Some(link) });
                let next = places.len() as u32 - 1;
                if cost == 0 { queue.push_front(next) } else { queue.push_back(next) }
            }
        }
        None
    }

    /// What has been used after this edge too; none if the kind does not allow it here.
    fn use_up(&self, used: Used, link: Link) -> Option<Used> {
        if allowed(self.kind) & link.bit() == 0 {
            return None;
        }
        let went = used & !LAST_IS_ANTI;
        match link {
            Link::Free => Some(used),
            Link::WriteWrite => Some(went),
            Link::WriteRead => Some(went | READS),
            Link::Session | Link::RealTime if self.kind.order == Order::RealTime => None,
            Link::Session | Link::RealTime => Some(went | AN_ORDER),
            Link::ReadWrite => {
                let in_a_row = used & LAST_IS_ANTI != 0;
                let again = used & ANTI != 0;
                match self.kind.shape {
                    Shape::GSingle if again => return None,
                    Shape::GNonadjacent if in_a_row => return None,
                    _ => {}
                }
                let more = if again { MORE_ANTI } else { 0 };
                let row = if in_a_row { IN_A_ROW } else { 0 };
                Some(used | ANTI | LAST_IS_ANTI | more | row)
            }
        }
    }

    /// True if the way back to the start ends here, and has all that the kind needs.
    fn closes(&self, start: Start, place: Place) -> bool {
        if !self.web.is_operation(place.node) || place.length == 0 {
            return false;
        }
        let mut used = place.used;
        if start.over.is_some() {
            // The edge to the start meets the start's own edge.
            if place.node != start.from {
                return false;
            }
            if used & LAST_IS_ANTI != 0 {
                used |= IN_A_ROW;
            }
            if self.kind.order == Order::Sessions && used & AN_ORDER == 0 {
                return false;
            }
        } else if !self.time_closes(place.node, start.from) {
            return false;
        }
        match self.kind.shape {
            Shape::G0 => true,
            Shape::G1c => used & READS != 0,
            Shape::GSingle => used & ANTI != 0,
            Shape::GNonadjacent => used & MORE_ANTI != 0 && used & IN_A_ROW == 0,
            Shape::G2 => used & MORE_ANTI != 0 && used & IN_A_ROW != 0,
        }
    }

    fn time_closes(&self, last: u32, first: u32) -> bool {
        let [last, first] = [last, first].map(|node| self.web.operations[node as usize]);
        last != first
            && (self.times.precedes(last, first) || self.times.next(last, Order::RealTime) == Some(first))
    }

    /// The cycle that ends at this place; none if it meets a transaction twice.
    fn hops(&self, places: &[Place], last: u32, start: Start) -> Option<Vec<Hop>> {
        let mut hops = walk_back(self.web, places, last);
        if start.over.is_none() {
            let operation = |node: u32| self.web.operations[node as usize];
            let (from, to) = (operation(places[last as usize].node), operation(start.from));
            let kind = if self.times.precedes(from, to) { EdgeKind::RealTime } else { EdgeKind::Session };
            hops.push(Hop { from, to, kind });
        }
        let mut met: FxHashSet<u32> = FxHashSet::default();
        hops.iter().all(|hop| met.insert(hop.from)).then_some(hops)
    }
}

/// Where a search begins.
#[derive(Clone, Copy)]
struct Start {
    from: u32,
    /// The first edge, if it is given.
    over: Option<(u32, Link)>,
}

/// The way to a place, without the nodes that only stand for edges.
fn walk_back(web: &Web, places: &[Place], last: u32) -> Vec<Hop> {
    let mut hops = Vec::new();
    let (mut at, mut to) = (last, web.operations[places[last as usize].node as usize]);
    while let Some(link) = places[at as usize].link {
        at = places[at as usize].from;
        let node = places[at as usize].node;
        if let (Some(kind), true) = (link.kind(), web.is_operation(node)) {
            let from = web.operations[node as usize];
            hops.push(Hop { from, to, kind });
            to = from;
        }
    }
    hops.reverse();
    hops
}
