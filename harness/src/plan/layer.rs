//! Layers of settings: where each value came from, and which one wins.

use std::collections::BTreeMap;
use std::fmt;

use toml::Value;

use super::setting::{self, SETTINGS};
use super::{Faults, Plan};
use crate::exit::Stop;
use crate::swarm;
use crate::target::TargetSpec;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything else.
    BuiltIn,
    /// A line of a plan file, as `rashomon.toml:11`.
    Line(String),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Line(place) => f.write_str(place),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Settings from one place, by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layer {
    pub(crate) values: BTreeMap<String, (Value, Origin)>,
    pub(crate) faults: Vec<(toml::Table, String)>,
    pub(crate) calls: Vec<(toml::Table, String)>,
}

impl Layer {
    pub(crate) fn set(&mut self, path: impl Into<String>, value: impl Into<Value>, origin: Origin) {
        self.values.insert(path.into(), (value.into(), origin));
    }
}

/// A plan, and the origin of each of its values.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    pub(crate) plan: Plan,
    pub(crate) origins: BTreeMap<String, Origin>,
}

/// Merges `layers`, the later over the earlier, onto `base`.
pub(crate) fn merge(base: Plan, layers: &[Layer]) -> Result<Merged, Stop> {
    let mut merged = Merged { plan: base, origins: BTreeMap::new() };
    for layer in layers {
        // In the order of the list, so that `target` comes before `target.nodes`.
        for setting in SETTINGS {
            if let Some((value, origin)) = layer.values.get(setting.path) {
                (setting.set)(&mut merged.plan, value).map_err(|reason| {
                    refuse(setting.path, origin, &format!("{reason} ({})", setting.about))
                })?;
                merged.origins.insert(setting.path.into(), origin.clone());
                if setting.path == "target" {
                    merged.note_target_parts(value, origin);
                }
            }
        }
        for (path, (value, origin)) in &layer.values {
            if let Some(name) = path.strip_prefix("expect.") {
                let expectation = setting::guarantee(name)
                    .and_then(|name| Ok((name, setting::expectation(value)?)))
                    .map_err(|reason| refuse(path, origin, &reason))?;
                merged.plan.expect.insert(expectation.0, expectation.1);
                merged.origins.insert(path.clone(), origin.clone());
            }
        }
        if !layer.faults.is_empty() {
            merged.plan.faults = Faults::Listed(layer.faults.clone());
            merged.origins.remove("faults");
        }
        if !layer.calls.is_empty() {
            merged.plan.calls.clone_from(&layer.calls);
        }
    }
    Ok(merged)
}

fn refuse(path: &str, origin: &Origin, reason: &str) -> Stop {
    match origin {
        Origin::Line(place) => Stop::data(format!("{place}: {path}: {reason}")),
        Origin::BuiltIn => Stop::data(format!("{path}: {reason}")),
        Origin::Environment(name) => Stop::usage(format!("environment variable {name}: {reason}")),
        Origin::Flag(name) => Stop::usage(format!("{name}: {reason}")),
    }
}

impl Merged {
    /// The plan as TOML, each value with its origin.
    pub(crate) fn show(&self) -> String {
        let mut lines = vec![("version = 1".to_string(), String::new())];
        let mut section = "";
        for setting in SETTINGS {
            let Some(value) = (setting.show)(&self.plan) else { continue };
            let value = if setting.path == "target" { self.target_in_full(value) } else { value };
            // A table in TOML ends the settings that belong to no table: those go first.
            let (table, name) = setting.path.split_once('.').unwrap_or(("", setting.path));
            let line = match swarm::draws(self, setting.path) {
                // Said here, it would not be drawn any more.
                true => (format!("# {name}"), "drawn from the seed, by the swarm".to_string()),
                false => (format!("{name} = {value}"), self.origin(setting.path)),
            };
            if table.is_empty() {
                let end = lines.iter().position(|(line, _)| line.is_empty()).unwrap_or(lines.len());
                lines.insert(end, line);
                continue;
            }
            if table != section {
                section = table;
                lines.extend([(String::new(), String::new()), (format!("[{table}]"), String::new())]);
            }
            lines.push(line);
        }
        if let Faults::Listed(faults) = &self.plan.faults {
            show_tables("[[fault]]", faults, &mut lines);
        }
        show_tables("[[call]]", &self.plan.calls, &mut lines);
        self.show_expectations(&mut lines);
        let width =
            lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width < 60).max().unwrap_or(0);
        let print = |(line, origin): &(String, String)| match origin.as_str() {
            "" => format!("{line}\n"),
            origin => format!("{line:<width$}  # {origin}\n"),
        };
        lines.iter().map(print).collect()
    }

    /// A target may say its nodes, topology and delivery with it.
    fn note_target_parts(&mut self, value: &Value, origin: &Origin) {
        let text = value.as_str().unwrap_or_default();
        for part in ["nodes", "topology", "delivery"] {
            let path = format!("target.{part}");
            if text.contains(&format!(",{part}=")) {
                self.origins.insert(path, origin.clone());
            } else {
                self.origins.remove(&path);
            }
        }
    }

    /// For a swarm, with what the plan says of it although it is built in.
    fn target_in_full(&self, value: Value) -> Value {
        let (Faults::Swarm(_), TargetSpec::Reference(spec), Some(text)) =
            (&self.plan.faults, &self.plan.target, value.as_str())
        else {
            return value;
        };
        let mut text = text.to_string();
        let parts = [
            ("nodes", spec.nodes.to_string()),
            ("topology", spec.topology.to_string()),
            ("delivery", spec.delivery.to_string()),
        ];
        for (part, said) in parts {
            let is_said = self.origins.contains_key(&format!("target.{part}"));
            if is_said && !text.contains(&format!(",{part}=")) {
                text += &format!(",{part}={said}");
            }
        }
        text.into()
    }

    fn origin(&self, path: &str) -> String {
        let parts = self.origins.iter().filter(|(known, _)| {
            known.as_str() == path || (path == "target" && known.starts_with("target."))
        });
        let mut origins: Vec<String> = parts.map(|(_, origin)| origin.to_string()).collect();
        origins.dedup();
        if origins.is_empty() { Origin::BuiltIn.to_string() } else { origins.join(", ") }
    }

    fn show_expectations(&self, lines: &mut Vec<(String, String)>) {
        if self.plan.expect.is_empty() {
            return;
        }
        lines.extend([(String::new(), String::new()), ("[expect]".into(), String::new())]);
        for (guarantee, expectation) in &self.plan.expect {
            let origin = self.origin(&format!("expect.{guarantee}"));
            lines.push((format!("{guarantee} = \"{}\"", expectation.as_str()), origin));
        }
    }
}

fn show_tables(name: &str, tables: &[(toml::Table, String)], lines: &mut Vec<(String, String)>) {
    for (table, place) in tables {
        lines.push((String::new(), String::new()));
        lines.push((name.into(), place.clone()));
        lines.extend(table.iter().map(|(name, value)| (format!("{name} = {value}"), String::new())));
    }
}
