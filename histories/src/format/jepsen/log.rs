//! Jepsen's log, as it is kept for Porcupine's tests and by those who only have the log: a line an event,
//! between others that are none.
//!
//! ```text
//! INFO  jepsen.util - 0 :invoke :read nil
//! INFO [2026-03-30 15:28:17,427] jepsen worker 2 - jepsen.util 2  :ok :cas [1 4]
//! INFO  jepsen.util - 3 :fail :read :timed-out
//! ```
//!
//! Events have no times: they are in the order of lines.
//!
//! Source: the logs of the linearizability checkers of A. Horn and A. Athalye.

use super::super::cursor::{Cursor, Flaw};
use super::super::datum::Datum;
use super::record::{Body, Kind, Process, Record, function};

const KINDS: [(&str, Kind); 4] =
    [(":invoke", Kind::Invoke), (":ok", Kind::Ok), (":fail", Kind::Fail), (":info", Kind::Info)];

/// True if one of the first lines is an event.
pub(super) fn is_log(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n');
    lines.map(words).any(|words| event_at(&words).is_some())
}

/// Reads a line; a record without a kind if it is no event, none at the end of the file.
pub(super) fn record(cursor: &mut Cursor<'_>) -> Result<Option<Record>, Flaw> {
    if cursor.is_at_end() {
        return Ok(None);
    }
    let begin = cursor.at();
    cursor.skip_line();
    let line = cursor.since(begin);
    let end = cursor.at();
    let words = words(line);
    let mut record = Record { at: begin, ..Record::default() };
    if let Some((kind, place, process)) = event_at(&words) {
        record.kind = Some(kind);
        record.process = Process::Client(process);
        record.function = function(words.get(place + 1).map_or("", |word| word.1).trim_start_matches(':'));
        if let Some((at, _)) = words.get(place + 2) {
            record.body_at = begin + at;
            cursor.go_back(record.body_at);
            record.body = Body::Other(Datum::read(cursor)?);
            if let Body::Other(Datum::Value(error)) = &record.body
                && matches!(kind, Kind::Fail | Kind::Info)
            {
                record.error = error.as_text().and_then(|text| text.strip_prefix(':')).map(Box::from);
            }
        }
    }
    cursor.go_back(end);
    cursor.eat(b'\n');
    Ok(Some(record))
}

/// The words of a line with where they begin.
fn words(line: &[u8]) -> Vec<(usize, &str)> {
    let mut at = 0;
    let mut words = Vec::new();
    for word in line.split(u8::is_ascii_whitespace) {
        if let (false, Ok(text)) = (word.is_empty(), std::str::from_utf8(word)) {
            words.push((at, text));
        }
        at += word.len() + 1;
    }
    words
}

/// What kind of event it is, in which word it says so, and the process before that word.
fn event_at(words: &[(usize, &str)]) -> Option<(Kind, usize, i64)> {
    words.windows(2).enumerate().find_map(|(index, pair)| {
        let process = pair[0].1.parse().ok()?;
        let (_, kind) = KINDS.iter().find(|(name, _)| *name == pair[1].1)?;
        Some((*kind, index + 1, process))
    })
}
