//! The log: every event that a node has applied, by origin.
//!
//! ```text
//! A   1 2 3 4 5          a peer has {A:3, B:2}: it lacks A:4 A:5 B:3,
//! B   1 2 3              and gets them in the order of their hybrid times
//! ```
//!
//! An event is later than all it depends on, so the order of times never puts an effect before its cause, and a batch
//! that is cut anywhere can be applied as far as it goes. Nothing is ever dropped: a node that lost its disk asks for
//! everything, its own events of an earlier life included. A million small events take about 500 MB.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::DotSet;
use crate::event::Event;
use crate::names::{Dot, Origin, Sequence};

/// The most events in one batch.
const BATCH_EVENTS_MAX: usize = 256;

/// The most bytes in one batch, if it has more than one event.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// The events of one origin.
#[derive(Debug, Default)]
struct Events {
    /// The greatest of them: most questions are answered by it alone.
    last: Sequence,
    by_sequence: BTreeMap<Sequence, Arc<Event>>,
}

/// Every event that a node has applied.
#[derive(Debug, Default)]
pub(crate) struct Log {
    origins: BTreeMap<Origin, Events>,
    count: usize,
}

impl Log {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn insert(&mut self, event: Arc<Event>) {
        let events = self.origins.entry(event.dot.origin).or_default();
        events.last = events.last.max(event.dot.sequence);
        self.count += usize::from(events.by_sequence.insert(event.dot.sequence, event).is_none());
    }

    /// The name of every event.
    pub(crate) fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        self.origins.values().flat_map(|events| events.by_sequence.values().map(|event| event.dot))
    }

    /// Every event, in the order of their times. O(n log n).
    pub(crate) fn in_order(&self) -> Vec<Arc<Event>> {
        let mut events: Vec<Arc<Event>> =
            self.origins.values().flat_map(|events| events.by_sequence.values().cloned()).collect();
        events.sort_by_key(|event| event.stamp());
        events
    }

    /// Takes events out.
    pub(crate) fn remove(&mut self, dots: &[Dot]) -> Vec<Arc<Event>> {
        let mut removed = Vec::new();
        for dot in dots {
            let Some(events) = self.origins.get_mut(&dot.origin) else { continue };
            removed.extend(events.by_sequence.remove(&dot.sequence));
            events.last = events.by_sequence.keys().next_back().copied().unwrap_or_default();
        }
        self.count -= removed.len();
        removed
    }

    /// The first events of the wanted origins that are not known, in the order of their times.
    ///
    /// O(b·n) for a batch of b and n origins; O(n) if there is nothing.
    pub(crate) fn batch(&self, known: &DotSet, wanted: impl Fn(Origin) -> bool) -> Vec<Arc<Event>> {
        let lacking = |event: &&Arc<Event>| !known.contains(event.dot);
        let queues = self.origins.iter().filter_map(|(origin, events)| {
            let vector = known.vector().get(*origin);
            let lacks = events.last > vector && wanted(*origin);
            lacks.then(|| events.by_sequence.range(vector.next()..))
        });
        let mut queues: Vec<_> =
            queues.map(|range| range.map(|(_, event)| event).filter(lacking).peekable()).collect();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(event) = earliest(&mut queues) {
            bytes += event.weight();
            if batch.len() == BATCH_EVENTS_MAX || (bytes > BATCH_BYTES_MAX && !batch.is_empty()) {
                break;
            }
            batch.push(Arc::clone(event));
        }
        batch
    }

    /// How many events of the wanted origins are not known, gaps aside.
    pub(crate) fn count_unknown(&self, known: &DotSet, wanted: impl Fn(Origin) -> bool) -> u64 {
        let ends = self.origins.iter().filter(|(origin, _)| wanted(**origin));
        ends.map(|(origin, events)| events.last.0.saturating_sub(known.vector().get(*origin).0)).sum()
    }
}

/// Takes the event with the least time off the heads of the queues.
fn earliest<'a, Q>(queues: &mut [std::iter::Peekable<Q>]) -> Option<&'a Arc<Event>>
where
    Q: Iterator<Item = &'a Arc<Event>>,
{
    let heads =
        queues.iter_mut().filter_map(|queue| queue.peek().map(|event| event.stamp()).map(|at| (at, queue)));
    let (_, queue) = heads.min_by_key(|(stamp, _)| *stamp)?;
    queue.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Hlc, VersionVector};

    fn event(dot: &str, millis: u64) -> Arc<Event> {
        let hlc = Hlc { millis, count: 0 };
        Arc::new(Event { dot: dot.parse().unwrap(), hlc, deps: VersionVector::new(), effects: [].into() })
    }

    fn check(known: &str, expected: &str) {
        let mut log = Log::default();
        for (dot, millis) in [("A:1", 1), ("A:2", 4), ("A:3", 9), ("B:1", 2), ("B:2", 3), ("B:3", 5)] {
            log.insert(event(dot, millis));
        }
        let batch = log.batch(&known.parse().unwrap(), |_| true);
        let dots: Vec<String> = batch.iter().map(|event| event.dot.to_string()).collect();
        assert_eq!(dots.join(" "), expected);
    }

    #[test]
    fn batches_are_in_the_order_of_time() {
        check("", "A:1 B:1 B:2 A:2 B:3 A:3");
        check("A:1,B:2", "A:2 B:3 A:3");
        check("B:1+A:2+B:3", "A:1 B:2 A:3");
        check("A:3,B:7", "");
    }
}
