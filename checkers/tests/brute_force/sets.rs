//! Sets that only grow: for each element and each read, is there a reason that it must be there?

use std::collections::BTreeSet;

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let adds = draw.chance(50);
    let lines = draw.lines(|draw, _| match draw.below(8) {
        0 if adds => Ask::Remove(1 + draw.below(3) as i64),
        0..=3 if adds => Ask::Add(1 + draw.below(3) as i64),
        0..=3 => Ask::Append(1 + draw.below(3) as i64),
        _ => {
            let mut seen = draw.some_of(&[1, 2, 3], 4);
            if draw.chance(10) && !seen.is_empty() {
                seen.push(seen[0]);
            }
            Ask::Read(seen)
        }
    });
    Script { lines, is_collection: true, ..Script::default() }
}

fn define(script: &Script) -> Truth {
    let lines = &script.lines;
    let adds = |element| {
        let is_add = move |line: &&Line| line.ask == Ask::Add(element) || line.ask == Ask::Append(element);
        lines.iter().filter(|line| line.is_possible()).filter(is_add)
    };
    let is_removed =
        |element| lines.iter().any(|line| line.is_possible() && line.ask == Ask::Remove(element));
    let reads: Vec<(&Line, &Vec<i64>)> = lines
        .iter()
        .filter(|line| line.is_confirmed())
        .filter_map(|line| match &line.ask {
            Ask::Read(seen) => Some((line, seen)),
            _ => None,
        })
        .collect();
    let mut wrong = 0;
    for element in BTreeSet::from([1, 2, 3]) {
        if adds(element).count() != 1 || is_removed(element) {
            continue;
        }
        let showing = || reads.iter().filter(|(_, seen)| seen.contains(&element));
        let is_known_before = |miss: &Line| {
            adds(element).any(|add| add.precedes(miss)) || showing().any(|(read, _)| read.precedes(miss))
        };
        let is_lost = reads.iter().any(|(miss, seen)| {
            !seen.contains(&element)
                && is_known_before(miss)
                && showing().all(|(read, _)| read.precedes(miss))
        });
        let is_twice =
            reads.iter().any(|(_, seen)| seen.iter().filter(|other| **other == element).count() > 1);
        wrong += u64::from(is_lost) + u64::from(is_twice);
    }
    if wrong == 0 { Truth::Unbroken } else { Truth::Broken(wrong) }
}

#[test]
fn an_element_that_was_known_is_there_once_in_every_later_read() {
    compare("set-full", 10_000, make, define);
}
