//! How many confirmed operations a second the harness sustains while it records, against three node
//! processes behind proxies. The baseline is the same load on the single copy in memory: what
//! generating, recording and counting cost without any store.
//!
//! ```text
//! cargo bench -p harness --bench load
//! ```

use std::path::Path;
use std::process::Command;

use histories::{Nanos, Phase};

/// Clients at work at once: enough to hide the time of a disk's sync.
const CLIENTS: u32 = 64;
const ROUNDS: usize = 3;

fn main() {
    let folder = tempfile::tempdir().expect("a folder of its own");
    let baseline = median(folder.path(), "control");
    for target in ["reference:lww", "reference:single-leader", "reference:siblings", "reference:crdt"] {
        let rate = median(folder.path(), target);
        println!("{target:24} {rate:>7.0} confirmed operations/s, {:.2} of the baseline", rate / baseline);
    }
    println!("{:24} {baseline:>7.0} confirmed operations/s: the baseline", "control");
}

fn median(folder: &Path, target: &str) -> f64 {
    let mut rates: Vec<f64> =
        (0..ROUNDS).map(|round| rate(&folder.join(format!("{target}-{round}")), target)).collect();
    rates.sort_by(f64::total_cmp);
    rates[ROUNDS / 2]
}

/// Runs the load once; confirmed operations a second while it lasted.
fn rate(store: &Path, target: &str) -> f64 {
    let output = Command::new(env!("CARGO_BIN_EXE_rashomon"))
        .args([
            "run",
            "--target",
            target,
            "--faults",
            "none",
            "--rate",
            "0",
            "--duration",
            "10s",
            "--keys",
            "2000",
        ])
        .args(["--clients", &CLIENTS.to_string(), "--progress", "none", "-qq", "--store"])
        .arg(store)
        .output()
        .expect("the command runs");
    let code = output.status.code();
    assert!(code.is_some_and(|code| code < 64), "{}", String::from_utf8_lossy(&output.stderr));
    let run =
        std::fs::read_dir(store.join("runs")).expect("a run").next().expect("one run").expect("a folder");
    let reading = histories::format::read_file(&run.path().join("history.jsonl.zst")).expect("a history");
    let history = reading.history;
    let confirmed =
        |operation: &&histories::Operation| operation.phase == Phase::Load && operation.is_confirmed();
    let count = history.operations().iter().filter(confirmed).count();
    let span = history.phase_began(Phase::Settle).unwrap_or(Nanos(1));
    count as f64 / span.as_secs_f64()
}
