//! `rashomon replay RUN`: a stored run again.

use clap::Args;

use super::{Session, block_on};
use crate::exit::{Exit, Stop};
use crate::names;
use crate::plan::World;
use crate::replay::{Order, replay};
use crate::run::StopSignal;

/// Make a stored run again: exactly in the simulated world, or so many times on real processes
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Any unique part of a run's name, `latest`, a run's folder, its whole seed, or the path of a
    /// plan.resolved.json
    #[arg(allow_hyphen_values = true)]
    run: String,
    /// live: real processes; sim: virtual time [default: where the run was recorded]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,
    /// How often, to see how often it breaks. In the simulated world each time after the first has
    /// another network, other disks and clocks around the same calls
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    times: u32,
}

impl Replay {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let world = self.world.as_deref().map(world).transpose()?;
        let order = Order { source: self.run, world, times: self.times };
        block_on(async {
            let stop = StopSignal::new();
            stop.listen().map_err(anyhow::Error::from)?;
            replay(session, &order, &stop).await
        })
    }
}

fn world(name: &str) -> Result<World, Stop> {
    let found = World::ALL.into_iter().find(|world| world.as_str() == name);
    found.ok_or_else(|| Stop::usage(format!("--world: {}", names::unknown("world", name, World::NAMES))))
}
