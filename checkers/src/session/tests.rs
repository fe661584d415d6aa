use histories::text;

use super::*;
use crate::causal::brute::{Brute, closed, observed, sources};
use crate::random::Recipe;
use crate::views::brute::{each_view_exists, with_replaced};
use crate::{Budget, Checker, Facts};

/// Each session guarantee by its definition: what a read owes, and whether some order excuses it.
fn breached(brute: &Brute<'_>, guarantee: &str) -> Vec<usize> {
    let operations = brute.history.operations();
    let same_session = |a: usize, b: usize| operations[a].session == operations[b].session && a < b;
    let same_node = |a: usize, b: usize| operations[a].node == operations[b].node;
    let is_read = |at: usize| observed(&operations[at]).is_some();
    let saw = |read: usize, write: usize| is_read(read) && sources(brute.history, read).contains(&write);
    let all = || 0..operations.len();
    // Did the session of `read` see, on the same node, something that `author` wrote after `since`?
    let saw_later = |read: usize, since: usize| {
        all().any(|later| {
            same_session(since, later)
                && operations[later].session != operations[read].session
                && all().any(|sight| same_session(sight, read) && same_node(sight, read) && saw(sight, later))
        })
    };
    // What the session of `read` knows to come first.
    let known: Vec<Brute<'_>> = brute.reads().into_iter().map(|read| known_to(brute, read)).collect();
    let explains = |read: usize, write: usize| match guarantee {
        "writes-follow-reads" => brute.explains(read, write),
        _ => known[brute.reads().iter().position(|other| *other == read).unwrap()].explains(read, write),
    };
    let owes = |read: usize, write: usize| match guarantee {
        "read-your-writes" => same_session(write, read),
        "monotonic-reads" => all().any(|earlier| same_session(earlier, read) && saw(earlier, write)),
        "monotonic-writes" => saw_later(read, write),
        "writes-follow-reads" => all().any(|question| saw(question, write) && saw_later(read, question)),
        other => unreachable!("{other}"),
    };
    let is_breach = |read: usize| {
        let writes = brute.writes(brute.key(read));
        writes.into_iter().any(|write| !saw(read, write) && owes(read, write) && !explains(read, write))
    };
    let is_clear = |read: &usize| {
        let seen = observed(&operations[*read]).unwrap();
        seen.values.len() == sources(brute.history, *read).len()
    };
    brute.reads().into_iter().filter(is_clear).filter(|read| is_breach(*read)).collect()
}

/// Sessions, what a compare-and-set replaced, and what the session of this read had read.
fn known_to<'h>(brute: &Brute<'h>, read: usize) -> Brute<'h> {
    let history = brute.history;
    let mut before = with_replaced(history);
    let own = history.operations()[read].session;
    for at in brute.reads().into_iter().filter(|at| history.operations()[*at].session == own) {
        sources(history, at).into_iter().for_each(|source| before[source][at] = true);
    }
    Brute { history, before: closed(before) }
}

fn compare(recipe: Recipe, seeds: std::ops::Range<u64>) {
    let checkers: [&dyn Checker; 4] =
        [&ReadYourWrites, &MonotonicReads, &MonotonicWrites, &WritesFollowReads];
    let mut seen = [0_u64; 4];
    for seed in seeds {
        let history = recipe.draw(seed);
        let brute = Brute::new(&history);
        if brute.is_cyclic() {
            continue;
        }
        let facts = Facts::new(&history);
        for (place, checker) in checkers.into_iter().enumerate() {
            let verdict = checker.check(&facts, Budget::default());
            let expected = breached(&brute, checker.guarantee());
            let at =
                || format!("{} on seed {seed} of {recipe:?}\n{}", checker.guarantee(), text::print(&history));
            assert_eq!(verdict.count, expected.len() as u64, "{}", at());
            assert_eq!(verdict.is_broken(), !expected.is_empty(), "{}", at());
            assert_eq!(verdict.count, verdict.findings.iter().map(|finding| finding.weight).sum::<u64>());
            seen[place] += verdict.count;
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

const SESSIONS: Recipe = Recipe { operations: 7, sessions: 2, keys: 2, overlapping: false, ..Recipe::PLAIN };

#[test]
fn agree_with_every_order_of_registers() {
    compare(SESSIONS, 0..6_000);
    compare(Recipe { sessions: 3, unknown: 10, overlapping: true, ..SESSIONS }, 0..6_000);
}

#[test]
fn agree_with_every_order_where_keys_are_deleted_or_show_siblings() {
    compare(Recipe { writes: 35, deletes: 12, ..SESSIONS }, 0..6_000);
    compare(Recipe { siblings: 40, ..SESSIONS }, 0..6_000);
    compare(Recipe { writes: 25, swaps: 20, overlapping: true, ..SESSIONS }, 0..6_000);
}

#[test]
fn what_another_session_had_read_is_no_news_for_the_reader() {
    let history = text::parse(
        "c1 write x 0 -> ok\nc1 write x 1 -> ok\nc2 read x -> 1\nc2 write x 2 -> ok\nc0 read x -> 2\nc0 read x -> 0",
    )
    .unwrap();
    let facts = Facts::new(&history);
    let is_broken = |checker: &dyn Checker| checker.check(&facts, Budget::default()).is_broken();
    assert!(!is_broken(&crate::views::Pram), "c0 may have 2 before 0 and 1");
    assert!(!is_broken(&MonotonicReads));
    assert!(is_broken(&WritesFollowReads));
}

fn nothing_that_holds_under_pram_is_broken(recipe: Recipe, seeds: std::ops::Range<u64>) {
    let mut held = [0; 2];
    for seed in seeds {
        let history = recipe.draw(seed);
        let facts = Facts::new(&history);
        let is_broken = |checker: &dyn Checker| checker.check(&facts, Budget::default()).is_broken();
        let three: [&dyn Checker; 3] = [&ReadYourWrites, &MonotonicReads, &MonotonicWrites];
        let is_any_broken = three.into_iter().any(is_broken);
        let holds = each_view_exists(&history, &with_replaced(&history));
        assert!(!(holds && is_any_broken), "seed {seed} of {recipe:?}\n{}", text::print(&history));
        assert!(!is_any_broken || is_broken(&crate::views::Pram), "seed {seed} of {recipe:?}");
        held[usize::from(is_any_broken)] += 1;
    }
    assert!(held.iter().all(|count| *count > 500), "{held:?}");
}

#[test]
fn what_holds_under_pram_breaks_no_guarantee_but_writes_follow_reads() {
    let recipe = Recipe { operations: 8, keys: 1, ..SESSIONS };
    nothing_that_holds_under_pram_is_broken(Recipe { sessions: 3, ..recipe }, 0..10_000);
    nothing_that_holds_under_pram_is_broken(Recipe { keys: 2, overlapping: true, ..recipe }, 0..5_000);
    let swaps = Recipe { sessions: 3, writes: 25, swaps: 25, unknown: 10, overlapping: true, ..recipe };
    nothing_that_holds_under_pram_is_broken(swaps, 0..10_000);
}

#[test]
fn agree_where_nodes_are_named() {
    compare(Recipe { nodes: 2, ..SESSIONS }, 0..10_000);
}
