//! How long `rashomon check` takes from a file to a verdict, the whole process, and how much memory.
//!
//! Correct stores make the histories: all are judged *held*, which is the longest way. Files go to a folder of
//! their own; each row is a process of its own. Time on a core and memory are read from Linux's `/proc`.
//!
//! ```text
//! cargo bench -p harness --bench check              all rows
//! cargo bench -p harness --bench check -- zipf      rows with this in their name
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One file, and what is asked about it.
struct Row {
    name: &'static str,
    input: Input,
    guarantees: &'static [&'static str],
    /// Seconds and MiB that it should stay under.
    target: (f64, u64),
}

#[derive(Clone, Copy)]
enum Input {
    /// Plume's text.
    Plume { transactions: usize, keys: usize, is_zipf: bool },
    /// elle-cli's JSON.
    Elle { transactions: usize, is_list: bool },
}

const WEAK: &[&str] = &["read-committed", "read-atomic", "transactional-causal"];
const HARD: &[&str] = &["serializable", "snapshot-isolation"];
const MILLION: usize = 1_000_000;

const ROWS: &[Row] = &[
    Row {
        name: "plume-uniform",
        input: Input::Plume { transactions: MILLION, keys: 10_000, is_zipf: false },
        guarantees: WEAK,
        target: (4.0, 614),
    },
    Row {
        name: "plume-zipf",
        input: Input::Plume { transactions: MILLION, keys: 10_000, is_zipf: true },
        guarantees: WEAK,
        target: (4.0, 614),
    },
    Row {
        name: "plume-small-uniform",
        input: Input::Plume { transactions: 10_000, keys: 1_000, is_zipf: false },
        guarantees: HARD,
        target: (5.0, 614),
    },
    Row {
        name: "plume-small-zipf",
        input: Input::Plume { transactions: 10_000, keys: 1_000, is_zipf: true },
        guarantees: HARD,
        target: (5.0, 614),
    },
    Row {
        name: "rw-register",
        input: Input::Elle { transactions: 100_000, is_list: false },
        guarantees: &["strict-serializable"],
        target: (1.0, 614),
    },
    Row {
        name: "list-append",
        input: Input::Elle { transactions: MILLION, is_list: true },
        guarantees: &["strict-serializable"],
        target: (4.0, 1536),
    },
];

fn main() -> std::io::Result<()> {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let folder = tempfile::tempdir()?;
    println!("{:20} {:22} {:>7} {:>7} {:>6}   target", "input", "guarantee", "wall s", "core s", "MiB");
    for row in ROWS.iter().filter(|row| row.name.contains(&wanted)) {
        let path = folder.path().join(row.name);
        make(row.input, &path)?;
        for guarantee in row.guarantees {
            let Measured { wall, on_core, memory_mib, code } = measure(&path, guarantee)?;
            let (seconds, mib) = row.target;
            println!(
                "{:20} {guarantee:22} {:7.2} {:7.2} {memory_mib:6}   {seconds} s, {mib} MiB   exit code {code:?}",
                row.name,
                wall.as_secs_f64(),
                on_core.as_secs_f64(),
            );
        }
        fs::remove_file(&path)?;
    }
    Ok(())
}

struct Measured {
    wall: Duration,
    on_core: Duration,
    memory_mib: u64,
    code: Option<i32>,
}

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Linux tells times in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn measure(path: &Path, guarantee: &str) -> std::io::Result<Measured> {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    let mut child = command.arg("check").arg(path).args(["-g", guarantee]).stdout(Stdio::null()).spawn()?;
    let process = Path::new("/proc").join(child.id().to_string());
    let (mut memory_mib, mut on_core) = (0, Duration::ZERO);
    // A process that has ended keeps its times until somebody asks how it ended.
    loop {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<u32>().ok()).unwrap_or(0);
        on_core = on_core.max(TICK * (ticks(11) + ticks(12)));
        memory_mib = memory_mib.max(peak_memory_mib(&process));
        if matches!(fields.first(), Some(&"Z") | Some(&"") | None) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    let wall = begun.elapsed();
    Ok(Measured { wall, on_core, memory_mib, code: child.wait()?.code() })
}

fn peak_memory_mib(process: &Path) -> u64 {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn make(input: Input, path: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    match input {
        Input::Plume { transactions, keys, is_zipf } => {
            plume(&mut out, &mut rng, transactions, &weights(keys, is_zipf))?;
        }
        Input::Elle { transactions, is_list } => elle(&mut out, &mut rng, transactions, is_list)?,
    }
    out.flush()
}

/// Running sums of weights: even, or by Zipf's law with exponent 1.
fn weights(keys: usize, is_zipf: bool) -> Vec<u64> {
    let mut sum = 0;
    let weight = |rank| if is_zipf { 1_000_000 / rank } else { 1 };
    (1..=keys as u64)
        .map(|rank| {
            sum += weight(rank);
            sum
        })
        .collect()
}

/// Transactions of 8 to 20 reads and writes, each by any of 50 sessions.
fn plume(out: &mut impl Write, rng: &mut impl Rng, transactions: usize, sums: &[u64]) -> std::io::Result<()> {
    let (mut store, mut written) = (vec![0_u64; sums.len()], 0);
    for txn in 0..transactions {
        let session = rng.random_range(0..50);
        for _ in 0..rng.random_range(8..=20) {
            let dice = rng.random_range(0..sums[sums.len() - 1]);
            let key = sums.partition_point(|sum| *sum <= dice);
            if rng.random_bool(0.5) {
                written += 1;
                store[key] = written;
                writeln!(out, "w({key},{written},{session},{txn})")?;
            } else {
                writeln!(out, "r({key},{},{session},{txn})", store[key])?;
            }
        }
    }
    Ok(())
}

/// Sessions that call at once.
const PROCESSES: usize = 20;
/// Keys that are used at a time, drawn by powers of two.
const POOL: u64 = 10;

/// Transactions of 1 to 4 micro-ops that take effect when they are asked; a key is done after 32 to 64 writes.
fn elle(out: &mut impl Write, rng: &mut impl Rng, transactions: usize, is_list: bool) -> std::io::Result<()> {
    let write = if is_list { "append" } else { "w" };
    let mut pool: Vec<(u64, u64)> = (0..POOL).map(|key| (key, rng.random_range(32..=64))).collect();
    let mut store: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut in_flight: Vec<Option<String>> = vec![None; PROCESSES];
    let (mut next_key, mut begun, mut index, mut time) = (POOL, 0, 0, 0_u64);
    while begun < transactions || in_flight.iter().any(Option::is_some) {
        let process = rng.random_range(0..PROCESSES);
        let (kind, value) = match in_flight[process].take() {
            Some(answer) => ("ok", answer),
            None if begun == transactions => continue,
            None => {
                begun += 1;
                let (mut asked, mut answer) = (Vec::new(), Vec::new());
                for _ in 0..rng.random_range(1..=4) {
                    let slot = (rng.random_range(1..1_u64 << POOL)).ilog2() as usize;
                    if rng.random_bool(0.5) {
                        let key = pool[slot].0;
                        asked.push(format!(r#"["r",{key},null]"#));
                        answer.push(format!(r#"["r",{key},{}]"#, seen(store.get(&key), is_list)));
                        continue;
                    }
                    let versions = store.entry(pool[slot].0).or_default();
                    versions.push(versions.len() as u64 + 1);
                    let micro_op = format!(r#"["{write}",{},{}]"#, pool[slot].0, versions.len());
                    asked.push(micro_op.clone());
                    answer.push(micro_op);
                    if versions.len() as u64 >= pool[slot].1 {
                        pool[slot] = (next_key, rng.random_range(32..=64));
                        next_key += 1;
                    }
                }
                in_flight[process] = Some(format!("[{}]", answer.join(",")));
                ("invoke", format!("[{}]", asked.join(",")))
            }
        };
        time += rng.random_range(1_000..100_000);
        writeln!(
            out,
            r#"{{"index":{index},"time":{time},"type":"{kind}","process":{process},"f":"txn","value":{value}}}"#
        )?;
        index += 1;
    }
    Ok(())
}

fn seen(versions: Option<&Vec<u64>>, is_list: bool) -> String {
    match versions {
        None => "null".into(),
        Some(versions) if is_list => format!("{versions:?}").replace(' ', ""),
        Some(versions) => versions.last().map_or("null".into(), u64::to_string),
    }
}
