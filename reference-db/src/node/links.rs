//! Replication, the sending side: what a node knows of its peers, and what it sends them.
//!
//! ```text
//!            not heard of: hello ... hello ...
//! A ─► B     lacks events: one batch, again after 150 ms without an acknowledgement
//!            lacks none:   an empty push once a second, in case that B has lost what it had
//! ```
//!
//! All to all, a node sends only its own events, as each other does. The events of an earlier life of some node, and those
//! of a node that takes no part any more, have nobody left to send them; every node that has them does.

use std::collections::BTreeMap;

use super::{Node, Output};
use crate::clock::DotSet;
use crate::config::{NodeConfig, Role};
use crate::defect::Defect;
use crate::message::{Body, Boot, Message};
use crate::names::{Dot, NodeName, Origin};
use crate::request::SyncState;
use crate::time::Nanos;
use crate::topology::Epoch;

/// What a node knows of its peers.
#[derive(Debug)]
pub(super) struct Links {
    peers: BTreeMap<NodeName, Link>,
}

/// What a node knows of one peer.
#[derive(Debug)]
pub(super) struct Link {
    /// True if events are sent to it directly.
    pub(super) downstream: bool,
    /// What it said last.
    pub(super) heard: Option<Heard>,
    /// When it last said anything, or when this node started.
    heard_at: Nanos,
    /// The batch that is on its way to it.
    in_flight: Option<Flight>,
    /// When it was last asked for anything.
    asked_at: Nanos,
}

/// What a peer said last.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) origin: Origin,
    pub(super) boot: Boot,
    /// What it has applied. Taken as it comes, not merged: a peer may have lost what it had.
    pub(super) applied: DotSet,
    pub(super) state: SyncState,
    /// By which layout it goes.
    pub(super) epoch: Epoch,
    /// The greatest term for which it has promised its vote.
    pub(super) promised: u64,
    /// When it sent that, by its own clock.
    pub(super) sent_at: Nanos,
    /// And when this node sent what it had last heard of it, by this node's.
    pub(super) echo: Option<Nanos>,
}

#[derive(Debug)]
struct Flight {
    sent_at: Nanos,
    dots: Vec<Dot>,
}

impl Links {
    pub(super) fn new(config: &NodeConfig, now: Nanos) -> Links {
        let downstream = config.downstream(config.name);
        let link = |peer: &NodeName| Link {
            downstream: downstream.contains(peer),
            heard: None,
            heard_at: now,
            in_flight: None,
            asked_at: now,
        };
        let others = config.members.iter().filter(|member| **member != config.name);
        Links { peers: others.map(|peer| (*peer, link(peer))).collect() }
    }

    pub(super) fn names(&self) -> Vec<NodeName> {
        self.peers.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeName, &Link)> {
        self.peers.iter().map(|(name, link)| (*name, link))
    }

    /// The peer's latest words, if there were any.
    pub(super) fn heard(&self, peer: NodeName) -> Option<&Heard> {
        self.peers.get(&peer)?.heard.as_ref()
    }

    /// When the peer last said anything, or when this node started.
    pub(super) fn heard_at(&self, peer: NodeName) -> Option<Nanos> {
        self.peers.get(&peer).map(|link| link.heard_at)
    }

    /// Takes notice of how far a peer is. False if it is none of ours.
    pub(super) fn hear(&mut self, now: Nanos, from: NodeName, message: &Message) -> bool {
        let Some(link) = self.peers.get_mut(&from) else { return false };
        let settled = |flight: &Flight| flight.dots.iter().all(|dot| message.applied.contains(*dot));
        if link.in_flight.as_ref().is_some_and(settled) {
            link.in_flight = None;
        }
        link.heard_at = now;
        link.heard = Some(Heard {
            origin: message.origin,
            boot: message.boot,
            applied: message.applied.clone(),
            state: message.state,
            epoch: message.epoch,
            promised: message.promised,
            sent_at: message.sent_at,
            echo: message.echo,
        });
        true
    }

    /// Sends events where a layout wants them. What is on its way to others may arrive or not.
    pub(super) fn relink(&mut self, config: &NodeConfig) {
        let downstream = config.downstream(config.name);
        for (peer, link) in &mut self.peers {
            link.downstream = downstream.contains(peer);
            link.in_flight = None;
        }
    }
}

impl Node {
    /// Sends every peer what it is time to send.
    pub(super) fn pump(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        for peer in self.links.names() {
            if let Some(body) = self.due(now, peer) {
                let dots = match &body {
                    Body::Push { events } => events.iter().map(|event| event.dot).collect(),
                    _ => Vec::new(),
                };
                self.note_sent(now, peer, dots);
                self.send(peer, body, outputs);
            }
        }
    }

    /// What it is time to send to a peer.
    fn due(&self, now: Nanos, peer: NodeName) -> Option<Body> {
        let link = self.links.peers.get(&peer)?;
        let timing = self.config.timing;
        let Some(heard) = &link.heard else {
            return now.is_due(link.asked_at, timing.resend_after).then_some(Body::Hello);
        };
        let waits = |flight: &Flight| !now.is_due(flight.sent_at, timing.resend_after);
        // Nobody sends anything to a router, and a witness wants to know who is there.
        let lonely = self.config.role(self.config.name) != Role::Data;
        if lonely && now.is_due(link.asked_at, timing.probe_after) {
            return Some(Body::Push { events: Vec::new() });
        }
        // Nothing else would ask a peer to which nothing is sent directly.
        let curious = self.state == SyncState::CatchingUp || self.waits_for(now, peer);
        if !link.downstream && curious && now.is_due(link.asked_at, timing.resend_after) {
            return Some(Body::Push { events: Vec::new() });
        }
        if !link.downstream || self.apart > 0 || link.in_flight.as_ref().is_some_and(waits) {
            return None;
        }
        let events = self.log.batch(&heard.applied, |origin| self.passes_on(origin, heard));
        let idle = events.is_empty() && !now.is_due(link.asked_at, timing.probe_after);
        (!idle).then_some(Body::Push { events })
    }

    /// True if events of an origin are for this node to send to a peer.
    pub(super) fn passes_on(&self, origin: Origin, peer: &Heard) -> bool {
        // Planted bug: a peer's own events go back to it as well.
        let back = origin == peer.origin && !self.config.defects.has(Defect::SkipVersionCheck);
        // What an earlier leader took, and is not there to send.
        let inherited = self.leads() && self.layout.epoch.term > 0;
        let stands_aside = || !self.config.members.contains(&origin.node);
        let orphaned = || self.links.heard(origin.node).is_some_and(|heard| heard.origin != origin);
        let ours = || {
            let regions = &self.config.regions;
            self.config.topology.passes_on(regions, origin.node, self.config.name, peer.origin.node)
        };
        !back && (ours() || inherited || stands_aside() || orphaned())
    }

    fn note_sent(&mut self, now: Nanos, peer: NodeName, dots: Vec<Dot>) {
        if let Some(link) = self.links.peers.get_mut(&peer) {
            link.asked_at = now;
            link.in_flight = (!dots.is_empty()).then_some(Flight { sent_at: now, dots });
        }
    }
}
