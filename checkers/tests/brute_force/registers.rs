//! Lost updates of a register: no choice of what blind writes and deletes replaced explains the end.

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let has_versions = draw.chance(50);
    let lines = draw.lines(|draw, index| {
        let value = index as i64 + 1;
        let earlier: Vec<i64> = (1..value).collect();
        match draw.below(10) {
            0 => Ask::Write(value),
            1 => Ask::Delete,
            _ => Ask::Change(draw.some_of(&earlier, 2), value),
        }
    });
    let written: Vec<i64> = values(&lines);
    let one = draw.some_of(&written, 2);
    let other = if draw.chance(80) { one.clone() } else { draw.some_of(&written, 2) };
    Script { lines, finals: vec![one, other], is_collection: false, has_versions }
}

fn values(lines: &[Line]) -> Vec<i64> {
    let value = |line: &Line| match line.ask {
        Ask::Write(value) | Ask::Change(_, value) => Some(value),
        _ => None,
    };
    lines.iter().filter(|line| line.is_possible()).filter_map(value).collect()
}

fn writer(lines: &[Line], value: i64) -> Option<usize> {
    lines.iter().position(|line| {
        line.is_possible() && matches!(line.ask, Ask::Write(own) | Ask::Change(_, own) if own == value)
    })
}

/// The states that a state can have come from: each inner list is one possibility.
fn choices(lines: &[Line], index: usize) -> Vec<Vec<usize>> {
    let line = &lines[index];
    let mut choices = vec![Vec::new()];
    match &line.ask {
        // A blind write may have replaced nothing or anything that it is not known to come before.
        Ask::Write(_) | Ask::Delete => {
            let others = (0..lines.len()).filter(|other| *other != index && lines[*other].is_possible());
            choices.extend(others.filter(|other| !line.is_known_to(&lines[*other])).map(|other| vec![other]));
        }
        Ask::Change(from, _) if from.is_empty() => choices.extend(absences(lines, line)),
        Ask::Change(from, _) => {
            choices = vec![from.iter().filter_map(|value| writer(lines, *value)).collect()];
        }
        _ => {}
    }
    choices
}

/// The deletes that can have made the key absent for this call.
fn absences(lines: &[Line], seen_by: &Line) -> Vec<Vec<usize>> {
    let is_delete = |line: &Line| line.ask == Ask::Delete && line.is_possible() && !seen_by.precedes(line);
    (0..lines.len()).filter(|index| is_delete(&lines[*index])).map(|index| vec![index]).collect()
}

fn define(script: &Script) -> Truth {
    let Script { lines, finals, .. } = script;
    if is_open(lines, finals) {
        return Truth::Unbroken;
    }
    let is_update = |line: &Line| matches!(line.ask, Ask::Change(..)) && line.is_confirmed();
    let updates = (0..lines.len()).filter(|index| is_update(&lines[*index]));
    match updates.filter(|update| !can_be_kept(lines, finals, *update)).count() as u64 {
        0 => Truth::Unbroken,
        lost => Truth::Broken(lost),
    }
}

/// True if what was kept came of a value that no call can have written.
fn is_open(lines: &[Line], finals: &[Vec<i64>]) -> bool {
    let mut todo: Vec<i64> = finals.concat();
    while let Some(value) = todo.pop() {
        match writer(lines, value).map(|index| &lines[index].ask) {
            None => return true,
            Some(Ask::Change(from, _)) => todo.extend(from),
            Some(_) => {}
        }
    }
    false
}

/// Tries every combination of choices.
fn can_be_kept(lines: &[Line], finals: &[Vec<i64>], update: usize) -> bool {
    let choices: Vec<Vec<Vec<usize>>> = (0..lines.len()).map(|index| choices(lines, index)).collect();
    let mut ends: Vec<usize> = finals.concat().iter().filter_map(|value| writer(lines, *value)).collect();
    if finals.iter().any(Vec::is_empty) {
        ends.extend(
            (0..lines.len()).filter(|index| lines[*index].ask == Ask::Delete && lines[*index].is_possible()),
        );
    }
    let total: usize = choices.iter().map(Vec::len).product();
    (0..total).any(|mut number| {
        let mut comes_from = vec![vec![false; lines.len()]; lines.len()];
        for (index, choices) in choices.iter().enumerate() {
            for parent in &choices[number % choices.len()] {
                comes_from[index][*parent] = true;
            }
            number /= choices.len();
        }
        let descends = closure(comes_from);
        let is_possible = !known_to(lines, update).any(|before| descends[before][update])
            && (0..lines.len()).all(|index| !descends[index][index]);
        let is_kept = ends.iter().any(|end| *end == update || descends[*end][update]);
        let may_find = |index: usize| is_blind(&lines[index]) && !lines[index].precedes(&lines[update]);
        let is_replaced = (0..lines.len()).any(|index| may_find(index) && descends[index][update]);
        is_possible && (is_kept || is_replaced)
    })
}

fn known_to(lines: &[Line], update: usize) -> impl Iterator<Item = usize> {
    (0..lines.len()).filter(move |before| {
        matches!(lines[*before].ask, Ask::Write(_) | Ask::Delete)
            && lines[*before].is_known_to(&lines[update])
    })
}

/// True for what may replace anything, and then be gone itself without a trace.
fn is_blind(line: &Line) -> bool {
    matches!(line.ask, Ask::Write(_) | Ask::Delete) && line.is_possible()
}

fn closure(mut reaches: Vec<Vec<bool>>) -> Vec<Vec<bool>> {
    for via in 0..reaches.len() {
        for from in 0..reaches.len() {
            for to in 0..reaches.len() {
                reaches[from][to] |= reaches[from][via] && reaches[via][to];
            }
        }
    }
    reaches
}

#[test]
fn lost_updates_of_registers_are_those_that_no_choice_of_the_store_explains() {
    compare("no-lost-updates", 10_000, make, define);
}
