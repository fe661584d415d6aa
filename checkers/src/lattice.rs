//! The lattice of guarantees, as data: what each implies, and what each rules out.
//!
//! ```text
//!   strict-serializable ─► serializable ─► snapshot-isolation ─► … ─► read-committed ─► read-uncommitted
//!                                     └──► repeatable-read ───► … ──┘
//!
//!   a history shows G-single-item:   weakest ruled out        consistent-view, repeatable-read
//!                                    strongest left standing  read-atomic, cursor-stability, …
//! ```
//!
//! `a` implies `b`: every history that keeps `a` keeps `b`. So an anomaly that rules out `b` rules out
//! `a` too, and whatever is also that anomaly rules out both.
//!
//! Sources: Adya, Weak consistency, PhD thesis, MIT 1999 (PL-1 to PL-3, PL-CS, PL-2L, PL-2+, PL-FCV,
//! PL-SI, PL-3U); Berenson et al., A critique of ANSI SQL isolation levels, SIGMOD 1995; Cerone,
//! Bernardi & Gotsman, A framework for transactional consistency models with atomic visibility,
//! CONCUR 2015; Bailis et al., Highly available transactions, VLDB 2013; Terry et al., Session
//! guarantees, PDIS 1994; Daudjee & Salem, Lazy database replication with snapshot isolation, VLDB
//! 2006; Kingsbury & Alvaro, Elle, VLDB 2020.

mod data;
mod query;

pub use data::{GUARANTEES, Guarantee};
pub use query::{Boundary, boundary, guarantee, implies, is_also, prohibits};
