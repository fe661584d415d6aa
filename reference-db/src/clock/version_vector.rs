//! Version vectors: how far along each origin something has come.
//!
//! ```text
//! {A:3, B:1}   the events A:1, A:2, A:3 and B:1
//! ```
//!
//! Source: Parker et al., *Detection of mutual inconsistency* (1983). O(n) in origins for every call; there are few.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{Dot, Origin, Sequence};

/// For each origin the greatest sequence number up to which everything is included.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Origin, Sequence>", into = "BTreeMap<Origin, Sequence>")]
pub struct VersionVector {
    // Sorted by origin, no zeros. A small sorted vector is half the size of a map, and every event carries one.
    entries: Vec<(Origin, Sequence)>,
}

impl VersionVector {
    /// Nothing.
    pub fn new() -> VersionVector {
        VersionVector::default()
    }

    /// How far along `origin`; 0 if not at all.
    pub fn get(&self, origin: Origin) -> Sequence {
        self.place(origin).map_or(Sequence(0), |index| self.entries[index].1)
    }

    /// True if the event is included.
    pub fn contains(&self, dot: Dot) -> bool {
        self.get(dot.origin) >= dot.sequence
    }

    /// Includes everything of the dot's origin up to the dot.
    pub fn raise(&mut self, dot: Dot) {
        match self.place(dot.origin) {
            Ok(index) => self.entries[index].1 = self.entries[index].1.max(dot.sequence),
            Err(_) if dot.sequence == Sequence(0) => {}
            Err(index) => self.entries.insert(index, (dot.origin, dot.sequence)),
        }
    }

    /// Includes all that `other` does.
    pub fn merge(&mut self, other: &VersionVector) {
        for (origin, sequence) in other.iter() {
            self.raise(Dot { origin, sequence });
        }
    }

    /// True if everything of `other` is included.
    pub fn covers(&self, other: &VersionVector) -> bool {
        other.iter().all(|(origin, sequence)| self.get(origin) >= sequence)
    }

    /// Each origin that has events, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Origin, Sequence)> + '_ {
        self.entries.iter().copied()
    }

    fn place(&self, origin: Origin) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(&origin))
    }
}

impl FromIterator<Dot> for VersionVector {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> VersionVector {
        let mut vector = VersionVector::new();
        dots.into_iter().for_each(|dot| vector.raise(dot));
        vector
    }
}

impl From<BTreeMap<Origin, Sequence>> for VersionVector {
    fn from(map: BTreeMap<Origin, Sequence>) -> VersionVector {
        map.into_iter().map(|(origin, sequence)| Dot { origin, sequence }).collect()
    }
}

impl From<VersionVector> for BTreeMap<Origin, Sequence> {
    fn from(vector: VersionVector) -> BTreeMap<Origin, Sequence> {
        vector.entries.into_iter().collect()
    }
}

impl fmt::Display for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.iter().map(|(origin, sequence)| format!("{origin}:{sequence}")).collect();
        write!(f, "{{{}}}", parts.join(", "))
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(dots: &str) -> VersionVector {
        dots.split_whitespace().map(|dot| dot.parse().unwrap()).collect()
    }

    #[test]
    fn merging_takes_the_greater_of_each() {
        let mut merged = vector("A:3 B:1");
        merged.merge(&vector("A:2 C:7"));
        assert_eq!(merged.to_string(), "{A:3, B:1, C:7}");
        assert!(merged.covers(&vector("A:3 C:1")));
        assert!(!vector("A:3").covers(&vector("A:3 B:1")));
    }

    #[test]
    fn json_keeps_it() {
        let json = serde_json::to_string(&vector("B:1 A.z:3")).unwrap();
        assert_eq!(json, r#"{"A.z":3,"B":1}"#);
        assert_eq!(serde_json::from_str::<VersionVector>(&json).unwrap(), vector("A.z:3 B:1"));
    }
}
