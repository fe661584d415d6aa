//! Evidence: the few operations that prove a finding, and the dependency between each two.
//!
//! ```text
//!    1  c3 → A   adds 412 to [88 301]    OK              ◀ this write disappears
//!    2  c5 → B   adds 434 to [88 301]    OK
//!    3  c1 → A   reads k17               [88 301 434]    ◀ the proof
//!
//!    1 ──ww──▶ 2   434 was stored over 412: 26 of 26 later reads have 434 and not 412
//!    2 ──rw──▶ 1   but 2 started from [88 301], the list as it was before 1
//! ```
//!
//! The edges are those of Adya 1999, §4.4: `ww` overwrites, `wr` is read by, `rw` is overwritten
//! after being read (anti-dependency); with session order and real time beside them.

use histories::{Key, OperationId};
use serde::Serialize;

/// One proof that a guarantee is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The anomaly's name, such as `lost-update`.
    pub anomaly: &'static str,
    /// The keys it is about.
    pub keys: Vec<Key>,
    /// What happened, in plain sentences that name clients, nodes and values.
    pub story: String,
    /// The same in a few words, for a list of many: `412 gone, replaced by c5 → B`.
    pub brief: String,
    /// The operations that tell it, in the order of time.
    pub steps: Vec<Step>,
    /// Why no order explains them.
    pub edges: Vec<Edge>,
    /// What the edges come to, in one sentence.
    pub conclusion: String,
    /// Whether an operation of unknown outcome takes part.
    pub certainty: Certainty,
    /// How many breaches it stands for, in the unit of the verdict's count.
    pub weight: u64,
}

/// One operation of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which operation.
    pub operation: OperationId,
    /// What it asks, such as `adds 412 to [88 301]` or `reads k17`.
    pub what: String,
    /// What it was told, such as `OK` or `[88 301 434]`.
    pub answer: String,
    /// Why it matters, such as `this write disappears`; empty if that is plain.
    pub remark: String,
}

/// One must come before the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// What comes first.
    pub from: OperationId,
    /// What comes later.
    pub to: OperationId,
    /// The kind of dependency.
    pub kind: EdgeKind,
    /// The observation that proves it.
    pub because: String,
}

/// Kinds of dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum EdgeKind {
    /// The later write replaced the earlier one.
    #[serde(rename = "ww")]
    WriteWrite,
    /// The read saw the write.
    #[serde(rename = "wr")]
    WriteRead,
    /// The read saw the state from before the write.
    #[serde(rename = "rw")]
    ReadWrite,
    /// The same session, one after the other.
    #[serde(rename = "so")]
    Session,
    /// One ended before the other began.
    #[serde(rename = "rt")]
    RealTime,
}

impl EdgeKind {
    /// `ww`, `wr`, `rw`, `so` or `rt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WriteWrite => "ww",
            Self::WriteRead => "wr",
            Self::ReadWrite => "rw",
            Self::Session => "so",
            Self::RealTime => "rt",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// No operation of unknown outcome takes part; says why that is enough.
    Certain(String),
    /// It depends on an operation whose outcome nobody knows; says which.
    Likely(String),
}
