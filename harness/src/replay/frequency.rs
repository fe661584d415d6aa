//! How often a plan broke what: k of n, for each guarantee.

use std::fmt::Write as _;

use checkers::Judgement;
use checkers::wording::counted;
use serde::Serialize;
use tabled::builder::Builder;

use crate::cli::Session;
use crate::exit::{Exit, Stop};
use crate::judge::Judged;
use crate::plan::Expectation;
use crate::report;
use crate::report::style::Paint;
use crate::run::{Prepared, StopSignal};
use crate::store::Run;

/// The verdicts of several runs of one plan.
#[derive(Default)]
pub(crate) struct Frequency {
    /// How many runs.
    pub(crate) runs: u32,
    /// In the order of the report.
    pub(crate) rows: Vec<FrequencyRow>,
    /// What they come to together.
    exit: Option<Exit>,
    /// A run that is kept, to be looked at.
    pub(crate) kept: Option<Run>,
}

/// One guarantee over all runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FrequencyRow {
    pub(crate) guarantee: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) broken: u32,
    pub(crate) held: u32,
    pub(crate) not_judged: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    version: u32,
    exit_code: u8,
    world: &'a str,
    /// What was replayed.
    source: &'a str,
    runs: u32,
    guarantees: &'a [FrequencyRow],
    /// The folder of the first run that broke something.
    kept: Option<String>,
}

impl Frequency {
    pub(crate) fn count(&mut self, judged: &Judged) {
        self.runs += 1;
        self.exit = Some(self.exit.map_or(judged.exit, |exit| exit.worse(judged.exit)));
        for row in &judged.rows {
            let line = self.row(row.verdict.guarantee, row.expected);
            match row.verdict.judgement {
                Judgement::Broken => line.broken += 1,
                Judgement::Held => line.held += 1,
                Judgement::NotJudged { .. } => line.not_judged += 1,
            }
        }
    }

    fn row(&mut self, guarantee: &'static str, expected: Expectation) -> &mut FrequencyRow {
        let place = self.rows.iter().position(|row| row.guarantee == guarantee).unwrap_or_else(|| {
            let expected = expected.as_str();
            self.rows.push(FrequencyRow { guarantee, expected, broken: 0, held: 0, not_judged: 0 });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// Says it, in the form that was asked for; gives what all runs come to.
    pub(super) fn print(
        &self,
        session: &Session,
        source: &str,
        prepared: &Prepared,
        stop: &StopSignal,
    ) -> Result<Exit, Stop> {
        let exit = self.exit.unwrap_or(Exit::Indeterminate);
        let exit = stop.reason().map_or(exit, |reason| exit.worse(reason));
        let document = Document {
            version: 1,
            exit_code: exit.code(),
            world: prepared.world.as_str(),
            source,
            runs: self.runs,
            guarantees: &self.rows,
            kept: self.kept.as_ref().map(|run| run.folder.display().to_string()),
        };
        report::print_document(session, &document, || self.text(session, source, prepared, exit))?;
        Ok(exit)
    }

    fn text(&self, session: &Session, source: &str, prepared: &Prepared, exit: Exit) -> String {
        let style = session.style;
        let worst = self.rows.iter().filter(|row| row.broken > 0);
        let worst = worst.max_by_key(|row| (row.expected != Expectation::Watch.as_str(), row.broken));
        let (paint, word) = match (exit, worst) {
            (Exit::Broken, _) => (Paint::Bad, "✗ BROKEN"),
            (Exit::Met, _) => (Paint::Good, "✓ HELD"),
            _ => (Paint::Unsure, "? INDETERMINATE"),
        };
        let what = match worst {
            Some(row) => format!("{} broken {} of {}", row.guarantee, row.broken, self.runs),
            None => format!("nothing broke in {}", counted(self.runs.into(), "run", "runs")),
        };
        let mut out =
            format!("{}  {}\n", style.paint(paint, &style.draw(word)), style.paint(Paint::Strong, &what));
        if session.quiet > 0 {
            return out;
        }
        let resolved = &prepared.resolved;
        let nodes = counted(resolved.nodes.len() as u64, "node", "nodes");
        let world = match prepared.world {
            crate::plan::World::Live => "on real processes",
            crate::plan::World::Sim => {
                "simulated, each after the first with another network, other disks and clocks"
            }
        };
        let line = format!(
            "{source} · {}, {nodes} · {}, {world}",
            prepared.header.target,
            counted(self.runs.into(), "run", "runs")
        );
        let _ = writeln!(out, "  {}\n", style.draw(&line));
        let mut table = Builder::default();
        table.push_record(["guarantee", "expected", "broken", "held", "not judged"]);
        for row in &self.rows {
            let broken = format!("{} of {}", row.broken, self.runs);
            table.push_record([
                row.guarantee.to_string(),
                row.expected.to_string(),
                if row.broken > 0 { style.paint(Paint::Bad, &broken) } else { broken },
                row.held.to_string(),
                row.not_judged.to_string(),
            ]);
        }
        let _ = writeln!(out, "{}\n", report::shaped(table, style));
        if let Some(run) = &self.kept {
            let _ = writeln!(out, "  the first that broke   {}", run.folder.display());
        }
        let _ = writeln!(out, "  exit code {}", exit.code());
        out
    }
}
