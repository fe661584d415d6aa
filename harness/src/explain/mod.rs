//! What a name means: every anomaly and every guarantee, from the pages of `docs/explain`, the registry of
//! anomalies and the lattice of guarantees.
//!
//! ```text
//!   docs/explain/lost-update.md ──► words, tiny history      ┐
//!   checkers::anomaly           ──► aliases, source          ├──► Explained ──► terminal, JSON
//!   checkers::lattice           ──► breaks, allowed in       ┘
//! ```

mod page;
mod pages;
pub(crate) mod render;

use checkers::anomaly::{ANOMALIES, Anomaly, anomaly};
use checkers::lattice::{self, GUARANTEES};
use checkers::{CHECKERS, checker};
use serde::Serialize;

use page::Page;
use pages::PAGES;

/// What there is to say of a name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Explained {
    pub(crate) name: &'static str,
    /// `anomaly` or `guarantee`.
    pub(crate) kind: &'static str,
    /// Other names for it.
    pub(crate) also_called: &'static [&'static str],
    /// In one line.
    pub(crate) about: &'static str,
    pub(crate) paragraphs: Vec<String>,
    /// A history that shows the anomaly or breaks the guarantee, in our text form.
    pub(crate) history: &'static str,
    /// What a checker says of it: the guarantee that is broken, and the anomaly.
    pub(crate) broken: &'static str,
    pub(crate) reported: &'static str,
    /// Label and text, such as `Real life`.
    pub(crate) remarks: Vec<(&'static str, String)>,
    /// Where to go on.
    pub(crate) next: Vec<&'static str>,
}

/// Anomalies, then guarantees, each sorted: name and what it is in one line.
pub(crate) fn anomalies() -> impl Iterator<Item = (&'static str, &'static str)> {
    ANOMALIES.iter().map(|entry| (entry.name, entry.about))
}

/// Every guarantee, sorted: name and what it promises in one line.
pub(crate) fn guarantees() -> Vec<(&'static str, &'static str)> {
    let checked = CHECKERS.iter().map(|checker| (checker.guarantee(), checker.promise()));
    let others = GUARANTEES.iter().filter(|entry| checker(entry.name).is_none());
    let mut all: Vec<_> = checked.chain(others.map(|entry| (entry.name, UNCHECKED))).collect();
    all.sort_unstable();
    all
}

/// Of a guarantee that only the lattice knows.
const UNCHECKED: &str = "no checker of its own: ruled out by what is found for others";

/// Every name and alias that can be explained.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    let anomalies = ANOMALIES.iter().flat_map(|entry| [&[entry.name], entry.aliases].concat());
    let aliases = GUARANTEES.iter().flat_map(|entry| entry.aliases.iter().copied());
    anomalies.chain(guarantees().into_iter().map(|(name, _)| name)).chain(aliases)
}

/// What `name` means: a name or alias in whatever case, with spaces for hyphens if one likes.
pub(crate) fn explain(name: &str) -> Option<Explained> {
    let name = name.trim().replace([' ', '_'], "-");
    if let Some(entry) = anomaly(&name) {
        let mut explained = explained(entry.name, read(entry.name)?);
        explained.kind = "anomaly";
        (explained.also_called, explained.about) = (entry.aliases, entry.about);
        explained.remarks.extend(of_anomaly(entry));
        return Some(explained);
    }
    let is = |other: &str| other.eq_ignore_ascii_case(&name);
    let entry = GUARANTEES.iter().find(|entry| is(entry.name) || entry.aliases.iter().any(|alias| is(alias)));
    let (name, about) = guarantees()
        .into_iter()
        .find(|(name, _)| is(name) || entry.is_some_and(|entry| entry.name == *name))?;
    let mut explained = explained(name, read(name)?);
    (explained.kind, explained.about) = ("guarantee", about);
    explained.also_called = entry.map_or(&[], |entry| entry.aliases);
    explained.remarks.extend(of_guarantee(name));
    Some(explained)
}

fn read(name: &str) -> Option<Page<'static>> {
    let text = PAGES.iter().find(|(_, text)| page::names(text).any(|other| other == name))?.1;
    page::read(text, name)
}

fn explained(name: &'static str, page: Page<'static>) -> Explained {
    let next = page.remarks.iter().find(|(label, _)| *label == "Next");
    let remarks = page.remarks.iter().filter(|(label, _)| *label != "Next");
    Explained {
        name,
        kind: "",
        also_called: &[],
        about: "",
        paragraphs: page.paragraphs,
        history: page.history,
        broken: page.verdict.0,
        reported: page.verdict.1,
        remarks: remarks.map(|(label, text)| (*label, text.replace('`', ""))).collect(),
        next: next.map(|(_, names)| names.split(", ").collect()).unwrap_or_default(),
    }
}

fn of_anomaly(entry: &Anomaly) -> Vec<(&'static str, String)> {
    let mut remarks = Vec::new();
    let ruled_out = lattice::boundary(&[entry.name], &[], &[]);
    match (ruled_out.weakest_ruled_out.as_slice(), entry.reported_by) {
        ([], [one]) => remarks.push(("Breaks", (*one).to_string())),
        ([], _) => {}
        (weakest, _) => {
            remarks.push(("Breaks", format!("{}, and all that is stronger", weakest.join(", "))));
            if !ruled_out.strongest_left.is_empty() {
                let left = ruled_out.strongest_left.join(", ");
                remarks.push(("Allowed in", format!("{left}, and all that is weaker")));
            }
        }
    }
    match entry.reported_by {
        [] => remarks.push(("Reported", "as one of its kinds".into())),
        by => remarks.push(("Reported", format!("by the checkers of {}", by.join(", ")))),
    }
    remarks.push(("Source", entry.source.into()));
    remarks
}

fn of_guarantee(name: &str) -> Vec<(&'static str, String)> {
    let mut remarks = Vec::new();
    let shown: Vec<&str> = ANOMALIES
        .iter()
        .filter(|entry| match checker(name) {
            Some(_) => entry.reported_by.contains(&name),
            None => !entry.is_class() && lattice::prohibits(name, entry.name),
        })
        .map(|entry| entry.name)
        .collect();
    if !shown.is_empty() {
        remarks.push(("Broken if", format!("there is {}", shown.join(", "))));
    }
    let stronger: Vec<&str> =
        GUARANTEES.iter().filter(|entry| entry.implies.contains(&name)).map(|entry| entry.name).collect();
    if let Some(entry) = lattice::guarantee(name) {
        if !entry.implies.is_empty() {
            remarks.push(("Implies", entry.implies.join(", ")));
        }
        if !stronger.is_empty() {
            remarks.push(("Implied by", stronger.join(", ")));
        }
        remarks.push(("Source", entry.source.into()));
    }
    remarks
}

#[cfg(test)]
mod tests;
