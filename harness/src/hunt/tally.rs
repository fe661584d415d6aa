//! The tally: what many seeds come to, with like findings counted as one.
//!
//! ```text
//!   fingerprint   no-lost-updates · lost-update · reference:lww · append · partition
//!                 first in seed 7f3a91c2, in 31 of 40 seeds
//! ```

use std::collections::{BTreeMap, BTreeSet};

use checkers::Judgement;
use histories::Nanos;
use serde::Serialize;

use crate::exit::Exit;
use crate::judge::{Judged, Row};
use crate::plan::Expectation;
use crate::rng::Seed;
use crate::run::Resolved;
use crate::sim::Ended;

/// One seed, played and judged.
pub(super) struct Played {
    seed: Seed,
    calls: u64,
    simulated: Nanos,
    equal: bool,
    pub(super) exit: Exit,
    rows: Vec<PlayedRow>,
}

struct PlayedRow {
    guarantee: &'static str,
    expected: Expectation,
    judgement: Judgement,
    chances: u64,
    /// Each kind of finding, with the first in a few words.
    finds: BTreeMap<Fingerprint, String>,
}

/// What makes two findings one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Fingerprint {
    pub(super) guarantee: &'static str,
    pub(super) anomaly: &'static str,
    pub(super) target: String,
    pub(super) workload: String,
    /// The kinds of fault, sorted.
    pub(super) faults: Vec<String>,
}

/// One kind of finding.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Found {
    #[serde(flatten)]
    pub(super) fingerprint: Fingerprint,
    pub(super) expected: &'static str,
    /// The first seed that shows it.
    pub(super) seed: String,
    /// In how many seeds.
    pub(super) seeds: u32,
    /// The first of them, in a few words.
    pub(super) brief: String,
}

/// One guarantee over all seeds.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Line {
    pub(super) expected: &'static str,
    pub(super) held: u32,
    pub(super) broken: u32,
    pub(super) not_judged: u32,
    pub(super) chances: u64,
    /// Why it was not judged, the first time.
    pub(super) why: String,
}

/// What all seeds come to.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Tally {
    pub(super) seeds: u32,
    pub(super) calls: u64,
    pub(super) simulated: Nanos,
    /// Seeds whose nodes did not become equal in time.
    pub(super) unequal: u32,
    /// In the order of the report of a run.
    pub(super) guarantees: Vec<(&'static str, Line)>,
    /// In the order in which they were found.
    pub(super) found: Vec<Found>,
    #[serde(skip)]
    broken: bool,
}

impl Played {
    pub(super) fn new(seed: Seed, resolved: &Resolved, ended: &Ended, judged: &Judged) -> Self {
        let kinds: BTreeSet<String> = resolved.faults.faults.iter().map(|fault| fault.name.clone()).collect();
        let row = |row: &Row| {
            let fingerprint = |anomaly| Fingerprint {
                guarantee: row.verdict.guarantee,
                anomaly,
                target: resolved.target.clone(),
                workload: resolved.workload.clone(),
                faults: kinds.iter().cloned().collect(),
            };
            let mut finds = BTreeMap::new();
            for finding in &row.verdict.findings {
                finds.entry(fingerprint(finding.anomaly)).or_insert_with(|| finding.brief.clone());
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

impl Tally {
    /// Counts a seed in; says what it found that no seed had before.
    pub(super) fn add(&mut self, played: &Played) -> Vec<String> {
        self.seeds += 1;
        self.calls += played.calls;
        self.simulated = self.simulated + played.simulated;
        self.unequal += u32::from(!played.equal);
        self.broken |= played.exit == Exit::Broken;
        let mut news = Vec::new();
        for row in &played.rows {
            self.line(row.guarantee).count(row);
            for (fingerprint, brief) in &row.finds {
                if let Some(found) = self.found.iter_mut().find(|found| found.fingerprint == *fingerprint) {
                    found.seeds += 1;
                    continue;
                }
                let (guarantee, anomaly) = (fingerprint.guarantee, fingerprint.anomaly);
                news.push(format!("seed {}: {guarantee}, {anomaly}: {brief}", played.seed));
                self.found.push(Found {
                    fingerprint: fingerprint.clone(),
                    expected: row.expected.as_str(),
                    seed: played.seed.to_string(),
                    seeds: 1,
                    brief: brief.clone(),
                });
            }
        }
        news
    }

    fn line(&mut self, guarantee: &'static str) -> &mut Line {
        let place = self.guarantees.iter().position(|(name, _)| *name == guarantee).unwrap_or_else(|| {
            self.guarantees.push((guarantee, Line::default()));
            self.guarantees.len() - 1
        });
        &mut self.guarantees[place].1
    }

    pub(super) fn chances(&self) -> u64 {
        self.guarantees.iter().map(|(_, line)| line.chances).sum()
    }

    /// Broken if an expectation was in some seed; met if each was put to the test in some.
    pub(super) fn exit(&self) -> Exit {
        let untested =
            |line: &Line| line.expected != Expectation::Watch.as_str() && line.held + line.broken == 0;
        match self {
            Self { broken: true, .. } => Exit::Broken,
            Self { seeds: 0, .. } => Exit::Indeterminate,
            _ if self.guarantees.iter().any(|(_, line)| untested(line)) => Exit::Indeterminate,
            _ => Exit::Met,
        }
    }
}

impl Line {
    fn count(&mut self, row: &PlayedRow) {
        self.expected = row.expected.as_str();
        self.chances += row.chances;
        match &row.judgement {
            Judgement::Held => self.held += 1,
            Judgement::Broken => self.broken += 1,
            Judgement::NotJudged { why } => {
                self.not_judged += 1;
                if self.why.is_empty() {
                    self.why.clone_from(why);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(seed: u64, judgement: Judgement, faults: &[&str]) -> Played {
        let exit = match judgement {
            Judgement::Held => Exit::Met,
            Judgement::Broken => Exit::Broken,
            Judgement::NotJudged { .. } => Exit::Indeterminate,
        };
        let fingerprint = Fingerprint {
            guarantee: "convergence",
            anomaly: "divergence",
            target: "reference:lww".into(),
            workload: "append".into(),
            faults: faults.iter().map(|name| name.to_string()).collect(),
        };
        let finds = match judgement {
            Judgement::Broken => BTreeMap::from([(fingerprint, format!("in {seed}"))]),
            _ => BTreeMap::new(),
        };
        let expected = Expectation::Hold;
        let row = PlayedRow { guarantee: "convergence", expected, judgement, chances: 3, finds };
        Played { seed: Seed(seed), calls: 10, simulated: Nanos(5), equal: true, exit, rows: vec![row] }
    }

    #[test]
    fn like_findings_are_counted_as_one_and_shown_by_the_first_seed() {
        let mut tally = Tally::default();
        assert_eq!(tally.exit(), Exit::Indeterminate);
        let why = || Judgement::NotJudged { why: "nothing".into() };
        assert!(tally.add(&played(1, why(), &[])).is_empty());
        assert_eq!(tally.exit(), Exit::Indeterminate);
        assert!(tally.add(&played(2, Judgement::Held, &[])).is_empty());
        assert_eq!(tally.exit(), Exit::Met);
        let news = tally.add(&played(3, Judgement::Broken, &["kill"]));
        assert_eq!(news, ["seed 00000003: convergence, divergence: in 3"]);
        assert!(tally.add(&played(4, Judgement::Broken, &["kill"])).is_empty());
        assert_eq!(tally.add(&played(5, Judgement::Broken, &["pause"])).len(), 1);
        let found: Vec<(&str, u32)> =
            tally.found.iter().map(|found| (found.seed.as_str(), found.seeds)).collect();
        assert_eq!(found, [("00000003", 2), ("00000005", 1)]);
        assert_eq!((tally.exit(), tally.seeds, tally.chances()), (Exit::Broken, 5, 15));
        let line = &tally.guarantees[0].1;
        assert_eq!((line.held, line.broken, line.not_judged), (1, 3, 1));
    }
}
