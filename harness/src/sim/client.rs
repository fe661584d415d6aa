//! Clients: sessions that ask, wait, and give up. One call at a time, as in the live world.
//!
//! ```text
//!   c3  plan ─► ask ──────► answer ─► observe ─► plan ...
//!               ask ──────► ╳ 1 s     unknown: c3 is over, c11 takes its place; the answer, should it
//!                                     still come, finds nobody
//! ```

use std::collections::BTreeSet;

use histories::{Call, Key, Nanos, Outcome, SessionId};

use super::agenda::Appointment;
use crate::client::SimulatedClient;
use crate::run::pace::Part;

/// Names one call of one client, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) client: u32,
    /// Which of its calls, from 1.
    pub(super) call: u64,
}

/// How many bits of a ticket number the call.
const CALL_BITS: u32 = 40;

impl Caller {
    /// Both as one number, which a node brings back.
    pub(super) fn ticket(self) -> u64 {
        assert!(self.call >> CALL_BITS == 0, "client {} made too many calls", self.client);
        (u64::from(self.client) << CALL_BITS) | self.call
    }

    pub(super) fn from_ticket(ticket: u64) -> Self {
        Self { client: (ticket >> CALL_BITS) as u32, call: ticket & ((1 << CALL_BITS) - 1) }
    }
}

/// One client.
pub(super) struct Client {
    pub(super) session: SessionId,
    /// It lives where this node is.
    pub(super) home: usize,
    /// None where a store needs no translation.
    pub(super) translator: Option<SimulatedClient>,
    pub(super) in_flight: Option<InFlight>,
    /// How many calls it made.
    pub(super) calls: u64,
    pub(super) duty: Duty,
}

/// A call that waits for its answer.
pub(super) struct InFlight {
    pub(super) node: usize,
    pub(super) call: Call,
    /// It has reached its node, so that the node's end breaks its connection.
    pub(super) reached: bool,
    pub(super) gives_up: Appointment,
}

/// What a client is there for.
pub(super) enum Duty {
    /// To make the load.
    Load(Box<Part>),
    /// To read the final state.
    Read(Reader),
}

/// Reads keys at one node, one after the other, and some of them again.
pub(super) struct Reader {
    pub(super) node: usize,
    /// Which key it reads, and for which time.
    pub(super) key: usize,
    pub(super) attempt: usize,
    pub(super) answered: usize,
    pub(super) refused: usize,
}

/// How often a key is asked for at one node, if it is not answered.
const ATTEMPTS: usize = 3;

impl Reader {
    pub(super) fn new(node: usize) -> Self {
        Self { node, key: usize::MAX, attempt: 0, answered: 0, refused: 0 }
    }

    /// A read ended. True if it is to be made again.
    pub(super) fn observe(&mut self, outcome: &Outcome) -> bool {
        self.attempt += 1;
        if outcome.is_confirmed() {
            self.answered += 1;
            return false;
        }
        // A node that answers nothing at all would take its time-out for each key.
        let attempts = if self.answered == 0 && self.refused >= ATTEMPTS { 1 } else { ATTEMPTS };
        let again = self.attempt < attempts;
        self.refused += usize::from(!again);
        again
    }

    /// Takes the next key, unless the node seems to be beyond hope.
    pub(super) fn take(&mut self, next: &mut usize) -> usize {
        self.attempt = 0;
        self.key = if self.answered == 0 && self.refused >= 4 * ATTEMPTS { usize::MAX } else { *next };
        *next += 1;
        self.key
    }
}

/// Every key that the load used.
pub(super) fn keys(clients: &[Client]) -> BTreeSet<Key> {
    let keys = |client: &Client| match &client.duty {
        Duty::Load(load) => load.generator.keys().clone(),
        Duty::Read(_) => BTreeSet::new(),
    };
    clients.iter().flat_map(keys).collect()
}

impl Client {
    /// The call that waits, if it is this one.
    pub(super) fn waits_for(&mut self, call: u64) -> Option<&mut InFlight> {
        let current = self.calls == call;
        self.in_flight.as_mut().filter(|_| current)
    }

    /// When the next call of the load is planned.
    pub(super) fn next(&mut self, now: Nanos) -> Option<Nanos> {
        match &mut self.duty {
            Duty::Load(load) => load.pace.next(now),
            Duty::Read(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_brings_its_caller_back() {
        for (client, call) in [(0, 1), (9_999, 1 << 39)] {
            let caller = Caller { client, call };
            assert_eq!(Caller::from_ticket(caller.ticket()), caller);
        }
    }

    #[test]
    fn a_reader_gives_a_silent_node_up() {
        let mut reader = Reader::new(0);
        let (mut next, mut reads) = (0, 0);
        while reader.take(&mut next) < 1000 {
            reads += 1;
            while reader.observe(&Outcome::Failed(histories::Reason::REFUSED)) {
                reads += 1;
            }
        }
        assert_eq!((reader.refused, reads), (12, 3 * 3 + 9));
    }
}
