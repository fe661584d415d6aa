//! Seeds that are worth a look, stored as runs: what `rashomon shrink` begins with.

use std::collections::BTreeMap;

use super::Order;
use super::tally::Found;
use crate::cli::{Format, Session};
use crate::exit::Stop;
use crate::plan::Expectation;
use crate::progress::{Progress, ProgressHow};
use crate::run::{Papers, StopSignal, make, prepare};

/// A hunt stores no more runs than these at a time: runs of before would have to go.
const RUNS_MAX: usize = 3;

/// Plays the first seed of each finding that was not to be again, and stores it as a run.
pub(super) fn keep(session: &Session, order: &Order, found: &mut [Found]) -> Result<(), Stop> {
    let mut runs = BTreeMap::new();
    let unkept = |found: &&mut Found| found.expected == Expectation::Hold.as_str() && found.run.is_none();
    for found in found.iter_mut().filter(unkept) {
        if !runs.contains_key(&found.seed) && runs.len() < RUNS_MAX {
            runs.insert(found.seed.clone(), store(session, order, &found.seed)?);
        }
        found.run = runs.get(&found.seed).cloned();
    }
    Ok(())
}

fn store(session: &Session, order: &Order, seed: &str) -> Result<String, Stop> {
    // The hunt tells it in its own words.
    let progress = Progress::new(ProgressHow::None, false);
    let quiet = Session { progress, format: Format::Text, quiet: 2, ..session.clone() };
    let prepared = prepare(&order.merged, seed.parse().map_err(Stop::data)?)?;
    let files = vec![("plan.toml", order.merged.show())];
    let papers = Papers { files, ..Papers::default() };
    let stop = StopSignal::new();
    let making = make(&quiet, &prepared, papers, &stop);
    Ok(tokio::runtime::Handle::current().block_on(making)?.run.id)
}
