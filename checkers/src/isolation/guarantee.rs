//! Levels as guarantees: judged on the registers of a history, each call a transaction.
//!
//! ```text
//!   history ─► TxnTable (lists, counters and the like left out) ─► Answer ─► Verdict
//! ```
//!
//! Which function judges which level: `levels.rs`.

use histories::compact::TxnTable;
use histories::{Call, History};

use super::Along;
use super::answer::{Answer, Breach};
use super::levels;
use super::story::Teller;
use super::view::View;
use crate::facts::KeyKind;
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Judgement, Verdict};

/// Judges one level on registers.
pub struct Registers {
    guarantee: &'static str,
    promise: &'static str,
}

/// Who saw anything of a transaction goes on to see all of it (Bailis et al. 2013): what Biswas & Enea call
/// read committed, without an order of sessions.
pub static MONOTONIC_ATOMIC_VIEW: Registers = Registers {
    guarantee: "monotonic-atomic-view",
    promise: "who has seen anything of a transaction sees from then on all that it did",
};

/// What Biswas & Enea 2019 call read committed: an order of all transactions along sessions, too.
pub static STRONG_SESSION_MONOTONIC_ATOMIC_VIEW: Registers = Registers {
    guarantee: "strong-session-monotonic-atomic-view",
    promise: "who has seen anything of a transaction sees from then on all of it, and sessions do not go back",
};

/// What Biswas & Enea 2019 call read atomic: who comes later in a session knows what came before.
pub static STRONG_SESSION_READ_ATOMIC: Registers = Registers {
    guarantee: "strong-session-read-atomic",
    promise: "a transaction sees all of another or nothing, and all that its session did before",
};

/// What a transaction saw is the state after some beginning of one order of all (Biswas & Enea 2019).
pub static PREFIX: Registers = Registers {
    guarantee: "prefix-consistency",
    promise: "each transaction reads the state after some first part of one order of all transactions",
};

/// Who knows of a transaction sees all of its effects (Cerone, Bernardi & Gotsman 2015).
pub static TRANSACTIONAL_CAUSAL: Registers = Registers {
    guarantee: "transactional-causal",
    promise: "who knows of a transaction, directly or through others, sees all that it did",
};

/// Findings that are told.
const FINDINGS_MAX: usize = 100;
/// Levels of which an order of versions that was inferred does not show everything, and what they go along.
const BEYOND: [(&str, Along); 7] = [
    ("read-atomic", Along::Nothing),
    ("serializable", Along::Nothing),
    ("snapshot-isolation", Along::Nothing),
    ("strict-serializable", Along::RealTime),
    ("strong-session-serializable", Along::Sessions),
    ("strong-session-snapshot-isolation", Along::Sessions),
    ("strong-snapshot-isolation", Along::RealTime),
];

impl Checker for Registers {
    fn guarantee(&self) -> &'static str {
        self.guarantee
    }

    fn promise(&self) -> &'static str {
        self.promise
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        let is_transaction =
            |operation: &histories::Operation| matches!(operation.call, Call::Transaction(_));
        if !facts.history().operations().iter().any(is_transaction) {
            let what = "this history has no transactions".into();
            return Verdict::unbroken(self.guarantee, Chances { count: 0, what });
        }
        let Some(level) = levels::level(self.guarantee) else {
            let what = "this level cannot be judged on registers".into();
            return Verdict::unbroken(self.guarantee, Chances { count: 0, what });
        };
        let table = facts.table();
        let answer = if facts.has_serial_order(Along::Sessions) {
            Answer::of_flaws(&View::new(table))
        } else {
            (level.judge)(table, budget)
        };
        let verdict = verdict(self.guarantee, facts.history(), table, &answer);
        // What was left out may be what breaks it.
        if verdict.judgement == Judgement::Held && !table.left_out().is_empty() {
            let why = format!("only registers are judged; {} are left aside", table.left_out().join(", "));
            return Verdict::not_judged(self.guarantee, verdict.chances, why);
        }
        verdict
    }
}

/// What the registers of a history say about a level, if they break it or if that cannot be told: for a
/// checker that has found nothing by other means.
///
/// Not for `read-committed`: reads alone decide it, and the order of versions does not matter.
pub fn beyond(guarantee: &'static str, facts: &Facts<'_>, budget: Budget) -> Option<Verdict> {
    if !facts.keys().any(|key| facts.kind(key) == KeyKind::Register) {
        return None;
    }
    let (_, along) = BEYOND.iter().find(|(name, _)| *name == guarantee)?;
    // It explains more than any of them asks for.
    if facts.has_serial_order(*along) {
        return None;
    }
    let judge = levels::level(guarantee)?.judge;
    let table = facts.table();
    let answer = judge(table, budget);
    let is_open = answer.undecided || !answer.breaches.is_empty();
    is_open.then(|| verdict(guarantee, facts.history(), table, &answer))
}

/// What an answer comes to. `history` has at least the transactions of [`told`].
pub fn verdict(guarantee: &'static str, history: &History, table: &TxnTable, answer: &Answer) -> Verdict {
    let chances = chances(table, answer);
    if answer.breaches.is_empty() {
        if answer.undecided {
            let why =
                "what some transactions saw can be explained in too many ways: the search ran out of steps";
            return Verdict::not_judged(guarantee, chances, why);
        }
        if answer.ambiguous > 0 && chances.count > 0 {
            return Verdict::not_judged(guarantee, chances, saw_repeated(answer.ambiguous));
        }
        return Verdict::unbroken(guarantee, chances);
    }
    let teller = Teller { history, table };
    let mut findings: Vec<Finding> = told(answer).map(|breach| teller.finding(breach)).collect();
    findings.sort_by_key(|finding| finding.steps.len());
    let count = answer.breaches.len() as u64;
    let times = counted(count, "time", "times");
    let summary = format!("transactions saw what no order of them explains, {times}");
    Verdict::broken(guarantee, chances, summary, count, findings)
}

/// Why so many reads prove nothing.
pub(crate) fn saw_repeated(reads: u64) -> String {
    format!("{} saw a value that was written more than once", counted(reads, "read", "reads"))
}

/// The breaches that are told.
pub fn told(answer: &Answer) -> impl Iterator<Item = &Breach> {
    answer.breaches.iter().take(FINDINGS_MAX)
}

fn chances(table: &TxnTable, answer: &Answer) -> Chances {
    let mut what = match answer.reads {
        0 => "no transaction read a register whose writer is known".into(),
        reads => format!("{} of registers by transactions", counted(reads, "read", "reads")),
    };
    let mut left_out = table.left_out().to_vec();
    if answer.ambiguous > 0 {
        let reads = counted(answer.ambiguous, "read of a value", "reads of values");
        left_out.push(format!("{reads} written more than once"));
    }
    if !left_out.is_empty() {
        what += &format!(", without {}", left_out.join(", "));
    }
    Chances { count: answer.reads, what }
}
