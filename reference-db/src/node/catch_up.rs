//! Catching up: a node that leads alone and has lost its disk does not lead before it has what the others have. Nor does
//! the tail of a chain answer reads before it has heard from the node before it.
//!
//! ```text
//! A leads, B and C follow; a write is confirmed once two of the three have it
//!
//! A  w:1 ─ w:2 ─ disk lost ─ start ── catching up: no writes, no reads ── in sync ─ w:3
//! B  w:1 ─ w:2 ────────────────────────┴ "I have w:1 w:2", and sends them ┘
//! C  w:1 ──────────────────────────────┴ "I have w:1" ────────────────────┘
//! ```
//!
//! No way of acknowledging saves a write from a leader that comes back empty and leads at once: it would answer from
//! nothing and write over what others have. It has to hear from so many others that one of them has every confirmed
//! write: with a majority of three from two, as what was confirmed may be on B alone or on C alone. Where writes are
//! confirmed without others, nothing of the kind can be promised, and it waits for all of them.
//!
//! A witness may know of a confirmed write that only the lost disk had. Then the leader waits for what nobody can give it:
//! it knows that something is lost, and does not go on as if nothing were.
//!
//! What a node says that is itself catching up does not count, as it may have lost the same. But where every other node
//! has been heard of, and nothing of theirs is lacking, there is nothing to wait for: so a cluster starts that is new, which
//! looks the same from inside, and so it takes all nodes to start one.

use super::links::Heard;
use super::relink::Behind;
use super::{Node, Output};
use crate::config::Role;
use crate::message::Body;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::SyncState;

impl Node {
    /// What a node that starts has to do before it leads, or before those behind it in a chain may rely on it.
    pub(super) fn first_state(&mut self, fresh: bool) -> SyncState {
        // With several leaders everyone answers from what it has, from the first moment on; a router has nothing.
        if self.config.leader().is_none() || self.config.role(self.config.name) == Role::Router {
            return SyncState::InSync;
        }
        // It may have been dropped from the chain while it was down: the node before it knows.
        self.behind = self.config.predecessor().map(Behind::new);
        if fresh || self.behind.is_some() { SyncState::CatchingUp } else { SyncState::InSync }
    }

    /// Why this node may not answer for the cluster yet, if so.
    pub(super) fn unfit(&self) -> Option<Refusal> {
        if !self.config.is_included() {
            return Some(Refusal::LeftOut { epoch: self.layout.epoch.number });
        }
        if self.apart > 0 {
            return Some(Refusal::Diverged { count: self.apart });
        }
        match self.state {
            SyncState::InSync => self.without_lease(),
            SyncState::CatchingUp => {
                let (met, needed) = (self.caught_up_with(), self.must_catch_up_with());
                Some(Refusal::CatchingUp { met, needed })
            }
        }
    }

    /// Leads from now on, if it has what enough others have.
    pub(super) fn catch_up(&mut self, outputs: &mut Vec<Output>) {
        if self.state == SyncState::CatchingUp && self.has_enough() {
            self.state = SyncState::InSync;
            // Whoever stands behind it in a chain waits to hear that.
            self.behind = None;
            if self.config.tail().is_some() {
                for peer in self.config.downstream(self.config.name) {
                    self.send(peer, Body::Ack, outputs);
                }
            }
            // What it confirms from here on is on its own disk: a crash does not send it back.
            outputs.push(Output::Persist(Record::InSync { origin: self.origin }));
        }
    }

    fn has_enough(&self) -> bool {
        if let Some(behind) = &self.behind {
            return behind.had.as_ref().is_some_and(|had| had.is_within(&self.applied));
        }
        let everyone = self.config.keepers().len().saturating_sub(1);
        self.caught_up_with() >= self.must_catch_up_with() || self.caught_up(|_| true) == everyone
    }

    /// How many others that are in sync have told what they have, of which nothing is lacking here.
    fn caught_up_with(&self) -> usize {
        self.caught_up(|heard| heard.state == SyncState::InSync)
    }

    fn caught_up(&self, counts: impl Fn(&Heard) -> bool) -> usize {
        let keepers = self.config.keepers();
        let keepers = self.links.iter().filter(|(peer, _)| keepers.contains(peer));
        let heard = keepers.filter_map(|(_, link)| link.heard.as_ref());
        heard.filter(|heard| counts(heard) && heard.applied.is_within(&self.applied)).count()
    }

    /// Among so many others is one that has a confirmed write.
    fn must_catch_up_with(&self) -> usize {
        let keepers = self.config.keepers().len();
        (keepers - self.config.ack.promised(keepers) + 1).min(keepers - 1)
    }
}
