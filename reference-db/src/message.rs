//! Messages: what nodes tell each other.
//!
//! ```text
//! A ── push [A:4 A:5] ─► B      at most one batch is on its way to a peer; unanswered, it is sent again
//! A ◄── ack {A:5, B:2} ─ B      the batch is settled, and A knows how far B is
//! ```
//!
//! Any message may be lost, doubled, late or out of order. Each says how far its sender is, so each can stand for a
//! lost acknowledgement.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::DotSet;
use crate::event::Event;
use crate::names::Origin;
use crate::request::{Request, Response, SyncState};
use crate::time::Nanos;
use crate::topology::{Epoch, Layout};

/// A start of a node: greater at each one, also when the disk was lost in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boot(pub u64);

/// What one node tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The sender, as in its dots.
    pub origin: Origin,
    /// Since which start.
    pub boot: Boot,
    /// What the sender has applied.
    pub applied: DotSet,
    /// Whether it has what the others have: what one that is catching up does not have says nothing.
    pub state: SyncState,
    /// The layout that it goes by: whoever knows of a later one tells it.
    pub epoch: Epoch,
    /// The greatest term for which it has promised its vote.
    pub promised: u64,
    /// When it was sent, by the sender's clock.
    pub sent_at: Nanos,
    /// And when the receiver sent what the sender last heard of it, by the receiver's.
    pub echo: Option<Nanos>,
    /// And what this is about.
    pub body: Body,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// The sender has just started: how far are you?
    Hello,
    /// Events that the receiver seems to lack. Without any, it asks for an acknowledgement.
    Push {
        /// In the order of their times.
        events: Vec<Arc<Event>>,
    },
    /// How far the sender is.
    Ack,
    /// Nodes were linked anew.
    Layout(Layout),
    /// The sender would lead.
    Canvass {
        /// In which term.
        term: u64,
    },
    /// The sender has promised its vote.
    Vote {
        /// For which term.
        term: u64,
    },
    /// A request to the single leader.
    Forward {
        /// To which start of the leader: what was meant for an earlier one may have been done already.
        leader: Boot,
        /// Which.
        call: CallId,
        /// The request.
        request: Request,
    },
    /// The leader's answer.
    Answer {
        /// To which call.
        call: CallId,
        /// The answer.
        response: Response,
    },
}

impl Body {
    /// One word for traces.
    pub fn name(&self) -> &'static str {
        match self {
            Body::Hello => "hello",
            Body::Push { .. } => "push",
            Body::Ack => "ack",
            Body::Layout(_) => "layout",
            Body::Canvass { .. } => "canvass",
            Body::Vote { .. } => "vote",
            Body::Forward { .. } => "forward",
            Body::Answer { .. } => "answer",
        }
    }
}

/// Names a forwarded request among all of its follower's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId {
    /// The follower's start.
    pub boot: Boot,
    /// Its count since.
    pub number: u64,
}
