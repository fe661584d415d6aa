//! The keys of a node, under one strategy; and how a transaction is planned on them.
//!
//! ```text
//! append x 1, read x, cas y 0→1      steps see those before them, on copies of the cells they touch;
//!            [1]      refused        so a refused step leaves nothing behind
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use super::{Intent, Moment, Plan, Refused, Seen, Store, Strategy};
use crate::defect::Defect;
use crate::event::{Effect, Key};
use crate::names::Dot;
use crate::refusal::Refusal;
use crate::request::{Action, Condition, Reading, Step};

/// All keys, each with its cell.
pub(super) struct Keyspace<S: Strategy> {
    cells: BTreeMap<Key, S::Cell>,
    // What a key that never was holds: lent out, so that reading needs no copy.
    blank: S::Cell,
    graves: Option<Graves>,
}

/// Deleted keys, each with the millisecond of the latest change that left it deleted.
#[derive(Default)]
struct Graves {
    latest: BTreeMap<Key, u64>,
    by_time: BTreeSet<(u64, Key)>,
}

impl Graves {
    fn dig(&mut self, key: &Key, millis: u64) {
        let latest = self.latest.get(key).copied().unwrap_or_default().max(millis);
        self.fill(key);
        self.latest.insert(key.clone(), latest);
        self.by_time.insert((latest, key.clone()));
    }

    fn fill(&mut self, key: &Key) {
        if let Some(millis) = self.latest.remove(key) {
            self.by_time.remove(&(millis, key.clone()));
        }
    }
}

impl<S: Strategy> Keyspace<S> {
    /// No keys; a forgetful one takes note of deletions.
    pub(super) fn new(forgetful: bool) -> Keyspace<S> {
        let graves = forgetful.then(Graves::default);
        Keyspace { cells: BTreeMap::new(), blank: S::Cell::default(), graves }
    }

    fn cell(&self, key: &Key) -> &S::Cell {
        self.cells.get(key).unwrap_or(&self.blank)
    }
}

impl<S: Strategy> Store for Keyspace<S> {
    fn read(&self, key: &Key) -> Reading {
        S::read(self.cell(key))
    }

    fn plan(&self, steps: &[Step], moment: &Moment<'_>) -> Result<Plan, Refused> {
        let single = steps.len() == 1;
        let mut touched: BTreeMap<&Key, S::Cell> = BTreeMap::new();
        let mut plan = Plan { effects: Vec::new(), readings: Vec::with_capacity(steps.len()) };
        for (index, step) in steps.iter().enumerate() {
            let cell = touched.get(&step.key).unwrap_or_else(|| self.cell(&step.key));
            if step.action == Action::Read {
                plan.readings.push(Some(S::read(cell)));
                continue;
            }
            let moment = Moment { ordinal: plan.effects.len() as u32, ..*moment };
            let change = decide::<S>(cell, step, single, &moment);
            let change = change.map_err(|refusal| Refused { step: index, refusal })?;
            // Nothing comes after a single step, so it needs no copy to act on.
            if !single {
                let cell = touched.entry(&step.key).or_insert_with(|| self.cell(&step.key).clone());
                S::apply(cell, &change, &moment);
            }
            plan.effects.push(Effect { key: step.key.clone(), change });
            plan.readings.push(None);
        }
        Ok(plan)
    }

    fn apply(&mut self, effect: &Effect, moment: &Moment<'_>) {
        let cell = self.cells.entry(effect.key.clone()).or_default();
        S::apply(cell, &effect.change, moment);
        if let Some(graves) = &mut self.graves {
            match S::read(cell) {
                Reading::Absent => graves.dig(&effect.key, moment.stamp.hlc.millis),
                Reading::One { .. } | Reading::Siblings(_) => graves.fill(&effect.key),
            }
        }
        // Planted bug: with the cell goes the memory of when it was deleted.
        if moment.defects.has(Defect::ForgetTombstones) && S::read(cell) == Reading::Absent {
            self.cells.remove(&effect.key);
        }
    }

    fn expire(&mut self, millis: u64) -> Vec<Key> {
        let Some(graves) = &self.graves else { return Vec::new() };
        let old = graves.by_time.iter().take_while(|(dug, _)| *dug <= millis);
        let mut keys: Vec<Key> = old.map(|(_, key)| key.clone()).collect();
        keys.sort();
        self.forget(&keys);
        keys
    }

    fn forget(&mut self, keys: &[Key]) {
        for key in keys {
            self.cells.remove(key);
            self.graves.iter_mut().for_each(|graves| graves.fill(key));
        }
    }

    fn keys(&self) -> Vec<Key> {
        let live = self.cells.iter().filter(|(_, cell)| S::read(cell) != Reading::Absent);
        live.map(|(key, _)| key.clone()).collect()
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = Fnv::default();
        self.cells.iter().for_each(|(key, cell)| S::fingerprint(cell, key, &mut hasher));
        hasher.finish()
    }
}

/// The change that a step makes on a cell, if its condition holds.
fn decide<S: Strategy>(
    cell: &S::Cell,
    step: &Step,
    single: bool,
    moment: &Moment<'_>,
) -> Result<crate::event::Change, Refusal> {
    let intent = |action, seen| Intent { key: &step.key, action, seen };
    if step.condition != Condition::Always {
        require(&S::read(cell), step)?;
    }
    match &step.action {
        Action::Cas { from, to } => {
            compare(&S::read(cell), step, from)?;
            let action = Action::Write { value: to.clone() };
            S::change(cell, &intent(&action, Seen::Winner), moment)
        }
        // A transaction reads and writes at one node at one moment: it has seen what is there.
        action if !single || step.condition != Condition::Always => {
            S::change(cell, &intent(action, Seen::All), moment)
        }
        action => S::change(cell, &intent(action, Seen::Context(step.context.as_ref())), moment),
    }
}

fn require(reading: &Reading, step: &Step) -> Result<(), Refusal> {
    let key = step.key.clone();
    match &step.condition {
        Condition::Always => Ok(()),
        Condition::Absent if *reading == Reading::Absent => Ok(()),
        Condition::Absent => Err(Refusal::Stale { key }),
        Condition::Versions(wanted) => match versions(reading) {
            Some(held) if !held.is_empty() && held == wanted.iter().copied().collect() => Ok(()),
            Some(_) => Err(Refusal::Stale { key }),
            None => {
                let action = "compare versions".to_owned();
                Err(Refusal::Mismatch { key, action, kind: "merged value, which has none".to_owned() })
            }
        },
    }
}

/// The versions that a reading shows; none of a merged value, which has many authors.
fn versions(reading: &Reading) -> Option<BTreeSet<Dot>> {
    match reading {
        Reading::Absent => Some(BTreeSet::new()),
        Reading::One { version, .. } => version.map(|dot| [dot].into()),
        Reading::Siblings(siblings) => Some(siblings.iter().map(|sibling| sibling.version).collect()),
    }
}

fn compare(reading: &Reading, step: &Step, from: &crate::datum::Datum) -> Result<(), Refusal> {
    let equal = match reading.winner() {
        Some(value) => value == from,
        None => *from == crate::datum::Datum::null(),
    };
    if equal { Ok(()) } else { Err(Refusal::Compare { key: step.key.clone() }) }
}

/// FNV-1a with 64 bits: the same on every machine and in every run, which the standard hasher does not promise.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
