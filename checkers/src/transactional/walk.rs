//! The shortest way round from one transaction, breadth first.
//!
//! ```text
//!   T1 ─rw▶ slot ─▶ T3      a node that stands for edges is no step, and leads to nobody from whom it was come to:
//!             └───▶ T1      so it is met from two transactions, for whoever one of them may not go to, the other may
//! ```
//!
//! Breadth first over pairs of a node and what the way there has used, so that "exactly one rw" or "no
//! two rw in a row" is seen at once. Such a way may meet a transaction twice, where each half is a cycle of
//! another kind; then all ways are tried that do not, if they are short.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::acyclic::Times;
use super::decide::{Layers, allowed};
use super::kind::{Kind, Order, Shape};
use super::link::Link;
use super::search::Hop;
use super::web::Web;
use crate::{Budget, EdgeKind};

/// Longer ways are not tried one by one.
const SIMPLE_MAX: u32 = 12;

/// What a way has used.
type Used = u8;
const READS: Used = 1;
const ANTI: Used = 2;
const MORE_ANTI: Used = 4;
const IN_A_ROW: Used = 8;
const LAST_IS_ANTI: Used = 16;
const FIRST_IS_ANTI: Used = 32;
const AN_ORDER: Used = 64;

/// What leads back to the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closes {
    ByEdge,
    /// The last transaction had ended before the first began; no other edge is one of time.
    ByTime,
}

/// Where a way begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) from: u32,
    /// What the first edge has to be.
    pub(super) first: Option<Link>,
    pub(super) closes: Closes,
    /// It goes through no transaction before this one.
    pub(super) lowest: u32,
}

impl Start {
    pub(super) fn anywhere(from: u32) -> Self {
        Self { from, first: None, closes: Closes::ByEdge, lowest: 0 }
    }
}

/// Looks for cycles of a kind through one transaction.
pub(super) struct Walk<'w> {
    pub(super) web: &'w Web,
    pub(super) times: &'w Times,
    pub(super) kind: Kind,
    pub(super) layers: &'w Layers,
    pub(super) start: Start,
}

/// Where a breadth-first search is, and how it came there.
#[derive(Clone, Copy)]
struct Place {
    node: u32,
    used: Used,
    length: u32,
    /// The transaction where the last step began; for a transaction, itself.
    origin: u32,
    /// The place before, and the edge from there.
    before: u32,
    link: Option<Link>,
}

/// Where the search has been, with the one or two transactions that it came from.
#[derive(Default)]
struct Met {
    from: FxHashMap<(u32, Used), (u32, Option<u32>)>,
}

impl Met {
    fn has(&self, place: Place, is_operation: bool) -> bool {
        self.from
            .get(&(place.node, place.used))
            .is_some_and(|(first, second)| is_operation || *first == place.origin || second.is_some())
    }

    fn add(&mut self, place: Place) {
        let known = self.from.entry((place.node, place.used));
        known.and_modify(|(_, second)| *second = Some(place.origin)).or_insert((place.origin, None));
    }
}

impl Walk<'_> {
    /// The shortest cycle of at most so many edges; none too if the budget runs out.
    pub(super) fn shortest(&self, limit: u32, budget: &mut Budget) -> Option<Vec<Hop>> {
        let from = self.start.from;
        let mut places = vec![Place { node: from, used: 0, length: 0, origin: from, before: 0, link: None }];
        let (mut queue, mut met) = (VecDeque::from([0]), Met::default());
        while let Some(number) = queue.pop_front() {
            let place: Place = places[number as usize];
            let is_operation = self.web.is_operation(place.node);
            if met.has(place, is_operation) {
                continue;
            }
            // The start is met only when the way has come back to it.
            if number > 0 {
                met.add(place);
            }
            if place.length > 0 && is_operation {
                if self.is_round(place.node, place.used) {
                    // Walking back takes as many steps as the way has.
                    budget.steps = budget.steps.saturating_sub(u64::from(place.length));
                    let hops = self.closed(walk_back(self.web, &places, number));
                    if is_simple(&hops) {
                        return Some(hops);
                    }
                    if limit <= SIMPLE_MAX {
                        return self.shortest_simple(hops.len() as u32, limit, budget);
                    }
                }
                if place.node == from {
                    continue;
                }
            }
            for (to, label) in self.web.graph.edges(place.node) {
                if !budget.step() {
                    return None;
                }
                let link = Link::of(label);
                let Some(used) = self.go(place.node, place.origin, (to, link), place.used) else { continue };
                let cost = u32::from(link != Link::Free);
                let is_operation = self.web.is_operation(to);
                let origin = if is_operation { to } else { place.origin };
                let next = Place {
                    node: to,
                    used,
                    length: place.length + cost,
                    origin,
                    before: number,
                    link: Some(link),
                };
                if next.length + self.still_to_come() > limit || met.has(next, is_operation) {
                    continue;
                }
                places.push(next);
                let next = places.len() as u32 - 1;
                if cost == 0 { queue.push_front(next) } else { queue.push_back(next) }
            }
        }
        None
    }

    fn still_to_come(&self) -> u32 {
        u32::from(self.start.closes == Closes::ByTime)
    }

    /// What has been used after this edge too; none if the way does not lead there.
    fn go(&self, node: u32, origin: u32, (to, link): (u32, Link), used: Used) -> Option<Used> {
        let is_first = node == self.start.from;
        if is_first && self.start.first.is_some_and(|first| first != link) {
            return None;
        }
        if self.web.is_operation(to)
            && (to == origin || to < self.start.lowest || !self.layers.together(self.start.from, to))
        {
            return None;
        }
        self.use_up(used, link, is_first)
    }

    fn use_up(&self, used: Used, link: Link, is_first: bool) -> Option<Used> {
        if allowed(self.kind) & link.bit() == 0 {
            return None;
        }
        let went = used & !LAST_IS_ANTI;
        match link {
            Link::Free => Some(used),
            Link::WriteWrite => Some(went),
            Link::WriteRead => Some(went | READS),
            Link::Session | Link::RealTime if self.start.closes == Closes::ByTime => None,
            Link::Session | Link::RealTime => Some(went | AN_ORDER),
            Link::ReadWrite => {
                let in_a_row = used & LAST_IS_ANTI != 0;
                let again = used & ANTI != 0;
                match self.kind.shape {
                    Shape::GSingle if again => return None,
                    Shape::GNonadjacent if in_a_row => return None,
                    _ => {}
                }
                let first = if is_first { FIRST_IS_ANTI } else { 0 };
                let more = if again { MORE_ANTI } else { 0 };
                let row = if in_a_row { IN_A_ROW } else { 0 };
                Some(used | ANTI | LAST_IS_ANTI | first | more | row)
            }
        }
    }

    /// True if the way back to the start ends here, and has all that the kind needs.
    fn is_round(&self, node: u32, mut used: Used) -> bool {
        match self.start.closes {
            Closes::ByEdge => {
                if node != self.start.from || self.kind.order != Order::Dependencies && used & AN_ORDER == 0 {
                    return false;
                }
                if used & LAST_IS_ANTI != 0 && used & FIRST_IS_ANTI != 0 {
                    used |= IN_A_ROW;
                }
            }
            Closes::ByTime => {
                if !self.is_closed_by_time(node) {
                    return false;
                }
            }
        }
        match self.kind.shape {
            Shape::G0 => true,
            Shape::G1c => used & READS != 0,
            Shape::GSingle => used & ANTI != 0,
            Shape::GNonadjacent => used & MORE_ANTI != 0 && used & IN_A_ROW == 0,
            Shape::G2 => used & MORE_ANTI != 0 && used & IN_A_ROW != 0,
        }
    }

    fn is_closed_by_time(&self, last: u32) -> bool {
        let [last, first] = [last, self.start.from].map(|node| self.web.operations[node as usize]);
        last != first
            && (self.times.precedes(last, first) || self.times.next(last, Order::RealTime) == Some(first))
    }

    /// With the edge of time, if that is still to come.
    fn closed(&self, mut hops: Vec<Hop>) -> Vec<Hop> {
        if let (Closes::ByTime, Some(last)) = (self.start.closes, hops.last()) {
            let (from, to) = (last.to, self.web.operations[self.start.from as usize]);
            let kind = if self.times.precedes(from, to) { EdgeKind::RealTime } else { EdgeKind::Session };
            hops.push(Hop { from, to, kind });
        }
        hops
    }

    /// The shortest of all ways that meet no transaction twice, tried one by one.
    fn shortest_simple(&self, least: u32, limit: u32, budget: &mut Budget) -> Option<Vec<Hop>> {
        (least..=limit).find_map(|length| {
            let mut path = vec![(self.start.from, None)];
            let left = length - self.still_to_come();
            self.extend(&mut path, 0, left, budget).then(|| self.closed(self.hops(&path)))
        })
    }

    /// Goes on by so many edges; true if that closes the cycle. Recurses no deeper than the limit on ways
    /// that are tried.
    fn extend(
        &self,
        path: &mut Vec<(u32, Option<Link>)>,
        used: Used,
        left: u32,
        budget: &mut Budget,
    ) -> bool {
        let Some((node, _)) = path.last().copied() else { return false };
        for (to, link, used) in self.steps(node, used, budget) {
            let is_met = path.iter().any(|(met, _)| *met == to);
            let may_end = !is_met || self.start.closes == Closes::ByEdge && to == self.start.from;
            path.push((to, Some(link)));
            if left == 1 && may_end && self.is_round(to, used) {
                return true;
            }
            if left > 1 && !is_met && self.extend(path, used, left - 1, budget) {
                return true;
            }
            path.pop();
        }
        false
    }

    /// Every transaction that one step leads to, by which edge, and what is used then.
    fn steps(&self, node: u32, used: Used, budget: &mut Budget) -> Vec<(u32, Link, Used)> {
        let (mut open, mut met) = (vec![(node, None, used)], FxHashSet::default());
        let mut steps = Vec::new();
        while let Some((at, by, used)) = open.pop() {
            for (to, label) in self.web.graph.edges(at) {
                if !budget.step() {
                    return Vec::new();
                }
                let link = Link::of(label);
                let Some(used) = self.go(at, node, (to, link), used) else { continue };
                let by = by.unwrap_or(link);
                if self.web.is_operation(to) {
                    steps.push((to, by, used));
                } else if met.insert((to, by as u8)) {
                    open.push((to, Some(by), used));
                }
            }
        }
        steps
    }

    fn hops(&self, path: &[(u32, Option<Link>)]) -> Vec<Hop> {
        let operation = |node: u32| self.web.operations[node as usize];
        let hop = |two: &[(u32, Option<Link>)]| {
            Some(Hop { from: operation(two[0].0), to: operation(two[1].0), kind: two[1].1?.kind()? })
        };
        path.windows(2).filter_map(hop).collect()
    }
}

fn is_simple(hops: &[Hop]) -> bool {
    let mut met: FxHashSet<u32> = FxHashSet::default();
    hops.iter().all(|hop| met.insert(hop.from))
}

/// The way to a place, without the nodes that only stand for edges.
fn walk_back(web: &Web, places: &[Place], last: u32) -> Vec<Hop> {
    let mut hops = Vec::new();
    let (mut at, mut to) = (last, web.operations[places[last as usize].node as usize]);
    while let Some(link) = places[at as usize].link {
        at = places[at as usize].before;
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
