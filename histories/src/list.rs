//! Lists that share what they have in common: a million reads of growing lists hold each element a few
//! times, not once a read.
//!
//! ```text
//!   one stretch of memory   1 2 3 4 5
//!   read at 0.3 s           ╰─╯
//!   read at 0.5 s           ╰───╯
//!   read at 0.9 s           ╰───────╯
//! ```

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};

use crate::{Key, Observed, Operation, OperationId, Outcome, Value};

/// The elements of a [`Value::List`]: a slice that is cheap to copy. Two words, so that a value has three.
#[derive(Clone, Default)]
pub struct List {
    /// What this list begins with, and perhaps more.
    shared: Arc<Box<[Value]>>,
    length: u32,
}

impl List {
    /// The first elements of it; shares their memory.
    ///
    /// # Panics
    ///
    /// If the list is shorter.
    pub fn first(&self, length: usize) -> Self {
        assert!(length <= self.len(), "{length} of {} elements", self.len());
        Self { shared: Arc::clone(&self.shared), length: length as u32 }
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.shared[..self.length as usize]
    }
}

impl From<Vec<Value>> for List {
    fn from(elements: Vec<Value>) -> Self {
        let length = u32::try_from(elements.len()).expect("fewer than 4 294 967 296 elements");
        Self { shared: Arc::new(elements.into()), length }
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(elements: I) -> Self {
        elements.into_iter().collect::<Vec<Value>>().into()
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        // Two lists in one stretch of memory begin alike.
        self.length == other.length && (Arc::ptr_eq(&self.shared, &other.shared) || self[..] == other[..])
    }
}

impl Eq for List {}

impl PartialOrd for List {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for List {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self[..].cmp(&other[..])
    }
}

impl Hash for List {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self[..].serialize(serializer)
    }
}

/// How many answers wait before their lists are compared.
const BATCH: usize = 4096;

/// Finds lists that can share: each read of a key is compared with a longer one soon after it.
///
/// O(elements) time in all; what waits is a batch of answers, so little memory more than the result.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    waiting: Vec<OperationId>,
}

impl Sharing {
    /// Takes note of an answer with lists.
    pub(crate) fn answered(&mut self, operations: &mut [Operation], id: OperationId) {
        let has_lists = |observed: &Observed| {
            observed.values.iter().any(|value| value.as_list().is_some_and(|list| list.len() > 1))
        };
        let replies = operations[id.index()].outcome.replies().unwrap_or_default();
        if !replies.iter().any(|reply| reply.observed.as_ref().is_some_and(has_lists)) {
            return;
        }
        self.waiting.push(id);
        if self.waiting.len() >= BATCH {
            self.share(operations);
        }
    }

    /// Compares those that wait, the newest first: they tend to be the longest.
    pub(crate) fn share(&mut self, operations: &mut [Operation]) {
        let mut longest: FxHashMap<Key, List> = FxHashMap::default();
        for id in self.waiting.drain(..).rev() {
            let Operation { call, outcome, .. } = &mut operations[id.index()];
            let Outcome::Confirmed(replies) = outcome else { continue };
            for (micro_op, reply) in call.micro_ops().iter().zip(replies).rev() {
                for value in reply.observed.iter_mut().flat_map(|observed| &mut observed.values) {
                    if let Value::List(list) = value {
                        share(&mut longest, micro_op.key(), list);
                    }
                }
            }
        }
    }
}

fn share(longest: &mut FxHashMap<Key, List>, key: &Key, list: &mut List) {
    match longest.get_mut(key) {
        Some(known) if known.starts_with(list) => *list = known.first(list.len()),
        Some(known) if list.len() > known.len() => *known = list.clone(),
        Some(_) => {}
        None => {
            longest.insert(key.clone(), list.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn reads_of_a_growing_list_share_it() {
        let history = text::parse(
            "c0 append x 1 -> ok\nc1 read x -> [1 2]\nc1 read x -> [1 2 3]\nc1 read x -> [2 1 3]\nc1 read x -> [1 2 3 4]\n",
        )
        .unwrap();
        let lists: Vec<&List> = history
            .operations()
            .iter()
            .filter_map(|operation| match operation.outcome.replies()?[0].observed.as_ref()?.single()? {
                Value::List(list) => Some(list),
                Value::Integer(_) | Value::Text(_) => None,
            })
            .collect();
        let shared = |first: usize, second: usize| Arc::ptr_eq(&lists[first].shared, &lists[second].shared);
        assert!(shared(0, 1) && shared(1, 3) && !shared(2, 3));
        assert_eq!(lists.iter().map(|list| list.len()).collect::<Vec<_>>(), [2, 3, 3, 4]);
    }

    #[test]
    fn a_value_is_three_words() {
        assert_eq!(size_of::<Value>(), 24);
    }
}
