use histories::text;

use super::brute::{each_view_exists, one_order_exists, with_replaced};
use super::*;
use crate::causal::brute::Brute;
use crate::proven::assert_proven;
use crate::random::Recipe;

const VIEWS: Recipe = Recipe { operations: 6, sessions: 3, keys: 2, overlapping: false, ..Recipe::PLAIN };

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
            each_view_exists(&history, &with_replaced(&history)),
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
    compare(Recipe { writes: 25, swaps: 25, ..VIEWS }, 0..10_000);
    compare(Recipe { writes: 25, swaps: 25, unknown: 20, keys: 1, overlapping: true, ..VIEWS }, 0..10_000);
}

// Only the call itself can have made what it expects, and somebody saw it.
#[test]
fn an_unknown_compare_and_set_of_what_it_makes_itself_has_no_order() {
    let history = text::parse("c0 cas x 4 4 -> unknown\nc1 read x -> 4\nc1 read x -> 4").unwrap();
    let facts = Facts::new(&history);
    let checkers: [&dyn Checker; 3] = [&Pram, &CausalMemory, &Sequential];
    for checker in checkers {
        let verdict = checker.check(&facts, Budget::default());
        assert!(verdict.is_broken(), "{verdict:#?}");
    }
}

#[test]
fn what_another_session_replaced_comes_before_that() {
    let history =
        text::parse("c0 write x 1 -> ok\nc1 cas x 1 2 -> ok\nc2 read x -> 2\nc2 read x -> 1").unwrap();
    let verdict = Pram.check(&Facts::new(&history), Budget::default());
    assert!(verdict.is_broken(), "{verdict:#?}");
    assert_proven(&history, "pram", &verdict.findings[0]);
}

// Bouajjani et al. 2017, fig. 3: c1 may order 1 of x before its own 2, but had seen no z by then.
#[test]
fn causal_convergence_does_not_imply_pram() {
    let history = text::parse(
        "c0 write z 1 -> ok\nc0 write x 1 -> ok\nc0 write y 1 -> ok\n\
         c1 write x 2 -> ok\nc1 read z -> nothing\nc1 read y -> 1\nc1 read x -> 2",
    )
    .unwrap();
    let facts = Facts::new(&history);
    let is_broken =
        |guarantee: &str| crate::checker(guarantee).unwrap().check(&facts, Budget::default()).is_broken();
    assert!(!is_broken("causal-order") && is_broken("pram") && is_broken("causal-memory"));
    assert!(!crate::lattice::implies("causal-order", "pram"));
    assert!(crate::lattice::implies("causal-memory", "pram"));
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
