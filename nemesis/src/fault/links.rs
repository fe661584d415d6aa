//! Which links a fault meets: all between nodes, one drawn from the seed, or those named.
//!
//! ```text
//! links = "all"   links = "one"   links = ["A", "B C"]: A→B and A→C
//! cut = "random"                  cut = ["A", "B C"]
//! ```

use histories::NodeName;
use rand::Rng;

use super::{Argument, endpoint_of, join, links, need_nodes, selection, split};
use crate::{Endpoint, Error};

/// The two ends of links: two nodes drawn from the seed, or those named.
#[derive(Debug)]
pub(super) enum Ends {
    /// The word that asks for it.
    Drawn(&'static str),
    Given {
        from: Vec<String>,
        to: Vec<String>,
    },
}

impl Ends {
    /// Reads `word`, or a list of two. None if it is neither.
    pub(super) fn parse(argument: &Argument, word: &'static str) -> Option<Self> {
        match argument {
            Argument::Text(text) if text == word => Some(Self::Drawn(word)),
            Argument::List(ends) if ends.len() == 2 => {
                Some(Self::Given { from: split(&ends[0]), to: split(&ends[1]) })
            }
            Argument::Text(_) | Argument::List(_) | Argument::Table(_) => None,
        }
    }

    /// Who is at either end; `draw` gives two nodes.
    pub(super) fn choose(
        &self,
        fault: &'static str,
        nodes: &[NodeName],
        draw: impl FnOnce() -> Vec<NodeName>,
    ) -> Result<(Vec<Endpoint>, Vec<Endpoint>), Error> {
        let ends = |names: &[String]| -> Result<Vec<Endpoint>, Error> {
            names.iter().map(|name| endpoint_of(fault, name, nodes)).collect()
        };
        match self {
            Self::Drawn(word) => {
                need_nodes(fault, word, 2, nodes)?;
                let two = draw();
                Ok((vec![Endpoint::from(two[0].clone())], vec![Endpoint::from(two[1].clone())]))
            }
            Self::Given { from, to } => Ok((ends(from)?, ends(to)?)),
        }
    }
}

#[derive(Debug)]
pub(super) enum Links {
    All,
    Between(Ends),
}

/// Links, and how a summary calls them.
pub(super) struct Chosen {
    pub(super) place: String,
    pub(super) pairs: Vec<(Endpoint, Endpoint)>,
}

impl Links {
    /// What stands after `links =`; nothing means all. None if it is none of these.
    pub(super) fn parse(argument: Option<&Argument>) -> Option<Self> {
        match argument {
            None => Some(Self::All),
            Some(Argument::Text(word)) if word == "all" => Some(Self::All),
            Some(argument) => Ends::parse(argument, "one").map(Self::Between),
        }
    }

    /// Whether the clients are an end of them.
    pub(super) fn name_clients(&self) -> bool {
        match self {
            Self::All | Self::Between(Ends::Drawn(_)) => false,
            Self::Between(Ends::Given { from, to }) => {
                from.iter().chain(to).any(|name| Endpoint::from(name.clone()) == Endpoint::Clients)
            }
        }
    }

    pub(super) fn choose(
        &self,
        fault: &'static str,
        nodes: &[NodeName],
        rng: &mut dyn Rng,
    ) -> Result<Chosen, Error> {
        let (from, to) = match self {
            Self::All => {
                need_nodes(fault, "all", 2, nodes)?;
                let all: Vec<Endpoint> = nodes.iter().cloned().map(Endpoint::from).collect();
                return Ok(Chosen { place: "all links".to_owned(), pairs: links(&all, &all) });
            }
            Self::Between(ends) => ends.choose(fault, nodes, || selection::shuffled(nodes, rng))?,
        };
        let place = format!("{} → {}", join(&from), join(&to));
        let pairs = links(&from, &to);
        if pairs.is_empty() {
            return Err(Error::NothingCut { sides: place });
        }
        Ok(Chosen { place, pairs })
    }
}
