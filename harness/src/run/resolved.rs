//! Resolved plans: what one seed comes to, as data. `plan.resolved.json` is this, and it is the whole
//! truth of a run: nothing else is read to run it again.

use std::path::Path;

use histories::{Header, Nanos, NodeName};
use nemesis::Schedule;
use serde::{Deserialize, Serialize};

use crate::exit::Stop;
use crate::judge::Rules;
use crate::plan::{Check, Expectation, KeyDistribution, OnIndeterminate, Routing, World};
use crate::rng::Seed;
use crate::script::Script;
use crate::sim::Scenario;
use crate::target::TargetSpec;
use crate::workload::{self, Workload};

/// The version of `plan.resolved.json`. Another one is refused, in words.
pub(crate) const VERSION: u32 = 2;

/// How sessions are routed whose calls are pinned.
const PINNED: &str = "pinned";

/// A plan with everything drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Resolved {
    pub(crate) version: u32,
    /// What reports call the plan.
    pub(crate) name: String,
    pub(crate) seed: String,
    /// `live` or `sim`.
    pub(crate) world: String,
    /// With all its settings.
    pub(crate) target: String,
    pub(crate) workload: String,
    /// Which node a client talks to: `sticky`, `roam`, or `pinned` if a script says it call by call.
    pub(crate) sessions: String,
    /// Sessions carry what they have seen from node to node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tokens: bool,
    pub(crate) clients: u32,
    pub(crate) rate: u32,
    pub(crate) keys: u32,
    #[serde(default)]
    pub(crate) key_distribution: KeyDistribution,
    pub(crate) duration: Nanos,
    pub(crate) timeout: Nanos,
    pub(crate) settle: Nanos,
    pub(crate) check: CheckRules,
    pub(crate) nodes: Vec<NodeName>,
    pub(crate) faults: Schedule,
    pub(crate) expect: Vec<(String, String)>,
    /// Every call, if the plan pins them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<Script>,
}

/// How the record is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CheckRules {
    /// Longest search of one checker; counted in steps.
    pub(crate) time: Nanos,
    pub(crate) min_exposure: u64,
    /// `fail` or `pass`.
    pub(crate) on_indeterminate: String,
}

impl CheckRules {
    pub(super) fn of(check: &Check) -> Self {
        Self {
            time: check.time,
            min_exposure: check.min_exposure,
            on_indeterminate: check.on_indeterminate.as_str().into(),
        }
    }
}

impl Resolved {
    /// Reads a resolved plan.
    pub(crate) fn read(path: &Path) -> Result<Self, Stop> {
        let name = path.display();
        let refuse = |reason: String| Stop::data(format!("{name}: {reason}"));
        let text = std::fs::read_to_string(path).map_err(|error| {
            refuse(format!("{error}; give a stored run, or the path of a plan.resolved.json"))
        })?;
        let versioned: Versioned = serde_json::from_str(&text)
            .map_err(|error| refuse(format!("{error}; expected a plan.resolved.json, as a run stores it")))?;
        if versioned.version != VERSION {
            return Err(refuse(format!(
                "version {}, and this program reads version {VERSION}; make the run anew from its plan.toml, with its seed",
                versioned.version
            )));
        }
        serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))
    }

    /// The same with every call pinned, so that nothing is drawn.
    pub(crate) fn pinned(mut self, script: Script) -> Self {
        self.sessions = PINNED.into();
        self.clients = script.sessions().len() as u32;
        self.keys = script.keys().len() as u32;
        self.rate = 0;
        self.script = Some(script);
        self
    }

    pub(crate) fn roams(&self) -> bool {
        self.sessions == Routing::Roam.as_str()
    }

    /// The seed of the run; the text was made from one.
    pub(crate) fn seed(&self) -> Seed {
        self.seed.parse().unwrap_or(Seed(0))
    }

    fn expectations(&self) -> Result<Vec<(String, Expectation)>, String> {
        let read = |(name, text): &(String, String)| {
            let expectation = Expectation::ALL.into_iter().find(|known| known.as_str() == text);
            Ok((name.clone(), expectation.ok_or_else(|| format!("no expectation {text:?}"))?))
        };
        self.expect.iter().map(read).collect()
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// A plan with one seed, ready to run.
pub(crate) struct Prepared {
    pub(crate) world: World,
    pub(crate) target: TargetSpec,
    pub(crate) workload: &'static dyn Workload,
    pub(crate) resolved: Resolved,
    pub(crate) header: Header,
    pub(crate) rules: Rules,
    /// What a reader should know of it.
    pub(crate) notes: Vec<String>,
}

impl Prepared {
    /// What `resolved` says, made ready; the error says what of it this program does not know.
    pub(crate) fn of(resolved: Resolved, notes: Vec<String>) -> Result<Self, String> {
        let world = World::ALL.into_iter().find(|world| world.as_str() == resolved.world);
        let world = world.ok_or_else(|| format!("no world {:?}", resolved.world))?;
        let target: TargetSpec = resolved.target.parse()?;
        let workload = workload::find(&resolved.workload);
        let workload = workload.ok_or_else(|| format!("no workload {:?}", resolved.workload))?;
        if let (World::Sim, TargetSpec::Urls(_)) = (world, &target) {
            return Err(format!(
                "{target} cannot be simulated; the simulated world has reference:MODE and control"
            ));
        }
        target.admit().map_err(|reason| format!("target {target}: {reason}"))?;
        target.controls(world).admit(&resolved.faults).map_err(|error| error.to_string())?;
        let on_indeterminate = OnIndeterminate::ALL
            .into_iter()
            .find(|known| known.as_str() == resolved.check.on_indeterminate)
            .ok_or_else(|| {
                format!("no answer {:?} to what is indeterminate", resolved.check.on_indeterminate)
            })?;
        let rules = Rules {
            expect: resolved.expectations()?,
            steps: crate::plan::steps(resolved.check.time),
            min_exposure: resolved.check.min_exposure,
            on_indeterminate,
            forgive_no_chance: false,
        };
        let header = header(&resolved, &target, world);
        Ok(Self { world, target, workload, resolved, header, rules, notes })
    }

    /// The same plan, changed; what depends on it is made anew.
    pub(crate) fn with(resolved: Resolved) -> Result<Self, Stop> {
        Self::of(resolved, Vec::new()).map_err(Stop::data)
    }

    pub(crate) fn scenario(&self) -> Scenario<'_> {
        Scenario { target: &self.target, resolved: &self.resolved, workload: self.workload }
    }
}

fn header(resolved: &Resolved, target: &TargetSpec, world: World) -> Header {
    let version = ("rashomon".to_string(), env!("CARGO_PKG_VERSION").to_string());
    let world = (world == World::Sim).then(|| ("world".to_string(), resolved.world.clone()));
    Header {
        name: resolved.name.clone(),
        target: target.label(),
        workload: resolved.workload.clone(),
        seed: resolved.seed.clone(),
        nodes: resolved.nodes.clone(),
        notes: [version].into_iter().chain(world).collect(),
    }
}

/// What a stored run expected, if its plan can be read; of any version.
pub(crate) fn stored_expectations(folder: &Path) -> Option<Vec<(String, Expectation)>> {
    #[derive(Deserialize)]
    struct Stored {
        expect: Vec<(String, String)>,
    }
    let text = std::fs::read_to_string(folder.join("plan.resolved.json")).ok()?;
    let stored: Stored = serde_json::from_str(&text).ok()?;
    let read = |(name, text): (String, String)| {
        Some((name, Expectation::ALL.into_iter().find(|known| known.as_str() == text)?))
    };
    stored.expect.into_iter().map(read).collect()
}
