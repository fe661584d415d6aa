//! Total queue: what was put into a queue or a stack comes out, once, and nothing else does.
//!
//! ```text
//!   enqueue 1, 2, 3 → OK          dequeue → 1, 1, 4, nothing
//!
//!   duplicated: 1                 taken twice, put in once
//!   unexpected: 4                 nobody put it in
//!   lost: 2, 3                    put in, never taken, and then the queue was empty
//! ```
//!
//! Order does not matter, so this holds for many queues that are not linearizable. An element is lost only
//! if somebody found nothing after it was confirmed, and only if there are more of them than takes of
//! unknown outcome, each of which may have had one. An unknown put may have happened. A key that nobody
//! ever put anything into is none of this: see `unique-ids`. O(n).
//!
//! Source: the total-queue check of Jepsen (Kingsbury), whose words these are.

use histories::{MicroOp, Value};
use rustc_hash::FxHashMap;

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::invariant::proof::{Proof, edge};
use crate::wording::{counted, grouped, listed, shown};
use crate::{Budget, Chances, Checker, EdgeKind, Finding, Verdict};

/// Judges `total-queue`.
pub struct TotalQueue;

const GUARANTEE: &str = "total-queue";

/// Elements that a story names.
const NAMED_MAX: usize = 4;

impl Checker for TotalQueue {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "whatever is put into a queue or a stack comes out once, and nothing else does"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut takes, mut findings) = (0, Vec::new());
        for key in facts.keys().filter(|key| is_filled(facts, *key)) {
            let elements = Elements::new(facts, key);
            takes += elements.confirmed;
            findings.extend(
                [elements.unexpected(), elements.duplicated(), elements.lost()].into_iter().flatten(),
            );
        }
        let counted_takes = counted(takes, "take was answered", "takes were answered");
        let what =
            if takes == 0 { "nothing was taken from a queue or a stack".into() } else { counted_takes };
        let chances = Chances { count: takes, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let of = |anomaly: &str| -> u64 {
            findings.iter().filter(|finding| finding.anomaly == anomaly).map(|finding| finding.weight).sum()
        };
        let parts = [(of(LOST), "lost"), (of(DUPLICATED), "duplicated"), (of(UNEXPECTED), "unexpected")];
        let said = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", counted(*count, "element was", "elements were")));
        let (summary, count) = (listed(said), parts.iter().map(|(count, _)| count).sum());
        Verdict::broken(GUARANTEE, chances, summary, count, findings)
    }
}

const LOST: &str = names::LOST_ELEMENT;
const DUPLICATED: &str = names::DUPLICATE_ELEMENTS;
const UNEXPECTED: &str = names::UNEXPECTED_ELEMENT;

fn is_filled(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    let whole = usage.writes + usage.compare_and_sets + usage.deletes;
    matches!(facts.kind(key), KeyKind::Queue | KeyKind::Stack)
        && usage.enqueues + usage.pushes > 0
        && whole == 0
}

/// What became of one element.
#[derive(Debug, Default)]
struct Element {
    /// Confirmed and unknown puts.
    puts: Vec<Address>,
    confirmed_puts: usize,
    failed_put: Option<Address>,
    takes: Vec<Address>,
}

struct Elements<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    /// In the order in which they were first heard of.
    elements: Vec<(&'h Value, Element)>,
    /// Takes that were answered.
    confirmed: u64,
    unknown: usize,
    /// The take that found nothing and was asked for last.
    last_empty: Option<Address>,
}

impl<'f, 'h> Elements<'f, 'h> {
    fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
        let mut all = Self { facts, key, elements: Vec::new(), confirmed: 0, unknown: 0, last_empty: None };
        let mut places: FxHashMap<&'h Value, usize> = FxHashMap::default();
        for at in facts.on_key(key).iter().copied() {
            let outcome = &facts.operation(at).outcome;
            let element = match facts.micro_op(at) {
                MicroOp::Enqueue { element, .. } | MicroOp::Push { element, .. } => element,
                MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => {
                    all.confirmed += u64::from(outcome.is_confirmed());
                    all.unknown += usize::from(outcome.is_unknown());
                    let Some(observed) = facts.observed(at) else { continue };
                    let Some(element) = observed.single() else {
                        all.last_empty = Some(at);
                        continue;
                    };
                    element
                }
                _ => continue,
            };
            let place = *places.entry(element).or_insert_with(|| {
                all.elements.push((element, Element::default()));
                all.elements.len() - 1
            });
            let entry = &mut all.elements[place].1;
            match facts.micro_op(at).observes() {
                true => entry.takes.push(at),
                false if outcome.is_failed() => entry.failed_put = Some(at),
                false => {
                    entry.puts.push(at);
                    entry.confirmed_puts += usize::from(outcome.is_confirmed());
                }
            }
        }
        all
    }

    fn name(&self) -> histories::Key {
        self.facts.key(self.key).clone()
    }

    fn unexpected(&self) -> Option<Finding> {
        let odd = self.elements.iter().filter_map(|(value, element)| {
            let take = *element.takes.iter().min_by_key(|take| self.facts.operation(**take).completed)?;
            let early = element.puts.first().filter(|put| self.ended_before(take, **put));
            (element.puts.is_empty() || early.is_some()).then_some((value, element, take, early.copied()))
        });
        let odd: Vec<_> = odd.collect();
        let (value, element, take, early) = odd.first()?;
        let why = match (early, element.failed_put) {
            (Some(put), _) => format!("which client {} asked to put in only later", self.client(*put)),
            (None, Some(put)) => {
                format!("but the call of client {} that would have put it in failed", self.client(put))
            }
            (None, None) => "which nobody ever put in".to_string(),
        };
        let others = element.failed_put.into_iter().chain(*early).map(|at| (at, ""));
        let proof = Proof {
            anomaly: UNEXPECTED,
            keys: vec![self.name()],
            story: format!(
                "Client {} took from {} and was given {}, {why}.",
                self.client(*take),
                self.name(),
                shown(value)
            ),
            brief: format!("{}: {} came from nowhere", self.name(), shown(value)),
            conclusion: "No call can have brought it before it came out.".into(),
            steps: others.chain([(*take, "the proof")]).collect(),
            edges: early
                .map(|put| edge(*take, put, EdgeKind::RealTime, "it was taken before it was put in"))
                .into_iter()
                .collect(),
            weight: odd.len() as u64,
        };
        Some(proof.finding(self.facts))
    }

    fn duplicated(&self) -> Option<Finding> {
        let extra = |element: &Element| element.takes.len().saturating_sub(element.puts.len());
        let twice =
            || self.elements.iter().filter(|(_, element)| !element.puts.is_empty() && extra(element) > 0);
        let (value, element) = twice().min_by_key(|(_, element)| element.takes.len())?;
        let (first, second) = (element.takes[0], element.takes[1]);
        let proof = Proof {
            anomaly: DUPLICATED,
            keys: vec![self.name()],
            story: format!(
                "{} was put into {} {}, and taken {}: by client {}, by client {}{}.",
                shown(value),
                self.name(),
                often(element.puts.len()),
                often(element.takes.len()),
                self.client(first),
                self.client(second),
                if element.takes.len() > 2 { ", …" } else { "" }
            ),
            brief: format!("{}: {} came out {}", self.name(), shown(value), often(element.takes.len())),
            conclusion: "What is put in once can be taken once.".into(),
            steps: element.puts.iter().chain(&element.takes).map(|at| (*at, "")).collect(),
            edges: Vec::new(),
            weight: twice().map(|(_, element)| extra(element) as u64).sum(),
        };
        Some(proof.finding(self.facts))
    }

    fn lost(&self) -> Option<Finding> {
        let empty = self.last_empty?;
        let is_left = |(_, element): &&(&Value, Element)| {
            let puts = element.puts.iter().filter(|put| self.ended_before(**put, empty));
            element.confirmed_puts > element.takes.len() && puts.count() > element.takes.len()
        };
        let left: Vec<_> = self.elements.iter().filter(is_left).collect();
        let lost = left.len().checked_sub(self.unknown).filter(|lost| *lost > 0)?;
        // With takes of unknown outcome it takes one element more than those to prove a loss.
        let shown_elements = &left[..=self.unknown];
        let names = shown_elements.iter().take(NAMED_MAX).map(|(value, _)| shown(value));
        let more = if self.unknown >= NAMED_MAX { " …" } else { "" };
        let unknown = match self.unknown {
            0 => String::new(),
            count => format!(
                " {} of unknown outcome may have had one each; one is still missing.",
                counted(count as u64, "take", "takes")
            ),
        };
        let steps = shown_elements.iter().flat_map(|(_, element)| element.puts.iter().chain(&element.takes));
        let proof = Proof {
            anomaly: LOST,
            keys: vec![self.name()],
            story: format!(
                "{}{more} had been put into {} and confirmed, and nobody was ever given it. Yet client {} found \
                 nothing at {}.{unknown}",
                listed(names),
                self.name(),
                self.client(empty),
                self.facts.operation(empty).invoked
            ),
            brief: format!("{}: {} gone", self.name(), counted(lost as u64, "element", "elements")),
            conclusion: "What was put in and never taken should have been there.".into(),
            steps: steps.map(|at| (*at, "this is lost")).chain([(empty, "the proof")]).collect(),
            edges: Vec::new(),
            weight: lost as u64,
        };
        Some(proof.finding(self.facts))
    }

    fn ended_before(&self, first: Address, second: Address) -> bool {
        self.facts.operation(first).precedes(self.facts.operation(second))
    }

    fn client(&self, at: Address) -> histories::SessionId {
        self.facts.operation(at).session
    }
}

fn often(times: usize) -> String {
    match times {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{} times", grouped(times as u64)),
    }
}
