//! What the findings of invariants have in common: few operations in the order of time.

use histories::Key;

use crate::facts::Address;
use crate::wording::{all_answered, step};
use crate::{Certainty, Edge, EdgeKind, Facts, Finding};

/// A finding's words, and the operations that tell it, each with a remark.
pub(super) struct Proof {
    pub(super) anomaly: &'static str,
    pub(super) keys: Vec<Key>,
    pub(super) story: String,
    pub(super) brief: String,
    pub(super) conclusion: String,
    pub(super) steps: Vec<(Address, &'static str)>,
    pub(super) edges: Vec<Edge>,
    pub(super) weight: u64,
}

impl Proof {
    pub(super) fn finding(mut self, facts: &Facts<'_>) -> Finding {
        self.steps.sort_by_key(|(at, remark)| (*at, remark.is_empty()));
        self.steps.dedup_by_key(|(at, _)| *at);
        let mut operations: Vec<_> = self.steps.iter().map(|(at, _)| at.operation).collect();
        operations.dedup();
        let history = facts.history();
        let unknown = operations.iter().find(|id| history.operation(**id).outcome.is_unknown());
        let certainty = match unknown {
            Some(id) => Certainty::Likely(format!("depends on {id}, whose answer never came")),
            None => Certainty::Certain(all_answered(operations.len())),
        };
        Finding {
            anomaly: self.anomaly,
            keys: self.keys,
            story: self.story,
            brief: self.brief,
            steps: self.steps.iter().map(|(at, remark)| step(facts, *at, *remark)).collect(),
            edges: self.edges,
            conclusion: self.conclusion,
            certainty,
            weight: self.weight,
        }
    }
}

pub(super) fn edge(from: Address, to: Address, kind: EdgeKind, because: impl Into<String>) -> Edge {
    Edge { from: from.operation, to: to.operation, kind, because: because.into() }
}
