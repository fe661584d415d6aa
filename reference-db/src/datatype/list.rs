//! A list that only grows at its end, in the order of hybrid time.
//!
//! ```text
//! A  append 1 at 100.0 ─┐
//! B  append 2 at 100.0 ─┴─► [1, 2] everywhere, each element once
//! ```
//!
//! An element may slip in before others that are already there, if its node was cut off. Elements that one client
//! appends one after the other stay in their order.

use std::collections::BTreeMap;

use crate::clock::Hlc;
use crate::datum::Datum;
use crate::event::Tag;

/// Elements by time, then by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct List {
    elements: BTreeMap<(Hlc, Tag), Datum>,
}

impl List {
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Datum> {
        self.elements.values()
    }

    pub(crate) fn entries(&self) -> &BTreeMap<(Hlc, Tag), Datum> {
        &self.elements
    }

    pub(crate) fn append(&mut self, value: &Datum, hlc: Hlc, tag: Tag) {
        self.elements.insert((hlc, tag), value.clone());
    }

    /// Removes every element that is covered.
    pub(crate) fn retain(&mut self, covered: impl Fn(Tag) -> bool) {
        self.elements.retain(|(_, tag), _| !covered(*tag));
    }
}
