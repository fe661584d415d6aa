//! Delivery: when an event that has arrived may be applied.
//!
//! ```text
//! A:1 insert x ──────────── slow ───────────►  C     arrival, fifo: C applies B:1, then A:1
//!      └─► B:1 update x, after {A:1} ────────► C     causal: C holds B:1 back until it has A:1
//! ```
//!
//! The dependencies of an event are all that its origin had applied. So causal delivery also keeps the promise to a
//! client which reads at a node and then writes at that node.
//!
//! Source: Ladin et al., *Providing high availability using lazy replication* (1992).

mod arrival;
mod causal;
mod fifo;
mod hold_back;

pub(crate) use hold_back::{Held, HoldBack};

use crate::choice::choices;
use crate::clock::DotSet;
use crate::defect::{Defect, Defects};
use crate::event::Event;

choices! {
    /// In which order events are applied. Each has a file of its own.
    pub enum Delivery ("delivery") {
        Arrival = "arrival", "as they come, even with gaps";
        Causal = "causal", "never before the events that they depend on";
        Fifo = "fifo", "in the order of each origin, whatever they depend on";
    }
}

impl Delivery {
    /// True if an event may be applied where `applied` has been.
    pub(crate) fn is_ready(self, event: &Event, applied: &DotSet, defects: &Defects) -> bool {
        match self {
            Delivery::Arrival => arrival::is_ready(),
            Delivery::Fifo => fifo::is_ready(event, applied),
            // Planted bug: dependencies on other origins do not hold an event back.
            Delivery::Causal if defects.has(Defect::ApplyDependentEarly) => fifo::is_ready(event, applied),
            Delivery::Causal => causal::is_ready(event, applied),
        }
    }
}
