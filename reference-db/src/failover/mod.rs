//! Failover: another node leads when the leader is gone, or seems to be.
//!
//! ```text
//! A leads ── dead, or only cut off?     B, C: silent for longer than detect-after
//!                                       B: "let me lead in epoch 1"  ─► C: has B all that I have? yes: a vote
//!                                       B has a majority, and leads; its layout tells everybody
//! A is back: hears of epoch 1, follows; what only A had is discarded, kept, or keeps A out
//! ```
//!
//! | setting | what it decides | anomaly |
//! |---|---|---|
//! | [`Detector`] | when a leader counts as dead | too early: it is only slow, and loses what it alone has; too late: no writes meanwhile |
//! | [`Election`] | who leads next | a rule that does not look at data loses confirmed writes |
//! | [`Fencing`] | whether the old leader can go on | without it two lead at the same time: split brain |
//! | [`Rejoin`] | what becomes of what only the old leader has | confirmed writes vanish, or come back |
//!
//! Sources: Kleppmann, *Designing Data-Intensive Applications* (2017), ch. 5, "Handling Node Outages", and ch. 8, "The
//! Truth Is Defined by the Majority"; Ongaro & Ousterhout, *In search of an understandable consensus algorithm* (2014) for
//! votes and who may get one; Gray & Cheriton, *Leases* (1989).

mod detector;
mod election;

pub(crate) use detector::Pulse;
pub(crate) use election::Candidate;

use crate::choice::choices;
use crate::time::Nanos;

choices! {
    /// Who has another node lead.
    pub enum Failover ("failover") {
        Auto = "auto", "the nodes themselves, by votes, when the leader seems to be gone";
        Manual = "manual", "an operator";
    }
}

choices! {
    /// When a leader counts as gone. Each has a function of its own.
    pub enum Detector ("failure detector") {
        Phi = "phi", "it is silent for much longer than it is used to be";
        Timeout = "timeout", "it is silent for as long as detect-after says";
    }
}

choices! {
    /// Who leads next.
    pub enum Election ("election") {
        HighestId = "highest-id", "of the nodes that speak, the one with the greatest name";
        MostCaughtUp = "most-caught-up", "one that lacks nothing of what those have that vote for it";
    }
}

choices! {
    /// Whether the old leader can go on.
    pub enum Fencing ("fencing") {
        Epoch = "epoch", "a leader needs a majority that has heard from it lately, and what is of an old epoch is refused";
        None = "none", "whoever thinks that it leads goes on";
    }
}

choices! {
    /// What becomes of what an old leader has and the new one had not.
    pub enum Rejoin ("rejoin") {
        Keep = "keep", "it spreads, and of two writes to a key the later one stays";
        Refuse = "refuse", "the node stays out until an operator has looked at it";
        Truncate = "truncate", "it is discarded; GET /v1/discarded lists it";
    }
}

/// How leadership changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverSettings {
    /// By whom.
    pub failover: Failover,
    /// When a leader counts as gone.
    pub detector: Detector,
    /// After how much silence, for a detector that waits for a time; with any no vote is given sooner.
    pub detect_after: Nanos,
    /// From which suspicion on, for one that learns: 8 is one mistake in 10^8 intervals, if they are as random as it thinks.
    pub phi: u32,
    /// Who leads next.
    pub election: Election,
    /// Whether the old leader can go on.
    pub fencing: Fencing,
    /// What becomes of what only that one has.
    pub rejoin: Rejoin,
}

impl Default for FailoverSettings {
    fn default() -> FailoverSettings {
        FailoverSettings {
            failover: Failover::Manual,
            detector: Detector::Timeout,
            detect_after: Nanos::from_millis(3000),
            phi: 8,
            election: Election::MostCaughtUp,
            fencing: Fencing::Epoch,
            rejoin: Rejoin::Truncate,
        }
    }
}

impl FailoverSettings {
    /// How often a leader speaks up, whether it has anything to say or not.
    pub fn heartbeat(&self) -> Nanos {
        Nanos(self.detect_after.0 / 6)
    }

    /// How long a leader may go on after a majority has heard from it: less than any of them waits before it votes for
    /// another, by more than clocks drift apart meanwhile.
    pub fn lease(&self) -> Nanos {
        Nanos(self.detect_after.0 / 4 * 3)
    }
}
