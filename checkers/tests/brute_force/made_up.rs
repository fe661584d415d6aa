//! Made-up values: for what each read saw, look for a call, one by one.

use std::collections::BTreeSet;

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let is_collection = draw.chance(50);
    let lines = draw.lines(|draw, _| {
        let value = 1 + draw.below(5) as i64;
        match draw.below(3) {
            0 => Ask::Read(draw.some_of(&[1, 2, 3, 4, 5], 2)),
            _ if is_collection => Ask::Append(value),
            _ => Ask::Write(value),
        }
    });
    let all: Vec<i64> = lines.iter().filter_map(brought).collect();
    let finals = vec![draw.some_of(&all, 1), draw.some_of(&all, 2)];
    Script { lines, finals, is_collection, has_versions: false }
}

fn brought(line: &Line) -> Option<i64> {
    match line.ask {
        Ask::Append(value) | Ask::Write(value) => Some(value),
        _ => None,
    }
}

/// Counts values once for each way in which they should not be there.
fn define(script: &Script) -> Truth {
    let (mut wrong, lines) = (BTreeSet::new(), &script.lines);
    let mut judge = |seen: &[i64], ended: u64| {
        for value in seen {
            let writers = || lines.iter().filter(|line| brought(line) == Some(*value));
            let is_in_time = writers().any(|line| line.is_possible() && line.from <= ended);
            if is_in_time {
                continue;
            }
            let kind = match (writers().any(Line::is_possible), writers().next()) {
                (true, _) => "future",
                (false, Some(_)) => "failed",
                (false, None) => "nobody",
            };
            wrong.insert((*value, kind));
        }
    };
    for line in lines.iter().filter(|line| line.is_confirmed()) {
        if let Ask::Read(seen) = &line.ask {
            judge(seen, line.to);
        }
    }
    for seen in &script.finals {
        judge(seen, u64::MAX);
    }
    // A list that nobody appends to is one value, and nobody wrote it; then its elements are asked for.
    match wrong.len() as u64 {
        0 => Truth::Unbroken,
        count => Truth::Broken(count),
    }
}

#[test]
fn made_up_values_are_those_without_a_call() {
    compare("no-made-up-values", 10_000, make, define);
}
