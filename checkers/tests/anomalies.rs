//! The registry of anomalies against what checkers say of the golden histories, and of those that another
//! checker judged: nothing is reported that is not registered, and what is registered is reported.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use checkers::anomaly::ANOMALIES;
use checkers::isolation::levels::LEVELS;
use checkers::{Budget, CHECKERS, Facts};
use histories::compact::TxnTable;
use histories::{History, format, text};

/// An anomaly, and the guarantee whose checker reported it.
type Reported = BTreeSet<(String, String)>;

fn files(under: &str, extension: &str) -> Vec<PathBuf> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn histories() -> Vec<History> {
    let golden = files("../histories/corpus", "txt")
        .into_iter()
        .chain(files("tests/anomalies", "txt"))
        .map(|path| text::parse(&std::fs::read_to_string(&path).unwrap()).unwrap());
    let oracle = files("tests/oracle/histories", "edn")
        .into_iter()
        .map(|path| format::read_file(&path).unwrap().history);
    // Not under `tests/anomalies`, for it is a page.
    let page = include_str!("../../docs/explain/no-order.md");
    let tiny = page.split("```history\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    golden.chain(oracle).chain([text::parse(tiny).unwrap()]).collect()
}

fn report(history: &History, reported: &mut Reported) {
    let facts = Facts::new(history);
    for checker in CHECKERS {
        for finding in checker.check(&facts, Budget::default()).findings {
            reported.insert((finding.anomaly.into(), checker.guarantee().into()));
        }
    }
    // What is read from a table is judged level by level, without the checkers.
    let table = TxnTable::from_history(history);
    for level in LEVELS.iter().filter(|level| !level.is_strict || table.has_times()) {
        for breach in (level.judge)(&table, Budget::default()).breaches {
            reported.insert((breach.anomaly.into(), level.guarantee.into()));
        }
    }
}

#[test]
fn what_is_reported_is_registered_and_what_is_registered_is_reported() {
    let mut reported = Reported::new();
    histories().iter().for_each(|history| report(history, &mut reported));
    let registered: Reported = ANOMALIES
        .iter()
        .flat_map(|entry| entry.reported_by.iter().map(|guarantee| (entry.name.into(), (*guarantee).into())))
        .collect();
    let unregistered: Vec<_> = reported.difference(&registered).collect();
    let unseen: Vec<_> = registered.difference(&reported).collect();
    assert!(unregistered.is_empty(), "reported, but not registered: {unregistered:?}");
    assert!(unseen.is_empty(), "registered, but never reported: {unseen:?}");
}
