//! Histories that are valid and mean little: operations of golden ones with parts of others, and operations
//! drawn from a few keys and values.

use histories::{
    Call, Event, EventKind, Header, History, HistoryBuilder, Key, List, MicroOp, Nanos, NodeName, Observed,
    Operation, Outcome, Phase, Reason, Reply, SessionId, Value, Version,
};

use crate::mutate::Draw;

/// A history with some of its operations changed, or those of several put together.
pub(crate) fn changed(histories: &[History], draw: &mut Draw) -> History {
    let mut operations: Vec<Operation> = draw.one_of(histories).operations().to_vec();
    if draw.below(3) == 0 {
        operations.extend(draw.one_of(histories).operations().iter().cloned());
    }
    for _ in 0..=draw.below(6) {
        if operations.is_empty() {
            break;
        }
        let other = draw.one_of(&operations).clone();
        let place = draw.below(operations.len());
        let operation = &mut operations[place];
        match draw.below(9) {
            0 => operation.outcome = other.outcome,
            1 => operation.call = other.call,
            2 => operation.session = other.session,
            3 => (operation.invoked, operation.completed) = (other.invoked, other.completed),
            4 => operation.phase = other.phase,
            5 => operation.outcome = Outcome::Unknown(Reason::from("timeout")),
            6 => operation.outcome = Outcome::Failed(Reason::from("conflict")),
            7 => change_answer(draw, operation),
            _ => operations.push(other),
        }
    }
    history(operations)
}

fn change_answer(draw: &mut Draw, operation: &mut Operation) {
    let Outcome::Confirmed(replies) = &mut operation.outcome else { return };
    for reply in replies.iter_mut() {
        if let Some(observed) = &mut reply.observed {
            *observed = seen(draw, observed);
        }
    }
}

fn seen(draw: &mut Draw, observed: &Observed) -> Observed {
    let mut observed = observed.clone();
    match draw.below(6) {
        0 => observed = Observed::default(),
        1 => observed.values.reverse(),
        2 => observed.values.push(value(draw)),
        3 => observed.values = vec![value(draw)],
        4 => observed.versions.clear(),
        _ => {
            let elements: Vec<Value> = (0..draw.below(4)).map(|_| value(draw)).collect();
            observed.values = vec![Value::List(List::from(elements))];
        }
    }
    if observed.versions.len() != observed.values.len() {
        observed.versions.clear();
    }
    observed
}

fn value(draw: &mut Draw) -> Value {
    match draw.below(12) {
        0 => Value::Integer(i64::MAX),
        1 => Value::Integer(i64::MIN),
        2 => Value::from("text"),
        3 => Value::List(List::from(vec![Value::Integer(1), Value::Integer(1)])),
        number => Value::Integer(number as i64 - 4),
    }
}

/// The history of what can be recorded; events that cannot follow those before them are left out.
fn history(operations: Vec<Operation>) -> History {
    let mut events: Vec<Event> = Vec::new();
    for Operation { session, node, call, invoked, completed, outcome, .. } in operations {
        let kind = EventKind::Invoke { session, node, planned: None, call };
        events.push(Event { time: invoked, kind });
        if let Some(time) = completed.filter(|time| *time >= invoked) {
            events.push(Event { time, kind: EventKind::Complete { session, outcome } });
        }
    }
    events.sort_by_key(|event| event.time);
    recorded(events)
}

fn recorded(events: Vec<Event>) -> History {
    let mut builder = HistoryBuilder::new(Header::default());
    for event in events {
        let _ = builder.push(event);
    }
    builder.finish()
}

/// Calls on a few keys and values, of some kinds or of all, each answered anyhow.
pub(crate) fn random(draw: &mut Draw) -> History {
    let (kinds, keys) = (1 + draw.below(12), 1 + draw.below(4));
    let sessions = 1 + draw.below(5);
    let (mut events, mut calls) = (Vec::new(), vec![None::<Call>; sessions]);
    let mut names: Vec<u32> = (0..sessions as u32).collect();
    for step in 0..draw.below(60) {
        let place = draw.below(sessions);
        let session = SessionId(names[place]);
        let time = Nanos(step as u64 / 2);
        if let Some(call) = calls[place].take() {
            let outcome = match draw.below(12) {
                0 => Outcome::Failed(Reason::from("conflict")),
                1 => Outcome::Unknown(Reason::from("timeout")),
                _ => Outcome::Confirmed(
                    call.micro_ops().iter().map(|micro_op| reply(draw, micro_op)).collect(),
                ),
            };
            if outcome.is_unknown() {
                names[place] += 100;
            }
            events.push(Event { time, kind: EventKind::Complete { session, outcome } });
            continue;
        }
        let micro_ops: Vec<MicroOp> = (0..1 + draw.below(4)).map(|_| micro_op(draw, kinds, keys)).collect();
        let call = match micro_ops.as_slice() {
            [one] if draw.below(2) == 0 => Call::Single(one.clone()),
            _ => Call::Transaction(micro_ops),
        };
        calls[place] = Some(call.clone());
        let node = (draw.below(2) == 0).then(|| NodeName::from("A"));
        events.push(Event { time, kind: EventKind::Invoke { session, node, planned: None, call } });
        if step == 40 {
            events.push(Event { time, kind: EventKind::Phase(Phase::FinalReads) });
        }
    }
    recorded(events)
}

fn micro_op(draw: &mut Draw, kinds: usize, keys: usize) -> MicroOp {
    let key = Key::from(format!("k{}", draw.below(keys)));
    match draw.below(2 * kinds) {
        0 => MicroOp::Write { key, value: value(draw) },
        1 => MicroOp::CompareAndSet { key, expected: Box::new(observed(draw)), value: value(draw) },
        2 => MicroOp::Append { key, element: value(draw) },
        3 => MicroOp::Add { key, element: value(draw) },
        4 => MicroOp::Remove { key, element: value(draw) },
        5 => MicroOp::Increment { key, by: value(draw).as_integer().unwrap_or(i64::MAX) },
        6 => MicroOp::Delete { key },
        7 => MicroOp::Enqueue { key, element: value(draw) },
        8 => MicroOp::Dequeue { key },
        9 => MicroOp::Push { key, element: value(draw) },
        10 => MicroOp::Pop { key },
        _ => MicroOp::Read { key },
    }
}

fn reply(draw: &mut Draw, micro_op: &MicroOp) -> Reply {
    match micro_op {
        MicroOp::Read { .. } | MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => Reply::read(observed(draw)),
        _ => Reply::changed((draw.below(3) == 0).then(|| Version::from(format!("v{}", draw.below(9))))),
    }
}

fn observed(draw: &mut Draw) -> Observed {
    let observed = Observed::default();
    match draw.below(4) {
        0 => observed,
        1 => Observed { values: vec![value(draw)], versions: Vec::new() },
        2 => Observed {
            values: vec![value(draw)],
            versions: vec![Version::from(format!("v{}", draw.below(9)))],
        },
        _ => seen(draw, &observed),
    }
}
