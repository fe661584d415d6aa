//! A million operations, or a million sessions, overflow no stack and confuse no checker.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use checkers::{Budget, Facts, Judgement, Verdict, checker};
use histories::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, NodeName, Observed, Outcome, Phase, Reply,
    SessionId, Value, Version,
};

/// A store with one copy and 50 sessions one after the other on 1 000 keys: reads, writes,
/// compare-and-set with versions, some deletes. `forgets` plants one lost update.
struct Load {
    operations: u64,
    forgets: bool,
}

const KEYS: u64 = 1_000;
const SESSIONS: u64 = 50;

impl Load {
    fn history(&self) -> History {
        let nodes = ["A", "B", "C"].map(NodeName::from);
        let keys: Vec<Key> = (0..KEYS).map(|key| Key::from(format!("k{key}"))).collect();
        let mut states = vec![Observed::default(); keys.len()];
        let mut events = Vec::new();
        for number in 0..self.operations {
            let key = (number * 7919 % KEYS) as usize;
            let call = self.call(number, &keys[key], &states[key]);
            let reply = apply(&call, number, &mut states[key]);
            let session = SessionId((number % SESSIONS) as u32);
            push(&mut events, (session, &nodes[(number % 3) as usize]), call, reply);
        }
        if self.forgets {
            let base = states[17].clone();
            let update = |value: i64| MicroOp::CompareAndSet {
                key: keys[17].clone(),
                expected: Box::new(base.clone()),
                value: Value::from(value),
            };
            for (index, value) in [-1, -2].into_iter().enumerate() {
                let version = Version::from(format!("lost:{value}"));
                let session = SessionId(index as u32);
                let reply = Reply::changed(Some(version.clone()));
                push(&mut events, (session, &nodes[index]), update(value), reply);
                if value == -2 {
                    states[17] = Observed { values: vec![Value::from(value)], versions: vec![version] };
                }
            }
        }
        let time = events.last().map(|event: &Event| event.time).unwrap();
        events.push(Event { time, kind: EventKind::Phase(Phase::FinalReads) });
        for (key, state) in keys.iter().zip(&states) {
            for node in &nodes {
                let read = MicroOp::Read { key: key.clone() };
                push(&mut events, (SessionId(0), node), read, Reply::read(state.clone()));
            }
        }
        History::new(Header { nodes: nodes.to_vec(), ..Header::default() }, events).unwrap()
    }

    fn call(&self, number: u64, key: &Key, state: &Observed) -> MicroOp {
        let (key, value) = (key.clone(), Value::from(number as i64));
        match number / KEYS % 10 {
            0 => MicroOp::Write { key, value },
            1..=4 => MicroOp::CompareAndSet { key, expected: Box::new(state.clone()), value },
            5 if number.is_multiple_of(97) => MicroOp::Delete { key },
            _ => MicroOp::Read { key },
        }
    }
}

fn apply(call: &MicroOp, number: u64, state: &mut Observed) -> Reply {
    let version = Version::from(format!("A:{number}"));
    match call {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => {
            *state = Observed { values: vec![value.clone()], versions: vec![version.clone()] };
        }
        MicroOp::Delete { .. } => *state = Observed { values: Vec::new(), versions: vec![version.clone()] },
        _ => return Reply::read(state.clone()),
    }
    Reply::changed(Some(version))
}

fn push(events: &mut Vec<Event>, (session, node): (SessionId, &NodeName), call: MicroOp, reply: Reply) {
    let time = Nanos(events.len() as u64 * 1_000);
    let call = Call::from(call);
    let invoke = EventKind::Invoke { session, node: Some(node.clone()), planned: None, call };
    events.push(Event { time, kind: invoke });
    let outcome = Outcome::confirmed(reply);
    events.push(Event { time: time + Nanos(500), kind: EventKind::Complete { session, outcome } });
}

fn judge(facts: &Facts<'_>, guarantee: &str) -> Verdict {
    checker(guarantee).unwrap().check(facts, Budget::default())
}

#[test]
fn a_million_operations_are_judged() {
    let history = Load { operations: 1_000_000, forgets: false }.history();
    let facts = Facts::new(&history);
    for guarantee in ["convergence", "deletes-stay-deleted", "no-made-up-values"] {
        assert_eq!(judge(&facts, guarantee).judgement, Judgement::Held, "{guarantee}");
    }
    let by_order = ["causal-order", "linearizable", "monotonic-reads", "monotonic-writes"];
    for guarantee in by_order.into_iter().chain(["read-your-writes", "writes-follow-reads"]) {
        assert_eq!(judge(&facts, guarantee).judgement, Judgement::Held, "{guarantee}");
    }
    // One copy after another: no two sessions start from one version.
    assert!(!judge(&facts, "no-lost-updates").is_broken());
}

#[test]
fn one_chain_of_a_million_changes_overflows_nothing() {
    let (key, node) = (Key::from("x"), NodeName::from("A"));
    let (mut events, mut state) = (Vec::new(), Observed::default());
    for number in 0..1_000_000 {
        let (key, value) = (key.clone(), Value::from(number));
        let call = match number % 10 {
            9 => MicroOp::Read { key },
            _ => MicroOp::CompareAndSet { key, expected: Box::new(state.clone()), value },
        };
        let reply = match &call {
            MicroOp::Read { .. } => Reply::read(state.clone()),
            _ => {
                state = Observed::value(number);
                Reply::changed(None)
            }
        };
        push(&mut events, (SessionId(number as u32 % 3), &node), call, reply);
    }
    let history = History::new(Header::default(), events).unwrap();
    let facts = Facts::new(&history);
    for guarantee in ["linearizable", "causal-order", "read-your-writes"] {
        assert_eq!(judge(&facts, guarantee).judgement, Judgement::Held, "{guarantee}");
    }
}

#[test]
fn a_hundred_thousand_short_sessions_are_judged() {
    let keys: Vec<Key> = (0..KEYS).map(|key| Key::from(format!("k{key}"))).collect();
    let node = NodeName::from("A");
    let (mut events, mut states) = (Vec::new(), vec![None; keys.len()]);
    for number in 0..100_000_usize {
        let (from, to) = (number * 7919 % keys.len(), number % keys.len());
        let session = SessionId(number as u32);
        let read = MicroOp::Read { key: keys[from].clone() };
        let seen = states[from].map_or_else(Observed::default, Observed::value);
        push(&mut events, (session, &node), read, Reply::read(seen));
        let value = number as i64;
        let write = MicroOp::Write { key: keys[to].clone(), value: Value::from(value) };
        push(&mut events, (session, &node), write, Reply::changed(None));
        states[to] = Some(value);
    }
    let history = History::new(Header::default(), events).unwrap();
    let facts = Facts::new(&history);
    for guarantee in ["causal-order", "read-your-writes"] {
        assert!(!judge(&facts, guarantee).is_broken(), "{guarantee}");
    }
}

/// Sessions one after the other on three keys, each of so many calls; none is ever heard of again. `stale`
/// plants one that replaces a value that it has read, and one that sees the new value and then the old.
fn short_sessions(sessions: u32, calls: u32, stale: bool) -> History {
    let (keys, node) = (["x", "y", "z"].map(Key::from), NodeName::from("A"));
    let (mut events, mut states) = (Vec::new(), [None; 3]);
    for number in 0..sessions * calls {
        // Some sessions read what they wrote just before, others what others wrote.
        let turn = if number % 8 < 4 { number / 2 } else { number * 3 + 1 };
        let (session, key) = (SessionId(number / calls), (turn * 7 % 11 % 3) as usize);
        let on = keys[key].clone();
        if number % 2 == 0 {
            states[key] = Some(i64::from(number));
            let write = MicroOp::Write { key: on, value: Value::from(i64::from(number)) };
            push(&mut events, (session, &node), write, Reply::changed(None));
        } else {
            let seen = states[key].map_or_else(Observed::default, Observed::value);
            push(&mut events, (session, &node), MicroOp::Read { key: on }, Reply::read(seen));
        }
    }
    if stale {
        let on = || keys[0].clone();
        let read = |value: Option<i64>| {
            let seen = value.map_or_else(Observed::default, Observed::value);
            (MicroOp::Read { key: on() }, Reply::read(seen))
        };
        let expected = Box::new(states[0].map_or_else(Observed::default, Observed::value));
        let replace = MicroOp::CompareAndSet { key: on(), expected, value: Value::from(-1) };
        let replace = (replace, Reply::changed(None));
        let planted = [(0, read(states[0])), (0, replace), (1, read(Some(-1))), (1, read(states[0]))];
        for (session, (call, reply)) in planted {
            push(&mut events, (SessionId(sessions + session), &node), call, reply);
        }
    }
    History::new(Header::default(), events).unwrap()
}

const BY_SESSIONS: [&str; 9] = [
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

#[test]
fn a_hundred_thousand_sessions_on_three_keys_are_judged() {
    assert_judged(&short_sessions(100_000, 4, false));
}

fn assert_judged(history: &History) {
    let facts = Facts::new(history);
    for guarantee in BY_SESSIONS {
        let judgement = judge(&facts, guarantee).judgement;
        assert!(is_judged(&judgement), "{guarantee}: {judgement:?}");
    }
}

// Held, or nothing could have broken it.
fn is_judged(judgement: &Judgement) -> bool {
    match judgement {
        Judgement::Held => true,
        Judgement::Broken => false,
        Judgement::NotJudged { why } => why.starts_with("nothing: "),
    }
}

#[test]
fn a_million_sessions_of_one_call_are_judged() {
    assert_judged(&short_sessions(1_000_000, 1, false));
}

#[test]
fn one_step_back_is_found_among_a_hundred_thousand_sessions() {
    let history = short_sessions(100_000, 4, true);
    let facts = Facts::new(&history);
    let broken = ["causal-order", "causal-consistency", "monotonic-reads"];
    for guarantee in broken {
        assert!(judge(&facts, guarantee).is_broken(), "{guarantee}");
    }
    assert!(!judge(&facts, "read-your-writes").is_broken());
}

#[test]
fn one_lost_update_is_found_among_a_hundred_thousand_operations() {
    let history = Load { operations: 100_000, forgets: true }.history();
    let verdict = judge(&Facts::new(&history), "no-lost-updates");
    assert!(verdict.is_broken());
    assert_eq!(verdict.summary, "1 confirmed write disappeared, on 1 key");
    assert_eq!(verdict.findings[0].keys, [Key::from("k17")]);
    assert_eq!(verdict.findings[0].brief, "-1 gone, replaced by c1 → B");
}
