//! What a session knows to be older, whatever other sessions had read: less than causal order.
//!
//! ```text
//!   c0  write x 1,  write x 2                 1 is older than 2: one session wrote both
//!   c1  read x → 1,  write x 3                1 is older than 3 for c1 alone; for others that is for
//!                                             writes-follow-reads to say
//!   c2  compare-and-set x 3 → 4               3 is older than 4: it was replaced
//! ```
//!
//! So there are two orders. The plain one is that of each session and of what was replaced, and the same for
//! all. To it a session adds what it read itself, each before all that it did afterwards. What comes first by
//! either has to come first in every order of a session that PRAM allows: so what holds under PRAM breaks none of
//! the guarantees that are judged by it.
//!
//! A write that another session made comes after a call of the own one only by what was replaced. So whether
//! *y* is known to be older than *w* is asked twice: in the plain order of *w*, and of the own session as it
//! was at its last call that comes before *w* in the plain order. Two walks, O(n · k) time for k sessions that write.
//!
//! Sources: Terry et al. 1994, §3; Brzezinski, Sobaniec & Wawrzyniak, From session causality to causal
//! consistency, PDP 2004 (PRAM and the session guarantees).

use histories::MicroOp;

use crate::Facts;
use crate::causal::Causality;
use crate::causal::clock::Clock;
use crate::causal::order::NONE;
use crate::causal::questions::Tests;
use crate::causal::walk::Kept;

/// A read and a write that it should have shown, and of what would excuse it all that is not known to be older
/// in the plain order.
struct Open {
    /// Where the own session has to be looked at: the operation.
    at: u32,
    read: u32,
    write: u32,
    excuses: Vec<u32>,
}

/// The reads without an excuse, each with the write; then there are no tests left.
pub(super) fn answer(facts: &Facts<'_>, tests: &mut Tests) -> Vec<(u32, u32)> {
    let causality = facts.causality();
    let order = &causality.order;
    let (mut tests, pool) = tests.take();
    if tests.is_empty() {
        return Vec::new();
    }
    let (mut passed, mut open, mut next) = (Vec::new(), Vec::new(), 0);
    tests.sort_unstable_by_key(|test| (order.rank[test.write as usize], test.about));
    let ids: Vec<&[histories::OperationId]> = facts.sessions().map(|(_, ids)| ids).collect();
    walk(facts, causality, |operation, plain, own| {
        while let Some(test) = tests.get(next).filter(|test| test.write == operation) {
            next += 1;
            let reader = causality.seen.reads[test.about as usize].at.operation.0;
            let session = order.session[reader as usize];
            let is_own = session == order.session[operation as usize];
            let known = if is_own { own } else { plain };
            let mut excuses = test.excuses(&pool).to_vec();
            excuses.retain(|excuse| !order.is_in(*excuse, known));
            // The last call of the reader's session that comes before the write.
            let column = order.column_of(reader);
            let last = if is_own || column == NONE { 0 } else { plain.get(column) };
            match (excuses.is_empty(), last) {
                (true, _) => passed.push((test.about, test.write)),
                (false, 0) => {}
                (false, last) => {
                    let at = ids[session as usize][last as usize - 1].0;
                    open.push(Open { at, read: test.about, write: test.write, excuses });
                }
            }
        }
    });
    if !open.is_empty() {
        open.sort_unstable_by_key(|question| {
            (order.rank[question.at as usize], question.read, question.write)
        });
        let mut next = 0;
        walk(facts, causality, |operation, _, own| {
            while let Some(question) = open.get(next).filter(|question| question.at == operation) {
                next += 1;
                if question.excuses.iter().all(|excuse| *excuse == operation || order.is_in(*excuse, own)) {
                    passed.push((question.read, question.write));
                }
            }
        });
    }
    passed.sort_unstable();
    passed
}

// All operations in causal order, each with what comes before it in the plain order, and in that of its session.
fn walk(facts: &Facts<'_>, causality: &Causality, mut visit: impl FnMut(u32, &Clock, &Clock)) {
    let (order, seen) = (&causality.order, &causality.seen);
    let mut plain: Vec<Clock> = vec![Clock::default(); order.column.len()];
    let mut own = plain.clone();
    let mut left_in_session = vec![0_u32; order.column.len()];
    for session in &order.session {
        left_in_session[*session as usize] += 1;
    }
    let mut kept = Kept::new(order);
    for operation in order.sorted().iter().copied() {
        let session = order.session[operation as usize] as usize;
        let (plain, own) = (&mut plain[session], &mut own[session]);
        // Within a call only what it read before it wrote comes first.
        let before = (!reads_first(facts, operation)).then(|| own.clone());
        for source in order.sources(operation) {
            let known = kept.get(source).expect("a source comes first and is kept");
            own.join(known);
            if seen.replaced.binary_search(&(operation, source)).is_ok() {
                plain.join(known);
            }
        }
        visit(operation, plain, before.as_ref().unwrap_or(own));
        kept.release(order.sources(operation));
        let column = order.column_of(operation);
        if column != NONE {
            plain.set(column, order.position[operation as usize]);
            own.set(column, order.position[operation as usize]);
        }
        kept.keep(operation, plain);
        left_in_session[session] -= 1;
        if left_in_session[session] == 0 {
            *plain = Clock::default();
            *own = Clock::default();
        }
    }
}

fn reads_first(facts: &Facts<'_>, operation: u32) -> bool {
    let micro_ops = facts.history().operations()[operation as usize].call.micro_ops();
    micro_ops.len() == 1 || micro_ops.is_sorted_by_key(|micro_op| !matches!(micro_op, MicroOp::Read { .. }))
}
