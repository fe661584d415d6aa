//! `rashomon verify-witness FILE HISTORY`: a contradiction, derived again by a crate that knows no checker.

use clap::Args;
use witness::{Flaw, Record, Witness, tell, verify};

use super::check::{read_history, unknown_format};
use super::{Session, say};
use crate::exit::{Exit, Stop};
use histories::format::Format;

/// Derive a stored contradiction again from its history, without the checkers
#[derive(Debug, Args)]
pub(crate) struct VerifyWitness {
    /// A `witness.json`, from `check --witness DIR` or the `anomalies` of a stored run
    witness: std::path::PathBuf,
    /// The history, in any format that `check` reads; - for standard input
    #[arg(allow_hyphen_values = true)]
    history: String,
    /// What the history is written in, if its content is not to decide
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
}

impl VerifyWitness {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Stop> {
        let witness = self.read()?;
        let from = self.from.as_deref().map(Format::named).transpose().map_err(unknown_format)?;
        let reading = read_history(&self.history, from)?;
        let verdict = verify(&Record::new(&reading.history), &witness);
        if session.quiet < 2 {
            self.told(session, &witness, &verdict).lines().for_each(|line| {
                say(format_args!("{}", session.style.draw(line)));
            });
        }
        Ok(match verdict {
            Ok(()) => Exit::Met,
            Err(Flaw::NotVerifiable(_)) => Exit::Indeterminate,
            Err(_) => Exit::Broken,
        })
    }

    fn read(&self) -> Result<Witness, Stop> {
        let name = self.witness.display();
        let text = std::fs::read_to_string(&self.witness);
        let text = text.map_err(|error| Stop::data(format!("{name}: cannot be read: {error}")))?;
        serde_json::from_str(&text).map_err(|error| Stop::data(format!("{name}: no witness: {error}")))
    }

    fn told(&self, session: &Session, witness: &Witness, verdict: &Result<(), Flaw>) -> String {
        let Witness { guarantee, anomaly, .. } = witness;
        if session.format != super::Format::Text {
            let flaw = verdict.as_ref().err().map(ToString::to_string);
            let form = witness.claim.form();
            let document = serde_json::json!({
                "confirmed": verdict.is_ok(), "guarantee": guarantee, "anomaly": anomaly, "form": form, "flaw": flaw,
            });
            return document.to_string();
        }
        match verdict {
            Ok(()) if session.quiet > 0 => format!("✓ CONFIRMED  {anomaly}: {guarantee} does not hold"),
            Ok(()) => {
                format!("✓ CONFIRMED  {anomaly}: {guarantee} does not hold\n{}", tell(witness).join("\n"))
            }
            Err(flaw @ Flaw::NotVerifiable(_)) => format!("? NOT VERIFIABLE  {anomaly}: {flaw}"),
            Err(flaw) => format!("✗ REJECTED  {anomaly}: {flaw}"),
        }
    }
}
