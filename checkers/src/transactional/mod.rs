//! Transactions: which isolation a history rules out.
//!
//! ```text
//!   T1  read x → [],  append y 1 ──rw──▶ T2          T1 did not see what T2 appended to x
//!   T2  read y → [],  append x 1 ──rw──▶ T1          and T2 did not see what T1 appended to y:
//!                                                    no serial order explains both: write skew, G2-item
//! ```
//!
//! What transactions saw says which must come before which (`list_append.rs`, `rw_register.rs`): edges
//! of a graph. An isolation level promises that some of these edges, with the order of sessions or of
//! real time where it says so, have no cycle. That is asked first, once for the strongest level, without
//! storing an edge for real time (`acyclic.rs`); most histories end there. Only for what is left a small
//! graph is made (`web.rs`), asked which kinds of cycles it has (`decide.rs`), and searched for the shortest of
//! each (`search.rs`, `walk.rs`).
//!
//! Limits: where the order of versions is known in part (registers), a level that is not ruled out
//! need not hold. Predicates are not recorded and not judged.
//!
//! Source: Adya 1999; Adya, Liskov & O'Neil 2000; Kingsbury & Alvaro, Elle, VLDB 2020.

mod acyclic;
mod analysis;
mod decide;
mod fractured;
mod isolation;
mod kind;
mod link;
mod links;
mod list_append;
mod open_orders;
mod proof;
mod rw_register;
mod search;
mod story;
mod touch;
mod walk;
mod web;
mod words;

pub use analysis::{Analysis, Transactions, anomalies};
pub use isolation::{
    Isolation, READ_ATOMIC, READ_COMMITTED, READ_UNCOMMITTED, REPEATABLE_READ, SERIALIZABLE,
    SNAPSHOT_ISOLATION, STRICT_SERIALIZABLE, STRONG_SESSION_SERIALIZABLE, STRONG_SESSION_SNAPSHOT_ISOLATION,
    STRONG_SNAPSHOT_ISOLATION,
};
pub use kind::Order;
pub use rw_register::Assume;
