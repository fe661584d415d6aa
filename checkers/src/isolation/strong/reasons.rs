//! From a circle back to what was seen: an inferred edge stands for a path of edges that were known
//! before it, and so on down to sessions and reads.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::choose::Met;
use super::model::{Edge, Model, Reason};
use crate::isolation::lists::Lists;
use crate::isolation::sources::INITIAL;

/// The transactions behind a circle of the model's edges.
pub(super) fn of_circle(model: &Model<'_>) -> Vec<u32> {
    let graph = Graph::new(model);
    let circle = graph.circle().unwrap_or_default();
    graph.transactions(circle, BTreeSet::new())
}

/// The transactions behind all circles that a solver met.
pub(super) fn of_circles(model: &Model<'_>, met: &Met) -> Vec<u32> {
    let graph = Graph::new(model);
    let wanted: FxHashSet<(u32, u32)> = met.edges.iter().copied().collect();
    let edges = (0..model.edges.len() as u32).filter(|index| {
        let edge = model.edges[*index as usize];
        wanted.contains(&(edge.from, edge.to))
    });
    let writers = met.pairs.iter().flat_map(|pair| [pair.one, pair.other]).collect();
    graph.transactions(edges.collect(), writers)
}

pub(super) struct Graph<'g, 'v> {
    model: &'g Model<'v>,
    /// The edges that leave each node.
    leaving: Lists,
}

impl<'g, 'v> Graph<'g, 'v> {
    pub(super) fn new(model: &'g Model<'v>) -> Self {
        let leaving = Lists::new(model.nodes as usize, |take| {
            model.edges.iter().enumerate().for_each(|(index, edge)| take(edge.from, index as u32));
        });
        Self { model, leaving }
    }

    fn edge(&self, index: u32) -> Edge {
        self.model.edges[index as usize]
    }

    /// A circle of edges, if there is one: the shortest through one of the edges that were inferred last,
    /// of the first thousand of them.
    pub(super) fn circle(&self) -> Option<Vec<u32>> {
        let newest = self.model.edges.iter().map(|edge| edge.round).max()?;
        let ends = (0..self.model.edges.len() as u32).filter(|index| self.edge(*index).round == newest);
        let mut best: Option<Vec<u32>> = None;
        for last in ends {
            if best.is_some() && last % 8 != 0 && self.model.edges.len() > 100_000 {
                continue;
            }
            let edge = self.edge(last);
            let most = best.as_ref().map_or(usize::MAX, |best| best.len() - 1);
            if let Some(mut way) = self.way(edge.to, edge.from, u32::MAX, most) {
                way.push(last);
                let is_short = way.len() <= 2;
                best = Some(way);
                if is_short {
                    break;
                }
            }
        }
        best
    }

    /// A shortest way along edges of rounds before `round`, with fewer than `most` edges.
    fn way(&self, from: u32, to: u32, round: u32, most: usize) -> Option<Vec<u32>> {
        if from == to {
            return Some(Vec::new());
        }
        let mut arrived: FxHashMap<u32, u32> = FxHashMap::default();
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            if length + 1 >= most {
                return None;
            }
            for index in self.leaving.get(node as usize) {
                let edge = self.edge(*index);
                if edge.round >= round || edge.to == from || arrived.contains_key(&edge.to) {
                    continue;
                }
                arrived.insert(edge.to, *index);
                if edge.to == to {
                    return Some(self.way_back(&arrived, from, to));
                }
                queue.push_back((edge.to, length + 1));
            }
        }
        None
    }

    fn way_back(&self, arrived: &FxHashMap<u32, u32>, from: u32, to: u32) -> Vec<u32> {
        let mut way = Vec::new();
        let mut at = to;
        while at != from {
            let index = arrived[&at];
            way.push(index);
            at = self.edge(index).from;
        }
        way.reverse();
        way
    }

    /// The transactions of these edges and of all that they were inferred from.
    fn transactions(&self, edges: Vec<u32>, mut found: BTreeSet<u32>) -> Vec<u32> {
        let mut seen: FxHashSet<u32> = edges.iter().copied().collect();
        let mut open = edges;
        while let Some(index) = open.pop() {
            let edge = self.edge(index);
            found.extend([edge.from, edge.to].iter().filter_map(|node| self.model.txn(*node)));
            if let Reason::Newer { version } | Reason::Overwritten { version } = edge.reason {
                let writer = self.model.versions[version as usize].writer;
                found.extend((writer != INITIAL).then_some(writer));
            }
            let (first, later) = edge.because;
            // The end of a version is only after its readers: whoever gets there came by one.
            for index in self.way(first, later, edge.round, usize::MAX).unwrap_or_default() {
                if seen.insert(index) {
                    open.push(index);
                }
            }
        }
        found.into_iter().collect()
    }
}
