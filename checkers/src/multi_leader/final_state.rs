//! The end of a history: what the final reads of each node saw, and which node could not be read.
//!
//! ```text
//!   -- final-reads
//!   c0@A  read x  -> 5          final read of x on A
//!   c1@B  read x  -> failed     B is missing: nobody knows what it kept
//! ```

use histories::{NodeName, Observed, Operation, Phase, Value};

use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::wording::{counted, grouped, listed};

/// The nodes whose final reads matter.
pub(super) struct Replicas<'f, 'h> {
    facts: &'f Facts<'h>,
    /// Empty if the history names none: then it is about one place.
    pub(super) nodes: Vec<NodeName>,
}

impl<'f, 'h> Replicas<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>) -> Self {
        Self { facts, nodes: facts.history().nodes() }
    }

    /// The newest confirmed final read of the key on each node that has one, in order of nodes.
    pub(super) fn final_reads(&self, key: KeyNumber) -> Vec<Address> {
        if self.nodes.is_empty() {
            return self.facts.final_reads(key).last().copied().into_iter().collect();
        }
        self.nodes.iter().filter_map(|node| self.facts.final_read(key, node)).collect()
    }

    /// How many final reads of a key there are if none is missing.
    pub(super) fn expected(&self) -> usize {
        self.nodes.len().max(1)
    }

    /// The nodes on which no final read at all was confirmed.
    pub(super) fn silent(&self) -> Vec<&NodeName> {
        let answers = |node: &NodeName| {
            self.facts.history().final_reads().any(|operation| operation.node.as_ref() == Some(node))
        };
        self.nodes.iter().filter(|node| !answers(node)).collect()
    }

    /// `B refused 40 of 40`: how the final reads on a silent node ended.
    pub(super) fn refusal(&self, node: &NodeName) -> String {
        let (mut asked, mut failed, mut unknown) = (0, 0, 0);
        for operation in self.facts.history().operations() {
            if is_final_attempt(operation) && operation.node.as_ref() == Some(node) {
                asked += 1;
                failed += u64::from(operation.outcome.is_failed());
                unknown += u64::from(operation.outcome.is_unknown());
            }
        }
        let all = grouped(asked);
        match (asked, failed, unknown) {
            (0, _, _) => format!("{node} was not asked"),
            (_, _, 0) => format!("{node} refused {all} of {all}"),
            (_, 0, _) => format!("{node} did not answer {all} of {all}"),
            _ => format!("{node} answered none of {}", counted(asked, "read", "reads")),
        }
    }

    /// `A, B and C`, or `the store`.
    pub(super) fn names(&self) -> String {
        if self.nodes.is_empty() { "the store".into() } else { listed(&self.nodes) }
    }
}

/// True if there is any confirmed final read.
pub(super) fn any(facts: &Facts<'_>) -> bool {
    facts.history().final_reads().next().is_some()
}

/// True for a read made to see the final state, whether it was answered or not.
fn is_final_attempt(operation: &Operation) -> bool {
    operation.phase == Phase::FinalReads && operation.call.is_read_only()
}

/// True if both saw the same: siblings have no order, nor have the elements of a set, and an empty
/// collection is as good as none.
pub(super) fn same(kind: KeyKind, left: &Observed, right: &Observed) -> bool {
    left.values == right.values || normal(kind, left) == normal(kind, right)
}

fn normal(kind: KeyKind, observed: &Observed) -> Vec<Value> {
    let empty = |value: &Value| match kind {
        KeyKind::Counter => *value == Value::Integer(0),
        KeyKind::List | KeyKind::Set | KeyKind::Queue | KeyKind::Stack => {
            value.as_list().is_some_and(<[Value]>::is_empty)
        }
        KeyKind::Register | KeyKind::Mixed => false,
    };
    let mut values: Vec<Value> = observed.values.iter().filter(|value| !empty(value)).cloned().collect();
    for value in &mut values {
        if let (KeyKind::Set, Value::List(elements)) = (kind, value) {
            let mut sorted = elements.to_vec();
            sorted.sort_unstable();
            *elements = sorted.into();
        }
    }
    values.sort_unstable();
    values
}
