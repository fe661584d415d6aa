//! A run: from a plan to a stored verdict.
//!
//! ```text
//!   plan ──► resolved plan ──► set-up ─► load + faults ─► heal ─► settle ─► final reads
//!              │ stored          └────────────── history.jsonl ──────────────┘
//!              ▼                                      │ read back
//!           run folder  ◄── verdict, stories ◄── checkers, judge
//! ```
//!
//! The judge sees what is on the disk, and nothing else.

use anyhow::Context;
use histories::{FaultStage, Header, Nanos, NodeName};
use nemesis::{FaultSpec, Schedule};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::{self, Judged, Rules};
use crate::plan::layer::Merged;
use crate::plan::{Expectation, Faults, Plan, Routing, World};
use crate::report;
use crate::report::build::{self, Circumstances};
use crate::report::model::{self, Report};
use crate::report::style::Style;
use crate::report::terminal::{self, Extent, Links};
use crate::rng::Seed;
use crate::store::Run;
use crate::target::TargetSpec;
use crate::workload::{self, Workload};

mod final_reads;
mod live;
mod load;
pub(crate) mod pace;
mod settle;
mod sim;
mod stop;

pub(crate) use stop::StopSignal;

/// What to run, and who asks.
pub(crate) struct Request {
    pub(crate) merged: Merged,
    /// The command whose expectations these are, such as `demo`.
    pub(crate) expected_by: Option<&'static str>,
}

/// A plan with everything drawn: what one seed comes to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Resolved {
    /// The version of `plan.resolved.json`.
    pub(crate) version: u32,
    pub(crate) seed: String,
    /// `live` or `sim`.
    #[serde(default = "live")]
    pub(crate) world: String,
    pub(crate) target: String,
    pub(crate) workload: String,
    /// Which node a client talks to.
    pub(crate) sessions: String,
    pub(crate) clients: u32,
    pub(crate) rate: u32,
    pub(crate) keys: u32,
    pub(crate) duration: Nanos,
    pub(crate) timeout: Nanos,
    pub(crate) settle: Nanos,
    pub(crate) nodes: Vec<NodeName>,
    pub(crate) faults: Schedule,
    pub(crate) expect: Vec<(String, String)>,
}

/// The world of resolved plans from before there was another.
fn live() -> String {
    World::Live.as_str().into()
}

/// A plan with one seed, ready to run.
pub(crate) struct Prepared {
    pub(crate) workload: &'static dyn Workload,
    pub(crate) resolved: Resolved,
    pub(crate) header: Header,
    pub(crate) rules: Rules,
    /// What a reader should know of it.
    pub(crate) notes: Vec<String>,
}

/// Draws everything that one seed decides.
pub(crate) fn prepare(merged: &Merged, seed: Seed) -> Result<Prepared, Stop> {
    let plan = &merged.plan;
    let workload = workload::find(&plan.load.workload)
        .ok_or_else(|| anyhow::anyhow!("workload {} vanished from its registry", plan.load.workload))?;
    if let (World::Sim, TargetSpec::Urls(_)) = (plan.world, &plan.target) {
        return Err(Stop::usage(format!(
            "{} cannot be simulated; the simulated world has reference:MODE and control",
            plan.target
        )));
    }
    plan.target.admit().map_err(|reason| Stop::usage(format!("target {}: {reason}", plan.target)))?;
    let nodes = plan.target.nodes();
    let (schedule, mut notes) = faults(merged, &nodes, seed)?;
    if plan.world == World::Sim {
        notes.push("Simulated in virtual time: this seed makes the same history again, to the byte.".into());
    }
    let expect = judge::expectations(workload.guarantees(), &plan.expect);
    let resolved = resolve(plan, workload, seed, nodes, schedule, &expect);
    let rules = Rules {
        expect,
        steps: plan.check.steps(),
        min_exposure: plan.check.min_exposure,
        on_indeterminate: plan.check.on_indeterminate,
        forgive_no_chance: false,
    };
    let header = header(plan, &resolved);
    Ok(Prepared { workload, resolved, header, rules, notes })
}

/// Runs one seed after another, up to the first broken expectation.
pub(crate) async fn repeat(session: &Session, request: Request) -> Result<Exit, Stop> {
    let stop = StopSignal::new();
    stop.listen().map_err(anyhow::Error::from)?;
    let plan = &request.merged.plan;
    if let Some(how) = plan.progress {
        session.progress.prefer(how);
    }
    let first = plan.seed.unwrap_or_else(Seed::random);
    let mut exit = Exit::Met;
    for index in 0..plan.repeat {
        let seed = first.repetition(index);
        if plan.repeat > 1 {
            session.progress.say(&format!("run {} of {}, seed {seed}", index + 1, plan.repeat));
        }
        let one = one_run(session, &request, seed, &stop).await?;
        exit = exit.worse(one);
        if one == Exit::Broken {
            break;
        }
        if stop.reason().is_some() {
            // Seeds that were asked for and not run are no verdict.
            return Ok(if index + 1 < plan.repeat { exit.worse(stop.exit()) } else { exit });
        }
    }
    Ok(exit)
}

async fn one_run(session: &Session, request: &Request, seed: Seed, stop: &StopSignal) -> Result<Exit, Stop> {
    let plan = &request.merged.plan;
    let Prepared { workload, resolved, header, rules, notes } = prepare(&request.merged, seed)?;
    for fault in &resolved.faults.faults {
        let when = fault.trigger.as_ref().map(ToString::to_string);
        tracing::info!(at = %fault.at, when, until = %fault.end(), name = fault.name, summary = fault.summary, "fault drawn");
    }

    let run = session.store.create(&moment(), seed).map_err(Stop::cannot_write)?;
    store_plan(&run, request, &resolved)?;
    let log = std::fs::File::create(run.path("run.log")).map_err(Stop::cannot_write)?;
    session.progress.log_to(log);
    tracing::info!(run = run.id, seed = resolved.seed, target = resolved.target, expect = ?resolved.expect, "run");
    let recorded = match plan.world {
        World::Live => live::record(session, plan, &resolved, workload, &header, &run, stop).await,
        World::Sim => sim::record(session, plan, &resolved, workload, &header, &run, stop),
    };
    session.progress.clear();
    if recorded.is_err() && !run.history().exists() {
        // Nothing happened that could be looked at.
        run.remove()?;
    }
    recorded?;

    let circumstances = Circumstances { interrupted: stop.reason(), notes, expected_by: request.expected_by };
    finish(session, request, &run, &rules, circumstances)
}

/// The faults of this seed, and a note if the usual ones are left out.
fn faults(merged: &Merged, nodes: &[NodeName], seed: Seed) -> Result<(Schedule, Vec<String>), Stop> {
    let (plan, controls) = (&merged.plan, merged.plan.controls());
    let asked_for = merged.origins.contains_key("faults") || !matches!(plan.faults, Faults::Kinds(_));
    if !asked_for && !controls.network {
        let note = format!("No fault was injected: there is no control over {}.", plan.target);
        return Ok((Schedule::default(), vec![note]));
    }
    if let Faults::Kinds(kinds) | Faults::Swarm(kinds) = &plan.faults {
        kinds.iter().try_for_each(|kind| can_inject(kind, plan))?;
    }
    let schedule = resolve_faults(plan, nodes, seed)?;
    controls.admit(&schedule).map_err(|error| Stop::usage(format!("{error}; {}", way_out(plan))))?;
    Ok((schedule, Vec::new()))
}

/// Refuses a kind of fault that nobody could inject, before its details are asked for.
fn can_inject(kind: &str, plan: &Plan) -> Result<(), Stop> {
    let needed = nemesis::fault::find(kind).map_err(Stop::usage)?.needs();
    if plan.controls().offers(needed) {
        return Ok(());
    }
    Err(Stop::usage(format!(
        "fault {kind} needs {needed} control, and there is none over {}; {}",
        plan.target,
        way_out(plan)
    )))
}

/// What to do about a fault that is not offered here.
fn way_out(plan: &Plan) -> &'static str {
    match (plan.world, &plan.target) {
        (World::Live, TargetSpec::Reference(_)) => "run it simulated: --world sim",
        _ => "run without faults: --faults none",
    }
}

fn resolve_faults(plan: &Plan, nodes: &[NodeName], seed: Seed) -> Result<Schedule, Stop> {
    let mut rng: ChaCha8Rng = seed.fork("faults").stream();
    let end = plan.load.duration;
    match &plan.faults {
        Faults::Kinds(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
            Schedule::from_kinds(&kinds, nodes, end, &mut rng)
                .map_err(|error| Stop::usage(format!("{error}; run without faults: --faults none")))
        }
        Faults::Swarm(asked) => {
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            Schedule::swarm(&asked, plan.controls(), nodes, end, &mut rng).map_err(Stop::usage)
        }
        Faults::Listed(tables) => {
            let mut specs = Vec::new();
            for (table, place) in tables {
                let spec = FaultSpec::deserialize(table.clone());
                specs.push(spec.map_err(|error| Stop::data(format!("{place}: fault: {}", error.message())))?);
            }
            Schedule::resolve(&specs, nodes, end, &mut rng).map_err(|error| {
                let alone = |spec: &FaultSpec| {
                    let mut rng = seed.fork("faults").stream();
                    Schedule::resolve(std::slice::from_ref(spec), nodes, end, &mut rng).is_err()
                };
                // What is wrong with none of them alone is wrong between them.
                let culprit = specs.iter().position(alone).unwrap_or(specs.len().saturating_sub(1));
                Stop::data(format!("{}: {error}", tables[culprit].1))
            })
        }
    }
}

fn resolve(
    plan: &Plan,
    workload: &dyn Workload,
    seed: Seed,
    nodes: Vec<NodeName>,
    faults: Schedule,
    expect: &[(String, Expectation)],
) -> Resolved {
    let sessions = plan.load.sessions.unwrap_or(workload.routing());
    Resolved {
        version: 1,
        seed: seed.to_string(),
        world: plan.world.as_str().into(),
        target: plan.target.to_string(),
        workload: workload.name().into(),
        sessions: sessions.as_str().into(),
        clients: plan.load.clients,
        rate: plan.load.rate,
        keys: plan.load.keys,
        duration: plan.load.duration,
        timeout: plan.load.timeout,
        settle: plan.check.settle,
        nodes,
        faults,
        expect: expect.iter().map(|(name, expected)| (name.clone(), expected.as_str().into())).collect(),
    }
}

impl Resolved {
    pub(crate) fn roams(&self) -> bool {
        self.sessions == Routing::Roam.as_str()
    }

    /// The seed of the run; the text was made from one.
    pub(crate) fn seed(&self) -> Seed {
        self.seed.parse().unwrap_or(Seed(0))
    }
}

fn header(plan: &Plan, resolved: &Resolved) -> Header {
    let version = ("rashomon".to_string(), env!("CARGO_PKG_VERSION").to_string());
    let world = (plan.world == World::Sim).then(|| ("world".to_string(), resolved.world.clone()));
    Header {
        name: plan.name.clone(),
        target: plan.target.label(),
        workload: resolved.workload.clone(),
        seed: resolved.seed.clone(),
        nodes: resolved.nodes.clone(),
        notes: [version].into_iter().chain(world).collect(),
    }
}

/// Writes what is known before the run.
fn store_plan(run: &Run, request: &Request, resolved: &Resolved) -> Result<(), Stop> {
    run.write("plan.toml", request.merged.show())?;
    run.write("plan.resolved.json", serde_json::to_string_pretty(resolved).map_err(anyhow::Error::from)?)?;
    run.write("README.txt", readme(run, resolved))
}

fn readme(run: &Run, resolved: &Resolved) -> String {
    format!(
        "A run of rashomon, seed {seed}.\n\n\
         plan.toml            the plan, each value with its origin\n\
         plan.resolved.json   the same with everything drawn: faults with their times and targets\n\
         history.jsonl.zst    what every client saw, one event a line (history.jsonl while it is written)\n\
         verdict.txt          the verdict with every finding in full\n\
         verdict.json         the same as data\n\
         anomalies/           each finding with its operations\n\
         nodes/               what each node printed\n\
         run.log              what happened when\n\n\
         Judge it again       rashomon check {id}\n\
         Run it again         rashomon run {folder}/plan.toml --seed {seed} --repeat 1\n",
        seed = resolved.seed,
        id = run.id,
        folder = run.folder.display(),
    )
}

/// Reads the record back, judges it, and stores and prints the verdict.
fn finish(
    session: &Session,
    request: &Request,
    run: &Run,
    rules: &Rules,
    mut circumstances: Circumstances,
) -> Result<Exit, Stop> {
    let reading = histories::format::read_file(&run.history()).map_err(anyhow::Error::from)?;
    circumstances.notes.extend(reading.warnings);
    let history = reading.history;
    let judged = judge::judge(&history, rules);
    session.progress.line(history.end(), "check", &check_line(&judged));
    let interrupted = circumstances.interrupted;
    let report = build::build(&history, &judged, circumstances);
    let links = links(request, run, &report, &history);
    report::print(session, &report, &links, Extent { brief: false, all: false })?;
    let exit = interrupted.map_or(judged.exit, |exit| judged.exit.worse(exit));
    let stored = store_verdict(run, &report, &links)
        .and_then(|()| run.pack_history().context("cannot compress the history").map_err(Stop::cannot_write));
    match stored {
        // A proof stays a proof, whether or not it could be put down.
        Err(stop) if exit == Exit::Broken => {
            session.progress.say(&format!("error: {:#}", stop.error));
            Ok(exit)
        }
        stored => stored.map(|()| exit),
    }
}

fn check_line(judged: &Judged) -> String {
    let rows: Vec<String> = judged
        .rows
        .iter()
        .map(|row| {
            let observed = match &row.verdict.judgement {
                checkers::Judgement::Held => "held".to_string(),
                checkers::Judgement::Broken => format!("broken:{}", row.verdict.count),
                checkers::Judgement::NotJudged { .. } => "not-judged".to_string(),
            };
            format!("{}={observed}", row.verdict.guarantee)
        })
        .collect();
    rows.join(" ")
}

fn links(request: &Request, run: &Run, report: &Report, history: &histories::History) -> Links {
    let mut lines = vec![("run", run.folder.display().to_string())];
    let mut remarks = Vec::new();
    let seed = &history.header().seed;
    let again = match request.expected_by {
        Some(_) => {
            let world = if request.merged.plan.world == World::Sim { " --world sim" } else { "" };
            format!("rashomon {}{world} --seed {seed}", request.merged.plan.name)
        }
        None => format!("rashomon run {}/plan.toml --seed {seed} --repeat 1", run.folder.display()),
    };
    lines.push(("again", again));
    if report.findings.len() > 1 {
        lines.push(("all", format!("rashomon check {} --all", run.id)));
    }
    if request.expected_by == Some("demo") {
        remarks.extend(demo_remark(report, history));
    }
    Links { lines, remarks }
}

fn demo_remark(report: &Report, history: &histories::History) -> Option<String> {
    let split = history.faults().iter().any(|(_, fault)| fault.stage == FaultStage::Effective);
    match (report.state, history.header().target.as_str()) {
        (model::State::Broken, "reference:lww") if split => Some(
            "That is what last-write-wins does. Compare:  rashomon demo siblings    rashomon demo crdt    \
             rashomon demo single-leader"
                .into(),
        ),
        (model::State::Held, _) => Some("Compare with what last-write-wins does:  rashomon demo lww".into()),
        _ => None,
    }
}

fn store_verdict(run: &Run, report: &Report, links: &Links) -> Result<(), Stop> {
    run.write("verdict.json", pretty(report)?)?;
    run.write(
        "verdict.txt",
        terminal::render(report, links, Style::plain(), Extent { brief: false, all: true }),
    )?;
    for finding in &report.findings {
        run.write(&format!("anomalies/{}.json", finding.id), pretty(finding)?)?;
    }
    Ok(())
}

fn pretty(value: &impl Serialize) -> Result<String, Stop> {
    Ok(serde_json::to_string_pretty(value).map_err(anyhow::Error::from)? + "\n")
}

/// What a stored run expected, if its plan can be read.
pub(crate) fn stored_expectations(run: &Run) -> Option<Vec<(String, Expectation)>> {
    let text = std::fs::read_to_string(run.path("plan.resolved.json")).ok()?;
    let resolved: Resolved = serde_json::from_str(&text).ok()?;
    let expectation = |text: &str| match text {
        "hold" => Some(Expectation::Hold),
        "break" => Some(Expectation::Break),
        "watch" => Some(Expectation::Watch),
        _ => None,
    };
    resolved.expect.into_iter().map(|(name, text)| Some((name, expectation(&text)?))).collect()
}

/// The local time as the name of a run: `20260821-141207`.
fn moment() -> String {
    jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string()
}
