//! A history of a table, or of a few of its transactions: what a reader wants to see told.
//!
//! ```text
//!   table     T0  T1  T2  …  T999 999           part of T1 and T2      op 1  c4  w x 2
//!                 ╰─────╯                                              op 2  c9  r x 2
//! ```
//!
//! A part keeps the numbers that its operations have in the whole. Everything happens at one instant:
//! sessions have an order, times have none.

use smallvec::SmallVec;

use super::{MicroOpRow, TxnId, TxnStatus, TxnTable};
use crate::{
    Call, Event, EventKind, Header, History, HistoryBuilder, Key, MicroOp, Nanos, Observed, Outcome, Reason,
    Reply, SessionId,
};

impl TxnTable {
    /// The history of all transactions. Transactions of unknown outcome count as failed.
    pub fn to_history(&self, header: Header) -> History {
        let mut builder = HistoryBuilder::new(header);
        builder.keys_are_shared();
        let names: Vec<Key> = (0..self.key_count() as u32).map(|key| self.key(key)).collect();
        for txn in self.transactions() {
            self.add(&mut builder, txn, &|key| names[key as usize].clone());
        }
        builder.finish()
    }

    /// The history of these transactions, which are in the order of the table, each once.
    pub fn part(&self, header: Header, transactions: &[TxnId]) -> History {
        let mut builder = HistoryBuilder::new(header);
        for txn in transactions {
            self.add(&mut builder, *txn, &|key| self.key(key));
        }
        let mut part = builder.finish();
        part.renumber(transactions.iter().map(|txn| self.operation(*txn)));
        part
    }

    fn add(&self, builder: &mut HistoryBuilder, txn: TxnId, name: &dyn Fn(u32) -> Key) {
        let session: SessionId = self.session(self.session_of(txn));
        let (call, outcome) = self.call(txn, name);
        let invoke = EventKind::Invoke { session, node: None, planned: None, call };
        for kind in [invoke, EventKind::Complete { session, outcome }] {
            let pushed = builder.push(Event { time: Nanos(0), kind });
            debug_assert!(pushed.is_ok(), "a table without unknown transactions is well-formed: {pushed:?}");
        }
    }

    fn call(&self, txn: TxnId, name: &dyn Fn(u32) -> Key) -> (Call, Outcome) {
        let mut micro_ops = Vec::with_capacity(self.range(txn).len());
        let mut replies = SmallVec::with_capacity(micro_ops.capacity());
        for place in self.range(txn) {
            let MicroOpRow { key, is_write, value } = self.row(place);
            let (key, value) = (name(key), self.value(value));
            let (micro_op, reply) = match value {
                Some(value) if is_write => (MicroOp::Write { key, value }, Reply::changed(None)),
                value => (MicroOp::Read { key }, Reply::read(value.map(Observed::value).unwrap_or_default())),
            };
            micro_ops.push(micro_op);
            replies.push(reply);
        }
        let outcome = match self.status(txn) {
            TxnStatus::Committed => Outcome::Confirmed(replies),
            TxnStatus::Aborted | TxnStatus::Unknown => Outcome::Failed(Reason::from("aborted")),
        };
        (Call::Transaction(micro_ops), outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperationId;
    use crate::compact::TxnTableBuilder;

    #[test]
    fn a_part_keeps_the_numbers_of_the_whole() {
        let mut builder = TxnTableBuilder::default();
        let key = builder.key_of_number(7);
        for value in 0..4 {
            builder.begin(SessionId(value as u32 % 2));
            builder.write(key, value);
            builder.end(TxnStatus::Committed);
        }
        let table = builder.finish();
        let whole = table.to_history(Header::default());
        let part = table.part(Header::default(), &[TxnId(1), TxnId(3)]);
        for id in [1, 3].map(OperationId) {
            assert_eq!(part.find(id), whole.find(id));
            assert_eq!(part.operation(id).id, id);
        }
        assert_eq!((part.find(OperationId(0)), part.find(OperationId(4))), (None, None));
        assert_eq!(part.operations().len(), 2);
    }
}
