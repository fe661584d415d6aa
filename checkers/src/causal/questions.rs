//! Many questions of one kind, answered together in one walk: did all of these come before that?
//!
//! ```text
//!   read 7 saw y and knew of w      is y causally before w?      then nothing explains read 7
//! ```
//!
//! Whoever asks does not have the clock of *w* any more, and keeping all clocks would cost n · k.

use crate::causal::order::CausalOrder;
use crate::causal::walk::walk;

/// Questions and excuses that are answered together; 16 and 4 bytes each.
const TESTS_MAX: usize = 10_000_000;

/// Is everything in `excuses` known to come before `write`? Then nothing explains `read`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Test {
    /// What the asker wants to know again.
    pub(crate) about: u32,
    pub(crate) write: u32,
    begin: u32,
    count: u32,
}

impl Test {
    /// Its excuses, of those of all tests.
    pub(crate) fn excuses<'p>(&self, pool: &'p [u32]) -> &'p [u32] {
        &pool[self.begin as usize..(self.begin + self.count) as usize]
    }
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

    /// True if it is time to answer them.
    pub(crate) fn is_full(&self) -> bool {
        self.tests.len() + self.pool.len() >= TESTS_MAX
    }

    /// All tests and all excuses; then there are no tests left.
    pub(crate) fn take(&mut self) -> (Vec<Test>, Vec<u32>) {
        let Self { tests, pool } = std::mem::take(self);
        (tests, pool)
    }

    /// Those whose answer is yes, in the order of `about`; then there are no tests left.
    pub(crate) fn answer(&mut self, order: &CausalOrder) -> Vec<Test> {
        let (mut tests, pool) = self.take();
        if tests.is_empty() {
            return tests;
        }
        tests.sort_unstable_by_key(|test| (order.rank[test.write as usize], test.about));
        let mut passed = Vec::new();
        let mut next = 0;
        walk(order, |visit| {
            while let Some(test) = tests.get(next).filter(|test| test.write == visit.operation) {
                next += 1;
                if test.excuses(&pool).iter().all(|excuse| order.is_in(*excuse, visit.after)) {
                    passed.push(*test);
                }
            }
        });
        passed.sort_unstable_by_key(|test| (test.about, test.write));
        passed
    }
}

/// Of each session the last of these writes: if that comes before something, so do the others.
pub(crate) fn newest(order: &CausalOrder, mut writes: Vec<u32>) -> Vec<u32> {
    let place = |write: &u32| (order.session[*write as usize], order.position[*write as usize]);
    writes.sort_unstable_by_key(|write| std::cmp::Reverse(place(write)));
    writes.dedup_by_key(|write| order.session[*write as usize]);
    writes
}
