//! The part that the four guarantees share: which of the reads that overlooked something break this
//! one, and the verdict.

use crate::causal::path::Hop;
use crate::causal::questions::{Tests, newest};
use crate::causal::seen::{Read, Saw};
use crate::causal::simplest_by_key;
use crate::causal::story::{Teller, Told};
use crate::session::known;
use crate::session::turns::Turn;
use crate::session::view::View;
use crate::wording::counted;
use crate::{Budget, Chances, EdgeKind, Facts, Finding, Verdict};

/// One session guarantee.
pub(super) trait Guarantee {
    const NAME: &'static str;
    /// The anomaly's name.
    const ANOMALY: &'static str;
    /// What chances are called: one, several, and if there are none.
    const CHANCES: [&'static str; 3];
    /// What breaches are called: one, several.
    const BREACHES: [&'static str; 2];
    /// True if what other sessions had read tells what is older.
    const FOLLOWS_READS: bool = false;

    /// True if this read could break the guarantee.
    fn is_chance(view: &View<'_, '_>, turn: &Turn) -> bool;

    /// The writes of the key that this read has to show, unless it shows something newer.
    fn owed(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>);

    /// Why the read owes this write, and the way from one to the other.
    fn explain(view: &View<'_, '_>, teller: &Teller<'_, '_>, breach: Breach<'_>) -> (String, Vec<Hop>);
}

/// A read that overlooked a write that its session was promised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breach<'b> {
    pub(super) read: &'b Read,
    pub(super) write: u32,
    pub(super) session: u32,
    pub(super) position: u32,
}

impl Breach<'_> {
    /// The number of the read's operation.
    pub(super) fn reader(&self) -> u32 {
        self.read.at.operation.0
    }
}

/// Judges one guarantee.
pub(super) fn judge<G: Guarantee>(facts: &Facts<'_>, mut budget: Budget) -> Verdict {
    let order = &facts.causality().order;
    let suspects = &facts.causality().overlooked.reads;
    let (mut chances, mut tests, mut owed) = (0_u64, Tests::default(), Vec::new());
    let mut passed = Vec::new();
    let view = View::new(facts).visit(|view, turn| {
        chances += u64::from(G::is_chance(view, turn));
        if suspects.binary_search_by_key(&turn.number, |(number, _)| *number).is_err() {
            return;
        }
        owed.clear();
        G::owed(view, turn, &mut owed);
        budget.steps = budget.steps.saturating_sub(owed.len() as u64);
        if budget.steps > 0 {
            ask(view, turn, &mut owed, &mut tests);
        }
        if tests.is_full() {
            passed.append(&mut answer::<G>(facts, &mut tests));
        }
    });
    passed.append(&mut answer::<G>(facts, &mut tests));
    let mut breaches = passed;
    // Of all that a read owes, the write nearest to it makes the shortest story.
    breaches.sort_unstable_by_key(|(read, write)| (*read, std::cmp::Reverse(order.rank[*write as usize])));
    breaches.dedup_by_key(|(read, _)| *read);
    let [one, several, none] = G::CHANCES;
    let what = if chances == 0 { none.into() } else { counted(chances, one, several) };
    let chances = Chances { count: chances, what };
    if !breaches.is_empty() {
        return broken::<G>(&view, chances, &breaches);
    }
    match budget.steps {
        0 => Verdict::not_judged(G::NAME, chances, "needed a longer search: more steps may help"),
        _ => Verdict::unbroken(G::NAME, chances),
    }
}

fn answer<G: Guarantee>(facts: &Facts<'_>, tests: &mut Tests) -> Vec<(u32, u32)> {
    if !G::FOLLOWS_READS {
        return known::answer(facts, tests);
    }
    let passed = tests.answer(&facts.causality().order);
    passed.iter().map(|test| (test.about, test.write)).collect()
}

fn ask(view: &View<'_, '_>, turn: &Turn, owed: &mut Vec<u32>, tests: &mut Tests) {
    let (order, seen) = (&view.causality.order, &view.causality.seen);
    let excuses = |write: u32| seen.excuses(view.facts, &turn.read, write);
    if let Saw::Elements { .. } = turn.read.saw {
        owed.sort_unstable();
        owed.dedup();
        for write in owed {
            tests.add(order, turn.number, *write, &excuses(*write));
        }
        return;
    }
    let Some(any) = owed.first() else { return };
    let excuses = newest(order, excuses(*any));
    for write in newest(order, std::mem::take(owed)) {
        tests.add(order, turn.number, write, &excuses);
    }
}

fn broken<G: Guarantee>(view: &View<'_, '_>, chances: Chances, breaches: &[(u32, u32)]) -> Verdict {
    let teller = Teller { facts: view.facts, causality: view.causality };
    let mut findings: Vec<Finding> = simplest_by_key(view.causality, breaches)
        .into_iter()
        .map(|(_, number, write, weight)| {
            let read = &view.causality.seen.reads[number as usize];
            let order = &view.causality.order;
            let at = read.at.operation.index();
            let breach = Breach { read, write, session: order.session[at], position: order.position[at] };
            let (story, hops) = G::explain(view, &teller, breach);
            let told = Told {
                anomaly: G::ANOMALY,
                story,
                brief: format!("{} gone, {} seen", teller.stored(read.key, write), teller.found(read)),
                conclusion: "So the read came both before and after the write that it should have shown."
                    .into(),
                weight,
            };
            teller.finding(read, write, hops, told)
        })
        .collect();
    findings.sort_by_cached_key(|finding| finding.steps.len());
    let count = breaches.len() as u64;
    let [one, several] = G::BREACHES;
    let keys = counted(findings.len() as u64, "key", "keys");
    let summary = format!("{}, on {keys}", counted(count, one, several));
    Verdict::broken(G::NAME, chances, summary, count, findings)
}

/// One after the other in a session; nothing if they are one operation.
pub(super) fn then(from: u32, to: u32) -> Option<Hop> {
    (from != to).then_some(Hop { from, to, kind: EdgeKind::Session })
}

/// What the one wrote and the other read.
pub(super) fn read_by(from: u32, to: u32) -> Hop {
    Hop { from, to, kind: EdgeKind::WriteRead }
}
