//! The isolation levels as guarantees: each a view on one shared analysis.
//!
//! ```text
//!   analysis     spots + cycles without any order + cycles with sessions + cycles with real time
//!   a level      those of its order that the lattice says it prohibits
//! ```

use std::collections::BTreeMap;

use super::analysis::{Analysis, Found, Transactions};
use super::kind::{Order, Shape};
use super::open_orders;
use super::search::Cycle;
use super::story::Teller;
use super::words;
use crate::anomaly::names;
use crate::facts::{Facts, KeyKind};
use crate::isolation::guarantee as registers;
use crate::lattice::prohibits;
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Finding, Verdict};

/// Judges one isolation level.
pub struct Isolation {
    guarantee: &'static str,
    promise: &'static str,
    /// The order that it promises besides what transactions saw.
    order: Order,
}

/// No transaction reads uncommitted or intermediate data, or depends on itself (PL-2).
pub static READ_COMMITTED: Isolation = Isolation {
    guarantee: "read-committed",
    promise: "transactions see only what was confirmed, and all of a transaction's last words on a key",
    order: Order::Dependencies,
};

/// Transactions are seen whole (atomic visibility).
pub static READ_ATOMIC: Isolation = Isolation {
    guarantee: "read-atomic",
    promise: "a transaction sees its own reads and writes, and nothing of what failed or is still to come",
    order: Order::Dependencies,
};

/// Writes of transactions are not interleaved (PL-1).
pub static READ_UNCOMMITTED: Isolation = Isolation {
    guarantee: "read-uncommitted",
    promise: "all keys see the writes of two transactions in the same order",
    order: Order::Dependencies,
};

/// No cycles on items (PL-2.99).
pub static REPEATABLE_READ: Isolation = Isolation {
    guarantee: "repeatable-read",
    promise: "what a transaction read stays as it was until it ends",
    order: Order::Dependencies,
};

/// Some serial order explains everything (PL-3).
pub static SERIALIZABLE: Isolation = Isolation {
    guarantee: "serializable",
    promise: "transactions take effect as if one after the other",
    order: Order::Dependencies,
};

/// Transactions read from a snapshot and do not lose updates (PL-SI).
pub static SNAPSHOT_ISOLATION: Isolation = Isolation {
    guarantee: "snapshot-isolation",
    promise: "each transaction reads one state of the store, and of two that change a key at once one fails",
    order: Order::Dependencies,
};

/// A serial order that respects real time (PL-SS).
pub static STRICT_SERIALIZABLE: Isolation = Isolation {
    guarantee: "strict-serializable",
    promise: "transactions take effect one after the other, each between its call and its answer",
    order: Order::RealTime,
};

/// A serial order that respects each session's.
pub static STRONG_SESSION_SERIALIZABLE: Isolation = Isolation {
    guarantee: "strong-session-serializable",
    promise: "transactions take effect one after the other, those of a session in its order",
    order: Order::Sessions,
};

/// Snapshots that never go back within a session.
pub static STRONG_SESSION_SNAPSHOT_ISOLATION: Isolation = Isolation {
    guarantee: "strong-session-snapshot-isolation",
    promise: "each transaction reads one state of the store, no older than what its session did before",
    order: Order::Sessions,
};

/// Snapshots as new as the transaction.
pub static STRONG_SNAPSHOT_ISOLATION: Isolation = Isolation {
    guarantee: "strong-snapshot-isolation",
    promise: "each transaction reads one state of the store, with all that was confirmed before it began",
    order: Order::RealTime,
};

impl Checker for Isolation {
    fn guarantee(&self) -> &'static str {
        self.guarantee
    }

    fn promise(&self) -> &'static str {
        self.promise
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        let analysis = facts.transactions(budget);
        let chances = chances(analysis.transactions());
        let found = analysis.found(self.order);
        let judged = Judged { isolation: self, analysis, found, teller: Teller::new(facts, analysis, found) };
        let counts = judged.counts();
        if counts.is_empty() {
            // Nothing in the known order of versions; what nobody read and registers may be in every order.
            if let Some(verdict) = judged.beyond(facts, budget, &chances) {
                return verdict;
            }
            let beyond = (chances.count > 0).then(|| registers::beyond(self.guarantee, facts, budget));
            return beyond.flatten().unwrap_or_else(|| self.unbroken(analysis.transactions(), chances));
        }
        let count = counts.values().sum();
        Verdict::broken(self.guarantee, chances, summary(&counts), count, judged.findings())
    }
}

impl Isolation {
    // Held, if nothing was left aside that might break it.
    fn unbroken(&self, transactions: Transactions, chances: Chances) -> Verdict {
        let Transactions { keys_left_out, ambiguous_reads, .. } = transactions;
        let keys = counted(keys_left_out, "key was", "keys were");
        let reasons = [
            (
                keys_left_out,
                format!("{keys} left aside: deleted, with an element appended twice, or no list or register"),
            ),
            (ambiguous_reads, registers::saw_repeated(ambiguous_reads)),
        ];
        let reasons: Vec<String> =
            reasons.into_iter().filter(|(count, _)| *count > 0).map(|(_, why)| why).collect();
        match reasons.is_empty() || chances.count == 0 {
            true => Verdict::unbroken(self.guarantee, chances),
            false => Verdict::not_judged(self.guarantee, chances, reasons.join("; ")),
        }
    }
}

fn chances(transactions: Transactions) -> Chances {
    let Transactions { confirmed, keys, dependencies, .. } = transactions;
    let what = match (confirmed, keys, dependencies) {
        (0, ..) => "this history has no transactions".into(),
        (_, 0, _) => "no transaction uses lists that grow by appends, or registers without deletes".into(),
        (.., 0) => "no transaction saw or replaced what another wrote".into(),
        _ => format!(
            "{} between {} on {}",
            counted(dependencies, "dependency", "dependencies"),
            counted(confirmed, "transaction", "transactions"),
            counted(keys, "key", "keys")
        ),
    };
    Chances { count: dependencies, what }
}

/// `a failed write was read, 3 times; …`, the most frequent first.
fn summary(counts: &BTreeMap<&'static str, u64>) -> String {
    let mut told: Vec<(u64, String)> = Vec::new();
    for (name, count) in counts {
        let what = format!("{}{}", words::happened(name), words::against(name));
        told.push((*count, what));
    }
    told.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let parts: Vec<String> =
        told.iter().map(|(count, what)| format!("{what}, {}", counted(*count, "time", "times"))).collect();
    parts.join("; ")
}

struct Judged<'a, 'h> {
    isolation: &'a Isolation,
    analysis: &'a Analysis,
    found: &'a Found,
    teller: Teller<'a, 'h>,
}

/// Levels of which each order of appends that nobody read may break one in a way of its own.
const OPEN: [&Isolation; 3] =
    [&SNAPSHOT_ISOLATION, &STRONG_SESSION_SNAPSHOT_ISOLATION, &STRONG_SNAPSHOT_ISOLATION];

impl Judged<'_, '_> {
    /// Broken, or not judged, if no order was found of the appends that nobody read.
    fn beyond(&self, facts: &Facts<'_>, budget: Budget, chances: &Chances) -> Option<Verdict> {
        let guarantee = self.isolation.guarantee;
        let is_open = OPEN.iter().any(|open| open.guarantee == guarantee);
        // Without a cycle, the order of all transactions is one.
        if !is_open || self.found.cycles.is_empty() || !open_orders::are_there(facts) {
            return None;
        }
        let judged = open_orders::judge(guarantee, facts, budget)?;
        if judged.answer.breaches.is_empty() {
            let why = "appends that nobody read may be in too many orders: the search ran out of steps";
            return judged.answer.undecided.then(|| Verdict::not_judged(guarantee, chances.clone(), why));
        }
        let findings =
            registers::told(&judged.answer).map(|breach| self.teller.open(&judged, breach)).collect();
        let count = judged.answer.breaches.len() as u64;
        let summary = "no order of the appends that nobody read explains what transactions saw".into();
        Some(Verdict::broken(guarantee, chances.clone(), summary, count, findings))
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (name, count, _) in self.analysis.spots.iter().chain(self.found.spots.iter()) {
            if self.tells(name) {
                *counts.entry(name).or_default() += count;
            }
        }
        for (kind, count) in &self.found.counts {
            let is_known =
                || self.found.cycles.iter().any(|cycle| cycle.kind == *kind && self.counts_cycle(cycle));
            if prohibits(self.isolation.guarantee, kind.name()) && is_known() {
                *counts.entry(kind.name()).or_default() += count;
            }
        }
        counts
    }

    /// Where its cycle is ruled out, that is told, and not the fractured read in it.
    fn tells(&self, spotted: &str) -> bool {
        let guarantee = self.isolation.guarantee;
        let is_told = spotted == names::FRACTURED_READ && prohibits(guarantee, names::G_SINGLE_ITEM);
        prohibits(guarantee, spotted) && !is_told
    }

    /// Where a transaction may even overwrite what another has not finished, it need not replace what it
    /// read: then only lists show the order of their versions.
    fn counts_cycle(&self, cycle: &Cycle) -> bool {
        let needs_lists = self.isolation.guarantee == READ_UNCOMMITTED.guarantee;
        cycle.kind.shape != Shape::G0 || !needs_lists || self.is_of_lists(cycle)
    }

    fn is_of_lists(&self, cycle: &Cycle) -> bool {
        if self.analysis.versions.is_none() {
            return true;
        }
        let is_list = |key| self.teller.kind(key) == KeyKind::List;
        self.teller.proofs(cycle).iter().all(|proof| proof.key.is_none_or(is_list))
    }

    fn findings(&self) -> Vec<Finding> {
        let guarantee = self.isolation.guarantee;
        let cycles = self.found.cycles.iter().filter(|cycle| prohibits(guarantee, cycle.kind.name()));
        let cycles = cycles.filter(|cycle| self.counts_cycle(cycle)).map(|cycle| self.teller.cycle(cycle));
        let spots = self.analysis.spots.iter().chain(self.found.spots.iter());
        let spots = spots.filter(|(name, ..)| self.tells(name)).flat_map(|(.., kept)| kept);
        let spots = spots.map(|spotted| self.teller.spotted(spotted));
        let mut findings: Vec<Finding> = cycles.chain(spots).collect();
        findings.sort_by_key(|finding| finding.steps.len());
        findings
    }
}
