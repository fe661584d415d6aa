//! From a history to a verdict. Pure: a verdict is a function of a [`histories::History`] and a
//! [`Budget`] of steps, and of nothing else.
//!
//! ```text
//!   History ──► Facts ──► each Checker ──► Verdict: held | broken | not judged
//!               (built once)                 ├─ how many chances there were to break
//!                                            └─ findings: few operations, edges, a story
//! ```
//!
//! Invariant: nothing here sees a clock, a socket, a file, a thread's timing or randomness.
//! Invariant: no checker says *held* without a chance, and none knows which faults were injected.

pub mod anomaly;
pub mod budget;
pub mod causal;
pub mod evidence;
pub mod facts;
pub mod graph;
pub mod invariant;
pub mod isolation;
pub mod lattice;
pub mod linearizable;
pub mod multi_leader;
pub mod session;
pub mod transactional;
pub mod verdict;
pub mod views;
pub mod wording;

#[cfg(test)]
mod proven;
#[cfg(test)]
mod random;
#[cfg(test)]
#[path = "../tests/witness_of/mod.rs"]
mod witness_of;

pub use budget::Budget;
pub use evidence::{Certainty, Edge, EdgeKind, Finding, Step};
pub use facts::Facts;
pub use verdict::{Chances, Judgement, Verdict};

/// Judges one guarantee.
pub trait Checker: Sync {
    /// The guarantee's name, such as `no-lost-updates`.
    fn guarantee(&self) -> &'static str;

    /// What it promises, in one plain sentence without a full stop.
    fn promise(&self) -> &'static str;

    /// Judges the history behind `facts`.
    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict;
}

/// Every checker, sorted by the name of its guarantee. To add one: a file, and a line here.
pub static CHECKERS: &[&dyn Checker] = &[
    &invariant::bank::BankTotals,
    &causal::consistency::CausalConsistency,
    &views::CausalMemory,
    &causal::Causal,
    &multi_leader::convergence::Convergence,
    &multi_leader::deleted::DeletesStayDeleted,
    &linearizable::Linearizable,
    &isolation::guarantee::MONOTONIC_ATOMIC_VIEW,
    &session::MonotonicReads,
    &invariant::monotonic_values::MonotonicValues,
    &session::MonotonicWrites,
    &invariant::causal_reverse::NoCausalReverse,
    &invariant::long_fork::NoLongFork,
    &multi_leader::lost_updates::NoLostUpdates,
    &invariant::made_up::NoMadeUpValues,
    &views::Pram,
    &isolation::guarantee::PREFIX,
    &transactional::READ_ATOMIC,
    &transactional::READ_COMMITTED,
    &transactional::READ_UNCOMMITTED,
    &session::ReadYourWrites,
    &transactional::REPEATABLE_READ,
    &views::Sequential,
    &transactional::SERIALIZABLE,
    &invariant::set_full::SetFull,
    &transactional::SNAPSHOT_ISOLATION,
    &transactional::STRICT_SERIALIZABLE,
    &isolation::guarantee::STRONG_SESSION_MONOTONIC_ATOMIC_VIEW,
    &isolation::guarantee::STRONG_SESSION_READ_ATOMIC,
    &transactional::STRONG_SESSION_SERIALIZABLE,
    &transactional::STRONG_SESSION_SNAPSHOT_ISOLATION,
    &transactional::STRONG_SNAPSHOT_ISOLATION,
    &invariant::total_queue::TotalQueue,
    &isolation::guarantee::TRANSACTIONAL_CAUSAL,
    &invariant::unique_ids::UniqueIds,
    &session::WritesFollowReads,
];

/// The checker of the guarantee with this name.
pub fn checker(guarantee: &str) -> Option<&'static dyn Checker> {
    CHECKERS.iter().copied().find(|checker| checker.guarantee() == guarantee)
}
