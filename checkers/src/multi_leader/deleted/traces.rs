//! Where a value has been: who can have brought it, and which sessions and nodes had it by when.

use histories::{MicroOp, Operation, Value};
use rustc_hash::FxHashMap;

use super::{Memory, has_elements, takes_out};
use crate::facts::{Address, Facts, KeyNumber, Maker};
use crate::multi_leader::is_same_node;

/// Follows the values of one key.
pub(super) struct Traces<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    key: KeyNumber,
    /// The makers of values with several, each list found when it is first asked for.
    makers: FxHashMap<&'h Value, Vec<Address>>,
}

impl<'f, 'h> Traces<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
        Self { facts, key, makers: FxHashMap::default() }
    }

    /// If each call that can have brought the value is covered by a removal that passes `test`: the
    /// last of these removals, and whose value it took out. Calls made after the read had its answer
    /// do not count.
    pub(super) fn removal_of_all(
        &mut self,
        removals: &[Address],
        memory: Memory<'h>,
        test: &dyn Fn(Address) -> bool,
    ) -> Option<(Address, Address)> {
        let (facts, value) = (self.facts, memory.value);
        let removes = |removal: &Address| takes_out(facts.micro_op(*removal), value) && test(*removal);
        match memory.maker {
            Maker::Nobody => None,
            Maker::One(maker) => {
                let covers = |removal: &Address| removes(removal) && self.had_it(maker, value, *removal);
                removals.iter().copied().find(covers).map(|removal| (removal, maker))
            }
            Maker::Several { .. } => {
                let reader = facts.operation(memory.read);
                let mut last = None;
                for maker in self.makers(value) {
                    let made = facts.operation(*maker);
                    // Who asked only after the read cannot be why it saw the value.
                    if reader.precedes(made) {
                        continue;
                    }
                    // Any read may have seen another maker's value: only the maker's own session and
                    // node surely had this one's.
                    let covers =
                        |removal: &Address| removes(removal) && is_known(made, facts.operation(*removal));
                    last = last.max(Some((removals.iter().copied().find(covers)?, *maker)));
                }
                last
            }
        }
    }

    /// True if the session or the node of the removal had written or read the value before.
    fn had_it(&self, maker: Address, value: &Value, removal: Address) -> bool {
        let on_key = self.facts.on_key(self.key);
        let removed = self.facts.operation(removal);
        let since = &on_key[on_key.partition_point(|at| *at < maker)..];
        since.iter().take_while(|at| **at < removal).any(|at| {
            is_known(self.facts.operation(*at), removed)
                && (*at == maker || seen(self.facts, *at).any(|(other, _)| other == value))
        })
    }

    fn makers(&mut self, value: &'h Value) -> &[Address] {
        let (facts, key) = (self.facts, self.key);
        self.makers.entry(value).or_insert_with(|| {
            let is_maker =
                |at: &Address| facts.operation(*at).is_possible() && made(facts, *at) == Some(value);
            facts.on_key(key).iter().copied().filter(is_maker).collect()
        })
    }
}

/// True if the earlier was answered before the later was asked, in the same session or on the same node.
fn is_known(earlier: &Operation, later: &Operation) -> bool {
    earlier.precedes(later) && is_same_place(earlier, later)
}

fn is_same_place(one: &Operation, other: &Operation) -> bool {
    one.session == other.session || is_same_node(one, other)
}

/// True if the session or the node of this removal had before what it removes. Looks back from the
/// removal; what it looks for is usually near.
pub(super) fn had_something(facts: &Facts<'_>, key: KeyNumber, removal: Address) -> bool {
    let on_key = facts.on_key(key);
    let before = &on_key[..on_key.partition_point(|at| *at < removal)];
    let (removed, removes) = (facts.operation(removal), facts.micro_op(removal));
    before.iter().rev().any(|at| {
        let operation = facts.operation(*at);
        is_known(operation, removed)
            && (made(facts, *at).is_some_and(|value| takes_out(removes, value))
                || seen(facts, *at).any(|(value, _)| takes_out(removes, value)))
    })
}

/// The value or element that a micro-op brings.
fn made<'h>(facts: &Facts<'h>, at: Address) -> Option<&'h Value> {
    match facts.micro_op(at) {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. }
            if !has_elements(facts, facts.key_of(at)) =>
        {
            Some(value)
        }
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => Some(element),
        _ => None,
    }
}

/// What a confirmed read saw, whole values or the elements of a collection, and who brought each.
pub(super) fn seen<'h>(facts: &Facts<'h>, at: Address) -> impl Iterator<Item = (&'h Value, Maker)> {
    let key = facts.key_of(at);
    let is_collection = has_elements(facts, key);
    let observed = facts.observed(at).map(|observed| observed.values.as_slice()).unwrap_or_default();
    observed.iter().enumerate().flat_map(move |(index, value)| {
        let values = match value.as_list() {
            Some(elements) if is_collection => elements,
            _ => std::slice::from_ref(value),
        };
        values.iter().map(move |value| match is_collection {
            true => (value, facts.element_maker(key, value)),
            false => (value, facts.seen(at)[index]),
        })
    })
}
