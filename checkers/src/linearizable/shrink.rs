//! The fewest calls that still have no legal order: what a person can check by hand.
//!
//! ```text
//!   1 204 calls without an order  ──►  without half of them still none?  ──►  …  ──►  3 calls
//! ```
//!
//! Only what can never take a legal order away is left out: a read; or everything that made or saw one
//! state of a register, unless a compare-and-set found that state. So what is left, if it has no legal
//! order, proves that the whole has none. Source of the halving: Zeller & Hildebrandt, Simplifying and
//! Isolating Failure-Inducing Input, 2002.

use std::collections::BTreeMap;

use crate::Budget;
use crate::facts::KeyKind;
use crate::linearizable::model::{Change, Model, State};
use crate::linearizable::search::{Call, Searched, search};

/// Steps that making a proof shorter may take.
const STEPS_MAX: u64 = 3_000_000;

/// Places of calls, ascending, that have no legal order by themselves. `calls` must have none.
pub(super) fn shrink(model: &mut Model, kind: KeyKind, calls: &[Call<'_>]) -> Vec<usize> {
    let mut budget = Budget { steps: STEPS_MAX };
    let is_read = |place: &usize| matches!(calls[*place].change, Change::Read(_));
    let (reads, fixed): (Vec<usize>, Vec<usize>) = (0..calls.len()).partition(is_read);
    let reads = reads.into_iter().map(|place| vec![place]).collect();
    let left = leave_out(model, calls, Parts { units: reads, fixed }, &mut budget);
    match kind {
        KeyKind::Register => leave_out(model, calls, by_state(calls, &left), &mut budget),
        _ => left,
    }
}

/// What may be left out, each unit as a whole, and what may not.
struct Parts {
    units: Vec<Vec<usize>>,
    fixed: Vec<usize>,
}

fn leave_out(model: &mut Model, calls: &[Call<'_>], parts: Parts, budget: &mut Budget) -> Vec<usize> {
    let Parts { mut units, fixed } = parts;
    let mut size = units.len().div_ceil(2).max(1);
    loop {
        let mut begin = 0;
        while begin < units.len() {
            let end = (begin + size).min(units.len());
            let rest: Vec<Vec<usize>> = units[..begin].iter().chain(&units[end..]).cloned().collect();
            match is_illegal(model, calls, &places(&fixed, &rest), budget) {
                Some(true) => units = rest,
                Some(false) => begin = end,
                None => return places(&fixed, &units),
            }
        }
        if size == 1 {
            return places(&fixed, &units);
        }
        size = size.div_ceil(2);
    }
}

// All that made or saw one state, unless a compare-and-set found it.
fn by_state(calls: &[Call<'_>], left: &[usize]) -> Parts {
    let mut made: BTreeMap<State, Vec<usize>> = BTreeMap::new();
    let (mut fixed, mut found) = (Vec::new(), Vec::new());
    for place in left {
        match calls[*place].change {
            Change::Read(Some(state)) | Change::Write(state) => made.entry(state).or_default().push(*place),
            Change::Swap(before, state) => {
                made.entry(state).or_default().push(*place);
                found.extend(before);
            }
            Change::Read(None) | Change::Grow(_) | Change::Take(..) => fixed.push(*place),
        }
    }
    let (kept, units): (Vec<_>, Vec<_>) = made.into_iter().partition(|(state, _)| found.contains(state));
    fixed.extend(kept.into_iter().flat_map(|(_, places)| places));
    Parts { units: units.into_iter().map(|(_, places)| places).collect(), fixed }
}

fn places(fixed: &[usize], units: &[Vec<usize>]) -> Vec<usize> {
    let mut places: Vec<usize> = fixed.iter().chain(units.iter().flatten()).copied().collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn is_illegal(model: &mut Model, calls: &[Call<'_>], places: &[usize], budget: &mut Budget) -> Option<bool> {
    budget.steps = budget.steps.saturating_sub(places.len() as u64);
    let some: Vec<Call<'_>> = places.iter().map(|place| calls[*place]).collect();
    match search(model, &some, budget) {
        Searched::Illegal { .. } => Some(true),
        Searched::Legal => Some(false),
        Searched::OutOfSteps | Searched::OutOfRoom => None,
    }
}
