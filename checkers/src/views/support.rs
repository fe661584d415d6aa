//! All that a circle rests on: the calls of its edges, and those from which each edge was concluded.
//!
//! ```text
//!   r saw w2, and w1 writes the same key
//!   w1 ──ww──▶ w2   rests on a way from w1 to r      w1 ──so──▶ a ──wr──▶ b ──so──▶ r
//!   r  ──rw──▶ w1   rests on a way from w2 to w1     and each edge of that way on another, of an earlier round
//! ```
//!
//! Breadth-first for each conclusion, along what earlier rounds knew: so it ends. O(V + E) an edge that was
//! concluded, within a budget of steps; at its end some calls are missing, and what is told is still true.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::EdgeKind;
use crate::views::record::{Found, Record};
use crate::views::saturate::Before;

/// The calls of this circle, and all that its edges rest on; those in the midst of a session's way there are left out.
pub(super) fn support(record: &Record, edges: &[Before], circle: &[Before], steps: u64) -> Vec<u32> {
    let mut ways = Ways::new(record, edges, steps);
    let mut nodes: FxHashSet<u32> = circle.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    let mut told: FxHashSet<(u32, u32)> = FxHashSet::default();
    let mut open = circle.to_vec();
    while let Some(edge) = open.pop() {
        if edge.kind != EdgeKind::Session {
            nodes.extend([edge.from, edge.to, edge.read]);
        }
        if edge.round > 0
            && told.insert((edge.from, edge.to))
            && let Some((from, to)) = rests_on(record, edge)
        {
            nodes.extend([from, to]);
            open.extend(ways.find(from, to, edge.round));
        }
    }
    let mut nodes: Vec<u32> = nodes.into_iter().collect();
    nodes.sort_unstable();
    nodes
}

// What had to be known to come first and later. A read of what was there before all writes rests on nothing.
fn rests_on(record: &Record, edge: Before) -> Option<(u32, u32)> {
    match (edge.kind, record.node(edge.read).found) {
        (EdgeKind::WriteWrite, _) => Some((edge.from, edge.read)),
        (EdgeKind::ReadWrite, Found::From(source)) => Some((source, edge.to)),
        _ => None,
    }
}

/// Finds ways, with as few edges as possible.
struct Ways<'e> {
    edges: &'e [Before],
    /// Of each call: where its edges begin among `order`.
    first: Vec<u32>,
    order: Vec<u32>,
    steps: u64,
}

impl<'e> Ways<'e> {
    fn new(record: &Record, edges: &'e [Before], steps: u64) -> Self {
        let mut order: Vec<u32> = (0..edges.len() as u32).collect();
        order.sort_by_key(|edge| edges[*edge as usize].from);
        let first = (0..=record.nodes.len() as u32)
            .map(|node| order.partition_point(|edge| edges[*edge as usize].from < node) as u32)
            .collect();
        Self { edges, first, order, steps }
    }

    // Along what was known before this round; nothing if the steps run out.
    fn find(&mut self, from: u32, to: u32, round: u32) -> Vec<Before> {
        let mut came_by: FxHashMap<u32, Before> = FxHashMap::default();
        let mut open = VecDeque::from([from]);
        while let Some(node) = open.pop_front().filter(|node| *node != to) {
            let (begin, end) = (self.first[node as usize], self.first[node as usize + 1]);
            for edge in &self.order[begin as usize..end as usize] {
                let Some(steps) = self.steps.checked_sub(1) else { return Vec::new() };
                self.steps = steps;
                let edge = self.edges[*edge as usize];
                if edge.round < round && edge.to != from && !came_by.contains_key(&edge.to) {
                    came_by.insert(edge.to, edge);
                    open.push_back(edge.to);
                }
            }
        }
        let (mut way, mut at) = (Vec::new(), to);
        while let Some(edge) = came_by.get(&at).copied() {
            way.push(edge);
            at = edge.from;
        }
        way
    }
}
