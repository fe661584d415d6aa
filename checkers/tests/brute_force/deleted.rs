//! Deletes: every order of the calls has each call that brought the value before some delete.

use crate::generator::{Ask, Draw, Line, Script};
use crate::{Truth, compare, permutations};

fn make(seed: u64) -> Script {
    let mut draw = Draw::new(seed);
    let is_collection = draw.chance(50);
    let lines = draw.lines(|draw, _| {
        let value = 1 + draw.below(2) as i64;
        match draw.below(8) {
            0 | 1 => Ask::Delete,
            2 | 3 if is_collection => Ask::Remove(value),
            4 => Ask::Read(vec![value]),
            _ if is_collection => Ask::Add(value),
            _ => Ask::Write(value),
        }
    });
    let one = draw.some_of(&[1, 2], 2);
    let other = draw.some_of(&[1, 2], 2);
    Script { lines, finals: vec![one, other], is_collection, has_versions: false }
}

fn brings(line: &Line, value: i64) -> bool {
    line.is_possible() && matches!(line.ask, Ask::Write(own) | Ask::Add(own) if own == value)
}

fn removes(line: &Line, value: i64) -> bool {
    line.is_confirmed() && (line.ask == Ask::Delete || line.ask == Ask::Remove(value))
}

fn define(script: &Script) -> Truth {
    // Sets are told from registers by what is done to them.
    let is_set = script.lines.iter().any(|line| matches!(line.ask, Ask::Add(_) | Ask::Remove(_)));
    if script.is_collection && !is_set {
        return Truth::Unbroken;
    }
    let at_the_end = |value: &i64| script.finals.iter().any(|seen| seen.contains(value));
    let is_back = |value: &i64| {
        at_the_end(value) && !can_be_there(&script.lines, *value) || returns_on_a_node(&script.lines, *value)
    };
    match [1, 2].iter().filter(|value| is_back(value)).count() as u64 {
        0 => Truth::Unbroken,
        count => Truth::Broken(count),
    }
}

/// True if some order has a call that brought the value after all removals.
fn can_be_there(lines: &[Line], value: i64) -> bool {
    let makers: Vec<usize> = (0..lines.len()).filter(|index| brings(&lines[*index], value)).collect();
    if makers.is_empty() {
        return true;
    }
    permutations(lines.len()).iter().any(|order| {
        let place = |index: usize| order.iter().position(|other| *other == index).unwrap();
        let is_fair = makers.iter().all(|maker| {
            (0..lines.len())
                .all(|removal| !is_known(lines, value, *maker, removal) || place(*maker) < place(removal))
        });
        is_fair
            && makers.iter().any(|maker| {
                (0..lines.len()).all(|other| !removes(&lines[other], value) || place(other) < place(*maker))
            })
    })
}

/// True if the removal's session or node had what the maker brought: the maker's own, or one that read
/// it, asked after the maker was. Lines are in the order of asking.
fn is_known(lines: &[Line], value: i64, maker: usize, removal: usize) -> bool {
    let is_only = lines.iter().filter(|line| brings(line, value)).count() == 1;
    let had = |line: &Line| line.is_known_to(&lines[removal]);
    let read = |line: &Line| matches!(&line.ask, Ask::Read(seen) if seen.contains(&value)) && had(line);
    removal > maker
        && removes(&lines[removal], value)
        && (had(&lines[maker]) || is_only && lines[maker..].iter().any(read))
}

/// True if a node that removed the value was read with it, without it, and then with it again, and one
/// call alone can have brought it.
fn returns_on_a_node(lines: &[Line], value: i64) -> bool {
    let sees = |line: &Line, yes: bool| {
        line.is_confirmed() && matches!(&line.ask, Ask::Read(seen) if seen.contains(&value) == yes)
    };
    lines.iter().filter(|read| sees(read, true)).any(|read| {
        let makers: Vec<usize> = (0..lines.len())
            .filter(|index| brings(&lines[*index], value) && !read.precedes(&lines[*index]))
            .collect();
        let covering = |maker: usize| -> Vec<usize> {
            (0..lines.len())
                .filter(|removal| is_known(lines, value, maker, *removal))
                .filter(|removal| lines[*removal].node == read.node && lines[*removal].precedes(read))
                .collect()
        };
        let is_only = lines.iter().filter(|line| brings(line, value)).count() == 1;
        let on_node = |other: &&Line| other.node == read.node;
        is_only
            && makers.first().is_some_and(|maker| {
                let covers = covering(*maker);
                lines.iter().filter(on_node).filter(|gone| sees(gone, false)).any(|gone| {
                    let had = |had: &Line| sees(had, true) && had.precedes(gone);
                    gone.precedes(read)
                        && covers.iter().any(|removal| lines[*removal].precedes(gone))
                        && lines[*maker..].iter().filter(on_node).any(had)
                })
            })
    })
}

#[test]
fn what_came_back_is_what_no_order_has_after_all_deletes() {
    compare("deletes-stay-deleted", 10_000, make, define);
}
