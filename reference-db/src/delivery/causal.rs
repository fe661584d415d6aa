//! Causes first: an event waits for all that its origin had applied when it was made.

use super::fifo;
use crate::clock::DotSet;
use crate::event::Event;

pub(super) fn is_ready(event: &Event, applied: &DotSet) -> bool {
    fifo::is_ready(event, applied) && applied.vector().covers(&event.deps)
}
