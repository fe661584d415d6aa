//! Monotonic values: a counter that is only added to never shows a session less than it has seen.
//!
//! ```text
//!   c0  increment n 1, increment n 1
//!   c1  read n → 2,  read n → 1            2 was there before: broken
//! ```
//!
//! The order of values is all that is needed: nobody has to know which increment a read saw. O(n).
//! Counters from which somebody may have taken away, or that were written or deleted as a whole, are left
//! aside. Source: Terry et al., Session Guarantees, 1994, §3.2 (monotonic reads), on numbers.

use histories::{MicroOp, Value};

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::invariant::proof::{Proof, edge};
use crate::wording::counted;
use crate::{Budget, Chances, Checker, EdgeKind, Finding, Verdict};

use std::collections::BTreeMap;

/// Judges `monotonic-values`.
pub struct MonotonicValues;

const GUARANTEE: &str = "monotonic-values";

impl Checker for MonotonicValues {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "a session that reads a counter which only grows never finds it smaller than before"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut count, mut broken, mut findings) = (0, 0, Vec::new());
        for key in facts.keys().filter(|key| only_grows(facts, *key)) {
            let judged = judge(facts, key);
            count += judged.pairs;
            broken += judged.fell;
            findings.extend(judged.first.map(|(before, after)| finding(facts, before, after, judged.fell)));
        }
        let pairs = || counted(count, "pair of reads", "pairs of reads");
        let what = match count {
            0 => "no session read a counter twice that only grows".into(),
            _ => format!("{} of one counter in one session", pairs()),
        };
        let chances = Chances { count, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let summary = format!("{} found a counter smaller than before", counted(broken, "read", "reads"));
        Verdict::broken(GUARANTEE, chances, summary, broken, findings)
    }
}

fn only_grows(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    let is_less = |at: &Address| {
        matches!(facts.micro_op(*at), MicroOp::Increment { by, .. } if *by < 0)
            && facts.operation(*at).is_possible()
    };
    facts.kind(key) == KeyKind::Counter
        && usage.writes + usage.compare_and_sets + usage.deletes == 0
        && !facts.on_key(key).iter().any(is_less)
}

#[derive(Default)]
struct Judged {
    pairs: u64,
    fell: u64,
    first: Option<(Address, Address)>,
}

fn judge(facts: &Facts<'_>, key: KeyNumber) -> Judged {
    let mut judged = Judged::default();
    // Of each session: the greatest value so far, and who read it.
    let mut greatest: BTreeMap<_, (i64, Address)> = BTreeMap::new();
    for at in facts.on_key(key) {
        let Some(observed) = facts.observed(*at) else { continue };
        let value = match observed.values.as_slice() {
            [] => 0,
            [Value::Integer(value)] => *value,
            _ => continue,
        };
        let session = facts.operation(*at).session;
        let Some((before, _)) = greatest.get(&session).copied() else {
            greatest.insert(session, (value, *at));
            continue;
        };
        judged.pairs += 1;
        if value >= before {
            greatest.insert(session, (value, *at));
            continue;
        }
        judged.fell += 1;
        judged.first = judged.first.or_else(|| greatest.get(&session).map(|(_, earlier)| (*earlier, *at)));
    }
    judged
}

fn finding(facts: &Facts<'_>, before: Address, after: Address, weight: u64) -> Finding {
    let key = facts.key(facts.key_of(after)).clone();
    let session = facts.operation(after).session;
    let told = |at: Address| crate::wording::answered(facts, at);
    let edges = match before.operation == after.operation {
        true => Vec::new(),
        false => vec![edge(before, after, EdgeKind::Session, "the same session, one after the other")],
    };
    let proof = Proof {
        anomaly: names::VALUE_GOES_BACK,
        story: format!(
            "Client {session} read {key} and was told {}. When it read {key} again, it was told {}, and nobody \
             ever takes anything from {key}.",
            told(before),
            told(after)
        ),
        brief: format!("{key}: {} after {}", told(after), told(before)),
        conclusion: "So the later read saw an older state.".into(),
        keys: vec![key],
        steps: vec![(before, ""), (after, "the proof")],
        edges,
        weight,
    };
    proof.finding(facts)
}
