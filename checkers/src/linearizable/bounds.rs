//! Counters by their bounds: what was surely added before a read began, and what may have been added before it
//! ended, with the same of what was taken away.
//!
//! ```text
//!   c0  |-- +2 --|                                     surely counted    +2         lowest   2 - 1 = 1
//!   c1              |------ -1, unknown ------- …      perhaps           -1, +5     highest  2 + 5 = 7
//!   c2                    |------- +5 -------|
//!   c3                      |- read → 0 -|             0 is below 1: no order explains it
//! ```
//!
//! A read beyond its bounds has no legal order. A counter whose reads are all within theirs may still have none:
//! that is for the search. O(n log n). Source: Kingsbury, Jepsen's counter checker.

use histories::MicroOp;

use crate::Facts;
use crate::facts::{Address, KeyNumber, Verb, Visit};

/// A read beyond its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OutOfBounds {
    pub(super) read: Address,
    /// The lowest and the highest number that it can have seen.
    pub(super) bounds: (i128, i128),
    /// The fewest increments that show it: some that had ended before the read began, and all that may have
    /// brought it nearer to what it saw.
    pub(super) increments: Vec<Address>,
}

/// Reads beyond their bounds for which a proof is made, of which the shortest is told.
const PROVED_MAX: usize = 100;

/// The read beyond its bounds with the shortest proof, if there is any.
pub(super) fn out_of_bounds(facts: &Facts<'_>, key: KeyNumber) -> Option<OutOfBounds> {
    let usage = facts.usage(key);
    if usage.is_account || usage.writes + usage.compare_and_sets + usage.deletes > 0 {
        return None;
    }
    let counter = Counter::new(facts, key);
    let reads = facts.visits(key).iter().filter(|visit| visit.verb == Verb::Read && visit.is_load);
    let beyond = reads.filter_map(|read| counter.beyond(read)).take(PROVED_MAX);
    beyond.map(|beyond| counter.proved(&beyond)).min_by_key(|proof| (proof.increments.len(), proof.read))
}

#[derive(Debug, Clone, Copy)]
struct Increment {
    at: Address,
    by: i64,
    from: u64,
    to: u64,
}

/// Increments in one order, and what the first so many take away and add.
struct Sums {
    increments: Vec<Increment>,
    taken: Vec<i128>,
    added: Vec<i128>,
}

impl Sums {
    fn new(increments: Vec<Increment>) -> Self {
        let (mut taken, mut added) = (vec![0], vec![0]);
        let (mut low, mut high) = (0_i128, 0_i128);
        for increment in &increments {
            low += i128::from(increment.by.min(0));
            high += i128::from(increment.by.max(0));
            taken.push(low);
            added.push(high);
        }
        Self { increments, taken, added }
    }
}

/// The increments of a counter that happened or may have happened.
struct Counter {
    /// In the order in which they were asked.
    asked: Sums,
    /// Those that were confirmed, in the order of their ends.
    ended: Sums,
}

/// A read, what it saw, its bounds, and how many increments were asked before it ended and ended before it began.
struct Beyond {
    read: Address,
    saw: i128,
    bounds: (i128, i128),
    asked: usize,
    ended: usize,
}

impl Counter {
    fn new(facts: &Facts<'_>, key: KeyNumber) -> Self {
        let increment = |visit: &Visit| {
            let (from, to) = visit.interval();
            match facts.micro_op(visit.at) {
                MicroOp::Increment { by, .. } => Some(Increment { at: visit.at, by: *by, from, to }),
                _ => None,
            }
        };
        let possible =
            facts.visits(key).iter().filter(|visit| visit.is_possible && visit.verb == Verb::Other);
        let asked: Vec<Increment> = possible.filter_map(increment).collect();
        let mut ended: Vec<Increment> =
            asked.iter().filter(|increment| increment.to < u64::MAX).copied().collect();
        ended.sort_by_key(|increment| increment.to);
        Self { asked: Sums::new(asked), ended: Sums::new(ended) }
    }

    fn beyond(&self, read: &Visit) -> Option<Beyond> {
        let (saw, (from, to)) = (i128::from(read.integer()?), read.interval());
        let asked = self.asked.increments.partition_point(|increment| increment.from <= to);
        let ended = self.ended.increments.partition_point(|increment| increment.to < from);
        let low = self.ended.added[ended] + self.asked.taken[asked];
        let high = self.ended.taken[ended] + self.asked.added[asked];
        let is_beyond = saw < low || high < saw;
        is_beyond.then_some(Beyond { read: read.at, saw, bounds: (low, high), asked, ended })
    }

    /// The largest of those that surely counted, as few as are enough against all that may have counted the
    /// other way.
    fn proved(&self, beyond: &Beyond) -> OutOfBounds {
        let is_low = beyond.saw < beyond.bounds.0;
        let counts = |increment: &&Increment| if is_low { increment.by > 0 } else { increment.by < 0 };
        let asked = self.asked.increments[..beyond.asked].iter();
        let against: Vec<&Increment> = asked.filter(|increment| !counts(increment)).collect();
        let ended = self.ended.increments[..beyond.ended].iter();
        let mut surely: Vec<&Increment> = ended.filter(counts).collect();
        surely.sort_by_key(|increment| std::cmp::Reverse(increment.by.unsigned_abs()));
        let mut sum: i128 = against.iter().map(|increment| i128::from(increment.by)).sum();
        let few = surely.into_iter().take_while(|increment| {
            let is_enough = if is_low { sum > beyond.saw } else { sum < beyond.saw };
            sum += i128::from(increment.by);
            !is_enough
        });
        let mut increments: Vec<Address> = few.map(|increment| increment.at).collect();
        increments.extend(against.iter().map(|increment| increment.at));
        increments.sort_unstable();
        OutOfBounds { read: beyond.read, bounds: beyond.bounds, increments }
    }
}

#[cfg(test)]
mod tests {
    use histories::text;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::linearizable::tests::is_a_counter;

    fn told(history: &str) -> Option<(u32, (i128, i128), Vec<u32>)> {
        let history = text::parse(history).unwrap();
        let facts = Facts::new(&history);
        let key = facts.keys().next().unwrap();
        let found = out_of_bounds(&facts, key)?;
        let increments = found.increments.iter().map(|at| at.operation.0).collect();
        Some((found.read.operation.0, found.bounds, increments))
    }

    #[test]
    fn a_read_lies_between_what_surely_and_what_perhaps_counted() {
        let counter = |saw: i64| {
            format!(
                "c0 0..1   increment n 2 -> ok
                 c1 2..3   increment n -1 -> unknown timeout
                 c2 4..8   increment n 5 -> ok
                 c3 5..7   read n -> {saw}"
            )
        };
        for saw in 1..=7 {
            assert_eq!(told(&counter(saw)), None, "{saw}");
        }
        assert_eq!(told(&counter(0)), Some((3, (1, 7), vec![0, 1])));
        assert_eq!(told(&counter(8)), Some((3, (1, 7), vec![0, 2])));
    }

    #[test]
    fn the_fewest_of_many_increments_are_told() {
        let lines: Vec<String> =
            (1..=9).map(|by| format!("c{by} {}..{} increment n {by} -> ok", by * 10, by * 10 + 1)).collect();
        let history = format!("{}\nc0 200..201 read n -> 12", lines.join("\n"));
        assert_eq!(told(&history), Some((9, (45, 45), vec![7, 8])));
    }

    /// What the bounds refuse has no legal order, and neither have the few calls that are told.
    #[test]
    fn what_is_beyond_its_bounds_has_no_legal_order() {
        let mut refused = 0;
        for seed in 0..2_000 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut lines: Vec<String> = (0..5)
                .map(|client| {
                    let begin = rng.random_range(0..12);
                    let end = begin + rng.random_range(1..6);
                    match rng.random_range(0..5) {
                        0 | 1 => format!("c{client} {begin}..{end} read n -> {}", rng.random_range(-2..5)),
                        2 => format!("c{client} {begin}..{end} increment n -1 -> unknown timeout"),
                        _ => {
                            format!("c{client} {begin}..{end} increment n {} -> ok", rng.random_range(-1..3))
                        }
                    }
                })
                .collect();
            lines.sort_by_key(|line| line[3..].split("..").next().unwrap().parse::<u32>().unwrap());
            let history = text::parse(&lines.join("\n")).unwrap();
            let facts = Facts::new(&history);
            let Some(key) = facts.key_number(&"n".into()) else { continue };
            let Some(found) = out_of_bounds(&facts, key) else { continue };
            refused += 1;
            let is_told = |place: &usize| {
                let at = facts.on_key(key)[*place];
                at == found.read || found.increments.contains(&at)
            };
            let part: Vec<&str> =
                (0..lines.len()).filter(is_told).map(|place| lines[place].as_str()).collect();
            for lines in [lines.join("\n"), part.join("\n")] {
                assert!(!is_a_counter(&text::parse(&lines).unwrap()), "seed {seed}:\n{lines}");
            }
        }
        assert!(refused > 100, "{refused}");
    }
}
