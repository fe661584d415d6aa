//! A return from the dead in words: what brought the value, what removed it, who saw it again.

use histories::NodeName;

use super::{Before, Return, has_elements};
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyNumber};
use crate::multi_leader::is_same_node;
use crate::wording::{all_answered, listed, place, shown, step};
use crate::{Certainty, Edge, EdgeKind, Finding, Step};

/// The fewest operations first, then the shortest time, then the lowest key.
pub(super) fn sort(facts: &Facts<'_>, findings: &mut [Finding]) {
    findings.sort_by_key(|finding| {
        let at = |step: Option<&Step>| step.map(|step| facts.history().operation(step.operation).invoked);
        let (first, last) = (at(finding.steps.first()), at(finding.steps.last()));
        (finding.steps.len(), last.zip(first).map(|(last, first)| last.since(first)))
    });
}

/// The finding of one key: the simplest return stands for all.
pub(super) fn finding(facts: &Facts<'_>, key: KeyNumber, returns: &[Return<'_>]) -> Option<Finding> {
    let span = |found: &&Return<'_>| {
        let (made, read) = (facts.operation(found.maker), facts.operation(found.read));
        (found.before.is_some(), read.invoked.since(made.invoked), found.read)
    };
    let simplest = returns.iter().min_by_key(span)?;
    let removal = facts.operation(simplest.removal);
    let value = shown(simplest.value);
    Some(Finding {
        anomaly: names::RESURRECTION,
        keys: vec![facts.key(key).clone()],
        story: story(facts, key, simplest),
        brief: format!("{value} back, deleted by {} → {}", removal.session, node(removal.node.as_ref())),
        steps: steps(facts, simplest),
        edges: edges(facts, simplest),
        conclusion: "So the read came both after the delete and before it: no order can explain that.".into(),
        certainty: certainty(facts, simplest),
        weight: returns.len() as u64,
    })
}

fn story(facts: &Facts<'_>, key: KeyNumber, found: &Return<'_>) -> String {
    let (name, value, removal) = (facts.key(key), shown(found.value), facts.operation(found.removal));
    let did = match has_elements(facts, key) {
        true => format!("removed {value} from {name}"),
        false => format!("deleted {name}, which held {value},"),
    };
    let again = match found.before {
        Some(_) => format!("Reads on {} saw it, then saw it gone, and then it was back", place(removal)),
        None => format!("At the end {value} was there all the same, on {}", where_seen(facts, key, found)),
    };
    format!(
        "Client {} {did} on {} and the database said OK. {again}, though nobody had written it again.",
        removal.session,
        place(removal)
    )
}

fn where_seen(facts: &Facts<'_>, key: KeyNumber, found: &Return<'_>) -> String {
    let sees = |at: &&Address| super::seen(facts, **at).any(|(value, _)| value == found.value);
    let mut nodes: Vec<String> = facts
        .final_reads(key)
        .iter()
        .filter(sees)
        .map(|at| node(facts.operation(*at).node.as_ref()))
        .collect();
    nodes.sort();
    nodes.dedup();
    listed(nodes)
}

fn steps(facts: &Facts<'_>, found: &Return<'_>) -> Vec<Step> {
    let mut steps =
        vec![step(facts, found.maker, ""), step(facts, found.removal, "this delete does not last")];
    if let Some(Before { had, gone }) = found.before {
        steps.extend([step(facts, had, "there"), step(facts, gone, "gone")]);
    }
    steps.push(step(facts, found.read, "the proof: it is back"));
    steps.sort_by_key(|step| step.operation);
    steps
}

fn edges(facts: &Facts<'_>, found: &Return<'_>) -> Vec<Edge> {
    let value = shown(found.value);
    let removed = facts.operation(found.removal);
    let made = facts.operation(found.maker);
    let edge = |from: Address, to: Address, kind, because: String| Edge {
        from: from.operation,
        to: to.operation,
        kind,
        because,
    };
    let knew = if made.session == removed.session {
        format!("the client that deleted had written {value} itself")
    } else if made.precedes(removed) && is_same_node(made, removed) {
        format!("{value} was written to {} before", place(removed))
    } else {
        format!("{value} was read by this client or on this node before the delete")
    };
    vec![
        edge(found.maker, found.removal, EdgeKind::WriteWrite, knew),
        edge(
            found.removal,
            found.read,
            EdgeKind::RealTime,
            "the delete was confirmed before the read began".into(),
        ),
        edge(
            found.read,
            found.removal,
            EdgeKind::ReadWrite,
            format!("but the read saw {value}, the state from before the delete"),
        ),
    ]
}

fn certainty(facts: &Facts<'_>, found: &Return<'_>) -> Certainty {
    let made = facts.operation(found.maker);
    if made.outcome.is_unknown() {
        return Certainty::Likely(format!(
            "depends on {} of {}, whose answer never came; but what it wrote was read before the delete",
            made.id, made.session
        ));
    }
    let count = if found.before.is_some() { 5 } else { 3 };
    Certainty::Certain(format!("{}, and {} was not written again", all_answered(count), shown(found.value)))
}

fn node(node: Option<&NodeName>) -> String {
    node.map_or_else(|| "the store".into(), ToString::to_string)
}
