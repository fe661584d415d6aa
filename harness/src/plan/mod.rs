//! A plan: everything that a run does, in one value.
//!
//! ```text
//!   built in  <  plan file  <  [profile.NAME]  <  environment  <  flags
//!      └──────────── layers of settings, each with its origin ──────┘
//!                                  │ merge
//!                                Plan ──► the run, plan.toml, plan.resolved.json
//! ```

use std::collections::BTreeMap;

use histories::Nanos;
use serde::{Deserialize, Serialize};

use crate::progress::ProgressHow;
use crate::rng::Seed;
use crate::target::TargetSpec;

pub(crate) mod classics;
pub(crate) mod file;
pub(crate) mod layer;
pub(crate) mod setting;

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What the plan is called in reports.
    pub(crate) name: String,
    /// Where it runs.
    pub(crate) world: World,
    /// What is tested.
    pub(crate) target: TargetSpec,
    /// What the clients do.
    pub(crate) load: Load,
    /// Calls as the plan lists them, each with its line for messages; if there are none, the workload
    /// draws them.
    pub(crate) calls: Vec<(toml::Table, String)>,
    /// What is done to the target.
    pub(crate) faults: Faults,
    /// How the record is judged.
    pub(crate) check: Check,
    /// What the run is expected to say, by guarantee.
    pub(crate) expect: BTreeMap<String, Expectation>,
    /// How progress is shown, unless the command line says so.
    pub(crate) progress: Option<ProgressHow>,
    /// Fixes requests and fault schedule; drawn at random when absent.
    pub(crate) seed: Option<Seed>,
    /// How many seeds to run.
    pub(crate) repeat: u32,
}

impl Plan {
    /// What can be done to the target in the plan's world.
    pub(crate) fn controls(&self) -> nemesis::Controls {
        self.target.controls(self.world)
    }
}

/// Where a plan runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// Real processes, real sockets, real disks.
    Live,
    /// Virtual time in one thread; a seed repeats it to the byte.
    Sim,
}

impl World {
    pub(crate) const NAMES: [&str; 2] = ["live", "sim"];
    pub(crate) const ALL: [Self; 2] = [Self::Live, Self::Sim];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sim => "sim",
        }
    }
}

/// What the clients do.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The workload's name.
    pub(crate) workload: String,
    /// Concurrent clients, at least 1.
    pub(crate) clients: u32,
    /// Which node a client talks to; the workload's own choice if the plan does not say.
    pub(crate) sessions: Option<Routing>,
    /// Sessions carry what they have seen from node to node.
    pub(crate) tokens: bool,
    /// Calls per second over all clients; 0 is as fast as the answers come.
    pub(crate) rate: u32,
    /// How many keys the workload uses.
    pub(crate) keys: u32,
    /// How often each key is used.
    pub(crate) key_distribution: KeyDistribution,
    /// How long the load lasts.
    pub(crate) duration: Nanos,
    /// After that a call is unknown.
    pub(crate) timeout: Nanos,
}

/// Which node a client talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routing {
    /// A client stays on its node.
    Sticky,
    /// Each call goes to any node.
    Roam,
}

impl Routing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sticky => "sticky",
            Self::Roam => "roam",
        }
    }
}

/// How often each key is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyDistribution {
    /// Each as often as any other.
    #[default]
    Uniform,
    /// The n-th key 1/n times as often as the first.
    Zipf,
    /// Nine of ten uses fall on a tenth of the keys.
    Hot,
}

impl KeyDistribution {
    pub(crate) const ALL: [Self; 3] = [Self::Uniform, Self::Zipf, Self::Hot];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
            Self::Hot => "hot",
        }
    }
}

/// What is done to the target.
#[derive(Debug, Clone)]
pub(crate) enum Faults {
    /// Kinds of fault, spread over the load by the seed.
    Kinds(Vec<String>),
    /// Everything is drawn from the seed; these kinds are on in any case.
    Swarm(Vec<String>),
    /// Faults as the plan lists them, each with its line for messages.
    Listed(Vec<(toml::Table, String)>),
}

/// How the record is judged.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// How long the replicas may take to become equal after the last fault.
    pub(crate) settle: Nanos,
    /// How long a search may take before it says *not judged*, on a machine that takes
    /// [`STEPS_PER_SECOND`]: it is counted in steps, so that a verdict does not depend on the machine.
    pub(crate) time: Nanos,
    /// A guarantee with fewer chances to break is *not judged*.
    pub(crate) min_exposure: u64,
    /// Whether an expected guarantee that could not be judged fails the run.
    pub(crate) on_indeterminate: OnIndeterminate,
}

/// How many steps of a search count as a second.
pub(crate) const STEPS_PER_SECOND: u64 = 3_000_000;

/// A time for checking, in steps.
pub(crate) fn steps(time: Nanos) -> u64 {
    (time.0 / 1_000).saturating_mul(STEPS_PER_SECOND / 1_000_000).max(1)
}

/// What becomes of a run in which nothing broke, but not everything could be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnIndeterminate {
    /// Exit code 2.
    Fail,
    /// Exit code 0.
    Pass,
}

impl OnIndeterminate {
    pub(crate) const ALL: [Self; 2] = [Self::Fail, Self::Pass];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
        }
    }
}

/// What a plan says of a guarantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expectation {
    /// It must hold.
    Hold,
    /// It must be seen broken: for self-tests and demos.
    Break,
    /// Only tell me.
    Watch,
}

impl Expectation {
    pub(crate) const NAMES: [&str; 3] = ["hold", "break", "watch"];
    pub(crate) const ALL: [Self; 3] = [Self::Hold, Self::Break, Self::Watch];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Break => "break",
            Self::Watch => "watch",
        }
    }
}

/// The built-in plan `quick`: what runs when nothing else is said.
impl Default for Plan {
    fn default() -> Self {
        Self {
            name: "quick".into(),
            world: World::Live,
            target: TargetSpec::default(),
            load: Load {
                workload: "append".into(),
                clients: 10,
                sessions: None,
                tokens: false,
                rate: 600,
                keys: 400,
                key_distribution: KeyDistribution::Uniform,
                duration: Nanos::from_millis(30_000),
                timeout: Nanos::from_millis(1_000),
            },
            calls: Vec::new(),
            faults: Faults::Kinds(vec!["partition".into()]),
            check: Check {
                settle: Nanos::from_millis(5_000),
                time: Nanos::from_millis(60_000),
                min_exposure: 1,
                on_indeterminate: OnIndeterminate::Fail,
            },
            expect: BTreeMap::new(),
            progress: None,
            seed: None,
            repeat: 1,
        }
    }
}
