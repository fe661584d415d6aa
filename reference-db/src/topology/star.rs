//! Star: 2(n-1) links, up to two hops; the first node of the configuration is the hub.

use crate::names::NodeName;

pub(super) fn downstream(members: &[NodeName], node: NodeName) -> Vec<NodeName> {
    match members.split_first() {
        Some((hub, leaves)) if *hub == node => leaves.to_vec(),
        Some((hub, _)) => vec![*hub],
        None => Vec::new(),
    }
}
