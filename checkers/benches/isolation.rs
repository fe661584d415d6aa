//! How fast transactions on registers are judged when nobody knows the order of versions, and in how
//! much memory.
//!
//! A correct store makes them: one transaction after another, of 8 to 20 reads and writes, each by any of 50
//! sessions, on 10 000 keys (1 000 for the hard levels), drawn evenly or by Zipf's law. Each measurement has a process of its own.
//!
//! ```text
//! cargo bench -p checkers --bench isolation                                    all of them
//! cargo bench -p checkers --bench isolation -- read-committed zipf 1000000     one
//! ```

use std::fs;
use std::process::Command;
use std::time::Duration;

use checkers::Budget;
use checkers::isolation::{self, Answer};
use histories::SessionId;
use histories::compact::{TxnStatus, TxnTable, TxnTableBuilder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SESSIONS: u32 = 50;

type Judge = fn(&TxnTable, Budget) -> Answer;

/// Levels, how many transactions they are given, and on how many keys.
const LEVELS: &[(&str, Judge, usize, usize)] = &[
    ("read-committed", isolation::read_committed, 1_000_000, 10_000),
    ("read-atomic", isolation::read_atomic, 1_000_000, 10_000),
    ("transactional-causal", isolation::transactional_causal, 1_000_000, 10_000),
    ("prefix", isolation::prefix, 10_000, 1_000),
    ("snapshot-isolation", isolation::snapshot_isolation, 10_000, 1_000),
    ("serializable", isolation::serializable, 10_000, 1_000),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    match words.as_slice() {
        [level, keys, transactions] => {
            let (_, judge, _, key_count) =
                LEVELS.iter().find(|(name, ..)| name == level).expect("a level's name");
            let transactions = transactions.parse().expect("a number of transactions");
            let table = table(transactions, *key_count, keys == "zipf");
            measure(level, *judge, keys, &table);
        }
        _ => {
            for (level, _, transactions, _) in LEVELS {
                for keys in ["uniform", "zipf"] {
                    let program = std::env::current_exe().expect("a program");
                    let status =
                        Command::new(program).args([level, keys, &transactions.to_string()]).status();
                    assert!(status.expect("it runs").success());
                }
            }
        }
    }
}

fn measure(level: &str, judge: Judge, keys: &str, table: &TxnTable) {
    let held = peak_memory_mib();
    let before = time_on_core();
    let answer = judge(table, Budget::default());
    let on_core = time_on_core() - before;
    let verdict = match (answer.breaches.is_empty(), answer.undecided) {
        (_, true) => "not judged",
        (true, false) => "held",
        (false, false) => "broken",
    };
    println!(
        "{level:22} {keys:8} {:>8} transactions, {} micro-ops: {verdict}, {:.2} s on a core, \
         {} MiB at most ({held} for the table alone)",
        table.len(),
        table.micro_op_count(),
        on_core.as_secs_f64(),
        peak_memory_mib(),
    );
}

/// What a correct store would have shown.
fn table(transactions: usize, key_count: usize, is_zipf: bool) -> TxnTable {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    // Weights of Zipf's law with exponent 1, in millionths of the first.
    let mut sum = 0;
    let sums: Vec<u64> = (1..=key_count as u64)
        .map(|rank| {
            sum += if is_zipf { 1_000_000 / rank } else { 1 };
            sum
        })
        .collect();
    let mut builder = TxnTableBuilder::with_capacity(transactions, transactions * 14 + transactions / 100);
    let keys: Vec<u32> = (0..key_count as u64).map(|key| builder.key_of_number(key)).collect();
    let mut store: Vec<Option<i64>> = vec![None; key_count];
    let mut written = 0;
    for _ in 0..transactions {
        builder.begin(SessionId(rng.random_range(0..SESSIONS)));
        for _ in 0..rng.random_range(8..=20) {
            let dice = rng.random_range(0..sum);
            let key = sums.partition_point(|sum| *sum <= dice);
            if rng.random_bool(0.5) {
                written += 1;
                store[key] = Some(written);
                builder.write(keys[key], written);
            } else {
                builder.read(keys[key], store[key]);
            }
        }
        builder.end(TxnStatus::Committed);
    }
    builder.finish()
}

/// The time for which this thread had a core; what else the machine does does not count.
fn time_on_core() -> Duration {
    let times = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(times.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// The most memory that this process has held at once; only Linux tells.
fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
