//! An operation: a call with its interval and its outcome.

use crate::{Call, MicroOp, Nanos, NodeName, OperationId, Outcome, Phase, Reply, SessionId};

/// A call, when it was in flight, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its place in the order of invocation.
    pub id: OperationId,
    /// Who asked.
    pub session: SessionId,
    /// Which node was asked.
    pub node: Option<NodeName>,
    /// What was asked.
    pub call: Call,
    /// When an open-loop load meant to ask; latency counts from here.
    pub planned: Option<Nanos>,
    /// When it was asked.
    pub invoked: Nanos,
    /// When its session learned the outcome; none if the recording ends before. An unknown call
    /// may take effect at any time after `invoked`, also after `completed`.
    pub completed: Option<Nanos>,
    /// How it ended.
    pub outcome: Outcome,
    /// The phase of the run in which it was asked.
    pub phase: Phase,
}

impl Operation {
    /// True if it happened.
    pub fn is_confirmed(&self) -> bool {
        self.outcome.is_confirmed()
    }

    /// True if it happened or may have happened.
    pub fn is_possible(&self) -> bool {
        !self.outcome.is_failed()
    }

    /// True if it surely ended before `other` began. Closed intervals: at one same instant two
    /// operations are concurrent. An operation whose end is unknown precedes nothing.
    pub fn precedes(&self, other: &Self) -> bool {
        self.is_confirmed() && self.completed.is_some_and(|completed| completed < other.invoked)
    }

    /// Its micro-ops, each with the reply to it if there is one.
    pub fn steps(&self) -> impl Iterator<Item = (&MicroOp, Option<&Reply>)> {
        let replies = self.outcome.replies().unwrap_or_default();
        self.call.micro_ops().iter().enumerate().map(|(index, micro_op)| (micro_op, replies.get(index)))
    }
}
