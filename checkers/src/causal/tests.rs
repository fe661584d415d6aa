use histories::text;

use super::brute::Brute;
use super::consistency::CausalConsistency;
use super::*;
use crate::random::Recipe;

const CAUSAL: Recipe = Recipe { operations: 6, sessions: 3, keys: 2, overlapping: false, ..Recipe::PLAIN };

fn compare(recipe: Recipe, seeds: std::ops::Range<u64>) {
    let (mut fine, mut broken) = (0, 0);
    for seed in seeds {
        let history = recipe.draw(seed);
        let facts = Facts::new(&history);
        let verdict = Causal.check(&facts, Budget::default());
        let expected = Brute::new(&history).is_convergent();
        assert_eq!(!verdict.is_broken(), expected, "seed {seed} of {recipe:?}\n{}", text::print(&history));
        let weak = CausalConsistency.check(&facts, Budget::default());
        let consistent = Brute::new(&history).is_consistent();
        assert_eq!(!weak.is_broken(), consistent, "seed {seed} of {recipe:?}\n{}", text::print(&history));
        assert!(consistent || !expected, "seed {seed}: convergence without consistency");
        *(if expected { &mut fine } else { &mut broken }) += 1;
        assert_eq!(verdict.count, verdict.findings.iter().map(|finding| finding.weight).sum::<u64>());
    }
    assert!(fine > 100 && broken > 100, "{fine} fine, {broken} broken of {recipe:?}");
}

#[test]
fn agrees_with_the_definition_on_registers() {
    compare(CAUSAL, 0..4_000);
    compare(Recipe { keys: 1, ..CAUSAL }, 0..4_000);
    compare(Recipe { sessions: 4, writes: 35, ..CAUSAL }, 0..4_000);
    compare(Recipe { unknown: 30, overlapping: true, ..CAUSAL }, 0..4_000);
}

#[test]
fn agrees_with_the_definition_on_compare_and_set_and_on_lists() {
    compare(Recipe { writes: 25, swaps: 25, unknown: 10, overlapping: true, ..CAUSAL }, 0..6_000);
    compare(Recipe { writes: 0, appends: 45, unknown: 10, overlapping: true, ..CAUSAL }, 0..6_000);
}
