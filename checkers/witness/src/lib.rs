//! Witnesses: a contradiction in a history, small enough to follow by hand, and derived again here from
//! the history alone.
//!
//! ```text
//!   checker ─► finding ─► harness: an outline ─► [`state`] ─► witness.json ─► [`verify`] ─► confirmed, or a flaw
//!                         (form, operations)       │                            │
//!                                                  └──── the same derivation ───┘
//! ```
//!
//! A document is an outline (guarantee, form, operations) and everything that follows from it. To verify
//! one is to take its outline, derive all the rest again, and compare: so nothing in it is decoration, and
//! whatever is changed in it is either refused by the derivation or differs from what was derived.
//!
//! Invariant: this crate knows histories and nothing else of ours; no checker can lend it a mistake.
//! Source of the idea: certificates that a small program checks, as DRAT is for SAT solvers (Wetzler,
//! Heule & Hunt 2014); what is a contradiction: Adya 1999, Kingsbury & Alvaro 2020, Bouajjani et al. 2017,
//! Biswas & Enea 2019.

mod cycle;
pub mod document;
mod edge;
mod elements;
mod end;
pub mod flaw;
mod guarantee;
mod numbers;
mod orders;
mod outline;
mod prove;
pub mod record;
mod telling;
mod transaction;
mod version;

use histories::{History, OperationId};

pub use document::{Claim, Edge, Identity, Kind, Stated, VERSION, Witness};
pub use flaw::Flaw;
pub use outline::Outline;
pub use prove::{Hint, prove};
pub use record::Record;
pub use telling::tell;

/// A claim as it follows from the history, the operations that it is about, and what it is called.
pub(crate) struct Derived {
    pub(crate) claim: Claim,
    pub(crate) operations: Vec<OperationId>,
    pub(crate) name: String,
}

/// The witness of an outline, with all that follows from it.
pub fn state(record: &Record<'_>, guarantee: &str, outline: &Outline) -> Result<Witness, Flaw> {
    let Derived { claim, mut operations, name } = outline::derive(record, guarantee, outline)?;
    operations.sort_unstable();
    operations.dedup();
    let stated = operations.into_iter().map(|id| record.find(id).map(Stated::of));
    Ok(Witness {
        version: VERSION,
        history: identity(record.history),
        guarantee: guarantee.into(),
        anomaly: name,
        operations: stated.collect::<Result<_, _>>()?,
        claim,
    })
}

/// What tells this history from others.
pub fn identity(history: &History) -> Identity {
    Identity { operations: history.operations().len() as u64, end: history.end() }
}

/// Derives the witness again.
pub fn verify(record: &Record<'_>, witness: &Witness) -> Result<(), Flaw> {
    if witness.version != VERSION {
        return Err(Flaw::Version(witness.version));
    }
    if witness.history != identity(record.history) {
        let Identity { operations: stated, end } = witness.history;
        return Err(Flaw::History { stated, end });
    }
    for stated in &witness.operations {
        if *stated != Stated::of(record.find(stated.id)?) {
            return Err(Flaw::Misstated(stated.id));
        }
    }
    let outline = Outline::of(witness)?;
    let again = state(record, &witness.guarantee, &outline)?;
    if again.anomaly != witness.anomaly {
        return Err(Flaw::Name { stated: witness.anomaly.clone(), right: again.anomaly });
    }
    if again.claim != witness.claim {
        return Err(Flaw::Otherwise("claim"));
    }
    if again.operations != witness.operations {
        return Err(Flaw::Operations);
    }
    Ok(())
}
