//! Reports: one model, shown in many forms with the same words and numbers.

use std::io::Write;

use anyhow::Context;
use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::Style as TableStyle;

use crate::cli::{Format, Session};
use crate::exit::Stop;

pub(crate) mod build;
mod faults;
mod lattice;
pub(crate) mod model;
mod story;
pub(crate) mod style;
pub(crate) mod terminal;

use model::Report;
use style::Style;
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
    write(&text)
}

/// Prints something else than a report: `text` for people, `document` for programs.
pub(crate) fn print_document(
    session: &Session,
    document: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Stop> {
    if session.quiet > 1 {
        return Ok(());
    }
    let text = match session.format {
        Format::Text => text(),
        Format::Json => serde_json::to_string_pretty(document).map_err(anyhow::Error::from)? + "\n",
        Format::Ndjson => serde_json::to_string(document).map_err(anyhow::Error::from)? + "\n",
    };
    write(&text)
}

fn write(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader who has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output").map_err(Stop::cannot_write),
    }
}

/// A table with the lines that the terminal can show.
pub(crate) fn shaped(table: Builder, style: Style) -> String {
    let mut table = table.build();
    if style.unicode {
        table.with(TableStyle::rounded())
    } else {
        table.with(TableStyle::ascii_rounded())
    };
    table.to_string()
}
