//! Where a value has been: who can have brought it, and which sessions and nodes had it by when.

use histories::{MicroOp, Nanos, NodeName, Operation, SessionId, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{has_elements, takes_out};
use crate::facts::{Address, Facts, KeyNumber};

/// The traces of everything that one key held.
#[derive(Default)]
pub(super) struct Traces<'h> {
    traces: FxHashMap<&'h Value, Trace<'h>>,
    anything: Places<'h>,
    told: FxHashSet<&'h Value>,
}

#[derive(Default)]
struct Trace<'h> {
    makers: Vec<Address>,
    places: Places<'h>,
}

/// Since when each session and node had something.
#[derive(Default)]
struct Places<'h> {
    sessions: Vec<(SessionId, Nanos)>,
    nodes: Vec<(Option<&'h NodeName>, Nanos)>,
}

impl<'h> Places<'h> {
    fn note(&mut self, operation: &'h Operation) {
        let Some(completed) = operation.completed else { return };
        earliest(&mut self.sessions, operation.session, completed);
        earliest(&mut self.nodes, operation.node.as_ref(), completed);
    }

    /// When the first of them had it.
    fn since(&self) -> Option<Nanos> {
        self.sessions.iter().map(|(_, time)| *time).min()
    }

    fn had_before(&self, operation: &Operation) -> bool {
        let node = operation.node.as_ref();
        let before = |time: Nanos| time < operation.invoked;
        self.sessions.iter().any(|(session, time)| *session == operation.session && before(*time))
            || self.nodes.iter().any(|(other, time)| *other == node && before(*time))
    }
}

fn earliest<T: PartialEq>(places: &mut Vec<(T, Nanos)>, place: T, time: Nanos) {
    match places.iter_mut().find(|(other, _)| *other == place) {
        Some((_, known)) => *known = time.min(*known),
        None => places.push((place, time)),
    }
}

impl<'h> Traces<'h> {
    pub(super) fn new(facts: &Facts<'h>, key: KeyNumber) -> Self {
        let mut traces = Self::default();
        for at in facts.on_key(key) {
            let operation = facts.operation(*at);
            if let Some(value) = made(facts, key, *at).filter(|_| operation.is_possible()) {
                let trace = traces.traces.entry(value).or_default();
                trace.makers.push(*at);
                if operation.is_confirmed() {
                    trace.places.note(operation);
                    traces.anything.note(operation);
                }
            }
            for value in values_of(facts, *at) {
                traces.traces.entry(value).or_default().places.note(operation);
                traces.anything.note(operation);
            }
        }
        traces
    }

    /// True if the session or the node of this removal had the value before.
    pub(super) fn had(&self, facts: &Facts<'_>, removal: Address, value: &Value) -> bool {
        self.traces.get(value).is_some_and(|trace| trace.places.had_before(facts.operation(removal)))
    }

    /// True if they had any value of the key.
    pub(super) fn had_anything(&self, facts: &Facts<'_>, removal: Address) -> bool {
        self.anything.had_before(facts.operation(removal))
    }

    /// True if the return of this value has been reported.
    pub(super) fn is_told(&self, value: &Value) -> bool {
        self.told.contains(value)
    }

    /// Notes that the return of this value has been reported.
    pub(super) fn tell(&mut self, value: &'h Value) {
        self.told.insert(value);
    }

    /// If each call that can have brought the value is covered by a removal that passes `test`: the
    /// last of these removals, and whose value it took out.
    pub(super) fn removal_of_all(
        &self,
        facts: &Facts<'_>,
        removals: &[Address],
        value: &Value,
        test: &dyn Fn(Address) -> bool,
    ) -> Option<(Address, Address)> {
        let trace = self.traces.get(value)?;
        let since = trace.places.since()?;
        // A removal asked for before anybody had the value covers none of its makers.
        let later = removals.partition_point(|removal| facts.operation(*removal).invoked <= since);
        let mut last = None;
        for maker in &trace.makers {
            let removal = removals[later..].iter().copied().find(|removal| {
                takes_out(facts.micro_op(*removal), value)
                    && test(*removal)
                    && is_covered(facts, trace, *maker, *removal)
            })?;
            last = last.max(Some((removal, *maker)));
        }
        last
    }
}

// Where a value was written once, whoever read it had what that call brought. Where it was written
// several times, only the maker's own session and node surely had it.
fn is_covered(facts: &Facts<'_>, trace: &Trace<'_>, maker: Address, removal: Address) -> bool {
    let (made, removed) = (facts.operation(maker), facts.operation(removal));
    if trace.makers.len() == 1 {
        return trace.places.had_before(removed);
    }
    made.precedes(removed) && (made.session == removed.session || made.node == removed.node)
}

/// The value or element that a micro-op brings.
fn made<'h>(facts: &Facts<'h>, key: KeyNumber, at: Address) -> Option<&'h Value> {
    match facts.micro_op(at) {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } if !has_elements(facts, key) => {
            Some(value)
        }
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => Some(element),
        _ => None,
    }
}

/// What a confirmed read saw: whole values, or the elements of a collection.
pub(super) fn values_of<'h>(facts: &Facts<'h>, at: Address) -> impl Iterator<Item = &'h Value> {
    let is_collection = has_elements(facts, facts.key_of(at));
    let observed = facts.observed(at).map(|observed| observed.values.as_slice()).unwrap_or_default();
    observed.iter().flat_map(move |value| match value.as_list() {
        Some(elements) if is_collection => elements,
        _ => std::slice::from_ref(value),
    })
}
