//! Starting: a node is what its records make it.
//!
//! ```text
//! Start A 1 │ InSync A │ A:1 │ B:1 │ A:2 │ Start A 2 │ A:3       replayed in order, then: Start A 3, hello to everyone
//! ```

use super::{Node, Output, Unflushed};
use crate::clock::{DotSet, HybridClock};
use crate::config::{NodeConfig, Role};
use crate::conflict;
use crate::delivery::HoldBack;
use crate::log::Log;
use crate::message::{Body, Boot};
use crate::names::{NodeName, Origin};
use crate::node::acknowledge::Unconfirmed;
use crate::node::forward::{Calls, Served};
use crate::node::lead::Leadership;
use crate::node::links::Links;
use crate::record::{FORMAT, Record};
use crate::request::SyncState;
use crate::time::Nanos;
use crate::topology::Layout;

/// Why a node cannot start from some records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// Written by another version.
    #[error("store has format {found}, this version reads {FORMAT}: start with an empty directory")]
    Format {
        /// Which.
        found: u32,
    },
    /// Another node's.
    #[error("store belongs to node {found}, not to {expected}: give each node a directory of its own")]
    OtherNode {
        /// Whose it is.
        found: NodeName,
        /// Whose it should be.
        expected: NodeName,
    },
    /// It was linked in a way that does not fit any more.
    #[error(
        "store knows the nodes as linked in epoch {epoch}, which does not fit: {reason}; start with the members and \
         settings that it had"
    )]
    Layout {
        /// Since which layout.
        epoch: u64,
        /// What does not fit.
        reason: String,
    },
    /// Of a node that was something else.
    #[error("store is of a node that {was}: start with an empty directory, or as what it was")]
    Role {
        /// What.
        was: &'static str,
    },
    /// Does not begin as every store does.
    #[error("store does not begin with a start record: its beginning is lost, start with an empty directory")]
    NoStart,
}

/// A node's life and which start of it.
#[derive(Debug, Clone, Copy)]
struct Life {
    origin: Origin,
    boot: Boot,
}

impl Node {
    /// Builds a node from its records, none at the first start. The outputs are to be dealt with before any step.
    pub fn recover(
        config: NodeConfig,
        now: Nanos,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<(Node, Vec<Output>), RecoverError> {
        let role = config.role(config.name);
        let mut node = Node::blank(config, now);
        let (mut last, mut in_sync) = (None, None);
        for record in records {
            match record {
                Record::Start { format, origin, boot } => {
                    let life = node.checked(format, origin, boot)?;
                    (node.origin, last) = (life.origin, Some(life));
                }
                Record::Event(_)
                | Record::Forgotten(_)
                | Record::InSync { .. }
                | Record::Layout(_)
                | Record::Promise { .. }
                | Record::Witnessed(_)
                    if last.is_none() =>
                {
                    return Err(RecoverError::NoStart);
                }
                Record::Event(_) if role != Role::Data => {
                    return Err(RecoverError::Role { was: "held data" });
                }
                Record::Witnessed(_) if role != Role::Witness => {
                    return Err(RecoverError::Role { was: "was a witness" });
                }
                Record::Witnessed(dot) => node.applied.insert(dot),
                Record::Event(event) => {
                    node.enact(&event);
                    node.log.insert(event);
                }
                Record::Forgotten(keys) => node.store.forget(&keys),
                Record::InSync { origin } => in_sync = Some(origin),
                Record::Layout(layout) => {
                    let before = node.origin;
                    node.restore(layout)?;
                    // It may have become another origin by discarding what it had taken, and is in sync as before.
                    in_sync = in_sync.map(|origin| if origin == before { node.origin } else { origin });
                }
                Record::Promise { term } => node.leadership.promise(term),
            }
        }
        // It may have become another origin since it started last.
        let life = node.begin(now, last.map(|life| Life { origin: node.origin, ..life }));
        (node.origin, node.boot) = (life.origin, life.boot);
        node.state = node.first_state(in_sync != Some(life.origin));
        let mut outputs =
            vec![Output::Persist(Record::Start { format: FORMAT, origin: life.origin, boot: life.boot })];
        for peer in node.links.names() {
            node.send(peer, Body::Hello, &mut outputs);
        }
        Ok((node, outputs))
    }

    fn restore(&mut self, layout: Layout) -> Result<(), RecoverError> {
        let epoch = layout.epoch.number;
        let config = self.fits(&layout).map_err(|reason| RecoverError::Layout { epoch, reason })?;
        self.go_by(layout, config, &mut Vec::new());
        Ok(())
    }

    fn blank(config: NodeConfig, now: Nanos) -> Node {
        Node {
            origin: Origin { node: config.name, incarnation: 0 },
            boot: Boot(0),
            clock: HybridClock::default(),
            applied: DotSet::new(),
            log: Log::default(),
            store: conflict::store(config.mode, config.tombstones > Nanos(0)),
            held: HoldBack::default(),
            links: Links::new(&config, now),
            calls: Calls::default(),
            served: Served::default(),
            unconfirmed: Unconfirmed::new(now),
            state: SyncState::InSync,
            unflushed: Unflushed { events: Vec::new(), flushed_at: now },
            layout: config.layout(),
            behind: None,
            leadership: Leadership::new(now),
            apart: 0,
            parked: Vec::new(),
            discarded: Vec::new(),
            now,
            config,
        }
    }

    fn checked(&self, format: u32, origin: Origin, boot: Boot) -> Result<Life, RecoverError> {
        if format != FORMAT {
            return Err(RecoverError::Format { found: format });
        }
        if origin.node != self.config.name {
            return Err(RecoverError::OtherNode { found: origin.node, expected: self.config.name });
        }
        Ok(Life { origin, boot })
    }

    /// The life that begins or goes on. A disk that is new, or may have forgotten something, begins another.
    fn begin(&self, now: Nanos, last: Option<Life>) -> Life {
        let node = self.config.name;
        let fresh = now.millis();
        match last {
            None => Life { origin: Origin { node, incarnation: fresh }, boot: Boot(fresh) },
            Some(Life { origin, boot }) => {
                let later = fresh.max(origin.incarnation.saturating_add(1));
                let incarnation = if self.config.durable { origin.incarnation } else { later };
                Life { origin: Origin { node, incarnation }, boot: Boot(fresh.max(boot.0.saturating_add(1))) }
            }
        }
    }
}
