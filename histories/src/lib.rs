//! What happened: the closed vocabulary of calls and replies, the events that carry them, and the
//! [`History`] that they make.
//!
//! ```text
//!   Event, Event, Event …  ──►  HistoryBuilder  ──►  History  ──►  checkers
//!   one line each on disk       pairs, refuses       Operation: call, outcome, interval
//! ```
//!
//! A *session* is one logical client: at most one *call* is in flight in it. A call is answered
//! *confirmed* (it happened), *failed* (it surely did not) or *unknown* (nobody knows, for ever);
//! after an unknown answer the session is over and a new one takes its place.
//!
//! Invariant: a `History` is valid by construction; [`HistoryBuilder`] is the only way to one.
//! Invariant: this crate knows no cluster, no checker and no clock.

pub mod call;
pub mod compact;
pub mod event;
pub mod format;
pub mod history;
pub mod id;
pub mod list;
pub mod malformed;
mod names;
pub mod operation;
pub mod reply;
pub mod text;
pub mod threads;
pub mod value;

pub use call::{Call, MicroOp, Observed};
pub use event::{Event, EventKind, FaultEvent, FaultStage, Header, NodeEvent, NodeState, Phase};
pub use history::{History, HistoryBuilder};
pub use id::{FaultId, Key, Nanos, NodeName, OperationId, SessionId, Version};
pub use list::List;
pub use malformed::{Malformed, Problem};
pub use operation::Operation;
pub use reply::{Outcome, Reason, Reply};
pub use value::Value;
