//! The edges as they are found, and the anomalies that need no graph.

use std::collections::BTreeMap;

use histories::OperationId;

use super::link::Link;
use crate::facts::{Address, Facts, KeyNumber};
use crate::graph::flat::EdgeList;

/// Findings of one name that are kept to be told; the others are counted.
const KEPT_MAX: usize = 100;

/// An anomaly that was seen without a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spotted {
    pub(super) anomaly: &'static str,
    pub(super) key: KeyNumber,
    /// The micro-ops that show it, the telling one first.
    pub(super) at: Vec<Address>,
}

/// Anomalies by name: how many there are, and the first of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Spots {
    by_name: BTreeMap<&'static str, (u64, Vec<Spotted>)>,
}

impl Spots {
    pub(super) fn note(&mut self, anomaly: &'static str, key: KeyNumber, at: &[Address]) {
        let (count, kept) = self.by_name.entry(anomaly).or_default();
        *count += 1;
        if kept.len() < KEPT_MAX {
            kept.push(Spotted { anomaly, key, at: at.to_vec() });
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        for (anomaly, (more, spots)) in other.by_name {
            let (count, kept) = self.by_name.entry(anomaly).or_default();
            *count += more;
            kept.extend(spots.into_iter().take(KEPT_MAX - kept.len()));
        }
    }

    /// Name, number, and those that are kept.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &[Spotted])> {
        self.by_name.iter().map(|(name, (count, kept))| (*name, *count, kept.as_slice()))
    }
}

/// Edges between operations, and nodes that stand for many of them.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub(super) edges: EdgeList,
    pub(super) spots: Spots,
    /// Operations are numbered from 0, then come nodes that stand for many edges.
    operations: u32,
    nodes: u32,
}

impl Links {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        let operations = facts.history().operations().len() as u32;
        Self { edges: EdgeList::default(), spots: Spots::default(), operations, nodes: operations }
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes as usize
    }

    /// So many more nodes that stand for edges: the number of the first.
    pub(super) fn more_nodes(&mut self, count: usize) -> u32 {
        let first = self.nodes;
        self.nodes += count as u32;
        first
    }

    pub(super) fn add(&mut self, from: OperationId, to: OperationId, link: Link) {
        if from != to {
            self.edges.push(from.0, to.0, link as u8);
        }
    }

    /// Adds the links of other keys, as if they had been found after these.
    pub(super) fn append(&mut self, mut other: Self) {
        let moved = self.nodes - other.operations;
        if moved > 0 && other.nodes > other.operations {
            other.edges.renumber(|node| if node < other.operations { node } else { node + moved });
        }
        self.nodes += other.nodes - other.operations;
        self.edges.append(other.edges);
        self.spots.append(other.spots);
    }

    /// From each of these to each of those, but to itself. Where both are many, nodes stand in for
    /// the edges, so that there are as many as operations, not as pairs:
    ///
    /// ```text
    ///   a ──▶ upto(n) ─▶ upto(n-1) ─▶ … ─▶ upto(1)         one that is itself the i-th of those goes to
    ///           │           │                │             upto(i-1) and to since(i+1)
    ///           ▼           ▼                ▼
    ///          n-th       n-1-th            1st
    /// ```
    pub(super) fn each_to_each(&mut self, from: &[OperationId], to: &[OperationId], link: Link) {
        if from.len() * to.len() <= 8 + from.len() + to.len() {
            for a in from {
                to.iter().for_each(|b| self.add(*a, *b, link));
            }
            return;
        }
        let mut to = to.to_vec();
        to.sort_unstable();
        to.dedup();
        let count = to.len() as u32;
        let upto = self.more_nodes(2 * to.len());
        let since = upto + count;
        for (index, target) in (0..).zip(&to) {
            self.edges.push(upto + index, target.0, Link::Free as u8);
            self.edges.push(since + index, target.0, Link::Free as u8);
            if index + 1 < count {
                self.edges.push(upto + index + 1, upto + index, Link::Free as u8);
                self.edges.push(since + index, since + index + 1, Link::Free as u8);
            }
        }
        for source in from {
            let (before, after) = match to.binary_search(source) {
                Ok(place) => (place as u32, place as u32 + 1),
                Err(_) => (count, count),
            };
            if before > 0 {
                self.edges.push(source.0, upto + before - 1, link as u8);
            }
            if after < count {
                self.edges.push(source.0, since + after, link as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use histories::text;

    use super::*;
    use crate::graph::flat::FlatGraph;

    fn reached(links: &Links, from: u32) -> Vec<u32> {
        let graph = FlatGraph::new(links.nodes(), &links.edges);
        let (mut open, mut seen) = (vec![from], vec![false; links.nodes()]);
        let mut reached = Vec::new();
        while let Some(node) = open.pop() {
            for (target, label) in graph.edges(node) {
                if (node != from) != (label == Link::Free as u8) || seen[target as usize] {
                    continue;
                }
                seen[target as usize] = true;
                if target < 20 { reached.push(target) } else { open.push(target) }
            }
        }
        reached.sort_unstable();
        reached
    }

    #[test]
    fn each_leads_to_each_but_itself() {
        let lines: String = (0..20).map(|number| format!("c{number} read x -> 1\n")).collect();
        let history = text::parse(&lines).unwrap();
        let facts = Facts::new(&history);
        let ids = |range: std::ops::Range<u32>| range.map(OperationId).collect::<Vec<_>>();
        let mut links = Links::new(&facts);
        links.each_to_each(&ids(0..10), &ids(5..15), Link::ReadWrite);
        for from in 0..10 {
            let expected: Vec<u32> = (5..15).filter(|to| *to != from).collect();
            assert_eq!(reached(&links, from), expected, "{from}");
        }
        assert!(links.edges.len() < 70, "{}", links.edges.len());
    }
}
