//! One text for each name: a million operations on a thousand keys shall keep a thousand texts.

use rustc_hash::FxHashSet;

use crate::{Key, NodeName};

/// The names that were met so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    keys: FxHashSet<Key>,
    nodes: FxHashSet<NodeName>,
}

impl Names {
    /// The key of this name, shared with everyone who asked before.
    pub(crate) fn key(&mut self, name: &str) -> Key {
        if let Some(known) = self.keys.get(name) {
            return known.clone();
        }
        let key = Key::from(name);
        self.keys.insert(key.clone());
        key
    }

    /// The node of this name, shared with everyone who asked before.
    pub(crate) fn node(&mut self, name: &str) -> NodeName {
        if let Some(known) = self.nodes.get(name) {
            return known.clone();
        }
        let node = NodeName::from(name);
        self.nodes.insert(node.clone());
        node
    }
}
