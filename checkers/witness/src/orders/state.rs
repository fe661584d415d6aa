//! One copy of the store, as far as the chosen operations can be held to it.

use std::collections::BTreeMap;

use histories::{Key, MicroOp, Operation, Value};

use super::scope::{Held, Scope};
use crate::record::{Part, Record, Shape};

/// What one key holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Value(Option<Value>),
    Elements(Vec<Value>),
    Number(i128),
}

/// What all keys hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State<'h> {
    keys: BTreeMap<&'h Key, Content>,
}

/// Which of an operation's answers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// All, also what a compare-and-set must have found.
    All,
    /// That to this part.
    Part(usize),
    /// None: it only changes something.
    None,
}

/// Runs operations one after the other.
pub(super) struct Machine<'r, 'h> {
    pub(super) record: &'r Record<'h>,
    pub(super) scope: Scope<'h>,
}

impl<'h> Machine<'_, 'h> {
    /// The states after the operation, none if it cannot have been answered so.
    pub(super) fn run(&self, state: &State<'h>, operation: &'h Operation, counts: Counts) -> Vec<State<'h>> {
        let mut states = vec![state.clone()];
        for index in 0..operation.call.micro_ops().len() {
            let part = Part { operation, index };
            let next = states.iter().flat_map(|state| self.step(state, &part, counts));
            states = next.collect();
            states.sort_unstable();
            states.dedup();
        }
        states
    }

    fn step(&self, state: &State<'h>, part: &Part<'h>, counts: Counts) -> Vec<State<'h>> {
        let key = part.asked().key();
        let Some(held) = self.scope.of(key).filter(|held| held.shape != Shape::Mixed) else {
            return vec![state.clone()];
        };
        let content = state.keys.get(key).cloned().unwrap_or_else(|| empty(held.shape));
        let is_take = part.asked().observes() && !part.asked().is_read();
        let is_asked = match part.asked() {
            MicroOp::CompareAndSet { .. } => counts == Counts::All,
            _ => counts == Counts::All || counts == Counts::Part(part.index),
        };
        let after = match is_take {
            true => self.take(content, held, part),
            false if is_asked && !self.agrees(&content, held, part) => Vec::new(),
            false => vec![changed(content, held, part.asked())],
        };
        let with = |content: Content| {
            let mut next = state.clone();
            next.keys.insert(key, content);
            next
        };
        after.into_iter().map(with).collect()
    }

    /// True if what the part saw is what is there.
    fn agrees(&self, content: &Content, held: &Held, part: &Part<'h>) -> bool {
        let Some(found) = part.found() else { return true };
        match content {
            Content::Value(value) => match self.scope.value(self.record, part) {
                Some(found) => found == value.as_ref(),
                None => found.values.len() < 2 || may_show(&found.values, held, value.as_ref()),
            },
            Content::Elements(elements) => {
                let Some(seen) = crate::record::list(found).filter(|_| held.nothing) else { return true };
                let mut seen: Vec<&Value> = seen.iter().filter(|value| held.values.contains(value)).collect();
                if held.shape == Shape::Set {
                    seen.sort_unstable();
                }
                seen.into_iter().eq(elements)
            }
            Content::Number(number) => match found.values.as_slice() {
                [] => !held.nothing || *number == 0,
                [Value::Integer(seen)] => !held.nothing || *number == i128::from(*seen),
                _ => true,
            },
        }
    }

    /// Takes from a queue or a stack: what the answer says, or if there is none, something or nothing.
    fn take(&self, content: Content, held: &Held, part: &Part<'h>) -> Vec<Content> {
        let Content::Elements(elements) = content else { return vec![content] };
        if !held.nothing {
            return vec![Content::Elements(elements)];
        }
        let place = if held.shape == Shape::Queue { 0 } else { elements.len().saturating_sub(1) };
        let without = || {
            let mut rest = elements.clone();
            rest.remove(place);
            Content::Elements(rest)
        };
        match part.observed() {
            None if elements.is_empty() => vec![Content::Elements(elements)],
            None => vec![without(), Content::Elements(elements)],
            Some(observed) => match observed.single() {
                None => {
                    if elements.is_empty() {
                        vec![Content::Elements(elements)]
                    } else {
                        Vec::new()
                    }
                }
                Some(taken) if !held.values.contains(taken) => vec![Content::Elements(elements)],
                Some(taken) => match elements.get(place) == Some(taken) {
                    true => vec![without()],
                    false => Vec::new(),
                },
            },
        }
    }
}

/// True unless a read that shows several values shows none that is there: any of them explains it.
fn may_show(shown: &[Value], held: &Held, value: Option<&Value>) -> bool {
    let is_held = held.shape == Shape::Register && shown.iter().all(|value| held.values.contains(value));
    !is_held || value.is_some_and(|value| shown.contains(value))
}

fn empty(shape: Shape) -> Content {
    match shape {
        Shape::Register | Shape::Mixed => Content::Value(None),
        Shape::Counter => Content::Number(0),
        Shape::List | Shape::Set | Shape::Queue | Shape::Stack => Content::Elements(Vec::new()),
    }
}

fn changed(content: Content, held: &Held, micro_op: &MicroOp) -> Content {
    match (content, micro_op) {
        (_, MicroOp::Delete { .. }) => empty(held.shape),
        (Content::Value(_), MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. }) => {
            Content::Value(Some(value.clone()))
        }
        (Content::Number(number), MicroOp::Increment { by, .. }) => Content::Number(number + i128::from(*by)),
        (Content::Elements(mut elements), MicroOp::Remove { element, .. }) => {
            elements.retain(|other| other != element);
            Content::Elements(elements)
        }
        (
            Content::Elements(mut elements),
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. },
        ) => {
            let is_again = held.shape == Shape::Set && elements.contains(element);
            if held.values.contains(element) && !is_again {
                elements.push(element.clone());
            }
            if held.shape == Shape::Set {
                elements.sort_unstable();
            }
            Content::Elements(elements)
        }
        (content, _) => content,
    }
}
