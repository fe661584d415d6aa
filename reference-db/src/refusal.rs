//! Refusals: what was not done, or is not known to be done, and what the client can do about it.

use serde::{Deserialize, Serialize};

use crate::event::Key;
use crate::names::NodeName;

/// Whether a request took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It did.
    Applied,
    /// It did not, and will not.
    NotApplied,
    /// It may have, or may yet.
    Unknown,
}

impl Outcome {
    /// As the header says it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::NotApplied => "not-applied",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// The key has moved on.
    #[error("key {key} does not have the version asked for")]
    Stale {
        /// Which.
        key: Key,
    },
    /// The value is another.
    #[error("key {key} does not hold the value to compare with")]
    Compare {
        /// Which.
        key: Key,
    },
    /// The operation does not suit the value.
    #[error("cannot {action} on key {key}: it holds a {kind}")]
    Mismatch {
        /// Which.
        key: Key,
        /// What was asked.
        action: String,
        /// What is there.
        kind: String,
    },
    /// The counter would leave 64 bits.
    #[error("counter {key} would overflow 64 bits")]
    Overflow {
        /// Which.
        key: Key,
    },
    /// One step of a transaction was refused, so all of it is.
    #[error("step {step}: {reason}")]
    Aborted {
        /// Which, from 0.
        step: usize,
        /// Why.
        reason: String,
    },
    /// The leader has not been heard of since this node started, or has restarted since.
    #[error("leader is not reachable: the request was not passed on")]
    NoLeader,
    /// The leader has lost its data and does not have it back yet.
    #[error("leader is catching up: of the {needed} other nodes whose data it needs, it has that of {met}")]
    CatchingUp {
        /// How many others it has caught up with.
        met: usize,
        /// With how many it must.
        needed: usize,
    },
    /// Another node has to answer, and this one does not pass requests on.
    #[error("another node has to answer that: {to}")]
    Misdirected {
        /// Who answers.
        to: NodeName,
        /// True if the client is to be sent there.
        redirect: bool,
    },
    /// The leader cannot know whether it still leads.
    #[error(
        "leader has heard from {heard} of the {needed} nodes that it needs lately: another may lead by now"
    )]
    NoMajority {
        /// How many have heard from it lately, itself included.
        heard: usize,
        /// How many must have.
        needed: usize,
    },
    /// Another node has taken over while the write waited to be confirmed.
    #[error("{to} leads now: nobody knows whether it has the write")]
    Deposed {
        /// Who leads.
        to: NodeName,
    },
    /// The node has writes that the leader of a new term had not.
    #[error("this node has {count} writes that the new leader had not, and stays out")]
    Diverged {
        /// How many.
        count: usize,
    },
    /// A node cannot lead.
    #[error("this node cannot lead: {reason}")]
    Promote {
        /// Why.
        reason: String,
    },
    /// The node lacks what the client has seen elsewhere.
    #[error("this node does not have yet what the session has seen")]
    Unseen,
    /// The node takes no part in the cluster, since it was linked anew.
    #[error("the node is left out of the cluster since epoch {epoch}")]
    LeftOut {
        /// Since which layout.
        epoch: u64,
    },
    /// Nodes cannot be linked so.
    #[error("nodes cannot be linked so: {reason}")]
    Relink {
        /// Why.
        reason: String,
    },
    /// Too few nodes have a write that was taken.
    #[error("only {acked_by} of {needed} nodes acknowledged the write in time")]
    NotAcknowledged {
        /// How many have it.
        acked_by: usize,
        /// How many should.
        needed: usize,
    },
    /// The leader did not answer in time.
    #[error("leader did not answer in time")]
    LeaderSilent {
        /// Whether the request could have changed something.
        write: bool,
    },
}

impl Refusal {
    /// Whether the request took effect.
    pub fn outcome(&self) -> Outcome {
        match self {
            // A read that is not answered has no effect, however late the leader sees it.
            Refusal::LeaderSilent { write: true }
            | Refusal::NotAcknowledged { .. }
            | Refusal::Deposed { .. } => Outcome::Unknown,
            _ => Outcome::NotApplied,
        }
    }

    /// What a client can do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Refusal::Stale { .. } | Refusal::Compare { .. } => "read the key again and decide anew",
            Refusal::Mismatch { .. } => "read the key to see what it holds, or delete it first",
            Refusal::Overflow { .. } => "use smaller steps, or delete the counter first",
            Refusal::Aborted { .. } => "read again and send a new transaction",
            Refusal::CatchingUp { .. } => {
                "start the other nodes and look at the links to them: it leads once it has what they have"
            }
            Refusal::Misdirected { .. } => "ask the node that RefDB-Leader names",
            Refusal::Unseen => {
                "ask again in a moment, or a node that has it; RefDB-Wait-Ms says how long to wait for it"
            }
            Refusal::NoMajority { .. } => "ask another node, or look at the links of this one",
            Refusal::Deposed { .. } => "read from the new leader before you repeat it",
            Refusal::Diverged { .. } => {
                "ask another node; to bring this one back start it with an empty directory, or with rejoin truncate or keep"
            }
            Refusal::Promote { .. } => "promote another node, or say force if what would be lost may be",
            Refusal::LeftOut { .. } => {
                "ask a node that takes part, or link this one in again with PUT /v1/topology"
            }
            Refusal::Relink { .. } => "GET /v1/topology shows what is in force: change it so that all fits",
            Refusal::NotAcknowledged { .. } => {
                "read before you repeat it: the leader has it, and the others may have it yet"
            }
            Refusal::NoLeader => "ask again in a moment, or ask the leader itself",
            Refusal::LeaderSilent { .. } => {
                "read from the leader before you repeat a write that must not happen twice"
            }
        }
    }
}
