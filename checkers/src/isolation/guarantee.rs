//! Levels as guarantees: judged on the registers of a history, each call a transaction.
//!
//! ```text
//!   history ─► TxnTable (lists, counters and the like left out) ─► Answer ─► Verdict
//! ```
//!
//! Some levels promise nothing about sessions. For these each transaction is a session of its own; in a
//! long history the session order is used to find what may be wrong, and then left out of the proof.

use std::collections::BTreeSet;

use histories::Call;
use histories::compact::{TxnId, TxnTable};

use super::Along;
use super::answer::{Answer, Breach};
use super::part::Part;
use super::story::Teller;
use super::view::View;
use crate::facts::KeyKind;
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Facts, Finding, Judgement, Verdict};

/// Judges one level on registers.
pub struct Registers {
    guarantee: &'static str,
    promise: &'static str,
    judge: fn(&TxnTable, Budget) -> Answer,
}

/// What a transaction saw is the state after some beginning of one order of all (Biswas & Enea 2019).
pub static PREFIX: Registers = Registers {
    guarantee: "prefix-consistency",
    promise: "each transaction reads the state after some first part of one order of all transactions",
    judge: super::prefix,
};

/// Who knows of a transaction sees all of its effects (Cerone, Bernardi & Gotsman 2015).
pub static TRANSACTIONAL_CAUSAL: Registers = Registers {
    guarantee: "transactional-causal",
    promise: "who knows of a transaction, directly or through others, sees all that it did",
    judge: super::transactional_causal,
};

/// Findings that are told.
const FINDINGS_MAX: usize = 100;
/// Transactions that may be sessions of their own.
const LONE_MAX: usize = 2_000;

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
        let table = facts.table();
        let answer = if facts.has_serial_order(Along::Sessions) {
            Answer::of_flaws(&View::new(table))
        } else {
            (self.judge)(table, budget)
        };
        let verdict = verdict(self.guarantee, facts, table, &answer);
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
/// Not for `read-committed`: as Adya defines it (PL-2), a transaction may see a part of another and then
/// what was before it; [`super::read_committed`] is that of Biswas & Enea, which does not allow this.
pub fn beyond(guarantee: &'static str, facts: &Facts<'_>, budget: Budget) -> Option<Verdict> {
    if !facts.keys().any(|key| facts.kind(key) == KeyKind::Register) {
        return None;
    }
    let (along, judge): (Along, fn(&TxnTable, Budget) -> Answer) = match guarantee {
        "read-atomic" => {
            (Along::Nothing, |table, budget| super::read_atomic(&table.without_sessions(), budget))
        }
        "serializable" => {
            (Along::Nothing, |table, budget| without_sessions(super::serializable, table, budget))
        }
        "snapshot-isolation" => {
            (Along::Nothing, |table, budget| without_sessions(super::snapshot_isolation, table, budget))
        }
        "strong-session-serializable" => (Along::Sessions, super::serializable),
        "strong-session-snapshot-isolation" => (Along::Sessions, super::snapshot_isolation),
        "strict-serializable" => (Along::RealTime, super::strict_serializable),
        "strong-snapshot-isolation" => (Along::RealTime, super::strong_snapshot_isolation),
        _ => return None,
    };
    // It explains more than any of them asks for.
    if facts.has_serial_order(along) {
        return None;
    }
    let table = facts.table();
    let answer = judge(table, budget);
    let is_open = answer.undecided || !answer.breaches.is_empty();
    is_open.then(|| verdict(guarantee, facts, table, &answer))
}

fn without_sessions(judge: fn(&TxnTable, Budget) -> Answer, table: &TxnTable, budget: Budget) -> Answer {
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

fn verdict(guarantee: &'static str, facts: &Facts<'_>, table: &TxnTable, answer: &Answer) -> Verdict {
    let chances = chances(table, answer);
    if answer.breaches.is_empty() {
        if answer.undecided {
            let why =
                "what some transactions saw can be explained in too many ways: the search ran out of steps";
            return Verdict::not_judged(guarantee, chances, why);
        }
        return Verdict::unbroken(guarantee, chances);
    }
    let teller = Teller { facts, table };
    let told = answer.breaches.iter().take(FINDINGS_MAX);
    let mut findings: Vec<Finding> = told.map(|breach| teller.finding(breach)).collect();
    findings.sort_by_key(|finding| finding.steps.len());
    let count = answer.breaches.len() as u64;
    let times = counted(count, "time", "times");
    let summary = format!("transactions saw what no order of them explains, {times}");
    Verdict::broken(guarantee, chances, summary, count, findings)
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
