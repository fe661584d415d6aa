//! Where a value has been: who can have brought it, and which sessions and nodes had it by when.

use histories::{MicroOp, Nanos, NodeName, Operation, SessionId, Value};
use rustc_hash::FxHashMap;

use super::{has_elements, takes_out};
use crate::facts::{Address, Facts, KeyNumber, Maker};

/// The traces of the values of one key, each found when it is first asked for.
pub(super) struct Traces<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    traces: FxHashMap<&'h Value, Trace<'h>>,
}

/// The trace of one value.
#[derive(Default)]
struct Trace<'h> {
    makers: Vec<Address>,
    /// Since when each session had it.
    sessions: Vec<(SessionId, Nanos)>,
    /// Since when each node had it.
    nodes: Vec<(Option<&'h NodeName>, Nanos)>,
}

impl<'f, 'h> Traces<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
        Self { facts, key, traces: FxHashMap::default() }
    }

    /// If each call that can have brought the value is covered by a removal that passes `test`: the
    /// last of these removals, and whose value it took out. Calls made after `reader` had its answer do
    /// not count.
    pub(super) fn removal_of_all(
        &mut self,
        removals: &[Address],
        value: &'h Value,
        reader: &Operation,
        test: &dyn Fn(Address) -> bool,
    ) -> Option<(Address, Address)> {
        let (facts, key) = (self.facts, self.key);
        let trace = self.traces.entry(value).or_insert_with(|| Trace::new(facts, key, value));
        let mut last = None;
        // Who asked only after the read cannot be why it saw the value.
        for maker in trace.makers.iter().filter(|maker| !reader.precedes(facts.operation(**maker))) {
            let removal = removals.iter().copied().find(|removal| {
                takes_out(facts.micro_op(*removal), value)
                    && test(*removal)
                    && trace.is_covered(facts, *maker, *removal)
            })?;
            last = last.max(Some((removal, *maker)));
        }
        last
    }
}

impl<'h> Trace<'h> {
    /// O(operations of the key).
    fn new(facts: &Facts<'h>, key: KeyNumber, value: &Value) -> Self {
        let mut trace = Self::default();
        for at in facts.on_key(key) {
            let operation = facts.operation(*at);
            let is_maker = operation.is_possible() && made(facts, *at) == Some(value);
            if is_maker {
                trace.makers.push(*at);
            }
            if is_maker || seen(facts, *at).any(|(other, _)| other == value) {
                trace.note(operation);
            }
        }
        trace
    }

    fn note(&mut self, operation: &'h Operation) {
        if let Some(completed) = operation.completed.filter(|_| operation.is_confirmed()) {
            earliest(&mut self.sessions, operation.session, completed);
            earliest(&mut self.nodes, operation.node.as_ref(), completed);
        }
    }

    // Where a value was written once, whoever read it had what that call brought. Where it was
    // written several times, only the maker's own session and node surely had it.
    fn is_covered(&self, facts: &Facts<'_>, maker: Address, removal: Address) -> bool {
        let (made, removed) = (facts.operation(maker), facts.operation(removal));
        if self.makers.len() > 1 {
            return made.precedes(removed) && is_same_place(made, removed);
        }
        let node = removed.node.as_ref();
        self.sessions.iter().any(|(session, time)| *session == removed.session && *time < removed.invoked)
            || self.nodes.iter().any(|(other, time)| *other == node && *time < removed.invoked)
    }
}

fn earliest<T: PartialEq>(places: &mut Vec<(T, Nanos)>, place: T, time: Nanos) {
    match places.iter_mut().find(|(other, _)| *other == place) {
        Some((_, known)) => *known = time.min(*known),
        None => places.push((place, time)),
    }
}

fn is_same_place(one: &Operation, other: &Operation) -> bool {
    one.session == other.session || one.node == other.node
}

/// True if the session or the node of this removal had before what it removes. Looks back from the
/// removal; what it looks for is usually near.
pub(super) fn had_something(facts: &Facts<'_>, key: KeyNumber, removal: Address) -> bool {
    let on_key = facts.on_key(key);
    let before = &on_key[..on_key.partition_point(|at| *at < removal)];
    let (removed, removes) = (facts.operation(removal), facts.micro_op(removal));
    before.iter().rev().any(|at| {
        let operation = facts.operation(*at);
        operation.precedes(removed)
            && is_same_place(operation, removed)
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
