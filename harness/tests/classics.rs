//! The classics as `docs/CLASSICS.md` tells them: each is played in the simulated world, in every mode of
//! the table, with some seeds, and has to break what its row says and nothing else.
//!
//! `CLASSIC_SEEDS=20 cargo test -p harness --test classics --release` plays more seeds than the usual two.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const MODES: [&str; 5] = ["lww", "siblings", "crdt", "single-leader", "control"];

/// What a cell of the table says of one mode.
#[derive(Debug, Default)]
struct Cell {
    /// Broken with nearly every seed.
    broken: BTreeSet<String>,
    /// Broken now and then.
    sometimes: BTreeSet<String>,
}

/// A row: for each mode its cell, if the classic is played in it.
type Row = BTreeMap<&'static str, Cell>;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CLASSICS.md");
    std::fs::read_to_string(path).unwrap()
}

/// The table "classic × mode", by classic. `no-lost-updates, (monotonic-reads)`, `held`, or nothing.
fn table() -> BTreeMap<String, Row> {
    let document = document();
    let lines = document.lines().skip_while(|line| !line.starts_with("| classic | lww"));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap().trim_matches('`').to_string();
        let row = MODES.into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        (name, row.map(|(mode, cell)| (mode, read_cell(cell))).collect())
    })
    .collect()
}

fn read_cell(text: &str) -> Cell {
    let mut cell = Cell::default();
    for word in text.split(", ").filter(|word| *word != "held") {
        match word.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
            Some(word) => cell.sometimes.insert(word.to_string()),
            None => cell.broken.insert(word.to_string()),
        };
    }
    cell
}

/// What a simulated run finds broken.
fn broken(classic: &str, mode: &str, seed: u64) -> BTreeSet<String> {
    let target = if mode == "control" { mode.to_string() } else { format!("reference:{mode}") };
    let folder = tempfile::tempdir().unwrap();
    let mut rashomon = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    rashomon.args(["run", &format!("classic:{classic}"), "--world", "sim", "--target", &target]);
    rashomon.args(["--seed", &seed.to_string(), "--progress", "line"]).current_dir(&folder);
    let output = rashomon.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("did not bite"), "{classic} in {mode}, seed {seed}: a fault did not bite\n{told}");
    let line = told.lines().find_map(|line| line.split_once("] check   "));
    let (_, line) = line.unwrap_or_else(|| panic!("{classic} in {mode}, seed {seed}: no verdict\n{told}"));
    let broken = line.split(' ').filter_map(|part| part.split_once("=broken"));
    broken.map(|(guarantee, _)| guarantee.to_string()).collect()
}

fn check(classic: &str) {
    let seeds: u64 = std::env::var("CLASSIC_SEEDS").map_or(2, |count| count.parse().unwrap());
    let row = table().remove(classic).unwrap_or_else(|| panic!("{classic} has no row in docs/CLASSICS.md"));
    for (mode, cell) in row {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for seed in 1..=seeds {
            let found = broken(classic, mode, seed);
            let known = |guarantee| cell.broken.contains(guarantee) || cell.sometimes.contains(guarantee);
            let surprise: Vec<&String> = found.iter().filter(|guarantee| !known(*guarantee)).collect();
            assert!(surprise.is_empty(), "{classic} in {mode}, seed {seed}: {surprise:?} broke");
            found.into_iter().for_each(|guarantee| *counts.entry(guarantee).or_default() += 1);
        }
        for guarantee in &cell.broken {
            let count = counts.get(guarantee).copied().unwrap_or_default();
            assert!(
                10 * count >= 9 * seeds,
                "{classic} in {mode}: {guarantee} broke {count} of {seeds} times"
            );
        }
    }
}

macro_rules! classics {
    ($($name:ident = $classic:literal),* $(,)?) => {
        const NAMES: &[&str] = &[$($classic),*];
        $(#[test]
        fn $name() {
            check($classic);
        })*
    };
}

classics! {
    an_answer_overtakes_its_question = "answer-before-question",
    lost_answers_accuse_nobody = "answers-lost",
    both_sides_of_a_split_write = "both-sides-write",
    a_clock_ahead_wins = "clock-ahead",
    a_disk_lies_and_the_power_goes = "disk-that-lies",
    a_node_is_killed_in_its_catch_up = "killed-in-catch-up",
    a_confirmed_write_goes_with_its_node = "lost-with-its-node",
    clients_roam_in_a_split = "roaming-in-a-split",
    a_read_is_stale_after_a_pause = "stale-after-pause",
    a_cut_outlasts_the_tombstones = "tombstones-too-short",
}

#[test]
fn every_classic_has_a_row_and_every_row_is_a_classic() {
    let rows: Vec<String> = table().into_keys().collect();
    assert_eq!(rows, NAMES);
    let output = Command::new(env!("CARGO_BIN_EXE_rashomon")).args(["run", "classic:"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&NAMES.join(", ")), "{told}");
}

#[test]
fn a_slip_of_the_finger_gets_the_nearest_classic() {
    let mut rashomon = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    let output = rashomon.args(["run", "classic:both-side-writes"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no classic \"both-side-writes\"; did you mean both-sides-write?"), "{told}");
    assert_eq!(output.status.code(), Some(64));
}
