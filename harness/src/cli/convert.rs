//! `rashomon convert HISTORY OUT --to FORMAT`: a history for another tool.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use clap::Args;

use super::check::{read_history, understood, unknown_format};
use super::{Session, say};
use crate::exit::{Exit, Stop};
use histories::format::Format;
use histories::format::write::{Unwritable, Writer};

/// Write a history in the format of another tool
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// A history in any format that `check` reads, plain, gzip or zstd; - for standard input
    source: String,
    /// The file to write; - for standard output
    target: String,
    /// What to write: jepsen-edn (Elle and Knossos read it), jsonl, parquet or plume
    #[arg(long, value_name = "FORMAT")]
    to: String,
    /// What the history is written in, if its content is not to decide
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
}

impl Convert {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let writer = Writer::named(&self.to).map_err(|error| Stop::usage(format!("--to: {error}")))?;
        let from = self.from.as_deref().map(Format::named).transpose().map_err(unknown_format)?;
        let reading = read_history(&self.source, from)?;
        let warnings = if self.target == "-" {
            write(writer, &reading.history, &mut io::stdout().lock())
                .map_err(|error| self.unwritten(&error))?
        } else {
            let file = File::create(&self.target)
                .map_err(|error| Stop::cannot_write(anyhow::anyhow!("{}: {error}", self.target)))?;
            write(writer, &reading.history, &mut BufWriter::new(file))
                .map_err(|error| self.unwritten(&error))?
        };
        if session.quiet == 0 && self.target != "-" {
            say(format_args!("{}", session.style.draw(&understood(&reading))));
            reading.warnings.iter().chain(&warnings).for_each(|warning| say(format_args!("  {warning}")));
            say(format_args!("written to {} as {}", self.target, writer.name));
        }
        Ok(Exit::Met)
    }

    fn unwritten(&self, error: &Unwritable) -> Stop {
        match error {
            Unwritable::Io(source) => {
                Stop::cannot_write(anyhow::anyhow!("{}: {error}: {source}", self.target))
            }
            Unwritable::Operation { .. } | Unwritable::NoFormat { .. } => {
                Stop::data(format!("{}: {error}", self.source))
            }
        }
    }
}

fn write(
    writer: &Writer,
    history: &histories::History,
    out: &mut impl Write,
) -> Result<Vec<String>, Unwritable> {
    let warnings = writer.write(history, out)?;
    out.flush()?;
    Ok(warnings)
}
