//! How fast a history is read, and in how much memory.
//!
//! The file: a million operations on a thousand registers, two lines an operation, with versions,
//! as a store of three nodes would give them. The baseline reads the same lines as untyped JSON
//! ([`serde_json::Value`]) and keeps nothing, so it does less than any reader of histories must.
//!
//! ```text
//! cargo bench -p histories --bench reading                 in a temporary file
//! cargo bench -p histories --bench reading -- FILE         in FILE, which stays: for `rashomon check FILE`
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use histories::format::{self, jsonl};
use histories::{
    Call, Event, EventKind, Header, Key, MicroOp, Nanos, NodeName, Observed, Operation, Outcome, Reason,
    Reply, SessionId, Value, Version,
};

const OPERATIONS: usize = 1_000_000;
const KEYS: usize = 1_000;
const SESSIONS: usize = 32;
const NODES: [&str; 3] = ["A", "B", "C"];
const ROUNDS: usize = 5;

fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let kept = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let plain = kept.unwrap_or_else(|| folder.path().join("million.jsonl"));
    let packed = folder.path().join("million.jsonl.zst");
    generate(&mut BufWriter::new(File::create(&plain)?))?;
    zstd::stream::copy_encode(File::open(&plain)?, File::create(&packed)?, 3)?;
    let bytes = fs::metadata(&plain)?.len();
    println!(
        "{OPERATIONS} operations, {} MB, {} bytes an Operation",
        bytes / 1_000_000,
        size_of::<Operation>()
    );

    let ours = report("format::read_file", bytes, || read(&plain));
    println!("{:24} {} MiB", "  memory at most", peak_memory_mib().unwrap_or(0));
    report("format::read_file, zstd", bytes, || read(&packed));
    let baseline = report("serde_json::Value a line", bytes, || read_untyped(&plain));
    println!(
        "{:.1} times as fast as the baseline, by time on a core",
        baseline.as_secs_f64() / ours.as_secs_f64()
    );
    Ok(())
}

fn read(path: &Path) -> usize {
    let reading = format::read_file(path).expect("a valid history");
    reading.history.operations().len()
}

fn read_untyped(path: &Path) -> usize {
    let lines = BufReader::with_capacity(1 << 20, File::open(path).expect("a file")).lines();
    let untyped = |line: io::Result<String>| -> serde_json::Value {
        serde_json::from_str(&line.expect("a line")).expect("JSON")
    };
    lines.map(untyped).filter(|line| line["event"] == "invoke").count()
}

/// Runs it several times and prints the median; a busy machine shows in the share of a core.
fn report(name: &str, bytes: u64, run: impl Fn() -> usize) -> Duration {
    let mut times: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| timed(&run)).collect();
    times.sort();
    let (median, on_core) = times[ROUNDS / 2];
    println!(
        "{name:24} {:.2} s ({:.2} s on a core), {:.0} MB/s, {:.0} operations/s",
        median.as_secs_f64(),
        on_core.as_secs_f64(),
        bytes as f64 / 1e6 / median.as_secs_f64(),
        OPERATIONS as f64 / median.as_secs_f64(),
    );
    if on_core.is_zero() { median } else { on_core }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn timed(run: &impl Fn() -> usize) -> (Duration, Duration) {
    let (began, on_core) = (Instant::now(), time_on_core());
    assert_eq!(run(), OPERATIONS, "every operation is read");
    (began.elapsed(), time_on_core() - on_core)
}

/// How long the main thread has run, without the time for which others had its core; only Linux tells.
fn time_on_core() -> Duration {
    let times = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(times.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// The most memory that this process has held at once; only Linux tells.
fn peak_memory_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// A store that is one copy: a call takes effect at the moment at which it is made.
struct Store {
    registers: Vec<Option<(Value, Version)>>,
    written: i64,
}

impl Store {
    fn apply(&mut self, call: &Call) -> Reply {
        let [micro_op] = call.micro_ops() else { unreachable!("the load has no transactions") };
        let register = &mut self.registers[key_index(micro_op.key())];
        match micro_op {
            MicroOp::Write { value, .. } => {
                let version = Version::from(format!("A:{}", self.written));
                *register = Some((value.clone(), version.clone()));
                Reply::changed(Some(version))
            }
            _ => Reply::read(match register {
                None => Observed::default(),
                Some((value, version)) => {
                    Observed { values: vec![value.clone()], versions: vec![version.clone()] }
                }
            }),
        }
    }
}

fn key_index(key: &Key) -> usize {
    key.as_str()[1..].parse().expect("k and a number")
}

/// Writes the file: sessions ask and are answered in turns that chance decides; one call in a
/// thousand times out, and a new session takes over.
fn generate(out: &mut impl Write) -> io::Result<()> {
    let mut store = Store { registers: vec![None; KEYS], written: 0 };
    let mut in_flight: Vec<Option<Reply>> = vec![None; SESSIONS];
    let mut ids: Vec<u32> = (0..SESSIONS as u32).collect();
    let mut chance = Chance(17);
    let (mut asked, mut answered, mut time) = (0, 0, 0);
    let nodes = NODES.map(NodeName::from).to_vec();
    jsonl::write_header(out, &Header { name: "million".into(), nodes, ..Header::default() })?;
    while answered < OPERATIONS {
        time += 20_000 + chance.below(60_000);
        let place = chance.below(SESSIONS as u64) as usize;
        let session = SessionId(ids[place]);
        let kind = match in_flight[place].take() {
            None if asked == OPERATIONS => continue,
            None => {
                asked += 1;
                let call = call(&mut chance, &mut store.written);
                in_flight[place] = Some(store.apply(&call));
                let node = Some(NodeName::from(NODES[place % NODES.len()]));
                EventKind::Invoke { session, node, planned: None, call }
            }
            Some(reply) => {
                answered += 1;
                let outcome = if chance.below(1_000) == 0 {
                    ids[place] = ids.iter().max().map_or(0, |last| last + 1);
                    Outcome::Unknown(Reason::TIMEOUT)
                } else {
                    Outcome::confirmed(reply)
                };
                EventKind::Complete { session, outcome }
            }
        };
        jsonl::write_event(out, &Event { time: Nanos(time), kind })?;
    }
    out.flush()
}

fn call(chance: &mut Chance, written: &mut i64) -> Call {
    let key = Key::from(format!("k{}", chance.below(KEYS as u64)));
    if chance.below(2) == 0 {
        return MicroOp::Read { key }.into();
    }
    *written += 1;
    MicroOp::Write { key, value: Value::Integer(*written) }.into()
}

/// Marsaglia's xorshift: the same numbers in every run, without a dependency.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
