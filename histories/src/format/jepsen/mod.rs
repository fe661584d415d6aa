//! Histories of Jepsen, and of whoever writes them as Jepsen does: a map an event, in EDN or in JSON, one
//! after the other or all in one vector.
//!
//! ```text
//! {:index 0, :time 1200000, :type :invoke, :process 3, :f :txn, :value [[:append 8 1] [:r 8 nil]]}
//! {:index 1, :time 1900000, :type :ok,     :process 3, :f :txn, :value [[:append 8 1] [:r 8 [1]]]}
//!
//! {"index":0,"time":1200000,"type":"invoke","process":3,"f":"txn","value":[["append",8,1],["r",8,null]]}
//! ```
//!
//! A process is our session, `:ok`, `:fail` and `:info` are our confirmed, failed and unknown. Jepsen orders
//! events by their place in the file, and so do we: where times are equal or go back, an event is moved to
//! the first nanosecond after the one before it.
//!
//! Source: the documentation of jepsen.history; of elle-cli for JSON.

use std::io::Read;

use super::cursor::{Cursor, Flaw, Syntax};
use super::scan::{Place, Scan, Stopped};
use super::{Error, Format, Reading};
use crate::threads;

mod bank;
mod bare;
mod batch;
mod growing;
mod log;
mod meaning;
mod pairing;
mod record;
mod said;
#[cfg(test)]
mod tests;
mod usual;

use batch::Batch;
use pairing::Pairing;
use record::Reader;

/// As Jepsen writes it.
pub(super) const EDN: Format =
    Format { name: "jepsen-edn", is_like: is_edn, read: |input| read(input, Syntax::Edn), read_table: None };

/// As elle-cli reads it.
pub(super) const JSON: Format = Format {
    name: "jepsen-json",
    is_like: is_json,
    read: |input| read(input, Syntax::Json),
    read_table: None,
};

/// As Jepsen logs it.
pub(super) const LOG: Format = Format {
    name: "jepsen-log",
    is_like: log::is_log,
    read: |input| {
        let scan = Scan::new(input, Syntax::Edn);
        read_all(File::new(scan, Layout::Lines), "jepsen log")
    },
    read_table: None,
};

/// Begins with a map whose first key is a keyword, or with brackets and tags around it.
fn is_edn(head: &[u8]) -> bool {
    let mut cursor = Cursor::new(head, Syntax::Edn);
    let map = |cursor: &mut Cursor<'_>| {
        cursor.skip_space()?;
        cursor.tag()?;
        if matches!(cursor.peek(), b'[' | b'(') {
            let bracket = cursor.peek();
            cursor.open(bracket)?;
            cursor.tag()?;
        }
        cursor.open(b'{')?;
        Ok::<bool, Flaw>(cursor.peek() == b':')
    };
    map(&mut cursor).unwrap_or(false)
}

/// Begins with an object that has a `type` and a `value` or `f`.
fn is_json(head: &[u8]) -> bool {
    let begin = head.trim_ascii_start();
    let object = begin.strip_prefix(b"[").map_or(begin, <[u8]>::trim_ascii_start);
    let object = object.split(|byte| *byte == b'}').next().unwrap_or(object);
    let has = |name: &[u8]| object.windows(name.len()).any(|window| window == name);
    object.starts_with(b"{") && has(br#""type""#) && (has(br#""f""#) || has(br#""value""#))
}

/// Reads a history of maps.
fn read(input: impl Read, syntax: Syntax) -> Result<Reading, Error> {
    let mut file = File::new(Scan::new(input, syntax), Layout::Maps);
    file.begin()?;
    read_all(
        file,
        match syntax {
            Syntax::Edn => "jepsen EDN",
            Syntax::Json => "jepsen JSON",
        },
    )
}

fn read_all<R: Read>(mut file: File<R>, format: &'static str) -> Result<Reading, Error> {
    // What was paired stands before whatever could not be read.
    let pairing =
        threads::pass_on(|| file.batch(), pair).map_err(|source| Error::Io { line: 0, source })??;
    let mut is_cut_off = file.scan.is_cut_off();
    match file.stopped {
        Some(Stopped::AtEnd(_)) if pairing.has_events() => is_cut_off = true,
        Some(stopped) => return Err(stopped.into_error()),
        None => {}
    }
    let (history, mut warnings) = pairing.finish().map_err(|flaw| file.last.error(flaw.reason))?;
    if is_cut_off {
        let line = file.scan.line();
        warnings.push(format!("the file is cut off in line {line}; judged up to there"));
    }
    Ok(Reading { format, history, warnings })
}

fn pair(batches: &mut dyn Iterator<Item = Batch>) -> Result<Pairing, Error> {
    let mut pairing = Pairing::default();
    for batch in batches {
        pairing.take_all(batch)?;
    }
    Ok(pairing)
}

/// How records are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One map after the other.
    Maps,
    /// All maps in one vector, `[…]`, or list, `(…)`.
    Framed { close: u8, first: bool },
    /// Lines of a log.
    Lines,
}

struct File<R> {
    scan: Scan<R>,
    reader: Reader,
    layout: Layout,
    /// Where the last record begins, and why nothing more can be read if that is not because all was.
    last: Place,
    stopped: Option<Stopped>,
}

impl<R: Read> File<R> {
    fn new(scan: Scan<R>, layout: Layout) -> Self {
        let last = scan.place_of_last();
        Self { scan, reader: Reader::default(), layout, last, stopped: None }
    }

    fn begin(&mut self) -> Result<(), Error> {
        let layout = self.scan.take(|cursor| {
            cursor.skip_space()?;
            cursor.tag()?;
            let layout = match cursor.peek() {
                b'[' => Layout::Framed { close: b']', first: true },
                b'(' => Layout::Framed { close: b')', first: true },
                _ => return Ok(Layout::Maps),
            };
            let bracket = cursor.peek();
            cursor.eat(bracket);
            Ok(layout)
        });
        self.layout = layout.map_err(Stopped::into_error)?;
        Ok(())
    }

    /// The next records, and whether they are the last.
    fn batch(&mut self) -> (Batch, bool) {
        let is_last = loop {
            let stopped = match self.next() {
                Ok(Next::Record) => {
                    self.reader.keep(self.scan.last());
                    continue;
                }
                Ok(Next::Later) if self.reader.is_empty() => match self.scan.read_on() {
                    Ok(()) => continue,
                    Err(stopped) => Some(stopped),
                },
                Ok(Next::Later) => break false,
                Ok(Next::End) => None,
                Err(stopped) => Some(stopped),
            };
            (self.last, self.stopped) = (self.scan.place_of_last(), stopped);
            break true;
        };
        (self.reader.finish_batch(self.scan.give_away()), is_last)
    }

    fn next(&mut self) -> Result<Next, Stopped> {
        let (reader, layout) = (&mut self.reader, self.layout);
        reader.begin();
        let found = self.scan.take_if_there(|cursor| {
            if layout == Layout::Lines {
                return reader.line(cursor);
            }
            between(cursor, layout)?;
            let found = reader.map(cursor)?;
            if found { Ok(true) } else { end(cursor, layout).map(|()| false) }
        })?;
        if let (Layout::Framed { first, .. }, Some(_)) = (&mut self.layout, found) {
            *first = false;
        }
        Ok(match found {
            Some(true) => Next::Record,
            Some(false) => Next::End,
            None => Next::Later,
        })
    }
}

/// What comes next in the file.
enum Next {
    /// A record, which the reader has at hand.
    Record,
    End,
    /// Nobody knows before more of the file is read.
    Later,
}

/// In JSON a comma stands between two elements.
fn between(cursor: &mut Cursor<'_>, layout: Layout) -> Result<(), Flaw> {
    cursor.skip_space()?;
    match layout {
        Layout::Framed { close, first: false } => cursor.separator(close),
        Layout::Framed { .. } | Layout::Maps | Layout::Lines => Ok(()),
    }
}

fn end(cursor: &mut Cursor<'_>, layout: Layout) -> Result<(), Flaw> {
    if let Layout::Framed { close, .. } = layout {
        if !cursor.eat(close) {
            return Err(cursor.expected(&format!("`{}`", char::from(close))));
        }
        cursor.skip_space()?;
    }
    if cursor.is_at_end() { Ok(()) } else { Err(cursor.expected("the end of the file")) }
}
