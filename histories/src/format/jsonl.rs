//! Our own format: JSON Lines, a versioned header first, then one event a line, written as it
//! happens. It can be read up to its last whole line, wherever the writer was stopped.
//!
//! ```text
//! {"rashomon":"history","version":1,"name":"cart","nodes":["A","B","C"]}
//! {"time":12405000000,"event":"invoke","session":3,"node":"A","call":{"append":{"key":"k17","element":412}}}
//! {"time":12412000000,"event":"confirmed","session":3,"reply":{"version":"A:9"}}
//! {"time":12500000000,"event":"unknown","session":4,"reason":"timeout"}
//! {"time":20000000000,"event":"phase","phase":"settle"}
//! ```
//!
//! Times are nanoseconds since the run began. A transaction is an array of operations, its reply an
//! array of replies in the same order. Lines end in a line feed, or in a carriage return and a line
//! feed; no line is empty.

use std::io::{self, BufRead, BufReader, Write};

use serde::Serialize;

use super::line::{self, LineOut};
use super::lines::{self, Line, Lines, Next};
use super::{header, quick};
use crate::{Event, Header, History, HistoryBuilder, Malformed, Problem};

/// The version of the format that this crate writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// This format.
pub(super) const FORMAT: super::Format = super::Format {
    name: "jsonl",
    is_like: |head| head.starts_with(br#"{"rashomon""#),
    read: |input| read(&mut BufReader::with_capacity(1 << 20, input)),
    read_table: None,
};

/// A history, and what had to be left out of it.
#[derive(Debug)]
pub struct Reading {
    /// The format that it was written in, such as `rashomon JSON Lines`.
    pub format: &'static str,
    /// Everything up to the last whole line.
    pub history: History,
    /// What a reader should know: a line that was cut off, with its number.
    pub warnings: Vec<String>,
}

/// Why a file is no history.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot be read{}", after(*line))]
    Io {
        /// The last line that was read, from 1; 0 if none was.
        line: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("line 1: empty; a history begins with a line such as {{\"rashomon\":\"history\",\"version\":1}}")]
    Empty,
    /// The first line is something else.
    #[error(
        "line 1{}: not the header of a history: {reason}; a history begins with a line such as {{\"rashomon\":\"history\",\"version\":1}}",
        at(*column)
    )]
    Header {
        /// Which column, from 1; 0 if it is the whole line.
        column: usize,
        /// Why.
        reason: String,
    },
    /// A newer format.
    #[error(
        "line 1: history version {version}, but this program reads versions up to {VERSION}; use a newer one"
    )]
    Version {
        /// The file's version.
        version: u64,
    },
    /// A line is not text.
    #[error("line {line}, byte {byte}: not UTF-8")]
    NotUtf8 {
        /// Which line, from 1.
        line: usize,
        /// Which byte of the line, from 1.
        byte: usize,
    },
    /// A line is no event.
    #[error("line {line}{}: {reason}", at(*column))]
    Line {
        /// Which line, from 1.
        line: usize,
        /// Which column, from 1; 0 if it is the whole line.
        column: usize,
        /// Why.
        reason: String,
    },
    /// A binary file has something else there.
    #[error("byte {byte}: {reason}")]
    Byte {
        /// Which byte, from 1.
        byte: usize,
        /// Why.
        reason: String,
    },
    /// A folder without anything that could be read.
    #[error("a folder that is no run and has no logs of Cobra's in it (*.log, one a session); name a file")]
    Folder,
    /// The format that was asked for is none of ours.
    #[error("no format `{name}`; there are {}", super::names())]
    NoFormat {
        /// The name.
        name: String,
    },
    /// An event that cannot follow the ones before it.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
}

fn after(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" after line {line}") }
}

fn at(column: usize) -> String {
    if column == 0 { String::new() } else { format!(", column {column}") }
}

/// Writes the header line.
pub fn write_header(out: &mut (impl Write + ?Sized), header: &Header) -> io::Result<()> {
    write_line(out, &header::LineOut::from(header))
}

/// Writes one event as one line.
pub fn write_event(out: &mut (impl Write + ?Sized), event: &Event) -> io::Result<()> {
    write_line(out, &LineOut::from(event))
}

/// Reads a whole history.
///
/// A last line that stops before its end is left out with a warning: that is what a writer leaves
/// behind that was killed. Everything else that cannot be read is an error.
pub fn read(input: &mut impl BufRead) -> Result<Reading, Error> {
    let mut lines = Lines::new(input);
    let header = match lines.next_line()? {
        Next::Line(line) => header::read(line.text)?,
        Next::CutOff(_) | Next::End => return Err(Error::Empty),
    };
    let mut builder = HistoryBuilder::new(header);
    let mut warnings = Vec::new();
    loop {
        match lines.next_line()? {
            Next::Line(line) => warnings.extend(take(&mut builder, &line)?),
            Next::CutOff(warning) => {
                warnings.push(warning);
                break;
            }
            Next::End => break,
        }
    }
    Ok(Reading { format: "rashomon JSON Lines", history: builder.finish(), warnings })
}

/// Adds the event of a line to the history, or says that the line is cut off.
fn take(builder: &mut HistoryBuilder, line: &Line<'_>) -> Result<Option<String>, Error> {
    let event = match quick::read_event(line.text, builder.names()) {
        Some(event) => event,
        None => match line::read_event(line.text) {
            Ok(event) => event,
            Err(flaw) if !line.ended && (flaw.stops_early || line.text.is_empty()) => {
                return Ok(Some(lines::cut_off(line.number, line.text.len())));
            }
            Err(flaw) => {
                return Err(Error::Line { line: line.number, column: flaw.column, reason: flaw.reason });
            }
        },
    };
    let malformed = |Malformed { problem, .. }| Error::Malformed { line: line.number, problem };
    builder.push(event).map_err(malformed)?;
    Ok(None)
}

fn write_line(out: &mut (impl Write + ?Sized), line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
