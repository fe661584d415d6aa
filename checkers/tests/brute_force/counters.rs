//! Counters: no subset of the unknown increments makes up for what is missing.

use crate::generator::{Ask, Draw, End, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let lines = draw.lines(|draw, _| Ask::Increment([1, 2, 5, 9, -1, -4][draw.below(6)]));
    let all: i64 = lines.iter().filter(|line| line.is_possible()).map(by).sum();
    let value = all - draw.below(8) as i64;
    let other = if draw.chance(90) { value } else { value + 1 };
    Script { lines, finals: vec![vec![value], vec![other]], is_collection: false, has_versions: false }
}

fn by(line: &Line) -> i64 {
    match line.ask {
        Ask::Increment(by) => by,
        _ => 0,
    }
}

fn sums(amounts: &[i64]) -> Vec<i64> {
    (0..1_u32 << amounts.len())
        .map(|subset| {
            amounts.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1).map(|(_, by)| by).sum()
        })
        .collect()
}

/// The fewest confirmed increments without which the value lies within what the unknown ones allow.
fn define(script: &Script) -> Truth {
    let (value, other) = (script.finals[0][0], script.finals[1][0]);
    if value != other {
        return Truth::Unbroken;
    }
    let of = |end: End| script.lines.iter().filter(|line| line.end == end).map(by).collect::<Vec<i64>>();
    let (confirmed, unknown) = (of(End::Confirmed), sums(&of(End::Unknown)));
    let (low, high) = (unknown.iter().min().unwrap(), unknown.iter().max().unwrap());
    let possible = || script.lines.iter().filter(|line| line.is_possible()).map(by);
    let (least, most): (i64, i64) =
        (possible().map(|by| by.min(0)).sum(), possible().map(|by| by.max(0)).sum());
    let fits = |sum: i64| sum + low <= value && value <= sum + high;
    // What is too much or too little to be explained by what was asked for is made up, not lost.
    if value < least || value > most || fits(confirmed.iter().sum()) {
        return Truth::Unbroken;
    }
    let is_short = value < confirmed.iter().sum::<i64>() + low;
    // An increment that took effect twice is as good a reason for too much as a lost decrement.
    if !is_short && possible().any(|by| by > 0) {
        return Truth::Unbroken;
    }
    let made_up_for = |subset: &u32| {
        let kept = confirmed.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 0).map(|(_, by)| by);
        let sum: i64 = kept.sum();
        if is_short { sum + low <= value } else { value <= sum + high }
    };
    let fewest = (0..1_u32 << confirmed.len()).filter(made_up_for).map(u32::count_ones).min();
    fewest.map_or(Truth::Unbroken, |count| Truth::Broken(count.into()))
}

#[test]
fn lost_increments_are_the_fewest_that_explain_the_sum() {
    compare("no-lost-updates", 10_000, make, define);
}
