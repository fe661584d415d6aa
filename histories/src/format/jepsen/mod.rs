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
use super::scan::{Scan, Stopped};
use super::{Error, Format, Reading};

mod bare;
mod growing;
mod log;
mod meaning;
mod pairing;
mod record;
#[cfg(test)]
mod tests;
mod usual;

use pairing::Pairing;
use record::{Reader, Record};

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
        read_all(File { scan, reader: Reader::default(), layout: Layout::Lines }, "jepsen log")
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
    let mut file = File { scan: Scan::new(input, syntax), reader: Reader::default(), layout: Layout::Maps };
    file.begin()?;
    read_all(
        file,
        match syntax {
            Syntax::Edn => "jepsen EDN",
            Syntax::Json => "jepsen JSON",
        },
    )
}

fn read_all(mut file: File<impl Read>, format: &'static str) -> Result<Reading, Error> {
    let mut pairing = Pairing::default();
    let mut cut_off = None;
    loop {
        match file.next() {
            Ok(Some(record)) => {
                let line = || file.scan.line_before();
                pairing.take(record, &mut file.reader, &line).map_err(|flaw| file.scan.error(flaw))?;
            }
            Ok(None) => break,
            Err(Stopped::AtEnd(_)) if pairing.has_events() => {
                cut_off = Some(file.scan.line());
                break;
            }
            Err(stopped) => return Err(stopped.into_error()),
        }
    }
    if file.scan.is_cut_off() {
        cut_off = Some(file.scan.line());
    }
    let (history, mut warnings) = pairing.finish().map_err(|flaw| file.scan.error(flaw))?;
    warnings.extend(cut_off.map(|line| format!("the file is cut off in line {line}; judged up to there")));
    Ok(Reading { format, history, warnings })
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
}

impl<R: Read> File<R> {
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

    fn next(&mut self) -> Result<Option<Record>, Stopped> {
        let (reader, layout) = (&mut self.reader, self.layout);
        let record = self.scan.take(|cursor| {
            if layout == Layout::Lines {
                return log::record(reader, cursor);
            }
            between(cursor, layout)?;
            match reader.record(cursor)? {
                Some(record) => Ok(Some(record)),
                None => end(cursor, layout).map(|()| None),
            }
        })?;
        if let Layout::Framed { first, .. } = &mut self.layout {
            *first = false;
        }
        Ok(record)
    }
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
