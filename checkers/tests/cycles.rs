//! Cycles of a million transactions: found in a time that grows with the history and not with its square,
//! and told in a few lines.
//!
//! ```text
//!   T0 ──wr──▶ T1 ──wr──▶ T2 ──wr──▶ …  ──wr──▶ T999999 ──wr──▶ T0        no cycle is shorter
//! ```

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use checkers::{Budget, Facts, Judgement, Verdict, checker};
use histories::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, Observed, Outcome, Reply, SessionId, Value,
};

/// A transaction as it was asked and answered.
type Answered = Vec<(MicroOp, Reply)>;

/// Each in a session of its own, and none ends before the last has begun.
fn at_once(transactions: impl Iterator<Item = Answered>) -> History {
    let (mut begin, mut end) = (Vec::new(), Vec::new());
    for (number, transaction) in (0..).zip(transactions) {
        let (session, time) = (SessionId(number), Nanos(u64::from(number)));
        let (micro_ops, replies): (Vec<MicroOp>, Vec<Reply>) = transaction.into_iter().unzip();
        let call = Call::Transaction(micro_ops);
        begin.push(Event { time, kind: EventKind::Invoke { session, node: None, planned: None, call } });
        let outcome = Outcome::Confirmed(replies.into());
        let time = time + Nanos(10_000_000);
        end.push(Event { time, kind: EventKind::Complete { session, outcome } });
    }
    begin.append(&mut end);
    History::new(Header::default(), begin).unwrap()
}

/// The same, one after the other in a few sessions.
fn in_turn(transactions: impl Iterator<Item = Answered>) -> History {
    let mut events = Vec::new();
    for (number, transaction) in (0..).zip(transactions) {
        let (session, time) = (SessionId(number % 50), Nanos(10 * u64::from(number)));
        let (micro_ops, replies): (Vec<MicroOp>, Vec<Reply>) = transaction.into_iter().unzip();
        let call = Call::Transaction(micro_ops);
        events.push(Event { time, kind: EventKind::Invoke { session, node: None, planned: None, call } });
        let outcome = Outcome::Confirmed(replies.into());
        events.push(Event { time: time + Nanos(5), kind: EventKind::Complete { session, outcome } });
    }
    History::new(Header::default(), events).unwrap()
}

fn key(number: u64) -> Key {
    Key::from(format!("k{number}"))
}

fn append(number: u64, element: u64) -> (MicroOp, Reply) {
    let element = Value::from(element as i64);
    (MicroOp::Append { key: key(number), element }, Reply::changed(None))
}

fn write(number: u64) -> (MicroOp, Reply) {
    (MicroOp::Write { key: key(number), value: Value::from(number as i64) }, Reply::changed(None))
}

/// A list as a transaction saw it.
fn list(number: u64, elements: &[u64]) -> (MicroOp, Reply) {
    let elements: Vec<Value> = elements.iter().map(|element| Value::from(*element as i64)).collect();
    let observed = match elements.as_slice() {
        [] => Observed::default(),
        _ => Observed { values: vec![Value::List(elements.into())], versions: Vec::new() },
    };
    (MicroOp::Read { key: key(number) }, Reply::read(observed))
}

fn register(number: u64, seen: Option<u64>) -> (MicroOp, Reply) {
    let observed = seen.map_or_else(Observed::default, |value| Observed::value(value as i64));
    (MicroOp::Read { key: key(number) }, Reply::read(observed))
}

/// Transactions in a circle.
#[derive(Clone, Copy)]
struct Circle {
    size: u64,
}

impl Circle {
    fn before(self, number: u64) -> u64 {
        (number + self.size - 1) % self.size
    }

    fn at_once(self, steps: impl Fn(u64) -> Answered) -> History {
        at_once((0..self.size).map(steps))
    }

    fn next(self, number: u64) -> u64 {
        (number + 1) % self.size
    }

    /// Each appends to a key of its own and saw what the one before appended.
    fn of_readers(self) -> impl Fn(u64) -> Answered {
        move |n| vec![append(n, n), list(self.before(n), &[self.before(n)])]
    }
}

const MILLION: Circle = Circle { size: 1_000_000 };
/// Long enough that no search for a shortest cycle ends.
const LONG: Circle = Circle { size: 60_000 };

/// Breaks these levels, each by that anomaly, and keeps those; and says so in a few lines.
fn is_told(history: &History, broken: &[(&str, &str)], held: &[&str]) -> Verdict {
    let facts = Facts::new(history);
    let judge = |level: &str| checker(level).unwrap().check(&facts, Budget::default());
    for level in held {
        assert_eq!(judge(level).judgement, Judgement::Held, "{level}");
    }
    let mut told = None;
    for (level, anomaly) in broken {
        let verdict = judge(level);
        assert_eq!(verdict.judgement, Judgement::Broken, "{level}");
        let finding = &verdict.findings[0];
        assert_eq!(finding.anomaly, *anomaly, "{level}");
        let letters = serde_json::to_string(finding).unwrap().len();
        assert!(letters < 10_000, "{level}: {letters} letters");
        told = Some(verdict);
    }
    told.unwrap()
}

#[test]
fn a_million_transactions_that_each_read_the_one_before() {
    let lists = MILLION.at_once(MILLION.of_readers());
    let broken = [("strict-serializable", "G1c"), ("read-committed", "G1c")];
    let verdict = is_told(&lists, &broken, &["read-uncommitted"]);
    let finding = &verdict.findings[0];
    assert_eq!(
        finding.story,
        "Among 1 000 000 transactions, transactions depended on each other in a circle."
    );
    assert_eq!(finding.steps.len(), 8);
    assert_eq!(finding.steps[1].remark, "c2 saw 1 in k1, which c1 had appended");
    assert_eq!(
        finding.conclusion,
        "And so on through 999 992 transactions more, and from the last to the first: a cycle that no order can explain."
    );
}

#[test]
fn a_circle_of_those_who_come_one_after_the_other_is_two_in_real_time() {
    let lists = in_turn((0..LONG.size).map(LONG.of_readers()));
    let broken = [("serializable", "G1c"), ("strict-serializable", "G1c-realtime")];
    let verdict = is_told(&lists, &broken, &[]);
    assert_eq!(verdict.findings[0].steps.len(), 2);
}

#[test]
fn registers_in_a_circle_of_those_who_miss_the_next() {
    let registers = LONG.at_once(|n| vec![write(n), register(LONG.next(n), None)]);
    is_told(&registers, &[("strict-serializable", "G2-item"), ("serializable", "G2-item")], &[]);
}

#[test]
fn readers_of_registers_in_a_circle() {
    let registers = LONG.at_once(|n| vec![write(n), register(LONG.before(n), Some(LONG.before(n)))]);
    is_told(
        &registers,
        &[("read-committed", "G1c"), ("serializable", "G1c"), ("strict-serializable", "G1c")],
        &[],
    );
}

#[test]
fn lists_in_a_circle_of_those_who_miss_the_next() {
    let lists = LONG.at_once(|n| vec![append(n, n), list(LONG.next(n), &[])]);
    is_told(
        &lists,
        &[("serializable", "G2-item"), ("strict-serializable", "G2-item")],
        &["snapshot-isolation"],
    );
}

#[test]
fn a_circle_of_readers_and_one_that_misses_another() {
    let last = LONG.before(0);
    let steps = |n: u64| match n {
        0 => vec![append(0, 0)],
        n if n == last => vec![list(LONG.before(n), &[LONG.before(n)]), list(0, &[])],
        n => LONG.of_readers()(n),
    };
    let broken = [
        ("snapshot-isolation", "G-single-item"),
        ("serializable", "G-single-item"),
        ("strict-serializable", "G-single-item"),
    ];
    is_told(&LONG.at_once(steps), &broken, &["read-committed"]);
}

#[test]
fn a_circle_of_those_who_see_one_and_miss_the_next() {
    let steps = |n: u64| match n % 2 {
        0 => vec![list(LONG.before(n), &[LONG.before(n)]), list(n + 1, &[])],
        _ => vec![append(n, n)],
    };
    let broken = [
        ("snapshot-isolation", "G-nonadjacent-item"),
        ("serializable", "G-nonadjacent-item"),
        ("strict-serializable", "G-nonadjacent-item"),
    ];
    is_told(&LONG.at_once(steps), &broken, &["read-committed"]);
}

#[test]
fn a_circle_of_those_who_overwrite_each_other() {
    let steps = |n: u64| match n % 2 {
        0 => vec![append(n, n), append((n + 2) % LONG.size, n)],
        _ => vec![list(n - 1, &[LONG.before(LONG.before(n - 1)), n - 1])],
    };
    let broken = [("read-uncommitted", "G0"), ("serializable", "G0"), ("strict-serializable", "G0")];
    is_told(&LONG.at_once(steps), &broken, &[]);
}

#[test]
fn one_list_whose_first_transaction_saw_the_last() {
    let (last, all): (u64, Vec<u64>) = (LONG.before(0), (0..LONG.size - 1).collect());
    let steps = |n: u64| match n {
        0 => vec![append(0, 0), list(1, &[0])],
        n if n == last - 1 => vec![append(0, n), append(1, 0)],
        n if n == last => vec![list(0, &all)],
        n => vec![append(0, n)],
    };
    is_told(&LONG.at_once(steps), &[("serializable", "G1c"), ("strict-serializable", "G1c")], &[]);
}
