//! `rashomon explain [NAME]`: what an anomaly or a guarantee is.

use clap::Args;
use histories::{format::write::Writer, text};
use serde::Serialize;

use super::Session;
use crate::exit::{Exit, Stop};
use crate::explain::{self, Explained, render};
use crate::names::nearest;
use crate::report::print_document;

/// What an anomaly or a guarantee is, with a tiny history that shows it
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A name, such as lost-update, G1c-realtime, P4 or linearizable, in whatever case; without one: all
    name: Vec<String>,
    /// Print only the tiny history, as JSON Lines that `check -` reads
    #[arg(long, requires = "name")]
    history: bool,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    kind: &'static str,
    about: &'static str,
}

impl Explain {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        if self.name.is_empty() {
            print_document(session, &entries(), || render::list(session.style))?;
            return Ok(Exit::Met);
        }
        let name = self.name.join(" ");
        let explained = explain::explain(&name).ok_or_else(|| Stop::usage(unknown(&name)))?;
        if self.history {
            write(&explained)?;
        } else {
            print_document(session, &explained, || render::page(&explained, session.style))?;
        }
        Ok(Exit::Met)
    }
}

fn entries() -> Vec<Entry> {
    let anomalies = explain::anomalies().map(|(name, about)| Entry { name, kind: "anomaly", about });
    let guarantees = explain::guarantees().into_iter();
    anomalies.chain(guarantees.map(|(name, about)| Entry { name, kind: "guarantee", about })).collect()
}

fn write(explained: &Explained) -> Result<(), Stop> {
    let history = text::parse(explained.history).map_err(anyhow::Error::from)?;
    let writer = Writer::named("jsonl").map_err(anyhow::Error::from)?;
    writer.write(&history, &mut std::io::stdout().lock()).map_err(Stop::cannot_write)?;
    Ok(())
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = explain::known().collect();
    let near = nearest(&name.replace(' ', "-"), &known);
    format!(
        "no anomaly or guarantee {name:?}; the closest are {}; rashomon explain lists all",
        near.join(", ")
    )
}
