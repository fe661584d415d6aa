//! The events of a history in an order in which they may have been recorded.
//!
//! ```text
//!   c0  |--------|              c0 asks, c1 asks, c0 is answered, c1 is answered
//!   c1           |------|       at one same instant whoever can asks before others are answered
//! ```

use std::collections::BTreeMap;

use crate::{History, Nanos, Operation};

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Asked,
    Answered,
}

/// All steps with their times. O(n log n).
pub(super) fn steps(history: &History) -> Vec<(Nanos, Step, &Operation)> {
    // A session has the order of its own operations; between sessions time decides, and then who asks.
    let mut waiting: BTreeMap<_, Vec<(Nanos, Step, &Operation)>> = BTreeMap::new();
    for operation in history.operations().iter().rev() {
        let own = waiting.entry(operation.session).or_default();
        own.extend(operation.completed.map(|time| (time, Step::Answered, operation)));
        own.push((operation.invoked, Step::Asked, operation));
    }
    let mut steps = Vec::with_capacity(history.operations().len() * 2);
    let mut next = BTreeMap::new();
    let key =
        |(time, step, operation): (Nanos, Step, &Operation)| (time, step == Step::Answered, operation.id);
    for (session, own) in &mut waiting {
        next.extend(own.pop().map(|step| (key(step), (*session, step))));
    }
    while let Some((_, (session, step))) = next.pop_first() {
        steps.push(step);
        next.extend(waiting.get_mut(&session).and_then(Vec::pop).map(|step| (key(step), (session, step))));
    }
    steps
}
