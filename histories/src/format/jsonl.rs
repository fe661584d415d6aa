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
//! array of replies in the same order.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::format::one_or_many::OneOrMany;
use crate::{
    Call, Event, EventKind, FaultEvent, Header, History, HistoryBuilder, Malformed, MicroOp, Nanos,
    NodeEvent, NodeName, Outcome, Phase, Problem, Reason, Reply, SessionId,
};

/// The version of the format that this crate writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// A history, and what had to be left out of it.
#[derive(Debug)]
pub struct Reading {
    /// Everything up to the last whole line.
    pub history: History,
    /// What a reader should know: a line that was cut off, with its number.
    pub warnings: Vec<String>,
}

/// Why a file is no history.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read on after line {line}")]
    Io {
        /// The last line that was read, from 1.
        line: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
    #[error(
        "line 1: empty; a history begins with a header such as {{\"rashomon\":\"history\",\"version\":1}}"
    )]
    Empty,
    /// The first line is something else.
    #[error("line 1: not the header of a history: {reason}")]
    Header {
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
    #[error("line {line}, column {column}: {reason}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// Which column, from 1; 0 if it is the whole line.
        column: usize,
        /// Why.
        reason: String,
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

/// Writes the header line.
pub fn write_header(out: &mut (impl Write + ?Sized), header: &Header) -> io::Result<()> {
    write_line(
        out,
        &HeaderLine { rashomon: "history".into(), version: VERSION.into(), header: header.clone() },
    )
}

/// Writes one event as one line.
pub fn write_event(out: &mut (impl Write + ?Sized), event: &Event) -> io::Result<()> {
    write_line(out, &LineOut::from(event))
}

/// Reads a whole history.
///
/// A last line that lacks its end and cannot be read is left out with a warning: that is what a
/// writer leaves behind that was killed. Everything else that cannot be read is an error.
pub fn read(input: &mut impl BufRead) -> Result<Reading, Error> {
    let mut lines = Lines { input, buffer: Vec::with_capacity(512), number: 0, cut_off: None };
    let header = match lines.next_line()? {
        None => return Err(Error::Empty),
        Some(line) => read_header(line)?,
    };
    let mut builder = HistoryBuilder::new(header);
    let mut warnings = Vec::new();
    while let Some(line) = lines.next_line()? {
        let event = match read_event(line) {
            Ok(event) => event,
            Err(reason) if lines.ends_without_newline() => {
                warnings
                    .push(format!("line {}: cut off ({reason}); judged up to the line before", lines.number));
                break;
            }
            Err(reason) => return Err(lines.error(&reason)),
        };
        builder
            .push(event)
            .map_err(|Malformed { problem, .. }| Error::Malformed { line: lines.number, problem })?;
    }
    warnings.extend(lines.cut_off);
    Ok(Reading { history: builder.finish(), warnings })
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    rashomon: String,
    version: u64,
    #[serde(flatten)]
    header: Header,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tag {
    Invoke,
    Confirmed,
    Failed,
    Unknown,
    Fault,
    Node,
    Phase,
}

/// A line as it is read; which fields must be there depends on `event`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    time: Nanos,
    event: Tag,
    session: Option<SessionId>,
    node: Option<NodeName>,
    planned: Option<Nanos>,
    call: Option<OneOrMany<MicroOp>>,
    reply: Option<OneOrMany<Reply>>,
    reason: Option<Reason>,
    fault: Option<FaultEvent>,
    state: Option<NodeEvent>,
    phase: Option<Phase>,
}

/// A line as it is written.
#[derive(Serialize)]
struct LineOut<'a> {
    time: Nanos,
    event: Tag,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a NodeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<Nanos>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<OneOrMany<&'a MicroOp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<OneOrMany<&'a Reply>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a FaultEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a NodeEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
}

impl<'a> From<&'a Event> for LineOut<'a> {
    fn from(event: &'a Event) -> Self {
        let blank = |tag| LineOut {
            time: event.time,
            event: tag,
            session: None,
            node: None,
            planned: None,
            call: None,
            reply: None,
            reason: None,
            fault: None,
            state: None,
            phase: None,
        };
        match &event.kind {
            EventKind::Invoke { session, node, planned, call } => LineOut {
                session: Some(*session),
                node: node.as_ref(),
                planned: *planned,
                call: Some(call_out(call)),
                ..blank(Tag::Invoke)
            },
            EventKind::Complete { session, outcome } => match outcome {
                Outcome::Confirmed(replies) => LineOut {
                    session: Some(*session),
                    reply: Some(replies_out(replies)),
                    ..blank(Tag::Confirmed)
                },
                Outcome::Failed(reason) => {
                    LineOut { session: Some(*session), reason: Some(reason), ..blank(Tag::Failed) }
                }
                Outcome::Unknown(reason) => {
                    LineOut { session: Some(*session), reason: Some(reason), ..blank(Tag::Unknown) }
                }
            },
            EventKind::Fault(fault) => LineOut { fault: Some(fault), ..blank(Tag::Fault) },
            EventKind::Node(state) => LineOut { state: Some(state), ..blank(Tag::Node) },
            EventKind::Phase(phase) => LineOut { phase: Some(*phase), ..blank(Tag::Phase) },
        }
    }
}

fn call_out(call: &Call) -> OneOrMany<&MicroOp> {
    match call {
        Call::Single(micro_op) => OneOrMany::One(micro_op),
        Call::Transaction(micro_ops) => OneOrMany::Many(micro_ops.iter().collect()),
    }
}

fn replies_out(replies: &[Reply]) -> OneOrMany<&Reply> {
    match replies {
        [reply] => OneOrMany::One(reply),
        replies => OneOrMany::Many(replies.iter().collect()),
    }
}

fn write_line(out: &mut (impl Write + ?Sized), line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// A place in a line, and what is wrong there.
struct Flaw {
    column: usize,
    reason: String,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<serde_json::Error> for Flaw {
    fn from(error: serde_json::Error) -> Self {
        // serde_json counts lines and columns in what it was given, which is one line.
        let text = error.to_string();
        let reason = text.split_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_string();
        Self { column: error.column(), reason }
    }
}

fn missing(what: &str) -> Flaw {
    Flaw { column: 0, reason: format!("missing field `{what}`") }
}

fn read_header(line: &[u8]) -> Result<Header, Error> {
    #[derive(Deserialize)]
    struct Peek {
        rashomon: String,
        version: u64,
    }
    let header = |reason: String| Error::Header { reason };
    let peek: Peek = serde_json::from_slice(line).map_err(|error| header(Flaw::from(error).reason))?;
    if peek.rashomon != "history" {
        return Err(header(format!("`rashomon` is \"{}\", expected \"history\"", peek.rashomon)));
    }
    if peek.version == 0 || peek.version > VERSION.into() {
        return Err(Error::Version { version: peek.version });
    }
    let line: HeaderLine = serde_json::from_slice(line).map_err(|error| header(Flaw::from(error).reason))?;
    Ok(line.header)
}

fn read_event(line: &[u8]) -> Result<Event, Flaw> {
    let line: LineIn = serde_json::from_slice(line)?;
    let session = line.session.ok_or_else(|| missing("session"));
    let reason = line.reason.ok_or_else(|| missing("reason"));
    let kind = match line.event {
        Tag::Invoke => EventKind::Invoke {
            session: session?,
            node: line.node,
            planned: line.planned,
            call: line.call.ok_or_else(|| missing("call"))?.into(),
        },
        Tag::Confirmed => EventKind::Complete {
            session: session?,
            outcome: Outcome::Confirmed(line.reply.ok_or_else(|| missing("reply"))?.into()),
        },
        Tag::Failed => EventKind::Complete { session: session?, outcome: Outcome::Failed(reason?) },
        Tag::Unknown => EventKind::Complete { session: session?, outcome: Outcome::Unknown(reason?) },
        Tag::Fault => EventKind::Fault(line.fault.ok_or_else(|| missing("fault"))?),
        Tag::Node => EventKind::Node(line.state.ok_or_else(|| missing("state"))?),
        Tag::Phase => EventKind::Phase(line.phase.ok_or_else(|| missing("phase"))?),
    };
    Ok(Event { time: line.time, kind })
}

/// Lines of bytes with their numbers.
struct Lines<'a, R> {
    input: &'a mut R,
    buffer: Vec<u8>,
    number: usize,
    cut_off: Option<String>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next_line(&mut self) -> Result<Option<&[u8]>, Error> {
        self.buffer.clear();
        match self.input.read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(None),
            Ok(_) => self.number += 1,
            // A compressed file that was cut off ends like this; whole lines before it are good.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.number > 0 => {
                self.cut_off =
                    Some(format!("the file is cut off after line {}; judged up to there", self.number));
                return Ok(None);
            }
            Err(source) => return Err(Error::Io { line: self.number, source }),
        }
        if let Err(error) = std::str::from_utf8(&self.buffer)
            && !self.ends_without_newline()
        {
            return Err(Error::NotUtf8 { line: self.number, byte: error.valid_up_to() + 1 });
        }
        Ok(Some(&self.buffer))
    }

    fn ends_without_newline(&self) -> bool {
        self.buffer.last() != Some(&b'\n')
    }

    fn error(&self, flaw: &Flaw) -> Error {
        Error::Line { line: self.number, column: flaw.column, reason: flaw.reason.clone() }
    }
}
