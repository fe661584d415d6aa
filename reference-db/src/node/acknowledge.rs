//! Acknowledgement: writes that are taken and not confirmed yet, because too few nodes have them.
//!
//! ```text
//! write x 7 ─► A:9, on A's disk ─► queue ─► B: "I have up to A:9" ─► enough? ─► Reply, acked by A and B
//!                                    └─► nobody in time ─► wait on, or give the waiting up, or say that nobody knows
//! ```
//!
//! The queue is in the order of the node's own events, as the positions of a log are: a write is confirmed after all
//! that were taken before it. Nothing of it is on disk. After a crash the clients of what was in it have no answer.
//!
//! A peer is *in sync* if it has what was the node's latest event when the mark was set; marks are set a second apart.
//! By that, and not by the very latest event, a follower is in sync under a steady stream of writes.

use std::collections::{BTreeSet, VecDeque};

use super::session::bare;
use super::{Node, Output, Ticket};
use crate::ack::{AckPolicy, OnAckTimeout, OnFollowerDown};
use crate::config::Role;
use crate::message::{Body, CallId};
use crate::names::{Dot, NodeName, Sequence};
use crate::refusal::Refusal;
use crate::request::Response;
use crate::time::Nanos;

/// How long a mark stands.
const MARK_EVERY: Nanos = Nanos::from_millis(1000);

/// To whom an answer goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    /// A client of this node.
    Client(Ticket),
    /// A follower that passed its client's request on.
    Follower { node: NodeName, call: CallId },
}

/// Writes that wait to be confirmed, and how the waiting goes.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    writes: VecDeque<Write>,
    /// True while writes are confirmed without the others.
    pub(super) degraded: bool,
    /// Peers that do not count.
    pub(super) removed: BTreeSet<NodeName>,
    mark: Mark,
}

#[derive(Debug)]
struct Write {
    dot: Dot,
    since: Nanos,
    asker: Asker,
    response: Response,
}

/// The node's latest own event at some time.
#[derive(Debug, Clone, Copy)]
struct Mark {
    sequence: Sequence,
    set_at: Nanos,
}

/// What is to become of a write.
enum Fate {
    Confirmed,
    Waits,
    Failed { needed: usize },
}

impl Unconfirmed {
    pub(super) fn new(now: Nanos) -> Unconfirmed {
        Unconfirmed {
            writes: VecDeque::new(),
            degraded: false,
            removed: BTreeSet::new(),
            mark: Mark { sequence: Sequence(0), set_at: now },
        }
    }
}

impl Unconfirmed {
    /// Whoever waits, and waits no more.
    pub(super) fn take_askers(&mut self) -> Vec<Asker> {
        self.writes.drain(..).map(|write| write.asker).collect()
    }
}

impl Node {
    /// Answers, at once or when enough nodes have what was written.
    pub(super) fn answer(
        &mut self,
        now: Nanos,
        asker: Asker,
        mut response: Response,
        outputs: &mut Vec<Output>,
    ) {
        let waits = self.config.ack.policy != AckPolicy::Leader;
        let told_later = self.is_fenced() && tells_data(&response);
        match written(&mut response) {
            Some((dot, _)) if waits => {
                self.unconfirmed.writes.push_back(Write { dot, since: now, asker, response });
            }
            Some((_, acked_by)) => {
                acked_by.push(self.config.name);
                self.deliver(asker, response, outputs);
            }
            // What was read may be among what waits, and may be lost with this leader: then nobody must have seen it.
            None if told_later => match self.unconfirmed.writes.back().map(|write| write.dot) {
                Some(dot) => {
                    self.unconfirmed.writes.push_back(Write { dot, since: now, asker, response });
                }
                None => self.deliver(asker, response, outputs),
            },
            None => self.deliver(asker, response, outputs),
        }
    }

    pub(super) fn deliver(&self, asker: Asker, response: Response, outputs: &mut Vec<Output>) {
        match asker {
            Asker::Client(ticket) => outputs.push(Output::Reply { ticket, response }),
            Asker::Follower { node, call } => self.send(node, Body::Answer { call, response }, outputs),
        }
    }

    /// Confirms what enough nodes have by now.
    pub(super) fn confirm(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        while let Some(write) = self.unconfirmed.writes.front() {
            let (dot, since) = (write.dot, write.since);
            let fate = self.fate(now, dot, since);
            if matches!(fate, Fate::Waits) {
                return;
            }
            let acked_by = self.holders(dot);
            let Some(Write { asker, mut response, .. }) = self.unconfirmed.writes.pop_front() else { return };
            if let Fate::Failed { needed } = fate {
                let acked_by = acked_by.len();
                response = Response::Refused(Refusal::NotAcknowledged { acked_by, needed });
            } else if let Some((_, named)) = written(&mut response) {
                *named = acked_by;
            }
            self.deliver(asker, response, outputs);
        }
    }

    fn fate(&mut self, now: Nanos, dot: Dot, since: Nanos) -> Fate {
        let needed = self.acks_needed();
        let counted = self.holders(dot).iter().filter(|node| self.counts(**node)).count();
        if counted >= needed || self.unconfirmed.degraded {
            return Fate::Confirmed;
        }
        let ack = self.config.ack;
        match ack.on_timeout() {
            OnAckTimeout::Degrade if now.is_due(since, ack.timeout()) => {
                self.degrade(now);
                Fate::Confirmed
            }
            OnAckTimeout::Fail if now.is_due(since, ack.timeout()) => Fate::Failed { needed },
            OnAckTimeout::Block | OnAckTimeout::Degrade | OnAckTimeout::Fail => Fate::Waits,
        }
    }

    /// Sees to peers that have fallen silent, and to those that are in sync again.
    pub(super) fn watch_followers(&mut self, now: Nanos) {
        if matches!(self.config.ack.policy, AckPolicy::Leader | AckPolicy::Tail) {
            return;
        }
        if now.is_due(self.unconfirmed.mark.set_at, MARK_EVERY) {
            self.set_mark(now);
        }
        match self.config.ack.on_follower_down() {
            OnFollowerDown::Block => {}
            OnFollowerDown::Degrade => {
                let is_up = |peer: &&NodeName| self.counts(**peer) && !self.is_down(now, **peer);
                let up = 1 + self.links.names().iter().filter(is_up).count();
                if up < self.acks_needed() {
                    self.degrade(now);
                }
            }
            OnFollowerDown::Remove => self.remove_silent(now),
        }
        self.reinstate(now);
    }

    fn remove_silent(&mut self, now: Nanos) {
        for peer in self.links.names() {
            if self.counts(peer) && self.is_down(now, peer) && self.unconfirmed.removed.insert(peer) {
                self.set_mark(now);
            }
        }
    }

    /// Counts again who is in sync again, and waits again if they are enough.
    fn reinstate(&mut self, now: Nanos) {
        let in_sync: Vec<NodeName> =
            self.links.names().into_iter().filter(|peer| self.is_in_sync(now, *peer)).collect();
        self.unconfirmed.removed.retain(|peer| !in_sync.contains(peer));
        let counted = 1 + in_sync.iter().filter(|peer| self.counts(**peer)).count();
        if counted >= self.acks_needed() {
            self.unconfirmed.degraded = false;
        }
    }

    fn degrade(&mut self, now: Nanos) {
        if !self.unconfirmed.degraded {
            self.unconfirmed.degraded = true;
            self.set_mark(now);
        }
    }

    fn set_mark(&mut self, now: Nanos) {
        let sequence = self.applied.vector().get(self.origin);
        self.unconfirmed.mark = Mark { sequence, set_at: now };
    }

    /// Which nodes have an event, as far as this one knows.
    fn holders(&self, dot: Dot) -> Vec<NodeName> {
        let has = |peer: &NodeName| self.links.heard(*peer).is_some_and(|heard| heard.applied.contains(dot));
        if self.config.ack.policy == AckPolicy::Tail && self.config.tail().is_some_and(|tail| has(&tail)) {
            let mut all = self.config.keepers();
            all.sort_unstable();
            return all;
        }
        let mut holders = vec![self.config.name];
        holders.extend(self.links.names().into_iter().filter(has));
        holders.sort_unstable();
        holders
    }

    fn acks_needed(&self) -> usize {
        self.config.ack.needed(self.config.keepers().len() - self.unconfirmed.removed.len())
    }

    /// True if a write has waited for a peer to which nothing is sent directly: what it said may be lost.
    pub(super) fn waits_for(&self, now: Nanos, peer: NodeName) -> bool {
        let waits = |write: &Write| now.is_due(write.since, self.config.timing.resend_after);
        self.confirms_to(peer, self.config.name) && self.unconfirmed.writes.front().is_some_and(waits)
    }

    /// True if `node` tells `leader` itself how far it is.
    pub(super) fn confirms_to(&self, node: NodeName, leader: NodeName) -> bool {
        let of_a_chain = self.config.ack.policy == AckPolicy::Tail && self.config.tail() == Some(node);
        of_a_chain && self.config.leader() == Some(leader)
    }

    /// True if an acknowledgement of this node counts.
    pub(super) fn counts(&self, node: NodeName) -> bool {
        let keeps = self.config.members.contains(&node) && self.config.role(node) != Role::Router;
        keeps && !self.unconfirmed.removed.contains(&node)
    }

    pub(super) fn is_down(&self, now: Nanos, peer: NodeName) -> bool {
        let silence_max = self.config.timing.silence_max;
        self.links.heard_at(peer).is_none_or(|heard_at| now.is_due(heard_at, silence_max))
    }

    fn is_in_sync(&self, now: Nanos, peer: NodeName) -> bool {
        let mark = self.unconfirmed.mark.sequence;
        let has_mark = || {
            let heard = self.links.heard(peer);
            heard.is_some_and(|heard| heard.applied.vector().get(self.origin) >= mark)
        };
        !self.is_down(now, peer) && has_mark()
    }
}

/// True if a response tells something of what the node holds.
fn tells_data(response: &Response) -> bool {
    match response {
        Response::Committed { .. }
        | Response::InSession { .. }
        | Response::Keys(_)
        | Response::Read { .. } => true,
        Response::Digest(_)
        | Response::Discarded(_)
        | Response::Layout { .. }
        | Response::Refused(_)
        | Response::Status(_)
        | Response::Written { .. } => false,
    }
}

/// What a response says was written, and the place for who has it.
fn written(response: &mut Response) -> Option<(Dot, &mut Vec<NodeName>)> {
    match bare(response) {
        Response::Written { dot, acked_by, .. } | Response::Committed { dot: Some(dot), acked_by, .. } => {
            Some((*dot, acked_by))
        }
        Response::Committed { dot: None, .. }
        | Response::Digest(_)
        | Response::Discarded(_)
        | Response::InSession { .. }
        | Response::Keys(_)
        | Response::Layout { .. }
        | Response::Read { .. }
        | Response::Refused(_)
        | Response::Status(_) => None,
    }
}
