//! What a node says about itself.

use super::Node;
use super::links::Heard;
use crate::request::{Digest, PeerStatus, Status};

impl Node {
    /// How far the node has come, and a hash of what it holds. O(n) in all that it holds.
    pub fn digest(&self) -> Digest {
        let hash = format!("{:016x}", self.store.fingerprint());
        Digest { node: self.config.name, applied: self.applied.vector().clone(), hash }
    }

    /// What the node is, and how its replication goes.
    pub fn status(&self) -> Status {
        let peers = self.links.iter().map(|(node, link)| {
            let unknown = |heard: &Heard| {
                self.log.count_unknown(&heard.applied, |origin| self.passes_on(origin, heard))
            };
            let heard = link.heard.as_ref();
            // Of a peer that has never been heard of nothing is known but that it lacks something.
            let lag = heard.map_or(self.log.len() as u64, unknown);
            let lag = if link.downstream { lag } else { 0 };
            PeerStatus {
                node,
                heard: heard.is_some(),
                downstream: link.downstream,
                counted: self.counts(node),
                lag,
            }
        });
        Status {
            node: self.config.name,
            origin: self.origin.to_string(),
            role: self.config.role(self.config.name),
            epoch: self.layout.epoch.number,
            term: self.layout.epoch.term,
            apart: self.apart,
            included: self.config.is_included(),
            mode: self.config.mode,
            topology: self.config.topology,
            delivery: self.config.delivery,
            ack: self.config.ack.policy,
            reads: self.config.reads,
            degraded: self.unconfirmed.degraded,
            state: self.state,
            leader: self.config.leader().or_else(|| self.config.region_leader()),
            defects: self.config.defects.iter().map(|defect| defect.to_string()).collect(),
            peers: peers.collect(),
            held_back: self.held.len(),
            events: self.log.len() + self.unflushed.events.len(),
        }
    }
}
