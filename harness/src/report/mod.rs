//! Reports: one model, shown in many forms with the same words and numbers.

use std::io::Write;

use anyhow::Context;

use crate::cli::{Format, Session};
use crate::exit::Stop;

pub(crate) mod build;
mod faults;
pub(crate) mod model;
mod story;
pub(crate) mod style;
pub(crate) mod terminal;

use model::Report;
use terminal::{Extent, Links};

/// Prints a report to standard output in the form that was asked for.
pub(crate) fn print(session: &Session, report: &Report, links: &Links, extent: Extent) -> Result<(), Stop> {
    if session.quiet > 1 {
        return Ok(());
    }
    let extent = Extent { brief: extent.brief || session.quiet == 1, ..extent };
    let text = match session.format {
        Format::Text => terminal::render(report, links, session.style, extent),
        Format::Json => serde_json::to_string_pretty(report).map_err(anyhow::Error::from)? + "\n",
        Format::Ndjson => serde_json::to_string(report).map_err(anyhow::Error::from)? + "\n",
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader who has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output").map_err(Stop::cannot_write),
    }
}
