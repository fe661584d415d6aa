//! The agenda: everything that is to happen, in the order in which it will. It is the whole scheduler
//! and the only clock of a simulated run.
//!
//! ```text
//!   (12.400 ms, 7)  message A → B          pop ──► time is now 12.400 ms
//!   (12.400 ms, 9)  tick of C              same time: what was put down first happens first
//!   (13.100 ms, 8)  client 3 gives up      may be struck out before
//! ```
//!
//! Source: next-event time advance, the oldest shape of discrete-event simulation (Law and Kelton, ch. 1.3).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use histories::Nanos;

/// The how-manieth entry it is: breaks ties between two that happen at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ordinal(u64);

/// Where an entry's content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(usize);

/// Names an entry, to strike it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Appointment(Ordinal, Place);

/// What will happen, and what time it is.
pub(super) struct Agenda<T> {
    now: Nanos,
    count: u64,
    /// The earliest first; what was struck out is among them until its time comes.
    times: BinaryHeap<Reverse<(Nanos, Ordinal, Place)>>,
    /// What happens, by place; nothing where it was struck out.
    contents: Vec<(Ordinal, Option<T>)>,
    /// Places that are free.
    free: Vec<Place>,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { now: Nanos(0), count: 0, times: BinaryHeap::new(), contents: Vec::new(), free: Vec::new() }
    }

    pub(super) fn now(&self) -> Nanos {
        self.now
    }

    /// Puts down that `what` happens at `time`, or now if that is over.
    pub(super) fn at(&mut self, time: Nanos, what: T) -> Appointment {
        self.count += 1;
        let ordinal = Ordinal(self.count);
        let place = match self.free.pop() {
            Some(place) => {
                self.contents[place.0] = (ordinal, Some(what));
                place
            }
            None => {
                self.contents.push((ordinal, Some(what)));
                Place(self.contents.len() - 1)
            }
        };
        self.times.push(Reverse((time.max(self.now), ordinal, place)));
        Appointment(ordinal, place)
    }

    /// Puts down that `what` happens after `delay`.
    pub(super) fn after(&mut self, delay: Nanos, what: T) -> Appointment {
        self.at(self.now + delay, what)
    }

    /// Strikes out an entry; one that has happened is no longer there.
    pub(super) fn cancel(&mut self, Appointment(ordinal, place): Appointment) {
        // Another entry may have the place by now.
        if self.contents[place.0].0 == ordinal {
            self.contents[place.0].1 = None;
        }
    }

    /// Lets time pass to the next entry, if it happens by `end`.
    pub(super) fn next(&mut self, end: Nanos) -> Option<T> {
        while self.times.peek().is_some_and(|Reverse((time, ..))| *time <= end) {
            let Reverse((time, _, place)) = self.times.pop()?;
            self.free.push(place);
            let Some(what) = self.contents[place.0].1.take() else { continue };
            assert!(self.now <= time, "time went back from {} to {time}", self.now);
            self.now = time;
            return Some(what);
        }
        None
    }

    /// Lets time pass to `end`, by which nothing happens any more.
    pub(super) fn pass(&mut self, end: Nanos) {
        self.now = self.now.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_by_time_and_then_in_the_order_of_scheduling() {
        let mut agenda = Agenda::new();
        agenda.at(Nanos(20), "late");
        agenda.at(Nanos(10), "first of two");
        let struck = agenda.at(Nanos(10), "struck out");
        agenda.at(Nanos(10), "second of two");
        agenda.cancel(struck);
        let mut order = Vec::new();
        while let Some(what) = agenda.next(Nanos(15)) {
            order.push((agenda.now(), what));
        }
        assert_eq!(order, [(Nanos(10), "first of two"), (Nanos(10), "second of two")]);
        agenda.pass(Nanos(15));
        agenda.at(Nanos(3), "at once");
        assert_eq!((agenda.next(Nanos(99)), agenda.now()), (Some("at once"), Nanos(15)));
    }
}
