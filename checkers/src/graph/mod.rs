//! Dependency graphs: operations, and what must have come before what.
//!
//! ```text
//!   op 1 ──ww──▶ op 2 ──rw──▶ op 1       a cycle: no order explains it
//! ```
//!
//! The common answer is "no cycle", so that is asked first and cheaply. Only if there is one are
//! components found, and a shortest cycle in each to show to people. Nothing here recurses: a
//! history may well be one chain of a million operations.
//!
//! Source: Adya 1999, §4.4 (the edges); Kingsbury & Alvaro 2020, §6 (explain by a shortest cycle).

mod cycle;
pub(crate) mod flat;

use histories::OperationId;
use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::EdgeKind;
pub use cycle::Search;

/// What is known about the order of operations. `R` is a compact reason for an edge, to be put in
/// words only for the few edges that are shown.
#[derive(Debug, Clone)]
pub struct DependencyGraph<R> {
    graph: DiGraph<(), Label<R>>,
}

#[derive(Debug, Clone, Copy)]
struct Label<R> {
    kind: EdgeKind,
    reason: R,
}

/// One edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency<R> {
    /// What comes first.
    pub from: OperationId,
    /// What comes later.
    pub to: OperationId,
    /// The kind of dependency.
    pub kind: EdgeKind,
    /// Why.
    pub reason: R,
}

impl<R: Copy> DependencyGraph<R> {
    /// A graph of so many operations, numbered as in the history, without edges.
    pub fn new(operations: usize) -> Self {
        let mut graph = DiGraph::with_capacity(operations, operations);
        for _ in 0..operations {
            graph.add_node(());
        }
        Self { graph }
    }

    /// Adds an edge. Parallel edges are kept: they may be of different kinds.
    pub fn add(&mut self, dependency: Dependency<R>) {
        let Dependency { from, to, kind, reason } = dependency;
        self.graph.add_edge(NodeIndex::from(from.0), NodeIndex::from(to.0), Label { kind, reason });
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// True if some order explains every edge. O(V + E), without recursion.
    pub fn is_acyclic(&self) -> bool {
        toposort(&self.graph, None).is_ok()
    }

    /// An order that explains every edge, if there is one. O(V + E), without recursion.
    pub fn order(&self) -> Option<Vec<OperationId>> {
        toposort(&self.graph, None).ok().map(|nodes| nodes.into_iter().map(operation).collect())
    }

    /// The strongly connected components that contain a cycle, each in order of its operations, in
    /// order of their first ones. O(V + E); Kosaraju's algorithm, for petgraph's other one recurses.
    pub fn cyclic_components(&self) -> Vec<Vec<OperationId>> {
        let mut components: Vec<Vec<OperationId>> = kosaraju_scc(&self.graph)
            .into_iter()
            .filter(|nodes| nodes.len() > 1 || self.graph.contains_edge(nodes[0], nodes[0]))
            .map(|nodes| nodes.into_iter().map(operation).collect())
            .collect();
        for component in &mut components {
            component.sort_unstable();
        }
        components.sort_unstable();
        components
    }

    /// The edges that leave this operation, the first added first.
    pub fn dependencies_of(&self, from: OperationId) -> impl Iterator<Item = Dependency<R>> {
        let mut edges: Vec<_> = self
            .graph
            .edges(NodeIndex::from(from.0))
            .map(|edge| {
                use petgraph::visit::EdgeRef;
                let Label { kind, reason } = *edge.weight();
                (edge.id(), Dependency { from, to: operation(edge.target()), kind, reason })
            })
            .collect();
        edges.sort_unstable_by_key(|(id, _)| *id);
        edges.into_iter().map(|(_, dependency)| dependency)
    }
}

fn operation(node: NodeIndex) -> OperationId {
    OperationId(node.index() as u32)
}

#[cfg(test)]
mod tests;
