//! Lists that grow by compare-and-set: nothing takes elements out, so what is lost is what is not there,
//! also if the store merges lists that nobody wrote as a whole.

use crate::generator::{Ask, Draw, End, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let mut states: Vec<Vec<i64>> = vec![Vec::new()];
    let mut lines = draw.lines(|draw, index| {
        let element = index as i64 + 1;
        let from = states[draw.below(states.len())].clone();
        states.push(from.iter().copied().chain([element]).collect());
        Ask::Grow(from, element)
    });
    // A failed call leaves no state to start from, so none fails here.
    lines.iter_mut().for_each(succeed);
    let last = |draw: &mut Draw| {
        let mut state = states[draw.below(states.len())].clone();
        if draw.chance(40) {
            state.extend(&states[draw.below(states.len())]);
            state.sort_unstable();
            state.dedup();
        }
        state
    };
    let one = last(&mut draw);
    let other = if draw.chance(80) { one.clone() } else { last(&mut draw) };
    Script { lines, finals: vec![one, other], is_collection: true, has_versions: false }
}

fn succeed(line: &mut Line) {
    if !line.is_possible() {
        line.end = End::Confirmed;
    }
}

fn define(script: &Script) -> Truth {
    let is_lost = |line: &&Line| match line.ask {
        Ask::Grow(_, element) => {
            line.is_confirmed() && !script.finals.iter().any(|seen| seen.contains(&element))
        }
        _ => false,
    };
    match script.lines.iter().filter(is_lost).count() as u64 {
        0 => Truth::Unbroken,
        lost => Truth::Broken(lost),
    }
}

#[test]
fn lost_elements_of_a_growing_list_are_those_that_no_final_read_has() {
    compare("no-lost-updates", 10_000, make, define);
}
