//! How fast single objects are judged, beyond reading the file.
//!
//! Each history is what a correct object under load would show: every call takes effect at an instant of
//! its own, and was asked for and answered around that. The baseline of the small register is the general
//! search, which has to be taken where a value is written twice.
//!
//! ```text
//! cargo bench -p checkers --bench single
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use checkers::{Budget, Facts, Judgement, checker};
use histories::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, Observed, Outcome, Reply, SessionId, Value,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: usize = 3;

fn main() {
    report("key-value, 1 000 keys", &Load { keys: 1_000, ..Load::million(Kind::Register) });
    report(
        "one register, unique values",
        &Load { operations: 10_000, sessions: 50, ..Load::million(Kind::Register) },
    );
    report(
        "  the same by search",
        &Load { operations: 300, sessions: 12, again: true, ..Load::million(Kind::Register) },
    );
    report("one queue", &Load::million(Kind::Queue));
    report("one stack", &Load::million(Kind::Stack));
    report("a thousand queues", &Load { keys: 1_000, ..Load::million(Kind::Queue) });
    report("a thousand stacks", &Load { keys: 1_000, ..Load::million(Kind::Stack) });
    report("a thousand sets that grow", &Load { keys: 1_000, ..Load::million(Kind::Set) });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Register,
    Queue,
    Stack,
    Set,
}

/// What the clients do.
struct Load {
    kind: Kind,
    operations: usize,
    keys: usize,
    sessions: usize,
    /// True if some value is written twice, which leaves only the search.
    again: bool,
}

impl Load {
    fn million(kind: Kind) -> Self {
        Self { kind, operations: 1_000_000, keys: 1, sessions: 20, again: false }
    }

    /// A session asks before the instant of its call and is answered after it.
    fn history(&self) -> History {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut objects: BTreeMap<usize, VecDeque<i64>> = BTreeMap::new();
        let mut free = vec![0_u64; self.sessions];
        let mut events: Vec<(u64, bool, EventKind)> = Vec::with_capacity(2 * self.operations);
        for number in 0..self.operations {
            let (turn, key) = (number % self.sessions, rng.random_range(0..self.keys));
            let instant = 1_000 * (number as u64 + self.sessions as u64);
            let slack = 1_000 * self.sessions as u64 / 2;
            let from = free[turn].max(instant - rng.random_range(0..slack));
            let to = instant + rng.random_range(0..slack);
            free[turn] = to + 1;
            let object = objects.entry(key).or_default();
            let value = if self.again { (number / 2) as i64 } else { number as i64 };
            let (micro_op, reply) = step(self.kind, object, name(key), value, rng.random_range(0..100));
            let session = SessionId(turn as u32);
            let call = Call::Single(micro_op);
            events.push((from, false, EventKind::Invoke { session, node: None, planned: None, call }));
            events.push((to, true, EventKind::Complete { session, outcome: Outcome::confirmed(reply) }));
        }
        events.sort_by_key(|(time, is_answer, _)| (*time, *is_answer));
        let events = events.into_iter().map(|(time, _, kind)| Event { time: Nanos(time), kind });
        History::new(Header::default(), events).expect("a valid history")
    }
}

fn name(key: usize) -> Key {
    Key::from(format!("k{key}"))
}

fn step(kind: Kind, object: &mut VecDeque<i64>, key: Key, value: i64, dice: u32) -> (MicroOp, Reply) {
    let element = Value::from(value);
    let ok = Reply::changed(None);
    let told = |found: Option<i64>| {
        Reply::read(Observed { values: found.map(Value::from).into_iter().collect(), versions: Vec::new() })
    };
    match kind {
        Kind::Register if dice < 50 => {
            *object = VecDeque::from([value]);
            (MicroOp::Write { key, value: element }, ok)
        }
        Kind::Register => (MicroOp::Read { key }, told(object.front().copied())),
        Kind::Queue if dice < 50 => {
            object.push_back(value);
            (MicroOp::Enqueue { key, element }, ok)
        }
        Kind::Queue => (MicroOp::Dequeue { key }, told(object.pop_front())),
        Kind::Stack if dice < 50 => {
            object.push_back(value);
            (MicroOp::Push { key, element }, ok)
        }
        Kind::Stack => (MicroOp::Pop { key }, told(object.pop_back())),
        Kind::Set if dice < 95 && object.len() < 100 => {
            object.push_back(value);
            (MicroOp::Add { key, element }, ok)
        }
        Kind::Set => {
            let elements: Value = object.iter().copied().map(Value::from).collect();
            (MicroOp::Read { key }, Reply::read(Observed::value(elements)))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn report(what: &str, load: &Load) {
    let history = load.history();
    let checker = checker("linearizable").expect("a checker of this name");
    let mut times: Vec<(Duration, Duration)> = Vec::new();
    let mut said = "";
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let facts = Facts::new(&history);
        let indexed = begun.elapsed();
        let verdict = checker.check(&facts, Budget::default());
        times.push((begun.elapsed(), indexed));
        said = match verdict.judgement {
            Judgement::Held => "held",
            Judgement::Broken => "broken",
            Judgement::NotJudged { .. } => "not judged",
        };
    }
    times.sort_unstable();
    let (whole, indexed) = times[ROUNDS / 2];
    println!(
        "{what:30} {:>9} operations  {:>8.3} s, of which {:.3} s for the facts    {said}",
        load.operations,
        whole.as_secs_f64(),
        indexed.as_secs_f64()
    );
}
