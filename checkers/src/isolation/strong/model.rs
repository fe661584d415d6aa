//! What is known before anything is inferred: nodes, and the edges between them.
//!
//! ```text
//!   serializable        a transaction is one node               T ─────────▶
//!   prefix, snapshot    its reads are one, its writes another   R ──▶ W ───▶
//!
//!   a version of a key is over (○) once all have read it:       R(T3) ──▶ ○ ◀── R(T4)      ○ ──▶ W(next)
//! ```
//!
//! - Session order and reads: from the writes of one transaction to the reads of another.
//! - Of two writers of a key, T1 and T2, one comes first. If T1: W(T1) ──▶ W(T2), and T1's version is
//!   over before W(T2). Under snapshot isolation no other writer may come between a writer's reads and
//!   writes: W(T1) ──▶ R(T2).
//! - Strict levels: whatever ended before another began comes first. The transitive reduction is enough:
//!   at most as many edges a transaction as there were transactions at once.
//!
//! Source: Biswas & Enea, OOPSLA 2019, §4 (a transaction split in two); Zhang and others, Viper, EuroSys
//! 2023 (its begin and its end as nodes, for snapshot isolation).

use histories::Nanos;
use histories::compact::TxnId;

use super::super::lists::Lists;
use super::super::sources::{INITIAL, NONE};
use super::super::view::View;
use super::Strong;

/// An edge, and why it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reason: Reason,
    /// What was known when it was inferred: the edges of earlier rounds.
    pub(super) round: u32,
    /// It was inferred because the second of these nodes comes after the first; the same node twice if it
    /// needs no reason.
    pub(super) because: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Session,
    RealTime,
    Read {
        key: u32,
    },
    /// The version is not over before this reader has read it.
    Reader,
    /// The later writer's version was read by somebody who comes after the earlier writer.
    Newer {
        version: u32,
    },
    /// The version was over before this writer wrote.
    Overwritten {
        version: u32,
    },
    /// Two writers of one key exclude each other.
    Apart {
        key: u32,
    },
    /// Both write the key, and this order is supposed.
    Supposed {
        key: u32,
    },
}

/// What one transaction left in one key, with those who read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) key: u32,
    /// A transaction or [`INITIAL`].
    pub(super) writer: u32,
    /// The node after which it is over; [`NONE`] if nobody read it.
    pub(super) over: u32,
}

pub(super) struct Model<'v> {
    pub(super) view: &'v View<'v>,
    pub(super) level: Strong,
    pub(super) nodes: u32,
    pub(super) edges: Vec<Edge>,
    /// Sorted by key and writer.
    pub(super) versions: Vec<Version>,
    pub(super) writers: Lists,
}

impl<'v> Model<'v> {
    pub(super) fn new(view: &'v View<'v>, level: Strong) -> Self {
        let nodes = view.len() as u32 * if level.is_split() { 2 } else { 1 };
        let mut model =
            Self { view, level, nodes, edges: Vec::new(), versions: Vec::new(), writers: view.writers() };
        model.add_sessions_and_reads();
        if level.is_strict() {
            model.add_real_time();
        }
        model.add_versions();
        model
    }

    /// The node of a transaction's reads.
    pub(super) fn reads(&self, txn: u32) -> u32 {
        if self.level.is_split() { txn * 2 } else { txn }
    }

    /// The node of a transaction's writes.
    pub(super) fn writes(&self, txn: u32) -> u32 {
        if self.level.is_split() { txn * 2 + 1 } else { txn }
    }

    /// The transaction of a node; none for the end of a version.
    pub(super) fn txn(&self, node: u32) -> Option<u32> {
        let txn = if self.level.is_split() { node / 2 } else { node };
        ((txn as usize) < self.view.len()).then_some(txn)
    }

    /// A node's session, and its place there.
    pub(super) fn place(&self, node: u32) -> Option<(usize, u32)> {
        let txn = self.txn(node)?;
        let position = self.view.position[txn as usize];
        let place = if self.level.is_split() { position * 2 + (node & 1) } else { position };
        Some((self.view.session(txn) as usize, place))
    }

    /// The place of a transaction's writes in its session.
    pub(super) fn place_of_writes(&self, txn: u32) -> u32 {
        let position = self.view.position[txn as usize];
        if self.level.is_split() { position * 2 + 1 } else { position }
    }

    /// The place of a transaction's reads in its session.
    pub(super) fn place_of_reads(&self, txn: u32) -> u32 {
        self.place_of_writes(txn) - u32::from(self.level.is_split())
    }

    /// Where a later writer of the same key has to wait for an earlier one's writes.
    pub(super) fn entry(&self, txn: u32) -> u32 {
        if self.level.excludes_writers() { self.reads(txn) } else { self.writes(txn) }
    }

    /// The version that this transaction left in this key, if it is of interest.
    pub(super) fn version(&self, key: u32, writer: u32) -> Option<u32> {
        let found =
            self.versions.binary_search_by_key(&(key, writer), |version| (version.key, version.writer));
        found.ok().map(|index| index as u32)
    }

    pub(super) fn known(&mut self, from: u32, to: u32, reason: Reason) {
        self.edges.push(Edge { from, to, reason, round: 0, because: (from, from) });
    }

    fn add_sessions_and_reads(&mut self) {
        let view = self.view;
        for chain in 0..view.chains.len() {
            let mut before = None;
            for txn in view.chains.get(chain).iter().copied() {
                if let Some(before) = before {
                    self.known(self.writes(before), self.reads(txn), Reason::Session);
                }
                if self.level.is_split() {
                    self.known(self.reads(txn), self.writes(txn), Reason::Session);
                }
                for seen in view.reads(txn).filter(|seen| seen.source != INITIAL) {
                    self.known(self.writes(seen.source), self.reads(txn), Reason::Read { key: seen.key });
                }
                before = Some(txn);
            }
        }
    }

    fn add_real_time(&mut self) {
        let mut moments: Vec<(Nanos, bool, u32)> = Vec::new();
        for txn in self.view.transactions() {
            let Some((invoked, completed)) = self.view.table.times(TxnId(txn)) else { return };
            // Asked before answered at one same instant: intervals are closed.
            moments.push((invoked, false, txn));
            if completed != Nanos(u64::MAX) {
                moments.push((completed, true, txn));
            }
        }
        moments.sort_unstable();
        let mut newest: Vec<u32> = Vec::new();
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.view.len()];
        for (_, is_end, txn) in moments {
            if is_end {
                let older = std::mem::take(&mut before[txn as usize]);
                newest.retain(|other| !older.contains(other));
                newest.push(txn);
            } else {
                for other in &newest {
                    self.known(self.writes(*other), self.reads(txn), Reason::RealTime);
                }
                before[txn as usize].clone_from(&newest);
            }
        }
    }

    fn add_versions(&mut self) {
        let view = self.view;
        let mut readers: Vec<(u32, u32, u32)> = Vec::new();
        for txn in view.transactions() {
            readers.extend(view.reads(txn).map(|seen| (seen.key, seen.source, txn)));
            if self.level.excludes_writers() {
                // Writers exclude each other, read or not.
                readers.extend(view.written.get(txn as usize).iter().map(|key| (*key, txn, NONE)));
            }
        }
        readers.sort_unstable();
        readers.dedup();
        for of_version in readers.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let (key, writer, _) = of_version[0];
            let readers: Vec<u32> =
                of_version.iter().map(|(.., reader)| *reader).filter(|reader| *reader != NONE).collect();
            let over = self.over(key, &readers);
            self.versions.push(Version { key, writer, over });
        }
    }

    fn over(&mut self, key: u32, readers: &[u32]) -> u32 {
        let writes = |reader: &&u32| self.view.written.get(**reader as usize).binary_search(&key).is_ok();
        let rewriter = readers.iter().find(writes).copied().filter(|_| !self.level.is_split());
        let over = match (readers, rewriter) {
            ([], _) => return NONE,
            // Whoever reads and writes it in one step ends it.
            (_, Some(rewriter)) => self.writes(rewriter),
            ([reader], None) => return self.reads(*reader),
            (_, None) => {
                self.nodes += 1;
                self.nodes - 1
            }
        };
        for reader in readers.iter().filter(|reader| Some(**reader) != rewriter) {
            self.known(self.reads(*reader), over, Reason::Reader);
        }
        over
    }
}
