//! How many client calls a second the simulated world makes, recording into the history's file included,
//! with as many worlds side by side as there are cores; and how long a simulated hour takes, judging
//! included.
//!
//! Counted against the time for which each world had a core: on a machine that does other things too, the
//! wall clock would measure those.
//!
//! ```text
//! cargo bench -p harness --bench sim
//! ```

use std::path::Path;
use std::process::{Command, Stdio};

const ROUNDS: usize = 3;

/// What is simulated: a name, and the flags. All of them split the network.
const LOADS: [(&str, &str); 5] = [
    ("lww, register, 30 clients without a pause", "-t reference:lww -w register -c 30 -r 0 -d 20s"),
    ("lww, append, 600 calls a second", "-t reference:lww -w append -r 600 -d 2m"),
    ("siblings, append, 600 calls a second", "-t reference:siblings -w append -r 600 -d 2m"),
    ("crdt, counter, 600 calls a second", "-t reference:crdt -w counter -r 600 -d 2m"),
    ("single-leader, register, 600 calls a second", "-t reference:single-leader -w register -r 600 -d 2m"),
];

fn main() {
    let folder = tempfile::tempdir().expect("a folder of its own");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("calls a second of time on a core, {cores} worlds side by side; median of {ROUNDS}");
    for (name, flags) in LOADS {
        let mut rates: Vec<f64> = (0..ROUNDS).map(|_| side_by_side(folder.path(), flags, cores)).collect();
        rates.sort_by(f64::total_cmp);
        let rate = rates[ROUNDS / 2];
        println!("{name:46} {:>8.0} a core {:>9.0} on {cores}", rate / cores as f64, rate);
    }
    let hour = world(folder.path(), "-t reference:lww -w append -r 100 -d 1h -f partition", 7);
    println!(
        "one simulated hour at 100 calls/s: {:.1} s, of which {:.1} s for simulating",
        hour.all, hour.busy
    );
}

/// What one run took, in seconds.
struct Took {
    calls: f64,
    busy: f64,
    all: f64,
}

/// Plays one seed a core; calls a second over all of them.
fn side_by_side(folder: &Path, flags: &str, cores: usize) -> f64 {
    std::thread::scope(|scope| {
        let worlds: Vec<_> =
            (0..cores).map(|seed| scope.spawn(move || world(folder, flags, seed + 1))).collect();
        worlds
            .into_iter()
            .map(|world| world.join().expect("a world"))
            .map(|took| took.calls / took.busy)
            .sum()
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn world(folder: &Path, flags: &str, seed: usize) -> Took {
    let began = std::time::Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_rashomon"))
        .args(["run", "--world", "sim", "--progress", "line", "--expect", "no-lost-updates=watch", "--seed"])
        .arg(seed.to_string())
        .args(flags.split(' '))
        .arg("--store")
        .arg(folder.join(seed.to_string()))
        .stdout(Stdio::null())
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code < 64), "{said}");
    let line = said.lines().find(|line| line.contains("calls=")).expect("a line about the world");
    let number = |name: &str| -> f64 {
        let text = line.split(' ').find_map(|word| word.strip_prefix(name)).expect("a number");
        text.trim_end_matches('s').parse().expect("a number")
    };
    Took { calls: number("calls="), busy: number("busy="), all: began.elapsed().as_secs_f64() }
}
