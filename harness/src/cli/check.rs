//! `rashomon check HISTORY|RUN`: judges a record again, whoever made it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;

use super::run::expect_setting;
use super::{Session, say};
use crate::exit::{Exit, Stop};
use crate::judge::{Row, Rules};
use crate::plan::{Expectation, OnIndeterminate, setting};
use crate::report::build::{self, Circumstances};
use crate::report::terminal::{Extent, Links};
use crate::report::{self};
use crate::store::{Run, locate};
use checkers::lattice::implies;
use checkers::wording::counted;
use histories::format::{self, Either, Format, Reading};
use table::{Content, Subject};

mod table;

/// Check a recorded history, or a stored run again
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A history (ours, Jepsen's, Plume's, …, plain, gzip or zstd; - for standard input), a run's folder, or
    /// any unique part of a run's name, or `latest`
    #[arg(allow_hyphen_values = true)]
    source: String,
    /// What the history is written in, if its content is not to decide: cobra, dbcop, dbcop-json,
    /// etcd-operations, jepsen-edn, jepsen-json, jepsen-log, jsonl or plume
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Only these guarantees, comma-separated; each is expected to hold
    #[arg(short, long, value_name = "LIST", value_delimiter = ',')]
    guarantee: Vec<String>,
    /// GUARANTEE=hold|break|watch, may be given many times
    #[arg(short, long, value_name = "EXPECT")]
    expect: Vec<String>,
    /// Tell every finding, not only the simplest
    #[arg(long)]
    all: bool,
    /// Write a witness (`witness.json`) and a graph (`graph.dot`, `graph.svg`) of each finding below this folder
    #[arg(long, value_name = "DIR")]
    witness: Option<PathBuf>,
    /// Longest time a checker may take before it answers "not judged", counted in steps (3 million a
    /// second) so that a verdict does not depend on the machine
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = nemesis::duration::parse)]
    check_time: histories::Nanos,
}

impl Check {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let (input, run) = self.read(session)?;
        let mut rules = self.rules(run.as_ref())?;
        let (understood, mut subject) = match input {
            Either::Table(reading) => self.scope(reading, &mut rules),
            Either::History(reading) => (understood(&reading), Subject::of_history(reading)),
        };
        if session.quiet == 0 && session.format == super::Format::Text {
            say(format_args!("{}\n", session.style.draw(&understood)));
        }
        let (mut judged, part) = subject.judge(&rules);
        let history = match &subject.content {
            Content::History(history) => history,
            Content::Table(_) => &part,
        };
        if rules.forgive_no_chance {
            weakest_first(&mut judged.rows);
        }
        let everything = rules.forgive_no_chance;
        let (notes, counts) = (std::mem::take(&mut subject.notes), subject.counts.take());
        let circumstances = Circumstances { notes, everything, counts, ..Circumstances::default() };
        let report = build::build(history, &judged, circumstances);
        let links = Links { lines: self.links(run.as_ref(), report.findings.len()), remarks: Vec::new() };
        report::print(session, &report, &links, Extent { brief: false, all: self.all })?;
        if let (Some(folder), Content::History(history)) = (&self.witness, &subject.content) {
            let record = witness::Record::new(history);
            crate::witness::write_all(&record, &report.findings, folder).map_err(Stop::cannot_write)?;
        }
        // The process is about to end, and with it goes what it holds, at once.
        std::mem::forget(subject);
        Ok(judged.exit)
    }

    fn read(&self, session: &Session) -> Result<(Either, Option<Run>), Stop> {
        let format = self.from.as_deref().map(Format::named).transpose().map_err(unknown_format)?;
        if self.source == "-" && self.witness.is_some() {
            return Ok((Either::History(read_history("-", format)?), None));
        }
        if self.source == "-" {
            let input = format::read_either(std::io::stdin().lock(), format);
            return Ok((input.map_err(|error| unreadable("standard input", &error))?, None));
        }
        // A folder that is no run is a history of many files.
        let (path, run) = match locate(&session.store, &self.source) {
            Err(_) if Path::new(&self.source).is_dir() => (PathBuf::from(&self.source), None),
            located => located?,
        };
        if self.witness.is_some() {
            // A witness is about the whole history, not about the part of a table that is told.
            return Ok((Either::History(read_history(&path.display().to_string(), format)?), run));
        }
        let input = format::read_either_file(&path, format);
        Ok((input.map_err(|error| unreadable(&path.display().to_string(), &error))?, run))
    }

    /// What is expected: what the flags say, else what the stored run expected, else everything that
    /// this history puts to the test.
    fn rules(&self, run: Option<&Run>) -> Result<Rules, Stop> {
        let mut expect: BTreeMap<String, Expectation> = BTreeMap::new();
        for name in &self.guarantee {
            let name =
                setting::guarantee(name).map_err(|reason| Stop::usage(format!("--guarantee: {reason}")))?;
            expect.insert(name, Expectation::Hold);
        }
        for text in &self.expect {
            let (path, value) = expect_setting(text)?;
            let usage = |reason| Stop::usage(format!("--expect: {reason}"));
            let name = setting::guarantee(path.trim_start_matches("expect.")).map_err(usage)?;
            expect.insert(name, setting::expectation(&value.into()).map_err(usage)?);
        }
        let stated = !expect.is_empty();
        let stored =
            if stated { None } else { run.and_then(|run| crate::run::stored_expectations(&run.folder)) };
        let everything = || checkers::CHECKERS.iter().map(|c| (c.guarantee().to_string(), Expectation::Hold));
        let forgive_no_chance = !stated && stored.is_none();
        let expect = match stored {
            Some(stored) => stored,
            None if stated => expect.into_iter().collect(),
            None => everything().collect(),
        };
        Ok(Rules {
            expect,
            steps: crate::plan::steps(self.check_time),
            min_exposure: 1,
            on_indeterminate: OnIndeterminate::Fail,
            forgive_no_chance,
        })
    }

    fn links(&self, run: Option<&Run>, findings: usize) -> Vec<(&'static str, String)> {
        let mut links = Vec::new();
        if findings > 1 && !self.all {
            links.push(("all", format!("rashomon check {} --all", self.source)));
        }
        if let Some(run) = run {
            links.push(("run", run.folder.display().to_string()));
        }
        links
    }
}

/// What is broken before the rest, and what a broken guarantee implies before it: the cause before what
/// follows from it.
fn weakest_first(rows: &mut [Row]) {
    let broken: Vec<&str> =
        rows.iter().filter(|row| row.verdict.is_broken()).map(|row| row.verdict.guarantee).collect();
    rows.sort_by_key(|row| {
        let guarantee = row.verdict.guarantee;
        let implied = broken.iter().filter(|weaker| implies(guarantee, weaker)).count();
        (!row.verdict.is_broken(), implied)
    });
}

/// Reads a history from a path, or from standard input if that is `-`.
pub(super) fn read_history(path: &str, format: Option<&'static Format>) -> Result<Reading, Stop> {
    if path == "-" {
        let reading = format::read_as(std::io::stdin().lock(), format);
        return reading.map_err(|error| unreadable("standard input", &error));
    }
    format::read_file_as(Path::new(path), format).map_err(|error| unreadable(path, &error))
}

/// A format that there is not.
pub(super) fn unknown_format(error: format::Error) -> Stop {
    Stop::usage(format!("--from: {error}"))
}

fn unreadable(name: &str, error: &format::Error) -> Stop {
    match std::error::Error::source(error) {
        Some(source) if matches!(error, format::Error::Io { .. }) => {
            Stop::data(format!("{name}: {error}: {source}"))
        }
        _ => Stop::data(format!("{name}: {error}")),
    }
}

/// What the file was taken for, so that a wrong guess is seen at once.
pub(super) fn understood(reading: &Reading) -> String {
    let history = &reading.history;
    let sessions: BTreeSet<_> = history.operations().iter().map(|operation| operation.session).collect();
    let counts = [history.operations().len(), sessions.len()];
    understood_as(reading.format, &history.header().workload, counts, history.end())
}

/// `counts`: operations and sessions.
fn understood_as(format: &str, workload: &str, counts: [usize; 2], end: histories::Nanos) -> String {
    let workload = if workload.is_empty() { String::new() } else { format!("{workload}, ") };
    let [operations, sessions] = counts.map(|count| count as u64);
    format!(
        "{format}, {workload}{}, {}, {end}",
        counted(operations, "operation", "operations"),
        counted(sessions, "session", "sessions"),
    )
}
