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

use std::collections::BTreeMap;

use histories::Nanos;

/// The how-manieth entry it is: breaks ties between two that happen at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ordinal(u64);

/// Names an entry, to strike it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Appointment(Nanos, Ordinal);

/// What will happen, and what time it is.
pub(super) struct Agenda<T> {
    now: Nanos,
    count: u64,
    entries: BTreeMap<Appointment, T>,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { now: Nanos(0), count: 0, entries: BTreeMap::new() }
    }

    pub(super) fn now(&self) -> Nanos {
        self.now
    }

    /// Puts down that `what` happens at `time`, or now if that is over.
    pub(super) fn at(&mut self, time: Nanos, what: T) -> Appointment {
        self.count += 1;
        let appointment = Appointment(time.max(self.now), Ordinal(self.count));
        self.entries.insert(appointment, what);
        appointment
    }

    /// Puts down that `what` happens after `delay`.
    pub(super) fn after(&mut self, delay: Nanos, what: T) -> Appointment {
        self.at(self.now + delay, what)
    }

    /// Strikes out an entry; one that has happened is no longer there.
    pub(super) fn cancel(&mut self, appointment: Appointment) {
        self.entries.remove(&appointment);
    }

    /// Lets time pass to the next entry, if it happens by `end`.
    pub(super) fn next(&mut self, end: Nanos) -> Option<T> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= end)?;
        let (Appointment(time, _), what) = entry.remove_entry();
        assert!(self.now <= time, "time went back from {} to {time}", self.now);
        self.now = time;
        Some(what)
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
