//! What refutes which guarantee: the verifier's own table, from the definitions.
//!
//! ```text
//!   ww               read-uncommitted and all above it        (G0; PL-1)
//!   ww wr            read-committed                           (G1c; PL-2)
//!   one rw, or more with no two in a row                      snapshot-isolation
//!   any              repeatable-read (items), serializable
//!   with so, rt      only levels that promise an order of sessions, or of real time
//! ```
//!
//! Sources: Adya 1999, §4.2 and §5.4; Cerone & Gotsman, J. ACM 2018 (no two in a row: snapshot isolation);
//! Daudjee & Salem 2006 (session orders). Written without looking at the checkers' tables, so that one
//! slip cannot pass both.

use crate::document::Kind;
use crate::edge::Promise;

/// Isolation levels of transactions, and what each promises of cycles.
pub(crate) struct Level {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) promise: Promise,
}

/// Which cycles of dependencies a level rules out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Of overwrites only.
    Overwrites,
    /// And of reads of what was written.
    Reads,
    /// And those with anti-dependencies of which no two are in a row.
    Snapshots,
    /// All.
    All,
}

/// Every level of which a cycle of dependencies says something.
pub(crate) const LEVELS: &[Level] = &[
    level("read-atomic", Shape::Reads, Promise::Transactions),
    level("read-committed", Shape::Reads, Promise::Transactions),
    level("read-uncommitted", Shape::Overwrites, Promise::Nothing),
    level("repeatable-read", Shape::All, Promise::Transactions),
    level("serializable", Shape::All, Promise::Transactions),
    level("snapshot-isolation", Shape::Snapshots, Promise::Transactions),
    level("strict-serializable", Shape::All, Promise::RealTime),
    level("strong-session-serializable", Shape::All, Promise::Sessions),
    level("strong-session-snapshot-isolation", Shape::Snapshots, Promise::Sessions),
    level("strong-snapshot-isolation", Shape::Snapshots, Promise::RealTime),
];

const fn level(name: &'static str, shape: Shape, promise: Promise) -> Level {
    Level { name, shape, promise }
}

pub(crate) fn find(name: &str) -> Option<&'static Level> {
    LEVELS.iter().find(|level| level.name == name)
}

/// Levels that only promise what they say of transactions on registers.
const AXIOMATIC: &[&str] = &[
    "monotonic-atomic-view",
    "prefix-consistency",
    "strong-session-monotonic-atomic-view",
    "strong-session-read-atomic",
    "transactional-causal",
];

/// True for every level of isolation.
pub(crate) fn is_level(name: &str) -> bool {
    find(name).is_some() || AXIOMATIC.contains(&name)
}

/// The name at Adya's levels, or at those that Biswas & Enea define; none at the weakest.
pub(crate) fn by_paper(guarantee: &str, adya: &'static str, axiomatic: &'static str) -> Option<&'static str> {
    let name = if AXIOMATIC.contains(&guarantee) { axiomatic } else { adya };
    is_committed(guarantee).then_some(name)
}

/// True for levels that show nothing of what failed or is not finished: all but the weakest.
pub(crate) fn is_committed(name: &str) -> bool {
    is_level(name) && name != "read-uncommitted"
}

/// True for levels at which a transaction agrees with itself.
pub(crate) fn is_atomic(name: &str) -> bool {
    is_committed(name) && !matches!(name, "read-committed" | "repeatable-read")
}

/// True for levels at which what was read stays as it was.
pub(crate) fn is_repeatable(name: &str) -> bool {
    let may_see_more =
        ["monotonic-atomic-view", "read-committed", "strong-session-monotonic-atomic-view"].contains(&name);
    is_committed(name) && !may_see_more
}

/// True for levels at which of two transactions that replace one version one fails.
pub(crate) fn is_update_safe(name: &str) -> bool {
    find(name).is_some_and(|level| level.shape >= Shape::Snapshots)
}

impl Level {
    /// The promise that a cycle of these kinds breaks, as the names of the field have it; none if the level
    /// allows the cycle.
    pub(crate) fn refuted_by(&self, kinds: &[Kind]) -> Option<String> {
        let time = kinds.iter().filter_map(|kind| match kind {
            Kind::So => Some(Promise::Sessions),
            Kind::Rt => Some(Promise::RealTime),
            Kind::Ww | Kind::Wr | Kind::Rw => None,
        });
        let time = time.max().unwrap_or(Promise::Nothing);
        let has_dependency = kinds.iter().any(|kind| matches!(kind, Kind::Ww | Kind::Wr | Kind::Rw));
        let is_refuted = has_dependency && shape_of(kinds) <= self.shape && time <= self.promise;
        is_refuted.then(|| adya(kinds))
    }
}

fn shape_of(kinds: &[Kind]) -> Shape {
    let is_anti = |place: usize| kinds[place % kinds.len()] == Kind::Rw;
    let count = (0..kinds.len()).filter(|place| is_anti(*place)).count();
    let in_a_row = kinds.len() > 1 && (0..kinds.len()).any(|place| is_anti(place) && is_anti(place + 1));
    match count {
        0 if kinds.contains(&Kind::Wr) => Shape::Reads,
        0 => Shape::Overwrites,
        _ if in_a_row => Shape::All,
        _ => Shape::Snapshots,
    }
}

/// The name of such a cycle: Kingsbury & Alvaro 2020, §4.2.
pub(crate) fn adya(kinds: &[Kind]) -> String {
    let anti = kinds.iter().filter(|kind| **kind == Kind::Rw).count();
    let base = match (shape_of(kinds), anti) {
        (Shape::Overwrites, _) => "G0",
        (Shape::Reads, _) => "G1c",
        (Shape::Snapshots, 1) => "G-single-item",
        (Shape::Snapshots, _) => "G-nonadjacent-item",
        (Shape::All, _) => "G2-item",
    };
    let suffix = match (kinds.contains(&Kind::Rt), kinds.contains(&Kind::So)) {
        (true, _) => "-realtime",
        (false, true) => "-process",
        (false, false) => "",
    };
    format!("{base}{suffix}")
}
