//! Convergence: when the faults are gone and the replicas had their time, all of them say the same.
//!
//! ```text
//!   -- final-reads
//!   c0@A  read x  -> [1 2]
//!   c1@B  read x  -> [1 2]
//!   c2@C  read x  -> [1 3]       A and B agree, C does not: broken
//! ```
//!
//! Compared are values, not versions: siblings and the elements of sets without order. Source: strong
//! eventual consistency as in Shapiro, Preguiça, Baquero & Zawirski 2011, §2; here at one moment,
//! after the history's own time to settle.

use std::collections::BTreeMap;

use histories::{FaultStage, MicroOp, NodeName, Operation, Phase, Value};

use super::final_state::{self, Replicas};
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyNumber};
use crate::wording::{counted, grouped, listed, saw, step};
use crate::{Budget, Certainty, Chances, Checker, Finding, Verdict};

/// Compares the final reads of each key across nodes. O(n).
///
/// Not judged if a node answered no final read: what it holds is unknown. A key that was read on
/// fewer than two nodes does not count, nor does one that was still being changed. Says nothing
/// about whether the value on which all agree is the right one.
pub struct Convergence;

const GUARANTEE: &str = "convergence";

impl Checker for Convergence {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "once the faults are over, every node gives the same answer for every key"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let replicas = Replicas::new(facts);
        let comparison = compare(facts, &replicas);
        let chances = Chances { count: comparison.compared, what: what(facts, &replicas, &comparison) };
        if !comparison.findings.is_empty() {
            let count = comparison.findings.len() as u64;
            let of = counted(comparison.compared, "key", "keys");
            let differ = if count == 1 { "differs" } else { "differ" };
            let summary = format!("{} of {of} {differ} between nodes at the end", grouped(count));
            return Verdict::broken(GUARANTEE, chances, summary, count, sorted(facts, comparison.findings));
        }
        match why_not(facts, &replicas) {
            Some(why) => Verdict::not_judged(GUARANTEE, chances, why),
            None => Verdict::unbroken(GUARANTEE, chances),
        }
    }
}

struct Comparison {
    /// Keys read on at least two nodes, and no longer being changed.
    compared: u64,
    /// Of these, keys that were not read on every node.
    partly: u64,
    findings: Vec<Finding>,
}

fn compare(facts: &Facts<'_>, replicas: &Replicas<'_, '_>) -> Comparison {
    let mut comparison = Comparison { compared: 0, partly: 0, findings: Vec::new() };
    let late = late_changes(facts);
    for key in facts.keys() {
        let reads = replicas.final_reads(key);
        let late = late.get(&key).map(Vec::as_slice).unwrap_or_default();
        if reads.len() < 2 || still_changing(facts, late, &reads) {
            continue;
        }
        comparison.compared += 1;
        comparison.partly += u64::from(reads.len() < replicas.expected());
        let kind = facts.kind(key);
        let agree = |a: Address, b: Address| match (facts.observed(a), facts.observed(b)) {
            (Some(a), Some(b)) => final_state::same(kind, a, b),
            _ => true,
        };
        if let Some(odd) = reads.iter().find(|read| !agree(reads[0], **read)) {
            let groups = group(&reads, agree);
            comparison.findings.push(finding(facts, key, (reads[0], *odd), &groups));
        }
    }
    comparison
}

// A change that was asked before the last read ended and not answered before the first one began may
// lie between them. An unknown change from before is no such excuse: it had its time to spread.
fn still_changing(facts: &Facts<'_>, late: &[Address], reads: &[Address]) -> bool {
    let begun = reads.iter().map(|read| facts.operation(*read).invoked).min();
    let ended = reads.iter().filter_map(|read| facts.operation(*read).completed).max();
    late.iter().map(|at| facts.operation(*at)).any(|change| {
        let is_late = change.phase == Phase::FinalReads || change.completed >= begun;
        is_late && Some(change.invoked) <= ended
    })
}

/// Changes that were still going on when the final reads began, by key. Usually none.
fn late_changes(facts: &Facts<'_>) -> BTreeMap<KeyNumber, Vec<Address>> {
    let mut late: BTreeMap<KeyNumber, Vec<Address>> = BTreeMap::new();
    let Some(begun) = facts.history().final_reads().map(|read| read.invoked).min() else { return late };
    for operation in facts.history().operations() {
        let ended_late = operation.is_confirmed() && operation.completed >= Some(begun);
        let asked_late = operation.is_possible() && operation.phase == Phase::FinalReads;
        if !(ended_late || asked_late) || operation.call.is_read_only() {
            continue;
        }
        for (index, micro_op) in operation.call.micro_ops().iter().enumerate() {
            if !micro_op.is_read() {
                let address = Address { operation: operation.id, index: index as u32 };
                late.entry(facts.key_of(address)).or_default().push(address);
            }
        }
    }
    late
}

fn group(reads: &[Address], agree: impl Fn(Address, Address) -> bool) -> Vec<Vec<Address>> {
    let mut groups: Vec<Vec<Address>> = Vec::new();
    for read in reads {
        match groups.iter_mut().find(|group| agree(group[0], *read)) {
            Some(group) => group.push(*read),
            None => groups.push(vec![*read]),
        }
    }
    groups
}

fn finding(
    facts: &Facts<'_>,
    key: KeyNumber,
    (one, other): (Address, Address),
    groups: &[Vec<Address>],
) -> Finding {
    let name = facts.key(key);
    let values = |address| facts.observed(address).map(saw).unwrap_or_default();
    let nodes =
        |group: &Vec<Address>| listed(group.iter().map(|at| node_name(facts.operation(*at).node.as_ref())));
    let sides: Vec<String> =
        groups.iter().map(|group| format!("{} on {}", values(group[0]), nodes(group))).collect();
    let mut reads = [one, other];
    reads.sort_unstable();
    Finding {
        anomaly: names::DIVERGENCE,
        keys: vec![name.clone()],
        story: format!("At the end, key {name} is {}.", sides.join(", but ")),
        brief: format!("{name}: {}", sides.join(", ")),
        steps: vec![step(facts, reads[0], ""), step(facts, reads[1], "the proof")],
        edges: Vec::new(),
        conclusion: "Both nodes had their time after the last fault, and their answers differ.".into(),
        certainty: certainty(facts, one, other),
        weight: 1,
    }
}

fn certainty(facts: &Facts<'_>, one: Address, other: Address) -> Certainty {
    match unknown_change(facts, one, other) {
        Some(unknown) => Certainty::Likely(format!(
            "depends on {} of {}, whose answer never came: it may have taken effect between the two reads",
            unknown.id, unknown.session
        )),
        None => Certainty::Certain(
            "both reads were answered, and nothing that can explain it was changed between them".into(),
        ),
    }
}

/// A change without an answer, asked before the later read ended, that may be why the two differ.
fn unknown_change<'h>(facts: &Facts<'h>, one: Address, other: Address) -> Option<&'h Operation> {
    let ended = [one, other].iter().filter_map(|read| facts.operation(*read).completed).max();
    let values: Vec<&Value> =
        [one, other].iter().filter_map(|read| facts.observed(*read)).flat_map(|seen| &seen.values).collect();
    let may_explain = |at: &&Address| {
        let operation = facts.operation(**at);
        operation.outcome.is_unknown()
            && Some(operation.invoked) <= ended
            && touches(facts.micro_op(**at), &values)
    };
    facts.on_key(facts.key_of(one)).iter().find(may_explain).map(|at| facts.operation(*at))
}

// A value that neither saw cannot have made the difference; lists may be merged, and show only parts.
fn touches(micro_op: &MicroOp, values: &[&Value]) -> bool {
    match micro_op {
        MicroOp::Read { .. } => false,
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => {
            value.as_list().is_some() || values.contains(&value)
        }
        MicroOp::Append { element, .. }
        | MicroOp::Add { element, .. }
        | MicroOp::Remove { element, .. }
        | MicroOp::Enqueue { element, .. }
        | MicroOp::Push { element, .. } => {
            values.iter().any(|value| value.as_list().is_none_or(|list| list.contains(element)))
        }
        MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Pop { .. } => true,
    }
}

fn node_name(node: Option<&NodeName>) -> String {
    node.map_or_else(|| "the store".into(), ToString::to_string)
}

fn why_not(facts: &Facts<'_>, replicas: &Replicas<'_, '_>) -> Option<String> {
    if replicas.nodes.len() < 2 {
        return Some("needs final reads on at least two nodes; this history names fewer".into());
    }
    if !final_state::any(facts) {
        return Some("needs a final read on every node; this history has none".into());
    }
    let silent = replicas.silent();
    let refusals: Vec<String> = silent.iter().map(|node| replicas.refusal(node)).collect();
    (!silent.is_empty()).then(|| format!("needs a final read on every node; {}", refusals.join(", ")))
}

fn what(facts: &Facts<'_>, replicas: &Replicas<'_, '_>, comparison: &Comparison) -> String {
    let keys = counted(comparison.compared, "key", "keys");
    if comparison.compared == 0 {
        return "no key was read on two nodes at the end".into();
    }
    if !comparison.findings.is_empty() {
        return format!("{keys} read on {} at the end", replicas.names());
    }
    let mut what = format!("{keys} equal on {}{}", replicas.names(), since_the_heal(facts));
    if comparison.partly > 0 {
        what += &format!("; {} of them not read on every node", grouped(comparison.partly));
    }
    what
}

/// ` 1.2 s after the heal`, or after the load if that ended later: replicas that are being written to are
/// never equal for long.
fn since_the_heal(facts: &Facts<'_>) -> String {
    let history = facts.history();
    let healed = history.faults().iter().rev().find(|(_, fault)| fault.stage == FaultStage::Healed);
    let settled = history.phase_began(Phase::Settled).or(history.phase_began(Phase::FinalReads));
    let (Some((healed, _)), Some(settled)) = (healed, settled) else { return String::new() };
    let quiet = history.phase_began(Phase::Settle).unwrap_or(*healed);
    let (since, what) = if quiet > *healed { (quiet, "the load ended") } else { (*healed, "the heal") };
    match settled.since(since).as_secs_f64() {
        seconds if seconds < 0.05 => format!(" right after {what}"),
        seconds => format!(" {seconds:.1} s after {what}"),
    }
}

fn sorted(facts: &Facts<'_>, mut findings: Vec<Finding>) -> Vec<Finding> {
    // Keys are in natural order already, and a stable sort keeps that among equals.
    findings.sort_by_key(|finding| {
        let at = |index: usize| facts.history().operation(finding.steps[index].operation).invoked;
        (finding.steps.len(), at(1).since(at(0)))
    });
    findings
}
