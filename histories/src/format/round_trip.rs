//! Any history is read as it was written, whoever reads it; no bytes make a reader panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{jsonl, line, quick, read};
use crate::names::Names;
use crate::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z0-9:]{1,4}", 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![any::<i64>().prop_map(Value::Integer), text().prop_map(|text| Value::from(&*text))];
    leaf.prop_recursive(3, 8, 4, |inner| vec(inner, 0..4).prop_map(|elements| Value::List(elements.into())))
}

fn key() -> impl Strategy<Value = Key> {
    text().prop_map(Key::from)
}

fn version() -> impl Strategy<Value = Version> {
    text().prop_map(Version::from)
}

fn node() -> impl Strategy<Value = NodeName> {
    select(&["A", "B", "nœud \"3\""][..]).prop_map(NodeName::from)
}

fn observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        vec(value(), 0..3).prop_map(|values| Observed { values, versions: Vec::new() }),
        vec((value(), version()), 0..3).prop_map(|pairs| {
            let (values, versions) = pairs.into_iter().unzip();
            Observed { values, versions }
        }),
        version().prop_map(|version| Observed { values: Vec::new(), versions: vec![version] }),
    ]
}

fn micro_op() -> impl Strategy<Value = MicroOp> {
    prop_oneof![
        key().prop_map(|key| MicroOp::Read { key }),
        (key(), value()).prop_map(|(key, value)| MicroOp::Write { key, value }),
        (key(), observed(), value()).prop_map(|(key, expected, value)| MicroOp::CompareAndSet {
            key,
            expected: Box::new(expected),
            value
        }),
        (key(), value()).prop_map(|(key, element)| MicroOp::Append { key, element }),
        (key(), value()).prop_map(|(key, element)| MicroOp::Add { key, element }),
        (key(), value()).prop_map(|(key, element)| MicroOp::Remove { key, element }),
        (key(), any::<i64>()).prop_map(|(key, by)| MicroOp::Increment { key, by }),
        key().prop_map(|key| MicroOp::Delete { key }),
        (key(), value()).prop_map(|(key, element)| MicroOp::Enqueue { key, element }),
        key().prop_map(|key| MicroOp::Dequeue { key }),
        (key(), value()).prop_map(|(key, element)| MicroOp::Push { key, element }),
        key().prop_map(|key| MicroOp::Pop { key }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => micro_op().prop_map(Call::Single),
        1 => vec(micro_op(), 1..4).prop_map(Call::Transaction),
    ]
}

/// How a call ends: as this outcome, or confirmed with as many of these answers as it needs.
type Ending = (Option<Outcome>, Vec<(Observed, Option<Version>)>);

fn ending() -> impl Strategy<Value = Ending> {
    let reason = || prop_oneof![Just(Reason::TIMEOUT), text().prop_map(Reason::from)];
    let otherwise = prop_oneof![reason().prop_map(Outcome::Failed), reason().prop_map(Outcome::Unknown)];
    (option::weighted(0.3, otherwise), vec((observed(), option::of(version())), 3))
}

fn outcome(call: &Call, (otherwise, answers): Ending) -> Outcome {
    let reply = |(micro_op, (observed, version)): (&MicroOp, (Observed, Option<Version>))| match micro_op
        .observes()
    {
        true if micro_op.is_read() || observed.values.len() < 2 => {
            Reply { observed: Some(observed), version }
        }
        true => Reply { observed: Some(Observed::default()), version },
        false => Reply::changed(version),
    };
    let replies = call.micro_ops().iter().zip(answers).map(reply);
    otherwise.unwrap_or_else(|| Outcome::Confirmed(replies.collect()))
}

fn fault() -> impl Strategy<Value = FaultEvent> {
    let stages = [
        FaultStage::Injecting,
        FaultStage::Effective,
        FaultStage::Ineffective,
        FaultStage::Healing,
        FaultStage::Healed,
    ];
    let texts = (text(), text(), prop_oneof![Just(String::new()), text()]);
    (
        any::<u32>(),
        any::<u64>(),
        texts,
        select(stages.to_vec()),
        vec((node(), node()), 0..3),
        vec(node(), 0..3),
    )
        .prop_map(|(fault, planned, (name, summary, detail), stage, links, nodes)| FaultEvent {
            fault: FaultId(fault),
            name,
            stage,
            planned: Nanos(planned),
            summary,
            detail,
            links,
            nodes,
        })
}

const PHASES: [Phase; 5] = [Phase::Load, Phase::Settle, Phase::Settled, Phase::FinalReads, Phase::Done];

/// One thing that happens next. A session that has a call in flight is answered, else it calls.
#[derive(Debug, Clone)]
enum Step {
    Session(u32, Option<NodeName>, Option<u64>, Call, Ending),
    Other(EventKind),
}

fn step() -> impl Strategy<Value = Step> {
    let state = select(vec![NodeState::Up, NodeState::Paused, NodeState::Down]);
    prop_oneof![
        12 => (0..4_u32, option::of(node()), option::weighted(0.2, any::<u64>()), call(), ending())
            .prop_map(|(session, node, planned, call, ending)| Step::Session(session, node, planned, call, ending)),
        1 => fault().prop_map(|fault| Step::Other(EventKind::Fault(fault))),
        1 => (node(), state, text())
            .prop_map(|(node, state, detail)| Step::Other(EventKind::Node(NodeEvent { node, state, detail }))),
        1 => select(PHASES.to_vec()).prop_map(|phase| Step::Other(EventKind::Phase(phase))),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    let nodes = select(vec![vec![], vec!["A", "B", "nœud \"3\""]]);
    (text(), text(), proptest::collection::btree_map(text(), text(), 0..3), nodes).prop_map(
        |(name, seed, notes, nodes)| Header {
            name,
            seed,
            notes,
            nodes: nodes.into_iter().map(NodeName::from).collect(),
            ..Header::default()
        },
    )
}

/// Events that make a history: an unknown answer retires a session's number for the next one.
fn events() -> impl Strategy<Value = Vec<Event>> {
    vec((0..3_u64, step()), 0..24).prop_map(|steps| {
        let (mut time, mut next_session) = (0, 4);
        let mut ids = [0, 1, 2, 3].map(SessionId);
        let mut in_flight: [Option<Call>; 4] = Default::default();
        let happen = |(later, step): (u64, Step)| {
            time += later * 700_000;
            let kind = match step {
                Step::Other(kind) => kind,
                Step::Session(place, node, planned, call, ending) => {
                    let place = place as usize;
                    let session = ids[place];
                    match in_flight[place].take() {
                        None => {
                            in_flight[place] = Some(call.clone());
                            EventKind::Invoke { session, node, planned: planned.map(Nanos), call }
                        }
                        Some(asked) => {
                            let outcome = outcome(&asked, ending);
                            if outcome.is_unknown() {
                                ids[place] = SessionId(next_session);
                                next_session += 1;
                            }
                            EventKind::Complete { session, outcome }
                        }
                    }
                }
            };
            Event { time: Nanos(time), kind }
        };
        steps.into_iter().map(happen).collect()
    })
}

fn written(header: &Header, events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    jsonl::write_header(&mut out, header).unwrap();
    events.iter().for_each(|event| jsonl::write_event(&mut out, event).unwrap());
    out
}

fn read_slowly(line: &str) -> Option<Event> {
    line::read_event(line).ok()
}

fn read_quickly(line: &str) -> Option<Event> {
    quick::read_event(line, &mut Names::default())
}

proptest! {
    #[test]
    fn a_history_is_read_as_it_was_written(header in header(), events in events()) {
        let history = History::new(header.clone(), events.clone()).unwrap();
        let file = written(&header, &events);
        let reading = read(file.as_slice()).unwrap();
        prop_assert!(reading.warnings.is_empty());
        prop_assert_eq!(&reading.history, &history);
        let packed = zstd::encode_all(file.as_slice(), 1).unwrap();
        prop_assert_eq!(&read(packed.as_slice()).unwrap().history, &history);
    }

    #[test]
    fn both_readers_of_a_line_agree(events in events()) {
        for event in events {
            let mut bytes = Vec::new();
            jsonl::write_event(&mut bytes, &event).unwrap();
            let line = std::str::from_utf8(&bytes).unwrap().trim_end_matches('\n');
            prop_assert_eq!(read_slowly(line), Some(event.clone()));
            let quickly = read_quickly(line);
            let of_session = matches!(event.kind, EventKind::Invoke { .. } | EventKind::Complete { .. });
            prop_assert!(quickly.is_some() || !of_session || line.contains('\\'), "read slowly: {}", line);
            prop_assert!(quickly.is_none() || quickly == Some(event));
        }
    }

    /// What the quick reader takes, serde takes too, and as the same event.
    #[test]
    fn the_quick_reader_is_no_laxer(
        events in events(),
        place in any::<prop::sample::Index>(),
        change in prop_oneof![select(&["0", "-", "1", ",", "\"", "]", "[", "}", "{", " ", "e", ".", "\\", "\t"][..])],
        replace in 0..2_usize,
    ) {
        for event in events {
            let mut bytes = Vec::new();
            jsonl::write_event(&mut bytes, &event).unwrap();
            let mut line = String::from_utf8(bytes).unwrap();
            line.pop();
            let at = place.index(line.len());
            if line.is_char_boundary(at) && line.is_char_boundary(at + replace) {
                line.replace_range(at..at + replace, change);
            }
            if let Some(event) = read_quickly(&line) {
                prop_assert_eq!(read_slowly(&line), Some(event), "{}", line);
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), with_header in any::<bool>()) {
        let begin = if with_header { written(&Header::default(), &[]) } else { Vec::new() };
        let _ = read([begin, bytes].concat().as_slice());
    }

    #[test]
    fn no_spoilt_byte_makes_a_reader_panic(
        events in events(), place in any::<prop::sample::Index>(), byte in any::<u8>(), packed in any::<bool>()
    ) {
        let mut file = written(&Header::default(), &events);
        if packed {
            file = zstd::encode_all(file.as_slice(), 1).unwrap();
        }
        let place = place.index(file.len());
        file[place] = byte;
        let _ = read(file.as_slice());
    }

    #[test]
    fn any_values_survive(value in value()) {
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }
}
