//! All to all: n(n-1) links, one hop.

use crate::names::NodeName;

pub(super) fn downstream(members: &[NodeName], node: NodeName) -> Vec<NodeName> {
    members.iter().copied().filter(|other| *other != node).collect()
}
