//! The report model: everything that any form of report says, as data. `verdict.json` is this.

use checkers::wording::{counted, grouped, listed};
use checkers::{Certainty, Edge, Finding, Judgement};
use histories::{FaultStage, History, Nanos, NodeState, Outcome, Phase};
use serde::Serialize;

use crate::exit::Exit;
use crate::judge::{Judged, Row};
use crate::plan::Expectation;

/// The version of `verdict.json`.
pub(crate) const VERSION: u32 = 1;

/// A judged run, ready to be shown.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) version: u32,
    pub(crate) state: State,
    /// What happened, in the user's terms.
    pub(crate) headline: String,
    /// Plan, target, span, operations, seed.
    pub(crate) context: String,
    pub(crate) exit_code: u8,
    /// Why the exit code is not what the state suggests; empty if it is.
    pub(crate) exit_note: String,
    pub(crate) operations: Counts,
    pub(crate) guarantees: Vec<GuaranteeRow>,
    pub(crate) findings: Vec<Told>,
    pub(crate) faults: Vec<FaultLine>,
    /// What a reader should know about how the record came to be.
    pub(crate) notes: Vec<String>,
    /// What would help where something could not be judged, and what was not tried.
    pub(crate) advice: Vec<String>,
}

/// The verdict as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Broken,
    Held,
    Indeterminate,
}

/// How calls ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) total: u64,
    pub(crate) confirmed: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
}

/// One line of the table of guarantees.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct GuaranteeRow {
    pub(crate) guarantee: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) observed: Judgement,
    pub(crate) count: u64,
    pub(crate) chances: u64,
    /// What put it to the test, or why it could not be judged.
    pub(crate) tested_by: String,
}

/// A finding with its operations looked up.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Told {
    /// `A1`, `A2`, … over the whole report.
    pub(crate) id: String,
    pub(crate) guarantee: &'static str,
    pub(crate) anomaly: &'static str,
    pub(crate) keys: Vec<String>,
    pub(crate) story: String,
    pub(crate) brief: String,
    pub(crate) rows: Vec<StoryRow>,
    pub(crate) edges: Vec<ToldEdge>,
    pub(crate) conclusion: String,
    pub(crate) certainty: Certainty,
    pub(crate) weight: u64,
}

/// One row of a story: an operation, or something that happened to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StoryRow {
    /// The operation's number in the story; none for what happened to the cluster.
    pub(crate) number: Option<usize>,
    /// The operation's number in the history.
    pub(crate) operation: Option<u32>,
    pub(crate) time: Nanos,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) answer: String,
    pub(crate) remark: String,
}

/// An edge between two numbered rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ToldEdge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: checkers::EdgeKind,
    pub(crate) because: String,
}

/// A fault, from injection to healing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FaultLine {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) planned: Nanos,
    pub(crate) effective: Option<Nanos>,
    pub(crate) healed: Option<Nanos>,
    /// How it was seen to bite, or why it did not.
    pub(crate) evidence: String,
}

/// What the history itself does not say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// What to call the span, if not by the history's end.
    pub(crate) interrupted: Option<Exit>,
    /// Warnings from reading the history, and from the run.
    pub(crate) notes: Vec<String>,
    /// The command that an expected failure belongs to, such as `demo`.
    pub(crate) expected_by: Option<&'static str>,
}

/// Puts a judged history into words.
pub(crate) fn build(history: &History, judged: &Judged, circumstances: Circumstances) -> Report {
    let exit = circumstances.interrupted.map_or(judged.exit, |exit| judged.exit.worse(exit));
    let state = state_of(judged);
    let findings = tell_all(history, &judged.rows);
    Report {
        version: VERSION,
        state,
        headline: headline(history, judged, state),
        context: context(history),
        exit_code: exit.code(),
        exit_note: exit_note(state, exit, &circumstances),
        operations: count(history),
        guarantees: judged.rows.iter().map(|row| guarantee_row(row, judged)).collect(),
        findings,
        faults: fault_lines(history),
        notes: notes(history, circumstances.notes),
        advice: advice(history, judged, state),
    }
}

fn state_of(judged: &Judged) -> State {
    let counts = |row: &&Row| row.expected != Expectation::Watch;
    let broken = |row: &Row| row.verdict.is_broken();
    if judged.exit == Exit::Broken || judged.rows.iter().filter(counts).any(broken) {
        return State::Broken;
    }
    match judged.exit {
        Exit::Indeterminate => State::Indeterminate,
        _ => State::Held,
    }
}

fn headline(history: &History, judged: &Judged, state: State) -> String {
    let expected: Vec<&Row> = judged.rows.iter().filter(|row| row.expected != Expectation::Watch).collect();
    match state {
        State::Broken => match expected.iter().find(|row| row.verdict.is_broken()) {
            Some(row) => format!("{}: {}", row.verdict.guarantee, row.verdict.summary),
            None => missing_break(&expected),
        },
        State::Held if expected.is_empty() => {
            "nothing was expected, and nothing that is watched decides".into()
        }
        State::Held => {
            let all = if expected.len() == 1 { "the".into() } else { format!("all {}", expected.len()) };
            let plural = if expected.len() == 1 { "" } else { "s" };
            format!("{all} expected guarantee{plural} held {}", under(history))
        }
        State::Indeterminate => {
            let unjudged =
                expected.iter().filter(|row| matches!(row.verdict.judgement, Judgement::NotJudged { .. }));
            let (open, all) = (unjudged.count(), expected.len());
            format!(
                "nothing was proved: {open} of {} could not be judged",
                counted(all as u64, "guarantee", "guarantees")
            )
        }
    }
}

fn missing_break(expected: &[&Row]) -> String {
    let held = expected.iter().filter(|row| row.expected == Expectation::Break && !row.verdict.is_broken());
    let names: Vec<&str> = held.map(|row| row.verdict.guarantee).collect();
    format!("{}: expected to break, and did not", listed(names))
}

/// `while the network was split`.
fn under(history: &History) -> String {
    let mut circumstances: Vec<&str> = Vec::new();
    for (_, fault) in history.faults().iter().filter(|(_, fault)| fault.stage == FaultStage::Effective) {
        let circumstance = match fault.name.as_str() {
            "partition" | "one-way" => "the network was split",
            "flap" => "the network flapped",
            "slow" => "the network was slow",
            "kill" => "nodes were killed",
            "pause" => "nodes were paused",
            _ => "faults were injected",
        };
        if !circumstances.contains(&circumstance) {
            circumstances.push(circumstance);
        }
    }
    if circumstances.is_empty() {
        "without any fault".into()
    } else {
        format!("while {}", listed(circumstances))
    }
}

fn context(history: &History) -> String {
    let header = history.header();
    let mut parts: Vec<String> = Vec::new();
    if !header.name.is_empty() {
        parts.push(header.name.clone());
    }
    let nodes = history.nodes().len() as u64;
    if !header.target.is_empty() {
        parts.push(format!("{}, {}", header.target, counted(nodes, "node", "nodes")));
    }
    let load_end = history.phase_began(Phase::Settle).unwrap_or(history.end());
    parts.push(format!("{:.1} s", load_end.as_secs_f64()));
    parts.push(format!("{} operations", grouped(history.operations().len() as u64)));
    if !header.seed.is_empty() {
        parts.push(format!("seed {}", header.seed));
    }
    parts.join(" · ")
}

fn exit_note(state: State, exit: Exit, circumstances: &Circumstances) -> String {
    match (state, exit, circumstances.expected_by) {
        (State::Broken, Exit::Met, Some(command)) => format!(", because the {command} expects this"),
        (State::Broken, Exit::Met, None) => ", because the plan expects this".into(),
        (_, Exit::Interrupted, _) => ", because it was stopped with Ctrl-C".into(),
        (_, Exit::Terminated, _) => ", because it was told to stop".into(),
        _ => String::new(),
    }
}

fn count(history: &History) -> Counts {
    let mut counts = Counts::default();
    for operation in history.operations() {
        counts.total += 1;
        match operation.outcome {
            Outcome::Confirmed(_) => counts.confirmed += 1,
            Outcome::Failed(_) => counts.failed += 1,
            Outcome::Unknown(_) => counts.unknown += 1,
        }
    }
    counts
}

fn guarantee_row(row: &Row, judged: &Judged) -> GuaranteeRow {
    let verdict = &row.verdict;
    let tested_by = match &verdict.judgement {
        Judgement::Held => verdict.chances.what.clone(),
        Judgement::NotJudged { why } => why.clone(),
        Judgement::Broken => consequence(row, judged).unwrap_or_else(|| verdict.chances.what.clone()),
    };
    GuaranteeRow {
        guarantee: verdict.guarantee,
        promise: checkers::checker(verdict.guarantee).map(|checker| checker.promise()).unwrap_or_default(),
        expected: row.expected.as_str(),
        observed: verdict.judgement.clone(),
        count: verdict.count,
        chances: verdict.chances.count,
        tested_by,
    }
}

/// Session guarantees break where updates are lost: say so once instead of telling it twice.
fn consequence(row: &Row, judged: &Judged) -> Option<String> {
    if row.expected != Expectation::Watch || row.verdict.guarantee == "no-lost-updates" {
        return None;
    }
    let cause = judged
        .rows
        .iter()
        .find(|row| row.verdict.guarantee == "no-lost-updates" && row.verdict.is_broken())?;
    let lost: Vec<_> = cause.verdict.findings.iter().flat_map(|finding| &finding.keys).collect();
    let follows = |finding: &Finding| finding.keys.iter().all(|key| lost.contains(&key));
    row.verdict.findings.iter().all(follows).then(|| {
        let count = row.verdict.count;
        let all =
            if count == 1 { "on a key that".into() } else { format!("all {} on keys that", grouped(count)) };
        format!("{all} lost updates too")
    })
}

fn tell_all(history: &History, rows: &[Row]) -> Vec<Told> {
    let of_row = |row: &Row| {
        let guarantee = row.verdict.guarantee;
        row.verdict.findings.iter().map(move |finding| (guarantee, finding.clone())).collect::<Vec<_>>()
    };
    let mut expected_first: Vec<&Row> = rows.iter().collect();
    expected_first.sort_by_key(|row| row.expected == Expectation::Watch);
    let findings = expected_first.into_iter().flat_map(of_row).enumerate();
    findings.map(|(index, (guarantee, finding))| tell(history, index, guarantee, finding)).collect()
}

fn tell(history: &History, index: usize, guarantee: &'static str, finding: Finding) -> Told {
    let number = |id| finding.steps.iter().position(|step| step.operation == id).map(|position| position + 1);
    let edges = finding.edges.iter().filter_map(|edge: &Edge| {
        let (from, to) = (number(edge.from)?, number(edge.to)?);
        Some(ToldEdge { from, to, kind: edge.kind, because: edge.because.clone() })
    });
    Told {
        id: format!("A{}", index + 1),
        guarantee,
        anomaly: finding.anomaly,
        keys: finding.keys.iter().map(ToString::to_string).collect(),
        edges: edges.collect(),
        rows: story_rows(history, &finding),
        story: finding.story,
        brief: finding.brief,
        conclusion: finding.conclusion,
        certainty: finding.certainty,
        weight: finding.weight,
    }
}

/// The operations in the order of time, with what happened to the cluster in between.
fn story_rows(history: &History, finding: &Finding) -> Vec<StoryRow> {
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
    rows.extend(cluster_rows(history, first, last));
    rows.sort_by_key(|row| row.time);
    rows
}

/// At most this many lines about the cluster in one story.
const CLUSTER_ROWS_MAX: usize = 4;

fn cluster_rows(history: &History, first: Nanos, last: Nanos) -> Vec<StoryRow> {
    let mut rows = Vec::new();
    for fault in fault_lines(history) {
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
        rows.push(row(effective, begins(&fault)));
        if healed < last {
            rows.push(row(healed, ends(&fault)));
        }
    }
    rows.sort_by_key(|row| row.time);
    rows.truncate(CLUSTER_ROWS_MAX);
    rows
}

fn stage_of(fault: &str) -> &'static str {
    match fault {
        "kill" | "pause" => "nodes",
        _ => "network",
    }
}

fn begins(fault: &FaultLine) -> String {
    match fault.name.as_str() {
        "partition" => format!("splits: {}", fault.summary),
        name => format!("{name}: {}", fault.summary),
    }
}

fn ends(fault: &FaultLine) -> String {
    match fault.name.as_str() {
        "partition" | "one-way" | "flap" => "heals".into(),
        "slow" => "is fast again".into(),
        "kill" => "restarted".into(),
        "pause" => "resumed".into(),
        name => format!("{name} ends"),
    }
}

/// Faults with the times of their stages.
fn fault_lines(history: &History) -> Vec<FaultLine> {
    let mut lines: Vec<(histories::FaultId, FaultLine)> = Vec::new();
    for (time, event) in history.faults() {
        let index = lines.iter().position(|(id, _)| *id == event.fault).unwrap_or_else(|| {
            let line = FaultLine {
                name: event.name.clone(),
                summary: event.summary.clone(),
                planned: event.planned,
                effective: None,
                healed: None,
                evidence: String::new(),
            };
            lines.push((event.fault, line));
            lines.len() - 1
        });
        let line = &mut lines[index].1;
        match event.stage {
            FaultStage::Injecting => line.planned = event.planned,
            FaultStage::Effective => {
                line.effective.get_or_insert(*time);
                line.evidence.clone_from(&event.detail);
            }
            FaultStage::Ineffective => line.evidence.clone_from(&event.detail),
            FaultStage::Healing => {}
            FaultStage::Healed => line.healed = Some(*time),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn notes(history: &History, mut notes: Vec<String>) -> Vec<String> {
    let counts = count(history);
    if counts.unknown > 0 {
        notes.push(format!(
            "{} of {} operations ended unknown: they may or may not have happened.",
            grouped(counts.unknown),
            grouped(counts.total),
        ));
    }
    for (time, event) in history.node_events() {
        if event.state == NodeState::Down && !event.detail.is_empty() {
            notes.push(format!("Node {} went down at {time}: {}.", event.node, event.detail));
        }
    }
    notes
}

fn advice(history: &History, judged: &Judged, state: State) -> Vec<String> {
    match state {
        State::Broken => Vec::new(),
        State::Held => {
            let mut advice = vec![
                "This is no proof of correctness: it says that this load and these faults broke nothing."
                    .to_string(),
            ];
            let tried: Vec<&str> = history.faults().iter().map(|(_, fault)| fault.name.as_str()).collect();
            let untried: Vec<&str> = nemesis::fault::FAULTS
                .iter()
                .map(|fault| fault.name())
                .filter(|name| !tried.contains(name))
                .collect();
            if !untried.is_empty() && !history.header().target.is_empty() {
                advice.push(format!(
                    "Not tested: {}. Try: rashomon run --faults {} --repeat 20",
                    untried.join(", "),
                    untried.join(","),
                ));
            }
            advice
        }
        State::Indeterminate => {
            let counts = count(history);
            let mut advice = Vec::new();
            let read_back = history.phase_began(Phase::FinalReads).is_some();
            if counts.confirmed == 0 {
                advice
                    .push("What helps   a target that confirms something: no call was confirmed".to_string());
            } else if read_back && judged.rows.iter().any(|row| row.verdict.chances.count == 0) {
                advice.push(
                    "What helps   a longer run (--duration), fewer keys, or a workload with more chances"
                        .into(),
                );
            }
            if !read_back {
                advice.push(
                    "What helps   a run that comes to its end: the final reads show what each node kept"
                        .into(),
                );
            }
            advice
        }
    }
}
