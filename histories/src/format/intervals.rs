//! Operations with two times each, in any order, to a history.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Error;
use crate::{Call, Event, EventKind, Header, History, HistoryBuilder, Malformed, Nanos, Outcome, SessionId};

/// Operations of clients.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    operations: Vec<Interval>,
}

#[derive(Debug)]
struct Interval {
    client: i64,
    begin: i64,
    end: i64,
    call: Call,
    outcome: Outcome,
}

impl Intervals {
    pub(super) fn push(&mut self, client: i64, begin: i64, end: i64, call: Call, outcome: Outcome) {
        self.operations.push(Interval { client, begin, end: end.max(begin), call, outcome });
    }

    /// The history. A client whose operations overlap, or who goes on after an unknown answer, is several
    /// sessions. Times count from the first call.
    pub(super) fn history(mut self, header: Header, warnings: &mut Vec<String>) -> Result<History, Error> {
        let zero = self.operations.iter().map(|operation| operation.begin).min().unwrap_or(0);
        let time = |time: i64| Nanos(time.abs_diff(zero));
        self.operations.sort_by_key(|operation| (operation.client, operation.begin, operation.end));
        let mut sessions = Sessions::new(&self.operations);
        let mut events = Vec::with_capacity(self.operations.len() * 2);
        for Interval { client, begin, end, call, outcome } in self.operations {
            let session = sessions.of(client, begin, end, outcome.is_unknown());
            let invoke = EventKind::Invoke { session, node: None, planned: None, call };
            events.push(Event { time: time(begin), kind: invoke });
            events.push(Event { time: time(end), kind: EventKind::Complete { session, outcome } });
        }
        if sessions.overlaps > 0 {
            warnings.push(format!(
                "{} operations overlap the one before of their client: taken as of other sessions",
                sessions.overlaps
            ));
        }
        // The sort is stable, so at one same instant a session's own events keep their order.
        events.sort_by_key(|event| event.time);
        let mut builder = HistoryBuilder::new(header);
        for event in events {
            let malformed =
                |Malformed { problem, .. }| Error::Line { line: 1, column: 0, reason: problem.to_string() };
            builder.push(event).map_err(malformed)?;
        }
        Ok(builder.finish())
    }
}

struct Sessions {
    /// Each client's session and the end of its last operation; none if the session is over.
    current: FxHashMap<i64, Option<(SessionId, i64)>>,
    used: FxHashSet<SessionId>,
    next: u32,
    overlaps: usize,
}

impl Sessions {
    fn new(operations: &[Interval]) -> Self {
        let used: FxHashSet<SessionId> = operations
            .iter()
            .filter_map(|operation| u32::try_from(operation.client).ok())
            .map(SessionId)
            .collect();
        let next = used.iter().map(|session| session.0).max().map_or(0, |last| last.saturating_add(1));
        Self { current: FxHashMap::default(), used, next, overlaps: 0 }
    }

    fn of(&mut self, client: i64, begin: i64, end: i64, is_over: bool) -> SessionId {
        let session = match self.current.get(&client) {
            None => u32::try_from(client).map_or_else(|_| self.fresh(), SessionId),
            Some(Some((session, last))) if *last <= begin => *session,
            Some(Some(_)) => {
                self.overlaps += 1;
                self.fresh()
            }
            Some(None) => self.fresh(),
        };
        self.current.insert(client, (!is_over).then_some((session, end)));
        session
    }

    fn fresh(&mut self) -> SessionId {
        while !self.used.insert(SessionId(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        SessionId(self.next)
    }
}
