//! One serial order, looked for in the order of time. It explains all that was seen at every level, so where
//! there is one no solver is needed.
//!
//! ```text
//!   T1 |-- w x 1 --|                          when T2 ends, T2 must be in the order; x = 2 is read later,
//!     T2 |---- w x 2 ----|                    so whoever writes x and ends before that read goes first:
//!                     T3 |-- r x 2 --|        T1, then T2
//! ```
//!
//! A transaction enters the order when it ends, at the latest, and pulls in whatever must come before it:
//!
//! - whom it read from, and who came before it in its session;
//! - who still has to read a version that it replaces;
//! - who writes a key of it and ended before the last read of its version began;
//! - who writes a key of it and was seen by a reader of its version.
//!
//! What is pulled in must have begun, and must not wait for itself. Else something entered too early: only
//! the second reason depends on that. Of those that it rests on the last one leaves again, together with
//! all after it, and from then on waits for whom it was in the way of (`forced.rs`). With nothing to rest
//! on there is no order.
//!
//! Where the order need not go along real time, what read a version that had long been replaced may have
//! happened at any time (`lifetimes.rs`).
//!
//! O(n log n) where the first choice is right, which is nearly always; else a budget ends it.
//! Source: Wing & Gong, JPDC 1993 (search in the order of time); Marques-Silva & Sakallah, GRASP, IEEE
//! Transactions on Computers 1999 (learning from conflicts, and going back to what they rest on).

mod forced;
mod lifetimes;
mod versions;

use histories::Nanos;
use histories::compact::TxnTable;

use super::lists::Lists;
use super::repeated;
use super::view::View;
use crate::Budget;
use forced::{Choice, Forced};
use lifetimes::Lifetimes;
use versions::{Versions, seen_by_readers};

/// Steps for each transaction before the search is given up.
const STEPS_EACH: u64 = 64;
/// Steps at least.
const STEPS_MIN: u64 = 100_000;

/// What a serial order has to go along besides what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Along {
    Nothing,
    Sessions,
    /// And sessions.
    RealTime,
}

/// True if one serial order was found that explains what all transactions saw, so that no level is broken
/// that asks for no more than to go along what this one does. Looks only for so long, and only where it is
/// known when transactions began and ended.
pub(crate) fn has_serial_order(table: &TxnTable, along: Along) -> bool {
    let view = View::new(table);
    table.has_times()
        && view.sources.flaws.is_empty()
        && repeated::unrepeatable(&view).is_empty()
        && in_order_of_time(&view, along).is_some()
}

/// An order of all transactions that happened, in which each reads what the last writer before it wrote.
fn in_order_of_time(view: &View<'_>, along: Along) -> Option<Vec<u32>> {
    let lifetimes = Lifetimes::new(view, along)?;
    let versions = Versions::new(view, &lifetimes);
    let before = seen_by_readers(view)?;
    let steps = (view.len() as u64 * STEPS_EACH).max(STEPS_MIN);
    let keeps_sessions = along >= Along::Sessions;
    let known = Known { view, versions: &versions, lifetimes: &lifetimes, before: &before, keeps_sessions };
    Search::new(known, Budget { steps }).run()
}

/// What a search goes by.
#[derive(Clone, Copy)]
struct Known<'s, 'v> {
    view: &'s View<'v>,
    versions: &'s Versions,
    lifetimes: &'s Lifetimes,
    /// For each transaction, those that must come before it since a reader of it had seen them.
    before: &'s Lists,
    keeps_sessions: bool,
}

/// A beginning or an end.
#[derive(Clone, Copy)]
struct Moment {
    is_end: bool,
    txn: u32,
}

/// What was done, to be undone.
#[derive(Clone, Copy)]
enum Done {
    Began(u32),
    Entered(u32),
}

/// Why one transaction must be in the order before another may enter.
#[derive(Clone, Copy)]
enum Because {
    /// It must in every order.
    Always,
    /// It must since what was chosen: the reader comes before whoever replaces what it reads.
    Chosen(Choice),
    /// It was in the way.
    Forced(usize),
}

/// What to do before a transaction may end.
enum Next {
    /// Let this one enter.
    Enters(u32),
    /// Go back: not all of these choices can be right.
    Conflict(Vec<Choice>),
}

struct Search<'s, 'v> {
    known: Known<'s, 'v>,
    moments: Vec<Moment>,
    is_in: Vec<bool>,
    has_begun: Vec<bool>,
    /// For each of those in the order, the moment at which it entered, and its place in what was done.
    entered: Vec<(u32, u32)>,
    /// The version of each key.
    current: Vec<u32>,
    /// The versions that those in the order replaced, in its order.
    replaced: Vec<u32>,
    /// How many have yet to read each version.
    unread: Vec<u32>,
    forced: Forced,
    done: Vec<Done>,
    budget: Budget,
    /// When each was looked at last.
    marked: Vec<u32>,
    mark: u32,
}

impl<'s, 'v> Search<'s, 'v> {
    fn new(known: Known<'s, 'v>, budget: Budget) -> Self {
        let Known { view, versions, lifetimes, .. } = known;
        let (count, keys) = (view.len(), view.table.key_count() as u32);
        Self {
            known,
            moments: moments(view, lifetimes),
            is_in: vec![false; count],
            has_begun: vec![false; count],
            entered: vec![(0, 0); count],
            current: (0..keys).map(|key| versions.initial + key).collect(),
            replaced: Vec::new(),
            unread: (0..versions.count()).map(|version| versions.readers.get(version).len() as u32).collect(),
            forced: Forced::default(),
            done: Vec::with_capacity(count * 2),
            budget,
            marked: vec![0; count],
            mark: 0,
        }
    }

    fn run(mut self) -> Option<Vec<u32>> {
        let mut at = 0;
        while let Some(Moment { is_end, txn }) = self.moments.get(at).copied() {
            if !is_end {
                self.has_begun[txn as usize] = true;
                self.done.push(Done::Began(txn));
                at += 1;
            } else if self.is_in[txn as usize] {
                at += 1;
            } else {
                match self.next(txn) {
                    Next::Enters(txn) => self.enter(txn, at),
                    Next::Conflict(choices) => at = self.go_back(choices, at)?,
                }
                (self.budget.steps > 0).then_some(())?;
            }
        }
        let entered = self.done.into_iter().filter_map(|done| match done {
            Done::Entered(txn) => Some(txn),
            Done::Began(_) => None,
        });
        Some(entered.collect())
    }

    /// `txn` ends and is not in the order: looks along those that it waits for, a step each.
    fn next(&mut self, txn: u32) -> Next {
        let first = self.mark + 1;
        let (mut path, mut at) = (Vec::new(), txn);
        loop {
            let is_circle = self.marked[at as usize] >= first;
            if is_circle || !self.has_begun[at as usize] {
                let start = if is_circle { (self.marked[at as usize] - first) as usize } else { 0 };
                return Next::Conflict(self.forced.rest_on(&path[start..]));
            }
            self.mark += 1;
            self.marked[at as usize] = self.mark;
            self.budget.step();
            match self.obstacle(at) {
                None => return Next::Enters(at),
                Some((other, because)) => {
                    path.push(because);
                    at = other;
                }
            }
        }
    }

    /// Somebody who must be in the order before this one, and why.
    fn obstacle(&self, txn: u32) -> Option<(u32, Because)> {
        let Known { view, versions, before, .. } = self.known;
        let is_out = |other: &u32| !self.is_in[*other as usize];
        let always = self
            .elder(txn)
            .filter(is_out)
            .or_else(|| view.read_from(txn).find(is_out))
            .or_else(|| before.get(txn as usize).iter().copied().find(is_out));
        if let Some(other) = always {
            return Some((other, Because::Always));
        }
        let stands = |number: usize| self.forced.rests(number).iter().all(|choice| self.stands(*choice, txn));
        let mut forced = self.forced.before(txn).filter(|(other, _)| is_out(other));
        if let Some((other, number)) = forced.find(|(_, number)| stands(*number)) {
            return Some((other, Because::Forced(number)));
        }
        versions.left_by(view, txn).find_map(|(key, version)| {
            let replaced = || self.must_be_replaced(key, version, txn).map(|other| (other, Because::Always));
            self.has_yet_to_read(key, txn).or_else(replaced)
        })
    }

    /// True if this was chosen, or would be if `entering` entered now.
    fn stands(&self, Choice { first, later }: Choice, entering: u32) -> bool {
        let place = |txn: u32| self.entered[txn as usize].1;
        match (self.is_in[first as usize], self.is_in[later as usize]) {
            (true, true) => place(first) < place(later),
            (true, false) => true,
            (false, true) => false,
            (false, false) => first == entering,
        }
    }

    /// The one before it in its session.
    fn elder(&self, txn: u32) -> Option<u32> {
        let view = self.known.view;
        let place = (view.position[txn as usize] as usize).checked_sub(1);
        let place = place.filter(|_| self.known.keeps_sessions)?;
        Some(view.chains.get(view.session(txn) as usize)[place])
    }

    fn has_yet_to_read(&self, key: u32, writer: u32) -> Option<(u32, Because)> {
        let versions = self.known.versions;
        let current = self.current[key as usize];
        if self.unread[current as usize] == 0 {
            return None;
        }
        let mut readers = versions.readers.get(current as usize).iter().copied();
        let reader = readers.find(|reader| *reader != writer && !self.is_in[*reader as usize])?;
        // What is there at first comes before all that is written.
        let because = versions
            .writer_of(current)
            .map_or(Because::Always, |first| Because::Chosen(Choice { first, later: writer }));
        Some((reader, because))
    }

    fn must_be_replaced(&self, key: u32, version: u32, writer: u32) -> Option<u32> {
        let Known { versions, lifetimes, .. } = self.known;
        let until = versions.needed_until[version as usize];
        let writers = versions.writers.get(key as usize);
        let count = writers.partition_point(|other| lifetimes.of(*other).1 < until);
        // Those that ended long ago are in the order.
        let began = lifetimes.of(writer).0;
        let recent = writers[..count].iter().rev().copied();
        recent
            .take_while(|other| lifetimes.of(*other).1 >= began)
            .find(|other| *other != writer && !self.is_in[*other as usize])
    }

    /// Makes the last of these choices the other way round, and undoes all since; says where to go on.
    fn go_back(&mut self, mut choices: Vec<Choice>, at: usize) -> Option<usize> {
        // Last of all is what would be chosen next.
        let place = |txn: u32| if self.is_in[txn as usize] { self.entered[txn as usize].1 } else { u32::MAX };
        let newest = (0..choices.len()).max_by_key(|index| place(choices[*index].first))?;
        let Choice { first, later } = choices.swap_remove(newest);
        self.forced.add(later, first, choices);
        if !self.is_in[first as usize] {
            return Some(at);
        }
        let (moment, done) = self.entered[first as usize];
        self.budget.steps = self.budget.steps.saturating_sub((self.done.len() - done as usize) as u64);
        self.undo(done as usize);
        Some(moment as usize)
    }

    fn enter(&mut self, txn: u32, moment: usize) {
        self.is_in[txn as usize] = true;
        self.entered[txn as usize] = (moment as u32, self.done.len() as u32);
        self.done.push(Done::Entered(txn));
        let Known { view, versions, .. } = self.known;
        versions.read_by.get(txn as usize).iter().for_each(|version| self.unread[*version as usize] -= 1);
        for (key, version) in versions.left_by(view, txn) {
            self.replaced.push(std::mem::replace(&mut self.current[key as usize], version));
        }
    }

    fn leave(&mut self, txn: u32) {
        let Known { view, versions, .. } = self.known;
        let written = view.written.get(txn as usize);
        let replaced = self.replaced.drain(self.replaced.len() - written.len()..);
        written.iter().zip(replaced).for_each(|(key, older)| self.current[*key as usize] = older);
        versions.read_by.get(txn as usize).iter().for_each(|version| self.unread[*version as usize] += 1);
        self.is_in[txn as usize] = false;
    }

    /// Undoes all but the first `kept` of what was done.
    fn undo(&mut self, kept: usize) {
        for done in self.done.split_off(kept).into_iter().rev() {
            match done {
                Done::Entered(txn) => self.leave(txn),
                Done::Began(txn) => self.has_begun[txn as usize] = false,
            }
        }
    }
}

fn moments(view: &View<'_>, lifetimes: &Lifetimes) -> Vec<Moment> {
    let mut moments: Vec<(Nanos, bool, u32)> = Vec::with_capacity(view.len() * 2);
    for txn in view.transactions() {
        let (begin, end) = lifetimes.of(txn);
        moments.push((begin, false, txn));
        moments.push((end, true, txn));
    }
    // What ends when another begins is concurrent with it.
    moments.sort_unstable();
    moments.into_iter().map(|(_, is_end, txn)| Moment { is_end, txn }).collect()
}
