//! `rashomon check HISTORY|RUN`: judges a record again, whoever made it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use clap::Args;

use super::run::expect_setting;
use super::{Format, Session, say};
use crate::exit::{Exit, Stop};
use crate::judge::{Rules, judge};
use crate::plan::{Expectation, OnIndeterminate, setting};
use crate::report::build::{self, Circumstances};
use crate::report::terminal::{Extent, Links};
use crate::report::{self};
use crate::store::{Run, locate};
use checkers::wording::counted;
use histories::format::{self, Reading};

/// Check a recorded history, or a stored run again
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A history (JSON Lines, Jepsen's EDN or JSON, plain or zstd; - for standard input), a run's folder,
    /// or any unique part of a run's name, or `latest`
    #[arg(allow_hyphen_values = true)]
    source: String,
    /// Only these guarantees, comma-separated; each is expected to hold
    #[arg(short, long, value_name = "LIST", value_delimiter = ',')]
    guarantee: Vec<String>,
    /// GUARANTEE=hold|break|watch, may be given many times
    #[arg(short, long, value_name = "EXPECT")]
    expect: Vec<String>,
    /// Tell every finding, not only the simplest
    #[arg(long)]
    all: bool,
    /// Longest time a checker may take before it answers "not judged", counted in steps (3 million a
    /// second) so that a verdict does not depend on the machine
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = nemesis::duration::parse)]
    check_time: histories::Nanos,
}

impl Check {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let (reading, run) = self.read(session)?;
        if session.quiet == 0 && session.format == Format::Text {
            say(format_args!("{}\n", session.style.draw(&understood(&reading))));
        }
        let rules = self.rules(run.as_ref())?;
        let judged = judge(&reading.history, &rules);
        let circumstances = Circumstances { notes: reading.warnings, ..Circumstances::default() };
        let report = build::build(&reading.history, &judged, circumstances);
        let links = Links { lines: self.links(run.as_ref(), report.findings.len()), remarks: Vec::new() };
        report::print(session, &report, &links, Extent { brief: false, all: self.all })?;
        Ok(judged.exit)
    }

    fn read(&self, session: &Session) -> Result<(Reading, Option<Run>), Stop> {
        if self.source == "-" {
            let mut input = Vec::new();
            std::io::stdin()
                .read_to_end(&mut input)
                .map_err(|error| Stop::data(format!("standard input: {error}")))?;
            let reading =
                format::read(input.as_slice()).map_err(|error| unreadable("standard input", &error))?;
            return Ok((reading, None));
        }
        let (path, run) = locate(&session.store, &self.source)?;
        let reading =
            format::read_file(&path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
        Ok((reading, run))
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

fn unreadable(name: &str, error: &format::Error) -> Stop {
    match std::error::Error::source(error) {
        Some(source) if matches!(error, format::Error::Io { .. }) => {
            Stop::data(format!("{name}: {error}: {source}"))
        }
        _ => Stop::data(format!("{name}: {error}")),
    }
}

/// What the file was taken for, so that a wrong guess is seen at once.
fn understood(reading: &Reading) -> String {
    let history = &reading.history;
    let header = history.header();
    let workload = if header.workload.is_empty() { String::new() } else { format!("{}, ", header.workload) };
    let sessions: BTreeSet<_> = history.operations().iter().map(|operation| operation.session).collect();
    format!(
        "{}, {workload}{}, {}, {}",
        reading.format,
        counted(history.operations().len() as u64, "operation", "operations"),
        counted(sessions.len() as u64, "session", "sessions"),
        history.end(),
    )
}
