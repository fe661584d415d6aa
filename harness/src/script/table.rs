//! `[[call]]` tables: how a plan writes a script, and what it is told if it writes it wrongly.
//!
//! ```text
//! [[call]]
//! at = "1.5s"                              since the load began
//! session = 0
//! node = "A"
//! append = { key = "x", element = 1 }      exactly one of `ACTS`
//! ```

use histories::{Nanos, NodeName};
use serde::Deserialize;
use toml::{Table, Value};

use super::{Act, Ask, Line, Script};
use crate::exit::Stop;
use crate::names;

/// What a call may ask, sorted, each with an example.
const ACTS: &[(&str, &str)] = &[
    ("add", r#"add = { key = "x", element = 1 }"#),
    ("append", r#"append = { key = "x", element = 1 }"#),
    (
        "compare-and-set",
        r#"compare-and-set = { key = "x", expected = { values = [1], versions = ["A:1"] }, value = 2 }"#,
    ),
    ("delete", r#"delete = "x""#),
    ("dequeue", r#"dequeue = "x""#),
    ("enqueue", r#"enqueue = { key = "x", element = 1 }"#),
    ("extend", r#"extend = { key = "x", element = 1 }"#),
    ("increment", r#"increment = { key = "x", by = 1 }"#),
    ("pop", r#"pop = "x""#),
    ("push", r#"push = { key = "x", element = 1 }"#),
    ("read", r#"read = "x""#),
    ("remove", r#"remove = { key = "x", element = 1 }"#),
    ("replace", r#"replace = { key = "x", value = 2 }"#),
    ("txn", r#"txn = [{ read = "x" }, { write = { key = "y", value = 1 } }]"#),
    ("write", r#"write = { key = "x", value = 1 }"#),
];

/// What every call says besides.
const PLACE: [(&str, &str); 3] =
    [("at", r#"at = "1.5s""#), ("node", r#"node = "A""#), ("session", "session = 0")];

/// Reads the tables of a plan, each with its place, for a target with these nodes and a load that long.
/// Gives nothing if there are none.
pub(crate) fn script(
    tables: &[(Table, String)],
    nodes: &[NodeName],
    load: Nanos,
) -> Result<Option<Script>, Stop> {
    let mut calls = Vec::new();
    for (table, place) in tables {
        let line = line(table, nodes, load);
        calls.push(line.map_err(|reason| Stop::data(format!("{place}: call: {reason}")))?);
    }
    // Whatever the order of the tables, the earlier is asked earlier.
    calls.sort_by_key(|line| line.at);
    Ok((!calls.is_empty()).then_some(Script { calls }))
}

fn line(table: &Table, nodes: &[NodeName], load: Nanos) -> Result<Line, String> {
    let known = || PLACE.iter().chain(ACTS).map(|(name, _)| *name);
    if let Some(name) = table.keys().find(|name| !known().any(|known| known == *name)) {
        return Err(names::unknown("part of a call", name, known()));
    }
    let at = at(table)?;
    if at >= load {
        return Err(format!("it is asked at {at}, and the load ends at {load}; make load.duration longer"));
    }
    let session = part(table, "session")?.as_integer().and_then(|number| u32::try_from(number).ok());
    let session = session.ok_or_else(|| wrong("session", "expected a whole number from 0"))?;
    let node = part(table, "node")?.as_str().ok_or_else(|| wrong("node", "expected a name in quotes"))?;
    let node = nodes.iter().find(|known| known.as_str() == node);
    let unknown = || {
        names::unknown("node", table["node"].as_str().unwrap_or_default(), nodes.iter().map(NodeName::as_str))
    };
    Ok(Line { at, session, node: node.ok_or_else(unknown)?.clone(), ask: ask(table)? })
}

fn at(table: &Table) -> Result<Nanos, String> {
    let text = part(table, "at")?.as_str().ok_or_else(|| wrong("at", "expected a time in quotes"))?;
    nemesis::duration::parse(text).map_err(|error| format!("at: {error}"))
}

fn ask(table: &Table) -> Result<Ask, String> {
    let mut asked = ACTS.iter().filter(|(name, _)| table.contains_key(*name));
    let Some((name, _)) = asked.next() else {
        let all: Vec<&str> = ACTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("it asks nothing; add one of {}", all.join(", ")));
    };
    if let Some((second, _)) = asked.next() {
        return Err(format!("{name} and {second} stand in one call; write two [[call]] tables, or a txn"));
    }
    if *name != "txn" {
        return act(name, &table[*name]).map(Ask::Single);
    }
    let parts = table["txn"].as_array().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| wrong("txn", "expected a list with something in it"))?;
    parts.iter().map(part_of_transaction).collect::<Result<_, _>>().map(|txn| Ask::Transaction { txn })
}

fn part_of_transaction(part: &Value) -> Result<Act, String> {
    match part.as_table().map(|table| table.iter().collect::<Vec<_>>()).as_deref() {
        Some([(name, value)]) if ACTS.iter().any(|(known, _)| known == name && *known != "txn") => {
            act(name, value)
        }
        _ => Err(wrong("txn", &format!("{part} is no operation"))),
    }
}

fn act(name: &str, value: &Value) -> Result<Act, String> {
    let tagged = Table::from_iter([(name.to_string(), value.clone())]);
    Act::deserialize(tagged).map_err(|error| wrong(name, error.message()))
}

fn part<'t>(table: &'t Table, name: &str) -> Result<&'t Value, String> {
    table.get(name).ok_or_else(|| format!("{name} is missing; write for example {}", example(name)))
}

fn wrong(name: &str, reason: &str) -> String {
    format!("{name}: {reason}; write for example {}", example(name))
}

fn example(name: &str) -> &'static str {
    let found = PLACE.iter().chain(ACTS).find(|(known, _)| *known == name);
    found.map_or("", |(_, example)| example)
}

/// The script as tables of a plan.
pub(crate) fn show(script: &Script) -> Result<String, toml::ser::Error> {
    let mut text = String::new();
    for line in &script.calls {
        let table = Table::try_from(line)?;
        text += "\n[[call]]\n";
        for (name, _) in [&PLACE[0], &PLACE[2], &PLACE[1]].into_iter().chain(ACTS) {
            if let Some(value) = table.get(*name) {
                text += &format!("{name} = {}\n", inline(value));
            }
        }
    }
    Ok(text)
}

/// A value on one line, with the key of a table first.
fn inline(value: &Value) -> String {
    let of = |name: &str, value: &Value| format!("{name} = {}", inline(value));
    match value {
        Value::Table(table) => {
            let key = table.get("key").map(|value| of("key", value));
            let others = table.iter().filter(|(name, _)| *name != "key").map(|(name, value)| of(name, value));
            format!("{{ {} }}", key.into_iter().chain(others).collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
