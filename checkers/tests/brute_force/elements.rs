//! Lost elements: no order of the calls leaves the collection without them.

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare, permutations};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let is_set = draw.chance(50);
    let lines = draw.lines(|draw, index| match draw.below(8) {
        0 => Ask::Delete,
        1 | 2 if is_set => Ask::Remove(1 + draw.below(6) as i64),
        _ if is_set => Ask::Add(index as i64 + 1),
        _ => Ask::Append(index as i64 + 1),
    });
    let mut finals = Vec::new();
    for _ in 0..2 {
        // Most of what was brought is there.
        let kept: Vec<i64> =
            (1..7).filter(|element| adder(&lines, *element).is_some() && draw.chance(80)).collect();
        finals.push(kept);
    }
    Script { lines, finals, is_collection: true, has_versions: false }
}

fn adder(lines: &[Line], element: i64) -> Option<usize> {
    let adds = |line: &Line| matches!(line.ask, Ask::Add(own) | Ask::Append(own) if own == element);
    lines.iter().position(|line| adds(line) && line.is_possible())
}

fn define(script: &Script) -> Truth {
    let Script { lines, finals, .. } = script;
    let orders = permutations(lines.len());
    let has_elements =
        lines.iter().any(|line| matches!(line.ask, Ask::Add(_) | Ask::Append(_) | Ask::Remove(_)));
    let is_lost = |element: &i64| {
        let Some(adder) = adder(lines, *element) else { return false };
        lines[adder].is_confirmed()
            && !finals.iter().any(|kept| kept.contains(element))
            && orders
                .iter()
                .filter(|order| is_fair(lines, order, adder))
                .all(|order| holds(lines, order, *element))
    };
    match (1..7).filter(|element| has_elements && is_lost(element)).count() as u64 {
        0 => Truth::Unbroken,
        lost => Truth::Broken(lost),
    }
}

/// True if nothing that was known to the adder comes after it.
fn is_fair(lines: &[Line], order: &[usize], adder: usize) -> bool {
    let place = |index: usize| order.iter().position(|other| *other == index);
    (0..lines.len()).all(|index| !lines[index].is_known_to(&lines[adder]) || place(index) < place(adder))
}

/// True if the collection has the element after the calls in this order.
fn holds(lines: &[Line], order: &[usize], element: i64) -> bool {
    let mut has = false;
    for line in order.iter().map(|index| &lines[*index]).filter(|line| line.is_possible()) {
        match line.ask {
            Ask::Add(own) | Ask::Append(own) if own == element => has = true,
            Ask::Remove(own) if own == element => has = false,
            Ask::Delete => has = false,
            _ => {}
        }
    }
    has
}

#[test]
fn lost_elements_are_those_that_no_order_leaves_out() {
    compare("no-lost-updates", 10_000, make, define);
}
