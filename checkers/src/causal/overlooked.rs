//! Reads that overlooked a write: it came before the read, and what the read saw came before it.
//!
//! ```text
//!   y ──co──▶ w ──co──▶ r      all on one key, and r saw y: no order of the writes explains r
//!
//!   y, w concurrent; w ──co──▶ r, r saw y:   fine, if w is ordered before y: a conflict edge w ──▶ y
//! ```
//!
//! For each read and each session that writes its key, only the newest write that the read can know of
//! matters: if that is before what was read, so are the older ones. Whether *y* came before *w* is
//! asked for all at once, in a second walk. A read costs as much as what is known of its key beyond what
//! the write that it saw knew: O(n · k) time for k sessions that write the key at worst, and nearly O(n)
//! where most of them are known to most.
//!
//! Sources: Bouajjani, Enea, Guerraoui & Hamza, On verifying causal consistency, POPL 2017, §4
//! (WriteCOInitRead, WriteCORead, and the conflict order of CyclicCF); the newest write a session and
//! key is from AWDIT, PLDI 2025.

use std::ops::ControlFlow;

use histories::{History, MicroOp};
use rustc_hash::FxHashSet;

use crate::Facts;
use crate::causal::clock::Clock;
use crate::causal::order::{CausalOrder, NONE};
use crate::causal::questions::{Tests, newest};
use crate::causal::seen::{Read, Saw, Seen, brought};
use crate::causal::walk::{Visit, walk};
use crate::facts::KeyNumber;

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Overlooked {
    /// Number of the read, and a write that it overlooked; each read once, ascending.
    pub(crate) reads: Vec<(u32, u32)>,
    /// What the order of writes has to agree with, in order of both writes.
    pub(crate) conflicts: Vec<Conflict>,
    /// Reads of a key of which a write was known before, and a write of another session then or before.
    pub(crate) chances: u64,
}

impl Overlooked {
    /// The conflicts by which this write comes first.
    pub(crate) fn conflicts_of(&self, first: u32) -> &[Conflict] {
        let begin = self.conflicts.partition_point(|conflict| conflict.first < first);
        let length = self.conflicts[begin..].partition_point(|conflict| conflict.first == first);
        &self.conflicts[begin..begin + length]
    }
}

/// The first write must be ordered before the later one, for a read knew the first and saw the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) first: u32,
    pub(crate) later: u32,
    /// The read's number.
    pub(crate) read: u32,
}

/// Walks through all reads.
pub(crate) fn scan(facts: &Facts<'_>, order: &CausalOrder, seen: &Seen) -> Overlooked {
    let lanes = facts.keys().map(|key| seen.lanes(key).len()).sum();
    let mut scan = Scan {
        facts,
        order,
        seen,
        hints: vec![0; lanes],
        tests: Tests::default(),
        conflicts: FxHashSet::default(),
        arbitrates: !shows_siblings(facts.history()),
        found: Overlooked::default(),
    };
    let first_reads = first_reads(facts, seen);
    walk(order, |visit| {
        let operation = visit.operation as usize;
        for number in first_reads[operation]..first_reads[operation + 1] {
            scan.read(visit, number);
        }
    });
    scan.finish()
}

fn first_reads(facts: &Facts<'_>, seen: &Seen) -> Vec<u32> {
    let mut first = vec![0_u32; facts.history().operations().len() + 1];
    for read in &seen.reads {
        first[read.at.operation.index() + 1] += 1;
    }
    for index in 1..first.len() {
        first[index] += first[index - 1];
    }
    first
}

fn shows_siblings(history: &History) -> bool {
    let replies = history.operations().iter().filter_map(|operation| operation.outcome.replies()).flatten();
    replies.filter_map(|reply| reply.observed.as_ref()).any(|observed| observed.values.len() > 1)
}

struct Scan<'s, 'h> {
    facts: &'s Facts<'h>,
    order: &'s CausalOrder,
    seen: &'s Seen,
    /// Where each lane was last looked at: the next look is near.
    hints: Vec<u32>,
    tests: Tests,
    conflicts: FxHashSet<(u32, u32)>,
    /// Concurrent writes are put in an order: no read ever saw several of them.
    arbitrates: bool,
    found: Overlooked,
}

impl Scan<'_, '_> {
    fn read(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        self.found.chances += u64::from(self.is_chance(visit, &read));
        let is_alone = self.facts.operation(read.at).call.micro_ops().len() == 1;
        // What other reads of the same call found came before nothing in it.
        let own = (!is_alone).then(|| visit.known_by(self.seen.makers(read.saw)));
        let visit = &visit.learning(own.as_ref().unwrap_or(visit.after));
        match read.saw {
            Saw::Unclear | Saw::ThinAir => {}
            Saw::Nothing => self.nothing(visit, number),
            Saw::Made { .. } => self.made(visit, number),
            Saw::Deleted => self.deleted(visit, number),
            Saw::Elements { .. } => self.elements(visit, number),
        }
        if self.tests.is_full() {
            self.settle();
        }
    }

    // Something was known of the key before, and something of it came from another session.
    fn is_chance(&self, visit: &Visit<'_>, read: &Read) -> bool {
        if !read.saw.is_clear() {
            return false;
        }
        let session = self.order.session[visit.operation as usize];
        let lanes = self.seen.lanes(read.key);
        let knows = |clock: &Clock, other_than: u32| {
            let found =
                clock.newer(&Clock::default(), self.seen.columns(lanes.clone()), &mut |place, known| {
                    let lane = lanes.start + place;
                    let is_known = known >= self.seen.writes(lane)[0].0;
                    match is_known && self.seen.lane(lane).session != other_than {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                });
            found.is_break()
        };
        (matches!(read.saw, Saw::Elements { .. }) || knows(visit.before, NONE)) && knows(visit.after, session)
    }

    /// How many writes of this lane are known to who knows of positions up to `bound`.
    fn known(&mut self, lane: usize, bound: u32) -> usize {
        let writes = self.seen.writes(lane);
        let mut at = self.hints[lane] as usize;
        if at < writes.len() && writes[at].0 <= bound {
            at = forward(writes, at, bound);
        } else if at > 0 && writes[at - 1].0 > bound {
            at = backward(writes, at, bound);
        }
        self.hints[lane] = at as u32;
        at
    }

    /// Visits the lanes of a key of which one clock knows more than the other, with the writes known.
    fn newer(
        &mut self,
        key: KeyNumber,
        clock: &Clock,
        than: &Clock,
        mut take: impl FnMut(&mut Self, usize, &[(u32, u32)]),
    ) {
        let (seen, lanes) = (self.seen, self.seen.lanes(key));
        let _ = clock.newer(than, seen.columns(lanes.clone()), &mut |place, bound| {
            let lane = lanes.start + place;
            let count = self.known(lane, bound);
            take(self, lane, &seen.writes(lane)[..count]);
            ControlFlow::Continue(())
        });
    }

    fn nothing(&mut self, visit: &Visit<'_>, number: u32) {
        let key = self.seen.reads[number as usize].key;
        let mut first: Option<u32> = None;
        self.newer(key, visit.after, &Clock::default(), |_, _, writes| {
            let known = writes.first().map(|(_, write)| *write);
            first = [first, known].into_iter().flatten().min();
        });
        self.found.reads.extend(first.map(|write| (number, write)));
    }

    fn made(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let makers = seen.makers(read.saw);
        let clocks: Option<Vec<&Clock>> = makers.iter().map(|maker| visit.clock_of(*maker)).collect();
        // Only if a cycle had to be broken here.
        let Some(clocks) = clocks else { return };
        let were_known = makers.iter().all(|maker| self.order.is_in(*maker, visit.before));
        let nothing = Clock::default();
        let (first, others) =
            clocks.split_first().map_or((&nothing, &[][..]), |(first, rest)| (*first, rest));
        // Of other sessions nothing is known that what was read did not know.
        self.newer(read.key, visit.after, first, |scan, lane, writes| {
            let Some((position, write)) = writes.last().copied() else { return };
            let column = seen.columns(lane..lane + 1)[0];
            let knows = |clock: &Clock| clock.get(column) >= position;
            if knows(first) || others.iter().any(|clock| knows(clock)) {
                return;
            }
            if were_known {
                scan.tests.add(scan.order, number, write, makers);
            }
            if let [maker] = makers
                && scan.is_ordered_before_what_was_seen(read.key, write)
                && scan.conflicts.insert((write, *maker))
            {
                scan.found.conflicts.push(Conflict { first: write, later: *maker, read: number });
            }
        });
    }

    // A store that keeps siblings, or lets a concurrent write win over a delete, does not order the two.
    fn is_ordered_before_what_was_seen(&self, key: KeyNumber, write: u32) -> bool {
        let micro_ops = self.facts.history().operations()[write as usize].call.micro_ops();
        let is_delete =
            |op: &MicroOp| matches!(op, MicroOp::Delete { .. }) && op.key() == self.facts.key(key);
        self.arbitrates && !micro_ops.iter().any(is_delete)
    }

    fn deleted(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let deletes = seen.deletes_before(self.facts, &read);
        // The newest is the likeliest to be unknown.
        if !deletes.iter().rev().all(|delete| self.order.is_in(*delete, visit.before)) {
            return;
        }
        let deletes = &newest(self.order, deletes.to_vec());
        self.newer(read.key, visit.after, &Clock::default(), |scan, _, writes| {
            if let Some((_, last)) = writes.last() {
                scan.tests.add(scan.order, number, *last, deletes);
            }
        });
    }

    fn elements(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let makers = seen.makers(read.saw);
        self.newer(read.key, visit.after, &Clock::default(), |scan, _, writes| {
            for (_, write) in writes {
                if makers.binary_search(write).is_ok() || brought(scan.facts, read.key, *write).is_none() {
                    continue;
                }
                let excuses = seen.excuses(scan.facts, &read, *write);
                scan.tests.add(scan.order, number, *write, &excuses);
            }
        });
    }

    fn settle(&mut self) {
        let passed = self.tests.answer(self.order);
        self.found.reads.extend(passed.iter().map(|test| (test.about, test.write)));
    }

    fn finish(mut self) -> Overlooked {
        self.settle();
        let mut found = self.found;
        found.reads.sort_unstable();
        found.reads.dedup_by_key(|(read, _)| *read);
        // A read that is broken by itself says nothing about the order of others.
        let Overlooked { reads, conflicts, .. } = &mut found;
        conflicts.sort_unstable_by_key(|conflict| (conflict.first, conflict.later));
        conflicts.retain(|conflict| reads.binary_search_by_key(&conflict.read, |(read, _)| *read).is_err());
        found
    }
}

// From `at`, whose position is within the bound, to the first that is not.
fn forward(writes: &[(u32, u32)], at: usize, bound: u32) -> usize {
    let (mut low, mut step) = (at, 1);
    while low + step < writes.len() && writes[low + step].0 <= bound {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(writes.len());
    low + writes[low..high].partition_point(|(position, _)| *position <= bound)
}

fn backward(writes: &[(u32, u32)], at: usize, bound: u32) -> usize {
    let (mut high, mut step) = (at, 1);
    while high > step && writes[high - step].0 > bound {
        high -= step;
        step *= 2;
    }
    let low = high.saturating_sub(step);
    low + writes[low..high].partition_point(|(position, _)| *position <= bound)
}
