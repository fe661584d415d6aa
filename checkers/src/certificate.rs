//! Certificates: a finding can be re-checked from the history alone, without trusting the checker that
//! made it. The rules here are few and blunt on purpose.
//!
//! ```text
//!   1 ──so──▶ 2     one session asked both, 1 first
//!   1 ──rt──▶ 2     1 was confirmed before 2 was asked
//!   1 ──wr──▶ 2     2 saw what 1 brings (though 1 may have been said to fail: that is then the finding)
//!   1 ──rw──▶ 2     1 saw a key that 2 changes
//!   1 ──ww──▶ 2     both change one key
//! ```
//!
//! And where a proof has two edges or more, they go round in a circle. Says nothing about whether the
//! story's sentences are true. O(operations of the proof).

use histories::{History, Key, MicroOp, Observed, Operation, OperationId, Value};

use crate::graph::{Dependency, DependencyGraph};
use crate::{Edge, EdgeKind, Finding};

/// Why a proof does not hold up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The history has no such operation.
    #[error("{operation} is not in the history")]
    Missing {
        /// Which.
        operation: OperationId,
    },
    /// An edge that the history does not bear out.
    #[error("{from} ──{}──▶ {to} is not in the history: {reason}", kind.as_str())]
    Edge {
        /// What is said to come first.
        from: OperationId,
        /// What is said to come later.
        to: OperationId,
        /// The kind of dependency.
        kind: EdgeKind,
        /// What is missing.
        reason: &'static str,
    },
    /// The edges have an order that explains them.
    #[error("the edges do not go round in a circle")]
    NoCircle,
}

/// Re-checks the edges of `finding` against `history`.
pub fn verify(history: &History, finding: &Finding) -> Result<(), Flaw> {
    for step in &finding.steps {
        find(history, step.operation)?;
    }
    for edge in &finding.edges {
        let (from, to) = (find(history, edge.from)?, find(history, edge.to)?);
        let Edge { from: first, to: later, kind, .. } = edge;
        bears_out(*kind, from, to).map_err(|reason| Flaw::Edge {
            from: *first,
            to: *later,
            kind: *kind,
            reason,
        })?;
    }
    if finding.edges.len() > 1 && !goes_round(&finding.edges) {
        return Err(Flaw::NoCircle);
    }
    Ok(())
}

fn find(history: &History, operation: OperationId) -> Result<&Operation, Flaw> {
    history.find(operation).ok_or(Flaw::Missing { operation })
}

fn goes_round(edges: &[Edge]) -> bool {
    let mut operations: Vec<OperationId> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    operations.sort_unstable();
    operations.dedup();
    // A proof of a few operations in a history of a million needs a graph of a few nodes.
    let number = |id| OperationId(operations.partition_point(|other| *other < id) as u32);
    let mut graph = DependencyGraph::new(operations.len());
    for edge in edges {
        graph.add(Dependency { from: number(edge.from), to: number(edge.to), kind: edge.kind, reason: () });
    }
    !graph.is_acyclic()
}

fn bears_out(kind: EdgeKind, from: &Operation, to: &Operation) -> Result<(), &'static str> {
    let demand = |holds: bool, reason| if holds { Ok(()) } else { Err(reason) };
    match kind {
        EdgeKind::Session => {
            demand(from.session == to.session && from.id < to.id, "no session asked the one before the other")
        }
        EdgeKind::RealTime => {
            demand(from.precedes(to), "the first was not confirmed before the other was asked")
        }
        EdgeKind::WriteRead => demand(saw(to, from), "the second did not see what the first brings"),
        EdgeKind::ReadWrite => {
            let seen = changes(to).any(|change| observations(from).any(|(key, _)| key == change.key()));
            demand(seen, "the first saw no key that the second changes")
        }
        EdgeKind::WriteWrite => {
            let shared = changes(from).any(|a| changes(to).any(|b| a.key() == b.key()));
            demand(shared, "no key was changed by both")
        }
    }
}

fn changes(operation: &Operation) -> impl Iterator<Item = &MicroOp> {
    operation.call.micro_ops().iter().filter(|micro_op| !micro_op.is_read())
}

/// What an operation is known to have seen: answers to reads, and what a compare-and-set relied on.
fn observations(operation: &Operation) -> impl Iterator<Item = (&Key, &Observed)> {
    operation.steps().filter_map(|(micro_op, reply)| match micro_op {
        MicroOp::CompareAndSet { key, expected, .. } => Some((key, &**expected)),
        _ => Some((micro_op.key(), reply?.observed.as_ref()?)),
    })
}

fn saw(reader: &Operation, writer: &Operation) -> bool {
    let named = |observed: &Observed| {
        let replies = writer.outcome.replies().unwrap_or_default();
        let mut versions = replies.iter().filter_map(|reply| reply.version.as_ref());
        versions.any(|version| observed.versions.contains(version))
    };
    observations(reader).any(|(key, observed)| {
        changes(writer)
            .filter(|change| change.key() == key)
            .any(|change| shows(observed, change) || named(observed))
    })
}

/// True if this change can have brought what was observed, or a part of it.
fn shows(observed: &Observed, change: &MicroOp) -> bool {
    let has = |element: &Value| {
        let mut lists = observed.values.iter().filter_map(Value::as_list);
        lists.any(|list| list.contains(element))
    };
    match change {
        MicroOp::Read { .. } => false,
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => {
            let elements = value.as_list().unwrap_or_default();
            observed.values.contains(value) || elements.iter().any(has)
        }
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => has(element),
        MicroOp::Enqueue { element, .. } | MicroOp::Push { element, .. } => {
            observed.values.contains(element) || has(element)
        }
        MicroOp::Remove { element, .. } => !has(element),
        MicroOp::Increment { .. } | MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => true,
        MicroOp::Delete { .. } => observed.is_absent(),
    }
}

#[cfg(test)]
mod tests {
    use histories::text;

    use super::*;
    use crate::{Budget, Facts, checker};

    const LOST: &str = "
        nodes A B
        c0@A 0..1 write x [1] -> ok A:1
        c1@A 4..5 cas x [1]@A:1 [1 2] -> ok A:2
        c2@B 4..5 cas x [1]@A:1 [1 3] -> ok B:1
        -- final-reads
        c3@A read x -> [1 3]@B:1
        c4@B read x -> [1 3]@B:1";

    fn lost_update() -> (History, Finding) {
        let history = text::parse(LOST).unwrap();
        let checker = checker("no-lost-updates").unwrap();
        let finding = checker.check(&Facts::new(&history), Budget::default()).findings.remove(0);
        (history, finding)
    }

    #[test]
    fn a_true_proof_holds_up() {
        let (history, finding) = lost_update();
        assert_eq!(verify(&history, &finding), Ok(()));
    }

    #[test]
    fn a_proof_that_was_tampered_with_does_not() {
        let (history, finding) = lost_update();
        let mut half = finding.clone();
        half.edges[0] = half.edges[1].clone();
        assert_eq!(verify(&history, &half), Err(Flaw::NoCircle));
        let mut turned = finding.clone();
        turned.edges[0].kind = EdgeKind::RealTime;
        assert!(matches!(verify(&history, &turned), Err(Flaw::Edge { .. })));
        let mut foreign = finding;
        foreign.edges[0].to = OperationId(99);
        assert_eq!(verify(&history, &foreign), Err(Flaw::Missing { operation: OperationId(99) }));
    }
}
