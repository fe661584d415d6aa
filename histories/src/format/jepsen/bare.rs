//! Answers whose calls are not recorded: a call may have been made at any time after the last answer of its
//! session, so that is where it begins.
//!
//! ```text
//!   line 1   process 0   :ok [[:append x 1]]      |--------|
//!   line 2   process 1   :ok [[:r x [1]]]         |-----------------|
//!   line 3   process 0   :ok [[:append x 2]]               |-----------------|
//! ```

use rustc_hash::FxHashMap;

use crate::{Call, Event, EventKind, Nanos, Outcome, SessionId};

/// Answers in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Bare {
    events: Vec<Event>,
    /// When each session was answered last.
    answered: FxHashMap<SessionId, Nanos>,
}

impl Bare {
    pub(super) fn push(&mut self, session: SessionId, time: Nanos, call: Call, outcome: Outcome) {
        // At one same instant answers come before calls, so the first call is made before time 1.
        let time = time + Nanos(1);
        let begin = self.answered.insert(session, time).unwrap_or(Nanos(0));
        let invoke = EventKind::Invoke { session, node: None, planned: None, call };
        self.events.push(Event { time: begin, kind: invoke });
        self.events.push(Event { time, kind: EventKind::Complete { session, outcome } });
    }

    /// The events in the order of time.
    pub(super) fn into_events(mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| (event.time, matches!(event.kind, EventKind::Invoke { .. })));
        self.events
    }
}
