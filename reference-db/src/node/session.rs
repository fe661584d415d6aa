//! Sessions: what a client has seen goes with it from node to node.
//!
//! ```text
//! c ── put x 1 ─► A      seen {A:1}
//! c ── get x, seen {A:1} ─► B      has A:1: answers        has it not: waits for it, and refuses if it does not come
//! ```
//!
//! The token names events, not times: clocks do not matter. It is Terry's write set, as a version vector.

use super::acknowledge::Asker;
use super::{Node, Output};
use crate::refusal::Refusal;
use crate::request::{Request, Response, Session};
use crate::time::Nanos;

/// A request that waits until the node has what its client has seen.
#[derive(Debug)]
pub(super) struct Parked {
    asker: Asker,
    request: Request,
    since: Nanos,
}

impl Node {
    /// Does what is asked, or waits until the node has what the client has seen.
    pub(super) fn perform(&mut self, now: Nanos, asker: Asker, request: Request, outputs: &mut Vec<Output>) {
        let response = match self.refusal(&request) {
            Some(refusal) => Response::Refused(refusal),
            None if self.lacks(&request) => {
                self.parked.push(Parked { asker, request, since: now });
                return;
            }
            None => {
                let response = self.execute(now, &request.ask, outputs);
                self.in_session(request.session, response)
            }
        };
        self.answer(now, asker, response, outputs);
    }

    /// Answers what has waited long enough, one way or the other.
    pub(super) fn unpark(&mut self, now: Nanos, outputs: &mut Vec<Output>) {
        for Parked { asker, request, since } in std::mem::take(&mut self.parked) {
            let wait = request.session.as_ref().map_or(Nanos(0), |session| session.wait);
            if let Some(to) = self.destination(now, &request) {
                // Another node has taken over meanwhile.
                let refusal = Refusal::Misdirected { to, redirect: false };
                self.answer(now, asker, Response::Refused(refusal), outputs);
            } else if self.lacks(&request) && now.is_due(since, wait) {
                self.answer(now, asker, Response::Refused(Refusal::Unseen), outputs);
            } else if self.lacks(&request) {
                self.parked.push(Parked { asker, request, since });
            } else {
                self.perform(now, asker, request, outputs);
            }
        }
    }

    fn lacks(&self, request: &Request) -> bool {
        request.session.as_ref().is_some_and(|session| !session.seen.is_within(&self.applied))
    }

    fn in_session(&self, session: Option<Session>, response: Response) -> Response {
        let Some(Session { mut seen, .. }) = session else { return response };
        match &response {
            Response::Written { dot, .. } => seen.insert(*dot),
            // What was read, and what it depends on, is among what the node has.
            Response::Committed { .. } | Response::Keys(_) | Response::Read { .. } => {
                seen.merge(&self.applied);
            }
            Response::Digest(_)
            | Response::Discarded(_)
            | Response::InSession { .. }
            | Response::Layout { .. }
            | Response::Refused(_)
            | Response::Status(_) => return response,
        }
        Response::InSession { seen, response: Box::new(response) }
    }
}

/// What a response is about, in a session or not.
pub(super) fn bare(response: &mut Response) -> &mut Response {
    match response {
        Response::InSession { response, .. } => response,
        other => other,
    }
}
