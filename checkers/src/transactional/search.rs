//! Cycles in one component: for each kind that it holds, a shortest one.
//!
//! ```text
//!   kinds from the strongest on    G0, G1c, G-single-item, …, G0-process, …
//!     told already as a stronger one?                skip
//!     no component of the edges that it may use?     skip
//!     from each edge that it needs, breadth first    first 2 edges deep, then 3, 4, … until one closes
//! ```
//!
//! Breadth first over pairs of a node and what the way there has used, so that "exactly one rw" or "no
//! two rw in a row" is seen at once. Real time takes part with one edge only: of two such edges one
//! always closes the cycle alone, for of two pairs of intervals, each one after the other, the first of
//! one pair precedes the second of the other (Fishburn 1970).
//!
//! A step an edge looked at. When they run out, a cycle of some kind is still found, in O(E).

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::acyclic::Times;
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

/// One cycle of each kind that no stronger one of the component already is, the shortest first; and
/// whether steps ran out, so that there may be more kinds.
pub(super) fn cycles(web: &Web, times: &Times, order: Order, budget: &mut Budget) -> (Vec<Cycle>, bool) {
    let mut found: Vec<Cycle> = Vec::new();
    let mut ran_out = false;
    let mut orders = vec![Order::Dependencies];
    if order != Order::Dependencies {
        orders.push(order);
    }
    for order in orders {
        for shape in Shape::ALL {
            let kind = Kind { order, shape };
            if found.iter().any(|cycle| cycle.kind.is_also(kind)) {
                continue;
            }
            let mut share = Budget { steps: budget.steps / SHARE };
            let before = share.steps;
            let hops = Search { web, times, kind, component: Vec::new() }.run(&mut share);
            budget.steps -= before - share.steps;
            ran_out |= share.steps == 0 && hops.is_none();
            if let Some(hops) = hops {
                let kinds: Vec<EdgeKind> = hops.iter().map(|hop| hop.kind).collect();
                found.push(Cycle { kind: Kind::of(&kinds), hops });
            }
        }
    }
    if found.is_empty() {
        found.extend(any_cycle(web, times));
    }
    found.sort_by_key(|cycle| cycle.hops.len());
    (found, ran_out)
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
    component: Vec<u32>,
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
    fn run(mut self, budget: &mut Budget) -> Option<Vec<Hop>> {
        let allowed = self.allowed();
        self.component = self.web.graph.components(|label| allowed & Link::of(label).bit() != 0);
        let starts = self.starts();
        for limit in LENGTHS {
            for start in &starts {
                if let Some(hops) = self.from(*start, limit, budget) {
                    return Some(hops);
                }
                if budget.steps == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// The bits of the edges that a cycle of this kind may have.
    fn allowed(&self) -> u8 {
        let data = match self.kind.shape {
            Shape::G0 => Link::WriteWrite.bit(),
            Shape::G1c => Link::WriteWrite.bit() | Link::WriteRead.bit(),
            Shape::GSingle | Shape::GNonadjacent | Shape::G2 => {
                Link::WriteWrite.bit() | Link::WriteRead.bit() | Link::ReadWrite.bit()
            }
        };
        let order = match self.kind.order {
            Order::Dependencies => 0,
            Order::Sessions => Link::Session.bit(),
            Order::RealTime => Link::Session.bit() | Link::RealTime.bit(),
        };
        data | order | Link::Free.bit()
    }

    /// Edges that such a cycle needs, each as the node behind it and the node that must be reached. In
    /// real time the edge that closes the cycle is the one of time, and any transaction may be the first.
    fn starts(&self) -> Vec<Start> {
        let needed = match self.kind.shape {
            Shape::G0 => Link::WriteWrite,
            Shape::G1c => Link::WriteRead,
            Shape::GSingle | Shape::GNonadjacent | Shape::G2 => Link::ReadWrite,
        };
        let mut starts = Vec::new();
        for from in 0..self.web.operations.len() as u32 {
            let mut edges = self.web.graph.edges(from).filter(|(to, label)| {
                let together = self.component[from as usize] == self.component[*to as usize];
                together && Link::of(*label) != Link::Free
            });
            if self.kind.order == Order::RealTime {
                if edges.next().is_some() {
                    starts.push(Start { from, over: None });
                }
                continue;
            }
            let over = edges.filter(|(_, label)| Link::of(*label) == needed);
            starts.extend(over.map(|(to, _)| Start { from, over: Some((to, needed)) }));
        }
        starts
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
            if self.closes(start, place)
                && let Some(hops) = self.hops(&places, number, start)
            {
                return Some(hops);
            }
            for (to, label) in self.web.graph.edges(place.node) {
                if !budget.step() {
                    return None;
                }
                let link = Link::of(label);
                if self.component[to as usize] != self.component[place.node as usize] {
                    continue;
                }
                let Some(used) = self.use_up(place.used, link) else { continue };
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
        if self.allowed() & link.bit() == 0 {
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

/// Some cycle of the component: a shortest one through one of its edges.
fn any_cycle(web: &Web, times: &Times) -> Option<Cycle> {
    let component = web.graph.components(|_| true);
    let starts = 0..web.operations.len() as u32;
    let mut edges = starts.flat_map(|from| web.graph.edges(from).map(move |(to, label)| (from, to, label)));
    let (from, to, label) = edges.find(|(from, to, label)| {
        component[*from as usize] == component[*to as usize] && Link::of(*label) != Link::Free
    })?;
    let link = Link::of(label);
    let first = Place { node: from, used: 0, length: 0, from: 0, link: None };
    let mut places = vec![first, Place { node: to, used: 0, length: 1, from: 0, link: Some(link) }];
    let mut queue = VecDeque::from([1_u32]);
    let mut seen: FxHashSet<u32> = FxHashSet::default();
    while let Some(number) = queue.pop_front() {
        let place = places[number as usize];
        if !seen.insert(place.node) {
            continue;
        }
        if place.node == from {
            let hops = walk_back(web, &places, number);
            let kinds: Vec<EdgeKind> = hops.iter().map(|hop| hop.kind).collect();
            return Some(Cycle { kind: Kind::of(&kinds), hops: merge_times(hops, times) });
        }
        for (to, label) in web.graph.edges(place.node) {
            let link = Link::of(label);
            places.push(Place { node: to, used: 0, length: 0, from: number, link: Some(link) });
            let next = places.len() as u32 - 1;
            if link == Link::Free { queue.push_front(next) } else { queue.push_back(next) }
        }
    }
    None
}

/// Two steps of time in a row are one.
fn merge_times(hops: Vec<Hop>, times: &Times) -> Vec<Hop> {
    let mut merged: Vec<Hop> = Vec::with_capacity(hops.len());
    for hop in hops {
        match merged.last_mut() {
            Some(before)
                if before.kind == EdgeKind::RealTime
                    && hop.kind == EdgeKind::RealTime
                    && times.precedes(before.from, hop.to) =>
            {
                before.to = hop.to;
            }
            _ => merged.push(hop),
        }
    }
    merged
}
