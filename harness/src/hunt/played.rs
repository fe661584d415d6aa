//! One seed, played and judged: what of it is counted.
//!
//! ```text
//!   proof     |--write--|            |--read--|
//!   faults       kill ▒▒▒▒▒▒    slow ▒▒▒▒▒▒▒▒▒▒▒      in force meanwhile: kill, slow
//!   pause ▒▒                                          over by then: not counted
//! ```

use std::collections::{BTreeMap, BTreeSet};

use checkers::{Finding, Judgement};
use histories::{FaultStage, History, Nanos, Phase};

use crate::exit::Exit;
use crate::judge::{Judged, Row};
use crate::plan::Expectation;
use crate::rng::Seed;
use crate::sim::Ended;

/// One seed.
pub(super) struct Played {
    pub(super) seed: Seed,
    pub(super) calls: u64,
    pub(super) simulated: Nanos,
    pub(super) equal: bool,
    pub(super) exit: Exit,
    pub(super) rows: Vec<PlayedRow>,
}

/// One guarantee in it.
pub(super) struct PlayedRow {
    pub(super) guarantee: &'static str,
    pub(super) expected: Expectation,
    pub(super) judgement: Judgement,
    pub(super) chances: u64,
    /// Each anomaly that was found.
    pub(super) finds: BTreeMap<&'static str, Find>,
}

/// One anomaly of one guarantee.
#[derive(Debug, Clone, Default)]
pub(super) struct Find {
    /// The first of them, in a few words.
    pub(super) brief: String,
    /// Kinds of fault that were in force during a proof of it.
    pub(super) faults: BTreeSet<String>,
}

impl Played {
    pub(super) fn new(seed: Seed, history: &History, ended: &Ended, judged: &Judged) -> Self {
        let faults = in_force(history);
        let row = |row: &Row| {
            let mut finds: BTreeMap<&'static str, Find> = BTreeMap::new();
            for finding in &row.verdict.findings {
                let find = finds.entry(finding.anomaly).or_default();
                if find.brief.is_empty() {
                    find.brief.clone_from(&finding.brief);
                }
                let (from, to) = window(finding, history);
                let meanwhile = faults.iter().filter(|fault| fault.from <= to && from <= fault.to);
                find.faults.extend(meanwhile.map(|fault| fault.kind.clone()));
            }
            PlayedRow {
                guarantee: row.verdict.guarantee,
                expected: row.expected,
                judgement: row.verdict.judgement.clone(),
                chances: row.verdict.chances.count,
                finds,
            }
        };
        let rows = judged.rows.iter().map(row).collect();
        let Ended { calls, time, equal, .. } = *ended;
        Self { seed, calls, simulated: time, equal, exit: judged.exit, rows }
    }
}

/// From the first to the last moment of a proof. What only final reads prove may have come about at any time.
fn window(finding: &Finding, history: &History) -> (Nanos, Nanos) {
    let operations = || finding.steps.iter().map(|step| history.operation(step.operation));
    let before = operations().filter(|operation| operation.phase == Phase::Load);
    let from = before.map(|operation| operation.invoked).min().unwrap_or_default();
    let to = operations().map(|operation| operation.completed.unwrap_or(history.end())).max();
    (from, to.unwrap_or(history.end()))
}

/// When faults of a kind were in force.
struct InForce {
    kind: String,
    from: Nanos,
    to: Nanos,
}

fn in_force(history: &History) -> Vec<InForce> {
    let mut began = BTreeMap::new();
    let mut spans = Vec::new();
    for (time, event) in history.faults() {
        match event.stage {
            FaultStage::Injecting => drop(began.insert(event.fault, *time)),
            FaultStage::Healed => {
                let from = began.remove(&event.fault).unwrap_or_default();
                spans.push(InForce { kind: event.name.clone(), from, to: *time });
            }
            FaultStage::Effective | FaultStage::Ineffective | FaultStage::Healing => {}
        }
    }
    spans
}
