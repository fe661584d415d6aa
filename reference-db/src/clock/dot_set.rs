//! Sets of events: a version vector for what is complete, and the dots beyond it.
//!
//! ```text
//! A:1 A:2 A:3 A:5 B:1   =   {A:3, B:1} and beyond it A:5
//!                 add A:4:  {A:5, B:1}
//! ```
//!
//! A node knows by it what it has applied even when events arrive with gaps, and a client's *context* is one: exactly
//! the events that what it read was made of. Being exact is what dotted version vectors add to plain ones.
//!
//! Source: Preguiça et al., *Dotted version vectors* (2010); Almeida et al., *Scalable and accurate causality tracking
//! for eventually consistent stores* (2014).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::VersionVector;
use crate::names::{Dot, NameError};

/// A set of dots, small as long as it has few gaps.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DotSet {
    vector: VersionVector,
    // Never in the vector, nor the next after what is: those are moved into it.
    beyond: BTreeSet<Dot>,
}

impl DotSet {
    /// Nothing.
    pub fn new() -> DotSet {
        DotSet::default()
    }

    /// Just these events.
    pub fn of(dots: impl IntoIterator<Item = Dot>) -> DotSet {
        let mut set = DotSet::new();
        dots.into_iter().for_each(|dot| set.insert(dot));
        set
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.beyond.is_empty() && self.vector.iter().next().is_none()
    }

    /// True if the event is in it.
    pub fn contains(&self, dot: Dot) -> bool {
        self.vector.contains(dot) || self.beyond.contains(&dot)
    }

    /// Adds one event.
    pub fn insert(&mut self, dot: Dot) {
        if self.vector.contains(dot) {
            return;
        }
        if self.vector.get(dot.origin).next() != dot.sequence {
            self.beyond.insert(dot);
            return;
        }
        self.vector.raise(dot);
        self.compact(dot);
    }

    /// True if `other` has all of it.
    pub fn is_within(&self, other: &DotSet) -> bool {
        let complete = self.vector.iter().all(|(origin, sequence)| other.vector.get(origin) >= sequence);
        complete && self.beyond.iter().all(|dot| other.contains(*dot))
    }

    /// What is complete, without the dots beyond it.
    pub fn vector(&self) -> &VersionVector {
        &self.vector
    }

    /// Adds what `other` holds.
    pub fn merge(&mut self, other: &DotSet) {
        for (origin, sequence) in other.vector.iter() {
            let dot = Dot { origin, sequence };
            self.vector.raise(dot);
            let vector = &self.vector;
            self.beyond.retain(|beyond| !vector.contains(*beyond));
            self.compact(Dot { origin, sequence: self.vector.get(origin) });
        }
        other.beyond.iter().for_each(|dot| self.insert(*dot));
    }

    /// Forgets what `other` holds. It may keep some of it: an origin in the vector goes as a whole or not at all.
    pub fn prune(&mut self, other: &DotSet) {
        // Holding the last is not enough: there may be a gap before it.
        let lacking = |(origin, sequence)| !other.vector.contains(Dot { origin, sequence });
        let rest = self.vector.iter().filter(|entry| lacking(*entry));
        self.vector = rest.map(|(origin, sequence)| Dot { origin, sequence }).collect();
        self.beyond.retain(|dot| !other.contains(*dot));
    }

    /// What both hold.
    pub fn intersection(&self, other: &DotSet) -> DotSet {
        let mut both = DotSet::new();
        for (origin, sequence) in self.vector.iter() {
            let sequence = sequence.min(other.vector.get(origin));
            both.vector.raise(Dot { origin, sequence });
        }
        let beyond = self.beyond.iter().chain(&other.beyond);
        for dot in beyond.filter(|dot| self.contains(**dot) && other.contains(**dot)) {
            both.insert(*dot);
        }
        both
    }

    /// Moves into the vector what directly follows `dot`, the last of its origin there.
    fn compact(&mut self, dot: Dot) {
        let mut next = Dot { sequence: dot.sequence.next(), ..dot };
        while self.beyond.remove(&next) {
            self.vector.raise(next);
            next.sequence = next.sequence.next();
        }
    }
}

/// `A:3,B:1+A:5`: the vector, then the dots beyond it.
impl fmt::Display for DotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vector: Vec<String> = self.vector.iter().map(|(origin, at)| format!("{origin}:{at}")).collect();
        write!(f, "{}", vector.join(","))?;
        self.beyond.iter().try_for_each(|dot| write!(f, "+{dot}"))
    }
}

impl fmt::Debug for DotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DotSet {
    type Err = NameError;

    fn from_str(text: &str) -> Result<DotSet, NameError> {
        let mut parts = text.split('+');
        let vector = parts.next().unwrap_or_default().split(',').filter(|part| !part.is_empty());
        let mut set = DotSet::new();
        set.vector = vector.map(str::parse).collect::<Result<_, _>>()?;
        for dot in parts {
            set.insert(dot.parse()?);
        }
        Ok(set)
    }
}

impl TryFrom<String> for DotSet {
    type Error = NameError;

    fn try_from(text: String) -> Result<DotSet, NameError> {
        text.parse()
    }
}

impl From<DotSet> for String {
    fn from(set: DotSet) -> String {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(dots: &str) -> DotSet {
        DotSet::of(dots.split_whitespace().map(|dot| dot.parse::<Dot>().unwrap()))
    }

    #[test]
    fn gaps_close() {
        let mut applied = set("A:1 A:2 A:3 A:5 B:1");
        assert_eq!(applied.to_string(), "A:3,B:1+A:5");
        applied.insert("A:4".parse().unwrap());
        assert_eq!(applied.to_string(), "A:5,B:1");
    }

    #[test]
    fn pruning_keeps_what_has_not_come() {
        let mut covered = set("A:1 A:2 B:4");
        covered.prune(&set("A:1 A:2 A:3"));
        assert_eq!(covered.to_string(), "+B:4");
        let mut covered = set("A:1 A:2");
        covered.prune(&set("A:2"));
        assert_eq!(covered.to_string(), "A:2");
    }

    proptest! {
        #[test]
        fn it_is_a_set(left in dots(), right in dots()) {
            let (mut merged, other) = (DotSet::of(left.clone()), DotSet::of(right.clone()));
            merged.merge(&other);
            prop_assert_eq!(&merged, &DotSet::of(left.union(&right).copied()));
            let (one, two) = (DotSet::of(left.clone()), DotSet::of(right.clone()));
            prop_assert_eq!(one.intersection(&two), DotSet::of(left.intersection(&right).copied()));
            for dot in left.iter().chain(&right) {
                prop_assert!(merged.contains(*dot));
            }
            prop_assert_eq!(merged.to_string().parse::<DotSet>().unwrap(), merged);
        }
    }

    fn dots() -> impl Strategy<Value = BTreeSet<Dot>> {
        prop::collection::btree_set((0..3_usize, 1..12_u64), 0..20).prop_map(|pairs| {
            let dot = |(origin, sequence)| format!("{}:{sequence}", ["A", "B", "C.2"][origin]);
            pairs.into_iter().map(|pair| dot(pair).parse().unwrap()).collect()
        })
    }
}
