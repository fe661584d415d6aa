//! A table of a history: each call is a transaction, and what is not a register is left out.
//!
//! ```text
//!   cas x 1 → 2                      r x 1, w x 2       it saw what it replaced
//!   append l 4                       l is left out      and so is every key with several values,
//!   read x → 0, written by nobody    r x nothing        deletions, or changes that are no writes
//! ```

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::{TxnStatus, TxnTable, TxnTableBuilder};
use crate::event::BANK;
use crate::{History, Key, MicroOp, Nanos, Observed, Operation, Outcome, Value};

impl TxnTable {
    /// The table of a history.
    pub fn from_history(history: &History) -> Self {
        let shape = Shape::of(history);
        let mut builder = TxnTableBuilder::with_capacity(history.operations().len(), 0);
        for operation in history.operations() {
            builder.take(operation, &shape);
        }
        for what in shape.left_out() {
            builder.leave_out(what);
        }
        builder.finish()
    }
}

impl TxnTableBuilder {
    fn take(&mut self, operation: &Operation, shape: &Shape<'_>) {
        if operation.call.micro_ops().iter().all(|micro_op| shape.ignores(micro_op.key())) {
            return;
        }
        self.begin(operation.session);
        for (micro_op, reply) in operation.steps() {
            if shape.ignores(micro_op.key()) {
                continue;
            }
            let key = self.key_of_text(micro_op.key());
            match micro_op {
                MicroOp::Write { value, .. } => {
                    let value = self.value_number(value);
                    self.write(key, value);
                }
                MicroOp::CompareAndSet { expected, value, .. } => {
                    self.see(key, micro_op.key(), expected, shape);
                    let value = self.value_number(value);
                    self.write(key, value);
                }
                // An unanswered read constrains nothing.
                _ => {
                    if let Some(observed) = reply.and_then(|reply| reply.observed.as_ref()) {
                        self.see(key, micro_op.key(), observed, shape);
                    }
                }
            }
        }
        let completed = operation.completed.filter(|_| operation.is_confirmed());
        self.end_at(status(&operation.outcome), operation.invoked, completed.unwrap_or(Nanos(u64::MAX)));
        self.table.operations.push(operation.id);
    }

    fn see(&mut self, number: u32, key: &Key, observed: &Observed, shape: &Shape<'_>) {
        let seen = observed.single().filter(|value| !shape.is_blank(key, value));
        let seen = seen.map(|value| self.value_number(value));
        self.read(number, seen);
    }
}

fn status(outcome: &Outcome) -> TxnStatus {
    match outcome {
        Outcome::Confirmed(_) => TxnStatus::Committed,
        Outcome::Failed(_) => TxnStatus::Aborted,
        Outcome::Unknown(_) => TxnStatus::Unknown,
    }
}

/// Which keys are registers, and what may be how the store shows that there is nothing.
#[derive(Default)]
struct Shape<'h> {
    /// Keys that appends, additions, removals, increments, queues or stacks change, and the accounts of a bank.
    other: BTreeSet<&'h Key>,
    /// Keys that are deleted: one deletion looks like another.
    deleted: BTreeSet<&'h Key>,
    /// Keys of which a read showed several values.
    siblings: BTreeSet<&'h Key>,
    /// Keys to which somebody wrote 0 or an empty list.
    blank_written: FxHashSet<(&'h Key, &'h Value)>,
}

impl<'h> Shape<'h> {
    fn of(history: &'h History) -> Self {
        let mut shape = Self::default();
        let is_bank = history.header().workload == BANK;
        for (micro_op, reply) in history.operations().iter().flat_map(Operation::steps) {
            let key = micro_op.key();
            match micro_op {
                _ if is_bank => {
                    shape.other.insert(key);
                }
                MicroOp::Read { .. } => {
                    shape.note(key, reply.and_then(|reply| reply.observed.as_ref()));
                }
                MicroOp::Write { value, .. } => shape.note_written(key, value),
                MicroOp::CompareAndSet { expected, value, .. } => {
                    shape.note(key, Some(&**expected));
                    shape.note_written(key, value);
                }
                MicroOp::Delete { .. } => {
                    shape.deleted.insert(key);
                }
                MicroOp::Append { .. }
                | MicroOp::Add { .. }
                | MicroOp::Remove { .. }
                | MicroOp::Increment { .. }
                | MicroOp::Enqueue { .. }
                | MicroOp::Dequeue { .. }
                | MicroOp::Push { .. }
                | MicroOp::Pop { .. } => {
                    shape.other.insert(key);
                }
            }
        }
        shape
    }

    fn note(&mut self, key: &'h Key, observed: Option<&Observed>) {
        if observed.is_some_and(|observed| observed.values.len() > 1) {
            self.siblings.insert(key);
        }
    }

    fn note_written(&mut self, key: &'h Key, value: &'h Value) {
        if looks_blank(value) {
            self.blank_written.insert((key, value));
        }
    }

    fn is_blank(&self, key: &Key, value: &Value) -> bool {
        looks_blank(value) && !self.blank_written.contains(&(key, value))
    }

    fn ignores(&self, key: &Key) -> bool {
        [&self.other, &self.deleted, &self.siblings].iter().any(|keys| keys.contains(key))
    }

    fn left_out(&self) -> Vec<String> {
        let phrase = |keys: &BTreeSet<&Key>, what: &str| match keys.len() {
            0 => None,
            1 => Some(format!("1 key {what}")),
            count => Some(format!("{count} keys {what}")),
        };
        [
            phrase(&self.other, "that changes other than writes change"),
            phrase(&self.deleted, "with deletions"),
            phrase(&self.siblings, "with several values at once"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn looks_blank(value: &Value) -> bool {
    value.as_integer() == Some(0) || value.as_list().is_some_and(<[Value]>::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::TxnId;
    use crate::text;

    fn shown(table: &TxnTable) -> String {
        let micro_op = |place| {
            let row = table.row(place);
            let value = table.value(row.value).map_or("nothing".into(), |value| value.to_string());
            format!("{} {} {value}", if row.is_write { "w" } else { "r" }, table.key(row.key))
        };
        let line = |txn: TxnId| {
            let micro_ops: Vec<String> = table.range(txn).map(micro_op).collect();
            let session = table.session(table.session_of(txn));
            let (operation, status) = (table.operation(txn), table.status(txn));
            format!("{operation} {session} {status:?}: {}", micro_ops.join(", "))
        };
        table.transactions().map(line).collect::<Vec<_>>().join("\n")
    }

    const MIXED: &str = r#"
        c0 txn read x; write y 1 -> nothing; ok
        c1 cas y 1 "two" -> ok
        c1 append l 4 -> ok
        c2 read z -> 0
        c2 txn append l 5; write x 3 -> failed conflict
        c3 write x 4 -> unknown timeout
        c4 read s -> 1 | 2"#;

    #[test]
    fn registers_are_taken_and_the_rest_is_left_out_in_words() {
        let table = TxnTable::from_history(&text::parse(MIXED).unwrap());
        expect_test::expect![[r#"
            op 0 c0 Committed: r x nothing, w y 1
            op 1 c1 Committed: r y 1, w y "two"
            op 3 c2 Committed: r z nothing
            op 4 c2 Aborted: w x 3
            op 5 c3 Unknown: w x 4"#]]
        .assert_eq(&shown(&table));
        assert_eq!(
            table.left_out(),
            ["1 key that changes other than writes change", "1 key with several values at once"]
        );
        assert!(table.has_times());
        assert_eq!(table.txn_at(2), TxnId(1));
    }

    #[test]
    fn the_smallest_integers_are_numbers_like_any_other_value() {
        let mut builder = TxnTableBuilder::default();
        for value in [Value::Integer(i64::MIN), Value::Integer(-1), Value::from("a")] {
            let number = builder.value_number(&value);
            assert_eq!(builder.table.value(number), Some(value));
        }
    }
}
