//! How fast checkers of sessions and of causal order are where there are very many sessions, as there are
//! where each timeout makes a new one.
//!
//! ```text
//! cargo bench -p checkers --bench sessions
//! ```

use std::time::Instant;

use checkers::{Budget, Facts, Judgement, checker};
use histories::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, Observed, Outcome, Reply, SessionId, Value,
};

const GUARANTEES: [&str; 9] = [
    "causal-order",
    "causal-consistency",
    "read-your-writes",
    "monotonic-reads",
    "monotonic-writes",
    "writes-follow-reads",
    "pram",
    "causal-memory",
    "sequential",
];

fn main() {
    report("100 000 sessions of four calls on three keys", &sessions(100_000, 4));
    report("1 000 000 sessions of one call on three keys", &sessions(1_000_000, 1));
    report("50 sessions of 20 000 calls on three keys", &sessions(50, 20_000));
}

/// A single copy; half of the calls write a new value. Sessions of several calls take turns, fifty at once.
fn sessions(sessions: u32, calls: u32) -> History {
    let keys = ["x", "y", "z"].map(Key::from);
    let (mut events, mut states) = (Vec::new(), [None; 3]);
    for number in 0..sessions * calls {
        let (round, turn) = (number / (50 * calls), number % 50);
        let session = SessionId(round * 50 + turn);
        let key = (number * 7 % 11 % 3) as usize;
        let on = keys[key].clone();
        let is_write = (number / 50 + number) % 2 == 0;
        let (call, reply) = if is_write {
            states[key] = Some(i64::from(number));
            (MicroOp::Write { key: on, value: Value::from(i64::from(number)) }, Reply::changed(None))
        } else {
            let seen = states[key].map_or_else(Observed::default, Observed::value);
            (MicroOp::Read { key: on }, Reply::read(seen))
        };
        let mut push = |kind| events.push(Event { time: Nanos(events.len() as u64), kind });
        push(EventKind::Invoke { session, node: None, planned: None, call: Call::Single(call) });
        push(EventKind::Complete { session, outcome: Outcome::confirmed(reply) });
    }
    History::new(Header::default(), events).expect("a valid history")
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
fn report(what: &str, history: &History) {
    println!("{what}");
    let begun = Instant::now();
    let facts = Facts::new(history);
    println!("  {:20} {:>8.3} s", "the facts", begun.elapsed().as_secs_f64());
    // The first to ask for what is known of causes finds it for all.
    for guarantee in GUARANTEES {
        let begun = Instant::now();
        let verdict = checker(guarantee).expect("a checker of this name").check(&facts, Budget::default());
        let said = match verdict.judgement {
            Judgement::NotJudged { why } => format!("not judged: {why}"),
            other => format!("{other:?}"),
        };
        println!("  {guarantee:20} {:>8.3} s  {said}", begun.elapsed().as_secs_f64());
    }
}
