//! A circle of what has to come first, in words.

use histories::OperationId;

use crate::anomaly::names;
use crate::facts::Address;
use crate::graph::{Dependency, DependencyGraph, Search};
use crate::views::order::{Ordered, search};
use crate::views::record::{Found, Record};
use crate::views::saturate::Before;
use crate::views::support::support;
use crate::wording::{all_answered, answered, asked, counted, listed, step};
use crate::{Budget, Certainty, Edge, EdgeKind, Facts, Finding};

/// Steps of the search for the shortest circle, and of that for fewer calls.
const SHORTEN_STEPS: u64 = 2_000_000;

/// Values above which a proof without a circle is not made shorter.
const VALUES_MAX: usize = 64;

/// The shortest circle among the `stuck`.
pub(super) fn circle(
    facts: &Facts<'_>,
    record: &Record,
    edges: &[Before],
    stuck: &[u32],
    session: Option<u32>,
) -> Finding {
    let number = |node: u32| stuck.binary_search(&node).ok().map(|place| OperationId(place as u32));
    let mut graph = DependencyGraph::new(stuck.len());
    for edge in edges {
        if let (Some(from), Some(to)) = (number(edge.from), number(edge.to)) {
            graph.add(Dependency { from, to, kind: edge.kind, reason: *edge });
        }
    }
    let within: Vec<OperationId> = (0..stuck.len() as u32).map(OperationId).collect();
    let found =
        graph.shortest_cycle(Search { within: &within, kinds: None }, &mut Budget { steps: SHORTEN_STEPS });
    // None only if the steps ran out before a first one was found.
    let circle: Vec<Before> = found.unwrap_or_default().into_iter().map(|edge| edge.reason).collect();
    let mut nodes = support(record, edges, &circle, SHORTEN_STEPS);
    // Who wrote what the reads saw.
    let sources: Vec<u32> = nodes.iter().filter_map(|node| source(record, *node)).collect();
    nodes.extend(sources);
    let told =
        circle.iter().filter(|edge| record.node(edge.from).at.operation != record.node(edge.to).at.operation);
    let edges = told.map(|edge| Edge {
        from: record.node(edge.from).at.operation,
        to: record.node(edge.to).at.operation,
        kind: edge.kind,
        because: because(facts, record, edge),
    });
    let story = match session {
        Some(session) => {
            let node = record.node(record.sessions[session as usize][0]);
            format!(
                "What client {} read has no order: {} would each have to come before the next, all around.",
                facts.operation(node.at).session,
                counted(circle.len() as u64, "call", "calls")
            )
        }
        None => format!(
            "{} would each have to come before the next, all around.",
            counted(circle.len() as u64, "call", "calls")
        ),
    };
    let edges: Vec<Edge> = edges.collect();
    assemble(facts, record, nodes, edges, (names::CONTRADICTORY_ORDERS, story))
}

/// The fewest calls found that have no order, where no circle shows it.
pub(super) fn no_order(facts: &Facts<'_>, record: &Record, budget: &mut Budget) -> Finding {
    let mut left: Vec<u32> = (0..record.nodes.len() as u32).collect();
    let values: Vec<u32> = left.iter().copied().filter(|node| record.node(*node).writes).collect();
    budget.steps = budget.steps.min(SHORTEN_STEPS);
    for value in values.into_iter().take(VALUES_MAX) {
        // A write goes with all who read it; a compare-and-set that read it keeps it.
        let goes = |node: &u32| *node == value || source(record, *node) == Some(value);
        if left.iter().any(|node| goes(node) && *node != value && record.node(*node).writes) {
            continue;
        }
        let fewer: Vec<u32> = left.iter().copied().filter(|node| !goes(node)).collect();
        if search(&part(record, &fewer), None, budget) == Ordered::Never {
            left = fewer;
        }
    }
    let story = format!(
        "{} have no order that explains what they read and keeps the order of each session.",
        counted(left.len() as u64, "call", "calls")
    );
    assemble(facts, record, left, Vec::new(), (names::NO_LEGAL_ORDER, story))
}

// Only these calls, ascending.
fn part(record: &Record, nodes: &[u32]) -> Record {
    let place = |node: u32| nodes.binary_search(&node).ok().map(|place| place as u32);
    let mut part = Record { sessions: vec![Vec::new(); record.sessions.len()], ..Record::default() };
    for (number, old) in nodes.iter().enumerate() {
        let mut node = *record.node(*old);
        if let Found::From(source) = node.found {
            node.found = place(source).map_or(Found::Unsaid, Found::From);
        }
        part.sessions[node.session as usize].push(number as u32);
        part.nodes.push(node);
    }
    part
}

fn source(record: &Record, node: u32) -> Option<u32> {
    match record.node(node).found {
        Found::From(source) => Some(source),
        Found::Initial | Found::Unsaid => None,
    }
}

fn because(facts: &Facts<'_>, record: &Record, edge: &Before) -> String {
    let client = |node: u32| facts.operation(record.node(node).at).session;
    let did = |node: u32| format!("{} {}", client(node), asked(facts.micro_op(record.node(node).at)));
    let key = facts.key(record.node(edge.read).key);
    match edge.kind {
        EdgeKind::Session => format!("{} did both, one after the other", client(edge.from)),
        EdgeKind::WriteRead => format!("{} found {key} as {} left it", client(edge.to), client(edge.from)),
        EdgeKind::WriteWrite => format!(
            "{} comes before {}'s read of {key}, which saw what {} wrote",
            did(edge.from),
            client(edge.read),
            client(edge.to)
        ),
        EdgeKind::ReadWrite | EdgeKind::RealTime => {
            format!("{} found {key} as it was before that", client(edge.from))
        }
    }
}

fn assemble(
    facts: &Facts<'_>,
    record: &Record,
    nodes: Vec<u32>,
    edges: Vec<Edge>,
    (anomaly, story): (&'static str, String),
) -> Finding {
    let mut addresses: Vec<Address> = nodes.iter().map(|node| record.node(*node).at).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let mut keys: Vec<_> = nodes.iter().map(|node| record.node(*node).key).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys: Vec<_> = keys.into_iter().map(|key| facts.key(key).clone()).collect();
    let mut operations: Vec<OperationId> = addresses.iter().map(|at| at.operation).collect();
    operations.dedup();
    let unknown = operations.iter().find(|id| facts.history().operation(**id).outcome.is_unknown());
    let last = addresses.iter().rev().find(|at| facts.observed(**at).is_some());
    let brief = match last {
        Some(at) => format!("{} told {}", asked(facts.micro_op(*at)), answered(facts, *at)),
        None => format!("no order on {}", listed(&keys)),
    };
    Finding {
        anomaly,
        story,
        brief,
        steps: addresses.iter().map(|at| step(facts, *at, "")).collect(),
        edges,
        conclusion: format!("So no order of the calls on {} explains what was read.", listed(&keys)),
        keys,
        certainty: match unknown {
            Some(id) => Certainty::Likely(format!("depends on {id}, whose answer never came")),
            None => Certainty::Certain(all_answered(operations.len())),
        },
        weight: 1,
    }
}
