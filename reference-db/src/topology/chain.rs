//! Chain: 2(n-1) links, up to n-1 hops; each node sends to those beside it. The first is the head, the last the tail.
//!
//! What a node has, all between it and the head have. So the tail alone knows what every node has: van Renesse &
//! Schneider, *Chain replication for supporting high throughput and availability* (2004).

use crate::names::NodeName;

pub(super) fn downstream(members: &[NodeName], node: NodeName) -> Vec<NodeName> {
    let Some(place) = members.iter().position(|member| *member == node) else { return Vec::new() };
    let beside = [place.checked_sub(1), place.checked_add(1)];
    beside.into_iter().flatten().filter_map(|place| members.get(place).copied()).collect()
}
