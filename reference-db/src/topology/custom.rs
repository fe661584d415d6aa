//! Custom: the links that are said, and no others.
//!
//! ```text
//! A-B+B>C+C>A      A and B send to each other, B to C, C to A
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::{NameError, NodeName};

/// One node sends to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who sends.
    pub from: NodeName,
    /// To whom.
    pub to: NodeName,
}

/// Who sends to whom, link by link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Graph {
    /// In the order in which they were said.
    pub edges: Vec<Edge>,
}

/// A text that says no links.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Neither one way nor both.
    #[error("{given:?} is no link: write A>B for one way or A-B for both, and + between links")]
    Link {
        /// What was given.
        given: String,
    },
    /// A name that no node can have.
    #[error(transparent)]
    Name(#[from] NameError),
}

pub(super) fn downstream(graph: &Graph, node: NodeName) -> Vec<NodeName> {
    let mut to: Vec<NodeName> =
        graph.edges.iter().filter(|edge| edge.from == node).map(|edge| edge.to).collect();
    to.sort_unstable();
    to.dedup();
    to
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}", self.from, self.to)
    }
}

impl FromStr for Graph {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Graph, GraphError> {
        let mut edges = Vec::new();
        for link in text.split('+').filter(|link| !link.is_empty()) {
            let wrong = || GraphError::Link { given: link.to_owned() };
            // A node's name may have a dash in it; one that is linked both ways here may not.
            let (one, other, both) = match (link.split_once('>'), link.split_once('-')) {
                (Some((from, to)), _) => (from, to, false),
                (None, Some((one, other))) => (one, other, true),
                (None, None) => return Err(wrong()),
            };
            let (from, to) = (NodeName::new(one)?, NodeName::new(other)?);
            edges.push(Edge { from, to });
            if both {
                edges.push(Edge { from: to, to: from });
            }
        }
        Ok(Graph { edges })
    }
}

impl TryFrom<String> for Graph {
    type Error = GraphError;

    fn try_from(text: String) -> Result<Graph, GraphError> {
        text.parse()
    }
}

impl From<Graph> for String {
    fn from(graph: Graph) -> String {
        graph.to_string()
    }
}

/// One way each, as [`Graph::from_str`] reads it.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edges: Vec<String> = self.edges.iter().map(Edge::to_string).collect();
        f.write_str(&edges.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_they_are_shown() {
        let graph: Graph = "A-B+B>C".parse().unwrap();
        assert_eq!(graph.to_string(), "A>B+B>A+B>C");
        assert_eq!(graph.to_string().parse(), Ok(graph));
        let error = |text: &str| text.parse::<Graph>().unwrap_err().to_string();
        assert_eq!(
            error("A"),
            r#""A" is no link: write A>B for one way or A-B for both, and + between links"#
        );
        assert!(error("A>").contains("node name"));
    }
}
