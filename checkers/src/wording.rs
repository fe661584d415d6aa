//! How operations and numbers read in a story.
//!
//! ```text
//!   adds 412 to [88 301]     OK
//!   reads k17                [88 301 434]
//!   17 578 reads             1 read
//! ```

use histories::{MicroOp, NodeName, Observed, Operation, Outcome, Value};

use crate::Step;
use crate::facts::{Address, Facts, elements_added};

/// A list longer than this is shown by its ends.
const ELEMENTS_SHOWN_MAX: usize = 8;

/// `17 578`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `1 read`, `17 578 reads`. Give both forms of the noun.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { several })
}

/// `A`, `A and B`, `A, B and C`.
pub fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// `the operation was answered`, `both operations were answered`, `all 3 operations were answered`.
pub fn all_answered(operations: usize) -> String {
    match operations {
        1 => "the operation was answered".into(),
        2 => "both operations were answered".into(),
        count => format!("all {} operations were answered", grouped(count as u64)),
    }
}

/// One operation of a story: what it asks, what it was told, and why it matters.
pub fn step(facts: &Facts<'_>, address: Address, remark: impl Into<String>) -> Step {
    Step {
        operation: address.operation,
        what: asked(facts.micro_op(address)),
        answer: answered(facts, address),
        remark: remark.into(),
    }
}

/// `reads k17`, `writes k4 = 771`, `adds 412 to [88 301]`.
pub fn asked(micro_op: &MicroOp) -> String {
    match micro_op {
        MicroOp::Read { key } => format!("reads {key}"),
        MicroOp::Write { key, value } => format!("writes {key} = {}", shown(value)),
        MicroOp::CompareAndSet { key, expected, value } => match elements_of_growth(expected, value) {
            Some(added) => format!("adds {added} to {}", saw(expected)),
            None => format!("changes {key} from {} to {}", saw(expected), shown(value)),
        },
        MicroOp::Append { key, element } => format!("appends {} to {key}", shown(element)),
        MicroOp::Add { key, element } => format!("adds {} to {key}", shown(element)),
        MicroOp::Remove { key, element } => format!("removes {} from {key}", shown(element)),
        MicroOp::Increment { key, by } => format!("adds {by} to {key}"),
        MicroOp::Delete { key } => format!("deletes {key}"),
        MicroOp::Enqueue { key, element } => format!("puts {} into {key}", shown(element)),
        MicroOp::Dequeue { key } => format!("takes the first from {key}"),
        MicroOp::Push { key, element } => format!("puts {} on top of {key}", shown(element)),
        MicroOp::Pop { key } => format!("takes the last from {key}"),
    }
}

/// `OK`, `[88 301 434]`, `failed: conflict`, `no answer: timeout`.
pub fn answered(facts: &Facts<'_>, address: Address) -> String {
    match (&facts.operation(address).outcome, facts.observed(address)) {
        (Outcome::Confirmed(_), Some(observed)) => saw(observed),
        (Outcome::Confirmed(_), None) => "OK".into(),
        (Outcome::Failed(reason), _) => format!("failed: {reason}"),
        (Outcome::Unknown(reason), _) => format!("no answer: {reason}"),
    }
}

/// `nothing`, `[88 301]`, `1 | 2`; long lists by their ends.
pub fn saw(observed: &Observed) -> String {
    if observed.is_absent() {
        return "nothing".into();
    }
    let values: Vec<String> = observed.values.iter().map(shown).collect();
    values.join(" | ")
}

/// `412`, `[88 301]`, `[1 2 … 98 99 100]`.
pub fn shown(value: &Value) -> String {
    match value.as_list() {
        Some(elements) if elements.len() > ELEMENTS_SHOWN_MAX => {
            let shown = |part: &[Value]| part.iter().map(shown).collect::<Vec<_>>().join(" ");
            format!("[{} … {}]", shown(&elements[..2]), shown(&elements[elements.len() - 3..]))
        }
        _ => value.to_string(),
    }
}

/// `node A`, or `the store` if nobody knows which node was asked.
pub fn place(operation: &Operation) -> String {
    node_or(operation.node.as_ref(), "the store")
}

fn node_or(node: Option<&NodeName>, otherwise: &str) -> String {
    node.map_or_else(|| otherwise.to_string(), |node| format!("node {node}"))
}

// The elements that were added, if that is all that a compare-and-set did.
fn elements_of_growth(expected: &Observed, value: &Value) -> Option<String> {
    let added = elements_added(expected, value);
    let elements = value.as_list()?;
    let kept = expected.values.iter().all(|sibling| {
        sibling.as_list().is_some_and(|list| list.iter().all(|element| elements.contains(element)))
    });
    (kept && !added.is_empty() && !expected.is_absent())
        .then(|| added.into_iter().map(shown).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use histories::{OperationId, text};

    #[test]
    fn large_numbers_are_grouped() {
        let numbers = [0, 999, 1000, 17578, 1_000_000];
        assert_eq!(numbers.map(grouped), ["0", "999", "1 000", "17 578", "1 000 000"]);
        assert_eq!(counted(1, "key", "keys"), "1 key");
        assert_eq!(listed(["A", "B", "C"]), "A, B and C");
        assert_eq!(all_answered(1), "the operation was answered");
        assert_eq!(all_answered(2), "both operations were answered");
        assert_eq!(all_answered(12_000), "all 12 000 operations were answered");
    }

    #[test]
    fn operations_read_as_sentences() {
        let history = text::parse(
            "c0 cas x [88 301] [88 301 412] -> ok
             c0 cas x 5 6 -> failed
             c0 cas x nothing [1] -> unknown
             c1 write x [1 2 3 4 5 6 7 8 9] -> ok
             c2 read x -> 1 | 2
             c3 increment n -3 -> ok",
        )
        .unwrap();
        let facts = Facts::new(&history);
        let said: Vec<String> = (0..history.operations().len() as u32)
            .map(|id| step(&facts, Address { operation: OperationId(id), index: 0 }, ""))
            .map(|step| format!("{}: {}", step.what, step.answer))
            .collect();
        assert_eq!(
            said,
            [
                "adds 412 to [88 301]: OK",
                "changes x from 5 to 6: failed: conflict",
                "changes x from nothing to [1]: no answer: timeout",
                "writes x = [1 2 … 7 8 9]: OK",
                "reads x: 1 | 2",
                "adds -3 to n: OK",
            ]
        );
    }
}
