//! Circles: operations of which each must come before the next, all around.
//!
//! ```text
//!   1 ──ww──▶ 2     c0 knew of 1 when it read x and saw 2
//!   2 ──ww──▶ 1     c1 knew of 2 when it read x and saw 1
//! ```

use histories::OperationId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::anomaly::names;
use crate::causal::path::Hop;
use crate::causal::seen::Read;
use crate::causal::story::{Teller, Told};
use crate::facts::Address;
use crate::graph::{Dependency, DependencyGraph, Search};
use crate::wording::counted;
use crate::{Budget, EdgeKind, Finding};

/// The anomaly of a circle that needs no order of writes.
pub(super) const CYCLE: &str = names::CAUSAL_CYCLE;

/// Steps of the search for a shorter circle: a long one may stay long.
const SHORTEN_STEPS: u64 = 1_000_000;

impl Teller<'_, '_> {
    /// A circle of what must come first; each operation comes after the next one of the list.
    pub(crate) fn circle(&self, circle: &[u32]) -> Finding {
        let hops = self.shorten(circle);
        let ordered = hops.iter().filter(|hop| hop.kind == EdgeKind::WriteWrite).count();
        let clients: FxHashSet<u32> =
            hops.iter().map(|hop| self.causality.order.session[hop.from as usize]).collect();
        let story = match ordered {
            0 => format!(
                "{} operations each depend on the next, all around: a client saw a write that itself \
                 depends on what that client did later.",
                hops.len()
            ),
            _ => format!(
                "What {} saw cannot be put in one order: each of {} would have to be replaced by the next, \
                 all around.",
                counted(clients.len() as u64, "client", "clients"),
                counted(ordered as u64, "write", "writes"),
            ),
        };
        let mut operations: Vec<u32> = hops.iter().map(|hop| hop.from).collect();
        operations.extend(hops.iter().filter_map(|hop| Some(self.conflict(*hop)?.at.operation.0)));
        let told = Told {
            anomaly: if ordered == 0 { CYCLE } else { names::CONTRADICTORY_ORDERS },
            story,
            brief: format!("a circle of {} operations", hops.len()),
            conclusion: "So each of them came before itself: a cycle that no order can explain.".into(),
            weight: 1,
        };
        let edges = hops.iter().map(|hop| self.edge(*hop)).collect();
        let key = self.facts.key_of(Address { operation: OperationId(operations[0]), index: 0 });
        self.assemble(operations, edges, &[], key, told)
    }

    // A shortest circle among these operations; all operations of one session are one step apart.
    fn shorten(&self, circle: &[u32]) -> Vec<Hop> {
        let members: FxHashSet<u32> = circle.iter().copied().collect();
        let mut next: FxHashMap<u32, Vec<Hop>> = FxHashMap::default();
        for from in circle.iter().copied() {
            let conflicts = self.causality.overlooked.conflicts_of(from).iter();
            for to in conflicts.map(|conflict| conflict.later).filter(|later| members.contains(later)) {
                next.entry(from).or_default().push(Hop { from, to, kind: EdgeKind::WriteWrite });
            }
        }
        let order = &self.causality.order;
        for to in circle.iter().copied() {
            for from in order.sources(to).filter(|source| members.contains(source)) {
                next.entry(from).or_default().push(Hop { from, to, kind: EdgeKind::WriteRead });
            }
        }
        // The circle itself: an edge that is neither session order nor a conflict is the forgotten one.
        for (place, from) in circle.iter().enumerate() {
            let to = circle[(place + circle.len() - 1) % circle.len()];
            let is_known = next.get(from).is_some_and(|hops| hops.iter().any(|hop| hop.to == to));
            if !is_known && order.previous[to as usize] != *from {
                next.entry(*from).or_default().push(Hop { from: *from, to, kind: EdgeKind::WriteRead });
            }
        }
        self.add_sessions(circle, &mut next);
        shortest(circle, &next)
    }

    fn add_sessions(&self, circle: &[u32], next: &mut FxHashMap<u32, Vec<Hop>>) {
        let order = &self.causality.order;
        let mut by_session = circle.to_vec();
        by_session.sort_unstable_by_key(|at| (order.session[*at as usize], order.position[*at as usize]));
        for session in by_session.chunk_by(|a, b| order.session[*a as usize] == order.session[*b as usize]) {
            for (place, from) in session.iter().enumerate() {
                // All pairs where there are few, else the neighbours: a longer story, the same proof.
                let reach = if session.len() > 64 { place + 2 } else { session.len() };
                for to in &session[place + 1..reach.min(session.len())] {
                    next.entry(*from).or_default().push(Hop {
                        from: *from,
                        to: *to,
                        kind: EdgeKind::Session,
                    });
                }
            }
        }
    }

    // The read that knew the first of two writes and saw the second.
    fn conflict(&self, hop: Hop) -> Option<&Read> {
        let conflicts = self.causality.overlooked.conflicts_of(hop.from).iter();
        let mut asked = conflicts.filter(|conflict| conflict.later == hop.to);
        let conflict = asked.next().filter(|_| hop.kind == EdgeKind::WriteWrite)?;
        Some(&self.causality.seen.reads[conflict.read as usize])
    }

    /// Why one write has to be ordered before another.
    pub(super) fn ordered(&self, hop: Hop) -> String {
        let (first, later) = (self.made(hop.from), self.made(hop.to));
        match self.conflict(hop) {
            Some(read) => {
                let session = self.operation(read.at.operation.0).session;
                format!("{session} knew of {first} when it read {} and saw {later}", self.facts.key(read.key))
            }
            None => format!("{later} replaced {first}"),
        }
    }
}

/// The fewest of these operations that form a circle.
fn shortest(circle: &[u32], next: &FxHashMap<u32, Vec<Hop>>) -> Vec<Hop> {
    let mut members = circle.to_vec();
    members.sort_unstable();
    let number = |operation: u32| OperationId(members.partition_point(|member| *member < operation) as u32);
    let mut graph = DependencyGraph::new(members.len());
    for hop in members.iter().filter_map(|member| next.get(member)).flatten() {
        graph.add(Dependency { from: number(hop.from), to: number(hop.to), kind: hop.kind, reason: *hop });
    }
    let within: Vec<OperationId> = members.iter().map(|member| number(*member)).collect();
    let search = Search { within: &within, kinds: None };
    let found = graph.shortest_cycle(search, &mut Budget { steps: SHORTEN_STEPS });
    found.expect("the operations form a circle").into_iter().map(|edge| edge.reason).collect()
}
