//! Our own JSON Lines, with everything that a history has.

use std::collections::BTreeMap;
use std::io::Write;

use super::sequence::{Step, steps};
use super::{Unwritable, Writer};
use crate::format::jsonl;
use crate::{Event, EventKind, History, Nanos};

pub(super) const WRITER: Writer = Writer { name: "jsonl", write };

fn write(history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
    jsonl::write_header(out, history.header())?;
    let mut others = others(history).into_iter().peekable();
    for (time, step, operation) in steps(history) {
        // What is asked in a phase is asked after it began.
        while let Some(other) = others.next_if(|other| {
            other.time < time
                || other.time == time && step == Step::Asked && !is_later(&other.kind, operation.phase)
        }) {
            jsonl::write_event(out, &other)?;
        }
        let kind = match step {
            Step::Asked => EventKind::Invoke {
                session: operation.session,
                node: operation.node.clone(),
                planned: operation.planned,
                call: operation.call.clone(),
            },
            Step::Answered => {
                EventKind::Complete { session: operation.session, outcome: operation.outcome.clone() }
            }
        };
        jsonl::write_event(out, &Event { time, kind })?;
    }
    for other in others {
        jsonl::write_event(out, &other)?;
    }
    Ok(Vec::new())
}

fn is_later(kind: &EventKind, phase: crate::Phase) -> bool {
    matches!(kind, EventKind::Phase(begun) if *begun > phase)
}

/// Faults, nodes and phases in the order of time.
fn others(history: &History) -> Vec<Event> {
    let mut others: BTreeMap<Nanos, Vec<EventKind>> = BTreeMap::new();
    let mut add = |time: Nanos, kind: EventKind| others.entry(time).or_default().push(kind);
    history.faults().iter().for_each(|(time, fault)| add(*time, EventKind::Fault(fault.clone())));
    history.node_events().iter().for_each(|(time, node)| add(*time, EventKind::Node(node.clone())));
    history.phases().iter().for_each(|(time, phase)| add(*time, EventKind::Phase(*phase)));
    let events =
        others.into_iter().flat_map(|(time, kinds)| kinds.into_iter().map(move |kind| Event { time, kind }));
    events.collect()
}
