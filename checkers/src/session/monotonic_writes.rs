//! Monotonic writes: a node that has a session's later write has its earlier ones too.
//!
//! ```text
//!   c1  write x 5,  write y 6
//!   c2  read y → 6,  read x → nothing, both of one node        6 is there without 5: broken
//! ```

use crate::anomaly::names;
use crate::causal::path::Hop;
use crate::causal::seen::Read;
use crate::causal::story::Teller;
use crate::session::breach::{Breach, Guarantee, judge, read_by, then};
use crate::session::turns::Turn;
use crate::session::view::View;
use crate::{Budget, Checker, Facts, Verdict};

/// Judges `monotonic-writes`. Source: Terry et al. 1994, §3.4.
pub struct MonotonicWrites;

impl Checker for MonotonicWrites {
    fn guarantee(&self) -> &'static str {
        Self::NAME
    }

    fn promise(&self) -> &'static str {
        "who sees a later write of a session sees its earlier writes too"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        judge::<Self>(facts, budget)
    }
}

impl Guarantee for MonotonicWrites {
    const NAME: &'static str = "monotonic-writes";
    const ANOMALY: &'static str = names::WRITES_OUT_OF_ORDER;
    const CHANCES: [&'static str; 3] = [
        "read of a key after a later write of its writer was seen",
        "reads of a key after a later write of its writer was seen",
        "nobody saw a later write of a session and then read what it had written earlier",
    ];
    const BREACHES: [&'static str; 2] = [
        "read missed an earlier write of a session whose later one was there",
        "reads missed an earlier write of a session whose later one was there",
    ];

    fn is_chance(view: &View<'_, '_>, turn: &Turn) -> bool {
        let key = turn.read.key;
        view.any_seen(turn, view.writers(key), |session| {
            let latest = view.latest_seen(turn, session);
            latest > 1 && !view.writes_before(key, session, latest).is_empty()
        })
    }

    fn owed(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>) {
        for session in view.seen_of(turn, view.writers(turn.read.key)) {
            let latest = view.latest_seen(turn, session);
            let writes = view.writes_before(turn.read.key, session, latest);
            owed.extend(view.missed(&turn.read, writes));
        }
    }

    fn explain(view: &View<'_, '_>, teller: &Teller<'_, '_>, breach: Breach<'_>) -> (String, Vec<Hop>) {
        let order = &view.causality.order;
        let writer = order.session[breach.write as usize];
        let after = order.position[breach.write as usize];
        let (later, shown) = sighting(view, breach, writer, after).expect("it saw a later write");
        let story = format!(
            "Client {} {} and then {}. Client {} saw the second{}, but when it then read {}{}, it was told {}: \
             the first was missing.",
            teller.operation(breach.write).session,
            teller.did(breach.write),
            teller.did(later),
            teller.operation(breach.reader()).session,
            teller.at_node(shown.at),
            teller.facts.key(breach.read.key),
            teller.at_node(breach.read.at),
            teller.found(breach.read),
        );
        let mut hops: Vec<Hop> = then(breach.write, later).into_iter().collect();
        hops.push(read_by(later, shown.at.operation.0));
        hops.extend(then(shown.at.operation.0, breach.reader()));
        (story, hops)
    }
}

/// Where the session of a breach last saw a write that `writer` made after its place `after`, on the
/// same node: that write, and the read.
pub(super) fn sighting<'f>(
    view: &View<'f, '_>,
    breach: Breach<'_>,
    writer: u32,
    after: u32,
) -> Option<(u32, &'f Read)> {
    let order = &view.causality.order;
    view.same_node_before(breach).find_map(|read| {
        let later = view.causality.seen.makers(read.saw).iter().find(|maker| {
            order.session[**maker as usize] == writer && order.position[**maker as usize] > after
        });
        later.map(|later| (*later, read))
    })
}
