//! What the formats of weak-isolation testers share: numbers for keys, values, sessions and transactions, no
//! times; and the value 0 for what was never written.

use rustc_hash::FxHashMap;

use super::{Error, Reading};
use crate::Header;
use crate::compact::{Access, Ending, Transaction, TxnTable};

/// Gathers transactions in any order in which they stand in a file.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    table: TxnTable,
    keys: Numbers,
    sessions: Numbers,
    transactions: FxHashMap<(u32, i64), u32>,
    /// The transaction of each run of accesses in `table`.
    runs: Vec<u32>,
    current: Option<(i64, i64)>,
    count: u32,
}

/// Numbers from 0 for numbers of any size.
#[derive(Debug, Default)]
struct Numbers {
    known: FxHashMap<i64, u32>,
    names: Vec<i64>,
}

impl Numbers {
    fn number(&mut self, name: i64) -> u32 {
        let next = self.names.len() as u32;
        *self.known.entry(name).or_insert_with(|| {
            self.names.push(name);
            next
        })
    }
}

impl Gathering {
    /// Goes on with a transaction of a session, or begins it.
    pub(super) fn go_on(&mut self, session: i64, transaction: i64) {
        if self.current == Some((session, transaction)) {
            return;
        }
        let number = self.sessions.number(session);
        let next = self.count;
        let owner = *self.transactions.entry((number, transaction)).or_insert(next);
        self.count += u32::from(owner == next);
        self.run(number, owner, Ending::Committed);
        self.current = Some((session, transaction));
    }

    /// Begins a transaction that nothing else belongs to.
    pub(super) fn begin(&mut self, session: i64, ending: Ending) {
        let number = self.sessions.number(session);
        let owner = self.count;
        self.count += 1;
        self.run(number, owner, ending);
        self.current = None;
    }

    fn run(&mut self, session: u32, owner: u32, ending: Ending) {
        self.table.begin(Transaction { session, ending });
        self.runs.push(owner);
    }

    /// Adds to the transaction that was begun or gone on with.
    pub(super) fn push(&mut self, key: i64, value: u64, is_write: bool) -> Result<(), &'static str> {
        let key = self.keys.number(key);
        if self.table.is_full() || key > u32::MAX >> 1 {
            return Err("more than 4 294 967 295 operations or 2 147 483 647 keys");
        }
        self.table.push(Access { key, value, is_write });
        Ok(())
    }

    /// Drops the transaction that was begun last if nothing is in it.
    pub(super) fn drop_empty(&mut self) {
        if self.table.drop_empty() {
            self.runs.pop();
            self.count -= 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The table.
    pub(super) fn finish(mut self) -> TxnTable {
        if self.runs.len() > self.count as usize {
            self.table.gather(&self.runs, self.count as usize);
        }
        self.table.name(session_names(&self.sessions.names), self.keys.names);
        self.table
    }
}

/// Sessions keep their numbers where they fit.
fn session_names(names: &[i64]) -> Vec<u32> {
    let kept: Option<Vec<u32>> = names.iter().map(|name| u32::try_from(*name).ok()).collect();
    kept.unwrap_or_else(|| (0..names.len() as u32).collect())
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
    pub(super) fn into_reading(self) -> Reading {
        let header = Header { workload: "rw-register".into(), ..Header::default() };
        Reading { format: self.format, history: self.table.to_history(header), warnings: self.warnings }
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
