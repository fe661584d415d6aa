//! The header line, in and out.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Error;
use super::jsonl::VERSION;
use super::line::Flaw;
use super::one_or_many::Object;
use crate::{Header, NodeName};

/// What the first field of every history says.
const MARK: &str = "history";

/// The header as it is written.
#[derive(Serialize)]
pub(super) struct LineOut<'a> {
    rashomon: &'static str,
    version: u32,
    #[serde(flatten)]
    header: &'a Header,
}

impl<'a> From<&'a Header> for LineOut<'a> {
    fn from(header: &'a Header) -> Self {
        Self { rashomon: MARK, version: VERSION, header }
    }
}

/// Reads the first line.
pub(super) fn read(line: &str) -> Result<Header, Error> {
    if line.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    let something_else = |column, reason| Error::Header { column, reason };
    let wrong = |column, reason| Error::Line { line: 1, column, reason };
    // A newer version may have fields that this one does not know, so the version is read first.
    let Object(Start { rashomon, version }) = serde_json::from_str(line).map_err(|error| {
        let Flaw { column, reason, .. } = Flaw::new(line, &error);
        something_else(column, reason)
    })?;
    match rashomon {
        Some(mark) if mark == MARK => {}
        Some(mark) => return Err(something_else(0, format!("`rashomon` is {mark:?} instead of {MARK:?}"))),
        None => return Err(something_else(0, "missing field `rashomon`".into())),
    }
    match version {
        Some(0) => return Err(wrong(0, "version 0; versions begin at 1".into())),
        Some(version) if version > u64::from(VERSION) => return Err(Error::Version { version }),
        Some(_) => {}
        None => return Err(wrong(0, "missing field `version`".into())),
    }
    let Object(fields): Object<LineIn> = serde_json::from_str(line).map_err(|error| {
        let Flaw { column, reason, .. } = Flaw::new(line, &error);
        wrong(column, reason)
    })?;
    Ok(fields.header())
}

/// What every version of the header has.
#[derive(Deserialize)]
struct Start {
    rashomon: Option<String>,
    version: Option<u64>,
}

/// The header as it is read. serde cannot refuse unknown fields where it flattens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    #[serde(rename = "rashomon")]
    _mark: de::IgnoredAny,
    #[serde(rename = "version")]
    _version: de::IgnoredAny,
    #[serde(default)]
    name: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    workload: String,
    #[serde(default)]
    seed: String,
    #[serde(default)]
    nodes: Vec<NodeName>,
    #[serde(default, deserialize_with = "notes")]
    notes: BTreeMap<String, String>,
}

impl LineIn {
    fn header(self) -> Header {
        let Self { name, target, workload, seed, nodes, notes, .. } = self;
        Header { name, target, workload, seed, nodes, notes }
    }
}

// serde would let the last of two notes with one name win.
fn notes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Notes;

    impl<'de> Visitor<'de> for Notes {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut notes = BTreeMap::new();
            while let Some((name, note)) = map.next_entry::<String, String>()? {
                if notes.contains_key(&name) {
                    return Err(de::Error::custom(format_args!("duplicate note `{name}`")));
                }
                notes.insert(name, note);
            }
            Ok(notes)
        }
    }

    deserializer.deserialize_map(Notes)
}
