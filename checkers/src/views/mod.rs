//! Orders that need not agree with time: one for each session, or one for all.
//!
//! ```text
//!   pram                 each session has an order of all writes, as each other session made them, that
//!                        explains what it read
//!   causal-memory        the same, and the order agrees with what may have caused what
//!   sequential           one order for all sessions explains what all read
//! ```
//!
//! The first two are decided by drawing conclusions (`saturate.rs`), session by session: O(n · k²) for k
//! sessions. The third is hard in general: conclusions refute it, else an order is searched for, within the
//! budget (`order.rs`). Registers only, keys with known writers only. Across keys; a history on one key is
//! judged key by key, of course. With too many calls and sessions for the memory, nothing is judged.
//!
//! Source: Lipton & Sandberg, PRAM: a scalable shared memory, 1988; Ahamad et al., Causal memory, 1995
//! (CM of Bouajjani et al., POPL 2017); Lamport, How to make a multiprocessor computer, 1979.

mod order;
mod record;
mod saturate;
mod story;

use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Verdict};
use order::{Ordered, order};
use record::{Found, Record, Scope};
use saturate::{Saturated, View, saturate};

/// Judges `pram`.
pub struct Pram;

/// Judges `causal-memory`.
pub struct CausalMemory;

/// Judges `sequential`.
pub struct Sequential;

/// Clocks of so many columns in all are kept, 4 bytes each.
const COLUMNS_MAX: usize = 24_000_000;

const TOO_LARGE: &str = "too many calls and sessions to compare all of them";
const TOO_LONG: &str = "a longer search was needed: a larger budget of steps may help";

impl Checker for Pram {
    fn guarantee(&self) -> &'static str {
        "pram"
    }

    fn promise(&self) -> &'static str {
        "each session sees the writes of every other session in the order in which that made them"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        each_view(facts, budget, self.guarantee(), false)
    }
}

impl Checker for CausalMemory {
    fn guarantee(&self) -> &'static str {
        "causal-memory"
    }

    fn promise(&self) -> &'static str {
        "each session has an order of all writes, causes first, that explains everything it read"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        each_view(facts, budget, self.guarantee(), true)
    }
}

impl Checker for Sequential {
    fn guarantee(&self) -> &'static str {
        "sequential"
    }

    fn promise(&self) -> &'static str {
        "one order of all calls, in which each session's calls keep theirs, explains everything that was read"
    }

    fn check(&self, facts: &Facts<'_>, mut budget: Budget) -> Verdict {
        let record = Record::new(facts, Scope::OneOrder);
        let chances = chances(&record);
        let guarantee = self.guarantee();
        if is_too_large(&record) {
            return Verdict::not_judged(guarantee, chances, TOO_LARGE);
        }
        let summary = || "no order of all calls explains what was read".to_string();
        let clocks = match saturate(&record, View { session: None, causal: true }, &mut budget) {
            Saturated::OutOfSteps => return Verdict::not_judged(guarantee, chances, TOO_LONG),
            Saturated::Circle { edges, stuck } => {
                let finding = story::circle(facts, &record, &edges, &stuck, None);
                return Verdict::broken(guarantee, chances, summary(), 1, vec![finding]);
            }
            Saturated::Clear(clocks) => clocks,
        };
        match order(&record, &clocks, &mut budget) {
            Ordered::Never => {
                let finding = story::no_order(facts, &record, &mut budget);
                Verdict::broken(guarantee, chances, summary(), 1, vec![finding])
            }
            Ordered::OutOfSteps => Verdict::not_judged(guarantee, chances, TOO_LONG),
            Ordered::Found if record.left_out > 0 && chances.count > 0 => {
                let keys = counted(record.left_out, "key was", "keys were");
                let why =
                    format!("{keys} left aside: deleted, written twice, no register, or in transactions");
                Verdict::not_judged(guarantee, chances, why)
            }
            Ordered::Found => Verdict::unbroken(guarantee, chances),
        }
    }
}

fn each_view(facts: &Facts<'_>, mut budget: Budget, guarantee: &'static str, causal: bool) -> Verdict {
    let record = Record::new(facts, Scope::EachView);
    let chances = chances(&record);
    let readers: Vec<u32> =
        (0..record.sessions.len() as u32).filter(|session| reads(&record, *session)).collect();
    let cost = (readers.len() * record.nodes.len()).saturating_mul(record.sessions.len());
    if is_too_large(&record) {
        return Verdict::not_judged(guarantee, chances, TOO_LARGE);
    }
    if cost as u64 > budget.steps {
        return Verdict::not_judged(guarantee, chances, TOO_LONG);
    }
    let mut findings: Vec<Finding> = Vec::new();
    let mut is_whole = true;
    for session in readers {
        match saturate(&record, View { session: Some(session), causal }, &mut budget) {
            Saturated::Clear(_) => {}
            Saturated::OutOfSteps => is_whole = false,
            Saturated::Circle { edges, stuck } => {
                findings.push(story::circle(facts, &record, &edges, &stuck, Some(session)));
            }
        }
    }
    if findings.is_empty() {
        return match is_whole {
            true => Verdict::unbroken(guarantee, chances),
            false => Verdict::not_judged(guarantee, chances, TOO_LONG),
        };
    }
    findings.sort_by_cached_key(|finding| finding.steps.len());
    let count = findings.len() as u64;
    let summary =
        format!("{} read what no order of the writes explains", counted(count, "session", "sessions"));
    Verdict::broken(guarantee, chances, summary, count, findings)
}

fn is_too_large(record: &Record) -> bool {
    record.nodes.len().saturating_mul(record.sessions.len()) > COLUMNS_MAX
}

fn reads(record: &Record, session: u32) -> bool {
    record.sessions[session as usize].iter().any(|node| record.node(*node).found != Found::Unsaid)
}

/// Reads of keys that somebody wrote, by sessions that did something before.
fn chances(record: &Record) -> Chances {
    let is_chance = |node: &&record::Node| {
        node.found != Found::Unsaid && node.position > 1 && !record.lanes(node.key).is_empty()
    };
    let count = record.nodes.iter().filter(is_chance).count() as u64;
    let what = match count {
        0 => "no session read a value, written once, after it had done something else".into(),
        _ => format!("{} by sessions that had done something before", counted(count, "read", "reads")),
    };
    Chances { count, what }
}

#[cfg(test)]
mod tests;
