//! What makes a sequence of events no history.

use crate::{Nanos, NodeName, SessionId};

/// An event that cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {problem}")]
pub struct Malformed {
    /// Which event, from 0.
    pub index: usize,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Events are in the order of time.
    #[error("time goes back from {} ns to {} ns; events stand in the order of time", before.0, now.0)]
    TimeGoesBack {
        /// The time of the event before.
        before: Nanos,
        /// The time of this event.
        now: Nanos,
    },
    /// A session has at most one call in flight.
    #[error(
        "session {session} calls while its call at {invoked} is still in flight; give each concurrent caller a session of its own"
    )]
    TwoInFlight {
        /// Which session.
        session: SessionId,
        /// When the call in flight was made.
        invoked: Nanos,
    },
    /// A reply needs a call.
    #[error("session {session} is answered but has no call in flight")]
    NoCall {
        /// Which session.
        session: SessionId,
    },
    /// After an unknown answer a session is over.
    #[error("session {session} calls again after an unknown answer; a new session must take over")]
    SessionIsOver {
        /// Which session.
        session: SessionId,
    },
    /// One reply an operation.
    #[error("{} for {}; give one reply an operation", count(*replies, "reply", "replies"), count(*calls, "operation", "operations"))]
    ReplyCount {
        /// Operations in the call.
        calls: usize,
        /// Replies to it.
        replies: usize,
    },
    /// Reads are answered by what they saw, and nothing else is.
    #[error("operation {} of the call: {problem}", index + 1)]
    ReplyKind {
        /// Which operation of the call, from 0.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// Versions are named one a value, or not at all.
    #[error("{} with {}; give one version a value, or none", count(*values, "value", "values"), count(*versions, "version", "versions"))]
    VersionCount {
        /// How many values.
        values: usize,
        /// How many versions.
        versions: usize,
    },
    /// If the header names the nodes, it names all.
    #[error("node {node} is not among the nodes that the header names")]
    UnknownNode {
        /// Which node.
        node: NodeName,
    },
    /// A transaction does something.
    #[error("a transaction without operations")]
    EmptyTransaction,
    /// Numbers of operations fit 32 bits.
    #[error("more than 4 294 967 295 operations")]
    TooMany,
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
