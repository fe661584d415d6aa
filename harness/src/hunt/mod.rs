//! The hunt: many seeds of one plan in the simulated world, on all cores.
//!
//! ```text
//!   seed 1 ─┐                       ┌─► seed 1: held         told and counted in the order of the seeds,
//!   seed 2 ─┼─► a world each ───────┼─► seed 2: BROKEN       so that cores and speed change nothing
//!   seed 3 ─┘   record and judge    └─► (seed 3: not told)
//! ```
//!
//! A world is one thread and shares nothing, so seeds are played side by side. Nothing is stored: a seed
//! that is worth a look is played again by the command that the hunt ends with.
//!
//! Source: FoundationDB's and TigerBeetle's fleets of simulations; the shape is theirs, on one machine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use histories::{HistoryBuilder, Nanos};

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::judge_on;
use crate::plan::layer::Merged;
use crate::rng::Seed;
use crate::run::{Prepared, StopSignal, prepare};
use crate::sim::{Scenario, simulate};
use crate::stopwatch::Stopwatch;

mod tally;
mod telling;

use tally::{Played, Tally};

/// What to hunt with, and how far.
pub(crate) struct Order {
    pub(crate) merged: Merged,
    /// The flags of the plan, to be given to `run` again.
    pub(crate) words: Vec<String>,
    /// No more seeds than these.
    pub(crate) seeds: u32,
    /// No new seed after this.
    pub(crate) time: Option<Nanos>,
    /// Collect findings instead of stopping at the first broken expectation.
    pub(crate) keep_going: bool,
    /// Worlds side by side.
    pub(crate) jobs: usize,
}

/// How often the line of progress is drawn anew.
const REDRAW: Duration = Duration::from_millis(250);
/// How often a line is printed where none is drawn.
const HEARTBEAT: Nanos = Nanos::from_millis(5_000);

/// Plays seeds until one breaks an expectation, all are played, or time is up.
pub(crate) fn hunt(session: &Session, order: &Order, stop: &StopSignal) -> Result<Exit, Stop> {
    let first = order.merged.plan.seed.unwrap_or_else(Seed::random);
    // What is wrong with the plan is said once, and before anything runs.
    prepare(&order.merged, first)?;
    let watch = Stopwatch::start();
    let pool = Pool { next: AtomicU32::new(0), over: AtomicBool::new(false) };
    let (played, results) = mpsc::channel();
    let tally = std::thread::scope(|scope| {
        for _ in 0..order.jobs {
            let (pool, played) = (&pool, played.clone());
            scope.spawn(move || work(order, first, pool, &played, stop));
        }
        drop(played);
        let tally = collect(session, order, &pool, &results, watch, stop);
        pool.over.store(true, Ordering::Relaxed);
        tally
    })?;
    session.progress.clear();
    let exit = stop.reason().map_or(tally.exit(), |reason| tally.exit().worse(reason));
    telling::print(session, order, &tally, watch.elapsed(), exit)?;
    Ok(exit)
}

/// What the workers share.
struct Pool {
    next: AtomicU32,
    over: AtomicBool,
}

fn work(
    order: &Order,
    first: Seed,
    pool: &Pool,
    played: &Sender<Result<(u32, Played), Stop>>,
    stop: &StopSignal,
) {
    while !pool.over.load(Ordering::Relaxed) {
        let index = pool.next.fetch_add(1, Ordering::Relaxed);
        if index >= order.seeds {
            return;
        }
        let result = play(&order.merged, first.repetition(index), stop).map(|played| (index, played));
        // Whoever collects has heard enough.
        if played.send(result).is_err() {
            return;
        }
    }
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
    let judged = judge_on(&builder.finish(), &rules, 1);
    Ok(Played::new(seed, &resolved, &ended, &judged))
}

/// Counts what was played, in the order of the seeds, and shows how it goes.
fn collect(
    session: &Session,
    order: &Order,
    pool: &Pool,
    results: &mpsc::Receiver<Result<(u32, Played), Stop>>,
    watch: Stopwatch,
    stop: &StopSignal,
) -> Result<Tally, Stop> {
    let (mut tally, mut early, mut told) = (Tally::default(), BTreeMap::new(), Nanos(0));
    loop {
        match results.recv_timeout(REDRAW) {
            Ok(Ok((index, played))) => drop(early.insert(index, played)),
            Ok(Err(stopped)) => return Err(stopped),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(tally),
        }
        while let Some(played) = early.remove(&tally.seeds) {
            for found in tally.add(&played) {
                session.progress.say(&found);
            }
            if played.exit == Exit::Broken && !order.keep_going {
                return Ok(tally);
            }
        }
        let elapsed = watch.elapsed();
        if stop.reason().is_some() {
            return Ok(tally);
        }
        if order.time.is_some_and(|time| elapsed >= time) {
            pool.over.store(true, Ordering::Relaxed);
        }
        session.progress.status(&telling::progress(&tally, elapsed));
        if elapsed.since(told) >= HEARTBEAT {
            told = elapsed;
            session.progress.line(elapsed, "hunt", &telling::progress(&tally, elapsed));
        }
    }
}
