//! Histories that an independent checker (Elle) judged: the same anomalies, or a difference with a proof.
//!
//! `oracle/README.md` says where they are from, `oracle/expected-differences.toml` where and why ours
//! differ.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use checkers::transactional::{Assume, Order, anomalies};
use checkers::{Budget, Facts, lattice};
use histories::{History, format};
use serde::Deserialize;

type Names = BTreeSet<String>;

/// One verdict of the other checker.
#[derive(Debug, Deserialize)]
struct Theirs {
    file: String,
    model: String,
    assume: Vec<String>,
    valid: serde_json::Value,
    anomalies: Names,
    /// The weakest models that it rules out.
    not: Names,
    timing_dependent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    files: Vec<String>,
    more: Names,
    less: Names,
    why: String,
    proof: String,
}

#[derive(Debug, Deserialize)]
struct Expected {
    difference: Vec<Difference>,
}

impl Theirs {
    fn order(&self) -> Order {
        match self.model.as_str() {
            "strict-serializable" => Order::RealTime,
            "strong-session-serializable" => Order::Sessions,
            _ => Order::Dependencies,
        }
    }

    fn assume(&self) -> Assume {
        let has = |name: &str| self.assume.iter().any(|assumed| assumed == name);
        Assume {
            writes_follow_reads: has("writes-follow-reads-per-key"),
            sequential_keys: has("sequential-keys"),
            linearizable_keys: has("linearizable-keys"),
        }
    }

    /// What was found, without remarks on the search.
    fn found(&self) -> Names {
        let remarks = ["empty-transaction-graph", "duplicate-appends", "cycle-search-timeout"];
        self.anomalies.iter().filter(|name| !remarks.contains(&name.as_str())).cloned().collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

fn table() -> Vec<Theirs> {
    let table = std::fs::read_to_string(root().join("verdicts.jsonl")).unwrap();
    table.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn histories() -> BTreeMap<String, History> {
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let paths = std::fs::read_dir(root().join("histories")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let reading = format::read_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (name(&path), reading.history)
    };
    paths.map(read).collect()
}

/// Every verdict of theirs, with all that ours finds under the same order and assumptions.
static JUDGED: LazyLock<Vec<(Theirs, Vec<&'static str>)>> = LazyLock::new(|| {
    let (histories, mut known) = (histories(), BTreeMap::new());
    let mut find = |theirs: &Theirs| {
        let key = (theirs.file.clone(), theirs.order(), theirs.assume());
        let found = known.entry(key).or_insert_with(|| {
            let facts = Facts::new(&histories[&theirs.file]);
            anomalies(&facts, theirs.order(), theirs.assume(), Budget::default())
        });
        found.iter().copied().collect()
    };
    table().into_iter().map(|theirs| (find(&theirs), theirs)).map(|(found, theirs)| (theirs, found)).collect()
});

/// Ours by their names, as far as the model that was asked for prohibits them. Elle has one name for
/// cyclic versions, whatever they come from, and takes every model for broken by them; and it calls
/// every non-repeatable read internal.
fn ours(theirs: &Theirs, found: &[&str]) -> Names {
    let is_cyclic = |name: &str| name.starts_with("cyclic-versions");
    let counts = |name: &&&str| lattice::prohibits(&theirs.model, name) || is_cyclic(name);
    let named = |name: &&str| match *name {
        name if is_cyclic(name) => "cyclic-versions".into(),
        "non-repeatable-read" => "internal".into(),
        name => name.to_string(),
    };
    found.iter().filter(counts).map(named).collect()
}

#[test]
fn anomalies_are_those_that_elle_names_or_differ_with_a_proof() {
    let text = std::fs::read_to_string(root().join("expected-differences.toml")).unwrap();
    let expected: Expected = toml::from_str(&text).unwrap();
    let mut unmet: BTreeSet<(usize, &str)> = BTreeSet::new();
    for (index, difference) in expected.difference.iter().enumerate() {
        assert!(difference.why.len() > 20 && difference.proof.len() > 8, "{difference:?}");
        unmet.extend(difference.files.iter().map(|file| (index, file.as_str())));
    }
    let (mut surprises, mut compared) = (Vec::new(), 0);
    for (theirs, found) in JUDGED.iter().filter(|(theirs, _)| !theirs.timing_dependent) {
        compared += 1;
        let (ours, found) = (ours(theirs, found), theirs.found());
        if ours == found {
            // Without a finding they say true, or that they do not know.
            assert_eq!(ours.is_empty(), theirs.valid != false, "{theirs:?}");
            continue;
        }
        let more: Names = ours.difference(&found).cloned().collect();
        let less: Names = found.difference(&ours).cloned().collect();
        let known = expected.difference.iter().position(|difference| {
            difference.more == more && difference.less == less && difference.files.contains(&theirs.file)
        });
        match known {
            Some(index) => {
                unmet.remove(&(index, theirs.file.as_str()));
            }
            None => surprises.push(format!(
                "{} {} {:?}: more {more:?}, less {less:?}",
                theirs.file, theirs.model, theirs.assume
            )),
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(unmet.is_empty(), "expected, and not seen: {unmet:?}");
    assert_eq!(compared, 1185);
}

/// What the same anomalies rule out is the same by both lattices.
#[test]
fn the_weakest_models_ruled_out_are_those_that_elle_names() {
    let alias = |name: &str| match name {
        "strong-serializable" => "strict-serializable".to_string(),
        "causal-cerone" => "transactional-causal".into(),
        name => name.to_string(),
    };
    let mut compared = 0;
    for (theirs, found) in JUDGED.iter() {
        let names = ours(theirs, found);
        // Cyclic versions rule out less here, and non-repeatable reads more: the lattice says why.
        let differs = names.contains("cyclic-versions") || found.contains(&"non-repeatable-read");
        if names.is_empty() || names != theirs.found() || differs {
            continue;
        }
        let ours = lattice::boundary(found, &[], &[]).weakest_ruled_out.into_iter().map(String::from);
        let theirs_not = theirs.not.iter().map(|name| alias(name));
        assert_eq!(
            ours.collect::<Names>(),
            theirs_not.collect(),
            "{} {} {found:?}",
            theirs.file,
            theirs.model
        );
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}
