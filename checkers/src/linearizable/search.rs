//! The general search: is there an order that agrees with time and with the model?
//!
//! ```text
//!   time ──▶   c0 asks   c1 asks   c0 answered       before an answer, each way to have got there:
//!              {}        {}        {w5} | {w6,w5}    what is done among the calls in flight, and the state
//! ```
//!
//! It walks through time once and keeps every *configuration*: the state, and which of the calls in
//! flight are done already. A call is done only when an answer forces it (just in time), and reads
//! that agree with the state are done at once, for they change nothing. Exponential only in the number
//! of calls in flight on one key; each try takes steps of the budget, one for each element and each call
//! that is copied, and one for each call in flight that may be done with it. What has to be remembered is bounded too: a search that needs more gives up.
//!
//! Source: Wing & Gong, Testing and Verifying Concurrent Objects, 1993; Lowe, Testing for
//! linearizability, 2017, §5 (just-in-time, and the memo of configurations).

use rustc_hash::FxHashSet;

use crate::Budget;
use crate::linearizable::model::{Change, Model, State};

/// One call with its interval and what it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'h> {
    pub(super) invoked: u64,
    /// `u64::MAX` if it may take effect at any later time, or never.
    pub(super) completed: u64,
    pub(super) change: Change<'h>,
}

impl Call<'_> {
    /// The call as it stood at `time`: what had not ended may yet be done, or never.
    pub(super) fn until(self, time: u64) -> Self {
        let completed = if self.completed > time { u64::MAX } else { self.completed };
        Self { completed, ..self }
    }
}

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Searched {
    /// There is an order.
    Legal,
    /// There is none for the calls up to the end of this one.
    Illegal { at: usize },
    /// The budget ran out.
    OutOfSteps,
    /// There are too many states and configurations to remember.
    OutOfRoom,
}

/// How many bytes states may take beyond those that the history names itself.
const STATE_BYTES_MAX: u64 = 96 << 20;

/// How many bytes the configurations of one moment may take.
const CONFIGURATION_BYTES_MAX: u64 = 64 << 20;

/// Calls that may yet be done, and the configurations that are possible so far.
struct Search<'c, 'h> {
    model: &'c mut Model,
    calls: &'c [Call<'h>],
    pending: Vec<u32>,
    configurations: Vec<Configuration>,
    /// How far the states may grow.
    state_bytes_max: u64,
}

/// The state, and which of the pending calls are done, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Configuration {
    state: State,
    done: Vec<u32>,
}

impl Configuration {
    /// About how many bytes it takes, with its place in a table.
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + 24 + self.done.len() * size_of::<u32>()) as u64
    }
}

/// Searches for a legal order of `calls`.
pub(super) fn search(model: &mut Model, calls: &[Call<'_>], budget: &mut Budget) -> Searched {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(calls.len() * 2);
    for (index, call) in calls.iter().enumerate() {
        events.push((call.invoked, false, index));
        // Closed intervals: at one same instant calls are asked before others are answered.
        if call.completed < u64::MAX {
            events.push((call.completed, true, index));
        }
    }
    events.sort_unstable();
    let start = Configuration { state: 0, done: Vec::new() };
    let state_bytes_max = model.bytes() + STATE_BYTES_MAX;
    let mut search =
        Search { model, calls, pending: Vec::new(), configurations: vec![start], state_bytes_max };
    for (_, is_answer, index) in events {
        if !is_answer {
            search.asked(index as u32);
            continue;
        }
        if let Err(why) = search.answered(index as u32, budget) {
            return why;
        }
        if search.configurations.is_empty() {
            return Searched::Illegal { at: index };
        }
    }
    Searched::Legal
}

impl Search<'_, '_> {
    fn asked(&mut self, index: u32) {
        self.pending.push(index);
        if let Change::Read(Some(seen)) = self.calls[index as usize].change {
            for configuration in self.configurations.iter_mut().filter(|each| each.state == seen) {
                insert(&mut configuration.done, index);
            }
        }
    }

    /// Fails if the budget or the room ran out.
    fn answered(&mut self, index: u32, budget: &mut Budget) -> Result<(), Searched> {
        let mut room = CONFIGURATION_BYTES_MAX;
        let (mut visited, mut results) = (FxHashSet::default(), FxHashSet::default());
        let mut open = std::mem::take(&mut self.configurations);
        let mut kept = Vec::new();
        while let Some(configuration) = open.pop() {
            if let Ok(place) = configuration.done.binary_search(&index) {
                let mut configuration = configuration;
                configuration.done.remove(place);
                if results.insert(configuration.clone()) {
                    spend(&mut room, 2 * configuration.bytes(), Searched::OutOfRoom)?;
                    kept.push(configuration);
                }
                continue;
            }
            for place in 0..self.pending.len() {
                let next = self.pending[place];
                if configuration.done.binary_search(&next).is_ok() {
                    continue;
                }
                let steps = self.model.size(configuration.state) + configuration.done.len() as u64;
                spend(&mut budget.steps, steps, Searched::OutOfSteps)?;
                let Some(after) = self.after(&configuration, next) else { continue };
                spend(&mut budget.steps, self.pending.len() as u64, Searched::OutOfSteps)?;
                if self.model.bytes() > self.state_bytes_max {
                    return Err(Searched::OutOfRoom);
                }
                if visited.insert(after.clone()) {
                    spend(&mut room, 2 * after.bytes(), Searched::OutOfRoom)?;
                    open.push(after);
                }
            }
        }
        self.pending.retain(|pending| *pending != index);
        self.configurations = kept;
        Ok(())
    }

    fn after(&mut self, before: &Configuration, next: u32) -> Option<Configuration> {
        let state = self.model.apply(before.state, self.calls[next as usize].change)?;
        let mut after = Configuration { state, done: before.done.clone() };
        insert(&mut after.done, next);
        for pending in &self.pending {
            if matches!(self.calls[*pending as usize].change, Change::Read(Some(seen)) if seen == state) {
                insert(&mut after.done, *pending);
            }
        }
        Some(after)
    }
}

fn spend(left: &mut u64, amount: u64, otherwise: Searched) -> Result<(), Searched> {
    let enough = *left >= amount;
    *left = left.saturating_sub(amount);
    if enough { Ok(()) } else { Err(otherwise) }
}

fn insert(done: &mut Vec<u32>, index: u32) {
    if let Err(place) = done.binary_search(&index) {
        done.insert(place, index);
    }
}
