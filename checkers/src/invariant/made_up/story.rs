//! A made-up value in words: who read it, and why it should not be there.

use histories::Operation;

use super::{Flaw, FlawKind, elements};
use crate::anomaly::names;
use crate::facts::{Address, Facts, natural_order};
use crate::wording::{counted, grouped, listed, shown, step};
use crate::{Certainty, Edge, EdgeKind, Finding, Step};

/// One finding a key and kind: the first read that shows it, and how many values it stands for.
pub(super) fn findings<'h>(facts: &Facts<'h>, flaws: &[Flaw<'h>]) -> Vec<Finding> {
    let mut flaws: Vec<&Flaw<'h>> = flaws.iter().collect();
    flaws.sort_by(|a, b| {
        let order = |flaw: &Flaw<'_>| (flaw.key, flaw.kind.anomaly());
        order(a).cmp(&order(b)).then_with(|| a.value.cmp(b.value)).then_with(|| a.read.cmp(&b.read))
    });
    let same_kind = |a: &&Flaw<'_>, b: &&Flaw<'_>| a.key == b.key && a.kind.anomaly() == b.kind.anomaly();
    let mut findings: Vec<Finding> = flaws
        .chunk_by(same_kind)
        .map(|flaws| {
            let distinct = flaws.chunk_by(|a, b| a.value == b.value).count() as u64;
            let first = flaws.iter().min_by_key(|flaw| flaw.read).expect("a chunk has an element");
            finding(facts, first, distinct)
        })
        .collect();
    findings.sort_by(|a, b| {
        let simple = a.steps.len().cmp(&b.steps.len());
        simple.then_with(|| natural_order(a.keys[0].as_str(), b.keys[0].as_str()))
    });
    findings
}

fn finding(facts: &Facts<'_>, flaw: &Flaw<'_>, weight: u64) -> Finding {
    let (key, value) = (facts.key(flaw.key), shown(flaw.value));
    let reader = facts.operation(flaw.read);
    let (steps, edges) = steps_and_edges(facts, flaw);
    let (story, conclusion) = told(facts, flaw);
    Finding {
        anomaly: flaw.kind.anomaly(),
        keys: vec![key.clone()],
        story: format!("Client {} read {key} and was told {value}{story}", reader.session),
        brief: format!("{key}: {value} seen {}", reader.invoked),
        steps,
        edges,
        conclusion,
        certainty: certainty(facts, flaw),
        weight,
    }
}

/// How the story goes on, and what it comes to.
fn told(facts: &Facts<'_>, flaw: &Flaw<'_>) -> (String, String) {
    let client = |at: Address| facts.operation(at).session;
    match flaw.kind {
        FlawKind::Nobody => (
            ", which nobody ever wrote.".into(),
            "No call in the whole history, of whatever outcome, could have made it.".into(),
        ),
        FlawKind::Failed(write) => (
            format!(", but the call of client {} that would have written it failed.", client(write)),
            "A failed call has no effect, so nobody may see one.".into(),
        ),
        FlawKind::Future(write) => (
            format!(", which client {} asked to write only after that.", client(write)),
            "The read ended before the value existed.".into(),
        ),
        FlawKind::TooOften { first, written: 1, .. } => (
            format!(" more than once, but client {} wrote it only once.", client(first)),
            "One call may take effect once.".into(),
        ),
        FlawKind::TooOften { written, seen, .. } => (
            format!(
                ", which was there {}, but written only {} in the whole history.",
                often(seen),
                often(written)
            ),
            "Each call may take effect once.".into(),
        ),
        FlawKind::OutOfBounds { low, high } => (
            format!(", but all calls until then allow only {low} to {high}."),
            "No choice among the calls, answered or not, adds up to it.".into(),
        ),
    }
}

fn steps_and_edges(facts: &Facts<'_>, flaw: &Flaw<'_>) -> (Vec<Step>, Vec<Edge>) {
    let read = |remark: &str| step(facts, flaw.read, remark);
    let edge = |from: Address, to: Address, kind, because: &str| Edge {
        from: from.operation,
        to: to.operation,
        kind,
        because: because.into(),
    };
    match flaw.kind {
        FlawKind::Nobody | FlawKind::OutOfBounds { .. } => (vec![read("the proof")], Vec::new()),
        FlawKind::Failed(write) => {
            let mut steps = vec![step(facts, write, "this had no effect"), read("the proof")];
            steps.sort_by_key(|step| step.operation);
            (
                steps,
                vec![edge(write, flaw.read, EdgeKind::WriteRead, "the read saw what it would have written")],
            )
        }
        FlawKind::TooOften { first, written, seen } => (
            match written {
                1 => vec![step(facts, first, "written once"), read("seen more than once")],
                _ => vec![
                    step(facts, first, format!("written {}, here first", often(written))),
                    read(&format!("seen {}", often(seen))),
                ],
            },
            vec![edge(first, flaw.read, EdgeKind::WriteRead, "the read saw what it wrote")],
        ),
        FlawKind::Future(write) if write.operation == flaw.read.operation => {
            (vec![read("the proof")], Vec::new())
        }
        FlawKind::Future(write) => (
            vec![read("sees it already"), step(facts, write, "asked for only now")],
            vec![
                edge(flaw.read, write, EdgeKind::RealTime, "the read ended before the write was asked for"),
                edge(write, flaw.read, EdgeKind::WriteRead, "but the read saw what it wrote"),
            ],
        ),
    }
}

fn certainty(facts: &Facts<'_>, flaw: &Flaw<'_>) -> Certainty {
    let unknown = |at: Address| -> Option<&Operation> {
        Some(facts.operation(at)).filter(|operation| operation.outcome.is_unknown())
    };
    let brings = |at: &Address| elements::brings(facts.micro_op(*at), flaw.value);
    if let FlawKind::TooOften { .. } = flaw.kind
        && let Some(operation) = facts.on_key(flaw.key).iter().copied().filter(brings).find_map(unknown)
    {
        return Certainty::Likely(format!(
            "depends on {} of {}, whose answer never came: it may have been sent twice",
            operation.id, operation.session
        ));
    }
    Certainty::Certain("the read was answered, and the history has every call that was made".into())
}

/// `twice`, `3 times`.
fn often(times: u64) -> String {
    if times == 2 { "twice".into() } else { counted(times, "time", "times") }
}

/// What happened, in the user's terms.
pub(super) fn summary(findings: &[Finding], times: u64) -> String {
    let anomaly = findings[0].anomaly;
    let same = findings.iter().all(|finding| finding.anomaly == anomaly);
    let verb = if times == 1 { "was" } else { "were" };
    let what = match anomaly {
        _ if !same => "read that should not be there",
        names::THIN_AIR_READ => "read that nobody wrote",
        names::ABORTED_READ => "read although the call to write it failed",
        names::FUTURE_READ => "read before anybody asked to write it",
        names::DUPLICATE_ELEMENTS => "seen more often than written",
        _ => "read that no calls add up to",
    };
    let mut keys: Vec<_> = findings.iter().map(|finding| finding.keys[0].clone()).collect();
    keys.dedup();
    keys.sort();
    keys.dedup();
    let on = match keys.as_slice() {
        [_] => format!("key {}", listed(&keys)),
        keys => format!("{} keys", grouped(keys.len() as u64)),
    };
    format!("{} {verb} {what}, on {on}", counted(times, "value", "values"))
}
