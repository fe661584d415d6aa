//! What a single copy would do: registers, lists, sets and counters as functions from a state and a
//! call to the next state, for the general search.
//!
//! ```text
//!   nothing ──append 1──▶ [1] ──read → [1]──▶ [1] ──append 2──▶ [1 2]      read → [2]: refused
//! ```
//!
//! A key without a state reads as `nothing`, as an empty list or as 0, whichever the store prefers.

use histories::{MicroOp, Observed, Value};
use rustc_hash::FxHashMap;

use crate::Facts;
use crate::facts::{KeyKind, KeyNumber};

/// The number of a state.
pub(super) type State = u32;

/// A key without a value.
pub(super) const ABSENT: State = 0;

/// One call as a change of states.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'h> {
    /// Saw this state; none if it saw several siblings, which a single copy never shows.
    Read(Option<State>),
    /// Stored this state.
    Write(State),
    /// Replaced the one state with the other.
    Swap(Option<State>, State),
    /// An append, add, remove, increment, enqueue or push.
    Grow(&'h MicroOp),
    /// Took an element: this one, or none was there; nobody knows which if the outer is none.
    Take(End, Option<Option<&'h Value>>),
}

/// Where an element is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The front: a queue.
    Front,
    /// The top: a stack.
    Back,
}

impl Change<'_> {
    /// The state that it found, if it says so.
    pub(super) fn found(&self) -> Option<State> {
        match *self {
            Self::Read(found) | Self::Swap(found, _) => found,
            Self::Write(_) | Self::Grow(_) | Self::Take(..) => None,
        }
    }

    /// The state that it made, if that does not depend on what it found.
    pub(super) fn made(&self) -> Option<State> {
        match *self {
            Self::Write(made) | Self::Swap(_, made) => Some(made),
            Self::Read(_) | Self::Grow(_) | Self::Take(..) => None,
        }
    }
}

/// The states of one key, numbered as they appear.
#[derive(Debug)]
pub(super) struct Model {
    kind: KeyKind,
    /// A 0 is how the store shows that there is nothing: nobody wrote it.
    zero_is_absent: bool,
    states: Vec<Option<Value>>,
    numbers: FxHashMap<Option<Value>, State>,
    /// Values and elements of all states.
    stored: u64,
}

impl Model {
    pub(super) fn new(facts: &Facts<'_>, key: KeyNumber) -> Self {
        let (kind, zero_is_absent) = (facts.kind(key), facts.is_blank(key, &Value::Integer(0)));
        Self {
            kind,
            zero_is_absent,
            states: vec![None],
            numbers: FxHashMap::from_iter([(None, ABSENT)]),
            stored: 0,
        }
    }

    /// What this micro-op does, given what it saw.
    pub(super) fn change<'h>(&mut self, micro_op: &'h MicroOp, observed: Option<&'h Observed>) -> Change<'h> {
        match micro_op {
            MicroOp::Read { .. } => Change::Read(observed.and_then(|observed| self.seen(observed))),
            MicroOp::Write { value, .. } => Change::Write(self.number(Some(value.clone()))),
            MicroOp::CompareAndSet { expected, value, .. } => {
                Change::Swap(self.seen(expected), self.number(Some(value.clone())))
            }
            MicroOp::Delete { .. } => Change::Write(ABSENT),
            MicroOp::Append { .. }
            | MicroOp::Add { .. }
            | MicroOp::Remove { .. }
            | MicroOp::Increment { .. }
            | MicroOp::Enqueue { .. }
            | MicroOp::Push { .. } => Change::Grow(micro_op),
            MicroOp::Dequeue { .. } => Change::Take(End::Front, observed.map(Observed::single)),
            MicroOp::Pop { .. } => Change::Take(End::Back, observed.map(Observed::single)),
        }
    }

    /// The next state; none if the call could not have gone so in this one.
    pub(super) fn apply(&mut self, state: State, change: Change<'_>) -> Option<State> {
        match change {
            Change::Read(seen) => (seen == Some(state)).then_some(state),
            Change::Write(next) => Some(next),
            Change::Swap(found, next) => (found == Some(state)).then_some(next),
            Change::Grow(micro_op) => self.grow(state, micro_op),
            Change::Take(end, taken) => self.take(state, end, taken),
        }
    }

    /// How many elements a state has: what it costs to change it.
    pub(super) fn size(&self, state: State) -> u64 {
        self.states[state as usize].as_ref().and_then(Value::as_list).map_or(1, |list| list.len() as u64 + 1)
    }

    /// About how many bytes the states take.
    pub(super) fn bytes(&self) -> u64 {
        // Each value stands in the list of states and in the index.
        self.stored * 2 * size_of::<Value>() as u64
    }

    fn seen(&mut self, observed: &Observed) -> Option<State> {
        match observed.values.as_slice() {
            [] => Some(ABSENT),
            [value] => Some(self.number(Some(value.clone()))),
            _ => None,
        }
    }

    fn grow(&mut self, state: State, micro_op: &MicroOp) -> Option<State> {
        let value = self.states[state as usize].clone();
        if let MicroOp::Increment { by, .. } = micro_op {
            let before = value.map_or(Some(0), |value| value.as_integer())?;
            return Some(self.number(Some(Value::Integer(before.wrapping_add(*by)))));
        }
        let mut elements = match value {
            None => Vec::new(),
            Some(Value::List(elements)) => elements.to_vec(),
            Some(Value::Integer(_) | Value::Text(_)) => return None,
        };
        match micro_op {
            MicroOp::Append { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. } => elements.push(element.clone()),
            MicroOp::Add { element, .. } if !elements.contains(element) => elements.push(element.clone()),
            MicroOp::Remove { element, .. } => elements.retain(|other| other != element),
            _ => {}
        }
        Some(self.number(Some(Value::List(elements.into()))))
    }

    fn take(&mut self, state: State, end: End, taken: Option<Option<&Value>>) -> Option<State> {
        let mut elements = match self.states[state as usize].clone() {
            None => Vec::new(),
            Some(Value::List(elements)) => elements.to_vec(),
            Some(Value::Integer(_) | Value::Text(_)) => return None,
        };
        let found = match end {
            End::Front if elements.is_empty() => None,
            End::Front => Some(elements.remove(0)),
            End::Back => elements.pop(),
        };
        match taken {
            Some(taken) if taken != found.as_ref() => None,
            _ => Some(self.number(Some(Value::List(elements.into())))),
        }
    }

    fn number(&mut self, value: Option<Value>) -> State {
        let value = self.normal(value);
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = self.states.len() as State;
        self.stored += value.as_ref().and_then(Value::as_list).map_or(0, <[Value]>::len) as u64 + 2;
        self.states.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    fn normal(&self, value: Option<Value>) -> Option<Value> {
        match (self.kind, value) {
            (_, Some(Value::List(elements))) if elements.is_empty() => None,
            (_, Some(Value::Integer(0))) if self.zero_is_absent => None,
            (KeyKind::Set, Some(Value::List(elements))) => {
                let mut elements = elements.to_vec();
                elements.sort();
                Some(Value::List(elements.into()))
            }
            (KeyKind::Counter, Some(Value::Integer(0))) => None,
            (_, value) => value,
        }
    }
}
