//! A history of registers as reads and writes that are numbered by session and by key.
//!
//! ```text
//!   c0  write x 1, read y → nothing        0: w x    1: r y (before all)
//!   c1  write y 2, read x → 1              2: w y    3: r x from 0
//! ```
//!
//! Only keys on which it is known who wrote what was read: others are left out and counted. An unknown write
//! that nobody read is left out, for it may never have happened.

use histories::{MicroOp, Observed, Operation, Phase};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Facts;
use crate::facts::{Address, KeyKind, KeyNumber, Maker};

/// What a call found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It does not say.
    Unsaid,
    /// What was there before the first write.
    Initial,
    /// What this one wrote.
    From(u32),
}

/// One read, write, or compare-and-set, which is both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) at: Address,
    pub(super) key: KeyNumber,
    /// The place of its session.
    pub(super) session: u32,
    /// Its place in its session, from 1.
    pub(super) position: u32,
    pub(super) found: Found,
    pub(super) writes: bool,
}

/// All calls that are looked at.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) nodes: Vec<Node>,
    /// The nodes of each session.
    pub(super) sessions: Vec<Vec<u32>>,
    /// The writes of each key by session, in the order of the session.
    pub(super) lanes: FxHashMap<KeyNumber, Vec<Vec<u32>>>,
    /// Keys that were left out.
    pub(super) left_out: u64,
}

/// Which reads and keys take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All reads; a transaction is its operations one after the other.
    EachView,
    /// Reads of the load; keys of transactions of several operations are left out.
    OneOrder,
}

impl Record {
    /// O(n).
    pub(super) fn new(facts: &Facts<'_>, scope: Scope) -> Self {
        let mut record = Self::default();
        let clear: Vec<bool> = facts.keys().map(|key| is_clear(facts, key, scope)).collect();
        record.left_out = clear.iter().filter(|clear| !**clear).count() as u64;
        let takes_part = |at: Address| clear[facts.key_of(at).index()] && is_there(facts, at, scope);
        let addresses =
            || facts.history().operations().iter().flat_map(addresses).filter(|at| takes_part(*at));
        let mut read: FxHashSet<Address> = FxHashSet::default();
        let mut open: Vec<Address> = addresses()
            .filter(|at| facts.operation(*at).is_confirmed())
            .filter_map(|at| source(facts, at))
            .collect();
        while let Some(at) = open.pop() {
            if read.insert(at) {
                open.extend(source(facts, at));
            }
        }
        // What an unknown compare-and-set expected was there if somebody saw what it made.
        let happened = |at: &Address| facts.operation(*at).is_confirmed() || read.contains(at);
        let mut numbers: FxHashMap<Address, u32> = FxHashMap::default();
        let mut places: FxHashMap<_, u32> = FxHashMap::default();
        for at in addresses().filter(happened) {
            let number = record.nodes.len() as u32;
            numbers.insert(at, number);
            let session = *places.entry(facts.operation(at).session).or_insert_with(|| {
                record.sessions.push(Vec::new());
                record.sessions.len() as u32 - 1
            });
            record.sessions[session as usize].push(number);
            let position = record.sessions[session as usize].len() as u32;
            let (key, writes) = (facts.key_of(at), !facts.micro_op(at).is_read());
            record.nodes.push(Node { at, key, session, position, found: Found::Unsaid, writes });
        }
        for node in &mut record.nodes {
            if !matches!(facts.micro_op(node.at), MicroOp::Write { .. }) {
                let from = source(facts, node.at).and_then(|source| numbers.get(&source));
                node.found = from.map_or(Found::Initial, |source| Found::From(*source));
            }
        }
        record.find_lanes();
        record
    }

    /// Groups the writes, once all nodes are there.
    pub(super) fn find_lanes(&mut self) {
        for session in &self.sessions {
            let mut here: FxHashMap<KeyNumber, Vec<u32>> = FxHashMap::default();
            for number in session.iter().filter(|number| self.nodes[**number as usize].writes) {
                here.entry(self.nodes[*number as usize].key).or_default().push(*number);
            }
            for (key, lane) in here {
                self.lanes.entry(key).or_default().push(lane);
            }
        }
    }

    pub(super) fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    /// The writes of a key by session.
    pub(super) fn lanes(&self, key: KeyNumber) -> &[Vec<u32>] {
        self.lanes.get(&key).map_or(&[], Vec::as_slice)
    }
}

fn addresses(operation: &Operation) -> impl Iterator<Item = Address> + use<> {
    let (operation, count) = (operation.id, operation.call.micro_ops().len() as u32);
    (0..count).map(move |index| Address { operation, index })
}

fn is_there(facts: &Facts<'_>, at: Address, scope: Scope) -> bool {
    let operation = facts.operation(at);
    match facts.micro_op(at).is_read() {
        true => operation.is_confirmed() && (scope == Scope::EachView || operation.phase == Phase::Load),
        false => operation.is_possible(),
    }
}

fn expected_or_seen<'h>(facts: &Facts<'h>, at: Address) -> Option<&'h Observed> {
    match facts.micro_op(at) {
        MicroOp::CompareAndSet { expected, .. } => Some(expected),
        _ => facts.observed(at),
    }
}

fn source(facts: &Facts<'_>, at: Address) -> Option<Address> {
    let makers = match facts.micro_op(at) {
        MicroOp::CompareAndSet { .. } => facts.expected(at),
        _ => facts.seen(at),
    };
    makers.first().and_then(|maker| maker.one())
}

// Each state has one known writer, and nothing is there before the first.
fn is_clear(facts: &Facts<'_>, key: KeyNumber, scope: Scope) -> bool {
    if facts.kind(key) != KeyKind::Register || facts.usage(key).deletes > 0 {
        return false;
    }
    facts.on_key(key).iter().filter(|at| is_there(facts, **at, scope)).all(|at| {
        let alone = scope == Scope::EachView || facts.operation(*at).call.micro_ops().len() == 1;
        let known = |observed: &Observed| match observed.values.as_slice() {
            [] => true,
            [value] => {
                let makers = match facts.micro_op(*at) {
                    MicroOp::CompareAndSet { .. } => facts.expected(*at),
                    _ => facts.seen(*at),
                };
                match makers.first().copied().unwrap_or(Maker::Nobody) {
                    Maker::One(_) => true,
                    Maker::Nobody => facts.is_blank(key, value),
                    Maker::Several { .. } => false,
                }
            }
            _ => false,
        };
        alone && expected_or_seen(facts, *at).is_none_or(known)
    })
}
