//! The levels that are hard to judge: prefix consistency, snapshot isolation, serializability, and the
//! last two in real time. In general NP-complete; most histories are not.
//!
//! ```text
//!   known edges ─► what they imply, again and again ─► a circle: broken
//!                                  └─► one order, guessed ─► it works: held
//!                                           └─► choices that are left ─► a solver ─► held, broken
//!                                                                           └─► budget over: not judged
//! ```
//!
//! Every answer is proved: *held* by an order of all commits, *broken* by a part of the history that is
//! judged again, on its own.
//!
//! Source: Papadimitriou, JACM 1979 (hardness); Tan and others, Cobra, OSDI 2020, and Huang and others,
//! PolySI, VLDB 2023 (choices between writers, pruned, then a solver).

mod choose;
mod clocks;
mod explain;
mod infer;
mod model;
mod reasons;
mod schedule;

use histories::compact::TxnTable;

use super::answer::Answer;
use super::part::shrunk;
use super::repeated;
use super::sources::NONE;
use super::view::View;
use crate::Budget;
use clocks::Clocks;
use model::Model;

/// Levels that are judged here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strong {
    Prefix,
    Snapshot,
    Serializable,
    StrictSnapshot,
    StrictSerializable,
}

/// Why a search ended without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// What is known goes round in a circle.
    Circle,
    Budget,
}

/// Steps for each look at a part of a history while it is cut down.
const SHRINKING: Budget = Budget { steps: 1_000_000 };

impl Strong {
    fn is_split(self) -> bool {
        matches!(self, Self::Prefix | Self::Snapshot | Self::StrictSnapshot)
    }

    fn excludes_writers(self) -> bool {
        matches!(self, Self::Snapshot | Self::StrictSnapshot)
    }

    fn is_strict(self) -> bool {
        matches!(self, Self::StrictSnapshot | Self::StrictSerializable)
    }
}

/// Judges a level.
pub(crate) fn judge(level: Strong, table: &TxnTable, mut budget: Budget) -> Answer {
    let mut view = View::new(table);
    let mut answer = Answer::of_flaws(&view);
    let found = repeated::unrepeatable(&view);
    for found in &found {
        view.sources.of[found.place as usize] = NONE;
    }
    answer.add_unrepeatable(&found);
    match decide(level, &view, &mut budget) {
        Ok(None) => {}
        Ok(Some(transactions)) => {
            let part = shrunk(&view, transactions, |part| is_broken(level, part));
            answer.breaches.push(explain::breach(level, &part));
        }
        Err(_) => answer.undecided = true,
    }
    answer
}

fn is_broken(level: Strong, table: &TxnTable) -> bool {
    matches!(decide(level, &View::new(table), &mut SHRINKING.clone()), Ok(Some(_)))
}

/// None if the level is kept; else transactions that break it, not as few as can be.
fn decide(level: Strong, view: &View<'_>, budget: &mut Budget) -> Result<Option<Vec<u32>>, Stop> {
    let mut model = Model::new(view, level);
    let clocks = match infer::saturate(&mut model, budget) {
        Ok(clocks) => clocks,
        Err(Stop::Circle) => return Ok(Some(reasons::of_circle(&model))),
        Err(Stop::Budget) => return Err(Stop::Budget),
    };
    let order = schedule::greedy(&model);
    if order.len() == model.nodes as usize {
        return Ok(None);
    }
    choose(&model, &clocks, order, budget)
}

/// Decides what is left with a solver. `order` is the beginning of one along the known edges.
fn choose(
    model: &Model<'_>,
    clocks: &Clocks,
    mut order: Vec<u32>,
    budget: &mut Budget,
) -> Result<Option<Vec<u32>>, Stop> {
    let pairs = choose::pairs(model, clocks, budget)?;
    complete(&mut order, clocks, model.nodes);
    let met = choose::solve(model, &pairs, &order, budget)?;
    Ok(met.map(|met| reasons::of_circles(model, &met)))
}

// What got through comes first, for nothing in it waits for the rest.
fn complete(order: &mut Vec<u32>, clocks: &Clocks, nodes: u32) {
    let mut is_there = vec![false; nodes as usize];
    order.iter().for_each(|node| is_there[*node as usize] = true);
    order.extend(clocks.order.iter().copied().filter(|node| !is_there[*node as usize]));
}

#[cfg(test)]
impl Strong {
    pub(super) const ALL: [Self; 5] =
        [Self::Prefix, Self::Snapshot, Self::Serializable, Self::StrictSnapshot, Self::StrictSerializable];
}

/// True if no solver is needed to see that it is broken; else what the solver says, without a guess before.
#[cfg(test)]
pub(super) fn solved(level: Strong, table: &TxnTable) -> (bool, Option<bool>) {
    let view = View::new(table);
    let broken = !view.sources.flaws.is_empty() || !repeated::unrepeatable(&view).is_empty();
    let mut model = Model::new(&view, level);
    let Ok(clocks) = infer::saturate(&mut model, &mut Budget::default()) else { return (true, None) };
    let found = choose(&model, &clocks, Vec::new(), &mut Budget::default()).unwrap();
    let guessed = schedule::greedy(&model).len() == model.nodes as usize;
    assert!(!guessed || found.is_none(), "a guess that got through is an order");
    (broken || found.is_some(), Some(found.is_none()))
}
