//! Divergence: the same plans in both worlds, and where the worlds do not agree.
//!
//! ```text
//!   plan            guarantee         sim      live
//!   cut.toml        no-lost-updates   3 of 3   3 of 3
//!   leader.toml     linearizable      3 of 3   0 of 3     ◀ in one world only
//! ```
//!
//! The simulated world is worth as much as it behaves like the live one. A guarantee that breaks in one
//! only is either a matter of timing, or something that the other world does not do.

use std::fmt::Write as _;

use checkers::wording::counted;
use serde::Serialize;
use tabled::builder::Builder;

use super::{Frequency, play};
use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::judge;
use crate::plan::World;
use crate::plan::layer::Merged;
use crate::report;
use crate::report::style::Paint;
use crate::rng::Seed;
use crate::run::{Papers, StopSignal, make, prepare};

/// Which plans, and how often each in either world.
pub(crate) struct Comparison {
    /// Each with the name under which it was asked for.
    pub(crate) plans: Vec<(String, Merged)>,
    pub(crate) times: u32,
}

/// A plan and a guarantee in both worlds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    plan: String,
    guarantee: &'static str,
    /// How many runs broke it, and of how many; none if the plan cannot be run there.
    sim: Option<[u32; 2]>,
    live: Option<[u32; 2]>,
    /// It broke in one world and not in the other.
    diverges: bool,
}

/// A plan that could not be run in a world.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Missing {
    plan: String,
    world: &'static str,
    why: String,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    version: u32,
    exit_code: u8,
    times: u32,
    lines: &'a [Line],
    missing: &'a [Missing],
}

/// Runs all plans in both worlds, and says where these differ.
pub(crate) async fn compare(session: &Session, order: Comparison, stop: &StopSignal) -> Result<Exit, Stop> {
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for (name, merged) in &order.plans {
        if stop.reason().is_some() {
            break;
        }
        let first = merged.plan.seed.unwrap_or_else(Seed::random);
        let mut seen = [None, None];
        for (place, world) in [World::Sim, World::Live].into_iter().enumerate() {
            session.progress.say(&format!(
                "{name}: {} in the {} world",
                counted(order.times.into(), "run", "runs"),
                world.as_str()
            ));
            match repeated(session, merged, world, first, order.times, stop).await {
                Ok(frequency) => seen[place] = Some(frequency),
                Err(Stop { exit: exit @ (Exit::Interrupted | Exit::Terminated), error }) => {
                    return Err(Stop { exit, error });
                }
                Err(Stop { exit, error }) => missing.push(Missing {
                    plan: name.clone(),
                    world: world.as_str(),
                    why: format!("{error:#}"),
                    exit,
                }),
            }
        }
        lines.extend(lines_of(name, &seen));
    }
    let exit = missing.iter().fold(Exit::Met, |exit, missing| exit.worse(missing.exit));
    let exit = stop.reason().map_or(exit, |reason| exit.worse(reason));
    let document =
        Document { version: 1, exit_code: exit.code(), times: order.times, lines: &lines, missing: &missing };
    report::print_document(session, &document, || text(session, &lines, &missing, exit))?;
    Ok(exit)
}

/// The plan so many times in one world, each time with another seed.
async fn repeated(
    session: &Session,
    merged: &Merged,
    world: World,
    first: Seed,
    times: u32,
    stop: &StopSignal,
) -> Result<Frequency, Stop> {
    let mut merged = merged.clone();
    merged.plan.world = world;
    let mut frequency = Frequency::default();
    for index in 0..times {
        let prepared = prepare(&merged, first.repetition(index))?;
        match world {
            World::Sim => {
                let Some(history) = play(&prepared, &|| stop.reason().is_some())? else { break };
                frequency.count(&judge(&history, &prepared.rules));
            }
            World::Live => {
                let made = make(session, &prepared, Papers::default(), stop).await?;
                frequency.count(&made.judged);
                made.run.remove()?;
                if stop.reason().is_some() {
                    break;
                }
            }
        }
    }
    Ok(frequency)
}

fn lines_of(plan: &str, seen: &[Option<Frequency>; 2]) -> Vec<Line> {
    let broken = |frequency: &Option<Frequency>, guarantee: &str| {
        let frequency = frequency.as_ref()?;
        let row = frequency.rows.iter().find(|row| row.guarantee == guarantee);
        Some([row.map_or(0, |row| row.broken), frequency.runs])
    };
    let Some(any) = seen.iter().flatten().next() else { return Vec::new() };
    let line = |guarantee: &'static str| {
        let (sim, live) = (broken(&seen[0], guarantee), broken(&seen[1], guarantee));
        let diverges = matches!((sim, live), (Some([sim, _]), Some([live, _])) if (sim > 0) != (live > 0));
        Line { plan: plan.into(), guarantee, sim, live, diverges }
    };
    any.rows.iter().map(|row| line(row.guarantee)).collect()
}

fn text(session: &Session, lines: &[Line], missing: &[Missing], exit: Exit) -> String {
    let style = session.style;
    let diverging: Vec<&Line> = lines.iter().filter(|line| line.diverges).collect();
    let compared = lines.iter().filter(|line| line.sim.is_some() && line.live.is_some()).count() as u64;
    let compared = counted(compared, "guarantee of a plan", "guarantees of plans");
    let mut out = match diverging.len() as u64 {
        0 => format!("The two worlds agree on {compared}.\n"),
        some => format!("The two worlds differ in {some} of {compared}.\n"),
    };
    if session.quiet > 0 {
        return out;
    }
    let count = |count: Option<[u32; 2]>| match count {
        None => style.draw("–"),
        Some([broken, runs]) if broken > 0 => style.paint(Paint::Bad, &format!("{broken} of {runs}")),
        Some([broken, runs]) => format!("{broken} of {runs}"),
    };
    let mut table = Builder::default();
    table.push_record(["plan", "guarantee", "broken in sim", "broken live", ""]);
    for line in lines {
        let mark = if line.diverges { style.draw("◀ in one only") } else { String::new() };
        let cells = [line.plan.clone(), line.guarantee.into(), count(line.sim), count(line.live), mark];
        table.push_record(cells);
    }
    let _ = writeln!(out, "\n{}\n", report::shaped(table, style));
    for Missing { plan, world, why, .. } in missing {
        let _ = writeln!(out, "  {plan} could not be run in the {world} world: {why}");
    }
    let _ = writeln!(out, "  exit code {}", exit.code());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::frequency::FrequencyRow;

    fn seen(broken: &[(&'static str, u32)]) -> Option<Frequency> {
        let row = |(guarantee, broken): &(&'static str, u32)| FrequencyRow {
            guarantee,
            expected: "hold",
            broken: *broken,
            held: 3 - *broken,
            not_judged: 0,
        };
        let mut frequency = Frequency::default();
        (frequency.runs, frequency.rows) = (3, broken.iter().map(row).collect());
        Some(frequency)
    }

    #[test]
    fn what_breaks_in_one_world_only_diverges() {
        let both = [
            seen(&[("convergence", 0), ("linearizable", 2)]),
            seen(&[("convergence", 0), ("linearizable", 0)]),
        ];
        let lines = lines_of("p", &both);
        let diverges: Vec<bool> = lines.iter().map(|line| line.diverges).collect();
        assert_eq!(diverges, [false, true]);
        assert_eq!((lines[1].sim, lines[1].live), (Some([2, 3]), Some([0, 3])));
        let alone = lines_of("p", &[seen(&[("linearizable", 2)]), None]);
        assert_eq!((alone[0].live, alone[0].diverges), (None, false));
    }
}
