//! `rashomon run [PLAN]`: the flags are the topmost layer of the plan.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::{Session, block_on, say};
use crate::exit::{Exit, Stop};
use crate::plan::classics::{self, PREFIX};
use crate::plan::layer::{Layer, Merged, Origin, merge};
use crate::plan::{Plan, file};
use crate::run::{Request, repeat};
use crate::workload::WORKLOADS;

/// Run a plan: workload, faults, check, report
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[arg(help = plan_help())]
    plan: Option<PathBuf>,
    /// Use [profile.NAME] of the plan
    #[arg(short, long, value_name = "NAME", env = "RASHOMON_PROFILE", hide_env_values = true)]
    profile: Option<String>,
    /// Print the plan as it will run, with the origin of each value, and stop
    #[arg(long)]
    show_plan: bool,
    /// live: real processes; sim: virtual time, in which a seed repeats to the byte [default: live]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,

    /// reference:MODE, control, or the URLs of a store that speaks the reference API
    #[arg(
        short,
        long,
        value_name = "TARGET",
        env = "RASHOMON_TARGET",
        hide_env_values = true,
        help_heading = "Target"
    )]
    target: Option<String>,
    /// Nodes of the reference database
    #[arg(short, long, value_name = "N", help_heading = "Target")]
    nodes: Option<String>,

    #[arg(short, long, value_name = "NAME", help_heading = "Load", help = workload_help())]
    workload: Option<String>,
    /// Concurrent clients [default: 10]
    #[arg(short, long, value_name = "N", help_heading = "Load")]
    clients: Option<String>,
    /// sticky: a client stays on its node; roam: any node [default: what the workload is made for]
    #[arg(long, value_name = "HOW", help_heading = "Load")]
    sessions: Option<String>,
    /// Operations per second over all clients; 0 is as fast as possible [default: 600]
    #[arg(short, long, value_name = "OPS", help_heading = "Load")]
    rate: Option<String>,
    /// Keys in use at a time [default: 400]
    #[arg(long, value_name = "N", help_heading = "Load")]
    keys: Option<String>,
    /// How often each key is used: uniform, zipf, or hot (nine of ten uses on a tenth of the keys)
    /// [default: uniform]
    #[arg(long, value_name = "HOW", help_heading = "Load")]
    key_distribution: Option<String>,
    /// How long to run, without set-up and checking [default: 30s]
    #[arg(short, long, value_name = "TIME", help_heading = "Load")]
    duration: Option<String>,
    /// After that an operation is unknown, never failed [default: 1s]
    #[arg(long, value_name = "TIME", help_heading = "Load")]
    timeout: Option<String>,

    #[arg(short, long, value_name = "LIST", help_heading = "Faults", help = faults_help())]
    faults: Option<String>,

    /// Fixes requests and fault schedule; random when absent, and always printed
    #[arg(
        short,
        long,
        value_name = "HEX",
        env = "RASHOMON_SEED",
        hide_env_values = true,
        help_heading = "Repetition"
    )]
    seed: Option<String>,
    /// Run this many seeds, stop at the first broken expectation [default: 1]
    #[arg(long, value_name = "N", help_heading = "Repetition")]
    repeat: Option<String>,

    /// GUARANTEE=hold|break|watch, may be given many times
    #[arg(short, long, value_name = "EXPECT", help_heading = "Judgement")]
    expect: Vec<String>,
    /// Longest quiet time after the last fault, before the final reads [default: 5s]
    #[arg(long, value_name = "TIME", help_heading = "Judgement")]
    settle: Option<String>,
    /// Longest time a checker may take before it answers "not judged", counted in steps (3 million a
    /// second) so that a verdict does not depend on the machine [default: 60s]
    #[arg(long, value_name = "TIME", help_heading = "Judgement")]
    check_time: Option<String>,
    /// What becomes of a run in which nothing broke, but not everything could be judged: fail, pass
    /// [default: fail]
    #[arg(long, value_name = "HOW", help_heading = "Judgement")]
    on_indeterminate: Option<String>,
}

fn plan_help() -> String {
    format!(
        "Test plan, or a built-in classic: {PREFIX}NAME, one of {}. Without one: ./{USUAL_PLAN} if it is there, else the built-in plan `quick`",
        classics::names()
    )
}

fn workload_help() -> String {
    let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name()).collect();
    format!("What the clients do: {} [default: append]", known.join(", "))
}

fn faults_help() -> String {
    let known: Vec<&str> = nemesis::fault::FAULTS.iter().map(|fault| fault.name()).collect();
    format!(
        "Faults, comma-separated: none, {}; or swarm: all of it drawn from the seed [default: partition]",
        known.join(", ")
    )
}

/// The plan that runs when none is named and this file is there.
const USUAL_PLAN: &str = "rashomon.toml";

impl Run {
    pub(crate) fn run(self, session: &Session, matches: &ArgMatches) -> Result<Exit, Stop> {
        let merged = self.merged(matches)?;
        if self.show_plan {
            say(format_args!("{}", merged.show().trim_end()));
            return Ok(Exit::Met);
        }
        let request = Request { merged, expected_by: None };
        block_on(repeat(session, request))
    }

    pub(super) fn merged(&self, matches: &ArgMatches) -> Result<Merged, Stop> {
        let mut layers = Vec::new();
        let usual = Path::new(USUAL_PLAN);
        let plan = self.plan.as_deref().or_else(|| usual.exists().then_some(usual));
        let classic = plan.and_then(Path::to_str).and_then(|plan| plan.strip_prefix(PREFIX));
        match (plan, &self.profile) {
            (Some(path), profile) => {
                let file = match classic {
                    Some(name) => classics::read(name, profile.as_deref())?,
                    None => file::read(path, profile.as_deref())?,
                };
                layers.push(file.settings);
                layers.extend(file.profile);
            }
            (None, Some(profile)) => {
                return Err(Stop::usage(format!(
                    "--profile {profile}: there is no plan to take it from; name one, or write {USUAL_PLAN}"
                )));
            }
            (None, None) => {}
        }
        let (mut environment, mut flags) = self.layers(matches)?;
        if classic.is_some() {
            classics::keep_settings(&mut environment);
            classics::keep_settings(&mut flags);
        }
        layers.extend([environment, flags]);
        merge(Plan::default(), &layers)
    }

    /// Every flag that is a setting: path, id, value.
    fn given(&self) -> [(&'static str, &'static str, &Option<String>); 17] {
        [
            ("world", "world", &self.world),
            ("target", "target", &self.target),
            ("target.nodes", "nodes", &self.nodes),
            ("load.workload", "workload", &self.workload),
            ("load.clients", "clients", &self.clients),
            ("load.sessions", "sessions", &self.sessions),
            ("load.rate", "rate", &self.rate),
            ("load.keys", "keys", &self.keys),
            ("load.key-distribution", "key_distribution", &self.key_distribution),
            ("load.duration", "duration", &self.duration),
            ("load.timeout", "timeout", &self.timeout),
            ("faults", "faults", &self.faults),
            ("seed", "seed", &self.seed),
            ("repeat", "repeat", &self.repeat),
            ("check.settle", "settle", &self.settle),
            ("check.time", "check_time", &self.check_time),
            ("check.on-indeterminate", "on_indeterminate", &self.on_indeterminate),
        ]
    }

    pub(super) fn shows_plan(&self) -> bool {
        self.show_plan
    }

    /// A plan, or a flag of one, that was typed.
    pub(super) fn first_given(&self, matches: &ArgMatches) -> Option<String> {
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let flags = self.given().into_iter().map(|(_, id, _)| id).chain(["profile", "expect"]);
        let flag = |id: &str| format!("--{}", id.replace('_', "-"));
        let plan = self.plan.iter().map(|plan| plan.display().to_string());
        plan.chain(flags.filter(|id| typed(id)).map(flag)).next()
    }

    /// The plan and every flag that says what runs, as they would be typed: all but the seed and where it runs.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.plan.iter().map(|plan| plan.display().to_string()).collect();
        let profile = self.profile.iter().map(|profile| ("profile", profile));
        let given = self.given().into_iter().filter(|(_, id, _)| !["seed", "world", "repeat"].contains(id));
        let flags = given.filter_map(|(_, id, value)| Some((id, value.as_ref()?)));
        let expect = self.expect.iter().map(|expect| ("expect", expect));
        for (id, value) in profile.chain(flags).chain(expect) {
            words.extend([format!("--{}", id.replace('_', "-")), value.clone()]);
        }
        words
    }

    fn layers(&self, matches: &ArgMatches) -> Result<(Layer, Layer), Stop> {
        let (mut environment, mut flags) = (Layer::default(), Layer::default());
        for (path, id, value) in self.given() {
            let Some(value) = value else { continue };
            if matches.value_source(id) == Some(ValueSource::EnvVariable) {
                let name = format!("RASHOMON_{}", id.to_uppercase());
                environment.set(path, value.as_str(), Origin::Environment(name));
            } else {
                flags.set(path, value.as_str(), Origin::Flag(format!("--{}", id.replace('_', "-"))));
            }
        }
        for expectation in &self.expect {
            let (path, value) = expect_setting(expectation)?;
            flags.set(path, value, Origin::Flag("--expect".into()));
        }
        Ok((environment, flags))
    }
}

/// `no-lost-updates=break` as a setting.
pub(super) fn expect_setting(text: &str) -> Result<(String, String), Stop> {
    match text.split_once('=') {
        Some((guarantee, expectation)) => Ok((format!("expect.{guarantee}"), expectation.to_string())),
        None => Err(Stop::usage(format!(
            "--expect {text}: expected GUARANTEE=hold, GUARANTEE=break or GUARANTEE=watch, such as convergence=hold"
        ))),
    }
}
