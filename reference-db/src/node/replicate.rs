//! Replication, the receiving side: what a node does with what its peers tell it.
//!
//! ```text
//! push [A:4 A:5] ─► seen before? dropped ─► held back until ready ─► applied, Persist ─► ack to who brought it
//! ```
//!
//! An event is named by its dot, and a dot that has been applied is not applied again. That one check makes lost
//! acknowledgements, doubled messages and rings harmless.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Node, Output};
use crate::config::Role;
use crate::conflict::Moment;
use crate::defect::Defect;
use crate::delivery::Held;
use crate::event::Event;
use crate::message::{Body, Message};
use crate::names::NodeName;
use crate::record::Record;
use crate::time::Nanos;

impl Node {
    pub(super) fn receive(
        &mut self,
        now: Nanos,
        from: NodeName,
        message: Message,
        outputs: &mut Vec<Output>,
    ) {
        if message.origin.node != from || !self.links.hear(now, from, &message) {
            return;
        }
        self.hear_predecessor(from);
        self.hear_leader(from, message.epoch.term);
        // A layout may be what makes up for the difference.
        if !matches!(message.body, Body::Layout(_)) {
            self.compare_layouts(from, message.epoch, outputs);
        }
        match message.body {
            Body::Layout(layout) => self.hear_layout(layout, outputs),
            Body::Hello => self.send(from, Body::Ack, outputs),
            Body::Ack => {}
            Body::Canvass { term } => self.canvassed(from, term, outputs),
            Body::Vote { term } => self.voted(from, term, outputs),
            Body::Push { .. } if !self.takes_events_of(message.epoch.term) => {
                self.send(from, Body::Ack, outputs);
            }
            Body::Push { events } => self.accept(from, events, outputs),
            Body::Forward { leader, call, request } => self.serve(now, from, leader, call, request, outputs),
            Body::Answer { call, response } => self.answered(call, response, outputs),
        }
    }

    fn accept(&mut self, from: NodeName, events: Vec<Arc<Event>>, outputs: &mut Vec<Output>) {
        for event in events {
            self.offer(Held { event, from });
        }
        // Whoever brought an event that was held back until now still waits to hear that it is settled.
        let mut waiting = BTreeSet::from([from]);
        let (delivery, defects) = (self.config.delivery, self.config.defects.clone());
        while let Some(held) = self.held.release(|event| delivery.is_ready(event, &self.applied, &defects)) {
            waiting.insert(held.from);
            self.keep(held.event, outputs);
        }
        let leader = self.config.leader().filter(|leader| self.confirms_to(self.config.name, *leader));
        waiting.extend(leader.filter(|leader| *leader != self.config.name));
        for peer in waiting {
            self.send(peer, Body::Ack, outputs);
        }
    }

    fn keep(&mut self, event: Arc<Event>, outputs: &mut Vec<Output>) {
        match self.config.role(self.config.name) {
            Role::Data => {
                self.enact(&event);
                self.log.insert(Arc::clone(&event));
                outputs.push(Output::Persist(Record::Event(event)));
            }
            Role::Witness => {
                self.applied.insert(event.dot);
                outputs.push(Output::Persist(Record::Witnessed(event.dot)));
            }
            // Nobody sends it any.
            Role::Router => {}
        }
    }

    fn offer(&mut self, held: Held) {
        let dot = held.event.dot;
        if self.applied.contains(dot) {
            // Planted bug: what the dot says about having been here is not looked at.
            if self.config.defects.has(Defect::SkipVersionCheck) {
                self.enact(&held.event);
            }
        } else if !self.held.contains(dot) {
            self.held.insert(held);
        }
    }

    /// Applies an event as a whole.
    pub(super) fn enact(&mut self, event: &Event) {
        let stamp = event.stamp();
        for (ordinal, effect) in event.effects.iter().enumerate() {
            let (applied, defects) = (&self.applied, &self.config.defects);
            self.store.apply(effect, &Moment { stamp, ordinal: ordinal as u32, applied, defects });
        }
        self.applied.insert(event.dot);
        self.clock.observe(event.hlc);
    }
}
