//! Cobra's logs, which PolySI reads, too: a folder with a file a session, `T0.log`, `T1.log`, …; or one such
//! file alone.
//!
//! ```text
//!   S txn                              begins a transaction
//!   W write-id key value               writes
//!   R txn write-id key value           reads what a transaction wrote under that id
//!   C txn                              commits
//! ```
//!
//! A letter, and numbers of 64 bits, highest byte first. Write ids are unique, so they are the values here; two
//! of them stand for "nobody wrote it". There are no times, and what did not commit is not in the file.
//!
//! Source: Tan, Zhao, Mu, Walfish: "Cobra", OSDI 2020; Huang et al.: "PolySI", VLDB 2023, and their tools.

use std::io::Read;

use super::binary::{Binary, Order};
use super::registers::{Gathering, TableReading, not_empty};
use super::{Error, Format};
use crate::compact::TxnStatus;

/// Write ids of what nobody wrote: the initial state, and nothing at all.
const NOT_WRITTEN: [u64; 2] = [0xbebe_ebee, 0xdead_beef];

/// One session alone.
pub(super) const FORMAT: Format = Format {
    name: "cobra",
    is_like: is_cobra,
    read: |input| read_table(input).map(TableReading::into_reading),
    read_table: Some(read_table),
};

/// A transaction begins and does something.
pub(super) fn is_cobra(head: &[u8]) -> bool {
    matches!(head, [b'S', _, _, _, _, _, _, _, _, b'R' | b'W' | b'C', ..])
}

fn read_table(input: &mut dyn Read) -> Result<TableReading, Error> {
    let mut gathering = Gathering::default();
    let mut warnings = Vec::new();
    read_session(input, 0, &mut gathering, &mut warnings)?;
    finish(gathering, warnings)
}

/// A transaction without its end.
struct Begun {
    transaction: u64,
    /// Key, write id, and whether it is a write.
    events: Vec<(u64, u64, bool)>,
}

/// The table of all sessions.
pub(super) fn finish(gathering: Gathering, warnings: Vec<String>) -> Result<TableReading, Error> {
    not_empty(&gathering, "a transaction that begins with S and ends with C")?;
    Ok(TableReading { format: "cobra log", table: gathering.finish(), warnings })
}

/// Adds the transactions of one file.
pub(super) fn read_session(
    input: &mut dyn Read,
    session: u32,
    gathering: &mut Gathering,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let mut binary = Binary::new(input, Order::Big);
    let mut current: Option<Begun> = None;
    while let Some(letter) = binary.byte()? {
        let Some(Begun { transaction, events }) = &mut current else {
            if letter != b'S' {
                return Err(binary.before(found(letter, "S, which begins a transaction")));
            }
            current =
                Some(Begun { transaction: binary.number("the transaction's number")?, events: Vec::new() });
            continue;
        };
        binary.bounded(events.len())?;
        match letter {
            b'W' => {
                let id = binary.number("the id of a write")?;
                let key = binary.number("a key")?;
                binary.number("a value")?;
                events.push((key, id, true));
            }
            b'R' => {
                binary.number("the transaction that was read from")?;
                let id = binary.number("the id of the write that was read")?;
                let key = binary.number("a key")?;
                binary.number("a value")?;
                events.push((key, if NOT_WRITTEN.contains(&id) { 0 } else { id }, false));
            }
            b'C' => {
                let ends = binary.number("the transaction's number")?;
                if ends != *transaction {
                    let reason = format!("transaction {ends} commits, but {transaction} has begun");
                    return Err(binary.before(reason));
                }
                if !events.is_empty() {
                    gathering.begin(session, TxnStatus::Committed);
                }
                for (key, value, is_write) in events.drain(..) {
                    gathering.push(key, value, is_write).map_err(|reason| binary.before(reason.into()))?;
                }
                current = None;
            }
            _ => return Err(binary.before(found(letter, "R, W or C"))),
        }
    }
    if let Some(Begun { transaction, .. }) = current {
        warnings.push(format!("session {session} ends within transaction {transaction}: left out"));
    }
    Ok(())
}

fn found(letter: u8, expected: &str) -> String {
    format!("the byte {letter}, expected {expected}")
}
