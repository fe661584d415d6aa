//! Planted bugs: each is caught, by a checker that it names, in the plan of `harness/defects` that has its name; and
//! nothing is caught there without it.

use std::path::PathBuf;

use reference_db::Defect;

use super::tests::{is_broken, judged};
use crate::exit::Exit;
use crate::plan::file;
use crate::plan::layer::{Merged, merge};
use crate::plan::{Expectation, Plan};
use crate::rng::Seed;

/// What notices the bug.
pub(crate) fn caught_by(defect: Defect) -> &'static [&'static str] {
    match defect {
        Defect::ApplyDependentEarly => &["causal-order"],
        Defect::ConfirmBeforeDurable => &["no-lost-updates"],
        Defect::ForgetTombstones | Defect::NoTieBreak => &["convergence"],
        Defect::SkipVersionCheck => &["convergence", "no-made-up-values"],
    }
}

/// The plan that shows the bug.
pub(crate) fn plan(defect: Defect) -> Merged {
    let file = format!("defects/{defect}.toml");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let read = file::read(&path, None).and_then(|file| merge(Plan::default(), &[file.settings]));
    read.unwrap_or_else(|stop| panic!("{:#}", stop.error))
}

/// So many seeds show each bug.
const SEEDS: u32 = 12;

pub(crate) fn seeds() -> impl Iterator<Item = Seed> {
    (0..SEEDS).map(|index| Seed(1).repetition(index))
}

#[test]
fn every_planted_bug_is_caught_by_a_checker_that_it_names() {
    for defect in Defect::ALL {
        let merged = plan(*defect);
        assert_eq!(merged.plan.target.label().split_once(",defects=").unwrap().1, defect.name());
        for guarantee in caught_by(*defect) {
            let expected = merged.plan.expect.get(*guarantee).copied();
            assert_ne!(expected, Some(Expectation::Watch), "{defect} is not expected to leave {guarantee}");
            let caught = seeds().any(|seed| is_broken(&judged(&merged, seed).1, guarantee));
            assert!(caught, "{defect} breaks {guarantee} in none of {SEEDS} seeds");
        }
    }
}

#[test]
fn without_the_planted_bug_its_plan_breaks_nothing() {
    for defect in Defect::ALL {
        let mut merged = plan(*defect);
        merged.plan.target.set("defects", "").unwrap();
        for seed in seeds() {
            assert_ne!(judged(&merged, seed).1.exit, Exit::Broken, "{defect}, seed {seed}");
        }
    }
}
