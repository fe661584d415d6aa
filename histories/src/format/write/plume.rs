//! Plume's text: transactions of reads and writes of unique values.
//!
//! Keys and values that are no numbers are numbered. Plume knows no unknown transactions: one that somebody
//! read from is written as committed, any other is left out.

use std::io::Write;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Unwritable, Writer};
use crate::compact::{MicroOpRow, TxnStatus, TxnTable};
use crate::{History, MicroOp, Operation, OperationId};

pub(super) const WRITER: Writer = Writer { name: "plume", write };

fn write(history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
    if let Some(operation) = history.operations().iter().find(|operation| !is_plain(operation)) {
        let reason = "Plume has reads and writes of one value only; write it as jepsen-edn or jsonl".into();
        return Err(Unwritable::Operation { operation: operation.id, reason });
    }
    let table = TxnTable::from_history(history);
    if let [first, ..] = table.left_out() {
        let reason = format!("Plume cannot hold {first}; write it as jepsen-edn or jsonl");
        return Err(Unwritable::Operation { operation: OperationId(0), reason });
    }
    let read = read_by_committed(&table);
    let names = Names::of(&table);
    let mut left_out = 0;
    for txn in table.transactions() {
        let rows = || table.range(txn).map(|place| table.row(place));
        let was_read = |row: MicroOpRow| row.is_write && read.contains(&(row.key, row.value));
        let number = match table.status(txn) {
            TxnStatus::Committed => i64::from(txn.0),
            TxnStatus::Aborted => -1,
            TxnStatus::Unknown if rows().any(was_read) => i64::from(txn.0),
            TxnStatus::Unknown => {
                left_out += 1;
                continue;
            }
        };
        for row in rows().filter(|row| row.is_write || number >= 0) {
            let letter = if row.is_write { 'w' } else { 'r' };
            let (key, value) = (names.key(&table, row.key), names.value(row.value));
            writeln!(out, "{letter}({key},{value},{},{number})", table.session(table.session_of(txn)).0)?;
        }
    }
    let s = if left_out == 1 { "" } else { "s" };
    let warning = format!("{left_out} unknown transaction{s} that nobody read from: left out");
    Ok(if left_out > 0 { vec![warning] } else { Vec::new() })
}

fn is_plain(operation: &Operation) -> bool {
    operation.steps().all(|(micro_op, reply)| match micro_op {
        MicroOp::Write { .. } => true,
        MicroOp::Read { .. } => {
            reply.and_then(|reply| reply.observed.as_ref()).is_none_or(|seen| seen.values.len() <= 1)
        }
        _ => false,
    })
}

fn read_by_committed(table: &TxnTable) -> FxHashSet<(u32, i64)> {
    let committed = table.transactions().filter(|txn| table.status(*txn) == TxnStatus::Committed);
    let rows = committed.flat_map(|txn| table.range(txn)).map(|place| table.row(place));
    rows.filter(|row| !row.is_write).map(|row| (row.key, row.value)).collect()
}

/// Keys that are all numbers and values that are all above 0 stay what they are; else they are numbered.
struct Names {
    are_numbers: bool,
    values: Option<FxHashMap<i64, usize>>,
}

impl Names {
    fn of(table: &TxnTable) -> Self {
        let is_number = |key: u32| {
            let key = table.key(key);
            key.as_str().parse::<u32>().is_ok_and(|number| number.to_string() == key.as_str())
        };
        let values = || (0..table.micro_op_count()).map(|place| table.row(place).value);
        let values = values().any(|value| value <= 0 && value != TxnTable::NOTHING).then(|| {
            let mut numbers = FxHashMap::default();
            for value in values().filter(|value| *value != TxnTable::NOTHING) {
                let next = numbers.len() + 1;
                numbers.entry(value).or_insert(next);
            }
            numbers
        });
        Self { are_numbers: (0..table.key_count() as u32).all(is_number), values }
    }

    fn key(&self, table: &TxnTable, key: u32) -> String {
        if self.are_numbers { table.key(key).to_string() } else { key.to_string() }
    }

    fn value(&self, value: i64) -> i64 {
        match &self.values {
            _ if value == TxnTable::NOTHING => 0,
            Some(numbers) => numbers.get(&value).map_or(0, |number| *number as i64),
            None => value,
        }
    }
}
