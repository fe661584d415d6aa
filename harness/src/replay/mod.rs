//! Replays: a stored run again, from its `plan.resolved.json` and nothing else.
//!
//! ```text
//!   recorded in    replayed in
//!   sim            sim            the same history to the byte, else it is a bug of ours
//!   sim, live      live           the same calls and faults on real processes: broken k of n times
//!   live           sim            the same calls and faults in virtual time
//! ```
//!
//! A simulated run would say the same however often: repeated, each time after the first has another
//! network, other disks and clocks around the same calls, which tells how much a finding is a matter of timing.

use std::path::PathBuf;

use checkers::wording::counted;
use histories::{History, HistoryBuilder};

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::{Judged, judge};
use crate::plan::World;
use crate::report::build::{self, Circumstances};
use crate::report::terminal::{Extent, Links};
use crate::report::{self};
use crate::run::{Papers, Prepared, Resolved, StopSignal, make};
use crate::script::Script;
use crate::sim::simulate;
use crate::store::Run;

mod compare;
mod divergence;
pub(crate) mod frequency;
mod stored;

pub(crate) use divergence::{Comparison, compare};
pub(crate) use frequency::Frequency;
pub(crate) use stored::Stored;

/// What to replay, where, and how often.
pub(crate) struct Order {
    /// A run, the path of a resolved plan, or a seed.
    pub(crate) source: String,
    /// Where, if not where it was recorded.
    pub(crate) world: Option<World>,
    pub(crate) times: u32,
}

pub(crate) async fn replay(session: &Session, order: &Order, stop: &StopSignal) -> Result<Exit, Stop> {
    let stored = Stored::find(&session.store, &order.source)?;
    let prepared = stored.prepared(order.world)?;
    match (prepared.world, order.times) {
        (World::Sim, 1) => once(session, &stored, &prepared, stop),
        (World::Sim, times) => {
            let frequency = simulated(&prepared, times, stop)?;
            frequency.print(session, &stored.name, &prepared, stop)
        }
        (World::Live, 1) => {
            let made = make(session, &prepared, papers(&stored), stop).await?;
            made.tell(session)?;
            Ok(made.exit)
        }
        (World::Live, times) => {
            let frequency = live(session, &stored, &prepared, times, stop).await?;
            frequency.print(session, &stored.name, &prepared, stop)
        }
    }
}

fn papers(stored: &Stored) -> Papers {
    Papers { files: stored.plans(), ..Papers::default() }
}

/// Simulates a plan in memory. Gives no history if it was stopped.
pub(crate) fn play(prepared: &Prepared, stop: &dyn Fn() -> bool) -> Result<Option<History>, Stop> {
    let mut builder = HistoryBuilder::new(prepared.header.clone());
    let mut flaw = None;
    let mut record = |event| {
        if flaw.is_none() {
            flaw = builder.push(event).err();
        }
    };
    simulate(prepared.scenario(), &mut record, stop);
    match flaw {
        Some(flaw) => {
            let seed = &prepared.resolved.seed;
            Err(anyhow::anyhow!("seed {seed} makes a history that is none: {flaw}").into())
        }
        None if stop() => Ok(None),
        None => Ok(Some(builder.finish())),
    }
}

/// Simulates the run once, and compares where there is something to compare with.
fn once(session: &Session, stored: &Stored, prepared: &Prepared, stop: &StopSignal) -> Result<Exit, Stop> {
    let mut notes = Vec::new();
    match stored.recorded(prepared)? {
        Some(recorded) => {
            let Some(now) = compare::bytes(prepared, stop)? else { return Ok(stop.exit()) };
            compare::demand_equal(&stored.name, &recorded, &now)?;
            let lines = recorded.iter().filter(|byte| **byte == b'\n').count() as u64;
            let lines = counted(lines, "line", "lines");
            notes.push(format!(
                "Replayed: {lines} of history, the same to the byte as those of {}.",
                stored.name
            ));
        }
        None => notes.push(format!(
            "Simulated anew: there is no simulated history of {} to compare with.",
            stored.name
        )),
    }
    let Some(history) = play(prepared, &|| stop.reason().is_some())? else { return Ok(stop.exit()) };
    let judged = judge(&history, &prepared.rules);
    let report = build::build(&history, &judged, Circumstances { notes, ..Circumstances::default() });
    let links = Links { lines: vec![("plan", stored.path.display().to_string())], remarks: Vec::new() };
    report::print(session, &report, &links, Extent { brief: false, all: false })?;
    Ok(judged.exit)
}

/// Simulates the run as it was, and then the same calls and faults with other networks, disks and clocks.
pub(crate) fn simulated(prepared: &Prepared, times: u32, stop: &StopSignal) -> Result<Frequency, Stop> {
    let mut frequency = Frequency::default();
    let mut pinned: Option<Resolved> = None;
    for index in 0..times {
        let again = match &pinned {
            None => Prepared::with(prepared.resolved.clone())?,
            Some(pinned) => {
                let seed = prepared.resolved.seed().repetition(index).to_string();
                Prepared::with(Resolved { seed, ..pinned.clone() })?
            }
        };
        let Some(history) = play(&again, &|| stop.reason().is_some())? else { break };
        if pinned.is_none() {
            pinned = Some(with_script(&prepared.resolved, &history));
        }
        frequency.count(&judge(&history, &prepared.rules));
    }
    Ok(frequency)
}

/// The same plan with the calls of its history pinned, if they can be.
fn with_script(resolved: &Resolved, history: &History) -> Resolved {
    match (&resolved.script, Script::of(history)) {
        (None, Ok(script)) => resolved.clone().pinned(script),
        _ => resolved.clone(),
    }
}

/// Makes the run so many times on real processes. The first that broke is kept.
pub(crate) async fn live(
    session: &Session,
    stored: &Stored,
    prepared: &Prepared,
    times: u32,
    stop: &StopSignal,
) -> Result<Frequency, Stop> {
    let mut frequency = Frequency::default();
    for index in 1..=times {
        let made = make(session, prepared, papers(stored), stop).await?;
        session.progress.say(&format!("{index} of {times}: {}", told(&made.judged)));
        frequency.count(&made.judged);
        let telling = made.judged.rows.iter().any(|row| row.verdict.is_broken());
        match (telling, &frequency.kept) {
            (true, None) => frequency.kept = Some(made.run),
            _ => made.run.remove()?,
        }
        if stop.reason().is_some() {
            break;
        }
    }
    Ok(frequency)
}

/// `broken no-lost-updates`, or `nothing broke`.
fn told(judged: &Judged) -> String {
    let broken: Vec<&str> =
        judged.rows.iter().filter(|row| row.verdict.is_broken()).map(|row| row.verdict.guarantee).collect();
    if broken.is_empty() { "nothing broke".into() } else { format!("broken {}", broken.join(", ")) }
}

/// The run whose plan lies at `path`.
fn run_of(path: &std::path::Path) -> Run {
    let folder = path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Run { id, folder }
}
