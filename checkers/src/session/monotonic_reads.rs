//! Monotonic reads: what a session has seen does not go back.
//!
//! ```text
//!   c1  write x 4,  write x 5
//!   c2  read x → 5,  read x → 4        4 is known to be older than 5: broken
//! ```

use crate::anomaly::names;
use crate::causal::path::Hop;
use crate::causal::story::Teller;
use crate::session::breach::{Breach, Guarantee, judge, read_by, then};
use crate::session::turns::Turn;
use crate::session::view::View;
use crate::{Budget, Checker, Facts, Verdict};

/// Judges `monotonic-reads`, key by key. Source: Terry et al. 1994, §3.2.
pub struct MonotonicReads;

impl Checker for MonotonicReads {
    fn guarantee(&self) -> &'static str {
        Self::NAME
    }

    fn promise(&self) -> &'static str {
        "a session that has seen something never sees an older state of that key"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        judge::<Self>(facts, budget)
    }
}

impl Guarantee for MonotonicReads {
    const NAME: &'static str = "monotonic-reads";
    const ANOMALY: &'static str = names::READ_GOES_BACK;
    const CHANCES: [&'static str; 3] = [
        "pair of reads of one key in one session",
        "pairs of reads of one key in one session",
        "no session read a key twice",
    ];
    const BREACHES: [&'static str; 2] = [
        "read showed an older state than its session had seen",
        "reads showed an older state than their session had seen",
    ];

    fn is_chance(view: &View<'_, '_>, turn: &Turn) -> bool {
        view.has_read(turn.read.key, turn.session, turn.position)
    }

    fn owed(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>) {
        for (_, earlier) in view.reads_before(turn.read.key, turn.session, turn.position) {
            let makers = view.causality.seen.makers(earlier.saw).iter().copied();
            owed.extend(makers.filter(|maker| view.misses(&turn.read, *maker)));
        }
    }

    fn explain(view: &View<'_, '_>, teller: &Teller<'_, '_>, breach: Breach<'_>) -> (String, Vec<Hop>) {
        let Breach { read, write, session, position } = breach;
        let earlier = view
            .reads_before(read.key, session, position)
            .rev()
            .find(|(_, earlier)| view.causality.seen.makers(earlier.saw).contains(&write))
            .expect("the session owes what it has seen");
        let earlier = earlier.1;
        let story = format!(
            "Client {} read {}{} and was told {}. When it read it again{}, it was told {}, which is older.",
            teller.operation(breach.reader()).session,
            teller.facts.key(read.key),
            teller.at_node(earlier.at),
            teller.found(earlier),
            teller.at_node(read.at),
            teller.found(read),
        );
        let mut hops = vec![read_by(write, earlier.at.operation.0)];
        hops.extend(then(earlier.at.operation.0, breach.reader()));
        (story, hops)
    }
}
