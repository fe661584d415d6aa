//! What a session has seen when it comes to one of its reads.

use rustc_hash::FxHashMap;

use crate::Facts;
use crate::causal::Causality;
use crate::causal::seen::{Read, Saw, brought};
use crate::facts::KeyNumber;

/// The sessions' reads and writes, and how far the current session has come.
pub(super) struct View<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    pub(super) causality: &'f Causality,
    /// By key and session: positions and numbers of reads, in program order.
    reads_of: Vec<(KeyNumber, u32, u32, u32)>,
    /// Of each key and session: its range in `reads_of`.
    ranges: FxHashMap<(KeyNumber, u32), (u32, u32)>,
    /// Of each key: the sessions that read it, and where each first does.
    readers: Vec<Vec<(u32, u32)>>,
    /// By node and session: the latest write that the current session has seen there.
    latest: Vec<Vec<u32>>,
    touched: Vec<(usize, u32)>,
}

/// One read on its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) number: u32,
    pub(super) read: Read,
    pub(super) session: u32,
    pub(super) position: u32,
    node: usize,
}

impl<'f, 'h> View<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>) -> Self {
        let causality = facts.causality();
        let order = &causality.order;
        let mut reads_of: Vec<(KeyNumber, u32, u32, u32)> = Vec::with_capacity(causality.seen.reads.len());
        for (number, read) in causality.seen.reads.iter().enumerate().filter(|(_, r)| r.saw.is_clear()) {
            let at = read.at.operation.index();
            reads_of.push((read.key, order.session[at], order.position[at], number as u32));
        }
        reads_of.sort_unstable();
        let mut view = Self {
            facts,
            causality,
            reads_of: Vec::new(),
            ranges: FxHashMap::default(),
            readers: vec![Vec::new(); facts.keys().count()],
            latest: Vec::new(),
            touched: Vec::new(),
        };
        let mut begin = 0;
        for lane in reads_of.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (key, session, first, _) = lane[0];
            view.ranges.insert((key, session), (begin, begin + lane.len() as u32));
            view.readers[key.index()].push((session, first));
            begin += lane.len() as u32;
        }
        view.reads_of = reads_of;
        view
    }

    /// Visits all clear reads, a session at a time, each in program order.
    pub(super) fn visit(mut self, mut visit: impl FnMut(&Self, Turn)) -> Self {
        let order = &self.causality.order;
        let mut turns: Vec<(u32, u32, u32)> = self
            .reads_of
            .iter()
            .map(|(_, session, position, number)| (*session, *position, *number))
            .collect();
        turns.sort_unstable();
        let nodes = self.facts.history().nodes();
        self.latest = vec![vec![0; self.facts.sessions().count()]; nodes.len() + 1];
        let mut current = None;
        for (session, position, number) in turns {
            if current != Some(session) {
                self.forget();
                current = Some(session);
            }
            let read = self.causality.seen.reads[number as usize];
            let node = self.facts.operation(read.at).node.as_ref();
            let node = node.and_then(|node| nodes.iter().position(|other| other == node));
            let turn = Turn { number, read, session, position, node: node.map_or(0, |node| node + 1) };
            visit(&self, turn);
            for maker in self.causality.seen.makers(read.saw) {
                let writer = order.session[*maker as usize];
                self.saw(turn, writer, order.position[*maker as usize]);
            }
        }
        self
    }

    fn saw(&mut self, turn: Turn, writer: u32, position: u32) {
        let latest = &mut self.latest[turn.node][writer as usize];
        if writer == turn.session || *latest >= position {
            return;
        }
        if *latest == 0 {
            self.touched.push((turn.node, writer));
        }
        *latest = position;
    }

    fn forget(&mut self) {
        for (node, writer) in self.touched.drain(..) {
            self.latest[node][writer as usize] = 0;
        }
    }

    /// Positions and numbers of the clear reads of `key` in `session`, before `position`.
    pub(super) fn reads_before(
        &self,
        key: KeyNumber,
        session: u32,
        position: u32,
    ) -> impl DoubleEndedIterator<Item = (u32, &'f Read)> {
        let (begin, end) = self.ranges.get(&(key, session)).copied().unwrap_or((0, 0));
        let lane = &self.reads_of[begin as usize..end as usize];
        let count = lane.partition_point(|(_, _, at, _)| *at < position);
        let reads = &self.causality.seen.reads;
        lane[..count].iter().map(move |(_, _, position, number)| (*position, &reads[*number as usize]))
    }

    /// Writes of `key` in `session`, before `position`: position and operation.
    pub(super) fn writes_before(&self, key: KeyNumber, session: u32, position: u32) -> &'f [(u32, u32)] {
        let writes = self.causality.seen.writes_of(key, session);
        &writes[..writes.partition_point(|(at, _)| *at < position)]
    }

    /// The position of the latest write of `session` that was seen on the node of this turn; 0 if none.
    pub(super) fn latest_seen(&self, turn: &Turn, session: u32) -> u32 {
        self.latest[turn.node][session as usize]
    }

    /// The sessions that write this key.
    pub(super) fn writers(&self, key: KeyNumber) -> impl Iterator<Item = u32> {
        self.causality.seen.lanes(key).map(|lane| self.causality.seen.lane(lane).session)
    }

    /// The sessions that read this key, and the position of the first read of each.
    pub(super) fn readers(&self, key: KeyNumber) -> &[(u32, u32)] {
        &self.readers[key.index()]
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
