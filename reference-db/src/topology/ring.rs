//! Ring: n links, up to n-1 hops; each node sends to the next in the order of the configuration.

use crate::names::NodeName;

pub(super) fn downstream(members: &[NodeName], node: NodeName) -> Vec<NodeName> {
    let next = members.iter().cycle().skip_while(|other| **other != node).nth(1);
    next.copied().filter(|next| *next != node).into_iter().collect()
}
