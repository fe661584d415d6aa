//! All reads from which something can be concluded, by session and by key: found once for the four
//! guarantees.

use rustc_hash::FxHashMap;

use crate::Facts;
use crate::causal::Causality;
use crate::causal::seen::Read;
use crate::facts::KeyNumber;

/// One read on its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Its number among all reads.
    pub(crate) number: u32,
    pub(crate) read: Read,
    pub(crate) session: u32,
    pub(crate) position: u32,
    /// 0 if the node is not named, else one more than its place among all nodes.
    pub(crate) node: u32,
}

/// All clear reads.
#[derive(Debug)]
pub(crate) struct Turns {
    /// A session at a time, in program order.
    pub(crate) turns: Vec<Turn>,
    /// How many different values `node` may have.
    pub(crate) nodes: usize,
    /// Position in the session and number, by key and session, in program order.
    reads: Vec<(u32, u32)>,
    ranges: FxHashMap<(KeyNumber, u32), (u32, u32)>,
    /// Of each key: the sessions that read it.
    readers: Vec<Vec<u32>>,
}

impl Turns {
    pub(crate) fn new(facts: &Facts<'_>, causality: &Causality) -> Self {
        let nodes = facts.history().nodes();
        let clear = causality.seen.reads.iter().enumerate().filter(|(_, read)| read.saw.is_clear());
        let mut turns: Vec<Turn> = clear
            .map(|(number, read)| {
                let at = read.at.operation.index();
                let node = facts.operation(read.at).node.as_ref();
                let node = node.and_then(|node| nodes.iter().position(|other| other == node));
                Turn {
                    number: number as u32,
                    read: *read,
                    session: causality.order.session[at],
                    position: causality.order.position[at],
                    node: node.map_or(0, |node| node as u32 + 1),
                }
            })
            .collect();
        turns.sort_unstable_by_key(|turn| (turn.session, turn.number));
        let mut grouped = Self {
            nodes: nodes.len() + 1,
            reads: Vec::with_capacity(turns.len()),
            ranges: FxHashMap::default(),
            readers: vec![Vec::new(); facts.keys().count()],
            turns,
        };
        grouped.group();
        grouped
    }

    fn group(&mut self) {
        let mut by_key: Vec<(KeyNumber, u32, u32, u32)> =
            self.turns.iter().map(|turn| (turn.read.key, turn.session, turn.position, turn.number)).collect();
        by_key.sort_unstable();
        for lane in by_key.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (key, session, ..) = lane[0];
            let begin = self.reads.len() as u32;
            self.reads.extend(lane.iter().map(|(_, _, position, number)| (*position, *number)));
            self.ranges.insert((key, session), (begin, self.reads.len() as u32));
            self.readers[key.index()].push(session);
        }
    }

    /// Position and number of the clear reads of `key` in `session`, before `position`.
    pub(crate) fn before(&self, key: KeyNumber, session: u32, position: u32) -> &[(u32, u32)] {
        let (begin, end) = self.ranges.get(&(key, session)).copied().unwrap_or((0, 0));
        let lane = &self.reads[begin as usize..end as usize];
        &lane[..lane.partition_point(|(at, _)| *at < position)]
    }

    /// The sessions that read this key.
    pub(crate) fn readers(&self, key: KeyNumber) -> &[u32] {
        &self.readers[key.index()]
    }
}
