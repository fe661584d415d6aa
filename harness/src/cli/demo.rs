//! `rashomon demo [MODE]`: the shortest way to see a database lose a write, and modes that do not.

use clap::Args;
use histories::Nanos;

use super::{Session, block_on};
use crate::exit::{Exit, Stop};
use crate::plan::layer::{Layer, Origin, merge};
use crate::plan::{Expectation, Plan};
use crate::run::{Request, repeat};

/// Start a 3-node database, split its network, watch it lose a write (about 30 s)
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Mode of the bundled database: lww (loses updates), siblings, crdt, single-leader (do not)
    #[arg(default_value = "lww")]
    mode: String,
    /// Fixes requests and fault schedule; random when absent, and always printed
    #[arg(short, long, value_name = "HEX", env = "RASHOMON_SEED", hide_env_values = true)]
    seed: Option<String>,
    /// live: real processes; sim: virtual time, in which a seed repeats to the byte
    #[arg(long, value_name = "WORLD", default_value = "live")]
    world: String,
}

/// When the network splits, and for how long.
const SPLIT: &str = r#"{ at = "6s", for = "8s", partition = "isolate-one" }"#;
const LOAD: Nanos = Nanos::from_millis(20_000);

impl Demo {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let mut settings = Layer::default();
        settings.set("target.reference", self.mode.as_str(), Origin::Flag("MODE".into()));
        if let Some(seed) = &self.seed {
            settings.set("seed", seed.as_str(), Origin::Flag("--seed".into()));
        }
        settings.set("world", self.world.as_str(), Origin::Flag("--world".into()));
        let split: toml::Table = toml::from_str(&format!("fault = {SPLIT}")).map_err(anyhow::Error::from)?;
        if let Some(toml::Value::Table(fault)) = split.get("fault") {
            settings.faults.push((fault.clone(), "built in".into()));
        }
        let mut merged = merge(Plan::default(), &[settings])?;
        let mode = merged.plan.target.label().replace("reference:", "");
        merged.plan.name = format!("demo {mode}");
        merged.plan.load.duration = LOAD;
        let lost = if mode == "lww" { Expectation::Break } else { Expectation::Hold };
        merged.plan.expect.insert("no-lost-updates".into(), lost);
        block_on(repeat(session, Request { merged, expected_by: Some("demo") }))
    }
}
