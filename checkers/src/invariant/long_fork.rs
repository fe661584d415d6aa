//! No long fork: two readers see two writes in one order.
//!
//! ```text
//!   c0  write x 1            c2  txn read x; read y → 1; nothing        x came first
//!   c1  write y 1            c3  txn read x; read y → nothing; 1        y came first: broken
//! ```
//!
//! Parallel snapshot isolation allows it, snapshot isolation does not. Judged on transactions that read
//! the same keys, of which each was written once: what they saw must be a chain, each a part of the next.
//! O(n log n) in what was read. Sees no fork between transactions that read different keys; those are for
//! the transactional guarantees. Source: Sovran et al., Transactional Storage for Geo-Replicated Systems,
//! SOSP 2011, §3 (long fork).

use crate::anomaly::names;
use crate::facts::{Facts, KeyNumber};
use crate::invariant::proof::{Proof, edge};
use crate::invariant::snapshots::{Snapshot, Snapshots};
use crate::wording::counted;
use crate::{Budget, Chances, Checker, EdgeKind, Finding, Verdict};

/// Judges `no-long-fork`.
pub struct NoLongFork;

const GUARANTEE: &str = "no-long-fork";

impl Checker for NoLongFork {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "all who read the same keys at once agree on which of two writes came first"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let snapshots = Snapshots::new(facts);
        let (mut count, mut findings) = (0, Vec::new());
        for (_, mut group) in snapshots.by_keys().into_iter().filter(|(_, group)| group.len() > 1) {
            count += group.len() as u64;
            group.sort_by_key(|snapshot| (seen(snapshot).count(), snapshot.at()));
            let fork = group.windows(2).find_map(|pair| Some((pair[0], pair[1], fork(pair[0], pair[1])?)));
            findings.extend(fork.map(|fork| finding(facts, &snapshots, fork)));
        }
        let what = match count {
            0 => "no two transactions read the same keys, each of them written once".into(),
            _ => format!("{} of keys that others read too", counted(count, "transaction", "transactions")),
        };
        let chances = Chances { count, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let forks = findings.len() as u64;
        let summary = format!(
            "readers disagreed on which write came first, on {}",
            counted(forks, "group of keys", "groups of keys")
        );
        Verdict::broken(GUARANTEE, chances, summary, forks, findings)
    }
}

fn seen(snapshot: &Snapshot) -> impl Iterator<Item = KeyNumber> {
    snapshot.found.iter().filter(|(.., there)| *there).map(|(key, ..)| *key)
}

// A key that only the first saw, and one that only the second saw.
fn fork(one: &Snapshot, other: &Snapshot) -> Option<(KeyNumber, KeyNumber)> {
    let only = |a: &Snapshot, b: &Snapshot| {
        let both = a.found.iter().zip(&b.found);
        both.filter(|((.., there), (.., too))| *there && !too).map(|((key, ..), _)| *key).next()
    };
    Some((only(one, other)?, only(other, one)?))
}

type Fork<'s> = (&'s Snapshot, &'s Snapshot, (KeyNumber, KeyNumber));

fn finding(facts: &Facts<'_>, snapshots: &Snapshots, (one, other, (x, y)): Fork<'_>) -> Finding {
    let (write_x, write_y) = (snapshots.write(x), snapshots.write(y));
    let [name_x, name_y] = [x, y].map(|key| facts.key(key).clone());
    let client = |snapshot: &Snapshot| facts.operation(snapshot.at()).session;
    let saw = |name: &_, who: &Snapshot| format!("{} saw {name} written", client(who));
    let missed = |name: &_, who: &Snapshot| format!("{} saw {name} as it was before", client(who));
    let steps = vec![
        (write_x, ""),
        (write_y, ""),
        (one.place(x), ""),
        (one.place(y), "the one order"),
        (other.place(x), "the other order"),
        (other.place(y), ""),
    ];
    let edges = vec![
        edge(write_x, one.at(), EdgeKind::WriteRead, saw(&name_x, one)),
        edge(one.at(), write_y, EdgeKind::ReadWrite, missed(&name_y, one)),
        edge(write_y, other.at(), EdgeKind::WriteRead, saw(&name_y, other)),
        edge(other.at(), write_x, EdgeKind::ReadWrite, missed(&name_x, other)),
    ];
    let proof = Proof {
        anomaly: names::LONG_FORK,
        story: format!(
            "Client {} read {name_x} and {name_y} at once and saw only {name_x} written. Client {} read both \
             too and saw only {name_y} written.",
            client(one),
            client(other)
        ),
        brief: format!("{name_x} before {name_y}, and {name_y} before {name_x}"),
        conclusion: "So each of the two writes came before the other: no order explains both reads.".into(),
        keys: vec![name_x, name_y],
        steps,
        edges,
        weight: 1,
    };
    proof.finding(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::snapshots::tests::draw;

    #[test]
    fn agrees_with_a_look_at_every_pair() {
        let mut broken = 0;
        for seed in 0..10_000 {
            let history = draw(seed);
            let facts = Facts::new(&history);
            let snapshots = Snapshots::new(&facts);
            let expected = snapshots
                .by_keys()
                .values()
                .any(|group| group.iter().any(|one| group.iter().any(|other| fork(one, other).is_some())));
            let verdict = NoLongFork.check(&facts, Budget::default());
            assert_eq!(verdict.is_broken(), expected, "seed {seed}");
            for finding in &verdict.findings {
                crate::proven::assert_proven(&history, GUARANTEE, finding);
            }
            broken += u32::from(expected);
        }
        assert!((500..9_500).contains(&broken), "{broken} are broken");
    }
}
