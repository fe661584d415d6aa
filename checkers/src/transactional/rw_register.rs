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
//! O(n) for sessions, O(n · c) in real time where c transactions on a key are in flight at once, and O(n log n)
//! where c is large.
//! Source: Kingsbury & Alvaro 2020, §5.2.

use std::collections::BTreeMap;
use std::ops::Range;

use histories::OperationId;
use rustc_hash::FxHashMap;

use super::link::Link;
use super::links::Links;
use super::list_append::{Reach, lost_updates};
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

/// What is known about the order of versions so far.
struct Sources<'f, 'h> {
    registers: Registers<'f, 'h>,
    reach: Reach,
    /// Versions are numbered from 0, then come nodes that stand for many edges.
    nodes: u32,
    edges: EdgeList,
}

/// Versions of a circle that are shown.
const CIRCLE_SHOWN_MAX: usize = 8;

/// What is known of registers, and which of them.
#[derive(Clone, Copy)]
pub(super) struct Registers<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    pub(super) versions: &'f Versions,
    /// Any others are left aside.
    pub(super) keys: &'f [KeyNumber],
}

/// Finds the order of versions, and what follows from it.
pub(super) fn link_registers(registers: Registers<'_, '_>, assume: Assume, links: &mut Links) {
    let is_crowded = assume.linearizable_keys && registers.are_crowded();
    let reach = if is_crowded { Reach::Far } else { Reach::Next };
    let known = Sources::new(registers, reach, assume, links);
    match reach {
        Reach::Next => known.link(links),
        // What an edge leads to from many at once, nodes between them lead to as well.
        Reach::Far => drop(known.link_far(links)),
    }
    known.find_lost_updates(links);
}

/// The same as edges of which one leads to each version that one observation shows to be later. Says the
/// order: an edge, or a way through nodes behind the versions.
pub(super) fn link_registers_far(
    registers: Registers<'_, '_>,
    assume: Assume,
    links: &mut Links,
) -> FlatGraph {
    // What goes in a circle has been told.
    let known = Sources::new(registers, Reach::Far, assume, &mut links.clone());
    known.link_far(links)
}

impl<'f, 'h> Sources<'f, 'h> {
    fn new(registers: Registers<'f, 'h>, reach: Reach, assume: Assume, links: &mut Links) -> Self {
        let nodes = registers.versions.count() as u32;
        let mut known = Sources { registers, reach, nodes, edges: EdgeList::default() };
        known.edges = known.after_nothing();
        if assume.writes_follow_reads {
            let found = known.within_transactions();
            known.take(found, names::CYCLIC_VERSIONS, links);
        }
        if assume.sequential_keys {
            let found = known.by_sessions();
            known.take(found, names::CYCLIC_VERSIONS_PROCESS, links);
        }
        if assume.linearizable_keys {
            let found = known.by_time();
            known.take(found, names::CYCLIC_VERSIONS_REALTIME, links);
        }
        known
    }

    fn after_nothing(&self) -> EdgeList {
        let versions = self.registers.versions;
        let mut edges = EdgeList::default();
        for key in self.registers.keys {
            let nothing = versions.nothing(*key);
            let touches = versions.on_key(*key);
            let seen = touches.iter().flat_map(|touch| [touch.read, touch.written]).flatten();
            let mut later: Vec<Version> = seen.filter(|version| *version != nothing).collect();
            later.sort_unstable();
            later.dedup();
            later.into_iter().for_each(|version| edges.push(nothing.0, version.0, 0));
        }
        edges
    }

    fn within_transactions(&self) -> EdgeList {
        let Registers { versions, keys, .. } = self.registers;
        let mut edges = EdgeList::default();
        for touch in keys.iter().flat_map(|key| versions.on_key(*key)) {
            if let (Some(read), Some(written)) = (touch.read, touch.written)
                && !versions.is_nothing(read)
            {
                edges.push(read.0, written.0, 0);
            }
        }
        edges
    }

    fn by_sessions(&mut self) -> EdgeList {
        let Registers { facts, versions, keys } = self.registers;
        let mut edges = EdgeList::default();
        let operations = facts.history().operations();
        for key in keys {
            let mut sessions: BTreeMap<_, Vec<&Touch>> = BTreeMap::new();
            for touch in versions.on_key(*key).iter().filter(|touch| touch.last().is_some()) {
                let operation = &operations[touch.operation.index()];
                if operation.is_confirmed() {
                    sessions.entry(operation.session).or_default().push(touch);
                }
            }
            for touches in sessions.values() {
                match self.reach {
                    Reach::Next => next_in_session(touches, &mut edges),
                    Reach::Far => {
                        let place = |place: usize| Some(place as u64);
                        let spans = (0..).zip(touches).map(|(at, touch)| (*touch, place(at), place(at)));
                        self.each_later(spans.collect(), &mut edges);
                    }
                }
            }
        }
        edges
    }

    fn by_time(&mut self) -> EdgeList {
        let Registers { facts, versions, keys } = self.registers;
        let mut edges = EdgeList::default();
        for key in keys {
            let spans = spans(facts, versions.on_key(*key));
            match self.reach {
                Reach::Next => next_in_time(&spans, &mut edges),
                Reach::Far => self.each_later(spans, &mut edges),
            }
        }
        edges
    }

    /// From each version to all that were found after it was left, but to itself. Versions stand in the
    /// order in which they were left; nodes above them, a binary tree, stand for those in a row.
    fn each_later(&mut self, spans: Vec<Span<'_>>, edges: &mut EdgeList) {
        let mut left: FxHashMap<Version, u64> = FxHashMap::default();
        let mut found: BTreeMap<Version, u64> = BTreeMap::new();
        for (touch, end, begin) in spans {
            if let (Some(version), Some(end)) = (touch.last(), end) {
                left.entry(version).and_modify(|known| *known = end.min(*known)).or_insert(end);
            }
            if let (Some(version), Some(begin)) = (touch.first(), begin) {
                found.entry(version).and_modify(|known| *known = begin.max(*known)).or_insert(begin);
            }
        }
        let mut order: Vec<(u64, Version)> = left.iter().map(|(version, end)| (*end, *version)).collect();
        order.sort_unstable();
        let (tree, count) = (self.nodes, order.len() as u32);
        for (leaf, (_, version)) in (tree + count..).zip(&order) {
            edges.push(version.0, leaf, 0);
        }
        (2..2 * count).for_each(|node| edges.push(tree + node, tree + node / 2, 0));
        self.nodes += 2 * count;
        for (version, begin) in found {
            let before = order.partition_point(|(end, _)| *end < begin) as u32;
            let own =
                left.get(&version).map(|end| order.partition_point(|other| *other < (*end, version)) as u32);
            let (start, rest) = match own.filter(|own| *own < before) {
                Some(own) => (0..own, own + 1..before),
                None => (0..before, before..before),
            };
            for node in in_a_row(count, start).into_iter().chain(in_a_row(count, rest)) {
                edges.push(tree + node, version.0, 0);
            }
        }
    }

    /// Takes in what a source says, unless that goes in a circle.
    fn take(&mut self, found: EdgeList, name: &'static str, links: &mut Links) {
        let mut all = self.edges.clone();
        all.append(found);
        let graph = FlatGraph::new(self.nodes as usize, &all);
        if graph.is_acyclic() {
            self.edges = all;
            return;
        }
        let versions = self.registers.versions;
        let components = graph.components(|_| true);
        let mut members: Vec<(u32, u32)> =
            (0..).zip(&components[..versions.count()]).map(|(node, of)| (*of, node)).collect();
        members.sort_unstable();
        for circle in members.chunk_by(|a, b| a.0 == b.0).filter(|circle| circle.len() > 1) {
            let (key, at) =
                versions.shown(circle.iter().take(CIRCLE_SHOWN_MAX).map(|(_, version)| Version(*version)));
            links.spots.note(name, key, &at);
        }
    }

    fn link(&self, links: &mut Links) {
        let versions = self.registers.versions;
        let graph = FlatGraph::new(self.nodes as usize, &self.edges);
        let readers = versions.readers();
        for version in (0..graph.nodes() as u32).map(Version) {
            let mut writers: Vec<OperationId> = graph
                .targets(version.0)
                .iter()
                .filter_map(|later| versions.writer(Version(*later)))
                .collect();
            writers.sort_unstable();
            writers.dedup();
            if let Some(writer) = versions.writer(version) {
                writers.iter().for_each(|later| links.add(writer, *later, Link::WriteWrite));
            }
            let start = readers.partition_point(|(other, _)| *other < version);
            let of_this = readers[start..].iter().take_while(|(other, _)| *other == version);
            let of_this: Vec<OperationId> = of_this.map(|(_, reader)| *reader).collect();
            links.each_to_each(&of_this, &writers, Link::ReadWrite);
        }
        for (version, reader) in &readers {
            if let Some(writer) = versions.writer(*version) {
                links.add(writer, *reader, Link::WriteRead);
            }
        }
    }

    // A node behind each version: its writer and its readers lead to it, and it leads to the writers of
    // all that is later.
    fn link_far(&self, links: &mut Links) -> FlatGraph {
        let Registers { versions, keys, .. } = self.registers;
        let behind = links.more_nodes(self.nodes as usize);
        for (from, to, _) in self.edges.iter() {
            match (to < versions.count() as u32, versions.writer(Version(to))) {
                (true, Some(writer)) => links.edges.push(behind + from, writer.0, Link::Free as u8),
                (true, None) => {}
                (false, _) => links.edges.push(behind + from, behind + to, Link::Free as u8),
            }
        }
        for touch in keys.iter().flat_map(|key| versions.on_key(*key)) {
            if let Some(written) = touch.written {
                links.edges.push(touch.operation.0, behind + written.0, Link::WriteWrite as u8);
            }
            let Some(read) = touch.read else { continue };
            links.edges.push(touch.operation.0, behind + read.0, Link::ReadWrite as u8);
            if let Some(writer) = versions.writer(read) {
                links.add(writer, touch.operation, Link::WriteRead);
            }
        }
        FlatGraph::new(self.nodes as usize, &self.edges)
    }

    fn find_lost_updates(&self, links: &mut Links) {
        let Registers { versions, keys, .. } = self.registers;
        for key in keys {
            let updates = versions.on_key(*key).iter().filter_map(Touch::update);
            lost_updates(*key, updates.collect(), links);
        }
    }
}

impl Registers<'_, '_> {
    /// True if so many transactions on one key are in flight at once that edges between each two neighbours
    /// in time would be too many.
    fn are_crowded(&self) -> bool {
        let edges = |key: &KeyNumber| {
            let touches = self.versions.on_key(*key);
            let is_large = touches.len() > CROWD;
            if is_large { Frontiers::new(&spans(self.facts, touches)).edges() } else { 0 }
        };
        self.keys.iter().map(edges).sum::<usize>() > CROWD * self.facts.micro_op_count()
    }
}

/// As many transactions on one key in flight at once are many.
const CROWD: usize = 64;

/// A touch, when it ended if that is known, and when it began.
type Span<'t> = (&'t Touch, Option<u64>, Option<u64>);

/// The touches that show a version.
fn spans<'t>(facts: &Facts<'_>, touches: &'t [Touch]) -> Vec<Span<'t>> {
    let operations = facts.history().operations();
    let span = |touch: &'t Touch| {
        let operation = &operations[touch.operation.index()];
        let end = operation.completed.filter(|_| operation.is_confirmed());
        (touch, end.map(|end| end.0), Some(operation.invoked.0))
    };
    touches.iter().filter(|touch| touch.last().is_some()).map(span).collect()
}

fn next_in_session(touches: &[&Touch], edges: &mut EdgeList) {
    for two in touches.windows(2) {
        if let (Some(before), Some(first)) = (two[0].last(), two[1].first())
            && before != first
        {
            edges.push(before.0, first.0, 0);
        }
    }
}

fn next_in_time(spans: &[Span<'_>], edges: &mut EdgeList) {
    let Frontiers { ended, before } = Frontiers::new(spans);
    for ((touch, ..), before) in spans.iter().zip(before) {
        let Some(first) = touch.first() else { continue };
        for version in ended[before].iter().filter_map(|index| spans[*index].0.last()) {
            if version != first {
                edges.push(version.0, first.0, 0);
            }
        }
    }
}

/// The newest touches that had ended before each: those that precede no other one of them.
struct Frontiers {
    /// Touches in the order of their ends.
    ended: Vec<usize>,
    /// For each touch, which of `ended`.
    before: Vec<Range<usize>>,
}

impl Frontiers {
    /// O(n log n).
    fn new(spans: &[Span<'_>]) -> Self {
        let ends = spans.iter().enumerate().filter_map(|(index, (_, end, _))| Some(((*end)?, index)));
        let mut ends: Vec<(u64, usize)> = ends.collect();
        ends.sort_unstable();
        let (mut first, mut next) = (0, 0);
        let mut before = Vec::with_capacity(spans.len());
        for (_, _, began) in spans {
            let began = began.unwrap_or(0);
            while let Some((_, index)) = ends.get(next).filter(|(end, _)| *end < began) {
                let newest = spans[*index].2.unwrap_or(0);
                // What ended before one began that has ended itself.
                while first < next && ends[first].0 < newest {
                    first += 1;
                }
                next += 1;
            }
            before.push(first..next);
        }
        Self { ended: ends.into_iter().map(|(_, index)| index).collect(), before }
    }

    fn edges(&self) -> usize {
        self.before.iter().map(Range::len).sum()
    }
}

/// Nodes of a binary tree with so many leaves, root 1, that together stand for the leaves of a range.
fn in_a_row(leaves: u32, range: Range<u32>) -> Vec<u32> {
    let (mut from, mut to) = (range.start + leaves, range.end + leaves);
    let mut nodes = Vec::new();
    while from < to {
        if from % 2 == 1 {
            nodes.push(from);
            from += 1;
        }
        if to % 2 == 1 {
            to -= 1;
            nodes.push(to);
        }
        (from, to) = (from / 2, to / 2);
    }
    nodes
}
