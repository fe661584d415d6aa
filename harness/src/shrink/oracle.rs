//! The oracle: does this candidate still break the same guarantee in the same way?
//!
//! ```text
//!   candidates  1 2 3 4 5 6      a world each, on all cores
//!               ✓ ✓ ✗ ? ✗ –      the first in order that fails: 3, whichever was done first
//! ```
//!
//! Taking a call out shifts what the network draws afterwards. So a candidate that does not fail is tried
//! in a few other worlds before it is given up: the same calls and faults, and other draws of network,
//! disks and clocks. The seed of the world in which it failed becomes its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use checkers::{Budget, Checker, Facts};
use histories::History;

use super::Goal;
use crate::exit::Stop;
use crate::replay::play;
use crate::rng::Seed;
use crate::run::{Prepared, Resolved};

/// How many calls all worlds of one candidate may have together, about.
const CALLS: usize = 600;
/// The most worlds in which a candidate is tried.
pub(super) const WORLDS_MAX: usize = 12;

pub(super) struct Oracle<'a> {
    pub(super) goal: Goal,
    pub(super) checker: &'static dyn Checker,
    pub(super) steps: u64,
    pub(super) jobs: usize,
    /// Time is up, or somebody said stop: nothing fails any more.
    pub(super) over: &'a (dyn Fn() -> bool + Sync),
    /// The first seed, from which those of other worlds are made.
    pub(super) seed: Seed,
    /// How many worlds were played.
    pub(super) played: AtomicU64,
}

impl Oracle<'_> {
    /// The first of the candidates that fails, with the seed of the world in which it does.
    pub(super) fn first(&self, candidates: &[Option<Resolved>]) -> Result<Option<(usize, Resolved)>, Stop> {
        let (next, best) = (AtomicUsize::new(0), Mutex::new(Found::default()));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(candidate) = candidates.get(index) else { return };
                // What comes after one that fails does not matter any more.
                let needless = best.lock().unwrap_or_else(PoisonError::into_inner).is_before(index);
                let Some(candidate) = candidate.as_ref().filter(|_| !needless) else { continue };
                let failed = self.fails(candidate);
                best.lock().unwrap_or_else(PoisonError::into_inner).take(index, failed);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.jobs.min(candidates.len()) {
                scope.spawn(work);
            }
            work();
        });
        let found = best.into_inner().unwrap_or_else(PoisonError::into_inner);
        match found.0 {
            Some((_, Err(stop))) => Err(stop),
            Some((index, Ok(resolved))) => Ok(Some((index, resolved))),
            None => Ok(None),
        }
    }

    /// The candidate with the seed of the first world in which it fails, if it does in any.
    pub(super) fn fails(&self, candidate: &Resolved) -> Result<Option<Resolved>, Stop> {
        let calls = candidate.script.as_ref().map_or(0, |script| script.calls.len());
        self.fails_in(candidate, (CALLS / calls.max(1)).clamp(1, WORLDS_MAX))
    }

    pub(super) fn fails_in(&self, candidate: &Resolved, worlds: usize) -> Result<Option<Resolved>, Stop> {
        for world in 0..=worlds {
            let seed = match world {
                0 => candidate.seed.clone(),
                world => self.seed.repetition(world as u32 - 1).to_string(),
            };
            if world > 0 && seed == candidate.seed {
                continue;
            }
            let tried = Resolved { seed, ..candidate.clone() };
            if self.look(&tried)?.is_some() {
                return Ok(Some(tried));
            }
            if (self.over)() {
                break;
            }
        }
        Ok(None)
    }

    /// The history that the plan makes, if it breaks what it should.
    pub(super) fn look(&self, resolved: &Resolved) -> Result<Option<History>, Stop> {
        self.played.fetch_add(1, Ordering::Relaxed);
        let prepared = Prepared::with(resolved.clone())?;
        let history = play(&prepared, self.over)?;
        Ok(history.filter(|history| self.is_broken(history)))
    }

    pub(super) fn is_broken(&self, history: &History) -> bool {
        let verdict = self.checker.check(&Facts::new(history), Budget { steps: self.steps });
        verdict.findings.iter().any(|finding| finding.anomaly == self.goal.anomaly)
    }
}

/// The first candidate so far that failed, or that could not be tried.
#[derive(Default)]
struct Found(Option<(usize, Result<Resolved, Stop>)>);

impl Found {
    fn is_before(&self, index: usize) -> bool {
        self.0.as_ref().is_some_and(|(found, _)| *found < index)
    }

    fn take(&mut self, index: usize, failed: Result<Option<Resolved>, Stop>) {
        let failed = match failed {
            Ok(None) => return,
            Ok(Some(resolved)) => Ok(resolved),
            Err(stop) => Err(stop),
        };
        if !self.is_before(index) {
            self.0 = Some((index, failed));
        }
    }
}
