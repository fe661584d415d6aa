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

pub use custom::{Edge, Graph, GraphError};
pub use layout::{Epoch, Layout, Relink};

use crate::choice::choices;
use crate::names::NodeName;

choices! {
    /// Who sends events to whom. Each has a file of its own.
    pub enum Topology ("topology") {
        AllToAll = "all-to-all", "every node sends its own events straight to every other";
        Chain = "chain", "every node sends to those beside it, which pass on";
        Custom = "custom", "the links that are said";
        Ring = "ring", "every node sends to the next, which passes on";
        Star = "star", "the first node is the hub, which passes on between the others";
        Tree = "tree", "the first node is the root; every node passes on up and down";
    }
}

impl Topology {
    /// The nodes to which `node` sends events; only custom looks at the graph.
    pub fn downstream(self, members: &[NodeName], graph: &Graph, node: NodeName) -> Vec<NodeName> {
        match self {
            Topology::AllToAll => all_to_all::downstream(members, node),
            Topology::Chain => chain::downstream(members, node),
            Topology::Custom => custom::downstream(graph, node),
            Topology::Ring => ring::downstream(members, node),
            Topology::Star => star::downstream(members, node),
            Topology::Tree => tree::downstream(members, node),
        }
    }

    /// True if nodes pass on the events of others.
    pub fn relays(self) -> bool {
        match self {
            Topology::AllToAll => false,
            Topology::Chain | Topology::Custom | Topology::Ring | Topology::Star | Topology::Tree => true,
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
        for topology in Topology::ALL.iter().filter(|topology| **topology != Topology::Custom) {
            for count in 1..=members.len() {
                let members = &members[..count];
                let mut reached = vec![members[count - 1]];
                while let Some(next) = reached
                    .iter()
                    .flat_map(|node| topology.downstream(members, &none, *node))
                    .find(|next| !reached.contains(next))
                {
                    reached.push(next);
                }
                assert_eq!(reached.len(), count, "{topology} of {count}");
                assert!(
                    members.iter().all(|node| !topology.downstream(members, &none, *node).contains(node))
                );
            }
        }
    }
}
