//! Events: what the recorder writes down, in the order in which it happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Call, FaultId, Nanos, NodeName, Outcome, SessionId};

/// The workload of a bank whose keys are accounts: what they hold first is not in the history.
pub const BANK: &str = "bank";

/// The first line of a history: what the rest is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The plan's name, such as `cart-nightly`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What was tested, such as `reference:lww`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The workload that made the calls, such as `append`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub workload: String,
    /// The seed of the run, in hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seed: String,
    /// The nodes of the store, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeName>,
    /// Anything else worth keeping: the harness's version, the date, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// Something that happened at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Since the run began; never goes back from one event to the next.
    pub time: Nanos,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A session asks.
    Invoke {
        /// Who asks.
        session: SessionId,
        /// Which node is asked, if the session knows.
        node: Option<NodeName>,
        /// When an open-loop load meant to ask, if not now.
        planned: Option<Nanos>,
        /// What is asked.
        call: Call,
    },
    /// A session learns how its call ended.
    Complete {
        /// Who learns.
        session: SessionId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A fault begins, bites, or heals.
    Fault(FaultEvent),
    /// A node changes state.
    Node(NodeEvent),
    /// The run enters its next phase.
    Phase(Phase),
}

/// One step in the life of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultEvent {
    /// Which fault of the schedule.
    pub fault: FaultId,
    /// The fault's kind, such as `partition`.
    pub name: String,
    /// Which step.
    pub stage: FaultStage,
    /// When the schedule meant it to happen.
    pub planned: Nanos,
    /// The fault in a few words, such as `A | B C`.
    pub summary: String,
    /// How the step was verified, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Directed links that it touches: from, to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(NodeName, NodeName)>,
    /// Nodes that it touches as processes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeName>,
}

/// The steps of a fault's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultStage {
    /// The harness starts to inject it.
    Injecting,
    /// It was seen to bite.
    Effective,
    /// It was injected and seen not to bite, or could not be injected.
    Ineffective,
    /// The harness starts to heal it.
    Healing,
    /// It was seen to be gone.
    Healed,
}

/// A node changed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEvent {
    /// Which node.
    pub node: NodeName,
    /// Its state from now on.
    pub state: NodeState,
    /// More, such as an exit status.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// States of a node, as the harness sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// Answers.
    Up,
    /// Exists, but does not run.
    Paused,
    /// Does not exist.
    Down,
}

/// Phases of a run, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Clients work while faults come and go.
    #[default]
    Load,
    /// All faults are healed; the replicas compare notes. Reads that only watch them do so.
    Settle,
    /// The replicas were seen to be equal.
    Settled,
    /// Every key is read from every node: what such a read returns is the final state.
    FinalReads,
    /// The run came to its planned end.
    Done,
}
