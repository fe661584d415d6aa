use std::collections::BTreeMap;

use histories::{History, Key, MicroOp, Operation, text};

use super::*;
use crate::causal::brute::{Brute, sources};
use crate::proven::assert_proven;
use crate::random::Recipe;

const VIEWS: Recipe = Recipe { operations: 6, sessions: 3, keys: 2, overlapping: false, ..Recipe::PLAIN };

/// All orders of some calls, by definition.
struct Orders<'h> {
    history: &'h History,
    /// `before[a][b]`: a has to come before b.
    before: Vec<Vec<bool>>,
    /// Calls whose answers have to be explained.
    judged: Vec<bool>,
}

impl Orders<'_> {
    fn micro_op(&self, at: usize) -> &MicroOp {
        &self.history.operations()[at].call.micro_ops()[0]
    }

    fn exists(&self, left: &[usize], held: &mut BTreeMap<Key, usize>) -> bool {
        left.is_empty()
            || left.iter().any(|at| {
                let rest: Vec<usize> = left.iter().copied().filter(|other| other != at).collect();
                if rest.iter().any(|other| self.before[*other][*at]) || !self.is_right(*at, held) {
                    return false;
                }
                let key = self.micro_op(*at).key().clone();
                let before = held.get(&key).copied();
                if !self.micro_op(*at).is_read() {
                    held.insert(key.clone(), *at);
                }
                let exists = self.exists(&rest, held);
                match before {
                    Some(before) => held.insert(key, before),
                    None => held.remove(&key),
                };
                exists
            })
    }

    fn is_right(&self, at: usize, held: &BTreeMap<Key, usize>) -> bool {
        let found = held.get(self.micro_op(at).key()).copied();
        let finds = !matches!(self.micro_op(at), MicroOp::Write { .. });
        !finds || !self.judged[at] || sources(self.history, at).first().copied() == found
    }
}

/// Calls that surely happened: confirmed, or a change that somebody saw.
fn happened(history: &History) -> Vec<usize> {
    let operations = history.operations();
    let mut seen: Vec<usize> = (0..operations.len())
        .filter(|at| operations[*at].is_confirmed())
        .flat_map(|at| sources(history, at))
        .collect();
    let mut place = 0;
    while let Some(at) = seen.get(place).copied() {
        place += 1;
        let further = sources(history, at).into_iter().filter(|other| !seen.contains(other));
        seen.extend(further.collect::<Vec<_>>());
    }
    let is_seen = |at: usize| seen.contains(&at);
    let is_read = |operation: &Operation| operation.call.is_read_only();
    (0..operations.len())
        .filter(|at| {
            let operation = &operations[*at];
            operation.is_confirmed() || (operation.is_possible() && !is_read(operation) && is_seen(*at))
        })
        .collect()
}

fn session_order(history: &History) -> Vec<Vec<bool>> {
    let operations = history.operations();
    let follows = |a: usize, b: usize| a < b && operations[a].session == operations[b].session;
    (0..operations.len()).map(|a| (0..operations.len()).map(|b| follows(a, b)).collect()).collect()
}

fn each_view_exists(history: &History, before: &[Vec<bool>]) -> bool {
    let operations = history.operations();
    let mut sessions: Vec<_> = operations.iter().map(|operation| operation.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions.into_iter().all(|session| {
        let judged: Vec<bool> = operations.iter().map(|operation| operation.session == session).collect();
        let orders = Orders { history, before: before.to_vec(), judged };
        let mut calls = happened(history);
        calls.retain(|at| orders.judged[*at] || !operations[*at].call.is_read_only());
        orders.exists(&calls, &mut BTreeMap::new())
    })
}

fn one_order_exists(history: &History) -> bool {
    let judged = vec![true; history.operations().len()];
    let orders = Orders { history, before: session_order(history), judged };
    orders.exists(&happened(history), &mut BTreeMap::new())
}

fn compare(recipe: Recipe, seeds: std::ops::Range<u64>) {
    let (mut broken, mut seen) = ([0; 3], 0);
    for seed in seeds {
        let history = recipe.draw(seed);
        let facts = Facts::new(&history);
        if Record::new(&facts, Scope::OneOrder).left_out + Record::new(&facts, Scope::EachView).left_out > 0 {
            continue;
        }
        seen += 1;
        let causal = Brute::new(&history);
        let expected = [
            each_view_exists(&history, &session_order(&history)),
            !causal.is_cyclic() && each_view_exists(&history, &causal.before),
            one_order_exists(&history),
        ];
        let checkers: [&dyn Checker; 3] = [&Pram, &CausalMemory, &Sequential];
        for (place, checker) in checkers.into_iter().enumerate() {
            let verdict = checker.check(&facts, Budget::default());
            let at = format!("seed {seed} of {recipe:?}\n{}{verdict:#?}", text::print(&history));
            assert_eq!(!verdict.is_broken(), expected[place], "{} {at}", checker.guarantee());
            broken[place] += usize::from(verdict.is_broken());
            for finding in &verdict.findings {
                assert_proven(&history, checker.guarantee(), finding);
            }
        }
    }
    assert!(broken.iter().all(|count| *count > 50 && *count < seen - 50), "{broken:?} of {seen} are broken");
}

#[test]
fn agrees_with_the_definitions_on_reads_and_writes() {
    compare(VIEWS, 0..5_000);
    compare(Recipe { writes: 35, ..VIEWS }, 0..3_000);
    compare(Recipe { keys: 1, ..VIEWS }, 0..3_000);
    compare(Recipe { unknown: 30, overlapping: true, ..VIEWS }, 0..3_000);
}

#[test]
fn agrees_with_the_definitions_on_compare_and_set() {
    compare(Recipe { writes: 25, swaps: 25, ..VIEWS }, 0..1_000);
    compare(Recipe { writes: 25, swaps: 25, unknown: 20, keys: 1, overlapping: true, ..VIEWS }, 0..1_000);
}

#[test]
fn a_budget_that_runs_out_judges_nothing() {
    let history = text::parse("c0 write x 1 -> ok\nc1 read x -> 1\nc1 read x -> 1").unwrap();
    let facts = Facts::new(&history);
    let checkers: [&dyn Checker; 3] = [&Pram, &CausalMemory, &Sequential];
    for checker in checkers {
        let verdict = checker.check(&facts, Budget { steps: 1 });
        assert_eq!(verdict.judgement, crate::Judgement::NotJudged { why: TOO_LONG.into() });
    }
}
