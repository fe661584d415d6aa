//! The inventory of mechanisms: `docs/mechanisms.toml` says what shows each of them, and all of it is run again here or, for
//! the stories, by `reference-db/tests/it/scripts.rs`. `docs/mechanisms.md` is made of it.
//!
//! `UPDATE_EXPECT=1 cargo test --workspace --test mechanisms` writes the page; review it in the diff.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

/// Each plan is run with so many seeds.
const SEEDS: u32 = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inventory {
    not_yet: Vec<String>,
    mechanism: Vec<Mechanism>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mechanism {
    id: String,
    what: String,
    lacks: Option<String>,
    #[serde(default)]
    scenario: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Scenario {
    Story { script: String, shows: String, told: Vec<String> },
    Plan { plan: String, shows: String },
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn inventory() -> Inventory {
    toml::from_str(&read("docs/mechanisms.toml"))
        .unwrap_or_else(|error| panic!("docs/mechanisms.toml: {error}"))
}

fn scenarios(inventory: &Inventory) -> impl Iterator<Item = (&str, &Scenario)> {
    let each = |mechanism: &'_ Mechanism| mechanism.scenario.len();
    assert!(inventory.mechanism.iter().map(each).sum::<usize>() > 0, "nothing is shown");
    inventory
        .mechanism
        .iter()
        .flat_map(|mechanism| mechanism.scenario.iter().map(|scenario| (mechanism.id.as_str(), scenario)))
}

#[test]
fn every_mechanism_is_shown_or_said_to_be_missing() {
    let inventory = inventory();
    let not_yet: BTreeSet<&str> = inventory.not_yet.iter().map(String::as_str).collect();
    let mut known = BTreeSet::new();
    for Mechanism { id, scenario, lacks, .. } in &inventory.mechanism {
        assert!(known.insert(id.as_str()), "{id} is there twice");
        match (scenario.is_empty(), not_yet.contains(id.as_str())) {
            (true, false) => panic!("{id} claims nothing: name what shows it"),
            (false, true) => panic!("{id} is shown: take it out of `not_yet`"),
            (true, true) => assert!(lacks.is_none(), "{id} is not there at all, so it lacks no part"),
            (false, false) => {}
        }
    }
    let unknown: Vec<&&str> = not_yet.difference(&known).collect();
    assert!(unknown.is_empty(), "there are no mechanisms {unknown:?}");
}

#[test]
fn stories_tell_what_they_are_claimed_for() {
    for (id, scenario) in scenarios(&inventory()) {
        let Scenario::Story { script, told, .. } = scenario else { continue };
        let text = read(&format!("reference-db/scripts/{script}.txt"));
        let happened: Vec<&str> = text.split("\n---\n").nth(1).unwrap().lines().map(str::trim).collect();
        assert!(!told.is_empty(), "{id}: {script} is claimed for nothing that it tells");
        let tells = happened.windows(told.len()).any(|lines| lines == told.as_slice());
        assert!(tells, "{id}: {script} does not tell, line by line, {told:?}");
    }
}

#[test]
fn plans_do_what_they_expect() {
    let inventory = inventory();
    let claimed: BTreeSet<&str> = scenarios(&inventory)
        .filter_map(|(_, scenario)| match scenario {
            Scenario::Plan { plan, .. } => Some(plan.as_str()),
            Scenario::Story { .. } => None,
        })
        .collect();
    let files = std::fs::read_dir(root().join("harness/mechanisms")).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(claimed, files.iter().map(String::as_str).collect(), "each plan is claimed, and there");
    let plans: Vec<&str> = claimed.into_iter().collect();
    let play = |plans: &[&str]| plans.iter().for_each(|plan| (1..=SEEDS).for_each(|seed| meets(plan, seed)));
    std::thread::scope(|scope| {
        for half in plans.chunks(plans.len().div_ceil(2)) {
            scope.spawn(move || play(half));
        }
    });
}

/// Runs a plan in the simulated world, which has to do what the plan expects.
fn meets(plan: &str, seed: u32) {
    let desk = tempfile::tempdir().unwrap();
    let path = root().join(format!("harness/mechanisms/{plan}.toml"));
    let mut rashomon = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    rashomon.arg("run").arg(path).args(["--seed", &seed.to_string(), "--progress", "none"]);
    for name in ["RASHOMON_STORE", "RASHOMON_PROGRESS", "RASHOMON_SEED", "RASHOMON_TARGET", "LC_ALL"] {
        rashomon.env_remove(name);
    }
    let output = rashomon.current_dir(desk.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let again = format!("rashomon run harness/mechanisms/{plan}.toml --seed {seed}");
    assert_eq!(output.status.code(), Some(0), "{again}\n{told}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_page_is_what_the_inventory_says() {
    let page = page(&inventory());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(root().join("docs/mechanisms.md"), page).unwrap();
    } else {
        assert!(read("docs/mechanisms.md") == page, "docs/mechanisms.md is old: run with UPDATE_EXPECT=1");
    }
}

fn page(inventory: &Inventory) -> String {
    let shown = inventory.mechanism.iter().filter(|mechanism| !mechanism.scenario.is_empty()).count();
    let mut page = format!(
        "# Mechanisms\n\n\
         What the bundled database can do, what shows it, and what came of it: {shown} of {} are shown.\n\
         Made of `docs/mechanisms.toml` by `harness/tests/mechanisms.rs`; all of it is run again by tests.\n\n\
         A story is a file of `reference-db/scripts/`; what it tells is what a simulated cluster does. A plan is a file of\n\
         `harness/mechanisms/`, and is run in the simulated world with {SEEDS} seeds: `rashomon run harness/mechanisms/NAME.toml`.\n\n\
         | | mechanism | shown by | result |\n|---|---|---|---|\n",
        inventory.mechanism.len()
    );
    for Mechanism { id, what, lacks, scenario } in &inventory.mechanism {
        let lacks = lacks.as_ref().map(|lacks| format!(" (not yet: {lacks})")).unwrap_or_default();
        let mut lead = format!("| {id} | {what}{lacks} ");
        if scenario.is_empty() {
            writeln!(page, "{lead}| | not yet |").unwrap();
        }
        for scenario in scenario {
            let (by, result) = told(scenario);
            writeln!(page, "{lead}| {by} | {result} |").unwrap();
            lead = "| | ".to_string();
        }
    }
    page
}

/// What shows it, and what came of it.
fn told(scenario: &Scenario) -> (String, String) {
    let cell = |text: &str| text.replace('|', "\\|");
    match scenario {
        Scenario::Story { script, shows, told } => {
            let last = told.last().map_or("", String::as_str);
            (format!("story `{script}`"), format!("{}: `{}`", cell(shows), cell(last)))
        }
        Scenario::Plan { plan, shows } => {
            let file: toml::Table =
                toml::from_str(&read(&format!("harness/mechanisms/{plan}.toml"))).unwrap();
            let expect = file["expect"].as_table().unwrap().iter();
            let expect = expect.filter(|(_, how)| how.as_str() != Some("watch"));
            let judged: Vec<String> = expect
                .map(|(guarantee, how)| match how.as_str() {
                    Some("break") => format!("`{guarantee}` broken"),
                    _ => format!("`{guarantee}` held"),
                })
                .collect();
            (format!("plan `{plan}`"), format!("{}: {}", cell(shows), judged.join(", ")))
        }
    }
}
