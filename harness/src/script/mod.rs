//! Scripts: loads in which every call is pinned, instead of drawn by a workload.
//!
//! ```text
//!   [[call]]  at 0.4 s  session 0 → A   extend x 1    ──►  compare-and-set x nothing → [1]
//!   [[call]]  at 0.5 s  session 1 → B   read x
//!   [[call]]  at 0.6 s  session 1 → B   extend x 2    ──►  compare-and-set x [] → [2], if it read []
//! ```
//!
//! A session asks one call after another: each not before its time, and not before the one before has
//! ended. What depends on what a session read is said as just that (`replace`, `extend`), and not by the
//! values and versions of one run: so a script still means something when calls are taken out of it, in
//! another world, or on another day.
//!
//! A script comes from `[[call]]` tables of a plan ([`table`]) or from a recorded history
//! ([`Script::of`]), and is run by the same client loops as any other load.

use std::collections::{BTreeMap, BTreeSet};

use histories::{Call, History, Key, MicroOp, Nanos, NodeName, Observed, Outcome, Phase, SessionId, Value};
use serde::{Deserialize, Serialize};

mod player;
pub(crate) mod table;

pub(crate) use player::Player;

/// Every call of a load, in the order in which they are to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Script {
    pub(crate) calls: Vec<Line>,
}

/// One call of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Not before this time since the load began.
    #[serde(with = "nemesis::duration")]
    pub(crate) at: Nanos,
    /// Who asks.
    pub(crate) session: u32,
    /// Who is asked.
    pub(crate) node: NodeName,
    /// What.
    #[serde(flatten)]
    pub(crate) ask: Ask,
}

/// What a line asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ask {
    /// Several things, all or none.
    Transaction {
        txn: Vec<Act>,
    },
    Single(Act),
}

/// One operation, as a plan writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Act {
    Read(Key),
    Write {
        key: Key,
        value: Value,
    },
    /// Put an element at the end of a list, without reading it first.
    Append {
        key: Key,
        element: Value,
    },
    Add {
        key: Key,
        element: Value,
    },
    Remove {
        key: Key,
        element: Value,
    },
    Increment {
        key: Key,
        by: i64,
    },
    Delete(Key),
    /// Put an element at the back of a queue, and take one from its front.
    Enqueue {
        key: Key,
        element: Value,
    },
    Dequeue(Key),
    /// Put an element on top of a stack, and take it from there.
    Push {
        key: Key,
        element: Value,
    },
    Pop(Key),
    /// Compare-and-set against what the session read last of the key; nothing, if it never did.
    Replace {
        key: Key,
        value: Value,
    },
    /// The same with the list that it read, siblings merged, and one element more.
    Extend {
        key: Key,
        element: Value,
    },
    /// Compare-and-set against this very state.
    CompareAndSet {
        key: Key,
        expected: Box<Observed>,
        value: Value,
    },
}

/// Why a history cannot be made a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unscriptable {
    /// The record does not say which node was asked.
    NoNode,
    /// Nothing was asked during the load.
    Empty,
}

impl std::fmt::Display for Unscriptable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoNode => "the history does not say which node each call went to",
            Self::Empty => "nothing was asked during the load",
        })
    }
}

impl Script {
    /// The calls of a history's load: asked when they were asked, of whom, by the same sessions. Final
    /// reads are no part of it: they follow from the keys.
    pub(crate) fn of(history: &History) -> Result<Self, Unscriptable> {
        let load = || history.operations().iter().filter(|operation| operation.phase == Phase::Load);
        let sessions: BTreeSet<SessionId> = load().map(|operation| operation.session).collect();
        let numbers: BTreeMap<SessionId, u32> = sessions.into_iter().zip(0..).collect();
        let mut memory: BTreeMap<SessionId, Seen> = BTreeMap::new();
        let mut calls = Vec::new();
        for operation in load() {
            let node = operation.node.clone().ok_or(Unscriptable::NoNode)?;
            let seen = memory.entry(operation.session).or_default();
            let ask = ask_of(&operation.call, seen);
            seen.observe(&operation.call, &operation.outcome);
            calls.push(Line { at: operation.invoked, session: numbers[&operation.session], node, ask });
        }
        if calls.is_empty() { Err(Unscriptable::Empty) } else { Ok(Self { calls }) }
    }

    /// Who asks: one client each, in this order.
    pub(crate) fn sessions(&self) -> BTreeSet<u32> {
        self.calls.iter().map(|line| line.session).collect()
    }

    /// Every key that is named.
    pub(crate) fn keys(&self) -> BTreeSet<&Key> {
        self.calls.iter().flat_map(Line::acts).map(Act::key).collect()
    }

    /// The lines of one session, in the order in which it asks them.
    pub(crate) fn of_session(&self, session: u32) -> impl Iterator<Item = &Line> {
        self.calls.iter().filter(move |line| line.session == session)
    }
}

impl Line {
    /// Its operations, in order.
    pub(crate) fn acts(&self) -> &[Act] {
        match &self.ask {
            Ask::Single(act) => std::slice::from_ref(act),
            Ask::Transaction { txn } => txn,
        }
    }

    pub(crate) fn acts_mut(&mut self) -> &mut [Act] {
        match &mut self.ask {
            Ask::Single(act) => std::slice::from_mut(act),
            Ask::Transaction { txn } => txn,
        }
    }
}

impl Act {
    pub(crate) fn key(&self) -> &Key {
        match self {
            Self::Read(key)
            | Self::Delete(key)
            | Self::Dequeue(key)
            | Self::Pop(key)
            | Self::Enqueue { key, .. }
            | Self::Push { key, .. }
            | Self::Write { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Increment { key, .. }
            | Self::Replace { key, .. }
            | Self::Extend { key, .. }
            | Self::CompareAndSet { key, .. } => key,
        }
    }
}

/// What a session read last of each key.
#[derive(Debug, Default)]
struct Seen(BTreeMap<Key, Observed>);

impl Seen {
    /// What it read last; nothing, if it never looked.
    fn of(&self, key: &Key) -> Observed {
        self.0.get(key).cloned().unwrap_or_default()
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        for (micro_op, reply) in call.micro_ops().iter().zip(outcome.replies().unwrap_or_default()) {
            if let (true, Some(observed)) = (micro_op.is_read(), &reply.observed) {
                self.0.insert(micro_op.key().clone(), observed.clone());
            }
        }
    }
}

fn ask_of(call: &Call, seen: &Seen) -> Ask {
    match call {
        Call::Single(micro_op) => Ask::Single(act_of(micro_op, seen)),
        Call::Transaction(micro_ops) => {
            Ask::Transaction { txn: micro_ops.iter().map(|micro_op| act_of(micro_op, seen)).collect() }
        }
    }
}

fn act_of(micro_op: &MicroOp, seen: &Seen) -> Act {
    match micro_op.clone() {
        MicroOp::Read { key } => Act::Read(key),
        MicroOp::Write { key, value } => Act::Write { key, value },
        MicroOp::Append { key, element } => Act::Append { key, element },
        MicroOp::Add { key, element } => Act::Add { key, element },
        MicroOp::Remove { key, element } => Act::Remove { key, element },
        MicroOp::Increment { key, by } => Act::Increment { key, by },
        MicroOp::Delete { key } => Act::Delete(key),
        MicroOp::Enqueue { key, element } => Act::Enqueue { key, element },
        MicroOp::Dequeue { key } => Act::Dequeue(key),
        MicroOp::Push { key, element } => Act::Push { key, element },
        MicroOp::Pop { key } => Act::Pop(key),
        MicroOp::CompareAndSet { key, expected, value } if *expected == seen.of(&key) => {
            match value.as_list().and_then(<[Value]>::last) {
                Some(element) if extended(&expected, element.clone()) == value => {
                    Act::Extend { key, element: element.clone() }
                }
                _ => Act::Replace { key, value },
            }
        }
        MicroOp::CompareAndSet { key, expected, value } => Act::CompareAndSet { key, expected, value },
    }
}

/// The list that was seen, with one more element; several siblings become one list that has all.
pub(crate) fn extended(observed: &Observed, element: Value) -> Value {
    let mut merged: Vec<Value> = Vec::new();
    for sibling in observed.values.iter().filter_map(Value::as_list) {
        for element in sibling {
            if !merged.contains(element) {
                merged.push(element.clone());
            }
        }
    }
    merged.push(element);
    Value::from_iter(merged)
}

#[cfg(test)]
mod tests;
