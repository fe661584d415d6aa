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
//! asked for all at once, in a second walk. O(n · k) time for k sessions that write the key.
//!
//! Sources: Bouajjani, Enea, Guerraoui & Hamza, On verifying causal consistency, POPL 2017, §4
//! (WriteCOInitRead, WriteCORead, and the conflict order of CyclicCF); the newest write a session and
//! key is from AWDIT, PLDI 2025.

use histories::{History, MicroOp};
use rustc_hash::FxHashSet;

use crate::Facts;
use crate::causal::clock::Clock;
use crate::causal::order::CausalOrder;
use crate::causal::questions::{Tests, newest};
use crate::causal::seen::{Lane, Read, Saw, Seen, brought};
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
        let (mut was_known, mut is_foreign) = (matches!(read.saw, Saw::Elements { .. }), false);
        for lane in self.seen.lanes(read.key) {
            let Lane { session: writer, column, .. } = self.seen.lane(lane);
            let first = self.seen.writes(lane)[0].0;
            was_known |= visit.before.get(column) >= first;
            is_foreign |= writer != session && visit.after.get(column) >= first;
            if was_known && is_foreign {
                return true;
            }
        }
        false
    }

    /// How many writes of this lane a clock knows.
    fn known(&mut self, lane: usize, clock: &Clock) -> usize {
        let writes = self.seen.writes(lane);
        let bound = clock.get(self.seen.lane(lane).column);
        let mut at = self.hints[lane] as usize;
        if at < writes.len() && writes[at].0 <= bound {
            at = forward(writes, at, bound);
        } else if at > 0 && writes[at - 1].0 > bound {
            at = backward(writes, at, bound);
        }
        self.hints[lane] = at as u32;
        at
    }

    fn nothing(&mut self, visit: &Visit<'_>, number: u32) {
        let key = self.seen.reads[number as usize].key;
        let mut first: Option<u32> = None;
        for lane in self.seen.lanes(key) {
            let count = self.known(lane, visit.after);
            let known = self.seen.writes(lane)[..count].first().map(|(_, write)| *write);
            first = [first, known].into_iter().flatten().min();
        }
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
        for lane in seen.lanes(read.key) {
            // Nothing is known of that session that what was read did not know.
            let column = seen.lane(lane).column;
            if clocks.iter().any(|clock| clock.get(column) >= visit.after.get(column)) {
                continue;
            }
            let count = self.known(lane, visit.after);
            let Some((position, write)) = count.checked_sub(1).map(|last| seen.writes(lane)[last]) else {
                continue;
            };
            if clocks.iter().any(|clock| clock.get(column) >= position) {
                continue;
            }
            if were_known {
                self.tests.add(self.order, number, write, makers);
            }
            if let [maker] = makers
                && self.is_ordered_before_what_was_seen(read.key, write)
                && self.conflicts.insert((write, *maker))
            {
                self.found.conflicts.push(Conflict { first: write, later: *maker, read: number });
            }
        }
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
        for lane in seen.lanes(read.key) {
            let count = self.known(lane, visit.after);
            if let Some(last) = count.checked_sub(1) {
                self.tests.add(self.order, number, seen.writes(lane)[last].1, deletes);
            }
        }
    }

    fn elements(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let makers = seen.makers(read.saw);
        for lane in seen.lanes(read.key) {
            let count = self.known(lane, visit.after);
            for (_, write) in &seen.writes(lane)[..count] {
                if makers.binary_search(write).is_ok() || brought(self.facts, read.key, *write).is_none() {
                    continue;
                }
                let excuses = seen.excuses(self.facts, &read, *write);
                self.tests.add(self.order, number, *write, &excuses);
            }
        }
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
