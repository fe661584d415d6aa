//! The pages of `docs/explain`: every anomaly and every guarantee is on one, with a tiny history of which the
//! checkers say what the page says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use checkers::anomaly::{ANOMALIES, anomaly};
use checkers::lattice::{self, GUARANTEES};
use checkers::{Budget, CHECKERS, Facts, checker};
use histories::text;

struct Page {
    names: Vec<String>,
    text: String,
}

fn pages() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/explain");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<Page> = paths
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "README"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let title = text.lines().next().unwrap().strip_prefix("# ").unwrap();
            let names: Vec<String> = title.split(", ").map(String::from).collect();
            assert_eq!(path.file_stem().unwrap().to_str(), Some(names[0].as_str()));
            Page { names, text }
        })
        .collect();
    pages.sort_by(|a, b| a.names.cmp(&b.names));
    pages
}

impl Page {
    /// The tiny history of a name: that under its heading, or the only one.
    fn history(&self, name: &str) -> &str {
        let heading = format!("\n## {name}\n");
        let section = match self.names.len() {
            1 => self.text.as_str(),
            _ => self.text.split_once(&heading).unwrap_or_else(|| panic!("{name} has no heading")).1,
        };
        let block = section.split_once("```history\n").unwrap().1;
        block.split_once("```").unwrap().0
    }
}

fn known() -> BTreeSet<&'static str> {
    let anomalies = ANOMALIES.iter().map(|entry| entry.name);
    let checked = CHECKERS.iter().map(|checker| checker.guarantee());
    anomalies.chain(checked).chain(GUARANTEES.iter().map(|entry| entry.name)).collect()
}

#[test]
fn every_name_is_on_one_page_and_every_page_has_known_names() {
    let pages = pages();
    let mut named: Vec<&str> = pages.iter().flat_map(|page| &page.names).map(String::as_str).collect();
    named.sort_unstable();
    let known: Vec<&str> = known().into_iter().collect();
    assert_eq!(named, known);
}

#[test]
fn checkers_say_of_the_tiny_histories_what_the_pages_say() {
    let mut wrong = Vec::new();
    for page in pages() {
        for name in &page.names {
            wrong.extend(complaint(name, page.history(name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn complaint(name: &str, tiny: &str) -> Option<String> {
    let Some((guarantee, stated)) =
        tiny.lines().next().and_then(|line| line.strip_prefix("# ")?.split_once(": "))
    else {
        return Some(format!("{name}: no line `# guarantee: anomaly`"));
    };
    let fits = match anomaly(name) {
        Some(entry) if entry.is_class() => lattice::is_also(stated, name),
        Some(_) => stated == name,
        None if checker(name).is_some() => guarantee == name,
        None => lattice::prohibits(name, stated) || lattice::implies(name, guarantee),
    };
    if !fits {
        return Some(format!("{name}: {guarantee}, {stated} is not about it"));
    }
    let history = match text::parse(tiny) {
        Ok(history) => history,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    let facts = Facts::new(&history);
    let mut found: Vec<&str> = Vec::new();
    if let Some(checker) = checker(guarantee) {
        found.extend(checker.check(&facts, Budget::default()).findings.iter().map(|one| one.anomaly));
    }
    (!found.contains(&stated)).then(|| format!("{name}: {guarantee} reports {found:?}, not {stated}"))
}

#[test]
fn every_page_has_its_parts_and_leads_to_others() {
    let known = known();
    for page in pages() {
        let first = &page.names[0];
        let field = |label: &str| {
            page.text.lines().find_map(|line| line.strip_prefix(&format!("- {label}: ")).map(String::from))
        };
        let labels = match anomaly(first) {
            Some(_) => ["Real life", "Happens with", "Avoided by"],
            None => ["Real life", "Broken by", "Kept by"],
        };
        for label in labels {
            assert!(field(label).is_some(), "{first}: no line `- {label}: …`");
        }
        for next in field("Next").unwrap_or_else(|| panic!("{first}: no line `- Next: …`")).split(", ") {
            assert!(known.contains(next) && next != first, "{first}: {next}");
        }
    }
}
