//! A shortest cycle: the fewest edges that no order explains.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use histories::OperationId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{Dependency, DependencyGraph};
use crate::{Budget, EdgeKind};

/// What a cycle may consist of.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The operations that it may visit: those of one component.
    pub within: &'a [OperationId],
    /// The kinds of edges that it may use; none means all.
    pub kinds: Option<&'a [EdgeKind]>,
}

impl Search<'_> {
    fn allows(&self, kind: EdgeKind) -> bool {
        self.kinds.is_none_or(|kinds| kinds.contains(&kind))
    }
}

impl<R: Copy> DependencyGraph<R> {
    /// A shortest cycle, beginning at its first operation; the lowest such if there are several.
    ///
    /// Breadth-first from each operation, each search no deeper than the best cycle so far: O(V · E)
    /// in the component at worst. One budget step an edge looked at; when it runs out, the best cycle
    /// so far, which need not be a shortest one. None only if there is none, or if the budget ran out
    /// before the first was found.
    pub fn shortest_cycle(&self, search: Search<'_>, budget: &mut Budget) -> Option<Vec<Dependency<R>>> {
        let within: FxHashSet<OperationId> = search.within.iter().copied().collect();
        let mut best: Option<Vec<Dependency<R>>> = None;
        for start in search.within {
            let limit = best.as_ref().map_or(usize::MAX, |cycle| cycle.len() - 1);
            // Nothing is shorter than one edge.
            if limit == 0 || budget.steps == 0 {
                break;
            }
            let found = self.cycle_through(*start, &Bounds { search, within: &within, limit }, budget);
            best = found.or(best);
        }
        best.map(lowest_first)
    }

    fn cycle_through(
        &self,
        start: OperationId,
        bounds: &Bounds<'_>,
        budget: &mut Budget,
    ) -> Option<Vec<Dependency<R>>> {
        let mut arrived: FxHashMap<OperationId, Dependency<R>> = FxHashMap::default();
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((from, depth)) = queue.pop_front() {
            if depth >= bounds.limit {
                return None;
            }
            for edge in self.dependencies_of(from) {
                if !budget.step() {
                    return None;
                }
                if !bounds.search.allows(edge.kind) || !bounds.within.contains(&edge.to) {
                    continue;
                }
                if edge.to == start {
                    return Some(walk_back(start, edge, &arrived));
                }
                if let Entry::Vacant(first_arrival) = arrived.entry(edge.to) {
                    first_arrival.insert(edge);
                    queue.push_back((edge.to, depth + 1));
                }
            }
        }
        None
    }
}

struct Bounds<'a> {
    search: Search<'a>,
    within: &'a FxHashSet<OperationId>,
    limit: usize,
}

fn walk_back<R: Copy>(
    start: OperationId,
    last: Dependency<R>,
    arrived: &FxHashMap<OperationId, Dependency<R>>,
) -> Vec<Dependency<R>> {
    let mut cycle = vec![last];
    let mut at = last.from;
    while at != start {
        let edge = arrived[&at];
        cycle.push(edge);
        at = edge.from;
    }
    cycle.reverse();
    cycle
}

fn lowest_first<R: Copy>(mut cycle: Vec<Dependency<R>>) -> Vec<Dependency<R>> {
    let lowest = (0..cycle.len()).min_by_key(|index| cycle[*index].from).unwrap_or(0);
    cycle.rotate_left(lowest);
    cycle
}
