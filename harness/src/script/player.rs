//! A player: one session's lines of a script, as the calls that they come to.

use std::collections::{BTreeSet, VecDeque};

use histories::{Call, Key, MicroOp, Outcome};

use super::{Act, Ask, Script, Seen, extended};
use crate::workload::Generator;

/// Asks what the lines of one session say.
pub(crate) struct Player {
    asks: VecDeque<Ask>,
    seen: Seen,
    keys: BTreeSet<Key>,
}

impl Player {
    pub(crate) fn new(script: &Script, session: u32) -> Self {
        let keys = script.of_session(session).flat_map(|line| line.acts()).map(|act| act.key().clone());
        Self {
            keys: keys.collect(),
            asks: script.of_session(session).map(|line| line.ask.clone()).collect(),
            seen: Seen::default(),
        }
    }
}

impl Generator for Player {
    fn next_call(&mut self) -> Call {
        match self.asks.pop_front() {
            Some(Ask::Single(act)) => Call::Single(micro_op(&act, &self.seen)),
            Some(Ask::Transaction { txn }) => {
                Call::Transaction(txn.iter().map(|act| micro_op(act, &self.seen)).collect())
            }
            // Its pace ends with its last line.
            None => panic!("a script is asked for more calls than it has"),
        }
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        self.seen.observe(call, outcome);
    }

    fn keys(&self) -> &BTreeSet<Key> {
        &self.keys
    }
}

fn micro_op(act: &Act, seen: &Seen) -> MicroOp {
    match act.clone() {
        Act::Read(key) => MicroOp::Read { key },
        Act::Write { key, value } => MicroOp::Write { key, value },
        Act::Append { key, element } => MicroOp::Append { key, element },
        Act::Add { key, element } => MicroOp::Add { key, element },
        Act::Remove { key, element } => MicroOp::Remove { key, element },
        Act::Increment { key, by } => MicroOp::Increment { key, by },
        Act::Delete(key) => MicroOp::Delete { key },
        Act::Enqueue { key, element } => MicroOp::Enqueue { key, element },
        Act::Dequeue(key) => MicroOp::Dequeue { key },
        Act::Push { key, element } => MicroOp::Push { key, element },
        Act::Pop(key) => MicroOp::Pop { key },
        Act::CompareAndSet { key, expected, value } => MicroOp::CompareAndSet { key, expected, value },
        Act::Replace { key, value } => {
            MicroOp::CompareAndSet { expected: Box::new(seen.of(&key)), key, value }
        }
        Act::Extend { key, element } => {
            let expected = seen.of(&key);
            let value = extended(&expected, element);
            MicroOp::CompareAndSet { key, expected: Box::new(expected), value }
        }
    }
}
