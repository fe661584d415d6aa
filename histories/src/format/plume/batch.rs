//! Lines as numbers: what one thread reads of a file and another makes transactions of. To read lines and to
//! put them in place take as long as each other.
//!
//! ```text
//!   w(4,17,0,3)⏎       rows     w 4 17   r 5 0   w 4 18         turns     0: session 0, transaction 3
//!   r(5,0,0,3)⏎                                                           2: session 2, rolled back
//!   w(4,18,2,-1)⏎
//! ```

use crate::compact::TxnStatus;
use crate::format::registers::Gathering;

/// Some lines, one after the other.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<Row>,
    /// Where lines belong elsewhere than the ones before.
    turns: Vec<Turn>,
}

#[derive(Debug)]
struct Row {
    key: u64,
    value: u64,
    is_write: bool,
}

#[derive(Debug)]
struct Turn {
    /// The first row that belongs there.
    row: usize,
    session: u32,
    /// None if that row was rolled back.
    transaction: Option<i64>,
}

impl Batch {
    /// Nothing yet, with room for so many lines.
    pub(super) fn with_capacity(lines: usize) -> Self {
        Self { rows: Vec::with_capacity(lines), turns: Vec::with_capacity(lines / 8) }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What comes now belongs to this transaction; without a number, to one of its own that was rolled back.
    pub(super) fn turn(&mut self, session: u32, transaction: Option<i64>) {
        self.turns.push(Turn { row: self.rows.len(), session, transaction });
    }

    #[inline]
    pub(super) fn push(&mut self, key: u64, value: u64, is_write: bool) {
        self.rows.push(Row { key, value, is_write });
    }

    /// Adds all to what was gathered before.
    pub(super) fn gather(&self, gathering: &mut Gathering) -> Result<(), &'static str> {
        let mut done = 0;
        for Turn { row, session, transaction } in &self.turns {
            gather_rows(&self.rows[done..*row], gathering)?;
            done = *row;
            match transaction {
                Some(transaction) => gathering.go_on(*session, *transaction),
                None => gathering.begin(*session, TxnStatus::Aborted),
            }
        }
        gather_rows(&self.rows[done..], gathering)
    }
}

fn gather_rows(rows: &[Row], gathering: &mut Gathering) -> Result<(), &'static str> {
    rows.iter().try_for_each(|row| gathering.push(row.key, row.value, row.is_write))
}
