//! Every anomaly that a checker can report, once: checkers refer to [`names`], and there is no other way
//! in the crate to say what was found.
//!
//! ```text
//!   table.rs    LOST_UPDATE = "lost-update" | "P4"; about; source; is also; who reports it
//!                    │                 │
//!   checkers   names::LOST_UPDATE      └──► lattice (what it rules out), `rashomon explain P4`
//! ```
//!
//! A name that no checker reports is the name of a class: `G1` is G1a, G1b or G1c. What an anomaly is
//! besides itself is data for [`crate::lattice`]; it is stated for those of transactions.

mod table;

pub use table::{ANOMALIES, names};

/// An anomaly, and what it is besides.
#[derive(Debug)]
pub struct Anomaly {
    /// Its name, as in [`crate::Finding::anomaly`].
    pub name: &'static str,
    /// What else the literature calls it.
    pub aliases: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
    /// Where it is defined: paper and section.
    pub source: &'static str,
    /// Anomalies that it also is.
    pub is_also: &'static [&'static str],
    /// Guarantees whose checkers report it, sorted; none if it is the name of a class.
    pub reported_by: &'static [&'static str],
}

impl Anomaly {
    /// True if this is a name for several anomalies, which no checker reports as such.
    pub fn is_class(&self) -> bool {
        self.reported_by.is_empty()
    }
}

/// The anomaly of this name or alias, in whatever case.
pub fn anomaly(name: &str) -> Option<&'static Anomaly> {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    ANOMALIES
        .iter()
        .find(|entry| is(entry.name))
        .or_else(|| ANOMALIES.iter().find(|entry| entry.aliases.iter().any(|alias| is(alias))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checker;

    #[test]
    fn the_table_is_sorted_and_every_entry_is_whole() {
        assert!(ANOMALIES.is_sorted_by_key(|entry| entry.name));
        for entry in ANOMALIES {
            assert!(!entry.about.is_empty() && !entry.about.ends_with('.'), "{}", entry.name);
            assert!(!entry.source.is_empty(), "{}", entry.name);
            assert!(entry.is_also.is_sorted() && entry.reported_by.is_sorted(), "{}", entry.name);
            for also in entry.is_also {
                assert!(ANOMALIES.iter().any(|other| other.name == *also), "{}: {also}", entry.name);
            }
            for guarantee in entry.reported_by {
                assert!(checker(guarantee).is_some(), "{}: {guarantee}", entry.name);
            }
        }
    }

    #[test]
    fn a_name_or_alias_means_one_thing() {
        let all = ANOMALIES.iter().flat_map(|entry| [&[entry.name], entry.aliases].concat());
        let mut seen = BTreeSet::new();
        for name in all {
            assert!(seen.insert(name.to_lowercase()), "{name} is there twice");
        }
        assert_eq!(anomaly("p4").map(|entry| entry.name), Some(names::LOST_UPDATE));
        assert_eq!(anomaly("g1A").map(|entry| entry.name), Some(names::G1A));
        assert!(anomaly("lost-updat").is_none());
    }
}
