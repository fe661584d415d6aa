//! First in, first out: each origin's events in its own order, as a single TCP stream would bring them.

use crate::clock::DotSet;
use crate::event::Event;

pub(super) fn is_ready(event: &Event, applied: &DotSet) -> bool {
    applied.vector().get(event.dot.origin).next() == event.dot.sequence
}
