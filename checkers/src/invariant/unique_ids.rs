//! Unique ids: no name is given twice.
//!
//! ```text
//!   c0  dequeue ids → 17          a queue that nobody fills hands out ids
//!   c1  dequeue ids → 17          the same again: broken
//!
//!   c0  write x 1 → OK, version A:4
//!   c1  write x 2 → OK, version A:4        two states of one name: broken
//! ```
//!
//! Versions are compared key by key, and only of calls that made different states: a store may well give
//! two calls that change nothing the same one. O(n).

use histories::{MicroOp, Value, Version};
use rustc_hash::FxHashMap;

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyNumber};
use crate::invariant::proof::Proof;
use crate::wording::{counted, shown};
use crate::{Budget, Chances, Checker, Finding, Verdict};

/// Judges `unique-ids`.
pub struct UniqueIds;

const GUARANTEE: &str = "unique-ids";

impl Checker for UniqueIds {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "no id is handed out twice, and no two states of a key have one version"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut count, mut findings, mut twice) = (0, Vec::new(), 0);
        for key in facts.keys() {
            let judged = if is_source(facts, key) { ids(facts, key) } else { versions(facts, key) };
            count += judged.given;
            twice += judged.again;
            findings.extend(judged.finding);
        }
        let ids = counted(count, "id or version was given", "ids and versions were given");
        let what = if count == 0 { "no ids or versions were given".into() } else { ids };
        let chances = Chances { count, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let summary = format!("{} given again", counted(twice, "id or version was", "ids and versions were"));
        Verdict::broken(GUARANTEE, chances, summary, twice, findings)
    }
}

/// True if elements come out of this key and nobody ever puts any in.
pub(crate) fn is_source(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    let changes = usage.enqueues + usage.pushes + usage.writes + usage.compare_and_sets;
    changes == 0 && usage.dequeues + usage.pops > 0
}

#[derive(Default)]
struct Judged {
    given: u64,
    again: u64,
    finding: Option<Finding>,
}

fn ids(facts: &Facts<'_>, key: KeyNumber) -> Judged {
    let mut first: FxHashMap<&Value, Address> = FxHashMap::default();
    let mut judged = Judged::default();
    for at in facts.on_key(key) {
        let Some(id) = facts.observed(*at).and_then(|observed| observed.single()) else { continue };
        judged.given += 1;
        let before = *first.entry(id).or_insert(*at);
        if before != *at {
            judged.note(facts, (before, *at), format!("id {}", shown(id)));
        }
    }
    judged.weighed()
}

fn versions(facts: &Facts<'_>, key: KeyNumber) -> Judged {
    let mut first: FxHashMap<&Version, Address> = FxHashMap::default();
    let mut judged = Judged::default();
    if !facts.usage(key).versions {
        return judged;
    }
    for at in facts.on_key(key) {
        let Some(version) = facts.reply(*at).and_then(|reply| reply.version.as_ref()) else { continue };
        judged.given += 1;
        let before = *first.entry(version).or_insert(*at);
        if before.operation != at.operation && differ(facts.micro_op(before), facts.micro_op(*at)) {
            judged.note(facts, (before, *at), format!("version {version}"));
        }
    }
    judged.weighed()
}

// True if the two surely made different states.
fn differ(one: &MicroOp, other: &MicroOp) -> bool {
    match (stored(one), stored(other)) {
        (Some(value), Some(other)) => value != other,
        _ => false,
    }
}

fn stored(micro_op: &MicroOp) -> Option<&Value> {
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value),
        MicroOp::Read { .. }
        | MicroOp::Append { .. }
        | MicroOp::Add { .. }
        | MicroOp::Remove { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Enqueue { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Push { .. }
        | MicroOp::Pop { .. } => None,
    }
}

impl Judged {
    fn note(&mut self, facts: &Facts<'_>, (before, after): (Address, Address), what: String) {
        self.again += 1;
        if self.finding.is_some() {
            return;
        }
        let key = facts.key(facts.key_of(after)).clone();
        let client = |at: Address| facts.operation(at).session;
        let proof = Proof {
            anomaly: names::DUPLICATE_ID,
            story: format!(
                "Client {} was given {what} of {key}, and client {} was given it too.",
                client(before),
                client(after)
            ),
            brief: format!("{key}: {what} was given twice"),
            conclusion: "A name that stands for two things names neither.".into(),
            keys: vec![key],
            steps: vec![(before, ""), (after, "the proof")],
            edges: Vec::new(),
            weight: 1,
        };
        self.finding = Some(proof.finding(facts));
    }

    fn weighed(mut self) -> Self {
        if let Some(finding) = &mut self.finding {
            finding.weight = self.again;
        }
        self
    }
}
