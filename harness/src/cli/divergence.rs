//! `rashomon divergence PLAN...`: the same plans in both worlds.

use std::path::Path;

use clap::Args;

use super::{Session, block_on};
use crate::exit::{Exit, Stop};
use crate::plan::classics::{self, PREFIX};
use crate::plan::layer::{Merged, merge};
use crate::plan::{Plan, file};
use crate::replay::{Comparison, compare};
use crate::run::StopSignal;

/// Run plans in the simulated world and on real processes, and say where the two differ
#[derive(Debug, Args)]
pub(crate) struct Divergence {
    /// Test plans, or built-in classics: classic:NAME
    #[arg(required = true)]
    plans: Vec<String>,
    /// How often to run each plan in each world, every time with another seed
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    times: u32,
}

impl Divergence {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let plans = self.plans.into_iter().map(|name| Ok((name.clone(), load(&name)?)));
        let order = Comparison { plans: plans.collect::<Result<_, Stop>>()?, times: self.times };
        block_on(async {
            let stop = StopSignal::new();
            stop.listen().map_err(anyhow::Error::from)?;
            compare(session, order, &stop).await
        })
    }
}

fn load(name: &str) -> Result<Merged, Stop> {
    let plan = match name.strip_prefix(PREFIX) {
        Some(classic) => classics::read(classic, None)?,
        None => file::read(Path::new(name), None)?,
    };
    merge(Plan::default(), &[plan.settings])
}
