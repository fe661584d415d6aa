//! Relinking: the shape of the cluster changes while it runs.
//!
//! ```text
//! operator ── PUT /v1/topology ─► A   on A's disk ─► tells everyone ─► B, C: on their disks, and in force
//!                                                    D was away: hears of it with the first answer that it gets
//! ```
//!
//! Every message says by which layout its sender goes. Whoever gets one from a sender that is behind answers with the
//! layout, and whoever is behind itself speaks up and is answered; so every node hears of it that hears of anybody.
//!
//! In a chain a node that stands behind another than before may lack what the one before it has, and one that has just
//! started may have been dropped meanwhile. Until it has heard from the node before it, and has what that one had, it
//! counts as catching up, and so does who stands behind it: a tail answers only once no confirmed write is lacking.
//! The former tail must have heard of the change by then, or there would be two that answer; if it is dropped, the
//! operator says with it that the node is down. One that is only cut off goes on answering from the past.

use super::{Node, Output};
use crate::clock::DotSet;
use crate::config::NodeConfig;
use crate::message::Body;
use crate::names::NodeName;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::{Response, SyncState};
use crate::topology::{Edge, Epoch, Graph, Layout, Relink};

/// What a node of a chain must have before those behind it may rely on it.
#[derive(Debug)]
pub(super) struct Behind {
    /// The node before it.
    predecessor: NodeName,
    /// What that one had when it first spoke up in this layout.
    pub(super) had: Option<DotSet>,
}

impl Behind {
    pub(super) fn new(predecessor: NodeName) -> Behind {
        Behind { predecessor, had: None }
    }
}

impl Node {
    /// Takes a change that an operator asks for.
    pub(super) fn relink(&mut self, change: &Relink, outputs: &mut Vec<Output>) -> Response {
        let layout = self.layout.changed(change.clone(), self.config.name);
        match self.fits(&layout).and_then(|config| self.same_leader(config)) {
            Err(reason) => Response::Refused(Refusal::Relink { reason }),
            Ok(config) => {
                self.adopt(layout, config, outputs);
                self.layout()
            }
        }
    }

    /// What is in force.
    pub(super) fn layout(&self) -> Response {
        let links = self.config.members.iter().flat_map(|from| {
            let to = self.config.downstream(*from);
            to.into_iter().map(|to| Edge { from: *from, to })
        });
        Response::Layout { layout: self.layout.clone(), links: Graph { edges: links.collect() } }
    }

    fn same_leader(&self, config: NodeConfig) -> Result<NodeConfig, String> {
        match (self.config.leader(), config.leader()) {
            (Some(now), Some(then)) if now != then => {
                Err(format!("{then} would lead instead of {now}, which must stay the first of the nodes"))
            }
            _ => self.may_not_relink(&config).map_or(Ok(config), Err),
        }
    }

    /// The configuration under a layout, or why there is none.
    pub(super) fn fits(&self, layout: &Layout) -> Result<NodeConfig, String> {
        let known = |node: &NodeName| *node == self.config.name || self.links.names().contains(node);
        if let Some(stranger) = layout.nodes.iter().find(|node| !known(node)) {
            return Err(format!("{stranger} is no member of this cluster"));
        }
        self.config.relinked(layout).map_err(|error| error.to_string())
    }

    /// Takes a layout that another node knows of, if it is later than this node's.
    pub(super) fn hear_layout(&mut self, layout: Layout, outputs: &mut Vec<Output>) {
        if layout.epoch <= self.layout.epoch {
            return;
        }
        // One that does not fit comes from a node with other settings: there is no going by it.
        if let Ok(config) = self.fits(&layout) {
            self.adopt(layout, config, outputs);
        }
    }

    /// Sees to it that both sides go by the later layout.
    pub(super) fn compare_layouts(&self, peer: NodeName, epoch: Epoch, outputs: &mut Vec<Output>) {
        match epoch.cmp(&self.layout.epoch) {
            std::cmp::Ordering::Less => self.send(peer, Body::Layout(self.layout.clone()), outputs),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => self.send(peer, Body::Ack, outputs),
        }
    }

    pub(super) fn adopt(&mut self, layout: Layout, config: NodeConfig, outputs: &mut Vec<Output>) {
        outputs.push(Output::Persist(Record::Layout(layout.clone())));
        self.go_by(layout.clone(), config, outputs);
        for peer in self.links.names() {
            self.send(peer, Body::Layout(layout.clone()), outputs);
        }
    }

    /// Puts a layout in force.
    pub(super) fn go_by(&mut self, layout: Layout, config: NodeConfig, outputs: &mut Vec<Output>) {
        let (before, led) = (self.config.predecessor(), self.leads());
        let new_term = layout.epoch.term > self.layout.epoch.term;
        (self.layout, self.config) = (layout, config);
        if new_term {
            self.leadership.begin(self.now);
            self.rejoin(&self.layout.base.clone());
            if led && !self.leads() {
                self.depose(outputs);
            }
        }
        self.links.relink(&self.config);
        let members = &self.config.members;
        self.unconfirmed.removed.retain(|node| members.contains(node));
        self.behind = match self.config.predecessor() {
            Some(predecessor) if self.config.leader().is_some() && before != Some(predecessor) => {
                self.state = SyncState::CatchingUp;
                Some(Behind::new(predecessor))
            }
            _ => None,
        };
    }

    /// Takes notice of what the node before this one in the chain has, once it may be relied on.
    pub(super) fn hear_predecessor(&mut self, from: NodeName) {
        let Some(behind) = self.behind.as_mut().filter(|behind| behind.predecessor == from) else { return };
        let Some(heard) = self.links.heard(from) else { return };
        let relied_on = heard.epoch >= self.layout.epoch && heard.state == SyncState::InSync;
        if behind.had.is_none() && relied_on {
            behind.had = Some(heard.applied.clone());
        }
    }
}
