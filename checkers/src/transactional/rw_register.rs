//! Registers whose values are written once each: who wrote what a read saw is known, the order of the
//! versions only in part.
//!
//! ```text
//!   T1  read x → nothing, write x 1     nothing < 1          before anything is written, nothing is there
//!   T2  read x → 1, write x 2           1 < 2                a transaction replaces what it read
//!   c0  T3 read x → 2, then T4 write x 3     2 < 3           if sessions see a key go forward
//!   T3 ended before T5 write x 4 began       2 < 4           if each key is linearizable
//! ```
//!
//! A version is known by the last write of its transaction; an earlier one is intermediate. From
//! `v < w` follows ww from the writer of v to that of w, and rw from each reader of v to the writer of w.
//! An unknown write counts if anything of its transaction was read. A source of order that goes in a
//! circle for any key is told and then left out.
//!
//! O(n) for sessions, O(n · c) in real time where c transactions on a key are in flight at once.
//! Source: Kingsbury & Alvaro 2020, §5.2.

use histories::{Nanos, OperationId};
use rustc_hash::FxHashMap;

use super::link::Link;
use super::links::Links;
use super::list_append::lost_updates;
use super::touch::{Touch, Version, Versions};
use crate::anomaly::names;
use crate::facts::{Facts, KeyNumber};
use crate::graph::flat::{EdgeList, FlatGraph};

/// What may be assumed to find the order of a register's versions, besides that nothing comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assume {
    /// A transaction that reads a key and then writes it replaces what it read. Every store does that is
    /// at least read committed: else the two would depend on each other.
    pub writes_follow_reads: bool,
    /// Each session sees a key go forward.
    pub sequential_keys: bool,
    /// Each key goes forward in real time.
    pub linearizable_keys: bool,
}

/// Versions of a circle that are shown.
const CIRCLE_SHOWN_MAX: usize = 8;

/// Finds the order of versions, and what follows from it; says that order.
pub(super) fn link_registers(
    facts: &Facts<'_>,
    versions: &Versions,
    assume: Assume,
    links: &mut Links,
) -> FlatGraph {
    let mut known = Sources { facts, versions, edges: EdgeList::default() };
    known.edges = known.after_nothing();
    if assume.writes_follow_reads {
        known.take(known.within_transactions(), names::CYCLIC_VERSIONS, links);
    }
    if assume.sequential_keys {
        known.take(known.by_sessions(), names::CYCLIC_VERSIONS_PROCESS, links);
    }
    if assume.linearizable_keys {
        known.take(known.by_time(), names::CYCLIC_VERSIONS_REALTIME, links);
    }
    known.link(links)
}

/// What is known about the order of versions so far.
struct Sources<'f, 'h> {
    facts: &'f Facts<'h>,
    versions: &'f Versions,
    edges: EdgeList,
}

impl Sources<'_, '_> {
    fn after_nothing(&self) -> EdgeList {
        let mut edges = EdgeList::default();
        for key in self.facts.keys() {
            let nothing = self.versions.nothing(key);
            let touches = self.versions.on_key(key);
            let seen = touches.iter().flat_map(|touch| [touch.read, touch.written]).flatten();
            let mut later: Vec<Version> = seen.filter(|version| *version != nothing).collect();
            later.sort_unstable();
            later.dedup();
            later.into_iter().for_each(|version| edges.push(nothing.0, version.0, 0));
        }
        edges
    }

    fn within_transactions(&self) -> EdgeList {
        let mut edges = EdgeList::default();
        for touch in self.versions.touches() {
            if let (Some(read), Some(written)) = (touch.read, touch.written)
                && !self.versions.is_nothing(read)
            {
                edges.push(read.0, written.0, 0);
            }
        }
        edges
    }

    fn by_sessions(&self) -> EdgeList {
        let mut edges = EdgeList::default();
        let operations = self.facts.history().operations();
        for key in self.facts.keys() {
            let mut last: FxHashMap<_, Version> = FxHashMap::default();
            for touch in self.versions.on_key(key) {
                let operation = &operations[touch.operation.index()];
                if !operation.is_confirmed() {
                    continue;
                }
                if let (Some(before), Some(first)) = (last.get(&operation.session), touch.first())
                    && *before != first
                {
                    edges.push(before.0, first.0, 0);
                }
                if let Some(version) = touch.last() {
                    last.insert(operation.session, version);
                }
            }
        }
        edges
    }

    fn by_time(&self) -> EdgeList {
        let mut edges = EdgeList::default();
        for key in self.facts.keys() {
            self.key_by_time(key, &mut edges);
        }
        edges
    }

    // The newest transactions that have ended, each with its end: those that precede no other one.
    fn key_by_time(&self, key: KeyNumber, edges: &mut EdgeList) {
        let operations = self.facts.history().operations();
        let touches = self.versions.on_key(key);
        let mut ends: Vec<(Nanos, usize)> = Vec::new();
        for (index, touch) in touches.iter().enumerate() {
            let operation = &operations[touch.operation.index()];
            if let (true, Some(end)) = (operation.is_confirmed(), operation.completed) {
                ends.push((end, index));
            }
        }
        ends.sort_unstable();
        let (mut ended, mut frontier) = (ends.into_iter().peekable(), Vec::new());
        for touch in touches {
            let invoked = operations[touch.operation.index()].invoked;
            while let Some((end, index)) = ended.next_if(|(end, _)| *end < invoked) {
                let began = operations[touches[index].operation.index()].invoked;
                frontier.retain(|(other, _): &(Nanos, usize)| *other >= began);
                frontier.push((end, index));
            }
            let Some(first) = touch.first() else { continue };
            for version in frontier.iter().filter_map(|(_, index)| touches[*index].last()) {
                if version != first {
                    edges.push(version.0, first.0, 0);
                }
            }
        }
    }

    /// Takes in what a source says, unless that goes in a circle.
    fn take(&mut self, found: EdgeList, name: &'static str, links: &mut Links) {
        let mut all = self.edges.clone();
        all.append(found);
        let graph = FlatGraph::new(self.versions.count(), &all);
        if graph.is_acyclic() {
            self.edges = all;
            return;
        }
        let components = graph.components(|_| true);
        let mut members: Vec<(u32, u32)> = (0..).zip(&components).map(|(node, of)| (*of, node)).collect();
        members.sort_unstable();
        for circle in members.chunk_by(|a, b| a.0 == b.0).filter(|circle| circle.len() > 1) {
            let (key, at) = self
                .versions
                .shown(circle.iter().take(CIRCLE_SHOWN_MAX).map(|(_, version)| Version(*version)));
            links.spots.note(name, key, &at);
        }
    }

    fn link(&self, links: &mut Links) -> FlatGraph {
        let graph = FlatGraph::new(self.versions.count(), &self.edges);
        let readers = self.versions.readers();
        for version in (0..graph.nodes() as u32).map(Version) {
            let mut writers: Vec<OperationId> = graph
                .targets(version.0)
                .iter()
                .filter_map(|later| self.versions.writer(Version(*later)))
                .collect();
            writers.sort_unstable();
            writers.dedup();
            if let Some(writer) = self.versions.writer(version) {
                writers.iter().for_each(|later| links.add(writer, *later, Link::WriteWrite));
            }
            let start = readers.partition_point(|(other, _)| *other < version);
            let of_this = readers[start..].iter().take_while(|(other, _)| *other == version);
            let of_this: Vec<OperationId> = of_this.map(|(_, reader)| *reader).collect();
            links.each_to_each(&of_this, &writers, Link::ReadWrite);
        }
        for (version, reader) in &readers {
            if let Some(writer) = self.versions.writer(*version) {
                links.add(writer, *reader, Link::WriteRead);
            }
        }
        self.find_lost_updates(links);
        graph
    }

    fn find_lost_updates(&self, links: &mut Links) {
        for key in self.facts.keys() {
            let updates = self.versions.on_key(key).iter().filter_map(Touch::update);
            lost_updates(key, updates.collect(), links);
        }
    }
}
