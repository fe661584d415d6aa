//! Plume's text: transactions of reads and writes of unique values.
//!
//! Keys and values that are no numbers are numbered. Plume knows no unknown transactions: one that somebody
//! read from is written as committed, any other is left out.

use std::io::Write;

use rustc_hash::FxHashSet;

use super::{Unwritable, Writer};
use crate::History;
use crate::compact::{Access, Ending, TxnTable};

pub(super) const WRITER: Writer = Writer { name: "plume", write };

fn write(history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
    let table = TxnTable::of_history(history).ok_or_else(|| refused(history))?;
    let all = || (0..table.len()).flat_map(|index| table.accesses(index).map(move |access| (index, access)));
    let is_committed = |index: usize| table.transaction(index).ending == Ending::Committed;
    let read: FxHashSet<(u32, u64)> = all()
        .filter(|(index, access)| !access.is_write && is_committed(*index))
        .map(|(_, access)| (access.key, access.value))
        .collect();
    let names = Names::of(&table);
    let mut left_out = 0;
    for index in 0..table.len() {
        let transaction = table.transaction(index);
        let was_read = |access: Access| access.is_write && read.contains(&(access.key, access.value));
        let number = match transaction.ending {
            Ending::Committed => Some(index as i64),
            Ending::Aborted => Some(-1),
            Ending::Unknown => table.accesses(index).any(was_read).then_some(index as i64),
        };
        left_out += usize::from(number.is_none());
        for access in table.accesses(index).filter(|access| access.is_write || number != Some(-1)) {
            let Some(number) = number else { break };
            let letter = if access.is_write { 'w' } else { 'r' };
            let (key, session) = (names.key(&table, access.key), table.session_name(transaction.session).0);
            writeln!(out, "{letter}({key},{},{session},{number})", access.value)?;
        }
    }
    let s = if left_out == 1 { "" } else { "s" };
    let warning = format!("{left_out} unknown transaction{s} that nobody read from: left out");
    Ok(if left_out > 0 { vec![warning] } else { Vec::new() })
}

fn refused(history: &History) -> Unwritable {
    let one = |operation: &&crate::Operation| {
        !operation.steps().all(|(micro_op, reply)| match micro_op {
            crate::MicroOp::Write { .. } => true,
            _ => {
                let siblings =
                    reply.and_then(|reply| reply.observed.as_ref()).is_some_and(|seen| seen.values.len() > 1);
                micro_op.is_read() && !siblings
            }
        })
    };
    let operation =
        history.operations().iter().find(one).map_or(crate::OperationId(0), |operation| operation.id);
    let reason = "Plume has reads and writes of one value only; write it as jepsen-edn or jsonl".into();
    Unwritable::Operation { operation, reason }
}

/// Whether all keys are numbers already.
struct Names {
    are_numbers: bool,
}

impl Names {
    fn of(table: &TxnTable) -> Self {
        let number = |key: u32| table.key_name(key).as_str().parse::<u32>().is_ok();
        Self { are_numbers: (0..table.key_count() as u32).all(number) }
    }

    fn key(&self, table: &TxnTable, key: u32) -> String {
        if self.are_numbers { table.key_name(key).to_string() } else { key.to_string() }
    }
}
