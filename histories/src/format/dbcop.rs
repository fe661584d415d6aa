//! DBCop's histories: sessions of transactions of events, in JSON or in bincode (its `history.bincode`).
//!
//! ```text
//! [[{"events":[{"Write":{"variable":4,"version":17}},{"Read":{"variable":5,"version":null}}],"committed":true}]]
//! [[{"events":[["w",4,17],["r",5,null]],"committed":true}]]
//! {"params":{…},"info":"…","start":"…","end":"…","data":[[{"events":
//!     [{"write":true,"variable":4,"value":17,"success":true}],"success":true}]]}
//! ```
//!
//! The bincode has the fields of the last one in the same order: numbers of 64 bits, least byte first, and
//! lengths before texts and lists. An event without success did not happen. There are no times.
//!
//! Source: Biswas and Enea, OOPSLA 2019, and the documentation of their tool.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::binary::{Binary, Order};
use super::bounded::Quoted;
use super::registers::{Gathering, TableReading, not_empty};
use super::{Error, Format};
use crate::compact::TxnStatus;

/// In bincode.
pub(super) const BINCODE: Format = Format {
    name: "dbcop",
    is_like: is_bincode,
    read: |input| read_bincode(input).map(TableReading::into_reading),
    read_table: Some(read_bincode),
};

/// In JSON.
pub(super) const JSON: Format = Format {
    name: "dbcop-json",
    is_like: is_json,
    read: |input| read_json(input).map(TableReading::into_reading),
    read_table: Some(read_json),
};

/// Five numbers, and then a short text whose length stands before it, and a date.
fn is_bincode(head: &[u8]) -> bool {
    let number = |at: usize| {
        let bytes = head.get(at..at + 8)?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    };
    let date = || {
        let info = usize::try_from(number(40)?).ok().filter(|length| *length < head.len())?;
        let start = usize::try_from(number(48 + info)?).ok().filter(|length| (10..64).contains(length))?;
        let begin = 48 + info + 8;
        head.get(begin..begin + start)
    };
    date().is_some_and(|date| date[..4].iter().all(u8::is_ascii_digit) && date[4] == b'-')
}

fn is_json(head: &[u8]) -> bool {
    let has = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    let begin = head.trim_ascii_start();
    begin.first().is_some_and(|byte| matches!(byte, b'[' | b'{'))
        && has(br#""events""#)
        && (has(br#""committed""#) || has(br#""success""#))
        && !begin.starts_with(br#"{"rashomon""#)
}

fn read_bincode(input: &mut dyn Read) -> Result<TableReading, Error> {
    let mut binary = Binary::new(input, Order::Little);
    for what in ["the history's number", "nodes", "variables", "transactions", "events"] {
        binary.number(what)?;
    }
    for what in ["a description", "the time of the begin", "the time of the end"] {
        binary.text(what)?;
    }
    let mut gathering = Gathering::default();
    for session in 0..binary.number("how many sessions there are")? {
        for _ in 0..binary.number("how many transactions there are")? {
            let mut events = Vec::new();
            for _ in 0..binary.number("how many events there are")? {
                binary.bounded(events.len())?;
                events.push(Plain {
                    write: binary.truth("whether it is a write")?,
                    variable: binary.number("a variable")?,
                    value: binary.number("a value")?,
                    success: binary.truth("whether the event succeeded")?,
                });
            }
            let success = binary.truth("whether the transaction succeeded")?;
            take(&mut gathering, session as u32, &events, success)
                .map_err(|reason| binary.here(reason.into()))?;
        }
    }
    if binary.byte()?.is_some() {
        return Err(binary.before("more follows after the last session".into()));
    }
    not_empty(&gathering, "at least one session with one")?;
    Ok(TableReading { format: "dbcop bincode", table: gathering.finish(), warnings: Vec::new() })
}

fn read_json(input: &mut dyn Read) -> Result<TableReading, Error> {
    let File(sessions) = serde_json::from_reader(BufReader::new(Quoted::new(input))).map_err(|error| {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        Error::Line { line: error.line().max(1), column: error.column(), reason: reason.into() }
    })?;
    let mut gathering = Gathering::default();
    for (session, transactions) in sessions.iter().enumerate() {
        for transaction in transactions {
            let events: Vec<Plain> = transaction.events.iter().map(Event::plain).collect();
            take(&mut gathering, session as u32, &events, transaction.committed)
                .map_err(|reason| Error::Line { line: 1, column: 0, reason: reason.into() })?;
        }
    }
    not_empty(&gathering, "at least one session with one")?;
    Ok(TableReading { format: "dbcop JSON", table: gathering.finish(), warnings: Vec::new() })
}

fn take(
    gathering: &mut Gathering,
    session: u32,
    events: &[Plain],
    committed: bool,
) -> Result<(), &'static str> {
    let happened = |event: &&Plain| event.success || !committed;
    if events.iter().any(|event| happened(&event)) {
        gathering.begin(session, if committed { TxnStatus::Committed } else { TxnStatus::Aborted });
        for event in events.iter().filter(happened) {
            gathering.push(event.variable, event.value, event.write)?;
        }
    }
    // A write that did not happen in a transaction that did is one of its own that was rolled back.
    for event in events.iter().filter(|event| !happened(event) && event.write) {
        gathering.begin(session, TxnStatus::Aborted);
        gathering.push(event.variable, event.value, true)?;
    }
    Ok(())
}

struct File(Vec<Vec<Transaction>>);

// serde's own `untagged` would not say where in the file it fails.
impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sessions;

        impl<'de> Visitor<'de> for Sessions {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of sessions, or an object with one in `data`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<File, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(sequence)).map(File)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<File, A::Error> {
                let object: Object = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(File(object.data))
            }
        }

        deserializer.deserialize_any(Sessions)
    }
}

#[derive(Deserialize)]
struct Object {
    #[serde(alias = "sessions")]
    data: Vec<Vec<Transaction>>,
}

#[derive(Deserialize)]
struct Transaction {
    events: Vec<Event>,
    #[serde(alias = "success")]
    committed: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an event such as {\"Write\":{\"variable\":4,\"version\":17}} or [\"w\",4,17]")]
enum Event {
    Plain(Plain),
    Tagged(Tagged),
    Short(String, u64, Option<u64>),
}

#[derive(Deserialize)]
enum Tagged {
    Read { variable: u64, version: Option<u64> },
    Write { variable: u64, version: u64 },
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Plain {
    write: bool,
    variable: u64,
    value: u64,
    success: bool,
}

impl Event {
    fn plain(&self) -> Plain {
        let event = |write, variable, value: Option<u64>| Plain {
            write,
            variable,
            value: value.unwrap_or(0),
            success: true,
        };
        match self {
            Self::Plain(plain) => *plain,
            Self::Tagged(Tagged::Read { variable, version }) => event(false, *variable, *version),
            Self::Tagged(Tagged::Write { variable, version }) => event(true, *variable, Some(*version)),
            Self::Short(what, variable, value) => event(what == "w", *variable, *value),
        }
    }
}
