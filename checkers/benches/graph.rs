//! A graph of a million transactions: our flat one against petgraph's.
//!
//! Edges lead a little forward, as those of transactions do, and every thousandth a little back, so that there
//! are components to find.
//!
//! ```text
//! cargo bench -p checkers --bench graph
//! ```

#[expect(dead_code, unused_imports, reason = "only a part of the module is measured, and none of its tests")]
#[path = "../src/graph/flat.rs"]
mod flat;

use std::time::{Duration, Instant};

use flat::{EdgeList, FlatGraph};
use petgraph::algo::{kosaraju_scc, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NODES: u32 = 1_000_000;
const EDGES: usize = 4_000_000;
const ROUNDS: usize = 3;

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let edge = |number: usize| {
        let (from, far) = (rng.random_range(0..NODES), rng.random_range(1..100));
        let to = if number.is_multiple_of(1_000) { from.saturating_sub(far) } else { from + far };
        (from, to.min(NODES - 1))
    };
    let edges: Vec<(u32, u32)> = (0..EDGES).map(edge).collect();
    let petgraphs = || {
        let mut graph: DiGraph<(), u8> = DiGraph::with_capacity(NODES as usize, EDGES);
        for _ in 0..NODES {
            graph.add_node(());
        }
        for (from, to) in &edges {
            graph.add_edge(NodeIndex::new(*from as usize), NodeIndex::new(*to as usize), 0);
        }
        graph
    };
    report("flat, Tarjan", || {
        let mut list = EdgeList::default();
        edges.iter().for_each(|(from, to)| list.push(*from, *to, 0));
        let components = FlatGraph::new(NODES as usize, &list).components(|_| true);
        components.iter().max().map_or(0, |last| *last as usize + 1)
    });
    report("petgraph, Tarjan", || tarjan_scc(&petgraphs()).len());
    report("petgraph, Kosaraju", || kosaraju_scc(&petgraphs()).len());
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn report(what: &str, components: impl Fn() -> usize) {
    let mut fastest = Duration::MAX;
    let mut count = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        count = components();
        fastest = fastest.min(begun.elapsed());
    }
    println!("{what:20} {count} components in {:.3} s", fastest.as_secs_f64());
}
