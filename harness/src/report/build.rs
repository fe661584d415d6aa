//! From a judged history to the report model: the words that are not a checker's own.

use checkers::wording::{counted, grouped, listed};
use checkers::{Finding, Judgement};
use histories::{FaultStage, History, Nanos, NodeName, NodeState, Outcome, Phase};

use super::faults::fault_lines;
use super::lattice;
use super::model::{Counts, GuaranteeRow, Report, State, VERSION};
use super::story::{cause_of, tell_all};
use crate::exit::Exit;
use crate::judge::{Judged, Row};
use crate::plan::Expectation;

/// What the history itself does not say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// What to call the span, if not by the history's end.
    pub(crate) interrupted: Option<Exit>,
    /// Warnings from reading the history, and from the run.
    pub(crate) notes: Vec<String>,
    /// The command that an expected failure belongs to, such as `demo`.
    pub(crate) expected_by: Option<&'static str>,
    /// True if nobody named a guarantee, and so all were judged.
    pub(crate) everything: bool,
    /// How the calls ended, if the history is only a part of what was judged.
    pub(crate) counts: Option<Counts>,
}

/// Puts a judged history into words.
pub(crate) fn build(history: &History, judged: &Judged, circumstances: Circumstances) -> Report {
    let exit = circumstances.interrupted.map_or(judged.exit, |exit| judged.exit.worse(exit));
    let state = state_of(judged);
    let faults = fault_lines(history);
    let findings = tell_all(history, &faults, &judged.rows);
    let (untested, shown) = untested(judged, circumstances.everything);
    let counts = circumstances.counts.unwrap_or_else(|| count(history));
    Report {
        version: VERSION,
        state,
        headline: headline(history, judged, state),
        context: context(history, &counts),
        exit_code: exit.code(),
        exit_note: exit_note(state, exit, &circumstances),
        guarantees: shown
            .into_iter()
            .map(|row| guarantee_row(row, judged, circumstances.everything))
            .collect(),
        untested: untested.into_iter().map(|row| row.verdict.guarantee).collect(),
        standing: if circumstances.everything { lattice::standing(history, &judged.rows) } else { None },
        findings,
        faults,
        notes: notes(history, &counts, circumstances.notes),
        advice: advice(history, &counts, judged, state),
        operations: counts,
    }
}

/// The rows that only say that there was no chance, apart from the others; none if no other row is left.
fn untested(judged: &Judged, everything: bool) -> (Vec<&Row>, Vec<&Row>) {
    let no_chance = |row: &&Row| everything && is_unjudged(row) && row.verdict.chances.count == 0;
    let (untested, shown): (Vec<&Row>, Vec<&Row>) = judged.rows.iter().partition(no_chance);
    if shown.is_empty() { (shown, untested) } else { (untested, shown) }
}

fn state_of(judged: &Judged) -> State {
    let counts = |row: &&Row| row.expected != Expectation::Watch;
    let broken = |row: &Row| row.verdict.is_broken();
    if judged.finding == Exit::Broken || judged.rows.iter().filter(counts).any(broken) {
        return State::Broken;
    }
    match judged.finding {
        Exit::Indeterminate => State::Indeterminate,
        _ => State::Held,
    }
}

fn headline(history: &History, judged: &Judged, state: State) -> String {
    let expected: Vec<&Row> = judged.rows.iter().filter(|row| row.expected != Expectation::Watch).collect();
    match state {
        State::Broken => match telling_row(&expected, judged.finding) {
            Some(row) => format!("{}: {}", row.verdict.guarantee, row.verdict.summary),
            None => missing_break(&expected),
        },
        State::Held if expected.is_empty() => {
            "nothing was expected, and nothing that is watched decides".into()
        }
        State::Held if expected.iter().any(|row| is_unjudged(row)) => {
            let unjudged = expected.iter().filter(|row| is_unjudged(row)).count();
            let (held, all) = (expected.len() - unjudged, expected.len());
            format!(
                "{held} of {all} expected guarantees held {}, {unjudged} could not be judged",
                under(history)
            )
        }
        State::Held => {
            let all = if expected.len() == 1 { "the".into() } else { format!("all {}", expected.len()) };
            let plural = if expected.len() == 1 { "" } else { "s" };
            format!("{all} expected guarantee{plural} held {}", under(history))
        }
        State::Indeterminate => {
            let unjudged = expected.iter().filter(|row| is_unjudged(row));
            let (open, all) = (unjudged.count(), expected.len());
            format!(
                "nothing was proved: {open} of {} could not be judged",
                counted(all as u64, "guarantee", "guarantees")
            )
        }
    }
}

fn is_unjudged(row: &Row) -> bool {
    matches!(row.verdict.judgement, Judgement::NotJudged { .. })
}

/// The first row that must hold and was seen broken; if nothing failed, the first that broke as expected.
fn telling_row<'r>(expected: &[&'r Row], finding: Exit) -> Option<&'r Row> {
    let broken = |row: &&&Row| row.verdict.is_broken();
    let failing = expected.iter().filter(broken).find(|row| row.expected == Expectation::Hold);
    let as_expected = || expected.iter().find(broken).filter(|_| finding != Exit::Broken);
    failing.or_else(as_expected).copied()
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

fn context(history: &History, counts: &Counts) -> String {
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
    parts.push(counted(counts.total, "operation", "operations"));
    if !header.seed.is_empty() {
        parts.push(format!("seed {}", header.seed));
    }
    parts.join(" · ")
}

fn exit_note(state: State, exit: Exit, circumstances: &Circumstances) -> String {
    match (state, exit, circumstances.expected_by) {
        (State::Broken, Exit::Met, Some(command)) => format!(", because the {command} expects this"),
        (State::Broken, Exit::Met, None) => ", because the plan expects this".into(),
        (State::Indeterminate, Exit::Met, _) => ", because the plan lets this pass".into(),
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

fn guarantee_row(row: &Row, judged: &Judged, everything: bool) -> GuaranteeRow {
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
        follows_from: if everything { follows_from(row, judged) } else { None },
    }
}

/// The weakest broken guarantee that explains this one in full: what it implies, what that implies, ….
fn follows_from(row: &Row, judged: &Judged) -> Option<&'static str> {
    let whole =
        |row: &Row| cause_of(row, &judged.rows).filter(|cause| cause.verdict.count == row.verdict.count);
    let mut root = whole(row)?;
    // Ends, for no guarantee implies itself.
    while let Some(cause) = whole(root) {
        root = cause;
    }
    Some(root.verdict.guarantee)
}

/// Session guarantees break where updates are lost, and strong isolation where weak isolation does: say so
/// once instead of telling it twice.
fn consequence(row: &Row, judged: &Judged) -> Option<String> {
    if let Some(cause) = cause_of(row, &judged.rows) {
        let more = row.verdict.count.saturating_sub(cause.verdict.count);
        let weaker = cause.verdict.guarantee;
        return Some(match more {
            0 => format!("it implies {weaker}, which is broken"),
            more => format!("{} more than {weaker}, which it implies", grouped(more)),
        });
    }
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

/// True if a fault had its hands on the node's process then.
fn is_our_doing(history: &History, time: Nanos, node: &NodeName) -> bool {
    let mut until_then =
        history.faults().iter().filter(|(at, fault)| *at <= time && fault.nodes.contains(node));
    let last = until_then.next_back().map(|(_, fault)| fault.stage);
    matches!(last, Some(FaultStage::Injecting | FaultStage::Effective | FaultStage::Healing))
}

fn notes(history: &History, counts: &Counts, mut notes: Vec<String>) -> Vec<String> {
    if counts.unknown > 0 {
        notes.push(format!(
            "{} of {} operations ended unknown: they may or may not have happened.",
            grouped(counts.unknown),
            grouped(counts.total),
        ));
    }
    for (time, event) in history.node_events() {
        if event.state == NodeState::Down && !is_our_doing(history, *time, &event.node) {
            notes.push(format!("Node {} went down at {time}: {}.", event.node, event.detail));
        }
    }
    notes
}

fn advice(history: &History, counts: &Counts, judged: &Judged, state: State) -> Vec<String> {
    match state {
        State::Broken => Vec::new(),
        State::Held => {
            let broke: Vec<&str> = judged
                .rows
                .iter()
                .filter(|row| row.verdict.is_broken())
                .map(|row| row.verdict.guarantee)
                .collect();
            let mut advice = vec![match broke.as_slice() {
                [] => {
                    "This is no proof of correctness: it says that this load and these faults broke nothing."
                        .to_string()
                }
                broke => format!("Broken, but only watched: {}.", listed(broke)),
            }];
            let tried: Vec<&str> = history.faults().iter().map(|(_, fault)| fault.name.as_str()).collect();
            let untried: Vec<&str> = nemesis::fault::FAULTS
                .iter()
                .map(|fault| fault.name())
                .filter(|name| !tried.contains(name))
                .collect();
            if !untried.is_empty() && history.header().target.starts_with("reference:") {
                advice.push(format!(
                    "Not tested: {}. Try: rashomon run -t {} -w {} --faults {} --repeat 20",
                    untried.join(", "),
                    history.header().target,
                    history.header().workload,
                    untried.join(","),
                ));
            }
            advice
        }
        State::Indeterminate => {
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
