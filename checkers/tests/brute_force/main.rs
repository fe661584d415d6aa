//! Every checker agrees with a slow definition of its guarantee on thousands of small histories.
//!
//! A definition here tries all orders, subsets and choices that a store could have made, and shares
//! no code with the checkers. A failing seed prints its history; make it a golden one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bank;
mod convergence;
mod counters;
mod cycles;
mod deleted;
mod elements;
mod generator;
mod levels;
mod lists;
mod made_up;
mod queues;
mod readers;
mod registers;
mod sets;
mod sources;
#[path = "../witness_of/mod.rs"]
mod witness_of;

use checkers::{Budget, EdgeKind, Facts, Finding, Judgement, checker};
use generator::Script;
use histories::text;

/// What a slow definition says about a history.
#[derive(Debug, PartialEq, Eq)]
enum Truth {
    /// Broken, so many times.
    Broken(u64),
    /// Not broken.
    Unbroken,
}

/// What can be written as a history.
trait Written {
    fn to_text(&self) -> String;
}

impl Written for Script {
    fn to_text(&self) -> String {
        Self::to_text(self)
    }
}

/// Compares checker and definition; says how many histories were broken.
fn compare<S: Written>(guarantee: &str, seeds: u64, make: impl Fn(u64) -> S, define: impl Fn(&S) -> Truth) {
    let (mut broken, mut held) = (0, 0);
    for seed in 0..seeds {
        let script = make(seed);
        let written = script.to_text();
        let history = text::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        let facts = Facts::new(&history);
        let verdict = checker(guarantee).unwrap().check(&facts, Budget::default());
        let said = if verdict.is_broken() { Truth::Broken(verdict.count) } else { Truth::Unbroken };
        let truth = define(&script);
        assert_eq!(
            said, truth,
            "{guarantee}, seed {seed}: the checker said the first\n{written}\n{verdict:#?}"
        );
        broken += u64::from(verdict.is_broken());
        held += u64::from(verdict.judgement == Judgement::Held);
    }
    // A generator that never breaks or never keeps a guarantee would prove nothing.
    assert!(
        broken * 50 > seeds && held * 50 > seeds,
        "{guarantee}: {broken} broken and {held} held of {seeds}"
    );
}

/// All orders of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(count - 1) {
        for place in 0..count {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            all.push(longer);
        }
    }
    all
}
