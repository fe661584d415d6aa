//! What a session asks of the store. The vocabulary is closed: a new kind of call breaks the build
//! in every checker that has to think about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Key, Value, Version};

/// One request: a single operation, or several that happen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// One operation.
    Single(MicroOp),
    /// Several operations, all or none.
    Transaction(Vec<MicroOp>),
}

impl Call {
    /// The operations in program order.
    pub fn micro_ops(&self) -> &[MicroOp] {
        match self {
            Self::Transaction(micro_ops) => micro_ops,
            Self::Single(micro_op) => std::slice::from_ref(micro_op),
        }
    }

    /// True if it changes nothing.
    pub fn is_read_only(&self) -> bool {
        self.micro_ops().iter().all(MicroOp::is_read)
    }
}

impl From<MicroOp> for Call {
    fn from(micro_op: MicroOp) -> Self {
        Self::Single(micro_op)
    }
}

/// One operation on one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MicroOp {
    /// What does the key hold?
    Read {
        /// The key.
        key: Key,
    },
    /// Store a value, whatever is there.
    Write {
        /// The key.
        key: Key,
        /// The new value.
        value: Value,
    },
    /// Store a value in place of what this session saw. A store with versions compares those, one
    /// without compares values; a store that keeps siblings replaces exactly the ones seen.
    CompareAndSet {
        /// The key.
        key: Key,
        /// What the session saw and means to replace.
        expected: Box<Observed>,
        /// The new value.
        value: Value,
    },
    /// Put an element at the end of a list, without reading it first.
    Append {
        /// The key.
        key: Key,
        /// The new last element.
        element: Value,
    },
    /// Put an element into a set.
    Add {
        /// The key.
        key: Key,
        /// The element.
        element: Value,
    },
    /// Take an element out of a set.
    Remove {
        /// The key.
        key: Key,
        /// The element.
        element: Value,
    },
    /// Add to a counter.
    Increment {
        /// The key.
        key: Key,
        /// How much; may be negative.
        by: i64,
    },
    /// Make the key absent.
    Delete {
        /// The key.
        key: Key,
    },
    /// Put an element at the back of a queue.
    Enqueue {
        /// The key.
        key: Key,
        /// The element.
        element: Value,
    },
    /// Take the element at the front of a queue; the answer says which, or that there was none.
    Dequeue {
        /// The key.
        key: Key,
    },
    /// Put an element on top of a stack.
    Push {
        /// The key.
        key: Key,
        /// The element.
        element: Value,
    },
    /// Take the element on top of a stack; the answer says which, or that there was none.
    Pop {
        /// The key.
        key: Key,
    },
}

impl MicroOp {
    /// The key it touches.
    pub fn key(&self) -> &Key {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::CompareAndSet { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Increment { key, .. }
            | Self::Delete { key }
            | Self::Enqueue { key, .. }
            | Self::Dequeue { key }
            | Self::Push { key, .. }
            | Self::Pop { key } => key,
        }
    }

    pub(crate) fn key_mut(&mut self) -> &mut Key {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::CompareAndSet { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Increment { key, .. }
            | Self::Delete { key }
            | Self::Enqueue { key, .. }
            | Self::Dequeue { key }
            | Self::Push { key, .. }
            | Self::Pop { key } => key,
        }
    }

    /// True if it changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. })
    }

    /// True if its answer says what it saw: a read does, and what takes an element out of a queue or a
    /// stack. Such a change is answered by the one element that it took, or by nothing.
    pub fn observes(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Dequeue { .. } | Self::Pop { .. })
    }
}

/// What a read saw.
///
/// ```text
///   values []             absent
///   values [[88 301]]     one value, here a list
///   values [1, 2]         two siblings: concurrent values that the store kept both
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The value; none if absent; several if the store keeps siblings.
    #[serde(default)]
    pub values: Vec<Value>,
    /// The store's names for these states, in the order of `values`; empty if it gives none. An
    /// absent key may have one too (that of its deletion).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
}

impl Observed {
    /// One value whose version the store did not say.
    pub fn value(value: impl Into<Value>) -> Self {
        Self { values: vec![value.into()], versions: Vec::new() }
    }

    /// The value, if it is exactly one.
    pub fn single(&self) -> Option<&Value> {
        match self.values.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// True if the key was absent.
    pub fn is_absent(&self) -> bool {
        self.values.is_empty()
    }
}

/// `nothing`, `[88 301]`, `1 | 2`.
impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() {
            return f.write_str("nothing");
        }
        for (index, value) in self.values.iter().enumerate() {
            write!(f, "{}{value}", if index == 0 { "" } else { " | " })?;
        }
        Ok(())
    }
}
