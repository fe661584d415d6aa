//! Clients: one session's way to ask a node. What a client saw is data: an outcome, never an error.

use histories::{Call, Outcome, Reason};

use crate::workload::Updates;

pub(crate) mod control;
mod dependency;
pub(crate) mod reference;
pub(crate) mod simulated;

pub(crate) use control::{ControlClient, SingleCopy};
pub(crate) use reference::ReferenceClient;
pub(crate) use simulated::SimulatedClient;

/// Which answer a read wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locality {
    /// The store's own default.
    Default,
    /// What this one node holds: for the final state.
    Local,
}

/// One session's connection to a target.
pub(crate) enum Client {
    Control(ControlClient),
    Reference(ReferenceClient),
}

impl Client {
    /// Asks `node`, and says how that ended. Asks once: a retry would hide what happened.
    pub(crate) async fn call(&mut self, node: usize, call: &Call, locality: Locality) -> Outcome {
        match self {
            Self::Control(client) => {
                // An answer that costs nothing must not keep the others from asking.
                tokio::task::yield_now().await;
                client.call(call)
            }
            Self::Reference(client) => client.call(node, call, locality).await,
        }
    }
}

/// What a call comes to that got no answer anybody understands: a read has changed nothing, anything
/// else may have.
pub(crate) fn undecided(call: &Call, reason: impl Into<Reason>) -> Outcome {
    if call.is_read_only() { Outcome::Failed(reason.into()) } else { Outcome::Unknown(reason.into()) }
}

/// How a store that speaks the reference API wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// How values that depend on the one before are changed.
    pub(crate) updates: Updates,
    /// Concurrent values are all kept: a write replaces what its context covers, and is never refused.
    pub(crate) siblings: bool,
}

impl Dialect {
    /// One value at a time, replaced if it is still the one that was read.
    pub(crate) const PLAIN: Self = Self { updates: Updates::CompareAndSet, siblings: false };

    /// The dialect of a mode of the bundled database.
    pub(crate) fn of(mode: reference_db::Mode) -> Self {
        use reference_db::Mode;
        match mode {
            Mode::Crdt => Self { updates: Updates::Merge, siblings: false },
            Mode::Lww | Mode::SingleLeader => Self { updates: Updates::CompareAndSet, siblings: false },
            Mode::Siblings => Self { updates: Updates::CompareAndSet, siblings: true },
        }
    }
}
