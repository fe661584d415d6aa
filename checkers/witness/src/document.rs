//! What a witness says: a few operations, written out, and one claim about them.

use histories::{
    Call, Key, MicroOp, Nanos, Operation, OperationId, Outcome, Reason, Reply, SessionId, Value,
};
use serde::{Deserialize, Serialize};

/// The version of the document that is written and read here.
pub const VERSION: u32 = 1;

/// A contradiction in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// [`VERSION`].
    pub version: u32,
    /// Which history it is about.
    pub history: Identity,
    /// The guarantee that does not hold, such as `serializable`.
    pub guarantee: String,
    /// What it is called, such as `G2-item`.
    pub anomaly: String,
    /// All that take part, in the order of invocation.
    pub operations: Vec<Stated>,
    /// What is wrong with them.
    pub claim: Claim,
}

/// What tells a history from others; the operations themselves tell the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// How many operations it has.
    pub operations: u64,
    /// The time of its last event.
    pub end: Nanos,
}

/// An operation as the history has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Its place in the order of invocation.
    pub id: OperationId,
    /// Who asked.
    pub session: SessionId,
    /// Which node was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// When it was asked.
    pub invoked: Nanos,
    /// When it ended; none if it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Nanos>,
    /// True if its parts happen together.
    pub transaction: bool,
    /// What was asked.
    pub call: Vec<MicroOp>,
    /// How it ended.
    pub outcome: Ended,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// With these answers, one a part.
    Confirmed(Vec<Reply>),
    /// Without any effect.
    Failed(Reason),
    /// Nobody knows.
    Unknown(Reason),
}

impl Stated {
    pub(crate) fn of(operation: &Operation) -> Self {
        Self {
            id: operation.id,
            session: operation.session,
            node: operation.node.as_ref().map(|node| node.as_str().to_string()),
            invoked: operation.invoked,
            completed: operation.completed,
            transaction: matches!(operation.call, Call::Transaction(_)),
            call: operation.call.micro_ops().to_vec(),
            outcome: match &operation.outcome {
                Outcome::Confirmed(replies) => Ended::Confirmed(replies.to_vec()),
                Outcome::Failed(reason) => Ended::Failed(reason.clone()),
                Outcome::Unknown(reason) => Ended::Unknown(reason.clone()),
            },
        }
    }
}

/// What is wrong, in one of a few forms. All that a form states is derived again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// Each comes before the next, and the last before the first; the first is the one asked first.
    Cycle {
        /// From the first on.
        edges: Vec<Edge>,
    },
    /// No order of the operations explains what they saw, and of any fewer of them one does.
    NoOrder {},
    /// A read of what nobody wrote.
    Unwritten {
        /// The read.
        operation: OperationId,
        /// Its key.
        key: Key,
        /// The value or element.
        value: Value,
    },
    /// A read of what only a failed call wrote.
    FailedWrite {
        /// The read.
        operation: OperationId,
        /// Its key.
        key: Key,
        /// The value or element.
        value: Value,
        /// The failed call.
        writer: OperationId,
    },
    /// A confirmed change on top of one that failed.
    DirtyUpdate {
        /// The read that shows both.
        operation: OperationId,
        /// The list.
        key: Key,
        /// The failed element.
        value: Value,
        /// Who failed to append it.
        writer: OperationId,
        /// The confirmed element behind it.
        after: Value,
        /// Who appended that.
        later: OperationId,
    },
    /// A read of what its writer itself went on to replace.
    Intermediate {
        /// The read.
        operation: OperationId,
        /// Its key.
        key: Key,
        /// What it saw.
        value: Value,
        /// Who wrote it.
        writer: OperationId,
        /// What the writer wrote after it.
        after: Value,
    },
    /// A read that had ended before anybody began to write what it saw.
    TooEarly {
        /// The read.
        operation: OperationId,
        /// Its key.
        key: Key,
        /// The value or element.
        value: Value,
        /// All who may have written it.
        writers: Vec<OperationId>,
    },
    /// A transaction that contradicts itself on a key.
    Internal {
        /// The transaction.
        operation: OperationId,
        /// The key.
        key: Key,
        /// Which of its parts, from 0, saw what it should not.
        part: usize,
    },
    /// A list in which the elements that a transaction appended in a row are not in a row.
    Torn {
        /// The read.
        operation: OperationId,
        /// The list.
        key: Key,
        /// Who appended both.
        writer: OperationId,
        /// The element that was appended first.
        first: Value,
        /// What stands behind it; none if it is not there at all, though the other is.
        #[serde(default)]
        then: Option<Value>,
        /// What should stand behind it.
        second: Value,
    },
    /// A value that was there more often than it was written.
    Twice {
        /// The key.
        key: Key,
        /// The value or element.
        value: Value,
        /// All who may have written it.
        written: Vec<OperationId>,
        /// Who saw it, each as often as it did.
        seen: Vec<OperationId>,
    },
    /// Two reads of a list, neither the beginning of the other.
    Incompatible {
        /// The list.
        key: Key,
        /// One read.
        one: OperationId,
        /// The other.
        other: OperationId,
        /// The first place, from 0, at which they differ.
        place: usize,
    },
    /// Two transactions that replaced one version, each unaware of the other.
    LostUpdate {
        /// The key.
        key: Key,
        /// One.
        one: OperationId,
        /// The other.
        other: OperationId,
        /// What both had read; none if nothing was there.
        #[serde(default)]
        value: Option<Value>,
    },
    /// Values of a key that each come before the next, and the last before the first.
    VersionCycle {
        /// The key.
        key: Key,
        /// From the value that was asked for first on.
        steps: Vec<VersionStep>,
    },
    /// A confirmed element that no later read has.
    Missing {
        /// The set or list.
        key: Key,
        /// The element.
        value: Value,
        /// Who added it.
        writer: OperationId,
        /// From whom it is known that it was there.
        known: OperationId,
        /// The read without it.
        read: OperationId,
    },
    /// Elements that were put in, never taken, and then there was nothing.
    Left {
        /// The queue or stack.
        key: Key,
        /// The elements: one more than there are takes of unknown outcome.
        values: Vec<Value>,
        /// The take that found nothing.
        empty: OperationId,
    },
    /// A number that no choice among the calls adds up to.
    OutOfBounds {
        /// The counter.
        key: Key,
        /// Who read it.
        operation: OperationId,
        /// What it read.
        value: i64,
        /// The least that is possible.
        low: i64,
        /// The most that is possible.
        high: i64,
    },
    /// A total that no call can have changed, and that is another.
    WrongTotal {
        /// The accounts.
        keys: Vec<Key>,
        /// Who read all of them.
        operation: OperationId,
        /// What it found in all.
        found: i64,
        /// Who shows what there should be.
        right: OperationId,
        /// What that is.
        expected: i64,
    },
    /// A counter that only grows, and that was less for the same session.
    WentBack {
        /// The counter.
        key: Key,
        /// The earlier read.
        before: OperationId,
        /// The later one.
        after: OperationId,
    },
    /// A name that was given twice.
    SameName {
        /// The key.
        key: Key,
        /// Who was given it first.
        one: OperationId,
        /// Who was given it again.
        other: OperationId,
        /// The name: an id or a version.
        name: Value,
    },
    /// Two nodes that give other answers at the end.
    Disagree {
        /// The key.
        key: Key,
        /// One final read.
        one: OperationId,
        /// The other.
        other: OperationId,
    },
    /// A value that is there after a delete that knew of it.
    CameBack {
        /// The key.
        key: Key,
        /// The value or element.
        value: Value,
        /// Who brought it.
        writer: OperationId,
        /// Who took it out.
        removal: OperationId,
        /// By what the delete knew of it: the writer itself, or a read.
        known: OperationId,
        /// The reads in between on the same node: one with it, one without it; none if a final read shows it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        between: Vec<OperationId>,
        /// The read that shows it again.
        read: OperationId,
    },
    /// A confirmed update that nothing at the end comes from.
    Vanished {
        /// The key.
        key: Key,
        /// The update.
        lost: OperationId,
        /// The final reads, all of them.
        reads: Vec<OperationId>,
    },
    /// A finding that this document cannot prove, and why.
    NotVerifiable {
        /// Why.
        reason: String,
    },
}

/// One comes before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// What comes first.
    pub from: OperationId,
    /// What comes later.
    pub to: OperationId,
    /// The kind of dependency.
    pub kind: Kind,
    /// The observation that proves it.
    pub because: Because,
}

/// Kinds of dependency: Adya 1999, §4.4, and two orders of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The later write replaced the earlier one.
    Ww,
    /// The read saw the write.
    Wr,
    /// The read saw the state from before the write.
    Rw,
    /// The same session, one after the other.
    So,
    /// One ended before the other began.
    Rt,
}

/// The observation that proves an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Because {
    /// One session asked both.
    Session {
        /// Which.
        session: SessionId,
    },
    /// The one ended before the other began.
    Time {
        /// When the one ended.
        ended: Nanos,
        /// When the other began.
        began: Nanos,
    },
    /// `wr`: the register's value that only the first wrote, and that the second read.
    Value {
        /// The register.
        key: Key,
        /// The value.
        value: Value,
    },
    /// `wr`: the last element of the list that the second read, which only the first appended.
    Element {
        /// The list.
        key: Key,
        /// The element.
        element: Value,
    },
    /// `ww`: a read of the list has the one element, and the other behind it or not yet.
    Behind {
        /// The list.
        key: Key,
        /// What the first appended.
        before: Value,
        /// What the second appended.
        after: Value,
        /// The read.
        read: OperationId,
    },
    /// `rw`: the first read the list without an element that the second appended.
    Without {
        /// The list.
        key: Key,
        /// The element.
        element: Value,
        /// Who saw the element, if the second was never answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<OperationId>,
    },
    /// `ww`, `rw`: the first wrote or read a version of the register that comes before what the second wrote.
    Version {
        /// The register.
        key: Key,
        /// The two versions, and how their order is known.
        step: VersionStep,
    },
}

/// One version of a register comes before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionStep {
    /// The earlier version; none before anything was written.
    #[serde(default)]
    pub before: Option<Value>,
    /// The later version; none if the key was empty again, which is what contradicts the rest.
    #[serde(default)]
    pub after: Option<Value>,
    /// How that is known.
    pub known: Known,
}

/// How the order of two versions of a register is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Known {
    /// Nothing is there before anything is written, and nothing was ever deleted.
    Start {},
    /// Whoever wrote the later one had read the earlier one.
    Replaced {
        /// Who.
        operation: OperationId,
    },
    /// A session left the key as the earlier one, and then found or made the later one.
    Session {
        /// Its earlier operation.
        first: OperationId,
        /// Its later one.
        second: OperationId,
    },
    /// The same of two operations of which one ended before the other began.
    Time {
        /// The earlier.
        first: OperationId,
        /// The later.
        second: OperationId,
    },
}

impl Known {
    pub(crate) fn operations(&self) -> Vec<OperationId> {
        match self {
            Self::Start {} => Vec::new(),
            Self::Replaced { operation } => vec![*operation],
            Self::Session { first, second } | Self::Time { first, second } => vec![*first, *second],
        }
    }
}

impl Claim {
    /// The form's name, such as `cycle`.
    pub fn form(&self) -> &'static str {
        match self {
            Self::Cycle { .. } => "cycle",
            Self::NoOrder {} => "no-order",
            Self::Unwritten { .. } => "unwritten",
            Self::FailedWrite { .. } => "failed-write",
            Self::DirtyUpdate { .. } => "dirty-update",
            Self::Intermediate { .. } => "intermediate",
            Self::TooEarly { .. } => "too-early",
            Self::Internal { .. } => "internal",
            Self::Torn { .. } => "torn",
            Self::Twice { .. } => "twice",
            Self::Incompatible { .. } => "incompatible",
            Self::LostUpdate { .. } => "lost-update",
            Self::VersionCycle { .. } => "version-cycle",
            Self::Missing { .. } => "missing",
            Self::Left { .. } => "left",
            Self::OutOfBounds { .. } => "out-of-bounds",
            Self::WrongTotal { .. } => "wrong-total",
            Self::WentBack { .. } => "went-back",
            Self::SameName { .. } => "same-name",
            Self::Disagree { .. } => "disagree",
            Self::CameBack { .. } => "came-back",
            Self::Vanished { .. } => "vanished",
            Self::NotVerifiable { .. } => "not-verifiable",
        }
    }
}
