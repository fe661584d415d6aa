use histories::{History, MicroOp, Operation, Value, text};

use super::*;
use crate::random::Recipe;

/// Tries every order of all calls, each unknown change done or not.
fn brute_force(history: &History) -> bool {
    let operations: Vec<&Operation> = history.operations().iter().collect();
    extend(&operations, 0, &None)
}

/// The same of a counter, which begins at 0.
pub(super) fn is_a_counter(history: &History) -> bool {
    let operations: Vec<&Operation> = history.operations().iter().collect();
    extend(&operations, 0, &Some(Value::Integer(0)))
}

fn extend(operations: &[&Operation], done: u32, state: &Option<Value>) -> bool {
    let is_open = |place: usize| done & (1 << place) == 0;
    if (0..operations.len()).all(|place| !is_open(place) || !operations[place].is_confirmed()) {
        return true;
    }
    (0..operations.len()).filter(|place| is_open(*place)).any(|place| {
        let operation = operations[place];
        let is_minimal = (0..operations.len())
            .filter(|other| is_open(*other))
            .all(|other| !operations[other].precedes(operation));
        is_minimal
            && next(operation, state).is_some_and(|state| extend(operations, done | 1 << place, &state))
    })
}

fn next(operation: &Operation, state: &Option<Value>) -> Option<Option<Value>> {
    let (micro_op, reply) = operation.steps().next().unwrap();
    let elements = || state.as_ref().map_or(Vec::new(), |value| value.as_list().unwrap().to_vec());
    match micro_op {
        MicroOp::Read { .. } => {
            let seen = reply.unwrap().observed.as_ref().unwrap();
            let is_empty = |value: &Value| value.as_list().is_some_and(<[Value]>::is_empty);
            let agrees = seen.single().filter(|value| !is_empty(value)) == state.as_ref();
            (agrees && seen.values.len() < 2).then(|| state.clone())
        }
        MicroOp::Write { value, .. } => Some(Some(value.clone())),
        MicroOp::Delete { .. } => Some(None),
        MicroOp::CompareAndSet { expected, value, .. } => {
            (expected.single() == state.as_ref()).then(|| Some(value.clone()))
        }
        MicroOp::Increment { by, .. } => {
            let sum = state.as_ref().and_then(Value::as_integer).unwrap_or(0) + by;
            Some(Some(Value::Integer(sum)))
        }
        MicroOp::Append { element, .. } => {
            Some(Some(elements().into_iter().chain([element.clone()]).collect()))
        }
        // Values are drawn in ascending order, and so reads of sets are.
        MicroOp::Add { element, .. } => {
            let mut elements = elements();
            elements.push(element.clone());
            elements.sort();
            Some(Some(elements.into_iter().collect()))
        }
        _ => unreachable!("no such call is drawn"),
    }
}

fn compare(recipe: Recipe, seeds: std::ops::Range<u64>) {
    let (mut legal, mut illegal) = (0, 0);
    for seed in seeds {
        let history = recipe.draw(seed);
        let verdict = Linearizable.check(&Facts::new(&history), Budget::default());
        let expected = brute_force(&history);
        assert_eq!(!verdict.is_broken(), expected, "seed {seed} of {recipe:?}\n{}", text::print(&history));
        *(if expected { &mut legal } else { &mut illegal }) += 1;
        for finding in &verdict.findings {
            proves(&history, finding, seed);
        }
    }
    assert!(legal > 100 && illegal > 100, "{legal} legal, {illegal} illegal of {recipe:?}");
}

/// The operations of a proof are not linearizable by themselves.
fn proves(history: &History, finding: &Finding, seed: u64) {
    let mut shown: Vec<Operation> =
        finding.steps.iter().map(|step| history.operation(step.operation).clone()).collect();
    // A write that the proof does not show is granted: it may have been done at any time.
    let mut place = 0;
    while let Some(needs) = shown.get(place).map(found) {
        place += 1;
        let is_shown = |value: &Option<Value>| shown.iter().any(|operation| stored(operation) == *value);
        if needs.is_none() || is_shown(&needs) {
            continue;
        }
        let Some(writer) = history.operations().iter().find(|other| stored(other) == needs) else { continue };
        let outcome = histories::Outcome::Unknown(histories::Reason::TIMEOUT);
        shown.push(Operation { outcome, invoked: histories::Nanos(0), ..writer.clone() });
    }
    let operations: Vec<&Operation> = shown.iter().collect();
    assert!(!extend(&operations, 0, &None), "seed {seed}: {finding:#?}\n{}", text::print(history));
}

fn stored(operation: &Operation) -> Option<Value> {
    match &operation.call.micro_ops()[0] {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value.clone()),
        _ => None,
    }
}

fn found(operation: &Operation) -> Option<Value> {
    match operation.steps().next().unwrap() {
        (MicroOp::CompareAndSet { expected, .. }, _) => expected.single().cloned(),
        (_, reply) => reply?.observed.as_ref()?.single().cloned(),
    }
}

#[test]
fn agrees_with_brute_force_on_plain_registers() {
    compare(Recipe::PLAIN, 0..8_000);
    compare(Recipe { unknown: 30, ..Recipe::PLAIN }, 0..4_000);
    compare(Recipe { writes: 25, ..Recipe::PLAIN }, 0..4_000);
}

#[test]
fn agrees_with_brute_force_on_compare_and_set() {
    compare(Recipe { writes: 20, swaps: 35, ..Recipe::PLAIN }, 0..8_000);
    compare(Recipe { writes: 20, swaps: 40, unknown: 40, ..Recipe::PLAIN }, 0..8_000);
}

#[test]
fn agrees_with_brute_force_where_the_search_is_needed() {
    compare(Recipe { deletes: 20, ..Recipe::PLAIN }, 0..4_000);
    compare(Recipe { again: 50, unknown: 20, ..Recipe::PLAIN }, 0..4_000);
    compare(Recipe { writes: 20, swaps: 20, deletes: 20, again: 30, unknown: 20, ..Recipe::PLAIN }, 0..4_000);
    compare(Recipe { writes: 0, appends: 45, unknown: 20, again: 30, ..Recipe::PLAIN }, 0..4_000);
}

#[test]
fn agrees_with_brute_force_on_what_only_grows() {
    compare(Recipe { writes: 0, appends: 45, unknown: 20, ..Recipe::PLAIN }, 0..8_000);
    compare(Recipe { writes: 0, adds: 45, unknown: 20, ..Recipe::PLAIN }, 0..8_000);
    compare(Recipe { writes: 0, adds: 35, operations: 8, ..Recipe::PLAIN }, 0..4_000);
}

#[test]
fn a_search_that_would_need_gigabytes_gives_up() {
    let unknown: String = (0..40).map(|n| format!("c{n} increment n {} -> unknown\n", 2_u64 << n)).collect();
    let confirmed = "c99 increment n 3 -> ok\n".repeat(5);
    // Between 15 and all of them; but no sum is even.
    let history = text::parse(&format!("{unknown}{confirmed}c99 read n -> 16")).unwrap();
    let verdict = Linearizable.check(&Facts::new(&history), Budget::default());
    let why = "1 key allowed too many orders to hold all in memory".into();
    assert_eq!(verdict.judgement, crate::Judgement::NotJudged { why });
}

#[test]
fn appends_that_were_never_answered_take_no_search() {
    let unknown: String = (0..40).map(|n| format!("c{n} append l {n} -> unknown\n")).collect();
    let confirmed: String = (40..400).map(|n| format!("c99 append l {n} -> ok\n")).collect();
    let elements: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    let read = format!("c99 read l -> [{}]", elements.join(" "));
    let history = text::parse(&format!("{unknown}{confirmed}{read}")).unwrap();
    let verdict = Linearizable.check(&Facts::new(&history), Budget { steps: 0 });
    assert_eq!(verdict.judgement, crate::Judgement::Held, "{verdict:#?}");
}

#[test]
fn ten_thousand_unknown_changes_take_no_search() {
    let scripts = [
        ("write x", "read x", "5000"),
        ("append l", "read l", "[-1 5000 7]"),
        ("add s", "read s", "[-1 7 5000]"),
        ("enqueue q", "dequeue q -> -1\nc0 dequeue q", "5000"),
        ("push p", "pop p", "5000"),
    ];
    for (change, read, found) in scripts {
        let unknown: String = (0..10_000).map(|n| format!("c{} {change} {n} -> unknown\n", n + 1)).collect();
        let judge = |found: &str| {
            let script = format!("c0 {change} -1 -> ok\n{unknown}c0 {read} -> {found}");
            let history = text::parse(&script).unwrap();
            Linearizable.check(&Facts::new(&history), Budget { steps: 0 }).judgement
        };
        assert_eq!(judge(found), crate::Judgement::Held, "{change}");
        assert_eq!(judge(&found.replace("5000", "50000")), crate::Judgement::Broken, "{change}");
    }
}
