//! What a session has seen when it comes to one of its reads.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::Facts;
use crate::causal::Causality;
use crate::causal::seen::{Read, Saw, brought};
use crate::facts::KeyNumber;
use crate::session::breach::Breach;
use crate::session::turns::{Turn, Turns};

/// What the current session has seen so far, and where to look up the rest.
pub(super) struct View<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    pub(super) causality: &'f Causality,
    turns: &'f Turns,
    /// By node and session: the position of the latest write that the current session has seen there.
    latest: Vec<Vec<u32>>,
    /// By node: the sessions whose writes were seen there, each time anew that a later one was.
    sightings: Vec<Vec<u32>>,
    /// By node and key: how many of the sightings were looked at, and whether one of them counts.
    looked: RefCell<FxHashMap<(u32, KeyNumber), (usize, bool)>>,
}

impl<'f, 'h> View<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>) -> Self {
        let causality = facts.causality();
        let turns = causality.turns(facts);
        let latest = vec![vec![0; facts.sessions().count()]; turns.nodes];
        let sightings = vec![Vec::new(); turns.nodes];
        Self { facts, causality, turns, latest, sightings, looked: RefCell::default() }
    }

    /// Visits all clear reads, a session at a time, each in program order. The reads of one call count
    /// only for later calls: nothing is promised about the order within a call.
    pub(super) fn visit(mut self, mut visit: impl FnMut(&Self, &Turn)) -> Self {
        let order = &self.causality.order;
        let mut current = None;
        for call in self.turns.turns.chunk_by(|a, b| a.read.at.operation == b.read.at.operation) {
            if current != Some(call[0].session) {
                self.forget();
                current = Some(call[0].session);
            }
            call.iter().for_each(|turn| visit(&self, turn));
            for turn in call {
                for maker in self.causality.seen.makers(turn.read.saw) {
                    let writer = order.session[*maker as usize];
                    self.saw(turn, writer, order.position[*maker as usize]);
                }
            }
        }
        self
    }

    fn saw(&mut self, turn: &Turn, writer: u32, position: u32) {
        let latest = &mut self.latest[turn.node as usize][writer as usize];
        if writer == turn.session || *latest >= position {
            return;
        }
        *latest = position;
        self.sightings[turn.node as usize].push(writer);
    }

    fn forget(&mut self) {
        for (latest, sightings) in self.latest.iter_mut().zip(&mut self.sightings) {
            sightings.drain(..).for_each(|writer| latest[writer as usize] = 0);
        }
        self.looked.get_mut().clear();
    }

    /// True if some session counts, of which the current one has seen something on the node of this turn.
    /// Once one counts for a node and a key, it does until the session ends: so only what was seen since
    /// the last look is looked at, or all of `others` if they are fewer.
    pub(super) fn any_seen(
        &self,
        turn: &Turn,
        others: impl ExactSizeIterator<Item = u32>,
        counts: impl Fn(u32) -> bool,
    ) -> bool {
        let sightings = &self.sightings[turn.node as usize];
        let mut looked = self.looked.borrow_mut();
        let (seen, found) = looked.entry((turn.node, turn.read.key)).or_insert((0, false));
        if !*found {
            let new = &sightings[*seen..];
            *found = match new.len() <= others.len() {
                true => new.iter().any(|session| counts(*session)),
                false => others.into_iter().any(counts),
            };
            *seen = sightings.len();
        }
        *found
    }

    /// The sessions that a breach may be about: those of `others` of which something was seen on the node
    /// of this turn.
    pub(super) fn seen_of(&self, turn: &Turn, others: impl ExactSizeIterator<Item = u32>) -> Vec<u32> {
        let sightings = &self.sightings[turn.node as usize];
        if others.len() < sightings.len() {
            return others.filter(|session| self.latest_seen(turn, *session) > 0).collect();
        }
        let mut sessions = sightings.clone();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Positions and numbers of the clear reads of `key` in `session`, before `position`.
    pub(super) fn reads_before(
        &self,
        key: KeyNumber,
        session: u32,
        position: u32,
    ) -> impl DoubleEndedIterator<Item = (u32, &'f Read)> {
        let reads = &self.causality.seen.reads;
        let before = self.turns.before(key, session, position).iter();
        before.map(move |(position, number)| (*position, &reads[*number as usize]))
    }

    /// True if the session has read the key before `position`.
    pub(super) fn has_read(&self, key: KeyNumber, session: u32, position: u32) -> bool {
        !self.turns.before(key, session, position).is_empty()
    }

    /// The reads of a breach's session before it, on the same node, the latest first.
    pub(super) fn same_node_before(&self, breach: Breach<'_>) -> impl Iterator<Item = &'f Read> + use<'f> {
        let turns = &self.turns.turns;
        let place = |turn: &Turn| (turn.session, turn.read.at.operation.0);
        let at = (breach.session, breach.reader());
        let begin = turns.partition_point(|turn| turn.session < breach.session);
        let end = turns.partition_point(|turn| place(turn) < at);
        let node = turns.get(end).map_or(0, |turn| turn.node);
        turns[begin..end].iter().rev().filter(move |turn| turn.node == node).map(|turn| &turn.read)
    }

    /// The position of the latest write of each session that a breach's session had seen on its node.
    pub(super) fn seen_before(&self, breach: Breach<'_>) -> FxHashMap<u32, u32> {
        let order = &self.causality.order;
        let mut latest: FxHashMap<u32, u32> = FxHashMap::default();
        for maker in self.same_node_before(breach).flat_map(|read| self.causality.seen.makers(read.saw)) {
            let known = latest.entry(order.session[*maker as usize]).or_insert(0);
            *known = (*known).max(order.position[*maker as usize]);
        }
        latest
    }

    /// Writes of `key` in `session`, before `position`: position and operation.
    pub(super) fn writes_before(&self, key: KeyNumber, session: u32, position: u32) -> &'f [(u32, u32)] {
        let writes = self.causality.seen.writes_of(key, session);
        &writes[..writes.partition_point(|(at, _)| *at < position)]
    }

    /// The position of the latest write of `session` that was seen on the node of this turn; 0 if none.
    pub(super) fn latest_seen(&self, turn: &Turn, session: u32) -> u32 {
        self.latest[turn.node as usize][session as usize]
    }

    /// The sessions that write this key.
    pub(super) fn writers(&self, key: KeyNumber) -> impl ExactSizeIterator<Item = u32> {
        self.causality.seen.lanes(key).map(|lane| self.causality.seen.lane(lane).session)
    }

    /// The sessions that read this key.
    pub(super) fn readers(&self, key: KeyNumber) -> impl ExactSizeIterator<Item = u32> {
        self.turns.readers(key).iter().copied()
    }

    /// True if the read shows nothing of this write, and should show it or something newer.
    pub(super) fn misses(&self, read: &Read, write: u32) -> bool {
        let makers = self.causality.seen.makers(read.saw);
        match read.saw {
            Saw::Elements { .. } => {
                makers.binary_search(&write).is_err() && brought(self.facts, read.key, write).is_some()
            }
            _ => !makers.contains(&write),
        }
    }

    /// Of these writes of one session those to ask about: the last one of a register, for what is older
    /// than an earlier one is older than the last; each missing one of a list or set.
    pub(super) fn missed<'w>(
        &self,
        read: &Read,
        writes: &'w [(u32, u32)],
    ) -> impl Iterator<Item = u32> + use<'_, 'w, 'f, 'h> {
        let from = match read.saw {
            Saw::Elements { .. } => 0,
            _ => writes.len().saturating_sub(1),
        };
        let read = *read;
        writes[from..].iter().map(|(_, write)| *write).filter(move |write| self.misses(&read, *write))
    }
}
