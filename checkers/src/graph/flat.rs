//! A graph in three flat arrays, for millions of nodes: where each node's edges begin, where they lead,
//! and a byte that says what each is.
//!
//! ```text
//!   edges 0→1 a, 0→2 b, 2→0 c      offsets 0 2 2 3      targets 1 2 0      labels a b c
//! ```
//!
//! Nothing here recurses. An edge takes 5 bytes, where petgraph's `DiGraph` takes 16 and its label. Source of
//! the components: Tarjan, SIAM J. Comput. 1972.

/// Edges before they are sorted: pairs of nodes, each with a byte that says what it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct EdgeList {
    pairs: Vec<(u32, u32)>,
    labels: Vec<u8>,
}

impl EdgeList {
    pub(crate) fn push(&mut self, from: u32, to: u32, label: u8) {
        self.pairs.push((from, to));
        self.labels.push(label);
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32, u8)> {
        self.pairs.iter().zip(&self.labels).map(|((from, to), label)| (*from, *to, *label))
    }

    /// Gives each node another number.
    pub(crate) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        self.pairs.iter_mut().for_each(|(from, to)| (*from, *to) = (number(*from), number(*to)));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.pairs.append(&mut other.pairs);
        self.labels.append(&mut other.labels);
    }
}

/// A directed graph that no longer changes.
#[derive(Debug, Clone)]
pub(crate) struct FlatGraph {
    offsets: Vec<u32>,
    targets: Vec<u32>,
    labels: Vec<u8>,
}

impl FlatGraph {
    /// Sorts the edges by where they begin; those of one node keep their order. O(V + E).
    pub(crate) fn new(nodes: usize, edges: &EdgeList) -> Self {
        let mut offsets = vec![0_u32; nodes + 1];
        for (from, _) in &edges.pairs {
            offsets[*from as usize + 1] += 1;
        }
        for node in 0..nodes {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let (mut targets, mut labels) = (vec![0; edges.len()], vec![0; edges.len()]);
        for (from, to, label) in edges.iter() {
            let place = &mut next[from as usize];
            targets[*place as usize] = to;
            labels[*place as usize] = label;
            *place += 1;
        }
        Self { offsets, targets, labels }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many edges there are.
    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn targets(&self, node: u32) -> &[u32] {
        &self.targets[self.range(node)]
    }

    /// The edges that leave a node: where to, and what each is.
    pub(crate) fn edges(&self, node: u32) -> impl Iterator<Item = (u32, u8)> {
        let range = self.range(node);
        self.targets[range.clone()].iter().copied().zip(self.labels[range].iter().copied())
    }

    fn range(&self, node: u32) -> std::ops::Range<usize> {
        self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize
    }

    /// How many edges lead to each node.
    pub(crate) fn indegrees(&self) -> Vec<u32> {
        let mut indegrees = vec![0; self.nodes()];
        for target in &self.targets {
            indegrees[*target as usize] += 1;
        }
        indegrees
    }

    /// True if some order explains every edge. O(V + E).
    pub(crate) fn is_acyclic(&self) -> bool {
        let mut waiting_for = self.indegrees();
        let mut ready: Vec<u32> =
            (0..self.nodes() as u32).filter(|node| waiting_for[*node as usize] == 0).collect();
        let mut seen = 0;
        while let Some(node) = ready.pop() {
            seen += 1;
            for target in self.targets(node) {
                waiting_for[*target as usize] -= 1;
                if waiting_for[*target as usize] == 0 {
                    ready.push(*target);
                }
            }
        }
        seen == self.nodes()
    }

    /// The number of each node's strongly connected component, following only the edges with these
    /// labels. Two nodes have the same number iff each can be reached from the other. O(V + E).
    pub(crate) fn components(&self, follow: impl Fn(u8) -> bool) -> Vec<u32> {
        Walk::new(self, follow).run()
    }
}

const UNSEEN: u32 = u32::MAX;

/// Tarjan's algorithm with a stack of its own.
struct Walk<'g, F> {
    graph: &'g FlatGraph,
    follow: F,
    /// When each node was first met; unseen before.
    index: Vec<u32>,
    /// The earliest node on the path that is known to be reachable.
    low: Vec<u32>,
    component: Vec<u32>,
    /// Nodes without a component so far.
    open: Vec<u32>,
    /// The way to the current node, each with the place of its next edge.
    path: Vec<(u32, usize)>,
    met: u32,
    components: u32,
}

impl<'g, F: Fn(u8) -> bool> Walk<'g, F> {
    fn new(graph: &'g FlatGraph, follow: F) -> Self {
        let nodes = graph.nodes();
        Self {
            graph,
            follow,
            index: vec![UNSEEN; nodes],
            low: vec![0; nodes],
            component: vec![UNSEEN; nodes],
            open: Vec::new(),
            path: Vec::new(),
            met: 0,
            components: 0,
        }
    }

    fn run(mut self) -> Vec<u32> {
        for root in 0..self.graph.nodes() as u32 {
            if self.index[root as usize] == UNSEEN {
                self.meet(root);
                while let Some((node, place)) = self.path.pop() {
                    self.go_on(node, place);
                }
            }
        }
        self.component
    }

    fn meet(&mut self, node: u32) {
        (self.index[node as usize], self.low[node as usize]) = (self.met, self.met);
        self.met += 1;
        self.open.push(node);
        self.path.push((node, self.graph.range(node).start));
    }

    fn go_on(&mut self, node: u32, place: usize) {
        let range = place..self.graph.range(node).end;
        for place in range {
            if !(self.follow)(self.graph.labels[place]) {
                continue;
            }
            let target = self.graph.targets[place];
            if self.index[target as usize] == UNSEEN {
                self.path.push((node, place));
                self.meet(target);
                return;
            }
            if self.component[target as usize] == UNSEEN {
                self.low[node as usize] = self.low[node as usize].min(self.low[target as usize]);
            }
        }
        self.leave(node);
    }

    fn leave(&mut self, node: u32) {
        if self.low[node as usize] < self.index[node as usize] {
            return;
        }
        while let Some(member) = self.open.pop() {
            self.component[member as usize] = self.components;
            if member == node {
                break;
            }
        }
        self.components += 1;
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn graph(nodes: usize, edges: &[(u32, u32)]) -> FlatGraph {
        let mut list = EdgeList::default();
        for (from, to) in edges {
            list.push(*from, *to, (from + to) as u8);
        }
        FlatGraph::new(nodes, &list)
    }

    fn partners(graph: &FlatGraph) -> Vec<Vec<u32>> {
        let components = graph.components(|_| true);
        let mut groups: Vec<Vec<u32>> = vec![Vec::new(); graph.nodes()];
        for (node, component) in components.iter().enumerate() {
            groups[*component as usize].push(node as u32);
        }
        groups.retain(|group| group.len() > 1);
        groups.sort();
        groups
    }

    #[test]
    fn edges_are_found_where_they_begin() {
        let graph = graph(3, &[(2, 0), (0, 1), (0, 2)]);
        assert_eq!(graph.edges(0).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
        assert_eq!(graph.targets(1), [0_u32; 0]);
        assert_eq!(graph.indegrees(), [1, 1, 1]);
    }

    #[test]
    fn components_are_what_reaches_each_other() {
        assert_eq!(
            partners(&graph(6, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (4, 5)])),
            [vec![0, 1, 2], vec![3, 4]]
        );
        assert_eq!(partners(&graph(3, &[(0, 1), (1, 2), (0, 2)])), Vec::<Vec<u32>>::new());
        assert!(graph(3, &[(0, 1), (1, 2), (0, 2)]).is_acyclic());
        assert!(!graph(3, &[(0, 1), (1, 0)]).is_acyclic());
    }

    #[test]
    fn components_agree_with_reachability() {
        for seed in 0..300 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let count = rng.random_range(0..14);
            let edges: Vec<(u32, u32)> =
                (0..count).map(|_| (rng.random_range(0..7), rng.random_range(0..7))).collect();
            let graph = graph(7, &edges);
            let mut reach = [[false; 7]; 7];
            for (from, to) in &edges {
                reach[*from as usize][*to as usize] = true;
            }
            for via in 0..7 {
                for from in 0..7 {
                    for to in 0..7 {
                        reach[from][to] |= reach[from][via] && reach[via][to];
                    }
                }
            }
            let components = graph.components(|_| true);
            for a in 0..7 {
                for b in 0..7 {
                    let together = a == b || reach[a][b] && reach[b][a];
                    assert_eq!(components[a] == components[b], together, "{edges:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn a_cycle_of_a_million_nodes_overflows_nothing() {
        let nodes = 1_000_000;
        let edges: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
        let graph = graph(nodes as usize, &edges);
        assert!(!graph.is_acyclic());
        assert!(graph.components(|_| true).iter().all(|component| *component == 0));
    }
}
