//! Every level that can be judged on a table, by the name of its guarantee.
//!
//! ```text
//!   along sessions                                        each transaction for itself
//!   strong-session-serializable                      ─►   serializable
//!   └► strong-session-snapshot-isolation             ─►   └► snapshot-isolation
//!      └► prefix-consistency                                  │
//!         └► transactional-causal                             │
//!            └► strong-session-read-atomic           ─►       └► read-atomic
//!               └► strong-session-monotonic-atomic-view ─►       └► monotonic-atomic-view
//!                                                                   └► read-committed
//! ```
//!
//! What is kept at a level is kept at all that is weaker: the strongest that is asked for is judged first,
//! and often one answer does for all ([`judge`]).
//!
//! What Biswas & Enea 2019 (and Plume, DBCop and AWDIT) call read committed and read atomic goes along
//! sessions, and their read committed forbids what Adya's (PL-2) allows: to see a part of a transaction and
//! then what was before it. Theirs have names of their own here: the two with `strong-session-`. Adya's is
//! judged exactly, too: where no order of versions is known, some order will do iff nobody read what is not
//! to be read, and reads do not go round.

use std::collections::BTreeSet;

use histories::compact::{TxnId, TxnTable};

use super::answer::{Answer, Breach};
use super::part::Part;
use super::view::View;
use super::weak::{self, Weak};
use crate::Budget;
use crate::anomaly::names;

/// A level that can be judged on a table.
#[derive(Debug)]
pub struct Level {
    /// The name of its guarantee.
    pub guarantee: &'static str,
    /// Judges it.
    pub judge: fn(&TxnTable, Budget) -> Answer,
    /// True if it takes polynomial time, whatever the table.
    pub is_polynomial: bool,
    /// True if it promises something about real time, which a table need not have.
    pub is_strict: bool,
    /// Levels that are kept where this one is, directly.
    implies: &'static [&'static str],
}

const EASY: Level = Level {
    guarantee: "",
    judge: super::read_committed,
    is_polynomial: true,
    is_strict: false,
    implies: &[],
};
const HARD: Level = Level { is_polynomial: false, ..EASY };

/// Every level, none after one that it implies.
pub static LEVELS: &[Level] = &[
    Level {
        guarantee: "strict-serializable",
        judge: super::strict_serializable,
        is_strict: true,
        implies: &["strong-snapshot-isolation", "strong-session-serializable"],
        ..HARD
    },
    Level {
        guarantee: "strong-snapshot-isolation",
        judge: super::strong_snapshot_isolation,
        is_strict: true,
        implies: &["strong-session-snapshot-isolation"],
        ..HARD
    },
    Level {
        guarantee: "strong-session-serializable",
        judge: super::serializable,
        implies: &["strong-session-snapshot-isolation", "serializable"],
        ..HARD
    },
    Level {
        guarantee: "strong-session-snapshot-isolation",
        judge: super::snapshot_isolation,
        implies: &["prefix-consistency", "snapshot-isolation"],
        ..HARD
    },
    Level {
        guarantee: "serializable",
        judge: |table, budget| alone_if_short(super::serializable, table, budget),
        implies: &["snapshot-isolation"],
        ..HARD
    },
    Level {
        guarantee: "snapshot-isolation",
        judge: |table, budget| alone_if_short(super::snapshot_isolation, table, budget),
        implies: &["read-atomic"],
        ..HARD
    },
    Level {
        guarantee: "prefix-consistency",
        judge: super::prefix,
        implies: &["transactional-causal"],
        ..HARD
    },
    Level {
        guarantee: "transactional-causal",
        judge: super::transactional_causal,
        implies: &["strong-session-read-atomic"],
        ..EASY
    },
    Level {
        guarantee: "strong-session-read-atomic",
        judge: super::read_atomic,
        implies: &["strong-session-monotonic-atomic-view", "read-atomic"],
        ..EASY
    },
    Level {
        guarantee: "strong-session-monotonic-atomic-view",
        judge: super::read_committed,
        implies: &["monotonic-atomic-view"],
        ..EASY
    },
    Level {
        guarantee: "read-atomic",
        judge: |table, budget| alone(super::read_atomic, table, budget),
        implies: &["monotonic-atomic-view"],
        ..EASY
    },
    Level {
        guarantee: "monotonic-atomic-view",
        judge: |table, budget| alone(super::read_committed, table, budget),
        implies: &["read-committed"],
        ..EASY
    },
    Level { guarantee: "read-committed", judge: |table, budget| alone(dependencies, table, budget), ..EASY },
];

/// The level of this name.
pub fn level(guarantee: &str) -> Option<&'static Level> {
    LEVELS.iter().find(|level| level.guarantee == guarantee)
}

/// Judges several levels, the strongest first.
pub fn judge(table: &TxnTable, wanted: &[&str], budget: Budget) -> Vec<(&'static str, Answer)> {
    let mut judged: Vec<(&'static Level, Answer)> = Vec::new();
    for level in LEVELS.iter().filter(|level| wanted.contains(&level.guarantee)) {
        let kept = judged.iter().find(|(stronger, answer)| answer.is_kept() && stronger.covers(level));
        let answer = kept.map(|(_, answer)| answer.clone());
        judged.push((level, answer.unwrap_or_else(|| (level.judge)(table, budget))));
    }
    judged.into_iter().map(|(level, answer)| (level.guarantee, answer)).collect()
}

impl Level {
    /// True if the other is kept wherever this one is.
    fn covers(&self, other: &Self) -> bool {
        let below = self.implies.iter().filter_map(|name| level(name));
        self.guarantee == other.guarantee || below.into_iter().any(|below| below.covers(other))
    }
}

impl Answer {
    fn is_kept(&self) -> bool {
        self.breaches.is_empty() && !self.undecided
    }
}

/// Read committed as Adya defines it (PL-2), with an order along sessions.
fn dependencies(table: &TxnTable, budget: Budget) -> Answer {
    let mut answer = weak::judge(Weak::Dependencies, table, budget);
    // What a transaction sees of itself is no matter of what others commit.
    answer.breaches.retain(|breach| breach.anomaly != names::INTERNAL);
    answer
}

/// Without sessions; what is kept with them is kept without.
fn alone(judge: fn(&TxnTable, Budget) -> Answer, table: &TxnTable, budget: Budget) -> Answer {
    let answer = judge(table, budget);
    if answer.is_kept() { answer } else { judge(&table.without_sessions(), budget) }
}

/// Transactions that may be sessions of their own where a level is hard.
const LONE_MAX: usize = 2_000;

/// Without sessions; in a long table they help to find what may be wrong, and are left out of the proof.
fn alone_if_short(judge: fn(&TxnTable, Budget) -> Answer, table: &TxnTable, budget: Budget) -> Answer {
    if table.len() <= LONE_MAX {
        return judge(&table.without_sessions(), budget);
    }
    let mut answer = judge(table, budget);
    let view = View::new(table);
    let mut kept = Vec::new();
    for breach in std::mem::take(&mut answer.breaches) {
        if breach.links.len() < 2 && breach.choices.is_empty() {
            kept.push(breach);
            continue;
        }
        let transactions = breach.transactions.iter().map(|txn| txn.0).collect();
        let part = Part::new(&view, transactions, &BTreeSet::new());
        let found = judge(&part.table.without_sessions(), budget).breaches.into_iter().next();
        // Without the sessions it may be nothing, and then who knows what else there is.
        answer.undecided |= found.is_none();
        kept.extend(found.map(|breach| in_whole(&part, breach)));
    }
    answer.breaches = kept;
    answer
}

fn in_whole(part: &Part, mut breach: Breach) -> Breach {
    breach.transactions =
        breach.transactions.iter().map(|txn| TxnId(part.transactions[txn.index()])).collect();
    breach.keys = breach.keys.iter().map(|key| part.keys[*key as usize]).collect();
    breach.links = breach.links.into_iter().map(|link| part.in_whole(link)).collect();
    for choice in &mut breach.choices {
        choice.first = TxnId(part.transactions[choice.first.index()]);
        choice.later = TxnId(part.transactions[choice.later.index()]);
        choice.links =
            std::mem::take(&mut choice.links).into_iter().map(|link| part.in_whole(link)).collect();
    }
    breach
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_comes_after_one_that_it_implies() {
        for (place, stronger) in LEVELS.iter().enumerate() {
            assert!(crate::checker(stronger.guarantee).is_some(), "{}", stronger.guarantee);
            for name in stronger.implies {
                assert!(LEVELS[place + 1..].iter().any(|weaker| weaker.guarantee == *name), "{name}");
            }
        }
    }
}
