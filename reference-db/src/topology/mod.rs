//! Topologies: who sends events to whom.
//!
//! ```text
//! all-to-all   A ⇄ B        ring   A → B       star      A
//!              ⇅ ⤫ ⇅               ↑   ↓               ⇅ ⇅ ⇅
//!              C ⇄ D               D ← C               B C D
//! ```
//!
//! Where events are passed on (ring, star) there is one path between two nodes, and nothing can overtake; one dead node
//! or link cuts the path. All to all survives that, and lets an effect arrive before its cause.
//!
//! Acknowledgements and forwarded requests go straight to whom they are for.

mod all_to_all;
mod ring;
mod star;

use crate::choice::choices;
use crate::names::NodeName;

choices! {
    /// Who sends events to whom. Each has a file of its own.
    pub enum Topology ("topology") {
        AllToAll = "all-to-all", "every node sends its own events straight to every other";
        Ring = "ring", "every node sends to the next, which passes on";
        Star = "star", "the first node is the hub, which passes on between the others";
    }
}

impl Topology {
    /// The nodes to which `node` sends events.
    pub fn downstream(self, members: &[NodeName], node: NodeName) -> Vec<NodeName> {
        match self {
            Topology::AllToAll => all_to_all::downstream(members, node),
            Topology::Ring => ring::downstream(members, node),
            Topology::Star => star::downstream(members, node),
        }
    }

    /// True if nodes pass on the events of others.
    pub fn relays(self) -> bool {
        match self {
            Topology::AllToAll => false,
            Topology::Ring | Topology::Star => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_reaches_every_other() {
        let members: Vec<NodeName> = ["A", "B", "C", "D"].map(|name| NodeName::new(name).unwrap()).to_vec();
        for topology in Topology::ALL {
            for count in 1..=members.len() {
                let members = &members[..count];
                let mut reached = vec![members[count - 1]];
                while let Some(next) = reached
                    .iter()
                    .flat_map(|node| topology.downstream(members, *node))
                    .find(|next| !reached.contains(next))
                {
                    reached.push(next);
                }
                assert_eq!(reached.len(), count, "{topology} of {count}");
                assert!(members.iter().all(|node| !topology.downstream(members, *node).contains(node)));
            }
        }
    }
}
