//! Lists and sets: an element that was added stays, unless something may have taken it out.
//!
//! ```text
//!   c0@A  append l 1  -> ok
//!   c1@B  append l 2  -> ok
//!   -- final-reads
//!   c2@A  read l -> [1]       c3@B  read l -> [1]        2 is lost
//! ```

use histories::{MicroOp, Value};

use super::registers::final_elements;
use super::{End, Example, Judged, Loss, blind_chances, is_known_before};
use crate::facts::{Address, Facts, KeyNumber, elements_added};

pub(super) fn judge(facts: &Facts<'_>, key: KeyNumber, end: &End<'_>) -> Judged {
    let on_key = facts.on_key(key);
    let is_update =
        |at: &Address| !brought(facts.micro_op(*at)).is_empty() && facts.operation(*at).is_possible();
    let updates: Vec<Address> = on_key.iter().copied().filter(is_update).collect();
    let mut judged =
        Judged { chances: blind_chances(facts, &updates), is_clear: !end.reads.is_empty(), loss: None };
    let kept = final_elements(facts, end.reads);
    let mut lost: Vec<Address> = Vec::new();
    for update in updates.iter().filter(|at| facts.operation(**at).is_confirmed()) {
        let mut missing = brought(facts.micro_op(*update));
        missing.retain(|element| !kept.contains(element));
        if !missing.is_empty()
            && end.should_show(facts, *update)
            && missing.iter().any(|element| !may_be_removed(facts, on_key, *update, element))
        {
            lost.push(*update);
        }
    }
    if let (Some(first), Some(read)) = (lost.first(), end.newest.iter().min()) {
        judged.loss =
            Some(Loss { count: lost.len() as u64, example: Example::Gone { lost: *first, read: *read } });
    }
    judged
}

/// The elements that a micro-op puts in without replacing what it did not see.
fn brought(micro_op: &MicroOp) -> Vec<&Value> {
    match micro_op {
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => vec![element],
        MicroOp::CompareAndSet { expected, value, .. } => elements_added(expected, value),
        // A blind write is never lost.
        MicroOp::Write { .. }
        | MicroOp::Read { .. }
        | MicroOp::Remove { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Enqueue { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Push { .. }
        | MicroOp::Pop { .. } => Vec::new(),
    }
}

// Only those count that need not have come before.
fn may_be_removed(facts: &Facts<'_>, on_key: &[Address], update: Address, element: &Value) -> bool {
    let has = |value: &Value| value.as_list().is_some_and(|list| list.contains(element));
    let removes = |micro_op: &MicroOp| match micro_op {
        MicroOp::Write { value, .. } => !has(value),
        MicroOp::Delete { .. } => true,
        MicroOp::Remove { element: other, .. } => other == element,
        MicroOp::CompareAndSet { expected, value, .. } => expected.values.iter().any(has) && !has(value),
        MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => true,
        MicroOp::Read { .. }
        | MicroOp::Append { .. }
        | MicroOp::Add { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Enqueue { .. }
        | MicroOp::Push { .. } => false,
    };
    on_key.iter().any(|at| {
        removes(facts.micro_op(*at))
            && facts.operation(*at).is_possible()
            && !is_known_before(facts, *at, update)
    })
}
