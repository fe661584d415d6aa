//! Which fault was necessary: the shrunk run without it, and without each part of it.
//!
//! ```text
//!   cut A → B, cut B → A      without partition A | B the write survives
//!                             without cut B → A the write survives: both directions are needed
//! ```

use serde::Serialize;

use super::change::{faults, with_fault, with_faults};
use super::oracle::{Oracle, WORLDS_MAX};
use crate::exit::Stop;
use crate::run::Resolved;

/// What becomes of the failure without something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Necessity {
    /// The fault or the effect that was left out, such as `partition A | B`.
    pub(crate) without: String,
    /// It broke all the same.
    pub(crate) breaks: bool,
    /// The same as a sentence.
    pub(crate) told: String,
}

pub(super) fn all(oracle: &Oracle<'_>, best: &Resolved) -> Result<Vec<Necessity>, Stop> {
    let mut found = Vec::new();
    for (index, fault) in best.faults.faults.iter().enumerate() {
        let mut others = faults(best);
        others.remove(index);
        found.extend(without(oracle, fault.title(), with_faults(best, others))?);
        if fault.effects.len() < 2 {
            continue;
        }
        for (place, effect) in fault.effects.iter().enumerate() {
            let less = with_fault(best, index, |fault| drop(fault.effects.remove(place)));
            found.extend(without(oracle, effect.to_string(), less)?);
        }
    }
    Ok(found)
}

fn without(oracle: &Oracle<'_>, what: String, less: Option<Resolved>) -> Result<Option<Necessity>, Stop> {
    let Some(less) = less else { return Ok(None) };
    let breaks = oracle.fails_in(&less, WORLDS_MAX)?.is_some();
    let told = match breaks {
        true => format!("Without {what} it breaks as well."),
        false => format!("Without {what} {}.", survives(oracle.goal.anomaly, oracle.goal.guarantee)),
    };
    Ok(Some(Necessity { without: what, breaks, told }))
}

/// What is so if the anomaly is not there.
fn survives(anomaly: &str, guarantee: &str) -> String {
    match anomaly {
        "lost-update" => "the write survives".into(),
        "divergence" => "all nodes agree in the end".into(),
        "resurrection" => "what was deleted stays deleted".into(),
        "own-write-missing" => "the session sees what it wrote".into(),
        "read-goes-back" => "no read goes back".into(),
        "causal-violation" => "no effect is seen before its cause".into(),
        "stale-read" => "no read is stale".into(),
        _ => format!("{guarantee} is not broken"),
    }
}
