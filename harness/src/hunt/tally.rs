//! The tally: what many seeds come to, with like findings counted as one.
//!
//! ```text
//!   no-lost-updates · lost-update · reference:lww · append         first in seed 7f3a91c2, in 31 of 40 seeds,
//!                                                                  during a kill in 31, during a slow link in 4
//! ```
//!
//! A fingerprint without kinds of fault: where every seed draws others, each finding would be one of its own. What was
//! in force is counted instead, and what was necessary stands out.

use std::collections::BTreeMap;

use checkers::Judgement;
use histories::Nanos;
use serde::{Deserialize, Serialize};

use super::played::{Played, PlayedRow};
use crate::exit::Exit;
use crate::plan::Expectation;

/// What makes two findings of a hunt one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Fingerprint {
    pub(super) guarantee: String,
    pub(super) anomaly: String,
}

/// One kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Found {
    #[serde(flatten)]
    pub(super) fingerprint: Fingerprint,
    pub(super) expected: String,
    /// The first seed that shows it.
    pub(super) seed: String,
    /// In how many seeds.
    pub(super) seeds: u32,
    /// In how many of them a fault of each kind was in force meanwhile.
    pub(super) faults: BTreeMap<String, u32>,
    /// The first of them, in a few words.
    pub(super) brief: String,
    /// The run as which that seed is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<String>,
}

/// One guarantee over all seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Line {
    pub(super) expected: String,
    pub(super) held: u32,
    pub(super) broken: u32,
    pub(super) not_judged: u32,
    pub(super) chances: u64,
    /// Why it was not judged, the first time.
    pub(super) why: String,
}

/// What all seeds come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Tally {
    pub(super) seeds: u32,
    pub(super) calls: u64,
    pub(super) simulated: Nanos,
    /// Seeds that broke an expectation, and seeds that met all of them.
    pub(super) broken: u32,
    pub(super) met: u32,
    /// Seeds whose nodes did not become equal in time.
    pub(super) unequal: u32,
    /// In the order of the report of a run.
    pub(super) guarantees: Vec<(String, Line)>,
    /// In the order in which they were found.
    pub(super) found: Vec<Found>,
}

impl Tally {
    /// Counts a seed in; says what it found that no seed had before.
    pub(super) fn add(&mut self, played: &Played) -> Vec<String> {
        self.seeds += 1;
        self.calls += played.calls;
        self.simulated = self.simulated + played.simulated;
        self.unequal += u32::from(!played.equal);
        self.broken += u32::from(played.exit == Exit::Broken);
        self.met += u32::from(played.exit == Exit::Met);
        played.rows.iter().flat_map(|row| self.add_row(played, row)).collect()
    }

    fn add_row(&mut self, played: &Played, row: &PlayedRow) -> Vec<String> {
        self.line(row.guarantee).count(row);
        let mut news = Vec::new();
        for (anomaly, find) in &row.finds {
            let index = self.found.iter().position(|found| found.fingerprint.is(row.guarantee, anomaly));
            let index = index.unwrap_or_else(|| {
                let guarantee = row.guarantee;
                news.push(format!("seed {}: {guarantee}, {anomaly}: {}", played.seed, find.brief));
                self.found.push(Found {
                    fingerprint: Fingerprint { guarantee: guarantee.into(), anomaly: anomaly.to_string() },
                    expected: row.expected.as_str().into(),
                    seed: played.seed.to_string(),
                    seeds: 0,
                    faults: BTreeMap::new(),
                    brief: find.brief.clone(),
                    run: None,
                });
                self.found.len() - 1
            });
            let found = &mut self.found[index];
            found.seeds += 1;
            for kind in &find.faults {
                *found.faults.entry(kind.clone()).or_default() += 1;
            }
        }
        news
    }

    fn line(&mut self, guarantee: &str) -> &mut Line {
        let place = self.guarantees.iter().position(|(name, _)| name == guarantee).unwrap_or_else(|| {
            self.guarantees.push((guarantee.into(), Line::default()));
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
            _ if self.broken > 0 => Exit::Broken,
            Self { seeds: 0, .. } => Exit::Indeterminate,
            _ if self.guarantees.iter().any(|(_, line)| untested(line)) => Exit::Indeterminate,
            _ => Exit::Met,
        }
    }
}

impl Fingerprint {
    fn is(&self, guarantee: &str, anomaly: &str) -> bool {
        self.guarantee == guarantee && self.anomaly == anomaly
    }
}

impl Line {
    fn count(&mut self, row: &PlayedRow) {
        self.expected = row.expected.as_str().into();
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
    use crate::hunt::played::Find;
    use crate::rng::Seed;

    fn played(seed: u64, judgement: Judgement, faults: &[&str]) -> Played {
        let exit = match judgement {
            Judgement::Held => Exit::Met,
            Judgement::Broken => Exit::Broken,
            Judgement::NotJudged { .. } => Exit::Indeterminate,
        };
        let faults = faults.iter().map(|name| name.to_string()).collect();
        let finds = match judgement {
            Judgement::Broken => [("divergence", Find { brief: format!("in {seed}"), faults })].into(),
            _ => BTreeMap::new(),
        };
        let expected = Expectation::Hold;
        let row = PlayedRow { guarantee: "convergence", expected, judgement, chances: 3, finds };
        Played { seed: Seed(seed), calls: 10, simulated: Nanos(5), equal: true, exit, rows: vec![row] }
    }

    #[test]
    fn like_findings_are_counted_as_one_whatever_was_in_force() {
        let mut tally = Tally::default();
        assert_eq!(tally.exit(), Exit::Indeterminate);
        let why = || Judgement::NotJudged { why: "nothing".into() };
        assert!(tally.add(&played(1, why(), &[])).is_empty());
        assert_eq!(tally.exit(), Exit::Indeterminate);
        assert!(tally.add(&played(2, Judgement::Held, &[])).is_empty());
        assert_eq!(tally.exit(), Exit::Met);
        let news = tally.add(&played(3, Judgement::Broken, &["kill"]));
        assert_eq!(news, ["seed 00000003: convergence, divergence: in 3"]);
        assert!(tally.add(&played(4, Judgement::Broken, &["kill", "pause"])).is_empty());
        let [found] = tally.found.as_slice() else { panic!("{:?}", tally.found) };
        assert_eq!((found.seed.as_str(), found.seeds), ("00000003", 2));
        assert_eq!(found.faults, [("kill".to_string(), 2), ("pause".to_string(), 1)].into());
        assert_eq!((tally.exit(), tally.seeds, tally.chances()), (Exit::Broken, 4, 12));
        assert_eq!((tally.met, tally.broken), (1, 2));
        let line = &tally.guarantees[0].1;
        assert_eq!((line.held, line.broken, line.not_judged), (1, 2, 1));
    }

    #[test]
    fn a_tally_that_was_put_down_goes_on_as_if_nothing_had_been() {
        let seeds = || (1..6).map(|seed| played(seed, Judgement::Broken, &["kill"]));
        let (mut whole, mut parted) = (Tally::default(), Tally::default());
        seeds().for_each(|seed| drop(whole.add(&seed)));
        for seed in seeds() {
            parted.add(&seed);
            parted = serde_json::from_str(&serde_json::to_string(&parted).unwrap()).unwrap();
        }
        assert_eq!(whole, parted);
    }
}
