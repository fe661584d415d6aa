//! Stories: a finding's operations in the order of time, with what happened to the cluster in between.

use checkers::lattice::implies;
use checkers::{Edge, Finding};
use histories::{History, Nanos};

use super::model::{FaultLine, StoryRow, Told, ToldEdge};
use crate::judge::Row;
use crate::plan::Expectation;

pub(super) fn tell_all(history: &History, faults: &[FaultLine], rows: &[Row]) -> Vec<Told> {
    let mut expected_first: Vec<&Row> = rows.iter().collect();
    expected_first.sort_by_key(|row| row.expected == Expectation::Watch);
    let findings = expected_first.into_iter().flat_map(|row| {
        let cause = cause_of(row, rows);
        let is_new =
            move |finding: &&Finding| cause.is_none_or(|cause| !cause.verdict.findings.contains(finding));
        row.verdict.findings.iter().filter(is_new).map(|finding| (row.verdict.guarantee, finding.clone()))
    });
    let tell_one = |(index, (guarantee, finding))| tell(history, faults, index, guarantee, finding);
    findings.enumerate().map(tell_one).collect()
}

/// The broken guarantee that this broken one implies and whose findings are among its own: the strongest
/// of them, and so the one with the most in common.
pub(super) fn cause_of<'r>(row: &Row, rows: &'r [Row]) -> Option<&'r Row> {
    let guarantee = row.verdict.guarantee;
    let weaker = rows.iter().filter(|other| {
        let name = other.verdict.guarantee;
        other.verdict.is_broken() && name != guarantee && implies(guarantee, name)
    });
    weaker
        .filter(|other| other.verdict.findings.iter().all(|finding| row.verdict.findings.contains(finding)))
        .max_by_key(|other| other.verdict.findings.len())
}

fn tell(
    history: &History,
    faults: &[FaultLine],
    index: usize,
    guarantee: &'static str,
    finding: Finding,
) -> Told {
    let number = |id| finding.steps.iter().position(|step| step.operation == id).map(|position| position + 1);
    let edges = finding.edges.iter().filter_map(|edge: &Edge| {
        let (from, to) = (number(edge.from)?, number(edge.to)?);
        Some(ToldEdge { from, to, kind: edge.kind, because: edge.because.clone() })
    });
    Told {
        id: format!("A{}", index + 1),
        guarantee,
        anomaly: finding.anomaly,
        keys: finding.keys.iter().map(|key| named(key.as_str())).collect(),
        edges: edges.collect(),
        rows: story_rows(history, faults, &finding),
        story: finding.story.clone(),
        brief: finding.brief.clone(),
        conclusion: finding.conclusion.clone(),
        certainty: finding.certainty.clone(),
        weight: finding.weight,
        finding: Some(finding),
    }
}

/// The operations in the order of time, with what happened to the cluster in between.
fn story_rows(history: &History, faults: &[FaultLine], finding: &Finding) -> Vec<StoryRow> {
    let mut rows: Vec<StoryRow> = finding
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let operation = history.operation(step.operation);
            let node = operation.node.as_ref().map(|node| format!(" → {node}")).unwrap_or_default();
            StoryRow {
                number: Some(index + 1),
                operation: Some(operation.id.0),
                time: operation.invoked,
                who: format!("{}{node}", operation.session),
                what: step.what.clone(),
                answer: step.answer.clone(),
                remark: step.remark.clone(),
            }
        })
        .collect();
    let last = rows.iter().map(|row| row.time).max().unwrap_or_default();
    let first = rows.iter().map(|row| row.time).min().unwrap_or_default();
    rows.extend(cluster_rows(history, faults, first, last));
    rows.sort_by_key(|row| row.time);
    rows
}

/// At most this many lines about the cluster in one story.
const CLUSTER_ROWS_MAX: usize = 4;

fn cluster_rows(history: &History, faults: &[FaultLine], first: Nanos, last: Nanos) -> Vec<StoryRow> {
    let mut rows = Vec::new();
    for fault in faults {
        let Some(effective) = fault.effective else { continue };
        let healed = fault.healed.unwrap_or(history.end());
        if effective > last || healed < first {
            continue;
        }
        let row = |time, what| StoryRow {
            number: None,
            operation: None,
            time,
            who: stage_of(&fault.name).into(),
            what,
            answer: String::new(),
            remark: String::new(),
        };
        rows.push(row(effective, begins(fault)));
        if healed < last {
            rows.push(row(healed, ends(fault)));
        }
    }
    rows.sort_by_key(|row| row.time);
    rows.truncate(CLUSTER_ROWS_MAX);
    rows
}

fn stage_of(fault: &str) -> &'static str {
    match fault {
        "kill" | "pause" => "nodes",
        "effects" => "cluster",
        _ => "network",
    }
}

fn begins(fault: &FaultLine) -> String {
    let begins = what_begins(fault);
    if fault.trigger.is_empty() { begins } else { format!("{}: {begins}", fault.trigger) }
}

fn what_begins(fault: &FaultLine) -> String {
    match fault.name.as_str() {
        "partition" => format!("splits: {}", fault.summary),
        "effects" => fault.summary.clone(),
        name if fault.summary.starts_with(name) => fault.summary.clone(),
        name => format!("{name}: {}", fault.summary),
    }
}

fn ends(fault: &FaultLine) -> String {
    match fault.name.as_str() {
        "partition" | "one-way" | "flap" | "effects" => "heals".into(),
        "slow" => "is fast again".into(),
        "kill" => "restarted".into(),
        "pause" => "resumed".into(),
        name => format!("{name} ends"),
    }
}

/// A key as text; one without a name must still be seen.
fn named(key: &str) -> String {
    if key.is_empty() { r#""""#.into() } else { key.into() }
}
