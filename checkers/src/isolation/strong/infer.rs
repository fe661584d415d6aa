//! Choices that are no choices: of two writers of a key, one order contradicts what is known.
//!
//! ```text
//!   T1 wrote what T3 read, and T2 writes the key too
//!   T2 ··▶ T3     T2 is not between them, so before T1:   W(T2) ──▶ W(T1)
//!   T1 ··▶ T2     T2 is not between them, so after T3:    R(T3) ──▶ W(T2)
//! ```
//!
//! Of each session only the nearest such T2 matters. Repeated until nothing changes; most histories end
//! there.

use super::Stop;
use super::clocks::Clocks;
use super::model::{Edge, Model, Reason, Version};
use crate::Budget;
use crate::isolation::sources::{INITIAL, NONE};

/// More clocks than this are not kept, in numbers of 4 bytes each way.
const CLOCKS_MAX: u64 = 100_000_000;

/// Adds all edges that can be inferred. Stops at a circle, or if the budget runs out: one step for each
/// edge and each version, and eight sessions.
pub(super) fn saturate(model: &mut Model<'_>, budget: &mut Budget) -> Result<Clocks, Stop> {
    let sessions = model.view.chains.len() as u64;
    for round in 1.. {
        let cost = (model.edges.len() + model.versions.len()) as u64 * sessions.div_ceil(8);
        if budget.steps < cost || u64::from(model.nodes) * sessions > CLOCKS_MAX {
            return Err(Stop::Budget);
        }
        budget.steps -= cost;
        let clocks = Clocks::new(model).ok_or(Stop::Circle)?;
        let before = model.edges.len();
        let mut found = Vec::new();
        for (number, version) in model.versions.iter().enumerate() {
            Inference { model, clocks: &clocks, round, found: &mut found }.of(number as u32, *version);
        }
        model.edges.append(&mut found);
        if model.edges.len() == before {
            return Ok(clocks);
        }
    }
    Err(Stop::Budget)
}

struct Inference<'i, 'v> {
    model: &'i Model<'v>,
    clocks: &'i Clocks,
    round: u32,
    found: &'i mut Vec<Edge>,
}

impl Inference<'_, '_> {
    fn of(&mut self, number: u32, version: Version) {
        let view = self.model.view;
        let writers = self.model.writers.get(version.key as usize);
        for run in writers.chunk_by(|one, other| view.session(*one) == view.session(*other)) {
            let session = view.session(run[0]) as usize;
            if version.writer != INITIAL && version.over != NONE {
                self.before(number, version, session, run);
            }
            self.after(number, version, session, run);
        }
    }

    // The newest writer of the session that comes before the version is over comes before its writer.
    fn before(&mut self, number: u32, version: Version, session: usize, run: &[u32]) {
        let model = self.model;
        let limit = self.clocks.before(version.over)[session];
        let count = run.partition_point(|txn| model.place_of_writes(*txn) < limit);
        let Some(txn) = count.checked_sub(1).map(|index| run[index]) else { return };
        let entry = model.entry(version.writer);
        if txn != version.writer && model.place_of_writes(txn) >= self.clocks.before(entry)[session] {
            let because = (model.writes(txn), version.over);
            self.add(model.writes(txn), entry, Reason::Newer { version: number }, because);
        }
    }

    // The oldest writer of the session that comes after the version's writer comes after it is over.
    fn after(&mut self, number: u32, version: Version, session: usize, run: &[u32]) {
        let model = self.model;
        let start = (version.writer != INITIAL).then(|| model.entry(version.writer));
        let limit = start.map_or(0, |start| self.clocks.after(start)[session]);
        let first = run.partition_point(|txn| model.place_of_writes(*txn) < limit);
        let mut later = run[first..].iter().copied().filter(|txn| *txn != version.writer);
        let Some(txn) = later.next() else { return };
        let writes = model.writes(txn);
        let because = (start.unwrap_or(writes), writes);
        let over = version.over;
        if over != NONE && over != writes && self.clocks.after(over)[session] > model.place_of_writes(txn) {
            self.add(over, writes, Reason::Overwritten { version: number }, because);
        }
        if model.level.excludes_writers() && version.writer != INITIAL {
            let end = model.writes(version.writer);
            if self.clocks.after(end)[session] > model.place_of_reads(txn) {
                self.add(end, model.reads(txn), Reason::Apart { key: version.key }, because);
            }
        }
    }

    fn add(&mut self, from: u32, to: u32, reason: Reason, because: (u32, u32)) {
        self.found.push(Edge { from, to, reason, round: self.round, because });
    }
}
