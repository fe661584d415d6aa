//! Transactional causal consistency: who knows of a transaction, directly or through others, sees its
//! effects or newer ones.
//!
//! ```text
//!   c0   T2  w x 2                                     T4 knows of T2 through T3, and yet saw T1's x:
//!   c1          T3  r x 2, w y 3                       T1's must be newer, T2 ──▶ T1
//!   c2                         T4  r y 3, r x 1
//! ```
//!
//! What a transaction knows of each session is one number, how many of its transactions: a vector clock.
//! Of each session only the newest known writer of a key matters, and only if the one whose value was
//! read does not know of it. Where a session is ahead of what the reader knows of it, its writers of the
//! key are gone back along, mostly by one, and looked for in a list of them only if they are many. Clocks
//! are kept for [`AT_ONCE`] sessions at a time, half of them by each of two threads, so that memory stays in
//! proportion to the history.
//! O(n · k) for n micro-ops and k sessions, but for the looks into that list: a binary search each.
//!
//! Source: Biswas & Enea, OOPSLA 2019 (the rule); AWDIT, PLDI 2025 (which of its edges are needed).

use std::ops::Range;
use std::sync::OnceLock;

use histories::threads;

use super::answer::Undecided;
use super::lists::Lists;
use super::sources::NONE;
use super::view::{Implied, View};
use crate::Budget;

/// Sessions whose clocks are kept at once.
const AT_ONCE: usize = 64;
/// Writers of a key in a session that are gone back along, before the right one is looked for.
const STEPS_BACK: usize = 8;

/// Every needed edge that is news, by session of the one that must come first; `readers` are all in an
/// order along sessions and reads. One step of the budget for each transaction and eight sessions.
pub(crate) fn implied(
    view: &View<'_>,
    readers: &[u32],
    budget: &mut Budget,
) -> Result<Vec<Implied>, Undecided> {
    let sessions: Vec<usize> = (0..view.chains.len()).collect();
    let longest = sessions.iter().map(|chain| view.chains.get(*chain).len()).max().unwrap_or(0);
    let is_short = longest < usize::from(u16::MAX);
    let writers = OnceLock::new();
    let mut implied = Vec::new();
    for sessions in sessions.chunks(AT_ONCE) {
        let cost = (view.len() * sessions.len().div_ceil(8)) as u64;
        if budget.steps < cost {
            return Err(Undecided);
        }
        budget.steps -= cost;
        let found = threads::in_halves(view.table.micro_op_count(), sessions, |sessions| {
            let Some(first) = sessions.first() else { return Vec::new() };
            let columns = *first..first + sessions.len();
            if is_short {
                Clocks::<u16>::new(view, &writers, columns).run(readers)
            } else {
                Clocks::<u32>::new(view, &writers, columns).run(readers)
            }
        });
        found.into_iter().for_each(|found| implied.extend(found));
    }
    Ok(implied)
}

/// A number of transactions, as small as can be.
trait Count: Copy + Ord + Default {
    fn new(count: u32) -> Self;
    fn get(self) -> u32;
    /// Nonzero if this is more than the other. A difference, for that is what processors do to many
    /// numbers at once.
    fn excess(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
}

macro_rules! count {
    ($number:ty) => {
        impl Count for $number {
            fn new(count: u32) -> Self {
                count as Self
            }
            fn get(self) -> u32 {
                self.into()
            }
            fn excess(self, other: Self) -> Self {
                self.saturating_sub(other)
            }
            fn or(self, other: Self) -> Self {
                self | other
            }
        }
    };
}

count!(u16);
count!(u32);

struct Clocks<'v, C> {
    view: &'v View<'v>,
    /// Made when somebody needs it: [`View::writers`].
    writers: &'v OnceLock<Lists>,
    /// The sessions that are looked at.
    columns: Range<usize>,
    /// For each transaction, how many of each session's it knows, itself included.
    known: Vec<C>,
    /// For each key, how far in each session its newest writer so far is: one more than its place.
    newest: Vec<C>,
    /// For each write of [`View::written`], the same as it was before.
    before: Vec<C>,
    /// What the transaction that is looked at knows, without itself.
    now: Vec<C>,
}

impl<'v, C: Count> Clocks<'v, C> {
    fn new(view: &'v View<'v>, writers: &'v OnceLock<Lists>, columns: Range<usize>) -> Self {
        let width = columns.len();
        Self {
            view,
            writers,
            columns,
            known: vec![C::default(); view.len() * width],
            newest: vec![C::default(); view.table.key_count() * width],
            before: vec![C::default(); view.written.item_count()],
            now: vec![C::default(); width],
        }
    }

    fn run(mut self, readers: &[u32]) -> Vec<Implied> {
        let mut implied = Vec::new();
        for reader in readers.iter().copied() {
            self.learn(reader);
            self.compare(reader, &mut implied);
            self.remember(reader);
        }
        implied
    }

    fn learn(&mut self, reader: u32) {
        let (view, width) = (self.view, self.columns.len());
        self.now.fill(C::default());
        let place = view.position[reader as usize] as usize;
        let chain = view.chains.get(view.session(reader) as usize);
        let before = place.checked_sub(1).map(|before| chain[before]);
        for other in before.into_iter().chain(view.read_from(reader)) {
            let known = &self.known[other as usize * width..][..width];
            for (now, known) in self.now.iter_mut().zip(known) {
                *now = (*now).max(*known);
            }
        }
    }

    fn compare(&self, reader: u32, implied: &mut Vec<Implied>) {
        let width = self.columns.len();
        let nothing = [C::default(); AT_ONCE];
        for seen in self.view.reads(reader) {
            let known = match seen.source {
                ..NONE => &self.known[seen.source as usize * width..][..width],
                _ => &nothing[..width],
            };
            let newest = &self.newest[seen.key as usize * width..][..width];
            let pairs = newest.iter().zip(known).zip(&self.now);
            // Newer than what the source knows, and among what the reader knows: mostly nowhere.
            let ahead = pairs.fold(C::default(), |ahead, ((newest, known), now)| {
                ahead.or((*newest).min(*now).excess(*known))
            });
            if ahead == C::default() {
                continue;
            }
            for column in 0..width {
                if newest[column].min(self.now[column]) > known[column] {
                    let span = known[column].get()..self.now[column].get();
                    if let Some(first) = self.newest_writer(seen.key, column, newest[column], span) {
                        let edge = Implied { first, later: seen.source, reader, key: seen.key };
                        implied.extend(self.view.news(edge));
                    }
                }
            }
        }
    }

    /// The newest writer of the key in this session whose place is in `span`.
    fn newest_writer(&self, key: u32, column: usize, newest: C, span: Range<u32>) -> Option<u32> {
        let chain = self.view.chains.get(self.columns.start + column);
        let mut count = newest.get();
        for _ in 0..STEPS_BACK {
            // One more than the writer's place.
            if count <= span.start {
                return None;
            }
            let writer = chain[count as usize - 1];
            if count <= span.end {
                return Some(writer);
            }
            count = self.before(writer, key).get();
        }
        self.look_for_writer(key, column, span)
    }

    fn before(&self, writer: u32, key: u32) -> C {
        let written = &self.view.written;
        let place = written.get(writer as usize).iter().position(|written| *written == key);
        place.map_or(C::default(), |place| self.before[written.range(writer as usize).start + place])
    }

    fn look_for_writer(&self, key: u32, column: usize, span: Range<u32>) -> Option<u32> {
        let session = self.columns.start + column;
        let writers = self.writers.get_or_init(|| self.view.writers()).get(key as usize);
        let place = |txn: u32| (self.view.session(txn) as usize, self.view.position[txn as usize]);
        let after = writers.partition_point(|txn| place(*txn) < (session, span.end));
        let writer = *writers.get(after.checked_sub(1)?)?;
        (place(writer).0 == session && place(writer).1 >= span.start).then_some(writer)
    }

    fn remember(&mut self, reader: u32) {
        let width = self.columns.len();
        let session = self.view.session(reader) as usize;
        if self.columns.contains(&session) {
            let column = session - self.columns.start;
            let count = C::new(self.view.position[reader as usize] + 1);
            self.now[column] = count;
            let written = &self.view.written;
            let before = &mut self.before[written.range(reader as usize)];
            for (key, before) in written.get(reader as usize).iter().zip(before) {
                *before = std::mem::replace(&mut self.newest[*key as usize * width + column], count);
            }
        }
        self.known[reader as usize * width..][..width].copy_from_slice(&self.now);
    }
}
