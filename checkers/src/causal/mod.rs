//! Causal order: nobody sees an effect before its cause, and all agree on the order of what was
//! written without knowing of each other (causal convergence).
//!
//! ```text
//!   c2  write x = 1 (a question)
//!   c7                read x → 1    write y = 2 (an answer)
//!   c4                                            read y → 2    read x → nothing     broken
//! ```
//!
//! There is an order of all writes that explains every read by what is causally before it iff none of
//! these occurs: a read from the future, in circles (CyclicCO); a read of a value that nobody wrote
//! (ThinAirRead); a read of nothing, or of an older value, although a newer write came before it
//! (WriteCOInitRead, WriteCORead); reads that demand a circular order of writes (CyclicCF).
//! See `order.rs` for what comes before what and `overlooked.rs` for the search; O(n · k) for k sessions.
//!
//! Registers, with siblings: a read that shows several is explained by any of them, and in a history
//! that shows siblings anywhere no order of concurrent writes is demanded. Neither is one of a write
//! and a delete: a delete may remove only what it had seen. Lists and sets are
//! judged by their elements: an element that is known and missing must have been overwritten or
//! removed. Counters, keys of several kinds, and reads of a value that was written twice say nothing
//! here. What a compare-and-set expected orders it after that, but is not taken for a read.
//!
//! What one read of a call found says nothing about the call's other reads: nobody need have promised
//! that the call saw one state. But a call counts as one event for others: who saw one of its effects
//! knows all that it read. Reads of the phases settle and final reads are judged like all others, for
//! they are ordinary reads of their sessions, each at its node.
//!
//! This is CCv of the source. Its weaker sibling CC is in `consistency.rs`; CM, in which each session may
//! have an order of its own, in `views`.
//!
//! Source: Bouajjani, Enea, Guerraoui & Hamza, On verifying causal consistency, POPL 2017.

mod circle;
pub(crate) mod clock;
pub mod consistency;
pub(crate) mod order;
pub(crate) mod overlooked;
pub(crate) mod path;
pub(crate) mod questions;
pub(crate) mod seen;
pub(crate) mod story;
pub(crate) mod walk;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::facts::KeyNumber;
use crate::session::turns::Turns;
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Verdict};
use order::CausalOrder;
use overlooked::{Overlooked, scan};
use seen::Seen;
use story::Teller;

/// Judges `causal-order`.
pub struct Causal;

const GUARANTEE: &str = "causal-order";

/// Circular orders that are told.
const CIRCLES_MAX: usize = 100;

/// What the checkers of causal order and of sessions need to know, found once.
#[derive(Debug)]
pub(crate) struct Causality {
    pub(crate) seen: Seen,
    pub(crate) order: CausalOrder,
    pub(crate) overlooked: Overlooked,
    /// Only the session guarantees need them.
    turns: OnceLock<Turns>,
}

impl Causality {
    pub(crate) fn new(facts: &Facts<'_>) -> Self {
        let seen = Seen::new(facts);
        let order = CausalOrder::new(facts, &seen);
        let overlooked = scan(facts, &order, &seen);
        Self { seen, order, overlooked, turns: OnceLock::new() }
    }

    /// All reads by key and session.
    pub(crate) fn turns(&self, facts: &Facts<'_>) -> &Turns {
        self.turns.get_or_init(|| Turns::new(facts, self))
    }
}

impl Checker for Causal {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "nobody sees an effect before its cause, and concurrent writes are ordered the same for all"
    }

    fn check(&self, facts: &Facts<'_>, _budget: Budget) -> Verdict {
        let causality = facts.causality();
        let chances = chances(causality.overlooked.chances);
        let teller = Teller { facts, causality };
        let overlooked = teller.overlooked();
        let missed = causality.overlooked.reads.len() as u64;
        let thin_air = teller.thin_air();
        let impossible: u64 = thin_air.iter().map(|finding| finding.weight).sum();
        let circles = circles(causality, &teller);
        let cyclic = circles.iter().filter(|finding| finding.anomaly == circle::CYCLE).count() as u64;
        let counts = [missed, impossible, cyclic, circles.len() as u64 - cyclic];
        let mut findings: Vec<Finding> = overlooked.into_iter().chain(thin_air).chain(circles).collect();
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        findings.sort_by_cached_key(|finding| finding.steps.len());
        Verdict::broken(GUARANTEE, chances, summary(counts), counts.iter().sum(), findings)
    }
}

fn chances(count: u64) -> Chances {
    let what = match count {
        0 => "no read came after a write to its key by another session, as far as anybody could know".into(),
        _ => format!("{} of a key after a known write to it", counted(count, "read", "reads")),
    };
    Chances { count, what }
}

fn summary(counts: [u64; 4]) -> String {
    let what = [
        "an effect was visible before its cause",
        "a value came from nowhere",
        "operations depended on each other in a circle",
        "clients saw writes in contradictory orders",
    ];
    let told: Vec<String> = what
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}, {}", counted(count, "time", "times")))
        .collect();
    told.join("; ")
}

fn circles(causality: &Causality, teller: &Teller<'_, '_>) -> Vec<Finding> {
    let order = &causality.order;
    let mut circles = order.cycles.clone();
    if circles.is_empty() {
        let conflicts = &causality.overlooked.conflicts;
        let pairs: Vec<(u32, u32)> =
            conflicts.iter().map(|conflict| (conflict.first, conflict.later)).collect();
        circles = order.cycles_with(&pairs, CIRCLES_MAX);
    }
    circles.truncate(CIRCLES_MAX);
    circles.iter().map(|circle| teller.circle(circle)).collect()
}

/// The simplest of the reads that overlooked something, for each key, and how many there are: shortest
/// way from the overlooked write to the read.
pub(crate) fn simplest_by_key(
    causality: &Causality,
    reads: &[(u32, u32)],
) -> Vec<(KeyNumber, u32, u32, u64)> {
    let mut by_key: FxHashMap<KeyNumber, (u32, u32, u32, u64)> = FxHashMap::default();
    for (number, write) in reads {
        let read = &causality.seen.reads[*number as usize];
        let rank = |operation: u32| causality.order.rank[operation as usize];
        let span = rank(read.at.operation.0).saturating_sub(rank(*write));
        let best = by_key.entry(read.key).or_insert((span, *number, *write, 0));
        best.3 += 1;
        if (span, *number) < (best.0, best.1) {
            (best.0, best.1, best.2) = (span, *number, *write);
        }
    }
    let mut simplest: Vec<(KeyNumber, u32, u32, u64)> =
        by_key.into_iter().map(|(key, (_, read, write, count))| (key, read, write, count)).collect();
    simplest.sort_unstable();
    simplest
}

#[cfg(test)]
pub(crate) mod brute;
#[cfg(test)]
mod tests;
