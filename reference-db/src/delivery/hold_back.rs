//! The hold-back queue: events that have arrived too early.
//!
//! It is not on disk. A held event is not acknowledged, so after a crash its sender brings it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Event;
use crate::names::{Dot, NodeName, Origin, Sequence};

/// An event, and who brought it and waits for its acknowledgement.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) event: Arc<Event>,
    pub(crate) from: NodeName,
}

/// Events that wait for others.
#[derive(Debug, Default)]
pub(crate) struct HoldBack {
    held: BTreeMap<Origin, BTreeMap<Sequence, Held>>,
}

impl HoldBack {
    pub(crate) fn len(&self) -> usize {
        self.held.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn contains(&self, dot: Dot) -> bool {
        self.held.get(&dot.origin).is_some_and(|events| events.contains_key(&dot.sequence))
    }

    pub(crate) fn insert(&mut self, held: Held) {
        let dot = held.event.dot;
        self.held.entry(dot.origin).or_default().insert(dot.sequence, held);
    }

    /// Takes out one event that may be applied now. Only the first of each origin can be: O(origins).
    pub(crate) fn release(&mut self, is_ready: impl Fn(&Event) -> bool) -> Option<Held> {
        let first = |events: &BTreeMap<Sequence, Held>| {
            events.values().next().filter(|held| is_ready(&held.event)).map(|held| held.event.dot)
        };
        let dot = self.held.values().find_map(first)?;
        self.remove(dot)
    }

    fn remove(&mut self, dot: Dot) -> Option<Held> {
        let events = self.held.get_mut(&dot.origin)?;
        let held = events.remove(&dot.sequence);
        if events.is_empty() {
            self.held.remove(&dot.origin);
        }
        held
    }
}
