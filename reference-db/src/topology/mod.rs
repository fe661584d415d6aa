//! Topologies: who sends events to whom.
//!
//! ```text
//! all-to-all   A ⇄ B        ring   A → B       star      A
//!              ⇅ ⤫ ⇅               ↑   ↓               ⇅ ⇅ ⇅
//!              C ⇄ D               D ← C               B C D
//!
//! chain   A ⇄ B ⇄ C ⇄ D     tree     A ⇄ B ⇄ D    custom   as said, link by link
//!                                   ⇅
//!                                   C
//!
//! two-tier   B ⇄ A ⇄ D ⇄ E        leaders of regions, each with its followers
//! ```
//!
//! Where events are passed on there is one path between two nodes, but in a custom graph that has more, and nothing can
//! overtake; one dead node or link cuts the path. All to all survives that, and lets an effect arrive before its cause.
//!
//! Acknowledgements and forwarded requests go straight to whom they are for. The shape can change while the cluster runs:
//! [`Layout`].

mod all_to_all;
mod chain;
mod custom;
mod layout;
mod ring;
mod star;
mod tree;
mod two_tier;

pub use custom::{Edge, Graph, GraphError};
pub use layout::{Epoch, Layout, Relink};

use crate::choice::choices;
use crate::names::NodeName;
use crate::region::Regions;

choices! {
    /// Who sends events to whom. Each has a file of its own.
    pub enum Topology ("topology") {
        AllToAll = "all-to-all", "every node sends its own events straight to every other";
        Chain = "chain", "every node sends to those beside it, which pass on";
        Custom = "custom", "the links that are said";
        Ring = "ring", "every node sends to the next, which passes on";
        Star = "star", "the first node is the hub, which passes on between the others";
        Tree = "tree", "the first node is the root; every node passes on up and down";
        TwoTier = "two-tier", "a leader in each region sends to those of the others, and to its followers";
    }
}

impl Topology {
    /// The nodes to which `node` sends events; only custom looks at the graph, and only two-tier at the regions.
    pub fn downstream(
        self,
        members: &[NodeName],
        graph: &Graph,
        regions: &Regions,
        node: NodeName,
    ) -> Vec<NodeName> {
        match self {
            Topology::AllToAll => all_to_all::downstream(members, node),
            Topology::Chain => chain::downstream(members, node),
            Topology::Custom => custom::downstream(graph, node),
            Topology::Ring => ring::downstream(members, node),
            Topology::Star => star::downstream(members, node),
            Topology::Tree => tree::downstream(members, node),
            Topology::TwoTier => two_tier::downstream(members, regions, node),
        }
    }

    /// True if `node` sends the events of an origin to `peer`, whoever else has them.
    pub fn passes_on(self, regions: &Regions, origin: NodeName, node: NodeName, peer: NodeName) -> bool {
        match self {
            Topology::AllToAll => origin == node,
            Topology::Chain | Topology::Custom | Topology::Ring | Topology::Star | Topology::Tree => true,
            Topology::TwoTier => two_tier::passes_on(regions, origin, node, peer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_reaches_every_other() {
        let members: Vec<NodeName> =
            ["A", "B", "C", "D", "E", "F", "G"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let none = Graph::default();
        let regions: Regions = "eu:C+A/us:B+F+G/asia:D+E".parse().unwrap();
        for topology in Topology::ALL.iter().filter(|topology| **topology != Topology::Custom) {
            for count in 1..=members.len() {
                let members = &members[..count];
                let mut reached = vec![members[count - 1]];
                while let Some(next) = reached
                    .iter()
                    .flat_map(|node| topology.downstream(members, &none, &regions, *node))
                    .find(|next| !reached.contains(next))
                {
                    reached.push(next);
                }
                assert_eq!(reached.len(), count, "{topology} of {count}");
                assert!(
                    members
                        .iter()
                        .all(|node| !topology.downstream(members, &none, &regions, *node).contains(node))
                );
            }
        }
    }
}
