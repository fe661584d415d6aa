//! What the formats of weak-isolation testers share: numbers for keys, values, sessions and transactions, no
//! times; and the value 0 for what was never written.

use rustc_hash::FxHashMap;

use super::{Error, Reading};
use crate::compact::{MicroOpRow, TxnId, TxnStatus, TxnTable, TxnTableBuilder};
use crate::{Header, SessionId};

/// Gathers transactions, also where a file goes on with one after it has begun another.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    builder: TxnTableBuilder,
    /// Transactions that were gone on with, by session and number, but for `fresh` ones.
    transactions: FxHashMap<(u32, i64), u32>,
    /// Those that came since somebody last asked for one: mostly nobody ever does.
    fresh: Vec<((u32, i64), u32)>,
    /// The highest number of each session.
    highest: FxHashMap<u32, i64>,
    /// The transaction that each of the builder is a part of, and how it ended.
    parts: Vec<(u32, TxnStatus)>,
    count: u32,
    current: Option<(u32, i64)>,
}

impl Gathering {
    /// Goes on with a transaction of a session, or begins it.
    pub(super) fn go_on(&mut self, session: u32, transaction: i64) {
        if self.current == Some((session, transaction)) {
            return;
        }
        let owner = self.owner(session, transaction);
        self.count += u32::from(owner == self.count);
        self.part(session, owner, TxnStatus::Committed);
        self.current = Some((session, transaction));
    }

    /// The place of a transaction among all. Numbers that grow within a session are new.
    fn owner(&mut self, session: u32, transaction: i64) -> u32 {
        let highest = self.highest.entry(session).or_insert(i64::MIN);
        if *highest < transaction {
            *highest = transaction;
            self.fresh.push(((session, transaction), self.count));
            return self.count;
        }
        self.transactions.extend(self.fresh.drain(..));
        *self.transactions.entry((session, transaction)).or_insert(self.count)
    }

    /// Begins a transaction that nothing else belongs to.
    pub(super) fn begin(&mut self, session: u32, status: TxnStatus) {
        self.part(session, self.count, status);
        self.count += 1;
        self.current = None;
    }

    fn part(&mut self, session: u32, owner: u32, status: TxnStatus) {
        self.end();
        self.builder.begin(SessionId(session));
        self.parts.push((owner, status));
    }

    fn end(&mut self) {
        if let Some((_, status)) = self.parts.last() {
            self.builder.end(*status);
        }
    }

    /// Adds to the transaction that was begun or gone on with.
    #[inline]
    pub(super) fn push(&mut self, key: u64, value: u64, is_write: bool) -> Result<(), &'static str> {
        let key = self.builder.key_of_number(key);
        if self.builder.micro_op_count() >= u32::MAX as usize || key >= u32::MAX >> 1 {
            return Err("more than 4 294 967 295 operations or 2 147 483 647 keys");
        }
        // Values of 64 bits without a sign keep their bits.
        let value = self.builder.value_of_integer(value as i64);
        match (is_write, value) {
            (true, value) => self.builder.write(key, value),
            (false, 0) => self.builder.read(key, None),
            (false, value) => self.builder.read(key, Some(value)),
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The table.
    pub(super) fn finish(mut self) -> TxnTable {
        self.end();
        let table = self.builder.finish();
        if self.parts.len() == self.count as usize { table } else { joined(&table, &self.parts) }
    }
}

/// Brings together the parts of each transaction, in the order in which transactions began.
fn joined(table: &TxnTable, parts: &[(u32, TxnStatus)]) -> TxnTable {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|part| parts[*part].0);
    let mut builder = TxnTableBuilder::with_capacity(parts.len(), table.micro_op_count());
    for part in order.chunk_by(|one, other| parts[*one].0 == parts[*other].0) {
        builder.begin(table.session(table.session_of(TxnId(part[0] as u32))));
        for place in part.iter().flat_map(|part| table.range(TxnId(*part as u32))) {
            let MicroOpRow { key, is_write, value } = table.row(place);
            let key = builder.key_of_text(&table.key(key));
            let value = table.value(value).map(|value| builder.value_number(&value));
            match value {
                Some(value) if is_write => builder.write(key, value),
                value => builder.read(key, value),
            }
        }
        builder.end(parts[part[0]].1);
    }
    builder.finish()
}

/// A table, read from a file.
#[derive(Debug)]
pub struct TableReading {
    /// The format that it was written in.
    pub format: &'static str,
    /// The transactions.
    pub table: TxnTable,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

impl TableReading {
    /// What a history of this table is about.
    pub fn header() -> Header {
        Header { workload: "rw-register".into(), ..Header::default() }
    }

    /// The same as a history, which takes ten times the memory.
    pub fn into_reading(self) -> Reading {
        let history = self.table.to_history(Self::header());
        Reading { format: self.format, history, warnings: self.warnings }
    }
}

/// A file with nothing in it is no history.
pub(super) fn not_empty(gathering: &Gathering, expected: &str) -> Result<(), Error> {
    if gathering.is_empty() {
        return Err(Error::Line {
            line: 1,
            column: 0,
            reason: format!("no transaction, expected {expected}"),
        });
    }
    Ok(())
}
