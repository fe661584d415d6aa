//! Orders that need not agree with time: one for each session, or one for all.
//!
//! ```text
//!   pram                 each session has an order of all writes, as each other session made them, that
//!                        explains what it read; a compare-and-set comes after what it replaced
//!   causal-memory        the same, and the order agrees with what may have caused what
//!   sequential           one order for all sessions explains what all read
//! ```
//!
//! Where one order for all can be guessed from the times (`guess.rs`), all three hold: O(n log n). Else the
//! first two are decided by drawing conclusions (`saturate.rs`), session by session, from what each knows of
//! (`past.rs`): O(n · k²) for k sessions that know of everything. The third is hard in general: conclusions
//! refute it, else an order is searched for, within the budget (`order.rs`). Registers only, keys with known writers only. Across keys; a history on one key is
//! judged key by key, of course. A session that knows of too many calls and sessions for the memory is not judged.
//!
//! Source: Lipton & Sandberg, PRAM: a scalable shared memory, 1988; Ahamad et al., Causal memory, 1995
//! (CM of Bouajjani et al., POPL 2017); Lamport, How to make a multiprocessor computer, 1979.

mod guess;
mod order;
mod past;
mod record;
mod saturate;
mod story;
mod support;

use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Verdict};
use order::{Ordered, order};
use past::Pasts;
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
        match guessed(facts, &record, &mut budget) {
            Ordered::Found => return unbroken(&record, guarantee, chances),
            Ordered::OutOfSteps => return Verdict::not_judged(guarantee, chances, TOO_LONG),
            Ordered::Never if is_too_large(&record) => {
                return Verdict::not_judged(guarantee, chances, TOO_LARGE);
            }
            Ordered::Never => {}
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
            Ordered::Found => unbroken(&record, guarantee, chances),
        }
    }
}

// What was looked at has an order; whether all has is another question.
fn unbroken(record: &Record, guarantee: &'static str, chances: Chances) -> Verdict {
    if record.left_out > 0 && chances.count > 0 {
        let keys = counted(record.left_out, "key was", "keys were");
        let why = format!("{keys} left aside: deleted, written twice, no register, or in transactions");
        return Verdict::not_judged(guarantee, chances, why);
    }
    Verdict::unbroken(guarantee, chances)
}

// Whether the order that times suggest is one. A step for each call.
fn guessed(facts: &Facts<'_>, record: &Record, budget: &mut Budget) -> Ordered {
    let cost = record.nodes.len() as u64;
    if budget.steps < cost {
        return Ordered::OutOfSteps;
    }
    budget.steps -= cost;
    if guess::fits(facts, record) { Ordered::Found } else { Ordered::Never }
}

fn each_view(facts: &Facts<'_>, mut budget: Budget, guarantee: &'static str, causal: bool) -> Verdict {
    let record = Record::new(facts, Scope::EachView);
    let chances = chances(&record);
    match guessed(facts, &record, &mut budget) {
        // What is right for all sessions at once is right for each.
        Ordered::Found => return unbroken(&record, guarantee, chances),
        Ordered::OutOfSteps => return Verdict::not_judged(guarantee, chances, TOO_LONG),
        Ordered::Never => {}
    }
    let mut findings: Vec<Finding> = Vec::new();
    let mut lacks = None;
    let mut pasts = Pasts::new(&record);
    let orders_others = causal || record.nodes.iter().any(|node| node.writes && node.found != Found::Unsaid);
    for session in (0..record.sessions.len() as u32).filter(|session| reads(&record, *session, orders_others))
    {
        let Some(past) = pasts.of(session, causal, budget.steps) else {
            lacks = Some(TOO_LONG);
            continue;
        };
        budget.steps -= past.nodes.len() as u64;
        if is_too_large(&past) {
            lacks = lacks.or(Some(TOO_LARGE));
            continue;
        }
        match saturate(&past, View { session: Some(0), causal }, &mut budget) {
            Saturated::Clear(_) => {}
            Saturated::OutOfSteps => lacks = Some(TOO_LONG),
            Saturated::Circle { edges, stuck } => {
                findings.push(story::circle(facts, &past, &edges, &stuck, Some(0)));
            }
        }
    }
    if findings.is_empty() {
        return match lacks {
            None => unbroken(&record, guarantee, chances),
            Some(why) => Verdict::not_judged(guarantee, chances, why),
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

// If nothing but sessions orders what others did, the first call of a session is explained by any write of
// another one. What was read or replaced may order it too.
fn reads(record: &Record, session: u32, orders_others: bool) -> bool {
    record.sessions[session as usize].iter().map(|node| record.node(*node)).any(|node| match node.found {
        Found::Unsaid => false,
        Found::Initial => orders_others || node.position > 1,
        Found::From(source) => orders_others || node.position > 1 || record.node(source).session == session,
    })
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
pub(crate) mod brute;
#[cfg(test)]
mod tests;
