//! Transactions of reads and writes, flat: what weak isolation needs of a history, in a few bytes an
//! operation, where a million transactions would not fit otherwise.
//!
//! ```text
//!   accesses   key 0 ← 7    key 1 = 4  │  key 0 = 7  │  key 0 ← 9  …      12 bytes each
//!   begins     0                          2             3                 4 bytes a transaction
//!   sessions   0                          1             0                 4 bytes a transaction
//! ```
//!
//! A write of a value that no other write of its key has names its transaction. The value 0 is absence: what
//! a key holds before anybody wrote it. Only the order of sessions is known, no times.

use rustc_hash::FxHashMap;

use crate::{
    Call, Event, EventKind, Header, History, HistoryBuilder, Key, MicroOp, Nanos, Observed, Outcome, Reason,
    Reply, SessionId, Value,
};

/// One read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// The key's number, from 0.
    pub key: u32,
    /// What was read or written; 0 if a read saw nothing.
    pub value: u64,
    /// True if it was written.
    pub is_write: bool,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It happened.
    Committed,
    /// It surely did not happen.
    Aborted,
    /// Nobody knows.
    Unknown,
}

/// A transaction's session and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// The session's number, from 0.
    pub session: u32,
    /// How it ended.
    pub ending: Ending,
}

/// Transactions in an order that keeps that of each session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TxnTable {
    /// The key's number and, in the lowest bit, whether it is a write.
    keys: Vec<u32>,
    values: Vec<u64>,
    begins: Vec<u32>,
    transactions: Vec<Transaction>,
    names: Vec<i64>,
    /// The names of keys, if they are no numbers.
    texts: Vec<Key>,
    sessions: Vec<u32>,
}

impl TxnTable {
    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// How many reads and writes there are.
    pub fn access_count(&self) -> usize {
        self.keys.len()
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.names.len().max(self.texts.len())
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The session of a transaction, and how it ended.
    pub fn transaction(&self, index: usize) -> Transaction {
        self.transactions[index]
    }

    /// Where the accesses of a transaction are, for arrays with one entry an access.
    pub fn range(&self, index: usize) -> std::ops::Range<usize> {
        let end = self.begins.get(index + 1).map_or(self.keys.len(), |begin| *begin as usize);
        self.begins[index] as usize..end
    }

    /// One access, by its place.
    pub fn access(&self, at: usize) -> Access {
        Access { key: self.keys[at] >> 1, value: self.values[at], is_write: self.keys[at] & 1 == 1 }
    }

    /// The accesses of a transaction in program order.
    pub fn accesses(&self, index: usize) -> impl Iterator<Item = Access> {
        self.range(index).map(|at| self.access(at))
    }

    /// The name of a key.
    pub fn key_name(&self, key: u32) -> Key {
        match self.texts.get(key as usize) {
            Some(name) => name.clone(),
            None => Key::from(self.names[key as usize].to_string()),
        }
    }

    /// The session as the history calls it.
    pub fn session_name(&self, session: u32) -> SessionId {
        SessionId(self.sessions[session as usize])
    }

    /// The same as a history, in which everything happens at one instant: sessions have an order, times
    /// have none.
    pub fn to_history(&self, header: Header) -> History {
        let mut builder = HistoryBuilder::new(header);
        builder.keys_are_shared();
        let names: Vec<Key> = (0..self.key_count() as u32).map(|key| self.key_name(key)).collect();
        let mut fresh = self.sessions.iter().max().map_or(0, |last| last.saturating_add(1));
        let mut current: Vec<u32> = self.sessions.clone();
        for (index, Transaction { session, ending }) in self.transactions.iter().enumerate() {
            let name = SessionId(current[*session as usize]);
            let (call, outcome) = self.call(index, *ending, &names);
            if outcome.is_unknown() {
                current[*session as usize] = fresh;
                fresh = fresh.saturating_add(1);
            }
            let invoke = EventKind::Invoke { session: name, node: None, planned: None, call };
            let complete = EventKind::Complete { session: name, outcome };
            for kind in [invoke, complete] {
                let pushed = builder.push(Event { time: Nanos(0), kind });
                debug_assert!(pushed.is_ok(), "a table is well-formed: {pushed:?}");
            }
        }
        builder.finish()
    }

    fn call(&self, index: usize, ending: Ending, names: &[Key]) -> (Call, Outcome) {
        let mut micro_ops = Vec::with_capacity(self.range(index).len());
        let mut replies = smallvec::SmallVec::with_capacity(micro_ops.capacity());
        for Access { key, value, is_write } in self.accesses(index) {
            let key = names[key as usize].clone();
            // Values of 64 bits without a sign keep their bits.
            let value = (value != 0).then_some(Value::Integer(value as i64));
            replies.push(if is_write {
                Reply::changed(None)
            } else {
                Reply::read(value.clone().map(Observed::value).unwrap_or_default())
            });
            micro_ops.push(match value {
                Some(value) if is_write => MicroOp::Write { key, value },
                None if is_write => MicroOp::Delete { key },
                _ => MicroOp::Read { key },
            });
        }
        let outcome = match ending {
            Ending::Committed => Outcome::Confirmed(replies),
            Ending::Aborted => Outcome::Failed(Reason::from("aborted")),
            Ending::Unknown => Outcome::Unknown(Reason::from("no reason given")),
        };
        (Call::Transaction(micro_ops), outcome)
    }

    /// The transactions of a history; none if it has anything but reads and writes of single values.
    ///
    /// Values are numbered from 1 in the order of the history. O(operations) time and memory.
    pub fn of_history(history: &History) -> Option<Self> {
        let mut table = Self::default();
        let mut keys: FxHashMap<Key, u32> = FxHashMap::default();
        let mut values: FxHashMap<&Value, u64> = FxHashMap::default();
        let mut sessions: FxHashMap<SessionId, u32> = FxHashMap::default();
        for operation in history.operations() {
            let next = sessions.len() as u32;
            let session = *sessions.entry(operation.session).or_insert_with(|| {
                table.sessions.push(operation.session.0);
                next
            });
            let ending = match operation.outcome {
                Outcome::Confirmed(_) => Ending::Committed,
                Outcome::Failed(_) => Ending::Aborted,
                Outcome::Unknown(_) => Ending::Unknown,
            };
            table.begin(Transaction { session, ending });
            for (micro_op, reply) in operation.steps() {
                let next = keys.len() as u32;
                let key = *keys.entry(micro_op.key().clone()).or_insert_with(|| {
                    table.texts.push(micro_op.key().clone());
                    next
                });
                let (value, is_write) = match micro_op {
                    MicroOp::Write { value, .. } => (Some(value), true),
                    MicroOp::Read { .. } => match reply.and_then(|reply| reply.observed.as_ref()) {
                        Some(observed) if observed.values.len() > 1 => return None,
                        // Nobody knows what it saw.
                        None => continue,
                        Some(observed) => (observed.single(), false),
                    },
                    MicroOp::CompareAndSet { .. }
                    | MicroOp::Append { .. }
                    | MicroOp::Add { .. }
                    | MicroOp::Remove { .. }
                    | MicroOp::Increment { .. }
                    | MicroOp::Delete { .. } => return None,
                };
                let next = values.len() as u64 + 1;
                let value = value.map_or(0, |value| *values.entry(value).or_insert(next));
                table.push(Access { key, value, is_write });
            }
        }
        Some(table)
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self, transaction: Transaction) {
        self.begins.push(self.keys.len() as u32);
        self.transactions.push(transaction);
    }

    /// Adds to the transaction that was begun last.
    pub(crate) fn push(&mut self, access: Access) {
        self.keys.push(access.key << 1 | u32::from(access.is_write));
        self.values.push(access.value);
    }

    /// Names of sessions and keys that are numbers.
    pub(crate) fn name(&mut self, sessions: Vec<u32>, keys: Vec<i64>) {
        (self.sessions, self.names) = (sessions, keys);
    }

    /// Drops the last transaction if nothing is in it, and says so.
    pub(crate) fn drop_empty(&mut self) -> bool {
        let is_empty = self.begins.last().is_some_and(|begin| *begin as usize == self.keys.len());
        if is_empty {
            self.begins.pop();
            self.transactions.pop();
        }
        is_empty
    }

    /// True if no more can be numbered.
    pub(crate) fn is_full(&self) -> bool {
        self.keys.len() >= u32::MAX as usize
    }

    /// Brings together what belongs to one transaction: `owners` names the transaction of each run that was
    /// begun, in the order of runs.
    pub(crate) fn gather(&mut self, owners: &[u32], count: usize) {
        let mut sizes = vec![0_u32; count + 1];
        for (run, owner) in owners.iter().enumerate() {
            sizes[*owner as usize + 1] += self.range(run).len() as u32;
        }
        for index in 0..count {
            sizes[index + 1] += sizes[index];
        }
        let mut places = sizes.clone();
        let mut gathered =
            Self { keys: vec![0; self.keys.len()], values: vec![0; self.keys.len()], ..Self::default() };
        let mut transactions = vec![None; count];
        for (run, owner) in owners.iter().enumerate() {
            transactions[*owner as usize].get_or_insert(self.transactions[run]);
            for at in self.range(run) {
                let place = places[*owner as usize] as usize;
                places[*owner as usize] += 1;
                gathered.keys[place] = self.keys[at];
                gathered.values[place] = self.values[at];
            }
        }
        sizes.pop();
        gathered.begins = sizes;
        gathered.transactions = transactions.into_iter().flatten().collect();
        *self = gathered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn a_history_of_reads_and_writes_is_a_table_and_back() {
        let history = text::parse(
            "c3 0..0 txn write x 1; read y -> ok; nothing\nc1 0..0 txn read x -> 1\nc4 0..0 txn write x 2 -> failed aborted\n",
        )
        .unwrap();
        let table = TxnTable::of_history(&history).unwrap();
        assert_eq!(
            (table.len(), table.access_count(), table.key_count(), table.session_count()),
            (3, 4, 2, 3)
        );
        let accesses: Vec<Access> = table.accesses(0).collect();
        assert_eq!(accesses[0], Access { key: 0, value: 1, is_write: true });
        assert_eq!(accesses[1], Access { key: 1, value: 0, is_write: false });
        assert_eq!(text::print(&table.to_history(Header::default())), text::print(&history));
    }

    #[test]
    fn anything_else_is_no_table() {
        for line in ["c0 append x 1 -> ok", "c0 read x -> 1 | 2", "c0 cas x 1 2 -> ok"] {
            assert!(TxnTable::of_history(&text::parse(line).unwrap()).is_none(), "{line}");
        }
    }
}
