//! What clients ask and what a node answers, before either becomes HTTP.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ack::AckPolicy;
use crate::clock::{DotSet, VersionVector};
use crate::config::Role;
use crate::datum::Datum;
use crate::delivery::Delivery;
use crate::event::{Event, Key};
use crate::mode::Mode;
use crate::names::{Dot, NodeName};
use crate::reads::Reads;
use crate::refusal::Refusal;
use crate::time::Nanos;
use crate::topology::{Graph, Layout, Relink, Topology};

/// A question of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub ask: Ask,
    /// Who may answer.
    pub consistency: Consistency,
    /// What the client has seen before, if it is not to see less.
    pub session: Option<Session>,
}

/// What a client has seen, whichever nodes it asked.
///
/// A node that has all of that answers so that the client reads its own writes, reads nothing older than before, and
/// writes after all that it has seen. Source: Terry et al., *Session guarantees for weakly consistent replicated data*
/// (1994).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The events.
    pub seen: DotSet,
    /// How long a node that lacks some of them may wait for them.
    pub wait: Nanos,
}

impl Default for Session {
    /// Nothing seen yet, and half a second of patience.
    fn default() -> Session {
        Session { seen: DotSet::new(), wait: Nanos::from_millis(500) }
    }
}

impl Request {
    /// Without a session.
    pub fn new(ask: Ask, consistency: Consistency) -> Request {
        Request { ask, consistency, session: None }
    }

    /// True if the node that is asked answers from what it has, whoever leads.
    pub fn is_for_one_node(&self) -> bool {
        let local = self.consistency == Consistency::Local && !self.ask.is_write();
        local || self.ask.is_about_node()
    }
}

/// Who may answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Consistency {
    /// As the mode wants: with a single leader, only the leader.
    #[default]
    Default,
    /// The node that was asked, from what it has. Writes to a single leader are forwarded nevertheless.
    Local,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// One operation on one key.
    Single(Step),
    /// Several operations, all or none.
    Transaction(Vec<Step>),
    /// The keys that have a value.
    Keys,
    /// How far the node has come, and a hash of what it holds.
    Digest,
    /// What the node has discarded because a new leader had it not.
    Discarded,
    /// Who sends to whom, and so who leads, as far as the node has heard.
    Layout,
    /// Lead from now on.
    Promote {
        /// Also if others have writes that this node lacks: they are lost.
        force: bool,
    },
    /// Link the nodes anew, from now on. Any node takes it and tells the others.
    Relink(Relink),
    /// What the node is and how its replication goes.
    Status,
}

impl Ask {
    /// True if it is about the node that is asked, not about what it holds.
    pub fn is_about_node(&self) -> bool {
        match self {
            Ask::Digest
            | Ask::Discarded
            | Ask::Layout
            | Ask::Promote { .. }
            | Ask::Relink(_)
            | Ask::Status => true,
            Ask::Keys | Ask::Single(_) | Ask::Transaction(_) => false,
        }
    }

    /// True if answering may change something.
    pub fn is_write(&self) -> bool {
        match self {
            Ask::Single(step) => step.action.is_write(),
            Ask::Transaction(steps) => steps.iter().any(|step| step.action.is_write()),
            Ask::Promote { .. } | Ask::Relink(_) => true,
            Ask::Keys | Ask::Digest | Ask::Discarded | Ask::Layout | Ask::Status => false,
        }
    }
}

/// One operation on one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub key: Key,
    /// What is done.
    pub action: Action,
    /// Under which condition.
    pub condition: Condition,
    /// What the client had read before; only siblings look at it.
    pub context: Option<DotSet>,
}

impl Step {
    /// An operation without a condition or a context.
    pub fn new(key: Key, action: Action) -> Step {
        Step { key, action, condition: Condition::Always, context: None }
    }
}

/// What is done to a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Reads the value.
    Read,
    /// Sets the whole value.
    Write {
        /// To this.
        value: Datum,
    },
    /// Takes the value away.
    Delete,
    /// Adds an element to the end of a list.
    Append {
        /// The element.
        value: Datum,
    },
    /// Adds to a counter.
    Increment {
        /// How much; may be negative.
        by: i64,
    },
    /// Adds an element to a set.
    Add {
        /// The element.
        value: Datum,
    },
    /// Removes an element from a set.
    Remove {
        /// The element.
        value: Datum,
    },
    /// Sets the value if it is the expected one.
    Cas {
        /// The expected value; `null` also matches an absent key.
        from: Datum,
        /// The new value.
        to: Datum,
    },
}

impl Action {
    /// True if it changes something.
    pub fn is_write(&self) -> bool {
        *self != Action::Read
    }

    /// Its name in requests.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Write { .. } => "write",
            Action::Delete => "delete",
            Action::Append { .. } => "append",
            Action::Increment { .. } => "increment",
            Action::Add { .. } => "add",
            Action::Remove { .. } => "remove",
            Action::Cas { .. } => "cas",
        }
    }
}

/// What must be so for an operation to take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Nothing.
    Always,
    /// The key has exactly these versions.
    Versions(Vec<Dot>),
    /// The key has no value.
    Absent,
}

/// What a node answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// What a key holds.
    Read {
        /// Its value or values.
        reading: Reading,
        /// What to send along with a write that replaces them.
        context: DotSet,
    },
    /// The write was taken.
    Written {
        /// The version which it made.
        dot: Dot,
        /// Covers that version.
        context: DotSet,
        /// The nodes that had it on disk when it was confirmed, in order.
        acked_by: Vec<NodeName>,
    },
    /// The transaction was taken.
    Committed {
        /// The version which it made, unless it only read.
        dot: Option<Dot>,
        /// For each step what it read, if it was a read.
        readings: Vec<Option<Reading>>,
        /// The nodes that had it on disk when it was confirmed, in order; none if it only read.
        acked_by: Vec<NodeName>,
    },
    /// The keys that have a value, in order.
    Keys(Vec<Key>),
    /// How far, and what.
    Digest(Digest),
    /// What was discarded, in the order of its times.
    Discarded(Vec<Arc<Event>>),
    /// Who sends to whom.
    Layout {
        /// What is in force.
        layout: Layout,
        /// The links that it comes to.
        links: Graph,
    },
    /// What the node is.
    Status(Status),
    /// To a client in a session: the answer, and what it has seen with it.
    InSession {
        /// All of it.
        seen: DotSet,
        /// The answer.
        response: Box<Response>,
    },
    /// Not done, or not known to be done.
    Refused(Refusal),
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// Nothing.
    Absent,
    /// One value.
    One {
        /// It.
        value: Datum,
        /// The event that wrote it; a merged value has many authors and no version.
        version: Option<Dot>,
    },
    /// Concurrent values, at least two, the latest first.
    Siblings(Vec<Sibling>),
}

impl Reading {
    /// The value that stands for all: the only one, or the latest.
    pub fn winner(&self) -> Option<&Datum> {
        match self {
            Reading::Absent => None,
            Reading::One { value, .. } => Some(value),
            Reading::Siblings(siblings) => siblings.first().map(|sibling| &sibling.value),
        }
    }
}

/// One of several concurrent values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sibling {
    /// It.
    pub value: Datum,
    /// The event that wrote it.
    pub version: Dot,
}

/// How far a node has come, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Whose.
    pub node: NodeName,
    /// Up to where every event is applied.
    pub applied: VersionVector,
    /// Over all keys with their versions and tombstones, in 16 hexadecimal digits.
    pub hash: String,
}

/// What a node is and how its replication goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Which node.
    pub node: NodeName,
    /// Its origin, as in its dots.
    pub origin: String,
    /// What the node is there for.
    pub role: Role,
    /// The number of the layout that it goes by.
    pub epoch: u64,
    /// The term of its leader, which is one more each time that another node leads.
    pub term: u64,
    /// How many events keep the node out, because a new leader had them not.
    pub apart: usize,
    /// True if the node takes part in that.
    pub included: bool,
    /// Its mode.
    pub mode: Mode,
    /// The shape of the cluster.
    pub topology: Topology,
    /// In which order events are applied.
    pub delivery: Delivery,
    /// Who must have a write before it is confirmed.
    pub ack: AckPolicy,
    /// Who answers what is read, where there is a single leader.
    pub reads: Reads,
    /// True while writes are confirmed without the others, because too few of them answer.
    pub degraded: bool,
    /// Whether the node has what it needs in order to lead.
    pub state: SyncState,
    /// The leader, if there is a single one, or that of the node's region.
    pub leader: Option<NodeName>,
    /// The planted bugs that are switched on.
    pub defects: Vec<String>,
    /// Every other node.
    pub peers: Vec<PeerStatus>,
    /// Events that wait for others before they may be applied.
    pub held_back: usize,
    /// Events that the node keeps.
    pub events: usize,
}

/// Whether a node has what the others have, as far as it must before it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// It started without its data, and does not have it back yet.
    CatchingUp,
    /// It has.
    InSync,
}

/// How replication to one peer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Which node.
    pub node: NodeName,
    /// True once it has been heard of since the start.
    pub heard: bool,
    /// True if events are sent to it directly.
    pub downstream: bool,
    /// True if its acknowledgements count; a node that has fallen silent may have been removed.
    pub counted: bool,
    /// Events that it has not yet acknowledged, of those that are sent to it directly.
    pub lag: u64,
}
