//! Read your writes: a session sees its own writes.
//!
//! ```text
//!   c1  write x 4,  write x 5,  read x → 4        c1 knows that 4 is older than its own 5: broken
//!   c1  write x 5,  read x → 6                    fine: 6 may have replaced 5
//! ```

use crate::anomaly::names;
use crate::causal::path::Hop;
use crate::causal::story::Teller;
use crate::session::breach::{Breach, Guarantee, judge, then};
use crate::session::turns::Turn;
use crate::session::view::View;
use crate::{Budget, Checker, Facts, Verdict};

/// Judges `read-your-writes`. Source: Terry et al. 1994, §3.1.
pub struct ReadYourWrites;

impl Checker for ReadYourWrites {
    fn guarantee(&self) -> &'static str {
        Self::NAME
    }

    fn promise(&self) -> &'static str {
        "a session that wrote something sees that, or something newer"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        judge::<Self>(facts, budget)
    }
}

impl Guarantee for ReadYourWrites {
    const NAME: &'static str = "read-your-writes";
    const ANOMALY: &'static str = names::OWN_WRITE_MISSING;
    const CHANCES: [&'static str; 3] = [
        "read of a key after an own write to it",
        "reads of a key after an own write to it",
        "no session read a key that it had written",
    ];
    const BREACHES: [&'static str; 2] = [
        "read did not show what its own session had written",
        "reads did not show what their own session had written",
    ];

    fn is_chance(view: &View<'_, '_>, turn: &Turn) -> bool {
        !view.writes_before(turn.read.key, turn.session, turn.position).is_empty()
    }

    fn owed(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>) {
        let writes = view.writes_before(turn.read.key, turn.session, turn.position);
        owed.extend(view.missed(&turn.read, writes));
    }

    fn explain(_: &View<'_, '_>, teller: &Teller<'_, '_>, breach: Breach<'_>) -> (String, Vec<Hop>) {
        let story = format!(
            "Client {} {}. When it then read {}{}, it was told {}: its own write was missing.",
            teller.operation(breach.write).session,
            teller.did(breach.write),
            teller.facts.key(breach.read.key),
            teller.at_node(breach.read.at),
            teller.found(breach.read),
        );
        (story, then(breach.write, breach.reader()).into_iter().collect())
    }
}
