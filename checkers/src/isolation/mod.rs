//! Isolation of transactions on registers, when nobody knows in which order the versions of a key came.
//! Sound and complete: a level is broken iff no order of commits explains what was seen.
//!
//! ```text
//!   T1  w x 1            T2  w x 2, w y 2            T3  r y 2, r x 1
//!
//!   T3 knew of T2 and saw T1's x, so T2's x is older: T2 ──▶ T1. Is there an order of all commits that
//!   goes along all such edges, the reads and the sessions? Then the level is kept; else it is broken.
//! ```
//!
//! A value must be written once to each key: who wrote what was read is then known. Reads of a value that
//! was written more than once say nothing but that it is another than what their transaction read before
//! (`repeated.rs`).
//!
//! - Read committed, read atomic and causal consistency imply edges that can be listed (`committed.rs`,
//!   `atomic.rs`, `causal.rs`), and an order is found in one pass (`walk.rs`).
//!
//! - Prefix consistency, snapshot isolation and serializability are hard: the order of each two writers of a
//!   key is a choice. Where it is known when transactions began and ended, one order that explains all is
//!   looked for first (`serial/mod.rs`). Most choices are no choices; for what is left there is a solver,
//!   and a budget of steps (`strong/mod.rs`).
//!
//! What breaks a level is cut down to the fewest transactions found (`part.rs`), and told as a circle in
//! which every edge has an observation that proves it (`answer.rs`).
//!
//! Source: Biswas & Enea, On the complexity of checking transactional consistency, OOPSLA 2019; Møldrup &
//! Pavlogiannis, AWDIT: an optimal weak database isolation tester, PLDI 2025.

pub mod answer;
mod atomic;
mod causal;
mod committed;
pub mod guarantee;
pub mod levels;
mod lists;
mod order;
mod part;
mod path;
mod repeated;
mod serial;
mod sources;
mod story;
mod strong;
mod view;
mod walk;
mod weak;

use histories::compact::TxnTable;

use crate::Budget;
pub use answer::{Answer, Breach, Choice, Link, Why};
pub(crate) use serial::{Along, has_serial_order};
use strong::Strong;
use weak::Weak;

/// Is read committed, as Biswas & Enea define it, kept? O(n^{3/2}) for n micro-ops.
pub fn read_committed(table: &TxnTable, budget: Budget) -> Answer {
    weak::judge(Weak::ReadCommitted, table, budget)
}

/// Is read atomic kept? O(n^{3/2}) for n micro-ops.
pub fn read_atomic(table: &TxnTable, budget: Budget) -> Answer {
    weak::judge(Weak::ReadAtomic, table, budget)
}

/// Is transactional causal consistency kept? O(n · k) for n micro-ops and k sessions.
pub fn transactional_causal(table: &TxnTable, budget: Budget) -> Answer {
    weak::judge(Weak::Causal, table, budget)
}

/// Is prefix consistency kept? NP-complete in general; undecided when the budget runs out.
pub fn prefix(table: &TxnTable, budget: Budget) -> Answer {
    strong::judge(Strong::Prefix, table, budget)
}

/// Is snapshot isolation kept, with sessions that see what they did? NP-complete in general.
pub fn snapshot_isolation(table: &TxnTable, budget: Budget) -> Answer {
    strong::judge(Strong::Snapshot, table, budget)
}

/// Is there one serial order, along sessions? NP-complete in general.
pub fn serializable(table: &TxnTable, budget: Budget) -> Answer {
    strong::judge(Strong::Serializable, table, budget)
}

/// Is snapshot isolation kept in real time: does whoever begins after another's end see its effects?
pub fn strong_snapshot_isolation(table: &TxnTable, budget: Budget) -> Answer {
    strong::judge(Strong::StrictSnapshot, table, budget)
}

/// Is there one serial order that goes along real time? NP-complete in general.
pub fn strict_serializable(table: &TxnTable, budget: Budget) -> Answer {
    strong::judge(Strong::StrictSerializable, table, budget)
}

#[cfg(test)]
mod brute;
#[cfg(test)]
mod tests;
