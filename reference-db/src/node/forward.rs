//! Forwarding: with a single leader, or one in each region, followers pass requests on and bring the answer back.
//!
//! ```text
//! client ─► follower ── forward 7 ─► leader      no answer in time: a read did not happen,
//! client ◄─ follower ◄── answer 7 ── leader      a write may have, or may yet
//! ```
//!
//! The network may double a forwarded write and bring the second copy late. The leader does each call once: it
//! remembers the numbers that it has seen since it started, and leaves alone what was sent to an earlier start of it.

use std::collections::{BTreeMap, BTreeSet};

use super::acknowledge::Asker;
use super::{Node, Output, Ticket};
use crate::config::Role;
use crate::message::{Body, Boot, CallId};
use crate::misdirected::Misdirected;
use crate::names::NodeName;
use crate::refusal::Refusal;
use crate::request::{Request, Response};
use crate::time::Nanos;

/// How many calls of one follower the leader remembers; older ones it does not do any more.
const SERVED_MAX: usize = 4096;

/// Requests that a follower has passed on.
#[derive(Debug, Default)]
pub(super) struct Calls {
    count: u64,
    open: BTreeMap<u64, Call>,
}

#[derive(Debug)]
struct Call {
    ticket: Ticket,
    since: Nanos,
    write: bool,
}

/// Requests that a leader has seen, for each start of each follower.
#[derive(Debug, Default)]
pub(super) struct Served {
    numbers: BTreeMap<(NodeName, Boot), BTreeSet<u64>>,
}

impl Served {
    /// True for a call that has not been seen before.
    fn admit(&mut self, from: NodeName, call: CallId) -> bool {
        let seen = self.numbers.entry((from, call.boot)).or_default();
        let forgotten = seen.len() == SERVED_MAX && seen.first().is_some_and(|first| call.number < *first);
        if forgotten || !seen.insert(call.number) {
            return false;
        }
        if seen.len() > SERVED_MAX {
            seen.pop_first();
        }
        true
    }
}

impl Node {
    /// The node to which a request must go, unless this node may answer it.
    pub(super) fn destination(&self, now: Nanos, request: &Request) -> Option<NodeName> {
        match self.config.role(self.config.name) {
            Role::Data => {
                self.answerer(request).filter(|node| *node != self.config.name && !request.is_for_one_node())
            }
            // It has nothing to answer from, but what it knows of itself and of the cluster.
            Role::Router | Role::Witness if request.ask.is_about_node() => None,
            Role::Router | Role::Witness => {
                let one_for_all = self.answerer(request).filter(|node| *node != self.config.name);
                one_for_all.or_else(|| self.nearest(now))
            }
        }
    }

    /// The node with data that a request goes to which any of them may answer: one that speaks before one that has fallen
    /// silent, and one of the region before others.
    fn nearest(&self, now: Nanos) -> Option<NodeName> {
        let far = |node: NodeName| !self.config.regions.are_close(self.config.name, node);
        self.config.data_nodes().into_iter().min_by_key(|node| (self.is_down(now, *node), far(*node)))
    }

    /// What becomes of a request that another node has to answer.
    pub(super) fn misdirected(
        &mut self,
        now: Nanos,
        to: NodeName,
        ticket: Ticket,
        request: Request,
        outputs: &mut Vec<Output>,
    ) {
        let redirect = match self.config.misdirected {
            // What has no data is there to pass on.
            _ if self.config.role(self.config.name) != Role::Data => None,
            Misdirected::Forward => None,
            Misdirected::Redirect => Some(true),
            Misdirected::Reject => Some(false),
        };
        match redirect {
            None => self.forward(now, to, ticket, request, outputs),
            Some(redirect) => {
                let response = Response::Refused(Refusal::Misdirected { to, redirect });
                outputs.push(Output::Reply { ticket, response });
            }
        }
    }

    /// Who answers such requests for the cluster.
    fn answerer(&self, request: &Request) -> Option<NodeName> {
        if request.ask.is_write() {
            self.config.taker().or(Some(self.config.name))
        } else {
            self.config.reader()
        }
    }

    pub(super) fn forward(
        &mut self,
        now: Nanos,
        leader: NodeName,
        ticket: Ticket,
        request: Request,
        outputs: &mut Vec<Output>,
    ) {
        let Some(boot) = self.links.heard(leader).map(|heard| heard.boot) else {
            outputs.push(Output::Reply { ticket, response: Response::Refused(Refusal::NoLeader) });
            return;
        };
        self.calls.count += 1;
        let call = CallId { boot: self.boot, number: self.calls.count };
        self.calls.open.insert(call.number, Call { ticket, since: now, write: request.ask.is_write() });
        self.send(leader, Body::Forward { leader: boot, call, request }, outputs);
    }

    pub(super) fn answered(&mut self, call: CallId, response: Response, outputs: &mut Vec<Output>) {
        // An answer to what an earlier start of this node asked finds nobody waiting.
        if call.boot != self.boot {
            return;
        }
        if let Some(Call { ticket, .. }) = self.calls.open.remove(&call.number) {
            outputs.push(Output::Reply { ticket, response });
        }
    }

    pub(super) fn expire_calls(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        let patience = self.config.timing.leader_answer_max;
        while let Some(entry) = self.calls.open.first_entry()
            && now.is_due(entry.get().since, patience)
        {
            let Call { ticket, write, .. } = entry.remove();
            outputs
                .push(Output::Reply { ticket, response: Response::Refused(Refusal::LeaderSilent { write }) });
        }
    }

    pub(super) fn serve(
        &mut self,
        now: Nanos,
        from: NodeName,
        leader: Boot,
        call: CallId,
        request: Request,
        outputs: &mut Vec<Output>,
    ) {
        let asker = Asker::Follower { node: from, call };
        let another = self.answerer(&request).is_some_and(|node| node != self.config.name);
        let misdirected = another && !request.is_for_one_node();
        if leader != self.boot || misdirected {
            // This may be the second copy of a call that an earlier start has done.
            let refusal = Refusal::LeaderSilent { write: request.ask.is_write() };
            self.answer(now, asker, Response::Refused(refusal), outputs);
        } else if self.served.admit(from, call) {
            self.perform(now, asker, request, outputs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_done_once_however_late_its_copy() {
        let mut served = Served::default();
        let follower = NodeName::new("B").unwrap();
        let call = |number| CallId { boot: Boot(1), number };
        for number in 1..=2 * SERVED_MAX as u64 {
            assert!(served.admit(follower, call(number)));
        }
        for number in 1..=2 * SERVED_MAX as u64 {
            assert!(!served.admit(follower, call(number)), "{number} was done twice");
        }
        assert!(served.admit(follower, CallId { boot: Boot(2), number: 1 }));
    }
}
