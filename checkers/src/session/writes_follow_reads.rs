//! Writes follow reads: a node that has a session's write has what the session had read before it.
//!
//! ```text
//!   c1  read x → 5,  write y 6
//!   c2  read y → 6,  read x → nothing, both of one node        the answer is there, not the question
//! ```

use crate::anomaly::names;
use crate::causal::path::Hop;
use crate::causal::seen::Read;
use crate::causal::story::Teller;
use crate::session::breach::{Breach, Guarantee, judge, read_by, then};
use crate::session::monotonic_writes::sighting;
use crate::session::turns::Turn;
use crate::session::view::View;
use crate::{Budget, Checker, Facts, Verdict};

/// Judges `writes-follow-reads`. Source: Terry et al. 1994, §3.3.
pub struct WritesFollowReads;

impl Checker for WritesFollowReads {
    fn guarantee(&self) -> &'static str {
        Self::NAME
    }

    fn promise(&self) -> &'static str {
        "who sees a write of a session sees what that session had read before it"
    }

    fn check(&self, facts: &Facts<'_>, budget: Budget) -> Verdict {
        judge::<Self>(facts, budget)
    }
}

impl Guarantee for WritesFollowReads {
    const NAME: &'static str = "writes-follow-reads";
    const ANOMALY: &'static str = names::ANSWER_WITHOUT_QUESTION;
    const CHANCES: [&'static str; 3] = [
        "read of a key that the writer of something seen had read before",
        "reads of a key that the writer of something seen had read before",
        "nobody saw a write and then read a key that its session had read before it",
    ];
    const BREACHES: [&'static str; 2] = [
        "read missed what the writer of something seen had read",
        "reads missed what the writer of something seen had read",
    ];
    const FOLLOWS_READS: bool = true;

    fn is_chance(view: &View<'_, '_>, turn: &Turn) -> bool {
        let key = turn.read.key;
        view.any_seen(turn, view.readers(key), |session| {
            view.has_read(key, session, view.latest_seen(turn, session))
        })
    }

    fn owed(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>) {
        for session in view.seen_of(turn, view.readers(turn.read.key)) {
            let latest = view.latest_seen(turn, session);
            for (_, earlier) in view.reads_before(turn.read.key, session, latest) {
                let makers = view.causality.seen.makers(earlier.saw).iter().copied();
                owed.extend(makers.filter(|maker| view.misses(&turn.read, *maker)));
            }
        }
    }

    fn explain(view: &View<'_, '_>, teller: &Teller<'_, '_>, breach: Breach<'_>) -> (String, Vec<Hop>) {
        let saw = |read: &Read| view.causality.seen.makers(read.saw).contains(&breach.write);
        let seen = view.seen_before(breach);
        let others = view.readers(breach.read.key).filter(|session| *session != breach.session);
        let (question, position, answerer) = others
            .filter_map(|session| {
                let latest = seen.get(&session).copied().unwrap_or(0);
                let mut reads = view.reads_before(breach.read.key, session, latest);
                let (position, read) = reads.find(|(_, read)| saw(read))?;
                Some((read, position, session))
            })
            .min_by_key(|(read, ..)| read.at)
            .expect("some session had read it before what was seen");
        let sighting = sighting(view, breach, answerer, position);
        let (answer, shown) = sighting.expect("something later of that session was seen");
        let story = format!(
            "Client {} read {} and then {}. Client {} saw that{}, but when it then read {}{}, it was told {}, \
             which is older.",
            teller.operation(answer).session,
            teller.found(question),
            teller.did(answer),
            teller.operation(breach.reader()).session,
            teller.at_node(shown.at),
            teller.facts.key(breach.read.key),
            teller.at_node(breach.read.at),
            teller.found(breach.read),
        );
        let mut hops = vec![read_by(breach.write, question.at.operation.0)];
        hops.extend(then(question.at.operation.0, answer));
        hops.push(read_by(answer, shown.at.operation.0));
        hops.extend(then(shown.at.operation.0, breach.reader()));
        (story, hops)
    }
}
