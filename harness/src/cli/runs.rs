//! `rashomon runs`: what is stored.

use std::collections::BTreeMap;
use std::fs::File;

use anyhow::Context;
use clap::{Args, Subcommand};
use tabled::builder::Builder;
use tabled::settings::Style as TableStyle;

use super::{Session, say};
use crate::exit::{Exit, Stop};
use crate::store::Run;

/// List, open, pin, pack and delete stored runs; list hunts
#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all runs and all hunts, the oldest first (this is also what `rashomon runs` alone does)
    List,
    /// Print a run's verdict in full, and where its files are
    Open(Name),
    /// Keep a run for ever
    Pin(Name),
    /// Let a run go when its time comes
    Unpin(Name),
    /// Put a run into one file that can be sent
    Pack(Name),
    /// Delete runs
    Rm(Names),
}

#[derive(Debug, Args)]
struct Name {
    /// Any unique part of the run's name, or latest
    run: String,
}

#[derive(Debug, Args)]
struct Names {
    /// Any unique part of each run's name, or latest
    #[arg(required = true)]
    runs: Vec<String>,
}

impl Runs {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        match self.command.unwrap_or(Command::List) {
            Command::List => list(session)?,
            Command::Open(name) => open(&session.store.find(&name.run)?)?,
            Command::Pin(name) => pin(&session.store.find(&name.run)?, true)?,
            Command::Unpin(name) => pin(&session.store.find(&name.run)?, false)?,
            Command::Pack(name) => pack(&session.store.find(&name.run)?)?,
            Command::Rm(names) => {
                let runs: Result<Vec<Run>, Stop> =
                    names.runs.iter().map(|name| session.store.find(name)).collect();
                let runs: BTreeMap<String, Run> =
                    runs?.into_iter().map(|run| (run.id.clone(), run)).collect();
                for run in runs.values() {
                    run.remove()?;
                    say(format_args!("deleted {}", run.id));
                }
            }
        }
        Ok(Exit::Met)
    }
}

fn list(session: &Session) -> Result<(), Stop> {
    let (runs, hunts) = (session.store.list()?, session.store.hunts()?);
    if runs.is_empty() && hunts.is_empty() {
        say(format_args!("no runs yet; make one with  rashomon demo"));
        return Ok(());
    }
    if !runs.is_empty() {
        list_runs(&runs);
    }
    if !hunts.is_empty() {
        let mut table = Builder::default();
        table.push_record(["hunt", "so far; go on with  rashomon hunt --resume HUNT"]);
        for (id, folder) in hunts {
            table.push_record([id, crate::hunt::summary(&folder)]);
        }
        say(format_args!("{}", table.build().with(TableStyle::blank())));
    }
    Ok(())
}

fn list_runs(runs: &[Run]) {
    let mut table = Builder::default();
    table.push_record(["run", "verdict", "kept"]);
    for run in runs {
        let kept = if run.is_pinned() { "for ever" } else { "" };
        table.push_record([run.id.clone(), summary(run), kept.to_string()]);
    }
    say(format_args!("{}", table.build().with(TableStyle::blank())));
}

/// The first line of a run's verdict, or how far the run came.
fn summary(run: &Run) -> String {
    match std::fs::read_to_string(run.path("verdict.txt")) {
        Ok(text) => text.lines().next().unwrap_or_default().to_string(),
        Err(_) if run.history().exists() => {
            format!("not judged yet; judge it with  rashomon check {}", run.id)
        }
        Err(_) => "nothing was recorded".to_string(),
    }
}

fn open(run: &Run) -> Result<(), Stop> {
    let path = run.path("verdict.txt");
    let text = std::fs::read_to_string(&path).map_err(|_| Stop::usage(summary(run)))?;
    say(format_args!("{text}\n  files    {}", run.folder.display()));
    Ok(())
}

fn pin(run: &Run, pinned: bool) -> Result<(), Stop> {
    run.pin(pinned)?;
    say(format_args!("{} {}", if pinned { "kept for ever:" } else { "kept like any other:" }, run.id));
    Ok(())
}

fn pack(run: &Run) -> Result<(), Stop> {
    let name = format!("{}.tar.zst", run.id);
    let pack = || {
        let file = File::create(&name)?;
        let mut archive = tar::Builder::new(zstd::Encoder::new(file, 3)?);
        archive.append_dir_all(&run.id, &run.folder)?;
        archive.into_inner()?.finish()?.sync_all()
    };
    pack().with_context(|| format!("cannot write {name}")).map_err(Stop::cannot_write)?;
    say(format_args!("packed into {name}"));
    Ok(())
}
