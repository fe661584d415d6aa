//! `rashomon hunt [PLAN]`: many seeds of a plan in the simulated world.

use clap::{ArgMatches, Args};
use histories::Nanos;

use super::run::Run;
use super::{Session, block_on, say};
use crate::exit::{Exit, Stop};
use crate::hunt::{Order, Stored, hunt};
use crate::plan::layer::{Merged, Origin};
use crate::plan::{Faults, World};
use crate::rng::Seed;
use crate::run::StopSignal;

/// Simulate many seeds of a plan on all cores, up to the first that breaks an expectation
#[derive(Debug, Args)]
pub(crate) struct Hunt {
    #[command(flatten)]
    run: Run,
    /// How many seeds to play, those before it was resumed included [default: as many as there is time for]
    #[arg(long, value_name = "N", help_heading = "Hunt", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// How long to begin new seeds [default: 1m, or as long as --seeds take]
    #[arg(long = "for", value_name = "TIME", help_heading = "Hunt", value_parser = nemesis::duration::parse)]
    time: Option<Nanos>,
    /// Do not stop at the first broken expectation: collect all kinds of finding
    #[arg(long, help_heading = "Hunt")]
    keep_going: bool,
    /// Worlds side by side [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Hunt", value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
    /// Go on with a hunt that was ended: any unique part of its name, or latest
    #[arg(long, value_name = "HUNT", help_heading = "Hunt", num_args = 0..=1, default_missing_value = "latest")]
    resume: Option<String>,
}

impl Hunt {
    pub(crate) fn run(self, session: &Session, matches: &ArgMatches) -> Result<Exit, Stop> {
        let order = match &self.resume {
            None => {
                let merged = self.fresh(matches)?;
                if self.run.shows_plan() {
                    say(format_args!("{}", merged.show().trim_end()));
                    return Ok(Exit::Met);
                }
                let first = merged.plan.seed.unwrap_or_else(Seed::random);
                self.order(merged, first)
            }
            Some(name) => self.resumed(session, name, matches)?,
        };
        // The runtime only listens for Ctrl-C; worlds run in threads of their own.
        block_on(async {
            let stop = StopSignal::new();
            stop.listen_for_hunt().map_err(anyhow::Error::from)?;
            tokio::task::block_in_place(|| hunt(session, order, &stop))
        })
    }

    fn fresh(&self, matches: &ArgMatches) -> Result<Merged, Stop> {
        let mut merged = self.run.merged(matches)?;
        let repeats = matches!(merged.origins.get("repeat"), Some(Origin::Flag(_)));
        let live =
            matches!(merged.origins.get("world"), Some(Origin::Flag(_))) && merged.plan.world == World::Live;
        if repeats {
            return Err(Stop::usage("--repeat: a hunt plays many seeds anyhow; say how many with --seeds"));
        }
        if live {
            return Err(Stop::usage(
                "--world live: a hunt is simulated; for processes take  rashomon run --repeat",
            ));
        }
        merged.plan.world = World::Sim;
        // What nobody asked for, and nobody can inject, is not asked for when the hunt goes on either.
        let asked_for =
            merged.origins.contains_key("faults") || matches!(merged.plan.faults, Faults::Listed(_));
        if !asked_for && !merged.plan.controls().network {
            merged.plan.faults = Faults::Kinds(Vec::new());
        }
        Ok(merged)
    }

    fn order(&self, merged: Merged, first: Seed) -> Order {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Order {
            words: self.run.words(),
            merged,
            first,
            seeds: self.seeds.unwrap_or(u32::MAX),
            time: self.time.or_else(|| self.seeds.is_none().then_some(Nanos::from_millis(60_000))),
            keep_going: self.keep_going,
            jobs: self.jobs.map_or(cores, |jobs| jobs as usize),
            goes_on: None,
        }
    }

    fn resumed(&self, session: &Session, name: &str, matches: &ArgMatches) -> Result<Order, Stop> {
        if let Some(given) = self.run.first_given(matches) {
            return Err(Stop::usage(format!(
                "--resume: the hunt goes on with its own plan; take {given} away, or begin another hunt"
            )));
        }
        let (stored, merged) = Stored::find(&session.store, name)?;
        let mut order = self.order(merged, stored.first()?);
        order.words = stored.words();
        order.keep_going |= stored.keeps_going();
        order.goes_on = Some(stored);
        Ok(order)
    }
}
