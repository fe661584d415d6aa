//! Modes: who takes writes, and what becomes of two that did not know of each other.

use crate::choice::choices;

choices! {
    /// What a cluster does about concurrent writes. Each has a file of its own under `conflict`.
    pub enum Mode ("mode") {
        Crdt = "crdt", "every node leads; counters, sets and lists merge, plain writes are last-write-wins";
        Lww = "lww", "every node leads; of concurrent writes the one with the latest hybrid time stays";
        Siblings = "siblings", "every node leads; concurrent writes are all kept until a write with context replaces them";
        SingleLeader = "single-leader", "the first node leads, the others forward to it; a linearizable register";
    }
}
