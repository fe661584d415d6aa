//! Catching up: a node that leads alone and has lost its disk does not lead before it has what the others have.
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
//! A cluster that starts for the first time looks the same from inside, so there, too, the leader waits for the others.
//! A disk that is lost while another is being filled again is one loss more than this covers.

use super::{Node, Output};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::SyncState;

impl Node {
    /// What a node that starts has to do before it leads.
    pub(super) fn first_state(&self, fresh: bool) -> SyncState {
        let leads_alone = self.config.leader() == Some(self.config.name);
        if fresh && leads_alone { SyncState::CatchingUp } else { SyncState::InSync }
    }

    /// Why this node may not answer for the cluster yet, if so.
    pub(super) fn unfit(&self) -> Option<Refusal> {
        match self.state {
            SyncState::InSync => None,
            SyncState::CatchingUp => {
                let (met, needed) = (self.caught_up_with(), self.must_catch_up_with());
                Some(Refusal::CatchingUp { met, needed })
            }
        }
    }

    /// Leads from now on, if it has what enough others have.
    pub(super) fn catch_up(&mut self, outputs: &mut Vec<Output>) {
        if self.state == SyncState::CatchingUp && self.caught_up_with() >= self.must_catch_up_with() {
            self.state = SyncState::InSync;
            // What it confirms from here on is on its own disk: a crash does not send it back.
            outputs.push(Output::Persist(Record::InSync { origin: self.origin }));
        }
    }

    /// How many others have told what they have, of which nothing is lacking here.
    fn caught_up_with(&self) -> usize {
        let heard = self.links.iter().filter_map(|(_, link)| link.heard.as_ref());
        heard.filter(|heard| heard.applied.is_within(&self.applied)).count()
    }

    /// Among so many others is one that has a confirmed write.
    fn must_catch_up_with(&self) -> usize {
        let members = self.config.members.len();
        (members - self.config.ack.promised(members) + 1).min(members - 1)
    }
}
