//! Reads: which node answers what clients read, where a single leader takes the writes.

use crate::choice::choices;

choices! {
    /// Who answers a read that is not asked of one node alone.
    pub enum Reads ("way to read") {
        Leader = "leader", "the leader, which has taken every write";
        Tail = "tail", "the tail of a chain, which has what every node has";
    }
}
