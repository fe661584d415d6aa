//! Two tiers: the leaders of the regions send to each other, and each of them and its followers to each other.
//!
//! ```text
//! eu: A B C   us: D E F       B ⇄ A ⇄ D ⇄ E
//!                             C ⇄ ┘   └ ⇄ F
//! ```
//!
//! With n nodes in r regions, r(r-1) + 2(n-r) links, up to three hops. A write crosses the way between two regions once,
//! however many followers there are; a leader that dies cuts its region off.
//!
//! Source: the multi-datacenter operation of Kleppmann, *Designing Data-Intensive Applications* (2017), ch. 5.

use crate::names::NodeName;
use crate::region::Regions;

pub(super) fn downstream(members: &[NodeName], regions: &Regions, node: NodeName) -> Vec<NodeName> {
    let leads = |node: NodeName| regions.leader(members, node) == Some(node);
    let linked = |other: &NodeName| match (leads(node), leads(*other)) {
        (true, true) => *other != node,
        (false, false) => false,
        (true, false) | (false, true) => regions.are_close(node, *other),
    };
    members.iter().copied().filter(linked).collect()
}

/// True if a node sends events of an origin to a peer: those of another region come to a leader from its leader.
pub(super) fn passes_on(regions: &Regions, origin: NodeName, node: NodeName, peer: NodeName) -> bool {
    regions.are_close(node, peer) || regions.are_close(node, origin)
}
