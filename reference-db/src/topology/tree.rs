//! Tree: 2(n-1) links; the first node is the root, and each node has two below it. An inner node that dies splits it.

use crate::names::NodeName;

/// How many nodes are right below a node.
const FANOUT: usize = 2;

pub(super) fn downstream(members: &[NodeName], node: NodeName) -> Vec<NodeName> {
    let Some(place) = members.iter().position(|member| *member == node) else { return Vec::new() };
    let parent = place.checked_sub(1).map(|before| before / FANOUT);
    let children = (1..=FANOUT).map(|child| place * FANOUT + child);
    parent.into_iter().chain(children).filter_map(|place| members.get(place).copied()).collect()
}
