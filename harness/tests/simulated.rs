//! The simulated world as a person sees it: `run --world sim` and `hunt`.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::process::{Command, Output};

use expect_test::{Expect, expect};
use tempfile::TempDir;

fn run(desk: &TempDir, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    command.args(arguments.split_whitespace()).current_dir(desk.path());
    for name in ["RASHOMON_STORE", "RASHOMON_PROGRESS", "RASHOMON_SEED", "RASHOMON_TARGET", "LC_ALL"] {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100").env("LANG", "C.UTF-8").output().unwrap()
}

/// Runs and compares the exit code and what goes to standard error.
fn refuses(arguments: &str, code: i32, expected: Expect) {
    let output = run(&tempfile::tempdir().unwrap(), arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    expected.assert_eq(&text(&output.stderr));
}

fn only_run(desk: &TempDir) -> std::path::PathBuf {
    let mut runs = std::fs::read_dir(desk.path().join(".rashomon/runs")).unwrap();
    runs.next().unwrap().unwrap().path()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_simulated_run_repeats_to_the_byte() {
    let history = |arguments: &str| {
        let desk = tempfile::tempdir().unwrap();
        let output = run(&desk, arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("--world sim") || !arguments.starts_with("demo"));
        std::fs::read(only_run(&desk).join("history.jsonl.zst")).unwrap()
    };
    for arguments in
        ["demo --world sim --seed 5", "run --world sim --seed 5 -d 3s -f kill,pause -e no-lost-updates=watch"]
    {
        assert!(history(arguments) == history(arguments), "{arguments} makes two histories");
    }
}

#[test]
fn only_what_the_simulator_knows_is_simulated() {
    refuses(
        "run --world sim -t http://127.0.0.1:9 -f none",
        64,
        expect![[r#"
        error: http://127.0.0.1:9 cannot be simulated; the simulated world has reference:MODE and control
    "#]],
    );
    refuses(
        "run --world simm",
        64,
        expect![[r#"
        error: --world: no world "simm"; did you mean sim? there are live, sim (live: real processes; sim: virtual time, the same to the byte for one seed)
    "#]],
    );
}

#[test]
fn a_planted_bug_that_could_never_bite_is_refused() {
    refuses(
        "run --world sim -t reference:lww,delivery=fifo,defects=apply-dependent-early",
        64,
        expect![[r#"
            error: target reference:lww,defects=apply-dependent-early,delivery=fifo: defect apply-dependent-early changes nothing here: it needs causal delivery
        "#]],
    );
    refuses(
        "run -t reference:lww,defects=no-tiebreak",
        64,
        expect![[r#"
        error: --target: no defect "no-tiebreak"; did you mean no-tie-break? there are apply-dependent-early, confirm-before-durable, forget-tombstones, no-tie-break, skip-version-check (reference:MODE, control, or the URLs of a store that speaks the reference API)
    "#]],
    );
    refuses(
        "serve single-leader --defects forget-tombstones",
        64,
        expect![[r#"
        error: defect forget-tombstones changes nothing here: it needs a mode with several leaders
    "#]],
    );
}

#[test]
fn a_hunt_finds_a_lost_update_and_the_command_that_shows_it_again() {
    let desk = tempfile::tempdir().unwrap();
    let hunt = run(&desk, "hunt --seeds 10 --seed 1 -d 5s --progress none");
    assert_eq!(hunt.status.code(), Some(1), "{}", text(&hunt.stderr));
    let told = text(&hunt.stdout);
    assert!(told.starts_with("✗ BROKEN  no-lost-updates, lost-update: first in seed "), "{told}");
    let again = told
        .lines()
        .find_map(|line| line.trim().strip_prefix("1").and_then(|rest| rest.split_once("  rashomon ")))
        .unwrap()
        .1;
    assert!(again.starts_with("run --duration 5s --world sim --seed "), "{again}");
    let run = run(&desk, &format!("{again} --progress none"));
    assert_eq!(run.status.code(), Some(1), "{}", text(&run.stderr));
    assert!(text(&run.stdout).starts_with("✗ BROKEN  no-lost-updates"), "{}", text(&run.stdout));
    let small =
        told.lines().find_map(|line| line.trim().strip_prefix("made small by  rashomon shrink ")).unwrap();
    assert!(desk.path().join(".rashomon/runs").join(small).join("verdict.txt").exists(), "{small}");
}

#[test]
fn a_hunt_says_the_same_on_one_core_and_on_many() {
    let desk = tempfile::tempdir().unwrap();
    let hunt = |jobs: u32| {
        let plan = "-t reference:crdt -w set --keys 20 -d 2s -f partition,kill --progress none";
        let output = run(&desk, &format!("hunt --seeds 6 --seed 3 {plan} --format json --jobs {jobs}"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        come_to(&output)
    };
    let alone = hunt(1);
    assert_eq!(alone["seeds"], 6);
    assert_eq!(alone, hunt(3));
}

/// Everything that a hunt came to, but for its name and how long it took.
fn come_to(output: &Output) -> serde_json::Value {
    let mut told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    told["seconds"].take();
    told["hunt"].take();
    for found in told["found"].as_array_mut().unwrap() {
        found["run"].take();
    }
    told
}

const HUNT: &str = "hunt -t reference:lww -w register --keys 5 -d 1s -f partition,kill --seed 3 --keep-going --format json \
                    --progress none";

#[test]
fn a_hunt_in_parts_comes_to_the_same_as_one_in_a_piece() {
    let (whole, parted) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = run(&whole, &format!("{HUNT} --seeds 12"));
    assert_eq!(come_to(&whole)["seeds"], 12);
    run(&parted, &format!("{HUNT} --seeds 5"));
    run(&parted, "hunt --resume --seeds 8 --format json --progress none");
    let last = run(&parted, "hunt --resume latest --seeds 12 --format json --progress none");
    assert_eq!(come_to(&last), come_to(&whole));
    assert_eq!(last.status.code(), whole.status.code());
    let again = run(&parted, "hunt --resume --seeds 12");
    assert_eq!(again.status.code(), Some(64));
    assert!(text(&again.stderr).contains("has played 12 seeds already"), "{}", text(&again.stderr));
    let listed = text(&run(&parted, "runs list").stdout);
    assert!(listed.contains("hunt --resume HUNT") && listed.contains("12 seeds, "), "{listed}");
}

#[test]
fn a_hunt_that_was_killed_goes_on_and_counts_no_seed_twice() {
    let desk = tempfile::tempdir().unwrap();
    let mut hunt = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    hunt.args(format!("{HUNT} --seeds 100000").split_whitespace()).current_dir(desk.path());
    let mut hunt = hunt.stdout(std::process::Stdio::null()).spawn().unwrap();
    let counted = || {
        let mut hunts = std::fs::read_dir(desk.path().join(".rashomon/hunts")).ok()?;
        let state = std::fs::read(hunts.next()?.ok()?.path().join("hunt.json")).ok()?;
        serde_json::from_slice::<serde_json::Value>(&state).unwrap()["tally"]["seeds"].as_u64()
    };
    while counted().unwrap_or(0) == 0 {
        assert!(hunt.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    // SIGKILL: it can put nothing in order.
    hunt.kill().unwrap();
    hunt.wait().unwrap();
    let seeds = counted().unwrap() + 3;
    let resumed = run(&desk, &format!("hunt --resume --seeds {seeds} --format json --progress none"));
    let whole = run(&tempfile::tempdir().unwrap(), &format!("{HUNT} --seeds {seeds}"));
    assert_eq!(come_to(&resumed), come_to(&whole));
}

#[test]
fn a_hunt_refuses_what_it_cannot_mean() {
    refuses(
        "hunt --repeat 5",
        64,
        expect![[r#"
        error: --repeat: a hunt plays many seeds anyhow; say how many with --seeds
    "#]],
    );
    refuses(
        "hunt --resume",
        64,
        expect![[r#"
        error: no hunt "latest": .rashomon has none yet; make one with  rashomon hunt
    "#]],
    );
    refuses(
        "hunt --resume latest --keys 5",
        64,
        expect![[r#"
        error: --resume: the hunt goes on with its own plan; take --keys away, or begin another hunt
    "#]],
    );
    refuses(
        "hunt --world live",
        64,
        expect![[r#"
        error: --world live: a hunt is simulated; for processes take  rashomon run --repeat
    "#]],
    );
}

#[test]
fn a_simulated_run_is_replayed_to_the_byte_and_a_tampered_one_is_told_apart() {
    let desk = tempfile::tempdir().unwrap();
    let recorded =
        run(&desk, "run --world sim -d 2s --keys 20 --seed 5 --progress none -e no-lost-updates=break");
    assert_eq!(recorded.status.code(), Some(0), "{}", text(&recorded.stderr));
    let replayed = run(&desk, "replay 00000005 --progress none");
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
    assert!(text(&replayed.stdout).contains("the same to the byte"), "{}", text(&replayed.stdout));

    let folder = only_run(&desk);
    let packed = folder.join("history.jsonl.zst");
    let history = text(&zstd::decode_all(std::fs::File::open(&packed).unwrap()).unwrap());
    let tampered: Vec<String> = history
        .lines()
        .enumerate()
        .map(
            |(index, line)| {
                if index == 40 { line.replace("\"time\":", "\"time\":1") } else { line.to_string() }
            },
        )
        .collect();
    std::fs::remove_file(&packed).unwrap();
    std::fs::write(folder.join("history.jsonl"), tampered.join("\n") + "\n").unwrap();
    let replayed = run(&desk, "replay latest --progress none");
    assert_eq!(replayed.status.code(), Some(70));
    let told = text(&replayed.stderr);
    assert!(
        told.contains("at line 41") && told.contains("recorded  ") && told.contains("bug in rashomon"),
        "{told}"
    );
}

#[test]
fn a_resolved_plan_of_another_version_is_refused_in_words() {
    let desk = tempfile::tempdir().unwrap();
    std::fs::write(desk.path().join("plan.resolved.json"), "{\"version\": 1}").unwrap();
    let replayed = run(&desk, "replay ./plan.resolved.json");
    assert_eq!(replayed.status.code(), Some(65));
    expect![[r#"
        error: ./plan.resolved.json: version 1, and this program reads version 2; make the run anew from its plan.toml, with its seed
    "#]].assert_eq(&text(&replayed.stderr));
}

#[test]
fn pinned_calls_run_in_the_simulated_world() {
    let desk = tempfile::tempdir().unwrap();
    std::fs::write(desk.path().join("pinned.toml"), PINNED).unwrap();
    let output = run(&desk, "run pinned.toml --progress none");
    assert_eq!(output.status.code(), Some(1), "{}{}", text(&output.stdout), text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.starts_with("✗ BROKEN  no-lost-updates: 1 confirmed write disappeared, on 1 key"), "{told}");
    let replayed = run(&desk, "replay latest --times 3 --format json --progress none");
    let told: serde_json::Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!((&told["runs"], &told["guarantees"][0]["broken"]), (&3.into(), &3.into()), "{told}");
}

#[test]
fn a_run_is_shrunk_to_a_plan_that_breaks_on_real_processes_too() {
    let desk = tempfile::tempdir().unwrap();
    run(&desk, "run --world sim -d 4s --keys 40 --seed 1 --progress none");
    let shrunk = run(&desk, "shrink latest --progress none");
    assert_eq!(shrunk.status.code(), Some(1), "{}", text(&shrunk.stderr));
    let told = text(&shrunk.stdout);
    let flowing = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let course = " → 2 calls, 1 fault, 3 → 2 nodes; 4 operations with the final reads.";
    assert!(flowing.contains(course), "{told}");
    assert!(told.contains("the write survives."), "{told}");
    let plan = told.lines().find_map(|line| line.trim().strip_prefix("plan ")).unwrap().trim();
    let again = run(&desk, &format!("run {plan} --progress none"));
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    let live = run(&desk, "replay latest --world live --times 2 --format json --progress none");
    let told: serde_json::Value = serde_json::from_slice(&live.stdout).unwrap();
    let lost = &told["guarantees"][0];
    assert_eq!((&lost["guarantee"], &told["runs"]), (&"no-lost-updates".into(), &2.into()), "{told}");
    assert!(lost["broken"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(live.status.code(), Some(1));
}

#[test]
fn a_run_that_broke_nothing_is_not_shrunk() {
    let desk = tempfile::tempdir().unwrap();
    run(&desk, "run --world sim -t control -f none -d 1s --seed 1 --progress none");
    let shrunk = run(&desk, "shrink latest");
    assert_eq!(shrunk.status.code(), Some(64));
    expect![[r#"
        error: the run broke no guarantee, so there is nothing to shrink
    "#]]
    .assert_eq(&text(&shrunk.stderr));
}

#[test]
fn plans_are_compared_in_both_worlds() {
    let desk = tempfile::tempdir().unwrap();
    std::fs::write(desk.path().join("pinned.toml"), PINNED).unwrap();
    let output = run(&desk, "divergence pinned.toml --times 1 --format json --progress none");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = &told["lines"][0];
    assert_eq!(
        (&line["plan"], &line["guarantee"]),
        (&"pinned.toml".into(), &"no-lost-updates".into()),
        "{told}"
    );
    assert_eq!((&line["sim"][1], &line["live"][1]), (&1.into(), &1.into()), "{told}");
}

/// Two clients on two sides of a split add to one list.
const PINNED: &str = r#"
version = 1
world = "sim"
target = "reference:lww,nodes=2"

[load]
duration = "1s"

[[fault]]
at = "100ms"
for = "500ms"
partition = ["A", "B"]

[[call]]
at = "200ms"
session = 0
node = "A"
extend = { key = "x", element = 1 }

[[call]]
at = "300ms"
session = 1
node = "B"
extend = { key = "x", element = 2 }
"#;
