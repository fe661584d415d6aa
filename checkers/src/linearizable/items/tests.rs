use std::collections::VecDeque;

use histories::{History, MicroOp, Operation, Outcome, Value, text};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::linearizable::Linearizable;
use crate::proven::assert_proven;
use crate::{Budget, Checker, Facts, Judgement};

/// All orders, and for unknown calls both whether they happened or not.
fn has_order(operations: &[&Operation], done: u32, state: &mut VecDeque<Value>, is_queue: bool) -> bool {
    let left = |place: &usize| done & (1 << place) == 0;
    let all = 0..operations.len();
    if all.clone().filter(left).all(|place| !operations[place].is_confirmed()) {
        return true;
    }
    all.clone().filter(left).any(|place| {
        let may_be_next =
            all.clone().filter(left).all(|other| !operations[other].precedes(operations[place]));
        let before = state.clone();
        let fits = may_be_next
            && step(operations[place], state, is_queue)
            && has_order(operations, done | (1 << place), state, is_queue);
        *state = before;
        fits
    })
}

fn step(operation: &Operation, state: &mut VecDeque<Value>, is_queue: bool) -> bool {
    let (micro_op, reply) = operation.steps().next().unwrap();
    match micro_op {
        MicroOp::Enqueue { element, .. } | MicroOp::Push { element, .. } => {
            state.push_back(element.clone());
            true
        }
        _ => {
            let taken = if is_queue { state.pop_front() } else { state.pop_back() };
            reply.is_none_or(|reply| reply.observed.as_ref().unwrap().single() == taken.as_ref())
        }
    }
}

/// A history of a correct queue or stack, in half of the cases spoiled by one other answer.
fn draw(seed: u64, is_queue: bool, operations: usize, unknown: u32) -> History {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let (put, take) = if is_queue { ("enqueue", "dequeue") } else { ("push", "pop") };
    let count = rng.random_range(operations / 2..=operations);
    let (mut state, mut lines, mut answers) = (VecDeque::new(), Vec::new(), Vec::new());
    for instant in 0..count as u64 {
        let from = 10 + 2 * instant - rng.random_range(0..8);
        let to = 10 + 2 * instant + rng.random_range(0..8);
        let is_put = rng.random_range(0..100) < 55;
        let answer = match is_put {
            true => {
                state.push_back(instant);
                "ok".to_string()
            }
            false => {
                let taken = if is_queue { state.pop_front() } else { state.pop_back() };
                taken.map_or("nothing".into(), |taken| taken.to_string())
            }
        };
        let call = if is_put { format!("{put} q {instant}") } else { format!("{take} q") };
        lines.push((from, to, call));
        answers.push((answer, is_put));
    }
    if rng.random_range(0..2) == 0 {
        let takes: Vec<usize> = (0..count).filter(|place| !answers[*place].1).collect();
        if let [_, ..] = takes.as_slice() {
            let place = takes[rng.random_range(0..takes.len())];
            let other = rng.random_range(0..=count);
            answers[place].0 = if other == count { "nothing".into() } else { other.to_string() };
        }
    }
    let mut script = String::new();
    for (session, ((from, to, call), (answer, _))) in lines.iter().zip(&answers).enumerate() {
        let is_unknown = rng.random_range(0..100) < unknown;
        let answer = if is_unknown { "unknown" } else { answer };
        script.push_str(&format!("c{session} {from}..{to} {call} -> {answer}\n"));
    }
    text::parse(&script).unwrap()
}

fn compare(is_queue: bool, operations: usize, unknown: u32, seeds: std::ops::Range<u64>) {
    let (mut legal, mut illegal) = (0, 0);
    for seed in seeds {
        let history = draw(seed, is_queue, operations, unknown);
        let is_put = |op: &Operation| !op.call.micro_ops()[0].observes();
        if !history.operations().iter().any(is_put) {
            // Filled by somebody else: not judged.
            continue;
        }
        let possible: Vec<&Operation> = history.operations().iter().filter(|op| op.is_possible()).collect();
        let expected = has_order(&possible, 0, &mut VecDeque::new(), is_queue);
        let verdict = Linearizable.check(&Facts::new(&history), Budget::default());
        assert_eq!(!verdict.is_broken(), expected, "seed {seed}\n{}{verdict:#?}", text::print(&history));
        *(if expected { &mut legal } else { &mut illegal }) += 1;
        for finding in &verdict.findings {
            assert_proven(&history, "linearizable", finding);
            proves(&history, finding, is_queue);
        }
    }
    assert!(legal > 100 && illegal > 100, "{legal} legal, {illegal} illegal");
}

/// The calls of a proof have no order by themselves; a put that is not shown may have been at any time.
fn proves(history: &History, finding: &crate::Finding, is_queue: bool) {
    let mut shown: Vec<Operation> =
        finding.steps.iter().map(|step| history.operation(step.operation).clone()).collect();
    let puts: Vec<Operation> = history.operations().iter().filter(|op| op.is_possible()).cloned().collect();
    for put in puts.into_iter().filter(|op| !op.call.micro_ops()[0].observes()) {
        if shown.iter().all(|other| other.id != put.id) {
            let outcome = Outcome::Unknown(histories::Reason::TIMEOUT);
            shown.push(Operation { outcome, invoked: histories::Nanos(0), ..put });
        }
    }
    // Takes that are not shown may be of any element that is in the way.
    let operations: Vec<&Operation> = shown.iter().collect();
    assert!(
        !has_order(&operations, 0, &mut VecDeque::new(), is_queue),
        "{finding:#?}\n{}",
        text::print(history)
    );
}

#[test]
fn agrees_with_brute_force_on_queues() {
    compare(true, 6, 0, 0..6_000);
    compare(true, 8, 0, 0..1_500);
    compare(true, 6, 25, 0..6_000);
}

#[test]
fn agrees_with_brute_force_on_stacks() {
    compare(false, 6, 0, 0..6_000);
    compare(false, 8, 0, 0..3_000);
    compare(false, 6, 25, 0..6_000);
}

fn rows(count: usize, take: &str, answer: impl Fn(usize) -> usize) -> String {
    let put = if take == "pop" { "push" } else { "enqueue" };
    let puts: String = (0..count).map(|n| format!("c{n} {n}..{} {put} q {n} -> ok\n", n + 50)).collect();
    let takes = (0..count).map(|n| {
        let from = count + 60 + n;
        format!("c{} {from}..{} {take} q -> {}\n", count + n, from + 50, answer(n))
    });
    puts + &takes.collect::<String>()
}

fn judgement(script: &str) -> Judgement {
    let history = text::parse(script).unwrap();
    Linearizable.check(&Facts::new(&history), Budget { steps: 0 }).judgement
}

#[test]
fn many_at_once_take_no_search() {
    assert_eq!(judgement(&rows(2_000, "dequeue", |n| n)), Judgement::Held);
    assert_eq!(judgement(&rows(2_000, "pop", |n| 1_999 - n)), Judgement::Held);
    assert_eq!(judgement(&rows(2_000, "dequeue", |n| 1_999 - n)), Judgement::Broken);
    assert_eq!(judgement(&rows(2_000, "pop", |n| n)), Judgement::Broken);
}

#[test]
fn unknown_takes_take_no_search() {
    let unknown: String = (0..40).map(|n| format!("c{} 5..6 dequeue q -> unknown\n", 10_000 + n)).collect();
    let some = rows(500, "dequeue", |n| n);
    let some: Vec<&str> = some.lines().filter(|line| !line.ends_with("dequeue q -> 100")).collect();
    assert_eq!(judgement(&(unknown + &some.join("\n"))), Judgement::Held);
    assert_eq!(judgement(&some.join("\n")), Judgement::Broken);
}
