//! No causal reverse: whoever sees a write sees what was confirmed before that write began.
//!
//! ```text
//!   c0  write x 1 → OK
//!   c1                  write y 1 → OK
//!   c2  txn read x; read y → nothing; 1         y without the x that was there before it: broken
//! ```
//!
//! Strict serializability forbids it, serializability does not. Judged on transactions that only read, of
//! keys that were written once each. O(n) in what was read. Source: the anomaly that users of CockroachDB
//! know by this name; Jepsen's test for it is by Kingsbury, 2019.

use crate::anomaly::names;
use crate::facts::{Address, Facts};
use crate::invariant::proof::{Proof, edge};
use crate::invariant::snapshots::{Snapshot, Snapshots};
use crate::wording::counted;
use crate::{Budget, Chances, Checker, EdgeKind, Finding, Verdict};

/// Judges `no-causal-reverse`.
pub struct NoCausalReverse;

const GUARANTEE: &str = "no-causal-reverse";

impl Checker for NoCausalReverse {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "whoever reads several keys at once and sees a write sees every write that was confirmed before it began"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let snapshots = Snapshots::new(facts);
        let (mut count, mut broken, mut findings) = (0, 0_u64, Vec::new());
        for snapshot in &snapshots.all {
            let Some((early, late)) = extremes(facts, &snapshots, snapshot) else { continue };
            count += 1;
            if facts.operation(early).precedes(facts.operation(late)) {
                broken += 1;
                if findings.len() < FINDINGS_MAX {
                    findings.push(finding(facts, snapshot, (early, late)));
                }
            }
        }
        if let Some(first) = findings.first_mut() {
            first.weight += broken.saturating_sub(FINDINGS_MAX as u64);
        }
        let what = match count {
            0 => "no transaction saw one write and missed another, of keys written once".into(),
            _ => format!(
                "{} that saw one write and missed another",
                counted(count, "transaction", "transactions")
            ),
        };
        let chances = Chances { count, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let summary = format!(
            "{} saw a write and missed one that was confirmed before it",
            counted(broken, "transaction", "transactions")
        );
        Verdict::broken(GUARANTEE, chances, summary, broken, findings)
    }
}

/// Proofs beyond these are counted, not told.
const FINDINGS_MAX: usize = 1_000;

// Of the confirmed writes that it missed the one that ended first, of those that it saw the one that
// began last.
fn extremes(facts: &Facts<'_>, snapshots: &Snapshots, snapshot: &Snapshot) -> Option<(Address, Address)> {
    let writes = |there: bool| {
        let found = snapshot.found.iter().filter(move |(.., seen)| *seen == there);
        found.map(|(key, ..)| snapshots.write(*key))
    };
    let missed = writes(false).filter(|at| facts.operation(*at).is_confirmed());
    let early = missed.min_by_key(|at| (facts.operation(*at).completed, *at))?;
    let late = writes(true).max_by_key(|at| (facts.operation(*at).invoked, *at))?;
    Some((early, late))
}

fn finding(facts: &Facts<'_>, snapshot: &Snapshot, (early, late): (Address, Address)) -> Finding {
    let (first, second) = (facts.operation(early), facts.operation(late));
    let [old, new] = [early, late].map(|at| facts.key(facts.key_of(at)).clone());
    let reader = facts.operation(snapshot.at());
    let ended = first.completed.unwrap_or(first.invoked);
    let proof = Proof {
        anomaly: names::CAUSAL_REVERSE,
        story: format!(
            "The write of {old} by client {} was confirmed at {ended}, before client {} began to write {new} at {}. \
             Client {} read both at once, saw {new}, and was told that {old} did not exist.",
            first.session, second.session, second.invoked, reader.session
        ),
        brief: format!("{new} without the {old} from before it"),
        conclusion: "So the read came both before and after the write that it missed.".into(),
        steps: vec![
            (early, "this write was missed"),
            (late, ""),
            (snapshot.place(facts.key_of(early)), "the proof"),
            (snapshot.place(facts.key_of(late)), ""),
        ],
        edges: vec![
            edge(
                early,
                late,
                EdgeKind::RealTime,
                format!("{old} was confirmed at {ended}, before {new} was asked for"),
            ),
            edge(late, snapshot.at(), EdgeKind::WriteRead, format!("{} saw {new}", reader.session)),
            edge(
                snapshot.at(),
                early,
                EdgeKind::ReadWrite,
                format!("{} saw {old} as it was before", reader.session),
            ),
        ],
        keys: vec![old, new],
        weight: 1,
    };
    proof.finding(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::snapshots::tests::draw;

    #[test]
    fn a_value_that_nobody_wrote_is_no_sight_of_the_write() {
        let written = "c0 0..1 txn write y 1 -> ok\nc1 2..3 txn write z 4 -> ok\n";
        let is_broken = |reads: &str| {
            let history = histories::text::parse(&format!("{written}c2 4..5 txn {reads}")).unwrap();
            NoCausalReverse.check(&Facts::new(&history), Budget::default()).is_broken()
        };
        assert!(is_broken("read z; read y -> 4; nothing"));
        assert!(!is_broken("read z; read y -> 1; nothing"));
    }

    #[test]
    fn agrees_with_a_look_at_every_pair() {
        let mut broken = 0;
        for seed in 0..10_000 {
            let history = draw(seed);
            let facts = Facts::new(&history);
            let snapshots = Snapshots::new(&facts);
            let expected = snapshots.all.iter().any(|snapshot| {
                let write = |there| {
                    let found = snapshot.found.iter().filter(move |(.., seen)| *seen == there);
                    found.map(|(key, ..)| facts.operation(snapshots.write(*key)))
                };
                write(false).any(|missed| write(true).any(|seen| missed.precedes(seen)))
            });
            let verdict = NoCausalReverse.check(&facts, Budget::default());
            assert_eq!(verdict.is_broken(), expected, "seed {seed}");
            for finding in &verdict.findings {
                crate::proven::assert_proven(&history, GUARANTEE, finding);
            }
            broken += u32::from(expected);
        }
        assert!((500..9_500).contains(&broken), "{broken} are broken");
    }
}
