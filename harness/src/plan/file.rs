//! Plan files: TOML, read so that every complaint names its line.

use std::path::Path;

use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::layer::{Layer, Origin};
use super::setting::{self, SETTINGS};
use crate::exit::Stop;
use crate::names;

/// A plan file: its settings, and those of the profile asked for.
#[derive(Debug)]
pub(crate) struct PlanFile {
    pub(crate) settings: Layer,
    pub(crate) profile: Option<Layer>,
}

/// Reads the plan at `path` with its `[profile.NAME]`.
pub(crate) fn read(path: &Path, profile: Option<&str>) -> Result<PlanFile, Stop> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Stop::data(format!("{name}: {error}; give the path of a plan, or none for the built-in plan"))
    })?;
    parse(&name, &text, profile)
}

/// Reads a plan from its text; `name` is what messages call it.
pub(crate) fn parse(name: &str, text: &str, profile: Option<&str>) -> Result<PlanFile, Stop> {
    let source = Source { name, text };
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        source.refuse(at, error.message())
    })?;
    let mut settings = Layer::default();
    let mut profiles: Vec<(String, Layer)> = Vec::new();
    let mut versioned = false;
    for (key, value) in document.get_ref() {
        let at = key.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("version", value) => {
                versioned = true;
                check_version(&source, at, value)?;
            }
            ("profile", DeValue::Table(table)) => {
                for (key, value) in table {
                    let DeValue::Table(table) = value.get_ref() else {
                        return Err(source.refuse(key.span().start, "expected a table such as [profile.ci]"));
                    };
                    let mut layer = Layer::default();
                    source.flatten("", table, &mut layer)?;
                    profiles.push((key.get_ref().to_string(), layer));
                }
            }
            _ => source.entry("", key, value, &mut settings)?,
        }
    }
    if !versioned {
        return Err(source.refuse(0, "the plan does not say its version; add a line  version = 1"));
    }
    let profile = profile.map(|wanted| take_profile(name, wanted, profiles)).transpose()?;
    Ok(PlanFile { settings, profile })
}

fn check_version(source: &Source<'_>, at: usize, value: &DeValue<'_>) -> Result<(), Stop> {
    match value.as_integer().map(|integer| integer.as_str()) {
        Some("1") => Ok(()),
        Some(other) => Err(source.refuse(at, &format!("plan version {other}; this program reads version 1"))),
        None => Err(source.refuse(at, "expected version = 1")),
    }
}

fn take_profile(name: &str, wanted: &str, profiles: Vec<(String, Layer)>) -> Result<Layer, Stop> {
    let known: Vec<String> = profiles.iter().map(|(name, _)| name.clone()).collect();
    match profiles.into_iter().find(|(name, _)| name == wanted) {
        Some((_, layer)) => Ok(layer),
        None if known.is_empty() => Err(Stop::usage(format!("--profile {wanted}: {name} has no profiles"))),
        None => {
            let reason = names::unknown("profile", wanted, known.iter().map(String::as_str));
            Err(Stop::usage(format!("--profile: {reason} in {name}")))
        }
    }
}

/// A file's name and text, to turn places into lines.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

type Entry<'a, 'i> = (&'a toml::Spanned<toml::de::DeString<'i>>, &'a toml::Spanned<DeValue<'i>>);

impl Source<'_> {
    fn place(&self, at: usize) -> String {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        format!("{}:{line}", self.name)
    }

    fn refuse(&self, at: usize, reason: &str) -> Stop {
        Stop::data(format!("{}: {reason}", self.place(at)))
    }

    fn flatten(&self, prefix: &str, table: &DeTable<'_>, layer: &mut Layer) -> Result<(), Stop> {
        let mut entries: Vec<Entry<'_, '_>> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().try_for_each(|(key, value)| self.entry(prefix, key, value, layer))
    }

    fn entry(
        &self,
        prefix: &str,
        key: &toml::Spanned<toml::de::DeString<'_>>,
        value: &toml::Spanned<DeValue<'_>>,
        layer: &mut Layer,
    ) -> Result<(), Stop> {
        let (at, name) = (key.span().start, key.get_ref());
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        match value.get_ref() {
            DeValue::Array(faults) if path == "fault" => {
                faults.iter().try_for_each(|fault| self.table("[[fault]]", fault, &mut layer.faults))
            }
            DeValue::Array(calls) if path == "call" => {
                calls.iter().try_for_each(|call| self.table("[[call]]", call, &mut layer.calls))
            }
            DeValue::Table(table) => self.flatten(&path, table, layer),
            _ if path.starts_with("expect.") || setting::find(&path).is_some() => {
                layer.set(path, self.value(value)?, Origin::Line(self.place(at)));
                Ok(())
            }
            _ if path.starts_with("report.") => Err(self.refuse(
                at,
                &format!("{path}: every run writes verdict.txt and verdict.json into its folder, and there is no other form of report; take this line out"),
            )),
            _ => {
                let known = SETTINGS.iter().map(|setting| setting.path);
                let known = known.chain(["call", "expect.GUARANTEE", "fault", "profile.NAME", "version"]);
                Err(self.refuse(at, &names::unknown("setting", &path, known)))
            }
        }
    }

    fn table(
        &self,
        name: &str,
        table: &toml::Spanned<DeValue<'_>>,
        tables: &mut Vec<(toml::Table, String)>,
    ) -> Result<(), Stop> {
        let place = self.place(table.span().start);
        match self.value(table)? {
            Value::Table(table) => {
                tables.push((table, place));
                Ok(())
            }
            other => Err(Stop::data(format!("{place}: expected a table such as {name}, found {other}"))),
        }
    }

    fn value(&self, value: &toml::Spanned<DeValue<'_>>) -> Result<Value, Stop> {
        Value::deserialize(ValueDeserializer::from(value.clone()))
            .map_err(|error| self.refuse(value.span().start, error.message()))
    }
}
