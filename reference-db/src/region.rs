//! Regions: which nodes are close to each other.
//!
//! ```text
//! eu: A B C   us: D E F        A leads in eu, D in us: the first of each that takes part
//! ```

use std::fmt;
use std::str::FromStr;

use crate::names::{NameError, NodeName};

/// Nodes that are close to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name: letters, digits, `-` or `_`.
    pub name: NodeName,
    /// Its nodes.
    pub nodes: Vec<NodeName>,
}

/// All regions of a cluster; none if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions(pub Vec<Region>);

/// A text that says no regions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// Not `name:nodes`.
    #[error(
        "{given:?} is no region: write its name, a colon and its nodes, such as eu:A+B, and / between regions"
    )]
    Region {
        /// What was given.
        given: String,
    },
    /// A name that is not usable.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Regions {
    /// True if nothing is said of regions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The region of a node.
    pub fn of(&self, node: NodeName) -> Option<&Region> {
        self.0.iter().find(|region| region.nodes.contains(&node))
    }

    /// True if two nodes are in one region.
    pub fn are_close(&self, one: NodeName, other: NodeName) -> bool {
        self.of(one).is_some_and(|region| region.nodes.contains(&other))
    }

    /// The node that leads in the region of `node`: the first of `members` that is in it.
    pub fn leader(&self, members: &[NodeName], node: NodeName) -> Option<NodeName> {
        members.iter().copied().find(|member| self.are_close(node, *member))
    }
}

/// `eu:A+B+C/us:D+E+F`
impl FromStr for Regions {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Regions, RegionError> {
        let region = |text: &str| {
            let wrong = || RegionError::Region { given: text.to_owned() };
            let (name, nodes) = text.split_once(':').ok_or_else(wrong)?;
            let nodes = nodes.split('+').map(NodeName::new).collect::<Result<_, _>>()?;
            Ok(Region { name: NodeName::new(name)?, nodes })
        };
        text.split('/').filter(|part| !part.is_empty()).map(region).collect::<Result<_, _>>().map(Regions)
    }
}

impl fmt::Display for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = |Region { name, nodes }: &Region| {
            let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
            format!("{name}:{}", nodes.join("+"))
        };
        f.write_str(&self.0.iter().map(region).collect::<Vec<_>>().join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_as_they_are_shown() {
        let regions: Regions = "eu:A+B/us:C".parse().unwrap();
        assert_eq!(regions.to_string(), "eu:A+B/us:C");
        let [a, b, c, d] = ["A", "B", "C", "D"].map(|name| NodeName::new(name).unwrap());
        assert!(regions.are_close(a, b) && !regions.are_close(b, c) && !regions.are_close(d, d));
        assert_eq!(regions.leader(&[c, b, a], a), Some(b));
        let error = |text: &str| text.parse::<Regions>().unwrap_err().to_string();
        assert_eq!(
            error("eu"),
            "\"eu\" is no region: write its name, a colon and its nodes, such as eu:A+B, and / between regions"
        );
        assert!(error("eu:").contains("node name"));
    }
}
