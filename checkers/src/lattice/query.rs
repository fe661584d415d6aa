//! Questions to the lattice. All walk the tables breadth-first; they are asked a few times a report.

use std::collections::BTreeSet;

use super::data::{GUARANTEES, Guarantee};
use crate::anomaly::ANOMALIES;

/// The guarantee of this name or alias.
pub fn guarantee(name: &str) -> Option<&'static Guarantee> {
    GUARANTEES.iter().find(|guarantee| guarantee.name == name || guarantee.aliases.contains(&name))
}

/// True if keeping `stronger` means keeping `weaker`; everything implies itself.
pub fn implies(stronger: &str, weaker: &str) -> bool {
    reached(stronger, directly_implied).contains(weaker)
}

/// True if the anomaly `found` is also the anomaly `other`; everything is itself.
pub fn is_also(found: &str, other: &str) -> bool {
    reached(found, also).contains(other)
}

/// True if a history that keeps `guarantee` cannot show `anomaly`.
pub fn prohibits(guarantee: &str, anomaly: &str) -> bool {
    let kinds = reached(anomaly, also);
    let implied = reached(guarantee, directly_implied);
    let mut proscribed = GUARANTEES.iter().filter(|entry| implied.contains(entry.name));
    proscribed.any(|entry| entry.proscribes.iter().any(|proscribed| kinds.contains(proscribed)))
}

/// Where the line runs between what a history rules out and what it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boundary {
    /// Everything that is ruled out, sorted.
    pub ruled_out: Vec<&'static str>,
    /// The weakest of it: all else that is ruled out implies one of these.
    pub weakest_ruled_out: Vec<&'static str>,
    /// The strongest that is not ruled out: all else that is not is implied by one of these.
    pub strongest_left: Vec<&'static str>,
}

/// The boundary for a history that shows these anomalies and breaks these guarantees. Guarantees that
/// no anomaly rules out are left aside: nothing was looked for that could speak against them. So are those
/// that could not be judged, such as real time where there are no times, and what implies them.
pub fn boundary(anomalies: &[&str], broken: &[&str], unjudged: &[&str]) -> Boundary {
    let is_out = |guarantee: &&Guarantee| {
        broken.iter().any(|broken| implies(guarantee.name, broken))
            || anomalies.iter().any(|anomaly| prohibits(guarantee.name, anomaly))
    };
    let names = |entries: Vec<&'static Guarantee>| -> Vec<&'static str> {
        entries.into_iter().map(|entry| entry.name).collect()
    };
    let ruled_out = names(GUARANTEES.iter().filter(is_out).collect());
    let refutable = |entry: &&Guarantee| ANOMALIES.iter().any(|anomaly| prohibits(entry.name, anomaly.name));
    let is_open = |entry: &&Guarantee| unjudged.iter().any(|unjudged| implies(entry.name, unjudged));
    let left = GUARANTEES.iter().filter(refutable).filter(|entry| !is_out(entry) && !is_open(entry));
    let left = names(left.collect());
    let weakest = |name: &&str| !ruled_out.iter().any(|other| *other != *name && implies(name, other));
    let strongest = |name: &&str| !left.iter().any(|other| *other != *name && implies(other, name));
    Boundary {
        weakest_ruled_out: ruled_out.iter().filter(|name| weakest(name)).copied().collect(),
        strongest_left: left.iter().filter(|name| strongest(name)).copied().collect(),
        ruled_out,
    }
}

fn directly_implied(name: &str) -> &'static [&'static str] {
    GUARANTEES.iter().find(|entry| entry.name == name).map_or(&[], |entry| entry.implies)
}

fn also(name: &str) -> &'static [&'static str] {
    ANOMALIES.iter().find(|entry| entry.name == name).map_or(&[], |entry| entry.is_also)
}

fn reached(from: &str, next: fn(&str) -> &'static [&'static str]) -> BTreeSet<&str> {
    let (mut reached, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(name) = open.pop() {
        for follower in next(name) {
            if reached.insert(*follower) {
                open.push(*follower);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_tables_is_an_entry() {
        assert!(GUARANTEES.is_sorted_by_key(|entry| entry.name));
        let known = |name: &&str| ANOMALIES.iter().any(|entry| entry.name == *name);
        for entry in GUARANTEES {
            assert!(!entry.source.is_empty(), "{}", entry.name);
            for implied in entry.implies {
                assert!(GUARANTEES.iter().any(|other| other.name == *implied), "{}: {implied}", entry.name);
            }
            assert!(entry.proscribes.iter().all(known), "{}: {:?}", entry.name, entry.proscribes);
        }
    }

    #[test]
    fn nothing_implies_itself_in_a_circle() {
        for entry in GUARANTEES {
            assert!(!entry.implies.iter().any(|implied| implies(implied, entry.name)), "{}", entry.name);
        }
        for entry in ANOMALIES {
            assert!(!entry.is_also.iter().any(|other| is_also(other, entry.name)), "{}", entry.name);
        }
    }

    #[test]
    fn anomalies_rule_out_what_the_papers_say() {
        let weakest = |anomaly: &str| boundary(&[anomaly], &[], &[]).weakest_ruled_out;
        assert_eq!(weakest("G0"), ["read-uncommitted"]);
        assert_eq!(weakest("G1c"), ["read-committed"]);
        assert_eq!(weakest("G-single-item"), ["consistent-view", "repeatable-read"]);
        assert_eq!(weakest("G-nonadjacent-item"), ["repeatable-read", "snapshot-isolation"]);
        assert_eq!(weakest("G2-item"), ["repeatable-read"]);
        assert_eq!(weakest("internal"), ["read-atomic"]);
        assert_eq!(weakest("lost-update"), ["cursor-stability", "update-atomic"]);
        assert_eq!(weakest("G2-item-realtime"), ["strict-serializable"]);
        assert_eq!(weakest("G-single-item-process"), ["strong-session-snapshot-isolation"]);
        assert_eq!(weakest("thin-air-read"), ["read-committed"]);
    }

    #[test]
    fn what_is_left_is_named_by_its_strongest() {
        let left = boundary(&["G2-item"], &[], &[]).strongest_left;
        assert_eq!(left, ["strong-snapshot-isolation", "update-serializable"]);
        assert_eq!(boundary(&[], &[], &[]).strongest_left, ["strict-serializable"]);
        let timeless = boundary(&[], &[], &["strong-read-uncommitted"]).strongest_left;
        assert_eq!(timeless, ["strong-session-serializable"]);
        assert_eq!(boundary(&[], &["monotonic-reads"], &[]).weakest_ruled_out, ["monotonic-reads"]);
        assert!(boundary(&[], &["monotonic-reads"], &[]).ruled_out.contains(&"strict-serializable"));
    }
}
