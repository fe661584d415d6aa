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

use rustc_hash::FxHashSet;

use crate::Facts;
use crate::causal::order::{CausalOrder, Visit, walk};
use crate::causal::seen::{Lane, Read, Saw, Seen, brought};

/// Questions that are answered together; about 24 bytes each.
const TESTS_MAX: usize = 6_000_000;

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Overlooked {
    /// Number of the read, and a write that it overlooked; each read once, ascending.
    pub(crate) reads: Vec<(u32, u32)>,
    /// The first must be ordered before the second, for a read knew the first and saw the second.
    pub(crate) conflicts: Vec<(u32, u32)>,
    /// Reads before which another session's write to the key was known.
    pub(crate) chances: u64,
}

/// Is everything in `excuses` known to come before `write`? Then nothing explains `read`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Test {
    /// What the asker wants to know again.
    pub(crate) about: u32,
    pub(crate) write: u32,
    begin: u32,
    count: u32,
}

/// Many tests, answered in one walk.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    tests: Vec<Test>,
    pool: Vec<u32>,
}

impl Tests {
    /// Adds a test, unless its answer is no at first sight: what comes before is ranked lower.
    pub(crate) fn add(&mut self, order: &CausalOrder, about: u32, write: u32, excuses: &[u32]) {
        let rank = order.rank[write as usize];
        if excuses.iter().any(|excuse| order.rank[*excuse as usize] >= rank) {
            return;
        }
        let (begin, count) = (self.pool.len() as u32, excuses.len() as u32);
        self.pool.extend_from_slice(excuses);
        self.tests.push(Test { about, write, begin, count });
    }

    pub(crate) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Those whose answer is yes, in the order of `about`; then there are no tests left.
    pub(crate) fn answer(&mut self, order: &CausalOrder) -> Vec<Test> {
        let Self { mut tests, pool } = std::mem::take(self);
        if tests.is_empty() {
            return tests;
        }
        tests.sort_unstable_by_key(|test| (order.rank[test.write as usize], test.about));
        let mut passed = Vec::new();
        let mut next = 0;
        walk(order, |visit| {
            while let Some(test) = tests.get(next).filter(|test| test.write == visit.operation) {
                next += 1;
                let excuses = &pool[test.begin as usize..(test.begin + test.count) as usize];
                if excuses.iter().all(|excuse| order.is_in(*excuse, visit.after)) {
                    passed.push(*test);
                }
            }
        });
        passed.sort_unstable_by_key(|test| (test.about, test.write));
        passed
    }
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
        by_read: Vec::new(),
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

struct Scan<'s, 'h> {
    facts: &'s Facts<'h>,
    order: &'s CausalOrder,
    seen: &'s Seen,
    /// Where each lane was last looked at: the next look is near.
    hints: Vec<u32>,
    tests: Tests,
    conflicts: FxHashSet<(u32, u32)>,
    /// Conflicts and the read that asks for each.
    by_read: Vec<(u32, u32, u32)>,
    found: Overlooked,
}

impl Scan<'_, '_> {
    fn read(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        self.found.chances += u64::from(self.is_chance(visit, &read));
        match read.saw {
            Saw::Unclear | Saw::ThinAir => {}
            Saw::Nothing => self.nothing(visit, number),
            Saw::Made { .. } => self.made(visit, number),
            Saw::Deleted => self.deleted(visit, number),
            Saw::Elements { .. } => self.elements(visit, number),
        }
        if self.tests.len() >= TESTS_MAX {
            self.settle();
        }
    }

    fn is_chance(&self, visit: &Visit<'_>, read: &Read) -> bool {
        if !read.saw.is_clear() {
            return false;
        }
        let session = self.order.session[visit.operation as usize];
        self.seen.lanes(read.key).any(|lane| {
            let Lane { session: writer, column, .. } = self.seen.lane(lane);
            writer != session && visit.before[column as usize] >= self.seen.writes(lane)[0].0
        })
    }

    /// How many writes of this lane a clock knows, and the clock's column for it.
    fn known(&mut self, lane: usize, clock: &[u32]) -> (usize, usize) {
        let writes = self.seen.writes(lane);
        let column = self.seen.lane(lane).column as usize;
        let bound = clock[column];
        let mut at = self.hints[lane] as usize;
        if at < writes.len() && writes[at].0 <= bound {
            at = forward(writes, at, bound);
        } else if at > 0 && writes[at - 1].0 > bound {
            at = backward(writes, at, bound);
        }
        self.hints[lane] = at as u32;
        (at, column)
    }

    fn nothing(&mut self, visit: &Visit<'_>, number: u32) {
        let key = self.seen.reads[number as usize].key;
        let mut first: Option<u32> = None;
        for lane in self.seen.lanes(key) {
            let (count, _) = self.known(lane, visit.after);
            let known = self.seen.writes(lane)[..count].first().map(|(_, write)| *write);
            first = [first, known].into_iter().flatten().min();
        }
        self.found.reads.extend(first.map(|write| (number, write)));
    }

    fn made(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let makers = seen.makers(read.saw);
        let clocks: Option<Vec<&[u32]>> = makers.iter().map(|maker| visit.clock_of(*maker)).collect();
        // Only if a cycle had to be broken here.
        let Some(clocks) = clocks else { return };
        let were_known = makers.iter().all(|maker| self.order.is_in(*maker, visit.before));
        for lane in seen.lanes(read.key) {
            // Nothing is known of that session that what was read did not know.
            let column = seen.lane(lane).column as usize;
            if clocks.iter().any(|clock| clock[column] >= visit.after[column]) {
                continue;
            }
            let (count, _) = self.known(lane, visit.after);
            let Some((position, write)) = count.checked_sub(1).map(|last| seen.writes(lane)[last]) else {
                continue;
            };
            if clocks.iter().any(|clock| clock[column] >= position) {
                continue;
            }
            if were_known {
                self.tests.add(self.order, number, write, makers);
            }
            if let [maker] = makers
                && self.conflicts.insert((write, *maker))
            {
                self.by_read.push((number, write, *maker));
            }
        }
    }

    fn deleted(&mut self, visit: &Visit<'_>, number: u32) {
        let read = self.seen.reads[number as usize];
        let seen = self.seen;
        let deletes = seen.deletes_before(self.facts, &read);
        if !deletes.iter().all(|delete| self.order.is_in(*delete, visit.before)) {
            return;
        }
        for lane in seen.lanes(read.key) {
            let (count, _) = self.known(lane, visit.after);
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
            let (count, _) = self.known(lane, visit.after);
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
        let is_sound =
            |(read, ..): &&(u32, u32, u32)| found.reads.binary_search_by_key(read, |(r, _)| *r).is_err();
        found.conflicts =
            self.by_read.iter().filter(is_sound).map(|(_, write, maker)| (*write, *maker)).collect();
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
