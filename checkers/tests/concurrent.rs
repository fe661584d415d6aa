//! A million calls that are all in flight at once: time says of nearly no two of them which came first, and no
//! checker looks at all their orders. One call ended before all others, and perhaps one comes after them that is
//! told what was there at first.
//!
//! ```text
//!   c0        ├─ write 0 ─┤
//!   c1                      ├─────────────── read → 0 ──────────────┤
//!   …
//!   c999999                      ├────────────── read → 999998 ─────────────┤
//!   late                                                                      ├─ read → 0 ─┤
//! ```

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::VecDeque;

use checkers::{Budget, Facts, Judgement, checker};
use histories::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, Observed, Outcome, Reply, SessionId, Value,
};

const CALLS: u32 = 1_000_000;
/// Reads of sets and lists show all of them, so these do not grow for ever.
const KEYS: u32 = 50_000;

/// What one call asks and is answered, on objects that take one after another.
type Step = fn(u32, &mut [VecDeque<i64>]) -> (MicroOp, Reply);

/// All but the first are asked before any is answered, each by a session of its own.
fn history(step: Step, is_transaction: bool, late: Option<(MicroOp, Reply)>) -> History {
    let mut objects = vec![VecDeque::new(); KEYS as usize];
    let (mut events, mut answers) = (Vec::new(), Vec::new());
    let steps = (0..CALLS).map(|number| step(number, &mut objects)).chain(late);
    for (number, (micro_op, reply)) in (0..).zip(steps) {
        let (session, late) = (SessionId(number), u64::from(number / CALLS));
        let call = match is_transaction {
            true => Call::Transaction(vec![micro_op]),
            false => Call::Single(micro_op),
        };
        let asked = EventKind::Invoke { session, node: None, planned: None, call };
        events.push((u64::from(number) + late * u64::from(2 * CALLS), asked));
        let answered = EventKind::Complete { session, outcome: Outcome::confirmed(reply) };
        match number {
            0 => events.push((0, answered)),
            _ => answers.push((u64::from(number) + (1 + 2 * late) * u64::from(CALLS), answered)),
        }
    }
    events.extend(answers);
    events.sort_by_key(|(time, _)| *time);
    let events = events.into_iter().map(|(time, kind)| Event { time: Nanos(time), kind });
    History::new(Header::default(), events).unwrap()
}

fn key(number: u32) -> Key {
    Key::from(format!("k{number}"))
}

fn told(found: Option<i64>) -> Reply {
    Reply::read(Observed { values: found.map(Value::from).into_iter().collect(), versions: Vec::new() })
}

fn all_of(object: &VecDeque<i64>) -> Reply {
    Reply::read(Observed::value(object.iter().copied().map(Value::from).collect::<Value>()))
}

fn register(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    let (key, value) = (key(0), i64::from(number));
    if number % 2 == 1 {
        return (MicroOp::Read { key }, told(objects[0].front().copied()));
    }
    objects[0] = VecDeque::from([value]);
    (MicroOp::Write { key, value: Value::from(value) }, Reply::changed(None))
}

fn queue(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    if number % 3 == 2 {
        return (MicroOp::Dequeue { key: key(0) }, told(objects[0].pop_front()));
    }
    objects[0].push_back(number.into());
    (MicroOp::Enqueue { key: key(0), element: Value::from(i64::from(number)) }, Reply::changed(None))
}

fn stack(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    if number % 3 == 2 {
        return (MicroOp::Pop { key: key(0) }, told(objects[0].pop_back()));
    }
    objects[0].push_back(number.into());
    (MicroOp::Push { key: key(0), element: Value::from(i64::from(number)) }, Reply::changed(None))
}

fn list(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    let (key, object) = (key(number / 2 % KEYS), &mut objects[(number / 2 % KEYS) as usize]);
    if number % 2 == 1 {
        return (MicroOp::Read { key }, all_of(object));
    }
    object.push_back(number.into());
    (MicroOp::Append { key, element: Value::from(i64::from(number)) }, Reply::changed(None))
}

fn set(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    match list(number, objects) {
        (MicroOp::Append { key, element }, reply) => (MicroOp::Add { key, element }, reply),
        read => read,
    }
}

fn counter(number: u32, objects: &mut [VecDeque<i64>]) -> (MicroOp, Reply) {
    let sum = objects[0].front().copied().unwrap_or(0);
    if number % 2 == 1 {
        return (MicroOp::Read { key: key(0) }, told(Some(sum)));
    }
    objects[0] = VecDeque::from([sum + 1]);
    (MicroOp::Increment { key: key(0), by: 1 }, Reply::changed(None))
}

const OF_OBJECTS: [&str; 5] = ["linearizable", "sequential", "causal-order", "pram", "no-made-up-values"];

/// Held, where it could be broken at all; and broken by the late call.
#[track_caller]
fn assert_judged(step: Step, late: (MicroOp, Reply)) {
    let history_of = |late| history(step, false, late);
    let (history, spoilt) = (history_of(None), history_of(Some(late)));
    let facts = Facts::new(&history);
    for guarantee in OF_OBJECTS {
        let judgement = judgement(&facts, guarantee);
        assert_ne!(judgement, Judgement::Broken, "{guarantee}");
        assert!(guarantee != "linearizable" || judgement == Judgement::Held, "{judgement:?}");
    }
    assert_eq!(judgement(&Facts::new(&spoilt), "linearizable"), Judgement::Broken);
}

fn judgement(facts: &Facts<'_>, guarantee: &str) -> Judgement {
    checker(guarantee).unwrap().check(facts, Budget::default()).judgement
}

#[test]
fn on_one_register() {
    assert_judged(register, (MicroOp::Read { key: key(0) }, told(Some(0))));
}

#[test]
fn on_one_queue() {
    assert_judged(queue, (MicroOp::Dequeue { key: key(0) }, told(None)));
}

#[test]
fn on_one_stack() {
    assert_judged(stack, (MicroOp::Pop { key: key(0) }, told(None)));
}

// Of a counter there are too many sums to go through all orders: only its bounds are known.
#[test]
fn on_one_counter() {
    let late = (MicroOp::Read { key: key(0) }, told(Some(0)));
    let (history, spoilt) = (history(counter, false, None), history(counter, false, Some(late)));
    let facts = Facts::new(&history);
    for guarantee in OF_OBJECTS {
        assert_ne!(judgement(&facts, guarantee), Judgement::Broken, "{guarantee}");
    }
    assert_eq!(judgement(&Facts::new(&spoilt), "linearizable"), Judgement::Broken);
}

#[test]
fn on_sets() {
    assert_judged(set, (MicroOp::Read { key: key(0) }, all_of(&VecDeque::new())));
}

#[test]
fn on_lists() {
    assert_judged(list, (MicroOp::Read { key: key(0) }, all_of(&VecDeque::new())));
}

const LEVELS: [&str; 6] = [
    "read-atomic",
    "transactional-causal",
    "prefix-consistency",
    "snapshot-isolation",
    "serializable",
    "strict-serializable",
];

/// The same of transactions; the late one is out of order in real time alone.
#[track_caller]
fn assert_levels_judged(step: Step, late: (MicroOp, Reply)) {
    let history_of = |late| history(step, true, late);
    let (history, spoilt) = (history_of(None), history_of(Some(late)));
    let (facts, spoilt) = (Facts::new(&history), Facts::new(&spoilt));
    for level in LEVELS {
        assert_ne!(judgement(&facts, level), Judgement::Broken, "{level}");
        let is_broken = judgement(&spoilt, level) == Judgement::Broken;
        assert_eq!(is_broken, level == "strict-serializable", "{level}");
    }
}

#[test]
fn in_transactions_on_one_register() {
    assert_levels_judged(register, (MicroOp::Read { key: key(0) }, told(Some(0))));
}

#[test]
fn in_transactions_on_lists() {
    assert_levels_judged(list, (MicroOp::Read { key: key(0) }, all_of(&VecDeque::new())));
}
