//! No history makes a checker panic, overflow the stack or go on for ever; what one finds holds up when it is
//! looked at again, and what a correct store recorded is held by nobody against it.
//!
//! ```text
//!   golden histories ──► mutate.rs, as text ─────────────► read ──► every checker, every level
//!   operations       ──► others' keys, values, answers ──► History ──► the same
//! ```
//!
//! Inputs are functions of their numbers; `histories/tests/fuzz/rounds.rs` says how many are tried.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod operations;

#[path = "../../../histories/tests/fuzz/golden.rs"]
mod golden;
#[path = "../../../histories/tests/fuzz/mutate.rs"]
mod mutate;
#[path = "../../../histories/tests/fuzz/rounds.rs"]
mod rounds;
#[path = "../witness_of/mod.rs"]
mod witness_of;

use checkers::transactional::{Assume, Order, anomalies};
use checkers::{Budget, CHECKERS, EdgeKind, Facts, Finding, Judgement, checker, lattice};
use histories::{History, text};
use mutate::{Draw, Samples};
use rounds::fuzz;
use witness::{Claim, Record, verify};
use witness_of::witness_of;

const LEVELS: [&str; 12] = [
    "prefix-consistency",
    "read-atomic",
    "read-committed",
    "read-uncommitted",
    "repeatable-read",
    "serializable",
    "snapshot-isolation",
    "strict-serializable",
    "strong-session-serializable",
    "strong-session-snapshot-isolation",
    "strong-snapshot-isolation",
    "transactional-causal",
];

/// Small, so that many histories are judged; running out of it must do no harm either.
const BUDGET: Budget = Budget { steps: 20_000 };

fn judge(history: &History) {
    let (facts, record) = (Facts::new(history), Record::new(history));
    for checker in CHECKERS {
        let verdict = checker.check(&facts, BUDGET);
        assert_eq!(verdict.is_broken(), !verdict.findings.is_empty(), "{}", verdict.guarantee);
        assert_eq!(verdict.is_broken(), verdict.count > 0, "{}", verdict.guarantee);
        for finding in &verdict.findings {
            assert_witnessed(&record, verdict.guarantee, finding);
            assert!(!finding.story.is_empty() && !finding.steps.is_empty(), "{finding:#?}");
        }
    }
    stronger_levels_break_with_weaker_ones(&facts);
}

/// What is stated about a finding holds, if anything can be stated.
fn assert_witnessed(record: &Record<'_>, guarantee: &str, finding: &Finding) {
    let witness = witness_of(record, guarantee, finding);
    if !matches!(witness.claim, Claim::NotVerifiable { .. }) {
        assert_eq!(verify(record, &witness), Ok(()), "{guarantee}: {finding:#?}");
    }
}

/// Whoever breaks a level breaks all that imply it, where both can be judged.
fn stronger_levels_break_with_weaker_ones(facts: &Facts<'_>) {
    let verdicts: Vec<_> = LEVELS.iter().map(|level| checker(level).unwrap().check(facts, BUDGET)).collect();
    for stronger in &verdicts {
        for weaker in verdicts.iter().filter(|weaker| weaker.is_broken()) {
            let (strong, weak) = (stronger.guarantee, weaker.guarantee);
            // These two leave values aside that were written twice.
            let is_sure = !["prefix-consistency", "transactional-causal"].contains(&strong);
            let is_held = is_sure && stronger.judgement == Judgement::Held;
            assert!(!(lattice::implies(strong, weak) && is_held), "{weak} is broken and {strong} held");
        }
    }
}

/// All orders, with and without what may be assumed.
fn find_anomalies(history: &History) {
    let facts = Facts::new(history);
    for order in [Order::Dependencies, Order::Sessions, Order::RealTime] {
        for flags in 0..8 {
            let assume = Assume {
                writes_follow_reads: flags & 1 != 0,
                sequential_keys: flags & 2 != 0,
                linearizable_keys: flags & 4 != 0,
            };
            anomalies(&facts, order, assume, BUDGET);
        }
    }
}

fn golden(which: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let all = golden::golden().into_iter();
    all.filter(|text| which(text)).map(String::into_bytes).collect()
}

fn read(bytes: &[u8]) -> Option<History> {
    text::parse(&String::from_utf8_lossy(bytes)).ok()
}

/// What did harm once: a name for what was wrong, and the history.
const ONCE: [(&str, &str); 6] = [
    (
        "serializable held, and prefix consistency, which is about sessions, did not",
        "c0 0.. txn write x 1\nc1 2..3 read x -> 1\nc1 4..5 txn read x -> nothing",
    ),
    (
        "a value that nobody wrote passed for the one write of its key",
        "c0 0..1 txn write x 1; write y 1 -> ok; ok\nc1 2..3 txn read x; write z 4 -> 1; ok\nc5 4..5 txn read z; read y -> 1; nothing",
    ),
    (
        "what a dequeue took was not what a failed append had brought",
        "c0 append x 3 -> failed conflict\nc4 dequeue x -> 3",
    ),
    (
        "an element of a list was not what a failed write had brought",
        "c0 write x 1 -> failed conflict\nc1 read x -> [1 1]",
    ),
    (
        "a write was said to have read what was replaced before",
        "c0 0..1 cas x 0 1 -> ok\nc0 2..3 write x 0 -> ok",
    ),
    (
        "nothing was not what a change to an empty list leaves",
        "c0 0..1 write x 1 -> ok\nc1 2..3 read x -> nothing\nc0 4..5 cas x [] [1] -> ok\nc0 6..7 cas x [1] [] -> ok",
    ),
];

#[test]
fn what_did_harm_once() {
    for (_, history) in ONCE {
        let history = text::parse(history).unwrap();
        find_anomalies(&history);
        judge(&history);
    }
}

#[test]
fn list_append() {
    let samples = Samples::new(golden(|text| text.contains("txn") && text.contains("append")));
    let input = |number| samples.input(number);
    fuzz("list-append", 3_000, input, |bytes| {
        if let Some(history) = read(bytes) {
            find_anomalies(&history);
            judge(&history);
        }
    });
}

#[test]
fn rw_register() {
    let samples = Samples::new(golden(|text| text.contains("txn") && text.contains("write")));
    let input = |number| samples.input(number);
    fuzz("rw-register", 3_000, input, |bytes| {
        if let Some(history) = read(bytes) {
            find_anomalies(&history);
            judge(&history);
        }
    });
}

#[test]
fn every_checker() {
    let samples = Samples::new(golden(|_| true));
    let input = |number| samples.input(number);
    fuzz("every checker", 3_000, input, |bytes| {
        if let Some(history) = read(bytes) {
            judge(&history);
        }
    });
}

#[test]
fn operations_that_were_changed() {
    let histories: Vec<History> = golden(|_| true).iter().filter_map(|bytes| read(bytes)).collect();
    let input = |number: u64| number.to_le_bytes().to_vec();
    fuzz("changed operations", 3_000, input, |bytes| {
        let Ok(number) = bytes.try_into().map(u64::from_le_bytes) else { return };
        judge(&operations::changed(&histories, &mut Draw::new(number)));
    });
}

#[test]
fn transactions_without_rhyme_or_reason() {
    let input = |number: u64| number.to_le_bytes().to_vec();
    fuzz("random transactions", 3_000, input, |bytes| {
        let Ok(number) = bytes.try_into().map(u64::from_le_bytes) else { return };
        let history = operations::random(&mut Draw::new(number));
        find_anomalies(&history);
        judge(&history);
    });
}
