//! Ids that are handed out, versions, and counters that only grow: each compared with all that came before.

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare};

fn ids(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let lines = draw.lines(|draw, _| Ask::Dequeue(Some(draw.below(9) as i64)));
    Script { lines, ..Script::default() }
}

fn confirmed(script: &Script) -> Vec<&Line> {
    script.lines.iter().filter(|line| line.is_confirmed()).collect()
}

fn truth(wrong: usize) -> Truth {
    if wrong == 0 { Truth::Unbroken } else { Truth::Broken(wrong as u64) }
}

#[test]
fn an_id_is_given_again_if_an_earlier_call_was_given_it() {
    compare("unique-ids", 10_000, ids, |script| {
        let given = confirmed(script);
        let again =
            (0..given.len()).filter(|at| given[..*at].iter().any(|other| other.ask == given[*at].ask));
        truth(again.count())
    });
}

fn versions(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let lines = draw.lines(|draw, _| Ask::Store(draw.below(3) as i64, draw.below(9) as i64));
    Script { lines, ..Script::default() }
}

#[test]
fn a_version_names_one_state() {
    compare("unique-ids", 10_000, versions, |script| {
        let stored = confirmed(script).into_iter().filter_map(|line| match line.ask {
            Ask::Store(value, version) => Some((value, version)),
            _ => None,
        });
        let stored: Vec<(i64, i64)> = stored.collect();
        // Counted against the state that had the version first.
        let first = |version| stored.iter().find(|(_, other)| *other == version).unwrap().0;
        truth(stored.iter().filter(|(value, version)| first(*version) != *value).count())
    });
}

fn counters(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let lines = draw.lines(|draw, _| match draw.below(8) {
        0 if draw.chance(30) => Ask::Increment(-1),
        0 | 1 => Ask::Increment(draw.below(3) as i64),
        _ if draw.chance(10) => Ask::Read(Vec::new()),
        _ => Ask::Read(vec![draw.below(6) as i64]),
    });
    Script { lines, ..Script::default() }
}

#[test]
fn a_counter_that_only_grows_falls_if_the_session_has_read_more() {
    compare("monotonic-values", 10_000, counters, |script| {
        let is_less = |line: &Line| line.is_possible() && matches!(line.ask, Ask::Increment(by) if by < 0);
        let is_counter = script.lines.iter().any(|line| matches!(line.ask, Ask::Increment(_)));
        if !is_counter || script.lines.iter().any(is_less) {
            return Truth::Unbroken;
        }
        let value = |line: &Line| match &line.ask {
            Ask::Read(seen) => Some(seen.first().copied().unwrap_or(0)),
            _ => None,
        };
        let lines = confirmed(script);
        let fell = lines.iter().enumerate().filter(|(at, line)| {
            let before = lines[..*at].iter().filter(|other| other.session == line.session);
            let most = before.filter_map(|other| value(other)).max();
            value(line).zip(most).is_some_and(|(now, most)| now < most)
        });
        truth(fell.count())
    });
}
