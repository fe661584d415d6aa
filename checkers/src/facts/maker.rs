//! Which call made a state: by its value if one call alone wrote that; if several did, by the store's
//! version.
//!
//! ```text
//!   op 0  write x 5   -> ok A:1         5@A:1  was made by op 0
//!   op 1  write x 6   -> unknown        6      was made by op 1, if anybody reads it
//!   op 2  write x 7   -> ok             7      has two possible makers: nobody may say which
//!   op 3  write x 7   -> ok
//!   op 4  cas x [1 2] [1 2 3] -> ok     element 3 was brought by op 4
//! ```
//!
//! A failed call made nothing. A workload that writes each value once makes this exact; where it
//! does not, the answer is [`Maker::Several`] and never a guess.

use std::sync::OnceLock;

use histories::{MicroOp, Observed, Operation, OperationId, Value, Version};
use rustc_hash::FxHashMap;

use super::by_value::ByValue;
use super::visit::{Verb, Visit};

/// One micro-op of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Which operation.
    pub operation: OperationId,
    /// Which of its micro-ops, from 0.
    pub index: u32,
}

/// Who made a state or brought an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Maker {
    /// No call that can have happened.
    Nobody,
    /// Exactly this one.
    One(Address),
    /// More than one can have done it; `first` was asked first.
    Several {
        /// The one that was asked first.
        first: Address,
    },
}

impl Maker {
    /// The maker, if there is exactly one.
    pub fn one(self) -> Option<Address> {
        match self {
            Self::One(address) => Some(address),
            Self::Nobody | Self::Several { .. } => None,
        }
    }

    /// The possible maker that was asked first: nothing saw the state before it was asked.
    pub fn first(self) -> Option<Address> {
        match self {
            Self::One(address) | Self::Several { first: address } => Some(address),
            Self::Nobody => None,
        }
    }

    fn and(self, address: Address) -> Self {
        match self {
            Self::Nobody => Self::One(address),
            Self::One(first) | Self::Several { first } => Self::Several { first },
        }
    }
}

/// The makers of everything on one key.
#[derive(Debug, Default)]
pub(super) struct Makers<'h> {
    values: ByValue<'h, Known>,
    elements: ByValue<'h, Known>,
    /// True if more than one call brought some element.
    pub(super) has_repeated_elements: bool,
    /// Found only when somebody asks: most values are written once and need no version.
    versions: OnceLock<FxHashMap<&'h Version, Maker>>,
}

impl<'h> Makers<'h> {
    /// Takes in one micro-op of the key, whose operation is asked for only where it has to be.
    pub(super) fn note_visit(&mut self, visit: &Visit, operation: impl FnOnce() -> &'h Operation) {
        match (visit.verb, visit.integer()) {
            _ if !visit.is_possible => {}
            (Verb::Read | Verb::Take, _) => {}
            (Verb::Write, Some(value)) => {
                again(self.values.add_integer(value, visit.at.into()));
            }
            (Verb::Bring, Some(element)) => {
                self.has_repeated_elements |= again(self.elements.add_integer(element, visit.at.into()));
            }
            _ => self.note(operation(), visit.at),
        }
    }

    fn note(&mut self, operation: &'h Operation, address: Address) {
        let index = address.index as usize;
        match &operation.call.micro_ops()[index] {
            MicroOp::Write { value, .. } => {
                again(self.values.add(value, address.into()));
                for element in value.as_list().unwrap_or_default() {
                    self.has_repeated_elements |= again(self.elements.add(element, address.into()));
                }
            }
            MicroOp::CompareAndSet { expected, value, .. } => {
                again(self.values.add(value, address.into()));
                for element in elements_added(expected, value) {
                    self.has_repeated_elements |= again(self.elements.add(element, address.into()));
                }
            }
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. } => {
                self.has_repeated_elements |= again(self.elements.add(element, address.into()));
            }
            MicroOp::Read { .. }
            | MicroOp::Remove { .. }
            | MicroOp::Increment { .. }
            | MicroOp::Delete { .. }
            | MicroOp::Dequeue { .. }
            | MicroOp::Pop { .. } => {}
        }
    }

    /// The maker of a version, where `changes` are the confirmed calls on the key.
    pub(super) fn of_version<I>(&self, version: &Version, changes: impl FnOnce() -> I) -> Maker
    where
        I: Iterator<Item = (Address, &'h Version)>,
    {
        let versions = self.versions.get_or_init(|| {
            let mut versions = FxHashMap::default();
            for (address, version) in changes() {
                note(&mut versions, version, address);
            }
            versions
        });
        versions.get(version).copied().unwrap_or(Maker::Nobody)
    }

    pub(super) fn of_value(&self, value: &Value) -> Maker {
        self.values.get(value).map_or(Maker::Nobody, Known::maker)
    }

    pub(super) fn of_integer(&self, value: i64) -> Maker {
        self.values.get_integer(value).map_or(Maker::Nobody, Known::maker)
    }

    pub(super) fn of_element(&self, element: &Value) -> Maker {
        self.elements.get(element).map_or(Maker::Nobody, Known::maker)
    }
}

/// A maker of what somebody made, in eight bytes.
#[derive(Debug, Clone, Copy)]
struct Known {
    operation: OperationId,
    /// Of the micro-op, with [`SEVERAL`] on top if this is but the first of several.
    index: u32,
}

const SEVERAL: u32 = 1 << 31;

impl Known {
    fn maker(self) -> Maker {
        let address = Address { operation: self.operation, index: self.index & !SEVERAL };
        match self.index & SEVERAL {
            0 => Maker::One(address),
            _ => Maker::Several { first: address },
        }
    }
}

impl From<Address> for Known {
    fn from(Address { operation, index }: Address) -> Self {
        Self { operation, index }
    }
}

/// Made before, by this one, if by anybody. True if so.
fn again(first: Option<&mut Known>) -> bool {
    first.map(|first| first.index |= SEVERAL).is_some()
}

fn note<'h, T: std::hash::Hash + Eq>(makers: &mut FxHashMap<&'h T, Maker>, made: &'h T, address: Address) {
    makers.entry(made).and_modify(|maker| *maker = maker.and(address)).or_insert(Maker::One(address));
}

/// The elements that a compare-and-set brought: those of `value` that are in nothing expected. An
/// element that is there more often than before was brought once more.
///
/// O(n) in the elements; nothing if `value` is no list.
pub fn elements_added<'h>(expected: &'h Observed, value: &'h Value) -> Vec<&'h Value> {
    let elements = value.as_list().unwrap_or_default();
    if elements.is_empty() {
        return Vec::new();
    }
    // Most lists grow at their end.
    if let Some(before) = expected.single().and_then(Value::as_list)
        && elements.starts_with(before)
        && !elements[before.len()..].iter().any(|element| before.contains(element))
    {
        return elements[before.len()..].iter().collect();
    }
    let mut before: FxHashMap<&Value, usize> = FxHashMap::default();
    for sibling in expected.values.iter().filter_map(Value::as_list) {
        let mut here: FxHashMap<&Value, usize> = FxHashMap::default();
        for element in sibling {
            *here.entry(element).or_default() += 1;
        }
        for (element, count) in here {
            let most = before.entry(element).or_default();
            *most = count.max(*most);
        }
    }
    let mut added = Vec::new();
    for element in elements {
        match before.get_mut(element) {
            Some(left) if *left > 0 => *left -= 1,
            _ => added.push(element),
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(elements: &[i64]) -> Value {
        elements.iter().copied().map(Value::from).collect()
    }

    fn added(siblings: &[&[i64]], value: &[i64]) -> Vec<i64> {
        let expected = Observed { values: siblings.iter().map(|s| list(s)).collect(), versions: Vec::new() };
        elements_added(&expected, &list(value)).iter().filter_map(|element| element.as_integer()).collect()
    }

    #[test]
    fn the_elements_a_compare_and_set_brought_are_those_that_were_not_there() {
        assert_eq!(added(&[&[88, 301]], &[88, 301, 412]), [412]);
        assert_eq!(added(&[&[1, 2], &[1, 3]], &[1, 2, 3, 4]), [4]);
        assert_eq!(added(&[], &[1, 2]), [1, 2]);
        assert_eq!(added(&[&[1]], &[1, 1]), [1]);
        assert_eq!(added(&[&[1, 2]], &[2, 5]), [5]);
    }
}
