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
use histories::{FaultStage, History, NodeName};
use nemesis::{FaultSpec, Schedule};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::{self, Judged};
use crate::plan::layer::Merged;
use crate::plan::{Faults, Plan, World};
use crate::report;
use crate::report::build::{self, Circumstances};
use crate::report::model::{self, Report};
use crate::report::style::Style;
use crate::report::terminal::{self, Extent, Links};
use crate::rng::Seed;
use crate::script::{self, Script};
use crate::store::Run;
use crate::swarm;
use crate::target::TargetSpec;
use crate::workload::{self, Workload};

mod final_reads;
mod live;
mod load;
pub(crate) mod pace;
mod resolved;
mod settle;
mod sim;
mod stop;

pub(crate) use resolved::{CheckRules, Prepared, Resolved, stored_expectations};
pub(crate) use stop::StopSignal;

/// What to run, and who asks.
pub(crate) struct Request {
    pub(crate) merged: Merged,
    /// The command whose expectations these are, such as `demo`.
    pub(crate) expected_by: Option<&'static str>,
}

/// Draws everything that one seed decides.
pub(crate) fn prepare(merged: &Merged, seed: Seed) -> Result<Prepared, Stop> {
    let plan = swarm::shape(merged, seed);
    let workload = workload::find(&plan.load.workload)
        .ok_or_else(|| anyhow::anyhow!("workload {} vanished from its registry", plan.load.workload))?;
    plan.target.admit().map_err(|reason| Stop::usage(format!("target {}: {reason}", plan.target)))?;
    let nodes = plan.target.nodes();
    let script = script::table::script(&plan.calls, &nodes, plan.load.duration)?;
    let (schedule, mut notes) = faults(merged, &plan, &nodes, seed)?;
    if plan.world == World::Sim {
        notes.push("Simulated in virtual time: this seed makes the same history again, to the byte.".into());
    }
    let resolved = resolve(&plan, workload, seed, nodes, schedule, script);
    Prepared::of(resolved, notes).map_err(Stop::usage)
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
    let prepared = prepare(&request.merged, seed)?;
    let expected_by = request.expected_by;
    let again = expected_by.map(|_| {
        let world = if prepared.world == World::Sim { " --world sim" } else { "" };
        format!("rashomon {}{world} --seed {seed}", request.merged.plan.name)
    });
    let files = vec![("plan.toml", request.merged.show())];
    let made = make(session, &prepared, Papers { files, again, expected_by }, stop).await?;
    made.tell(session)?;
    Ok(made.exit)
}

/// What a run leaves besides its record, and what it says of itself.
#[derive(Default)]
pub(crate) struct Papers {
    /// Files for people, such as `plan.toml`.
    pub(crate) files: Vec<(&'static str, String)>,
    /// The command that makes the run again, if not `rashomon replay`.
    pub(crate) again: Option<String>,
    /// The command whose expectations these are, such as `demo`.
    pub(crate) expected_by: Option<&'static str>,
}

/// A run that was made, judged and stored.
pub(crate) struct Made {
    pub(crate) run: Run,
    pub(crate) judged: Judged,
    pub(crate) exit: Exit,
    pub(crate) report: Report,
    links: Links,
}

impl Made {
    /// Prints the verdict.
    pub(crate) fn tell(&self, session: &Session) -> Result<(), Stop> {
        report::print(session, &self.report, &self.links, Extent { brief: false, all: false })
    }
}

/// Makes one run: records, judges and stores it. It is told by whoever asked for it.
pub(crate) async fn make(
    session: &Session,
    prepared: &Prepared,
    papers: Papers,
    stop: &StopSignal,
) -> Result<Made, Stop> {
    let resolved = &prepared.resolved;
    for fault in &resolved.faults.faults {
        let when = fault.trigger.as_ref().map(ToString::to_string);
        tracing::info!(at = %fault.at, when, until = %fault.end(), name = fault.name, summary = fault.summary, "fault drawn");
    }
    let run = session.store.create(&moment(), resolved.seed()).map_err(Stop::cannot_write)?;
    store_plan(&run, &papers, resolved)?;
    let log = std::fs::File::create(run.path("run.log")).map_err(Stop::cannot_write)?;
    session.progress.log_to(log);
    tracing::info!(run = run.id, seed = resolved.seed, target = resolved.target, expect = ?resolved.expect, "run");
    let recorded = match prepared.world {
        World::Live => live::record(session, prepared, &run, stop).await,
        World::Sim => sim::record(session, prepared, &run, stop),
    };
    session.progress.clear();
    if recorded.is_err() && !run.history().exists() {
        // Nothing happened that could be looked at.
        run.remove()?;
    }
    recorded?;
    finish(session, prepared, papers, run, stop.reason())
}

/// The faults of this seed, and a note if the usual ones are left out.
fn faults(
    merged: &Merged,
    plan: &Plan,
    nodes: &[NodeName],
    seed: Seed,
) -> Result<(Schedule, Vec<String>), Stop> {
    let controls = plan.controls();
    let asked_for = merged.origins.contains_key("faults") || !matches!(plan.faults, Faults::Kinds(_));
    if !asked_for && !plan.calls.is_empty() {
        // A plan that pins its calls says all that happens.
        return Ok((Schedule::default(), Vec::new()));
    }
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
    script: Option<Script>,
) -> Resolved {
    let expect = judge::expectations(workload.guarantees(), &plan.expect);
    let load = &plan.load;
    let resolved = Resolved {
        version: resolved::VERSION,
        name: plan.name.clone(),
        seed: seed.to_string(),
        world: plan.world.as_str().into(),
        target: plan.target.to_string(),
        workload: workload.name().into(),
        sessions: load.sessions.unwrap_or(workload.routing()).as_str().into(),
        tokens: load.tokens,
        clients: load.clients,
        rate: load.rate,
        keys: load.keys,
        key_distribution: load.key_distribution,
        duration: load.duration,
        timeout: load.timeout,
        settle: plan.check.settle,
        check: CheckRules::of(&plan.check),
        nodes,
        faults,
        expect: expect.into_iter().map(|(name, expected)| (name, expected.as_str().into())).collect(),
        script: None,
    };
    match script {
        Some(script) => resolved.pinned(script),
        None => resolved,
    }
}

/// Writes what is known before the run.
fn store_plan(run: &Run, papers: &Papers, resolved: &Resolved) -> Result<(), Stop> {
    for (name, text) in &papers.files {
        run.write(name, text)?;
    }
    run.write("plan.resolved.json", serde_json::to_string_pretty(resolved).map_err(anyhow::Error::from)?)?;
    run.write("README.txt", readme(run, papers, resolved))
}

/// The plan of a shrunk run.
const SHRUNK: &str = "shrunk.toml";

fn readme(run: &Run, papers: &Papers, resolved: &Resolved) -> String {
    let about = |(name, _): &(&str, String)| match *name {
        SHRUNK => "shrunk.toml          the plan, with every call and every fault pinned\n",
        _ => "plan.toml            the plan, each value with its origin\n",
    };
    let plans: String = papers.files.iter().map(about).collect();
    format!(
        "A run of rashomon, seed {seed}.\n\n\
         {plans}\
         plan.resolved.json   the same with everything drawn: faults with their times and targets\n\
         history.jsonl.zst    what every client saw, one event a line (history.jsonl while it is written)\n\
         verdict.txt          the verdict with every finding in full\n\
         verdict.json         the same as data\n\
         anomalies/           each finding with its operations, its witness and its graph\n\
         nodes/               what each node printed\n\
         run.log              what happened when\n\n\
         Judge it again       rashomon check {id}\n\
         Run it again         rashomon replay {id}\n",
        seed = resolved.seed,
        id = run.id,
    )
}

/// Reads the record back, judges it, and stores the verdict.
fn finish(
    session: &Session,
    prepared: &Prepared,
    papers: Papers,
    run: Run,
    interrupted: Option<Exit>,
) -> Result<Made, Stop> {
    let reading = histories::format::read_file(&run.history()).map_err(anyhow::Error::from)?;
    let notes = prepared.notes.iter().cloned().chain(reading.warnings).collect();
    let circumstances = Circumstances {
        interrupted,
        notes,
        expected_by: papers.expected_by,
        everything: false,
        counts: None,
    };
    let history = reading.history;
    let judged = judge::judge(&history, &prepared.rules);
    session.progress.line(history.end(), "check", &check_line(&judged));
    let report = build::build(&history, &judged, circumstances);
    let links = links(papers, &run, &report, &history);
    let exit = interrupted.map_or(judged.exit, |exit| judged.exit.worse(exit));
    let stored = store_verdict(&run, &history, &report, &links)
        .and_then(|()| run.pack_history().context("cannot compress the history").map_err(Stop::cannot_write));
    match stored {
        // A proof stays a proof, whether or not it could be put down.
        Err(stop) if exit == Exit::Broken => session.progress.say(&format!("error: {:#}", stop.error)),
        stored => stored?,
    }
    Ok(Made { run, judged, exit, report, links })
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

fn links(papers: Papers, run: &Run, report: &Report, history: &History) -> Links {
    let again = papers.again.unwrap_or_else(|| format!("rashomon replay {}", run.id));
    let mut lines = vec![("run", run.folder.display().to_string()), ("again", again)];
    if papers.files.iter().any(|(name, _)| *name == SHRUNK) {
        lines.push(("plan", run.path(SHRUNK).display().to_string()));
    } else if !report.findings.is_empty() && history.header().target.starts_with("reference:") {
        lines.push(("smaller", format!("rashomon shrink {}", run.id)));
    }
    if report.findings.len() > 1 {
        lines.push(("all", format!("rashomon check {} --all", run.id)));
    }
    let mut remarks = Vec::new();
    if papers.expected_by == Some("demo") {
        remarks.extend(demo_remark(report, history));
    }
    Links { lines, remarks }
}

fn demo_remark(report: &Report, history: &History) -> Option<String> {
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

fn store_verdict(run: &Run, history: &History, report: &Report, links: &Links) -> Result<(), Stop> {
    run.write("verdict.json", pretty(report)?)?;
    run.write(
        "verdict.txt",
        terminal::render(report, links, Style::plain(), Extent { brief: false, all: true }),
    )?;
    let record = witness::Record::new(history);
    for finding in &report.findings {
        run.write(&format!("anomalies/{}.json", finding.id), pretty(finding)?)?;
        for (name, text) in crate::witness::files(&record, finding)? {
            run.write(&format!("anomalies/{name}"), text)?;
        }
    }
    Ok(())
}

fn pretty(value: &impl Serialize) -> Result<String, Stop> {
    Ok(serde_json::to_string_pretty(value).map_err(anyhow::Error::from)? + "\n")
}

/// The local time as the name of a run: `20260821-141207`.
pub(crate) fn moment() -> String {
    jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string()
}
