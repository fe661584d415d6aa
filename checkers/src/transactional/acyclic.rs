//! Is there an order that explains every edge? Asked first, for it is the common answer.
//!
//! ```text
//!   ready:  every edge to it comes from what is placed already,
//!           its session's call before it is placed,
//!           and no call that ended before it began is still unplaced
//! ```
//!
//! The last needs no edges: calls are placed, the earliest end among the unplaced moves on, and every
//! call that began no later than that end is free. The same backwards peels off what only follows
//! cycles; what is left lies on a cycle or between two.
//!
//! O(V + E + n log n) time, 16 bytes a node. Source: Kahn, CACM 1962.

use histories::History;

use super::kind::Order;
use crate::graph::flat::{EdgeList, FlatGraph};

/// An operation that has no next one.
const NONE: u32 = u32::MAX;
/// An operation that precedes nothing: nobody knows when it ended.
pub(super) const NEVER: u64 = u64::MAX;

/// When each operation was in flight, and what its session did next.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    pub(super) invoked: Vec<u64>,
    /// Never, if it was not confirmed.
    pub(super) completed: Vec<u64>,
    /// The next operation of the session that may have happened; only behind confirmed ones.
    next: Vec<u32>,
}

impl Times {
    pub(super) fn new<'a>(
        history: &History,
        sessions: impl Iterator<Item = &'a [histories::OperationId]>,
    ) -> Self {
        let operations = history.operations();
        let end = |operation: &histories::Operation| match operation.completed {
            Some(completed) if operation.is_confirmed() => completed.0,
            _ => NEVER,
        };
        let mut next = vec![NONE; operations.len()];
        for session in sessions {
            let mut possible = session.iter().filter(|id| operations[id.index()].is_possible());
            let Some(mut before) = possible.next() else { continue };
            for id in possible {
                next[before.index()] = id.0;
                before = id;
            }
        }
        Self {
            invoked: operations.iter().map(|operation| operation.invoked.0).collect(),
            completed: operations.iter().map(end).collect(),
            next,
        }
    }

    /// What the session did next, where that order counts.
    pub(super) fn next(&self, node: u32, order: Order) -> Option<u32> {
        let next = *self.next.get(node as usize)?;
        (order != Order::Dependencies && next != NONE).then_some(next)
    }

    /// True if some session asked in the very instant of an answer: times do not show its order.
    pub(super) fn has_close_calls(&self) -> bool {
        let is_close = |(ended, next): (&u64, &u32)| *next != NONE && *ended >= self.invoked[*next as usize];
        self.completed.iter().zip(&self.next).any(is_close)
    }

    pub(super) fn precedes(&self, a: u32, b: u32) -> bool {
        self.completed[a as usize] < self.invoked[b as usize]
    }
}

/// The nodes that no order of this strength places: those on cycles, and those between two cycles.
/// None at all if there is an order.
pub(super) fn unplaced(graph: &FlatGraph, times: &Times, order: Order) -> Vec<u32> {
    let placed = Forwards::new(graph, times, order).run();
    let left: Vec<u32> = (0..).zip(&placed).filter(|(_, placed)| !**placed).map(|(node, _)| node).collect();
    if left.is_empty() { left } else { Backwards::new(graph, times, order, &left).run() }
}

struct Forwards<'g> {
    graph: &'g FlatGraph,
    times: &'g Times,
    order: Order,
    waiting_for: Vec<u32>,
    placed: Vec<bool>,
    ready: Vec<u32>,
    /// Confirmed operations by their end; those before the cursor are placed.
    by_end: Vec<u32>,
    ended: usize,
    /// Operations from here on must not be placed yet.
    began: u32,
}

impl<'g> Forwards<'g> {
    fn new(graph: &'g FlatGraph, times: &'g Times, order: Order) -> Self {
        let mut waiting_for = graph.indegrees();
        let operations = times.invoked.len() as u32;
        for next in (0..operations).filter_map(|node| times.next(node, order)) {
            waiting_for[next as usize] += 1;
        }
        let by_end = if order == Order::RealTime { by_end(times, 0..operations) } else { Vec::new() };
        Self {
            graph,
            times,
            order,
            placed: vec![false; graph.nodes()],
            ready: (operations..graph.nodes() as u32).filter(|hub| waiting_for[*hub as usize] == 0).collect(),
            waiting_for,
            by_end,
            ended: 0,
            began: 0,
        }
    }

    fn run(mut self) -> Vec<bool> {
        self.let_begin();
        while let Some(node) = self.ready.pop() {
            self.placed[node as usize] = true;
            for target in self.graph.targets(node) {
                self.arrive(*target);
            }
            if let Some(next) = self.times.next(node, self.order) {
                self.arrive(next);
            }
            if self.ready.is_empty() {
                self.let_begin();
            }
        }
        self.placed
    }

    fn arrive(&mut self, node: u32) {
        self.waiting_for[node as usize] -= 1;
        let may_begin = node < self.began || node as usize >= self.times.invoked.len();
        if self.waiting_for[node as usize] == 0 && may_begin {
            self.ready.push(node);
        }
    }

    /// Frees the operations that began no later than the earliest end among the unplaced ones.
    fn let_begin(&mut self) {
        while self.by_end.get(self.ended).is_some_and(|node| self.placed[*node as usize]) {
            self.ended += 1;
        }
        let end = self.by_end.get(self.ended).map_or(NEVER, |node| self.times.completed[*node as usize]);
        while self.times.invoked.get(self.began as usize).is_some_and(|invoked| *invoked <= end) {
            if self.waiting_for[self.began as usize] == 0 {
                self.ready.push(self.began);
            }
            self.began += 1;
        }
    }
}

/// The same from the end, among the nodes that are left.
struct Backwards<'g> {
    times: &'g Times,
    order: Order,
    left: &'g [u32],
    /// Edges turned round, among what is left, by place in `left`.
    sources: FlatGraph,
    waiting_for: Vec<u32>,
    placed: Vec<bool>,
    ready: Vec<u32>,
    /// Places in `left` by end, those that never end last; from the cursor on they may be placed.
    by_end: Vec<u32>,
    free: usize,
    may_end: Vec<bool>,
    /// The last operation of `left` that is not placed yet, counted from the end.
    last: usize,
}

impl<'g> Backwards<'g> {
    fn new(graph: &'g FlatGraph, times: &'g Times, order: Order, left: &'g [u32]) -> Self {
        let place = |node: u32| left.binary_search(&node).ok().map(|place| place as u32);
        let mut turned = EdgeList::default();
        let mut waiting_for = vec![0; left.len()];
        for (from, node) in (0..).zip(left) {
            let next = times.next(*node, order);
            for target in graph.targets(*node).iter().copied().chain(next).filter_map(place) {
                turned.push(target, from, 0);
                waiting_for[from as usize] += 1;
            }
        }
        let operations = left.partition_point(|node| (*node as usize) < times.invoked.len());
        let mut by_end: Vec<u32> = (0..operations as u32).collect();
        by_end.sort_by_key(|place| times.completed[left[*place as usize] as usize]);
        Self {
            times,
            order,
            left,
            sources: FlatGraph::new(left.len(), &turned),
            placed: vec![false; left.len()],
            ready: Vec::new(),
            may_end: vec![order != Order::RealTime; left.len()],
            free: by_end.len(),
            by_end,
            waiting_for,
            last: operations,
        }
    }

    fn run(mut self) -> Vec<u32> {
        for place in 0..self.left.len() {
            let is_hub = self.left[place] as usize >= self.times.invoked.len();
            self.may_end[place] |= is_hub;
            if self.may_end[place] && self.waiting_for[place] == 0 {
                self.ready.push(place as u32);
            }
        }
        self.let_end();
        while let Some(place) = self.ready.pop() {
            self.placed[place as usize] = true;
            for source in self.sources.targets(place).to_vec() {
                self.waiting_for[source as usize] -= 1;
                if self.waiting_for[source as usize] == 0 && self.may_end[source as usize] {
                    self.ready.push(source);
                }
            }
            if self.ready.is_empty() {
                self.let_end();
            }
        }
        let left = self.left.iter().zip(&self.placed).filter(|(_, placed)| !**placed);
        left.map(|(node, _)| *node).collect()
    }

    /// Frees the operations that ended no earlier than the latest beginning among the unplaced ones.
    fn let_end(&mut self) {
        if self.order != Order::RealTime {
            return;
        }
        while self.last > 0 && self.placed[self.last - 1] {
            self.last -= 1;
        }
        let began = match self.last {
            0 => 0,
            last => self.times.invoked[self.left[last - 1] as usize],
        };
        while self.free > 0 {
            let place = self.by_end[self.free - 1] as usize;
            if self.times.completed[self.left[place] as usize] < began {
                return;
            }
            self.free -= 1;
            self.may_end[place] = true;
            if self.waiting_for[place] == 0 && !self.placed[place] {
                self.ready.push(place as u32);
            }
        }
    }
}

/// Those that surely ended, by their end.
pub(super) fn by_end(times: &Times, nodes: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ended: Vec<(u64, u32)> = nodes
        .map(|node| (times.completed[node as usize], node))
        .filter(|(completed, _)| *completed != NEVER)
        .collect();
    ended.sort_unstable();
    ended.into_iter().map(|(_, node)| node).collect()
}
