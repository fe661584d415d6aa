//! What a search has learned: who was in the way of whom, and what that rests on.
//!
//! ```text
//!   T1 entered, then T2 could not replace what T1 left:      not T1 before T2, or not T3 before T4
//!   and neither could T4 what T3 left, who entered earlier
//!
//!   T1 leaves:  T2 before T1, while T3 is before T4
//! ```
//!
//! It holds whenever what it rests on does, so nothing is forgotten.

use rustc_hash::FxHashMap;

use super::Because;

/// One writer of a key entered before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Choice {
    pub(super) first: u32,
    pub(super) later: u32,
}

#[derive(Default)]
pub(super) struct Forced {
    /// Who must come before each, with the number of what says so.
    before: FxHashMap<u32, Vec<(u32, usize)>>,
    /// For each number, what it rests on.
    rests: Vec<Vec<Choice>>,
}

impl Forced {
    /// From now on `first` comes before `later` whenever all these choices stand.
    pub(super) fn add(&mut self, first: u32, later: u32, choices: Vec<Choice>) {
        self.before.entry(later).or_default().push((first, self.rests.len()));
        self.rests.push(choices);
    }

    /// Who comes before this one as long as choices stand, each with the number of what says so; what was
    /// learned last first.
    pub(super) fn before(&self, later: u32) -> impl Iterator<Item = (u32, usize)> {
        self.before.get(&later).into_iter().flatten().rev().copied()
    }

    /// The choices that this one rests on.
    pub(super) fn rests(&self, number: usize) -> &[Choice] {
        &self.rests[number]
    }

    /// The choices that all these reasons come down to, each once.
    pub(super) fn rest_on(&self, reasons: &[Because]) -> Vec<Choice> {
        let mut choices = Vec::new();
        for because in reasons {
            match because {
                Because::Always => {}
                Because::Chosen(choice) => choices.push(*choice),
                Because::Forced(number) => choices.extend_from_slice(&self.rests[*number]),
            }
        }
        choices.sort_unstable();
        choices.dedup();
        choices
    }
}
