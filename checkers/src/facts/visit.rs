//! The micro-ops on each key with what is asked of them most, side by side: whoever goes through a key need
//! not visit its operations, which lie far apart.
//!
//! ```text
//!   operations   op 0 x · op 1 y · op 2 z · op 3 x · …      200 bytes each
//!   visits(x)    op 0 write 5 [10, 17] │ op 3 read 5 [21, 30] │ …      40 bytes each
//! ```

use histories::{MicroOp, Nanos, Observed, Operation, Phase, Reply, Value};

use super::Address;

/// One micro-op on a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    pub(crate) at: Address,
    pub(crate) verb: Verb,
    /// True if it happened or may have happened.
    pub(crate) is_possible: bool,
    pub(crate) is_confirmed: bool,
    /// True if it is of the load's phase.
    pub(crate) is_load: bool,
    integer: i64,
    invoked: u64,
    completed: u64,
}

/// What a micro-op does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Read,
    Write,
    CompareAndSet,
    /// Brings an element: append, add, enqueue, push.
    Bring,
    /// Takes one out: dequeue, pop.
    Take,
    Other,
}

/// Not an integer, or the one that there is no room for.
const NONE: i64 = i64::MIN;

impl Visit {
    pub(super) fn new(
        operation: &Operation,
        index: u32,
        (micro_op, reply): (&MicroOp, Option<&Reply>),
    ) -> Self {
        let told = || reply.and_then(|reply| reply.observed.as_ref()).and_then(Observed::single);
        let (verb, value) = match micro_op {
            MicroOp::Read { .. } => (Verb::Read, told()),
            MicroOp::Write { value, .. } => (Verb::Write, Some(value)),
            MicroOp::CompareAndSet { .. } => (Verb::CompareAndSet, None),
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. } => (Verb::Bring, Some(element)),
            MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => (Verb::Take, told()),
            MicroOp::Remove { .. } | MicroOp::Increment { .. } | MicroOp::Delete { .. } => {
                (Verb::Other, None)
            }
        };
        let (invoked, completed) = interval(operation);
        Self {
            at: Address { operation: operation.id, index },
            verb,
            is_possible: operation.is_possible(),
            is_confirmed: operation.is_confirmed(),
            is_load: operation.phase == Phase::Load,
            integer: value.and_then(Value::as_integer).unwrap_or(NONE),
            invoked,
            completed,
        }
    }

    /// The integer that it wrote or brought, or that a confirmed read or take saw alone. None if that was
    /// something else.
    pub(crate) fn integer(&self) -> Option<i64> {
        (self.integer != NONE).then_some(self.integer)
    }

    /// [`interval`] of its operation.
    pub(crate) fn interval(&self) -> (u64, u64) {
        (self.invoked, self.completed)
    }
}

/// When an operation was asked and answered, each plus one, so that 0 is before everything; `u64::MAX` if it was
/// not confirmed.
pub(crate) fn interval(operation: &Operation) -> (u64, u64) {
    let completed = operation.completed.filter(|_| operation.is_confirmed());
    let after = |time: Nanos| time.0.saturating_add(1);
    (after(operation.invoked), completed.map_or(u64::MAX, after))
}
