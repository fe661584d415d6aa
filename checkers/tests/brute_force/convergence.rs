//! Convergence: the same values on both nodes, in whatever order they are listed.

use std::collections::BTreeSet;

use crate::generator::{Ask, Draw, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let is_collection = draw.chance(50);
    let lines = draw.lines(|_, index| match is_collection {
        true => Ask::Add(index as i64 + 1),
        false => Ask::Write(index as i64 + 1),
    });
    let mut finals = vec![draw.some_of(&[1, 2, 3], 2), draw.some_of(&[1, 2, 3], 2)];
    if draw.chance(50) {
        finals[0].reverse();
    }
    Script { lines, finals, is_collection, has_versions: false }
}

fn define(script: &Script) -> Truth {
    let sets: Vec<BTreeSet<&i64>> = script.finals.iter().map(|seen| seen.iter().collect()).collect();
    if sets[0] == sets[1] { Truth::Unbroken } else { Truth::Broken(1) }
}

#[test]
fn nodes_converge_if_they_show_the_same_values() {
    compare("convergence", 10_000, make, define);
}
