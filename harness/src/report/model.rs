//! The report model: everything that any form of report says, as data. `verdict.json` is this.

use checkers::{Certainty, Judgement};
use histories::Nanos;
use serde::Serialize;

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
    /// Guarantees that nobody asked for and that the record does not put to the test.
    pub(crate) untested: Vec<&'static str>,
    /// Where the record stands among the guarantees, if all were judged and isolation among them.
    pub(crate) standing: Option<Standing>,
    pub(crate) findings: Vec<Told>,
    pub(crate) faults: Vec<FaultLine>,
    /// What a reader should know about how the record came to be.
    pub(crate) notes: Vec<String>,
    /// What would help where something could not be judged, and what was not tried.
    pub(crate) advice: Vec<String>,
}

/// Where a record stands among the guarantees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Standing {
    /// The weakest that it rules out; all that is stronger falls with them.
    pub(crate) ruled_out: Vec<&'static str>,
    /// The strongest that it does not rule out.
    pub(crate) left: Vec<&'static str>,
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
    /// If nobody asked for it and it is broken by nothing of its own: the guarantee that it implies and
    /// that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) follows_from: Option<&'static str>,
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
    /// What the checker said, for whoever makes a witness of it.
    #[serde(skip)]
    pub(crate) finding: Option<checkers::Finding>,
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
    /// What set it off, such as `when A confirmed write k3`; empty if its time was planned.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) trigger: String,
    pub(crate) effective: Option<Nanos>,
    pub(crate) healed: Option<Nanos>,
    /// How it was seen to bite, or why it did not.
    pub(crate) evidence: String,
}
