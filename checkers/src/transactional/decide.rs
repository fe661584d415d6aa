//! Is there a cycle of this kind at all? Decided in O(V + E), however large the component.
//!
//! ```text
//!   G0                ww only                          some ww between two that reach each other
//!   G1c               ww and wr                        some wr
//!   G-nonadjacent     every node twice, a and a' :     some rw; it leads from the first kind of nodes to
//!                     a' is a after an rw              the second and never on from there
//!                     T1 ─rw▶ T2' ─wr▶ T3 ─rw▶ T1' ─ww▶ T1
//!   G2                all                              some rw
//! ```
//!
//! A walk over such an edge and back goes round. One that meets a transaction twice, as T1 above, is cut
//! in two there; whichever half has no two rw in a row is a walk of its own (if neither had, the four edges
//! at the transaction would have been two rw in a row before the cut). What is left is a cycle of the
//! kind, or of a stronger one; not a shortest.
//!
//! Sources: Tarjan 1972 (components); Cerone & Gotsman, J. ACM 2018 (no two rw in a row); Fishburn 1970
//! (one step of real time is enough).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::acyclic::Times;
use super::kind::{Kind, Order, Shape};
use super::link::Link;
use super::search::Hop;
use super::web::Web;
use crate::EdgeKind;
use crate::graph::flat::{EdgeList, FlatGraph};

/// A component's graph with the edges that a kind of cycle may have, and its nodes twice where two
/// anti-dependencies must not follow each other.
pub(super) struct Layers {
    kind: Kind,
    graph: FlatGraph,
    component: Vec<u32>,
    /// How many nodes a layer has.
    nodes: u32,
}

impl Layers {
    pub(super) fn new(web: &Web, kind: Kind) -> Self {
        let nodes = web.graph.nodes() as u32;
        let is_twice = matches!(kind.shape, Shape::GSingle | Shape::GNonadjacent);
        let layers = if is_twice { 2 } else { 1 };
        let (allowed, mut edges) = (allowed(kind), EdgeList::default());
        for layer in 0..layers {
            for from in 0..nodes {
                for (to, label) in web.graph.edges(from) {
                    let link = Link::of(label);
                    let is_anti = link == Link::ReadWrite && is_twice;
                    if allowed & link.bit() == 0 || is_anti && layer == 1 {
                        continue;
                    }
                    let next = if link == Link::Free { layer } else { u32::from(is_anti) };
                    edges.push(from + layer * nodes, to + next * nodes, label);
                }
            }
        }
        let graph = FlatGraph::new((nodes * layers) as usize, &edges);
        let component = graph.components(|_| true);
        Self { kind, graph, component, nodes }
    }

    /// True if some such cycle may go through both.
    pub(super) fn together(&self, one: u32, other: u32) -> bool {
        let places = |node| [false, true].map(|after| self.component[self.place(node, after)]);
        places(one).iter().any(|component| places(other).contains(component))
    }

    /// True if some such cycle may go through it.
    pub(super) fn is_knotted(&self, node: u32) -> bool {
        let place = self.place(node, false);
        let mut targets = self.graph.targets(place as u32).iter();
        targets.any(|target| self.component[*target as usize] == self.component[place])
    }

    fn place(&self, node: u32, after_anti: bool) -> usize {
        let is_twice = self.component.len() > self.nodes as usize;
        (node + if is_twice && after_anti { self.nodes } else { 0 }) as usize
    }

    /// An edge that such a cycle needs and that is on one.
    fn turn(&self) -> Option<(u32, u32, u8)> {
        let nodes = 0..self.graph.nodes() as u32;
        let mut edges =
            nodes.flat_map(|from| self.graph.edges(from).map(move |(to, label)| (from, to, label)));
        edges.find(|(from, to, label)| {
            Link::of(*label) == needed(self.kind.shape)
                && self.component[*from as usize] == self.component[*to as usize]
        })
    }

    /// True if there is no such cycle, nor a stronger one.
    pub(super) fn is_clean(&self) -> bool {
        self.turn().is_none()
    }

    /// Some such cycle, or a stronger one.
    pub(super) fn some_cycle(&self, web: &Web, times: &Times) -> Option<Vec<Hop>> {
        let (first, to, label) = self.turn()?;
        let mut before: Vec<Option<(u32, u8)>> = vec![None; self.graph.nodes()];
        before[to as usize] = Some((first, label));
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            if node == first {
                break;
            }
            for (next, label) in self.graph.edges(node) {
                let is_inside = self.component[next as usize] == self.component[node as usize];
                if is_inside && before[next as usize].is_none() {
                    before[next as usize] = Some((node, label));
                    queue.push_back(next);
                }
            }
        }
        let mut hops = self.hops(web, &before, first);
        if self.kind.order == Order::RealTime {
            hops = one_step_of_time(hops, times);
        }
        Some(simple(hops))
    }

    /// The round that ends at `first`, without the nodes that only stand for edges.
    fn hops(&self, web: &Web, before: &[Option<(u32, u8)>], first: u32) -> Vec<Hop> {
        let operation = |node: u32| web.operations.get((node % self.nodes) as usize).copied();
        let (mut hops, mut at) = (Vec::new(), first);
        let mut to = operation(first);
        while let Some((node, label)) = before[at as usize] {
            if let (Some(from), Some(behind), Some(kind)) = (operation(node), to, Link::of(label).kind()) {
                hops.push(Hop { from, to: behind, kind });
                to = Some(from);
            }
            at = node;
            if at == first {
                break;
            }
        }
        hops.reverse();
        hops
    }
}

/// The bits of the edges that a cycle of this kind may have.
pub(super) fn allowed(kind: Kind) -> u8 {
    let data = match kind.shape {
        Shape::G0 => Link::WriteWrite.bit(),
        Shape::G1c => Link::WriteWrite.bit() | Link::WriteRead.bit(),
        Shape::GSingle | Shape::GNonadjacent | Shape::G2 => {
            Link::WriteWrite.bit() | Link::WriteRead.bit() | Link::ReadWrite.bit()
        }
    };
    let order = match kind.order {
        Order::Dependencies => 0,
        Order::Sessions => Link::Session.bit(),
        Order::RealTime => Link::Session.bit() | Link::RealTime.bit(),
    };
    data | order | Link::Free.bit()
}

/// The edge that makes a cycle one of this shape.
pub(super) fn needed(shape: Shape) -> Link {
    match shape {
        Shape::G0 => Link::WriteWrite,
        Shape::G1c => Link::WriteRead,
        Shape::GSingle | Shape::GNonadjacent | Shape::G2 => Link::ReadWrite,
    }
}

/// Of two steps of time a→b and c→d, a precedes d or c precedes b: then what lies between, or all else, is
/// not needed.
fn one_step_of_time(hops: Vec<Hop>, times: &Times) -> Vec<Hop> {
    let mut kept: Vec<Hop> = Vec::with_capacity(hops.len());
    let mut step: Option<usize> = None;
    for hop in hops {
        let Some(place) = step.filter(|_| hop.kind == EdgeKind::RealTime) else {
            if hop.kind == EdgeKind::RealTime {
                step = Some(kept.len());
            }
            kept.push(hop);
            continue;
        };
        let earlier = kept[place];
        if times.precedes(earlier.from, hop.to) {
            kept.truncate(place);
            kept.push(Hop { to: hop.to, ..earlier });
        } else {
            let mut round = kept.split_off(place);
            round[0] = Hop { from: hop.from, ..earlier };
            return round;
        }
    }
    kept
}

/// A part of the round that meets no transaction twice.
fn simple(hops: Vec<Hop>) -> Vec<Hop> {
    let mut kept: Vec<Hop> = Vec::with_capacity(hops.len());
    let mut place_of: FxHashMap<u32, usize> = FxHashMap::default();
    for hop in hops {
        if let Some(place) = place_of.get(&hop.from).copied() {
            let round = kept.split_off(place);
            if !has_anti_in_a_row(&round) {
                return round;
            }
            for dropped in &round {
                place_of.remove(&dropped.from);
            }
        }
        place_of.insert(hop.from, kept.len());
        kept.push(hop);
    }
    kept
}

/// True if the round begins and ends with an anti-dependency.
fn has_anti_in_a_row(round: &[Hop]) -> bool {
    let is_anti = |hop: Option<&Hop>| hop.is_some_and(|hop| hop.kind == EdgeKind::ReadWrite);
    is_anti(round.first()) && is_anti(round.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(written: &str) -> Vec<Hop> {
        let words: Vec<&str> = written.split(' ').collect();
        let number = |word: &str| word.parse::<u32>().unwrap();
        let kind = |word| match word {
            "rw" => EdgeKind::ReadWrite,
            "rt" => EdgeKind::RealTime,
            _ => EdgeKind::WriteRead,
        };
        let hop =
            |at: usize| Hop { from: number(words[at]), to: number(words[at + 2]), kind: kind(words[at + 1]) };
        (0..words.len() - 1).step_by(2).map(hop).collect()
    }

    #[test]
    fn of_a_round_that_meets_one_twice_the_half_without_two_rw_in_a_row_is_left() {
        assert_eq!(simple(hops("1 wr 2 rw 3 wr 1")), hops("1 wr 2 rw 3 wr 1"));
        // From 2 over 3 back to 2 it is rw at both ends; without that part, 1 and 2 are left.
        assert_eq!(simple(hops("1 wr 2 rw 3 wr 4 rw 2 wr 1")), hops("1 wr 2 wr 1"));
        assert_eq!(simple(hops("1 rw 2 wr 3 rw 4 wr 2 wr 1")), hops("2 wr 3 rw 4 wr 2"));
    }

    #[test]
    fn one_step_of_time_is_left() {
        // Operation 10·n is in flight from n to n + 1.
        let mut times = Times::default();
        times.invoked = (0..100).map(|number| number / 10).collect();
        times.completed = (0..100).map(|number| number / 10 + 1).collect();
        let one = |written: &str| one_step_of_time(hops(written), &times);
        assert_eq!(one("0 rt 20 wr 30 rt 50 wr 0"), hops("0 rt 50 wr 0"));
        assert_eq!(one("20 rt 40 wr 0 rt 20"), hops("0 rt 40 wr 0"));
        assert_eq!(one("0 rt 20 wr 30 rt 50 wr 60 rt 90 wr 0"), hops("0 rt 90 wr 0"));
    }
}
