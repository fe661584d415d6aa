//! Queues as bags: for each element, count what was put in and what came out.

use std::collections::BTreeSet;

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let lines = draw.lines(|draw, _| {
        let element = 1 + draw.below(3) as i64;
        match draw.below(5) {
            0 => Ask::Dequeue(None),
            1 | 2 => Ask::Dequeue(Some(element)),
            _ => Ask::Enqueue(element),
        }
    });
    Script { lines, ..Script::default() }
}

fn define(script: &Script) -> Truth {
    let lines = &script.lines;
    if !lines.iter().any(|line| matches!(line.ask, Ask::Enqueue(_))) {
        return Truth::Unbroken;
    }
    let unknown_takes =
        lines.iter().filter(|line| is_take(line) && line.is_possible() && !line.is_confirmed());
    let (mut wrong, mut left) = (0, 0_u64);
    for element in BTreeSet::from([1, 2, 3]) {
        let puts: Vec<&Line> = possible(lines, &Ask::Enqueue(element)).collect();
        let takes: Vec<&Line> =
            possible(lines, &Ask::Dequeue(Some(element))).filter(|line| line.is_confirmed()).collect();
        // Taken before anybody asked to put it in.
        wrong += u64::from(takes.iter().any(|take| puts.iter().all(|put| take.precedes(put))));
        if !puts.is_empty() {
            wrong += takes.len().saturating_sub(puts.len()) as u64;
        }
        // Confirmed, never taken, and then somebody found nothing.
        let mut empty = possible(lines, &Ask::Dequeue(None)).filter(|line| line.is_confirmed());
        left += u64::from(empty.any(|empty| {
            let before = puts.iter().filter(|put| put.precedes(empty));
            before.count() > takes.len()
        }));
    }
    wrong += left.saturating_sub(unknown_takes.count() as u64);
    if wrong == 0 { Truth::Unbroken } else { Truth::Broken(wrong) }
}

fn is_take(line: &Line) -> bool {
    matches!(line.ask, Ask::Dequeue(_))
}

fn possible<'a>(lines: &'a [Line], ask: &Ask) -> impl Iterator<Item = &'a Line> + use<'a> {
    let ask = ask.clone();
    lines.iter().filter(move |line| line.is_possible() && line.ask == ask)
}

#[test]
fn what_comes_out_of_a_queue_is_what_was_put_in() {
    compare("total-queue", 10_000, make, define);
}
