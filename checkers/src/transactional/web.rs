//! The small graph that is searched for cycles: one strongly connected component, with the order of
//! sessions or of real time as edges.
//!
//! ```text
//!   T1 ─rt▶ slot 1 ─▶ slot 2 ─▶ …          a slot a transaction, in the order of their ends;
//!              │         │                 whoever began after an end is reached from its slot:
//!              ▼         ▼                 one step of real time, however many edges that would be
//!              T5        T7
//! ```
//!
//! Sessions likewise, a chain of slots each. Nodes are the transactions, then those that stand for many
//! edges; 3 edges a transaction besides the dependencies.

use super::acyclic::{NEVER, Times, by_end};
use super::kind::Order;
use super::link::Link;
use crate::graph::flat::{EdgeList, FlatGraph};

/// A part of the graph of transactions.
pub(super) struct Web {
    /// The operation of each node; the others stand for edges.
    pub(super) operations: Vec<u32>,
    pub(super) graph: FlatGraph,
    /// The bits of its edges.
    links: u8,
}

impl Web {
    /// The part with these nodes, in order, and the order that counts.
    pub(super) fn new(whole: &FlatGraph, times: &Times, order: Order, nodes: &[u32]) -> Self {
        let count = nodes.partition_point(|node| (*node as usize) < times.invoked.len());
        let operations = nodes[..count].to_vec();
        let mut edges = EdgeList::default();
        for (from, node) in (0..).zip(nodes) {
            for (target, label) in whole.edges(*node) {
                if let Ok(to) = nodes.binary_search(&target) {
                    edges.push(from, to as u32, label);
                }
            }
        }
        let mut slots = Slots { operations: &operations, times, nodes: nodes.len() as u32, edges };
        match order {
            Order::Dependencies => {}
            Order::Sessions => slots.add_sessions(),
            Order::RealTime => slots.add_real_time(),
        }
        let graph = FlatGraph::new(slots.nodes as usize, &slots.edges);
        let links = slots.edges.iter().fold(0, |links, (.., label)| links | Link::of(label).bit());
        Self { operations, graph, links }
    }

    /// The parts of it that are strongly connected and hold more than one transaction, each as the
    /// operations and nodes of the whole graph.
    pub(super) fn knots(&self, nodes: &[u32]) -> Vec<Vec<u32>> {
        let components = self.graph.components(|_| true);
        let mut members: Vec<(u32, u32)> =
            components[..nodes.len()].iter().copied().zip(nodes.iter().copied()).collect();
        members.sort_unstable();
        let operations = self.operations.last().map_or(0, |last| last + 1);
        let mut knots: Vec<Vec<u32>> = members
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|knot| knot.len() > 1 && knot[1].1 < operations)
            .map(|knot| knot.iter().map(|(_, node)| *node).collect())
            .collect();
        knots.sort_unstable();
        knots
    }

    /// True if it has such an edge.
    pub(super) fn has(&self, link: Link) -> bool {
        self.links & link.bit() != 0
    }

    /// True if the node is a transaction.
    pub(super) fn is_operation(&self, node: u32) -> bool {
        (node as usize) < self.operations.len()
    }
}

struct Slots<'w> {
    operations: &'w [u32],
    times: &'w Times,
    nodes: u32,
    edges: EdgeList,
}

impl Slots<'_> {
    fn add_sessions(&mut self) {
        let mut slot_before: Vec<Option<u32>> = vec![None; self.operations.len()];
        for place in 0..self.operations.len() {
            let slot = self.nodes;
            self.nodes += 1;
            if let Some(before) = slot_before[place] {
                self.edges.push(before, place as u32, Link::Free as u8);
                self.edges.push(before, slot, Link::Free as u8);
            }
            self.edges.push(place as u32, slot, Link::Session as u8);
            if let Some(next) = self.next_here(place) {
                slot_before[next] = Some(slot);
            }
        }
    }

    /// The session's next operation that is in this part.
    fn next_here(&self, place: usize) -> Option<usize> {
        let mut node = self.operations[place];
        loop {
            node = self.times.next(node, Order::Sessions)?;
            if let Ok(next) = self.operations.binary_search(&node) {
                return Some(next);
            }
            // A knot holds all of a session between two of its members, but a part need not.
        }
    }

    fn add_real_time(&mut self) {
        let place = |node: &u32| self.operations.binary_search(node).map_or(0, |place| place as u32);
        let ended = by_end(self.times, self.operations.iter().copied());
        let first = self.nodes;
        self.nodes += ended.len() as u32;
        for (slot, node) in (first..).zip(&ended) {
            self.edges.push(place(node), slot, Link::RealTime as u8);
            if slot + 1 < self.nodes {
                self.edges.push(slot, slot + 1, Link::Free as u8);
            }
        }
        for (here, node) in (0..).zip(self.operations) {
            let invoked = self.times.invoked[*node as usize];
            let before =
                ended.partition_point(|other| self.times.completed[*other as usize] < invoked) as u32;
            if before > 0 {
                self.edges.push(first + before - 1, here, Link::Free as u8);
            }
            self.add_close_call(here, *node);
        }
    }

    /// A session's next call in the very instant of an answer: in order, though not by their times.
    fn add_close_call(&mut self, here: u32, node: u32) {
        let Some(next) = self.times.next(node, Order::RealTime) else { return };
        let ended = self.times.completed[node as usize];
        if ended != NEVER && ended < self.times.invoked[next as usize] {
            return;
        }
        if let Ok(to) = self.operations.binary_search(&next) {
            self.edges.push(here, to as u32, Link::Session as u8);
        }
    }
}
