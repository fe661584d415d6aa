//! Searches for one order of all calls.
//!
//! ```text
//!   c0  w x 1 │ r y → nothing          done so far: one call of c0, none of c1; x holds 1
//!   c1  │ w y 2   r x → 1              next: c0's read, which is right now, then c1's write
//! ```
//!
//! Depth first over how far each session is and what each key holds, with a memo of what was tried. A read
//! that is right is done at once, for it changes nothing. Of the writes, one that some next read waits for
//! is tried first, then the one that was answered first. Conclusions that were drawn already are kept to.
//! Polynomial for a fixed number of sessions, exponential in it; each try is a step for each session.

use rustc_hash::FxHashSet;

use crate::Budget;
use crate::facts::KeyNumber;
use crate::views::record::{Found, Record};
use crate::views::saturate::Clocks;

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordered {
    Found,
    Never,
    OutOfSteps,
}

/// How many numbers the memo may hold.
const MEMO_MAX: usize = 16_000_000;

struct Search<'r> {
    record: &'r Record,
    clocks: Option<&'r Clocks>,
    /// How many calls of each session are done.
    done: Vec<u32>,
    /// The newest write of each key, plus one; 0 if there is none.
    holds: Vec<u32>,
    left: usize,
}

/// One call that was done, and what its key held before.
struct Move {
    session: u32,
    key: KeyNumber,
    held: u32,
    is_choice: bool,
}

/// Searches. `clocks` may forbid orders that are surely wrong.
pub(super) fn order(record: &Record, clocks: &Clocks, budget: &mut Budget) -> Ordered {
    search(record, Some(clocks), budget)
}

/// Searches without any conclusions.
pub(super) fn search(record: &Record, clocks: Option<&Clocks>, budget: &mut Budget) -> Ordered {
    let keys = record.nodes.iter().map(|node| node.key.index() + 1).max().unwrap_or(0);
    let mut search = Search {
        record,
        clocks,
        done: vec![0; record.sessions.len()],
        holds: vec![0; keys],
        left: record.nodes.len(),
    };
    let (mut moves, mut memo, mut memo_size) = (Vec::new(), FxHashSet::default(), 0);
    let mut untried: Vec<Vec<u32>> = Vec::new();
    search.do_reads(&mut moves);
    untried.push(search.choices());
    loop {
        if search.left == 0 {
            return Ordered::Found;
        }
        let cost = search.done.len() as u64 + 1;
        if budget.steps < cost || memo_size > MEMO_MAX {
            return Ordered::OutOfSteps;
        }
        budget.steps -= cost;
        let Some(choices) = untried.last_mut() else { return Ordered::Never };
        let Some(session) = choices.pop() else {
            untried.pop();
            search.undo(&mut moves);
            continue;
        };
        search.go(session, true, &mut moves);
        search.do_reads(&mut moves);
        let next = search.choices();
        // Where there is no other way nothing need be remembered.
        if next.len() > 1 {
            let state: Box<[u32]> = search.done.iter().chain(&search.holds).copied().collect();
            memo_size += state.len();
            if !memo.insert(state) {
                search.undo(&mut moves);
                continue;
            }
        }
        untried.push(next);
    }
}

impl Search<'_> {
    fn next(&self, session: u32) -> Option<u32> {
        self.record.sessions[session as usize].get(self.done[session as usize] as usize).copied()
    }

    fn is_right(&self, node: u32) -> bool {
        let node = self.record.node(node);
        let held = self.holds[node.key.index()];
        match node.found {
            Found::Unsaid => true,
            Found::Initial => held == 0,
            Found::From(source) => held == source + 1,
        }
    }

    // All that has to come before it is done.
    fn is_free(&self, node: u32) -> bool {
        let own = self.record.node(node).session as usize;
        self.clocks.is_none_or(|clocks| {
            let pairs = clocks.of(node).iter().zip(&self.done).enumerate();
            pairs.into_iter().all(|(session, (before, done))| session == own || before <= done)
        })
    }

    fn do_reads(&mut self, moves: &mut Vec<Move>) {
        let mut session = 0;
        while (session as usize) < self.done.len() {
            match self.next(session) {
                Some(node) if !self.record.node(node).writes && self.is_right(node) => {
                    self.go(session, false, moves);
                }
                _ => session += 1,
            }
        }
    }

    // Sessions whose next call is a write that may be next; the best last.
    fn choices(&self) -> Vec<u32> {
        let sessions =
            || (0..self.done.len() as u32).filter_map(|session| Some((session, self.next(session)?)));
        let wanted: Vec<u32> = sessions()
            .filter_map(|(_, node)| match self.record.node(node).found {
                Found::From(source) => Some(source),
                Found::Unsaid | Found::Initial => None,
            })
            .collect();
        let mut choices: Vec<(bool, u32, u32)> = sessions()
            .filter(|(_, node)| self.record.node(*node).writes && self.is_right(*node) && self.is_free(*node))
            .map(|(session, node)| {
                (wanted.contains(&node), u32::MAX - self.record.node(node).at.operation.0, session)
            })
            .collect();
        choices.sort_unstable();
        choices.into_iter().map(|(.., session)| session).collect()
    }

    fn go(&mut self, session: u32, is_choice: bool, moves: &mut Vec<Move>) {
        let Some(number) = self.next(session) else { return };
        let node = self.record.node(number);
        let held = self.holds[node.key.index()];
        moves.push(Move { session, key: node.key, held, is_choice });
        if node.writes {
            self.holds[node.key.index()] = number + 1;
        }
        self.done[session as usize] += 1;
        self.left -= 1;
    }

    // Back to before the newest choice.
    fn undo(&mut self, moves: &mut Vec<Move>) {
        while let Some(last) = moves.pop() {
            self.done[last.session as usize] -= 1;
            self.holds[last.key.index()] = last.held;
            self.left += 1;
            if last.is_choice {
                return;
            }
        }
    }
}
