//! Layouts: the shape that a running cluster has from some moment on.
//!
//! ```text
//! epoch 0   A → B → C → A        B dies: what A takes does not reach C any more
//! epoch 1   A → C → A            an operator links past it; A and C go on from where each of them is
//! epoch 2   A → B → C → A        and links it in again once it is back
//! ```
//!
//! Nothing is copied anew and nothing is sent twice when links change, because a node never counts how far a link is:
//! its peer says which dots it has, and gets the others, over whatever link there is now.
//!
//! Layouts are numbered by epoch, as configurations are in viewstamped replication and by the master of a chain; whoever
//! knows of a later one tells who does not. Of two that operators made at the same time everybody takes the same.
//!
//! Sources: van Renesse & Schneider, *Chain replication for supporting high throughput and availability* (2004), §3;
//! Liskov & Cowling, *Viewstamped replication revisited* (2012), §7; on what one dead node does to a ring or a star:
//! Kleppmann, *Designing Data-Intensive Applications* (2017), ch. 5, "Multi-Leader Replication Topologies".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Graph, Topology};
use crate::clock::DotSet;
use crate::names::NodeName;

/// Which of several layouts is in force: the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch {
    /// One more each time that another node leads: whatever was changed under a leader that is gone counts for less.
    pub term: u64,
    /// One more than that of the layout which it replaces.
    pub number: u64,
    /// The node that made it; breaks ties.
    pub by: NodeName,
}

/// Who sends to whom from some moment on, and which nodes take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Which.
    pub epoch: Epoch,
    /// Its shape.
    pub topology: Topology,
    /// Who takes part, in the order that the shape looks at. Members that are not in it stand aside: they are sent
    /// nothing, and answer for themselves alone.
    pub nodes: Vec<NodeName>,
    /// The links of a custom topology.
    pub links: Graph,
    /// What the leader had when its term began. Of what was there before, that and nothing else is kept.
    pub base: DotSet,
}

/// What an operator changes of a layout; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Relink {
    /// Its shape.
    pub topology: Option<Topology>,
    /// The links, if that is custom.
    pub links: Option<Graph>,
    /// Who takes part.
    pub nodes: Option<Vec<NodeName>>,
}

impl Layout {
    /// The layout that a change makes of this one.
    pub fn changed(&self, change: Relink, by: NodeName) -> Layout {
        let number = self.epoch.number.saturating_add(1);
        let topology = change.topology.unwrap_or(self.topology);
        // Another shape has no use for the links of a custom one; whether it can do without is checked elsewhere.
        let kept = if topology == self.topology { self.links.clone() } else { Graph::default() };
        Layout {
            epoch: Epoch { number, by, ..self.epoch },
            topology,
            nodes: change.nodes.unwrap_or_else(|| self.nodes.clone()),
            links: change.links.unwrap_or(kept),
            base: self.base.clone(),
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.number, self.by)?;
        if self.term > 0 { write!(f, ", term {}", self.term) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(names: &str) -> Vec<NodeName> {
        names.split(' ').map(|name| NodeName::new(name).unwrap()).collect()
    }

    fn layout(topology: Topology, names: &str) -> Layout {
        let nodes = nodes(names);
        let epoch = Epoch { term: 0, number: 0, by: nodes[0] };
        Layout { epoch, topology, nodes, links: Graph::default(), base: DotSet::new() }
    }

    #[test]
    fn what_is_not_changed_stays() {
        let [a, c] = ["A", "C"].map(|name| NodeName::new(name).unwrap());
        let ring = layout(Topology::Ring, "A B C");
        let past = ring.changed(Relink { nodes: Some(nodes("A C")), ..Relink::default() }, c);
        assert_eq!((past.topology, &past.nodes), (Topology::Ring, &nodes("A C")));
        assert!(past.epoch > ring.epoch);
        // Two at the same time: one of them wins everywhere.
        assert!(past.epoch > ring.changed(Relink::default(), a).epoch);
    }

    #[test]
    fn links_go_with_the_shape_that_they_were_for() {
        let links: Graph = "A-B".parse().unwrap();
        let to = |topology, links| Relink { topology: Some(topology), links, nodes: None };
        let custom =
            layout(Topology::Ring, "A B").changed(to(Topology::Custom, Some(links.clone())), nodes("A")[0]);
        assert_eq!(custom.changed(Relink::default(), nodes("A")[0]).links, links);
        assert_eq!(custom.changed(to(Topology::Star, None), nodes("A")[0]).links, Graph::default());
    }
}
