//! Set-full: an element that was added to a set or a list stays, in every read from then on.
//!
//! ```text
//!   add 1 → OK    add 2 → OK    add 3 → unknown
//!   read → [1 3]                               3 recovered; 2 not yet there
//!   read → [2 3 3]                             1 gone, 3 duplicated; 2 was stale until here
//!
//!   lost: 1      stale: 2, stable 1.2 s after it was known      duplicated: 3      never read: none
//! ```
//!
//! An element is *known* once its add is confirmed or a read showed it. It is *lost* if a later read does
//! not have it and no read that went on after that one began does. It is *stale* if such a read was
//! followed by one that has it: that breaks nothing here, and the longest time until an element was stable
//! is told. Elements that somebody may have removed, and keys that may have been replaced as a whole, are
//! left aside. O(n) in elements seen; a stale or lost element costs a look at each read.
//!
//! Source: the set-full check of Jepsen (Kingsbury), whose words these are.

use histories::{MicroOp, Nanos, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::invariant::proof::{Proof, edge};
use crate::wording::{counted, listed, shown};
use crate::{Budget, Chances, Checker, EdgeKind, Finding, Verdict};

/// Judges `set-full`.
pub struct SetFull;

const GUARANTEE: &str = "set-full";
const LOST: &str = names::LOST_ELEMENT;
const DUPLICATED: &str = names::DUPLICATE_ELEMENTS;

impl Checker for SetFull {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "an element that was added to a set or a list, or seen there once, is there in every later read, once"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut tally, mut findings) = (Tally::default(), Vec::new());
        for key in facts.keys().filter(|key| is_kept(facts, *key)) {
            let full = Full::new(facts, key);
            full.count(&mut tally);
            findings.extend([full.lost(&mut tally), full.duplicated(&mut tally)].into_iter().flatten());
        }
        let chances = Chances { count: tally.read, what: tally.what() };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let parts = [(tally.lost, "lost"), (tally.duplicated, "duplicated")];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        let said =
            said.map(|(count, word)| format!("{} {word}", counted(*count, "element was", "elements were")));
        Verdict::broken(GUARANTEE, chances, listed(said), tally.lost + tally.duplicated, findings)
    }
}

/// How many elements met which fate.
#[derive(Default)]
struct Tally {
    /// Known, and looked for later.
    read: u64,
    never_read: u64,
    recovered: u64,
    stale: u64,
    lost: u64,
    duplicated: u64,
    stable: Nanos,
}

impl Tally {
    fn what(&self) -> String {
        if self.read == 0 {
            return "nobody read a set or a list after an element of it was known".into();
        }
        let part = |count: u64, text: &str| (count > 0).then(|| format!("{count} {text}"));
        let stale = format!("stale, all stable {} after they were known", self.stable);
        let parts = [
            Some(counted(self.read, "element looked for again", "elements looked for again")),
            part(self.never_read, "never read"),
            part(self.recovered, "recovered of unknown outcome"),
            part(self.stale, &stale),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

fn is_kept(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    matches!(facts.kind(key), KeyKind::Set | KeyKind::List)
        && usage.writes + usage.compare_and_sets + usage.deletes == 0
}

/// What is known of one element.
#[derive(Debug, Clone, Copy)]
struct Element {
    /// Who added it; none if nobody can have.
    add: Option<Address>,
    is_confirmed: bool,
    /// Since when it is known, and from whom; none if it is not.
    known: Option<(Nanos, Address)>,
    /// How often reads that began after that show it.
    shown: u64,
    /// The latest end of a read that shows it.
    last_end: Option<Nanos>,
    /// A read that shows it twice.
    twice: Option<Address>,
}

struct Full<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    /// In the order in which they were added.
    elements: Vec<(&'h Value, Element)>,
    reads: Vec<(Address, &'h [Value])>,
}

impl<'f, 'h> Full<'f, 'h> {
    fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
        let mut full = Self { facts, key, elements: Vec::new(), reads: Vec::new() };
        let mut places: FxHashMap<&'h Value, usize> = FxHashMap::default();
        let removed = full.add_all(&mut places);
        full.read_all();
        full.find_known(&places);
        full.find_shown(&places);
        full.elements.retain(|(element, _)| !removed.contains(element));
        full
    }

    fn add_all(&mut self, places: &mut FxHashMap<&'h Value, usize>) -> FxHashSet<&'h Value> {
        let mut removed = FxHashSet::default();
        for at in self.facts.on_key(self.key).iter().copied() {
            let operation = self.facts.operation(at);
            match self.facts.micro_op(at) {
                _ if operation.outcome.is_failed() => {}
                MicroOp::Add { element, .. } | MicroOp::Append { element, .. } => {
                    let known = operation.completed.filter(|_| operation.is_confirmed()).map(|end| (end, at));
                    let new = Element {
                        add: Some(at),
                        is_confirmed: known.is_some(),
                        known,
                        shown: 0,
                        last_end: None,
                        twice: None,
                    };
                    if let Some(before) = places.insert(element, self.elements.len()) {
                        // Added twice: not what this is about.
                        removed.insert(element);
                        places.insert(element, before);
                        continue;
                    }
                    self.elements.push((element, new));
                }
                MicroOp::Remove { element, .. } => {
                    removed.insert(element);
                }
                _ => {}
            }
        }
        removed
    }

    fn read_all(&mut self) {
        for at in self.facts.on_key(self.key) {
            let Some(observed) = self.facts.observed(*at) else { continue };
            match observed.values.as_slice() {
                [] => self.reads.push((*at, &[])),
                [Value::List(elements)] => self.reads.push((*at, elements)),
                _ => {}
            }
        }
    }

    fn find_known(&mut self, places: &FxHashMap<&'h Value, usize>) {
        for (at, elements) in &self.reads {
            let operation = self.facts.operation(*at);
            let Some(end) = operation.completed else { continue };
            for place in elements.iter().filter_map(|element| places.get(element)) {
                let element = &mut self.elements[*place].1;
                element.known = element.known.into_iter().chain([(end, *at)]).min();
                element.last_end = element.last_end.max(Some(end));
            }
        }
    }

    fn find_shown(&mut self, places: &FxHashMap<&'h Value, usize>) {
        let mut last: Vec<Option<Address>> = vec![None; self.elements.len()];
        for (at, elements) in &self.reads {
            let began = self.facts.operation(*at).invoked;
            for place in elements.iter().filter_map(|element| places.get(element)) {
                let element = &mut self.elements[*place].1;
                if last[*place] == Some(*at) {
                    element.twice = element.twice.or(Some(*at));
                    continue;
                }
                last[*place] = Some(*at);
                element.shown += u64::from(element.known.is_some_and(|(known, _)| known < began));
            }
        }
    }

    fn reads_after(&self, time: Nanos) -> &[(Address, &'h [Value])] {
        let begin = self.reads.partition_point(|(at, _)| self.facts.operation(*at).invoked <= time);
        &self.reads[begin..]
    }

    // The last read that should have it and has not.
    fn last_miss(&self, value: &Value, element: &Element) -> Option<Address> {
        let after = self.reads_after(element.known?.0);
        if after.len() as u64 == element.shown {
            return None;
        }
        after.iter().rev().find(|(_, elements)| !elements.contains(value)).map(|(at, _)| *at)
    }

    fn is_lost(&self, element: &Element, miss: Address) -> bool {
        element.last_end.is_none_or(|end| end < self.facts.operation(miss).invoked)
    }

    fn count(&self, tally: &mut Tally) {
        for (value, element) in &self.elements {
            let is_looked_for = element.known.is_some_and(|(known, _)| !self.reads_after(known).is_empty());
            tally.read += u64::from(is_looked_for);
            tally.never_read += u64::from(element.is_confirmed && element.last_end.is_none());
            tally.recovered += u64::from(!element.is_confirmed && element.last_end.is_some());
            let (Some((known, _)), Some(miss)) = (element.known, self.last_miss(value, element)) else {
                continue;
            };
            if !self.is_lost(element, miss) {
                tally.stale += 1;
                let missed = self.facts.operation(miss).invoked;
                tally.stable = tally.stable.max(Nanos(missed.0 - known.0));
            }
        }
    }

    fn lost(&self, tally: &mut Tally) -> Option<Finding> {
        let lost = self.elements.iter().filter_map(|(value, element)| {
            let miss = self.last_miss(value, element).filter(|miss| self.is_lost(element, *miss))?;
            Some((*value, *element, miss))
        });
        let lost: Vec<(&Value, Element, Address)> = lost.collect();
        tally.lost += lost.len() as u64;
        let (value, element, miss) = *lost.first()?;
        let (known, from) = element.known?;
        let add = element.add?;
        let seen = match from == add {
            true => format!(
                "Client {} added {} to {} and was told OK",
                self.client(add),
                shown(value),
                self.name()
            ),
            false => {
                format!("Client {} read {} and saw {} in it", self.client(from), self.name(), shown(value))
            }
        };
        let mut edges = vec![
            edge(
                from,
                miss,
                EdgeKind::RealTime,
                format!("{} was known at {known}, before the read began", shown(value)),
            ),
            edge(
                miss,
                add,
                EdgeKind::ReadWrite,
                format!("{} saw {} as it was without it", self.client(miss), self.name()),
            ),
        ];
        if from != add {
            edges.push(edge(
                add,
                from,
                EdgeKind::WriteRead,
                format!("{} saw {}", self.client(from), shown(value)),
            ));
        }
        let others = match lost.len() {
            1 => String::new(),
            count => format!(" {} more of {} are gone.", count - 1, self.name()),
        };
        let proof = Proof {
            anomaly: LOST,
            keys: vec![self.name()],
            story: format!(
                "{seen}. Client {} read {} at {} and did not see {}, and no later read ever did.{others}",
                self.client(miss),
                self.name(),
                self.facts.operation(miss).invoked,
                shown(value)
            ),
            brief: format!("{}: {} gone", self.name(), shown(value)),
            conclusion: "So it was there and is not any more, though nobody took it out.".into(),
            steps: vec![(add, "this is lost"), (from, ""), (miss, "the proof")],
            edges,
            weight: lost.len() as u64,
        };
        Some(proof.finding(self.facts))
    }

    fn duplicated(&self, tally: &mut Tally) -> Option<Finding> {
        let twice = || {
            self.elements.iter().filter_map(|(value, element)| Some((*value, element.add?, element.twice?)))
        };
        let count = twice().count() as u64;
        tally.duplicated += count;
        let (value, add, read) = twice().next()?;
        let proof = Proof {
            anomaly: DUPLICATED,
            keys: vec![self.name()],
            story: format!(
                "Client {} read {} and saw {} more than once, but it was added once.",
                self.client(read),
                self.name(),
                shown(value)
            ),
            brief: format!("{}: {} more than once", self.name(), shown(value)),
            conclusion: "One call may take effect once.".into(),
            steps: vec![(add, ""), (read, "the proof")],
            edges: Vec::new(),
            weight: count,
        };
        Some(proof.finding(self.facts))
    }

    fn name(&self) -> histories::Key {
        self.facts.key(self.key).clone()
    }

    fn client(&self, at: Address) -> histories::SessionId {
        self.facts.operation(at).session
    }
}
