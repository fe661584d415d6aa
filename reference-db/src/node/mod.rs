//! A node, without any I/O: inputs and the time go in, outputs come out.
//!
//! ```text
//!   Request ─┐                        ┌─► Persist   make this durable before any later output leaves
//!   Message ─┼─► step(now, input) ────┼─► Reply     to a client
//!      Tick ─┘                        └─► Send      to a peer; may be lost
//! ```
//!
//! The host owes a node three things: it makes every [`Output::Persist`] durable before it lets go of any output that
//! came later, in the same or in another step; it gives the records back, in order, when the node starts again; and it
//! ticks every few milliseconds. Nothing else is asked of it: messages may be lost, doubled, late and out of order, and
//! the node may be dropped between any two steps.
//!
//! The same inputs at the same times give the same outputs. A node panics on no input.

mod acknowledge;
mod catch_up;
mod forward;
mod lead;
mod links;
mod local;
mod relink;
mod replicate;
mod session;
mod start;
mod status;

use std::sync::Arc;

use crate::clock::{DotSet, HybridClock};
use crate::config::NodeConfig;
use crate::conflict::Store;
use crate::delivery::HoldBack;
use crate::event::Event;
use crate::log::Log;
use crate::message::{Body, Boot, Message};
use crate::names::{NodeName, Origin};
use crate::record::Record;
use crate::request::{Request, Response, SyncState};
use crate::time::Nanos;
use crate::topology::Layout;
use acknowledge::Unconfirmed;
use forward::{Calls, Served};
use lead::Leadership;
use links::Links;
use relink::Behind;
use session::Parked;

pub use start::RecoverError;

/// The host's name for a request, which the reply brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What happens to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most inputs are messages, and each is taken apart at once")]
pub enum Input {
    /// A client asks.
    Request {
        /// Comes back with the reply.
        ticket: Ticket,
        /// What is asked.
        request: Request,
    },
    /// A peer says something.
    Message {
        /// Who.
        from: NodeName,
        /// What.
        message: Message,
    },
    /// Time has passed.
    Tick,
}

/// What a node wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most outputs are messages, and each is taken apart at once")]
pub enum Output {
    /// Make this durable before any later output leaves.
    Persist(Record),
    /// Answer a client. Each request is answered once, unless the node stops before.
    Reply {
        /// Which request.
        ticket: Ticket,
        /// The answer.
        response: Response,
    },
    /// Tell a peer.
    Send {
        /// Whom.
        to: NodeName,
        /// What.
        message: Message,
    },
}

/// A node.
pub struct Node {
    config: NodeConfig,
    origin: Origin,
    boot: Boot,
    clock: HybridClock,
    applied: DotSet,
    log: Log,
    store: Box<dyn Store>,
    held: HoldBack,
    links: Links,
    calls: Calls,
    served: Served,
    unconfirmed: Unconfirmed,
    unflushed: Unflushed,
    state: SyncState,
    layout: Layout,
    behind: Option<Behind>,
    leadership: Leadership,
    /// How many events keep it out, since a new leader had them not.
    apart: usize,
    parked: Vec<Parked>,
    discarded: Vec<Arc<Event>>,
    /// When the step began that is under way.
    now: Nanos,
}

/// Own events that were confirmed and are not yet on their way to the disk: only a planted bug leaves any here.
#[derive(Debug, Default)]
struct Unflushed {
    events: Vec<Arc<Event>>,
    flushed_at: Nanos,
}

impl Node {
    /// Lets something happen to the node.
    pub fn step(&mut self, now: Nanos, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.now = now;
        match input {
            Input::Request { ticket, request } => self.request(now, ticket, request, &mut outputs),
            Input::Message { from, message } => self.receive(now, from, message, &mut outputs),
            Input::Tick => self.tick(now, &mut outputs),
        }
        self.catch_up(&mut outputs);
        self.unpark(now, &mut outputs);
        self.confirm(now, &mut outputs);
        self.pump(now, &mut outputs);
        outputs
    }

    /// What the node goes by: what it was started with, in the layout that is in force.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The node, as in its dots.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    fn tick(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        self.expire_calls(now, outputs);
        self.lead_or_follow(outputs);
        self.flush(now, outputs);
        self.watch_followers(now);
        self.forget(now, outputs);
    }

    /// Forgets deletions that are older than tombstones live. It is put down, because what arrives later finds another
    /// store: without the record a node that starts again would not be what it was.
    fn forget(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        let span = self.config.tombstones;
        if span == Nanos(0) {
            return;
        }
        let forgotten = self.store.expire(now.0.saturating_sub(span.0) / 1_000_000);
        if !forgotten.is_empty() {
            outputs.push(Output::Persist(Record::Forgotten(forgotten)));
        }
    }

    fn send(&self, to: NodeName, body: Body, outputs: &mut Vec<Output>) {
        let (origin, boot, applied) = (self.origin, self.boot, self.applied.clone());
        let (state, epoch, promised) = (self.state, self.layout.epoch, self.promised());
        let (sent_at, echo) = (self.now, self.echo_to(to));
        let message = Message { origin, boot, applied, state, epoch, promised, sent_at, echo, body };
        outputs.push(Output::Send { to, message });
    }
}
