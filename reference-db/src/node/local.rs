//! Requests: what a node does for a client by itself.
//!
//! ```text
//! write x 7 ─► plan (refused? nothing happened) ─► event A:9 ─► applied here ─► Persist, Reply, and then to the peers
//! ```

use std::sync::Arc;

use super::acknowledge::Asker;
use super::{Node, Output, Ticket};
use crate::clock::{DotSet, Stamp};
use crate::conflict::{Moment, Plan, Refused};
use crate::defect::Defect;
use crate::event::{Effect, Event};
use crate::mode::Mode;
use crate::names::Dot;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::{Action, Ask, Request, Response, Step};
use crate::time::Nanos;

/// How long the planted bug keeps confirmed events from the disk.
const FLUSH_AFTER: Nanos = Nanos::from_millis(100);

impl Node {
    pub(super) fn request(
        &mut self,
        now: Nanos,
        ticket: Ticket,
        request: Request,
        outputs: &mut Vec<Output>,
    ) {
        match self.destination(now, &request) {
            Some(node) => self.misdirected(now, node, ticket, request, outputs),
            None => self.perform(now, Asker::Client(ticket), request, outputs),
        }
    }

    /// Why this node may not answer, if so.
    pub(super) fn refusal(&self, request: &Request) -> Option<Refusal> {
        if request.is_for_one_node() { None } else { self.unfit() }
    }

    /// Answers from what this node has, and takes the writes that are asked for.
    pub(super) fn execute(&mut self, now: Nanos, ask: &Ask, outputs: &mut Vec<Output>) -> Response {
        match ask {
            Ask::Single(step) if step.action == Action::Read => {
                Response::Read { reading: self.store.read(&step.key), context: self.context() }
            }
            Ask::Single(step) => match self.commit(now, std::slice::from_ref(step), outputs) {
                Ok((Some(dot), _)) => {
                    Response::Written { dot, context: DotSet::of([dot]), acked_by: Vec::new() }
                }
                Ok((None, plan)) => committed(None, plan),
                Err(Refused { refusal, .. }) => Response::Refused(refusal),
            },
            Ask::Transaction(steps) => match self.commit(now, steps, outputs) {
                Ok((dot, plan)) => committed(dot, plan),
                Err(Refused { step, refusal }) => {
                    Response::Refused(Refusal::Aborted { step, reason: refusal.to_string() })
                }
            },
            Ask::Keys => Response::Keys(self.store.keys()),
            Ask::Discarded => Response::Discarded(self.discarded.clone()),
            Ask::Layout => self.layout(),
            Ask::Promote { force } => self.promote(*force, outputs),
            Ask::Relink(change) => self.relink(change, outputs),
            Ask::Digest => Response::Digest(self.digest()),
            Ask::Status => Response::Status(self.status()),
        }
    }

    /// What a client has seen that reads here now. Only siblings need to be told.
    fn context(&self) -> DotSet {
        match self.config.mode {
            Mode::Siblings => self.applied.clone(),
            Mode::Crdt | Mode::Lww | Mode::SingleLeader => DotSet::new(),
        }
    }

    fn commit(
        &mut self,
        now: Nanos,
        steps: &[Step],
        outputs: &mut Vec<Output>,
    ) -> Result<(Option<Dot>, Plan), Refused> {
        let sequence = self.applied.vector().get(self.origin).next();
        let stamp = Stamp { hlc: self.clock.peek(now), dot: Dot { origin: self.origin, sequence } };
        let moment = Moment { stamp, ordinal: 0, applied: &self.applied, defects: &self.config.defects };
        let mut plan = self.store.plan(steps, &moment)?;
        if plan.effects.is_empty() {
            return Ok((None, plan));
        }
        self.clock.tick(now);
        self.take(stamp, std::mem::take(&mut plan.effects), outputs);
        Ok((Some(stamp.dot), plan))
    }

    fn take(&mut self, stamp: Stamp, effects: Vec<Effect>, outputs: &mut Vec<Output>) {
        let deps = self.applied.vector().clone();
        let event = Arc::new(Event { dot: stamp.dot, hlc: stamp.hlc, deps, effects: effects.into() });
        self.enact(&event);
        // Planted bug: the client is answered, and the disk is asked some time later.
        if self.config.defects.has(Defect::ConfirmBeforeDurable) {
            self.unflushed.events.push(event);
            return;
        }
        self.log.insert(Arc::clone(&event));
        outputs.push(Output::Persist(Record::Event(event)));
    }

    /// Brings to the disk what the planted bug kept from it. Peers get these events only now: an event that they had
    /// and its own node lost would be another bug.
    pub(super) fn flush(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        if self.unflushed.events.is_empty() || !now.is_due(self.unflushed.flushed_at, FLUSH_AFTER) {
            return;
        }
        self.unflushed.flushed_at = now;
        for event in std::mem::take(&mut self.unflushed.events) {
            self.log.insert(Arc::clone(&event));
            outputs.push(Output::Persist(Record::Event(event)));
        }
    }
}

fn committed(dot: Option<Dot>, plan: Plan) -> Response {
    Response::Committed { dot, readings: plan.readings, acked_by: Vec::new() }
}
