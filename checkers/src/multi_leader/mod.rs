//! Promises of stores that take writes in several places: nothing is lost, the copies agree in the
//! end, and what was deleted stays deleted. All three look at the end of the history: at the reads
//! of each key on each node after the replicas had their time.

pub mod convergence;
pub mod deleted;
mod final_state;
pub mod lost_updates;

use histories::Operation;

/// True if one node was asked both. Nodes without a name may be any.
fn is_same_node(one: &Operation, other: &Operation) -> bool {
    one.node.is_some() && one.node == other.node
}
