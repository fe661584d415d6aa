//! The hunt: many seeds of one plan in the simulated world, on all cores.
//!
//! ```text
//!   seed 1 ─┐                       ┌─► seed 1: held         told and counted in the order of the seeds,
//!   seed 2 ─┼─► a world each ───────┼─► seed 2: BROKEN       so that cores and speed change nothing
//!   seed 3 ─┘   record and judge    └─► (seed 3: not told)
//! ```
//!
//! A world is one thread and shares nothing, so seeds are played side by side. What they come to is counted and put
//! down as it goes, so that a hunt that was ended, by whatever, goes on where it was. Of a seed nothing else is kept:
//! one that is worth a look is played again, and stored as a run, when the hunt ends.
//!
//! Source: FoundationDB's and TigerBeetle's fleets of simulations; the shape is theirs, on one machine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use histories::{HistoryBuilder, Nanos};

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::judge_on;
use crate::plan::layer::Merged;
use crate::rng::Seed;
use crate::run::{Prepared, StopSignal, moment, prepare};
use crate::sim::{Scenario, simulate};
use crate::stopwatch::Stopwatch;

mod frame;
mod kept;
mod played;
mod pool;
mod stored;
mod tally;
mod telling;

use frame::Scene;
use played::Played;
use pool::{Go, in_order};
use stored::Beginning;
pub(crate) use stored::{Stored, summary};

/// What to hunt with, and how far.
pub(crate) struct Order {
    pub(crate) merged: Merged,
    /// The flags of the plan, to be given to `run` again.
    pub(crate) words: Vec<String>,
    /// The seed from which all others are made.
    pub(crate) first: Seed,
    /// No more seeds than these, those before it went on included.
    pub(crate) seeds: u32,
    /// No new seed after this.
    pub(crate) time: Option<Nanos>,
    /// Collect findings instead of stopping at the first broken expectation.
    pub(crate) keep_going: bool,
    /// Worlds side by side.
    pub(crate) jobs: usize,
    /// The hunt that goes on; none for a new one.
    pub(crate) goes_on: Option<Stored>,
}

/// How often a line is printed where no frame is drawn.
const HEARTBEAT: Nanos = Nanos::from_millis(5_000);
/// How often it is put down how far it is.
const SAVE: Nanos = Nanos::from_millis(1_000);

/// Plays seeds until one breaks an expectation, all are played, or time is up.
pub(crate) fn hunt(session: &Session, mut order: Order, stop: &StopSignal) -> Result<Exit, Stop> {
    // What is wrong with the plan is said once, and before anything runs.
    prepare(&order.merged, order.first)?;
    let mut stored = begin(session, &mut order)?;
    let played = play_all(session, &order, &mut stored, stop);
    session.progress.clear();
    if let Err(stopped) = kept::keep(session, &order, &mut stored.state.tally.found) {
        session.progress.say(&format!("no run was stored: {:#}", stopped.error));
    }
    let saved = stored.save();
    let tally = &stored.state.tally;
    let exit = stop.reason().map_or(tally.exit(), |reason| tally.exit().worse(reason));
    if let Err(stopped) = played {
        session.progress.say(&format!("hunt {} counted {} seeds until then", stored.id, tally.seeds));
        return Err(stopped);
    }
    telling::print(session, &stored, exit)?;
    // A proof stays a proof, whether or not it could be put down.
    if exit == Exit::Broken { Ok(exit) } else { saved.map(|()| exit) }
}

/// A new hunt, or the one that goes on.
fn begin(session: &Session, order: &mut Order) -> Result<Stored, Stop> {
    let Some(mut stored) = order.goes_on.take() else {
        let Order { merged, words, first, keep_going, .. } = &*order;
        let beginning = Beginning { merged, words, first: *first, keep_going: *keep_going };
        return Stored::create(&session.store, &moment(), &beginning);
    };
    let seeds = stored.state.tally.seeds;
    if seeds >= order.seeds {
        return Err(Stop::usage(format!(
            "hunt {} has played {seeds} seeds already; ask for more with --seeds, or for some time with --for",
            stored.id
        )));
    }
    stored.state.keep_going = order.keep_going;
    session.progress.say(&format!("hunt {} goes on after {seeds} seeds", stored.id));
    Ok(stored)
}

/// Plays and counts, and shows how it goes.
fn play_all(session: &Session, order: &Order, stored: &mut Stored, stop: &StopSignal) -> Result<(), Stop> {
    let (begun, before) = (stored.state.elapsed, stored.state.tally.seeds);
    let scene = scene(order, before);
    let (watch, mut told, mut kept) = (Stopwatch::start(), Nanos(0), Nanos(0));
    let mut flaw = None;
    let play = |index| caught(order, order.first.repetition(index), stop);
    in_order(before..order.seeds, order.jobs, &play, &mut |played| {
        // A world that was stopped in its middle is not one to be counted.
        if stop.reason().is_some() {
            return Go::Stop;
        }
        let state = &mut stored.state;
        let elapsed = watch.elapsed();
        state.elapsed = begun + elapsed;
        match played {
            Some(Ok(played)) => {
                for found in state.tally.add(&played) {
                    session.progress.say(&found);
                }
                if played.exit == Exit::Broken && !order.keep_going {
                    return Go::Stop;
                }
            }
            Some(Err(stopped)) => {
                flaw = Some(stopped);
                return Go::Stop;
            }
            None => {}
        }
        session.progress.draw_lines(|width| frame::frame(&scene, &state.tally, elapsed, width));
        if elapsed.since(told) >= HEARTBEAT {
            told = elapsed;
            session.progress.line(elapsed, "hunt", &frame::line(&scene, &state.tally, elapsed));
        }
        if elapsed.since(kept) >= SAVE {
            kept = elapsed;
            flaw = stored.save().err();
        }
        match order.time {
            _ if flaw.is_some() => Go::Stop,
            Some(time) if elapsed >= time => Go::Finish,
            _ => Go::On,
        }
    });
    flaw.map_or(Ok(()), Err)
}

fn scene(order: &Order, before: u32) -> Scene {
    let plan = &order.merged.plan;
    let title = format!(
        "{} · {} ×{} · seed {}",
        plan.name,
        plan.target.label(),
        plan.target.nodes().len(),
        order.first
    );
    Scene { title, seeds: order.seeds, time: order.time, before }
}

/// A bug of ours in one world ends the hunt, and says in which seed it is.
fn caught(order: &Order, seed: Seed, stop: &StopSignal) -> Result<Played, Stop> {
    let again = || telling::command(&order.words, &seed.to_string());
    naming(seed, again, || play(&order.merged, seed, stop))
}

fn naming<T>(
    seed: Seed,
    again: impl Fn() -> String,
    play: impl FnOnce() -> Result<T, Stop>,
) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
        Err(anyhow::anyhow!("seed {seed} panicked: {text}; it is played again by  {}", again()).into())
    })
}

/// Plays one seed in a world of its own, and judges it.
fn play(merged: &Merged, seed: Seed, stop: &StopSignal) -> Result<Played, Stop> {
    let Prepared { target, workload, resolved, header, rules, .. } = prepare(merged, seed)?;
    let mut builder = HistoryBuilder::new(header);
    let mut flaw = None;
    let scenario = Scenario { target: &target, resolved: &resolved, workload };
    let mut record = |event| {
        if flaw.is_none() {
            flaw = builder.push(event).err();
        }
    };
    let ended = simulate(scenario, &mut record, &|| stop.reason().is_some());
    if let Some(flaw) = flaw {
        return Err(anyhow::anyhow!("seed {seed} makes a history that is none: {flaw}").into());
    }
    let history = builder.finish();
    let judged = judge_on(&history, &rules, 1);
    Ok(Played::new(seed, &history, &ended, &judged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_one_world_names_its_seed() {
        let again = || "rashomon run --seed 00000007".to_string();
        let stop = naming::<()>(Seed(7), again, || panic!("index {} is out of bounds", 3)).unwrap_err();
        assert_eq!(stop.exit, Exit::Internal);
        assert_eq!(
            stop.error.to_string(),
            "seed 00000007 panicked: index 3 is out of bounds; it is played again by  rashomon run --seed 00000007"
        );
    }
}
