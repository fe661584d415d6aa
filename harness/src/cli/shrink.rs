//! `rashomon shrink RUN`: the fewest calls and faults that still break it.

use checkers::wording::counted;
use clap::Args;
use histories::Nanos;
use serde::Serialize;

use super::{Session, block_on};
use crate::exit::{Exit, Stop};
use crate::plan::setting;
use crate::replay::Stored;
use crate::report::{self, model::Report};
use crate::run::{Papers, Prepared, StopSignal, make};
use crate::shrink::{Goal, Necessity, Shrunk, Step, Way, plan, shrink};
use crate::stopwatch::Stopwatch;

/// Reduce a run that broke a guarantee to the fewest calls and faults that still break it
#[derive(Debug, Args)]
pub(crate) struct Shrink {
    /// Any unique part of a run's name, `latest`, a run's folder, or its whole seed
    #[arg(allow_hyphen_values = true)]
    run: String,
    /// The guarantee that must stay broken [default: the first broken one that is expected to hold]
    #[arg(short, long, value_name = "NAME")]
    guarantee: Option<String>,
    /// How long to try; then the smallest so far is taken
    #[arg(long = "for", value_name = "TIME", default_value = "1m", value_parser = nemesis::duration::parse)]
    time: Nanos,
    /// Worlds side by side [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
}

impl Shrink {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        block_on(async {
            let stop = StopSignal::new();
            stop.listen().map_err(anyhow::Error::from)?;
            let (stored, shrunk) = tokio::task::block_in_place(|| self.shrunk(session, &stop))?;
            store(session, &stored, shrunk, &stop).await
        })
    }

    fn shrunk(&self, session: &Session, stop: &StopSignal) -> Result<(Stored, Shrunk), Stop> {
        let guarantee = self.guarantee.as_deref().map(setting::guarantee).transpose();
        let guarantee = guarantee.map_err(|reason| Stop::usage(format!("--guarantee: {reason}")))?;
        let stored = Stored::find(&session.store, &self.run)?;
        let prepared = stored.prepared(None)?;
        let path = stored.run.history();
        let reading = histories::format::read_file(&path)
            .map_err(|error| Stop::data(format!("{}: {error}", path.display())))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let watch = Stopwatch::start();
        let way = Way {
            guarantee,
            jobs: self.jobs.map_or(cores, |jobs| jobs as usize),
            over: &|| stop.reason().is_some() || watch.elapsed() >= self.time,
            tell: &mut |step| {
                let line = format!("{}: {}", step.what, step.size);
                session.progress.line(watch.elapsed(), "shrink", &line);
                session
                    .progress
                    .draw_lines(|width| vec![console::truncate_str(&line, width, "…").into_owned()]);
            },
        };
        let shrunk = shrink(&prepared, &reading.history, way);
        session.progress.clear();
        let shrunk = shrunk?;
        let took = watch.elapsed().as_secs_f64();
        session.progress.line(
            watch.elapsed(),
            "shrunk",
            &format!("worlds={} took={took:.1}s", shrunk.played),
        );
        Ok((stored, shrunk))
    }
}

/// Keeps the shrunk run as a run of its own, and tells its story.
async fn store(session: &Session, stored: &Stored, shrunk: Shrunk, stop: &StopSignal) -> Result<Exit, Stop> {
    let Shrunk { goal, necessary, .. } = &shrunk;
    let course = shrunk.course();
    let all = counted(shrunk.history.operations().len() as u64, "operation", "operations");
    let remark = format!(
        "Shrunk from {}: {course}; {all} with the final reads. What broke is {}: {}.",
        stored.name, goal.guarantee, goal.anomaly
    );
    let text =
        plan::show(&shrunk.prepared.resolved, std::slice::from_ref(&remark)).map_err(anyhow::Error::from)?;
    let mut prepared = Prepared::with(shrunk.prepared.resolved.clone())?;
    prepared.notes.push(remark);
    prepared.notes.extend(necessary.iter().map(|necessity| necessity.told.clone()));
    if necessary.is_empty() && shrunk.prepared.resolved.faults.faults.is_empty() {
        prepared.notes.push("It takes no fault.".into());
    }
    if shrunk.unfinished {
        let why = if stop.reason().is_some() { "It was stopped" } else { "Time was up" };
        prepared
            .notes
            .push(format!("{why} before nothing could be made smaller: this is the smallest so far."));
    }
    // Whoever stopped the shrinking wants to see what came of it.
    let files = vec![("shrunk.toml", text)];
    let made = make(session, &prepared, Papers { files, ..Papers::default() }, &StopSignal::new()).await?;
    match session.format {
        super::Format::Text => made.tell(session)?,
        super::Format::Json | super::Format::Ndjson => {
            let folder = made.run.folder.display().to_string();
            let document = Document {
                version: 1,
                exit_code: made.exit.code(),
                goal: *goal,
                steps: &shrunk.steps,
                necessary,
                worlds: shrunk.played,
                unfinished: shrunk.unfinished,
                folder,
                report: &made.report,
            };
            report::print_document(session, &document, String::new)?;
        }
    }
    Ok(made.exit)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    version: u32,
    exit_code: u8,
    goal: Goal,
    steps: &'a [Step],
    necessary: &'a [Necessity],
    /// How many worlds were played.
    worlds: u64,
    unfinished: bool,
    /// Where the shrunk run is stored.
    folder: String,
    report: &'a Report,
}
