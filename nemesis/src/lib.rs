//! Faults: plans of them, and how each is injected, verified and healed.
//!
//! ```text
//!   plan ──► FaultSpec ──resolve(nodes, seed)──► Schedule ──► steps ─┬─► driver ─► Mesh, Supervisor
//!                                                                    └─► a simulator: same effects
//! ```
//!
//! Invariant: everything but `driver`, `proxy`, `verify` and `process` is pure; a schedule is a
//! function of a plan, the nodes and a seed.
//! Invariant: this crate does not know what is judged; verdicts never depend on it.

pub mod answers;
mod clock;
pub mod controls;
pub mod driver;
pub mod duration;
pub mod effect;
pub mod error;
pub mod fault;
pub mod process;
pub mod proxy;
pub mod schedule;
mod selection;
pub mod spec;
mod swarm;
pub mod trigger;
mod verify;

pub use answers::{Answers, Losses};
pub use controls::{Control, Controls};
pub use driver::{Alarms, Happening, LiveControls, Ready, Sentry, SetClock, Summary, drive};
pub use effect::{DiskTrouble, Effect, Endpoint, InForce};
pub use error::Error;
pub use fault::{Argument, Fault};
pub use process::{CommandSpec, ProcessState, Supervisor};
pub use proxy::{Carried, Latency, Mesh};
pub use schedule::{Action, PlannedFault, Schedule, Step};
pub use spec::FaultSpec;
pub use trigger::{Alarm, CallKind, Lookout, Milestone, Moment, Sight, Trigger};
