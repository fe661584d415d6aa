//! The simulated world: virtual time, one thread, and the same nodes, generators, schedule of faults,
//! recorder's vocabulary and checkers as in the live one.
//!
//! ```text
//!   agenda ──► message arrives ─► host ─► node.step ─► outputs ─► disk, network ──┐
//!     ▲        client asks     ─► network                                         │
//!     │        fault begins    ─► links, processes, disks, clocks                 │
//!     └───────────────────────── what happens next, and when ◄────────────────────┘
//! ```
//!
//! The whole scheduler is one [`agenda`]: everything that happens is an entry, and what happens puts
//! new entries down. Nothing waits for real; an hour of cluster time takes as long as its work. Each
//! component draws from a stream of its own ([`crate::rng`]), so the same plan and seed give the same
//! history, to the byte, on every machine.
//!
//! | | |
//! |---|---|
//! | [`agenda`] | what happens next |
//! | [`network`] | latency, loss, doubling, overtaking; cuts, clogs and slow links |
//! | [`disk`], [`clock`] | what outlives a crash, and disks in trouble; what a node takes for the time |
//! | [`node`] | the process around a node: group commit, ticks, pauses, restarts |
//! | [`client`] | sessions: one call at a time, time-outs, final reads |
//! | [`trouble`] | the faults of the schedule, and the evidence that they bit |
//! | [`world`] | all of it together: load, heal, settle, final reads |
//!
//! Invariant: nothing here looks at a wall clock, a socket, a file or a thread, or is asynchronous.
//! Invariant: one seed determines the history to the byte (`sim::repeats::a_seed_makes_a_history`).
//!
//! Limits: nodes take no time to think, so a simulated cluster is never overloaded.
//!
//! Sources: FoundationDB's deterministic simulation (Zhou et al., SIGMOD 2021, §4); TigerBeetle's VOPR.

mod agenda;
mod client;
mod clock;
#[cfg(test)]
mod consequences;
#[cfg(test)]
pub(crate) mod defects;
mod disk;
mod network;
mod node;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod tests;
mod trouble;
mod world;

pub(crate) use world::{Ended, Scenario, simulate};
