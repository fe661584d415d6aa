//! The text of Plume, which PolySI's and AWDIT's tools read and write, too: an operation a line.
//!
//! ```text
//! w(4,17,0,3)      write key 4, value 17, session 0, transaction 3
//! r(5,0,1,4)       read key 5, which nobody had written, session 1, transaction 4
//! w(4,18,2,-1)     a write that was rolled back
//! ```
//!
//! Transactions of a session are in the order in which they begin; there are no times.
//!
//! Source: Liu, Gu, Wei, Basin: "Plume", OOPSLA 2024, and the documentation of its tool.

mod batch;
mod usual;

use std::io::Read;

use super::cursor::{Cursor, Flaw, Syntax};
use super::registers::{Gathering, TableReading, not_empty};
use super::scan::{Scan, Stopped};
use super::{Error, Format};
use crate::threads;
use batch::Batch;

/// This format.
pub(super) const FORMAT: Format = Format {
    name: "plume",
    is_like: |head| {
        let line = head.trim_ascii_start();
        matches!(line, [b'r' | b'w', b'(', b'-' | b'0'..=b'9', ..])
    },
    read: |input| read_table(input).map(TableReading::into_reading),
    read_table: Some(read_table),
};

/// The numbers of a line.
#[derive(Clone, Copy)]
struct Line {
    is_write: bool,
    key: u64,
    value: u64,
    session: u32,
    transaction: i64,
}

/// Lines that are read before others are put in place, at least.
const AT_ONCE: usize = 1 << 13;

/// Reads transactions without making a history of them.
pub(super) fn read_table(input: &mut dyn Read) -> Result<TableReading, Error> {
    let mut file = File { scan: Scan::new(input, Syntax::Edn), stopped: None };
    let gathering =
        threads::pass_on(|| file.batch(), gather).map_err(|source| Error::Io { line: 0, source })?;
    let gathering = gathering.map_err(|reason| file.scan.place_of_last().error(reason.into()))?;
    let mut warnings = Vec::new();
    let line = file.scan.line();
    match file.stopped {
        Some(Stopped::AtEnd(_)) if !gathering.is_empty() => {
            warnings.push(format!("the file is cut off in line {line}; judged up to there"));
        }
        Some(stopped) => return Err(stopped.into_error()),
        None if file.scan.is_cut_off() => {
            warnings.push(format!("the file is cut off after line {line}; judged up to there"));
        }
        None => {}
    }
    not_empty(&gathering, "a line such as w(4,17,0,3)")?;
    Ok(TableReading { format: "plume text", table: gathering.finish(), warnings })
}

fn gather(batches: &mut dyn Iterator<Item = Batch>) -> Result<Gathering, &'static str> {
    let mut gathering = Gathering::default();
    for batch in batches {
        batch.gather(&mut gathering)?;
    }
    Ok(gathering)
}

struct File<R> {
    scan: Scan<R>,
    /// Why nothing more can be read, if that is not because all was.
    stopped: Option<Stopped>,
}

impl<R: Read> File<R> {
    /// The next lines, and whether they are the last.
    fn batch(&mut self) -> (Batch, bool) {
        let mut batch = Batch::with_capacity(2 * AT_ONCE);
        while batch.len() < AT_ONCE {
            match self.lines(&mut batch) {
                Ok(true) => {}
                Ok(false) => return (batch, true),
                Err(stopped) => {
                    self.stopped = Some(stopped);
                    return (batch, true);
                }
            }
        }
        (batch, false)
    }

    /// Reads at least one line if there is one.
    fn lines(&mut self, batch: &mut Batch) -> Result<bool, Stopped> {
        // What is not as usual, or not whole yet, is the other reader's.
        self.scan.take(|cursor| {
            cursor.skip(usual::read_lines(cursor.rest(), batch));
            Ok(())
        })?;
        let line = self.scan.take(line)?;
        if let Some(Line { is_write, key, value, session, transaction }) = line {
            batch.turn(session, (transaction >= 0).then_some(transaction));
            batch.push(key, value, is_write);
        }
        Ok(line.is_some())
    }
}

fn line(cursor: &mut Cursor<'_>) -> Result<Option<Line>, Flaw> {
    cursor.skip_space()?;
    if cursor.is_at_end() {
        return Ok(None);
    }
    let is_write = match cursor.peek() {
        b'r' => false,
        b'w' => true,
        _ => return Err(cursor.expected("a line such as w(4,17,0,3): key, value, session, transaction")),
    };
    cursor.skip(1);
    expect(cursor, b'(')?;
    let key = cursor.whole_number("a key, which is a whole number")? as u64;
    expect(cursor, b',')?;
    let value = cursor.whole_number("a value, which is a whole number")? as u64;
    expect(cursor, b',')?;
    let begin = cursor.at();
    let session = u32::try_from(cursor.whole_number("a session, which is a whole number")?)
        .map_err(|_| Flaw { at: begin, reason: "a session beyond 32 bits".into() })?;
    expect(cursor, b',')?;
    let transaction = cursor.whole_number("a transaction, which is a whole number or -1")?;
    expect(cursor, b')')?;
    Ok(Some(Line { is_write, key, value, session, transaction }))
}

fn expect(cursor: &mut Cursor<'_>, sign: u8) -> Result<(), Flaw> {
    if cursor.eat(sign) { Ok(()) } else { Err(cursor.expected(&format!("`{}`", char::from(sign)))) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0_u64..9, 0_u64..1 << 30, any::<u64>()]
    }

    /// What is made of these lines; with other line ends all are left to the reader that is not in a hurry.
    fn table_of(lines: &[String], line_end: &str) -> String {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), line_end]).collect();
        match read_table(&mut text.as_bytes()) {
            Ok(reading) => format!("{:?}, {:?}", reading.table, reading.warnings),
            Err(error) => error.to_string(),
        }
    }

    proptest! {
        #[test]
        fn usual_lines_are_read_as_all_others(
            numbers in prop::collection::vec((any::<bool>(), number(), number(), 0_u32..3, -1_i64..5), 1..40),
        ) {
            let line = |(is_write, key, value, session, transaction)| {
                let sign = if is_write { 'w' } else { 'r' };
                format!("{sign}({key},{value},{session},{transaction})")
            };
            let lines: Vec<String> = numbers.into_iter().map(line).collect();
            prop_assert_eq!(table_of(&lines, "\n"), table_of(&lines, "\r\n"));
        }
    }

    #[test]
    fn many_lines_are_read_as_all_others_and_the_last_is_named() {
        let mut lines: Vec<String> =
            (0..40_000).map(|line| format!("w({},{line},{},{})", line % 700, line % 3, line / 9)).collect();
        assert_eq!(table_of(&lines, "\n"), table_of(&lines, "\r\n"));
        lines.push("w(1,2,3".into());
        lines.push("w(1,2,3,4)".into());
        let error = "line 40001, column 8: `\n`, expected `,`";
        assert_eq!(table_of(&lines, "\n").replace("\\n", "\n"), error);
    }
}
