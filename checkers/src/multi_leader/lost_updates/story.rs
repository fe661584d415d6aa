//! A lost update in words: the write that disappeared, the one that survived, the read that proves it.

use histories::{MicroOp, NodeName, Value};

use super::{Example, Loss};
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyNumber, elements_added};
use crate::multi_leader::final_state::Replicas;
use crate::wording::{all_answered, counted, grouped, place, saw, shown, step};
use crate::{Certainty, Edge, EdgeKind, Finding, Step};

/// Those that show what survived instead first: they say why. Then the fewest operations, then the
/// shortest time, then the lowest key.
pub(super) fn sort(facts: &Facts<'_>, findings: &mut [Finding]) {
    // Findings come in natural order of keys, and a stable sort keeps it among equals.
    findings.sort_by_key(|finding| {
        let at = |step: Option<&Step>| step.map(|step| facts.history().operation(step.operation).invoked);
        let (first, last) = (at(finding.steps.first()), at(finding.steps.last()));
        let shows_survivor = finding.edges.iter().any(|edge| edge.kind == EdgeKind::WriteWrite);
        (!shows_survivor, finding.steps.len(), last.zip(first).map(|(last, first)| last.since(first)))
    });
}

pub(super) fn finding(
    facts: &Facts<'_>,
    replicas: &Replicas<'_, '_>,
    key: KeyNumber,
    loss: &Loss,
) -> Finding {
    let telling = Telling { facts, key, all_nodes: replicas.names(), replicas: replicas.expected(), loss };
    let parts = match &loss.example {
        Example::Clash { lost, survivor, same_base, read } => {
            telling.clash(*lost, *survivor, *same_base, *read)
        }
        Example::Gone { lost, read } => telling.gone(*lost, *read),
        Example::Sum { lost, read, value, low, high, .. } => telling.sum(*lost, *read, (*value, *low, *high)),
    };
    Finding {
        anomaly: names::LOST_UPDATE,
        keys: vec![facts.key(key).clone()],
        story: parts.story,
        brief: parts.brief,
        certainty: telling.certainty(&parts.steps),
        steps: parts.steps,
        edges: parts.edges,
        conclusion: parts.conclusion,
        weight: loss.count,
    }
}

struct Parts {
    story: String,
    brief: String,
    steps: Vec<Step>,
    edges: Vec<Edge>,
    conclusion: String,
}

struct Telling<'a, 'h> {
    facts: &'a Facts<'h>,
    key: KeyNumber,
    all_nodes: String,
    replicas: usize,
    loss: &'a Loss,
}

impl Telling<'_, '_> {
    fn clash(&self, lost: Address, survivor: Address, same_base: bool, read: Address) -> Parts {
        let (gone, stayed) = (self.name(lost), self.name(survivor));
        let mut steps = vec![
            step(self.facts, lost, "this write disappears"),
            step(self.facts, survivor, self.why_unaware(lost, survivor)),
            step(self.facts, read, "the proof"),
        ];
        steps.sort_by_key(|step| step.operation);
        let number = |at: Address| number_of(&steps, at);
        let base = self.base(survivor);
        let noun = if self.facts.usage(self.key).list_values { "list" } else { "value" };
        let before = if same_base {
            format!(
                "but {} started from {base}, the {noun} as it was before {}",
                number(survivor),
                number(lost)
            )
        } else {
            format!("but {} started from {base}, which knew nothing of {}", number(survivor), number(lost))
        };
        let edges = vec![
            self.edge(
                lost,
                survivor,
                EdgeKind::WriteWrite,
                format!(
                    "{stayed} was stored over {gone}: {}",
                    self.final_reads(&self.instead(lost, survivor))
                ),
            ),
            self.edge(survivor, lost, EdgeKind::ReadWrite, before),
        ];
        let rival = self.facts.operation(survivor);
        Parts {
            story: self.story(lost),
            brief: format!("{gone} gone, replaced by {} → {}", rival.session, node(rival.node.as_ref())),
            steps,
            edges,
            conclusion: "So each of the two came before the other: a cycle that no order can explain.".into(),
        }
    }

    fn gone(&self, lost: Address, read: Address) -> Parts {
        let gone = self.name(lost);
        let edges = vec![
            self.edge(lost, read, EdgeKind::RealTime, "1 was confirmed before 2 began".into()),
            self.edge(
                read,
                lost,
                EdgeKind::ReadWrite,
                format!(
                    "but 2 saw {} without {gone}: {}",
                    self.facts.key(self.key),
                    self.final_reads("nothing of 1")
                ),
            ),
        ];
        let writer = self.facts.operation(lost);
        Parts {
            story: self.story(lost),
            brief: format!("{gone} gone, confirmed to {} → {}", writer.session, node(writer.node.as_ref())),
            steps: vec![step(self.facts, lost, "this write disappears"), step(self.facts, read, "the proof")],
            edges,
            conclusion: "So the read came after the write and before it: a cycle that no order can explain."
                .into(),
        }
    }

    fn sum(&self, lost: Address, read: Address, (value, low, high): (i128, i128, i128)) -> Parts {
        let key = self.facts.key(self.key);
        let at_least = counted(self.loss.count, "confirmed change", "confirmed changes");
        let unless = match self.loss.example {
            Example::Sum { repeated: Some(_), .. } => ", unless a decrement took effect more than once",
            _ => "",
        };
        let (allowed, calls) = if low == high {
            (low.to_string(), "the confirmed changes")
        } else {
            (format!("{low} to {high}"), "the confirmed changes, with or without those of unknown outcome,")
        };
        Parts {
            story: format!(
                "On key {key} {calls} add up to {allowed}, but at the end {} said {value}: at least {at_least} \
                 disappeared{unless}.",
                self.all_nodes
            ),
            brief: format!("{key} is {value}, not {allowed}"),
            steps: vec![
                step(self.facts, lost, "one of those confirmed"),
                step(self.facts, read, "the proof"),
            ],
            edges: vec![
                self.edge(
                    lost,
                    read,
                    EdgeKind::RealTime,
                    "1 and all others were confirmed before 2 began".into(),
                ),
                self.edge(
                    read,
                    lost,
                    EdgeKind::ReadWrite,
                    format!(
                        "but 2 saw {value}, and {calls} add up to {allowed}: it lacks 1 or others like it"
                    ),
                ),
            ],
            conclusion: "No choice among the calls without an answer, each once, adds up to what was read."
                .into(),
        }
    }

    fn story(&self, lost: Address) -> String {
        let operation = self.facts.operation(lost);
        let (gone, key) = (self.name(lost), self.facts.key(self.key));
        let did = match self.facts.micro_op(lost) {
            MicroOp::CompareAndSet { expected, value, .. } if elements_added(expected, value).is_empty() => {
                format!("changed {key} to {gone}")
            }
            _ => format!("added {gone} to {key}"),
        };
        let places = match self.replicas {
            1 => format!("gone from {}", self.all_nodes),
            2 => format!("gone from both nodes, {}", self.all_nodes),
            count => format!("gone from all {count} nodes, {}", self.all_nodes),
        };
        let more = match self.loss.count {
            1 => String::new(),
            count => format!(
                " It is one of {} that {key} lost.",
                counted(count, "confirmed write", "confirmed writes")
            ),
        };
        format!(
            "Client {} {did} on {} and the database said OK. At the end {gone} was {places}, and no final read \
             saw it or anything made from it.{more}",
            operation.session,
            place(operation)
        )
    }

    /// What an update is known by: the elements it added, else its value.
    fn name(&self, update: Address) -> String {
        match self.facts.micro_op(update) {
            MicroOp::CompareAndSet { expected, value, .. } => {
                let added = elements_added(expected, value);
                if added.is_empty() {
                    shown(value)
                } else {
                    added.into_iter().map(shown).collect::<Vec<_>>().join(" ")
                }
            }
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Remove { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. } => shown(element),
            MicroOp::Write { value, .. } => shown(value),
            MicroOp::Increment { by, .. } => format!("{by:+}"),
            MicroOp::Read { .. } | MicroOp::Delete { .. } | MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => {
                "nothing".into()
            }
        }
    }

    fn base(&self, update: Address) -> String {
        match self.facts.micro_op(update) {
            MicroOp::CompareAndSet { expected, .. } => saw(expected),
            _ => "an earlier state".into(),
        }
    }

    /// `434 and not 412`, or what came of 434 if a later update replaced that too.
    fn instead(&self, lost: Address, survivor: Address) -> String {
        let (gone, stayed) = (self.name(lost), self.name(survivor));
        let MicroOp::CompareAndSet { expected, value, .. } = self.facts.micro_op(survivor) else {
            return format!("{stayed} and not {gone}");
        };
        let added = elements_added(expected, value);
        let shows = |other: &Value| match other.as_list() {
            Some(list) if !added.is_empty() => added.iter().all(|element| list.contains(element)),
            _ => other == value,
        };
        let reads = self.facts.final_reads(self.key).iter().filter_map(|read| self.facts.observed(*read));
        if reads.into_iter().all(|observed| observed.values.iter().any(shows)) {
            format!("{stayed} and not {gone}")
        } else {
            format!("what came of {stayed}, and nothing of {gone}")
        }
    }

    fn why_unaware(&self, lost: Address, survivor: Address) -> String {
        let (lost, survivor) = (self.facts.operation(lost), self.facts.operation(survivor));
        match (&lost.node, &survivor.node) {
            (Some(one), Some(other)) if one != other => {
                format!("{other} did not know of {}", self.name_of(lost.id))
            }
            _ => String::new(),
        }
    }

    fn name_of(&self, operation: histories::OperationId) -> String {
        let on_key = self.facts.on_key(self.key).iter().find(|at| at.operation == operation);
        on_key.map(|at| self.name(*at)).unwrap_or_default()
    }

    fn final_reads(&self, have: &str) -> String {
        let count = self.facts.final_reads(self.key).len() as u64;
        let (all, noun, verb) = (
            grouped(count),
            if count == 1 { "read" } else { "reads" },
            if count == 1 { "has" } else { "have" },
        );
        format!("{all} of {all} final {noun} {verb} {have}")
    }

    fn edge(&self, from: Address, to: Address, kind: EdgeKind, because: String) -> Edge {
        Edge { from: from.operation, to: to.operation, kind, because }
    }

    fn certainty(&self, steps: &[Step]) -> Certainty {
        if let Example::Sum { repeated: Some(repeated), .. } = self.loss.example {
            let operation = self.facts.operation(repeated);
            return Certainty::Likely(format!(
                "decrements that took effect more than once, such as {} of {} ({}), would explain it too",
                self.name(repeated),
                operation.session,
                operation.id
            ));
        }
        let operations = steps.iter().map(|step| self.facts.history().operation(step.operation));
        let unknown = operations.enumerate().find(|(_, operation)| !operation.is_confirmed());
        match unknown {
            Some((index, _)) => Certainty::Likely(format!(
                "depends on operation {}, whose answer never came; but what it wrote was read",
                index + 1
            )),
            None => Certainty::Certain(format!(
                "{}, and {} {} read at the end",
                all_answered(steps.len()),
                self.all_nodes,
                if self.replicas == 1 { "was" } else { "were" }
            )),
        }
    }
}

fn number_of(steps: &[Step], at: Address) -> usize {
    steps.iter().position(|step| step.operation == at.operation).map_or(0, |index| index + 1)
}

fn node(node: Option<&NodeName>) -> String {
    node.map_or_else(|| "the store".into(), ToString::to_string)
}
