//! An observed-remove set: an element is in it as long as one of its additions has not been removed.
//!
//! ```text
//! A  add x (A:1) ──► B  remove x {A:1}
//! A  add x (A:2)  concurrently          x stays, for A:2: adding wins
//! ```
//!
//! Source: Bieniusa et al., *An optimized conflict-free replicated set* (2012), without its tombstones: a removal that
//! comes before the addition waits for it, and nothing else is remembered.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::DotSet;
use crate::datum::Datum;
use crate::event::Tag;

/// Elements, each with its additions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Set {
    additions: BTreeMap<Datum, BTreeSet<Tag>>,
    /// Removed before they came.
    awaited: BTreeSet<Tag>,
}

impl Set {
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Datum> {
        self.additions.keys()
    }

    pub(crate) fn additions(&self) -> &BTreeMap<Datum, BTreeSet<Tag>> {
        &self.additions
    }

    pub(crate) fn add(&mut self, value: &Datum, tag: Tag) {
        if !self.awaited.remove(&tag) {
            self.additions.entry(value.clone()).or_default().insert(tag);
        }
    }

    /// The additions which a removal undoes: those that are here.
    pub(crate) fn tags(&self, value: &Datum) -> Vec<Tag> {
        self.additions.get(value).map(|tags| tags.iter().copied().collect()).unwrap_or_default()
    }

    pub(crate) fn remove(&mut self, value: &Datum, tags: &[Tag], applied: &DotSet) {
        let mut here = self.additions.remove(value).unwrap_or_default();
        for tag in tags {
            // What is neither here nor applied has not come yet; what is applied has been removed before.
            if !here.remove(tag) && !applied.contains(tag.dot) {
                self.awaited.insert(*tag);
            }
        }
        if !here.is_empty() {
            self.additions.insert(value.clone(), here);
        }
    }

    /// Removes every addition that is covered.
    pub(crate) fn retain(&mut self, covered: impl Fn(Tag) -> bool) {
        self.additions.retain(|_, tags| {
            tags.retain(|tag| !covered(*tag));
            !tags.is_empty()
        });
    }
}
