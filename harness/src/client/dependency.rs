//! What makes a write depend on what its session read, whichever way it travels: a version that must
//! still be there, or, where siblings are kept, the context that says which of them it replaces.

use histories::{Call, Key, MicroOp, Observed, Version};

use super::Dialect;

/// What a session remembers of its last read; `C` is the store's causal context.
pub(crate) struct Memory<C> {
    dialect: Dialect,
    read: Option<(Key, C)>,
}

/// The condition of a compare-and-set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a, C> {
    /// It replaces what was read with this context.
    Context(&'a C),
    /// The key must have this version.
    Version(&'a Version),
    /// The key must have no value.
    Absent,
    /// Nothing is known that it could depend on.
    Nothing,
}

impl<C> Memory<C> {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, read: None }
    }

    /// Keeps the context that came with the answer to a read; any other call changes nothing.
    pub(crate) fn remember(&mut self, call: &Call, context: Option<C>) {
        if let Call::Single(MicroOp::Read { key }) = call {
            self.read = context.map(|context| (key.clone(), context));
        }
    }

    /// The condition of a compare-and-set of `key`, which was seen as `expected`.
    pub(crate) fn condition<'a>(&'a self, key: &Key, expected: &'a Observed) -> Condition<'a, C> {
        if self.dialect.siblings {
            return match &self.read {
                Some((read, context)) if read == key => Condition::Context(context),
                _ => Condition::Nothing,
            };
        }
        match expected.versions.first() {
            Some(version) => Condition::Version(version),
            None => Condition::Absent,
        }
    }
}
