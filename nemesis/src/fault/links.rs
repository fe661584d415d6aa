//! Which links a fault meets: all between nodes, one drawn from the seed, or those named.
//!
//! ```text
//! links = "all"   links = "one"   links = ["A", "B C"]: A→B and A→C
//! ```

use histories::NodeName;
use rand::Rng;

use super::{Argument, endpoint_of, join, links, need_nodes, selection, split};
use crate::{Endpoint, Error};

#[derive(Debug)]
pub(super) enum Links {
    All,
    One,
    Given { from: Vec<String>, to: Vec<String> },
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
            Some(Argument::Text(word)) if word == "one" => Some(Self::One),
            Some(Argument::List(ends)) if ends.len() == 2 => {
                Some(Self::Given { from: split(&ends[0]), to: split(&ends[1]) })
            }
            Some(_) => None,
        }
    }

    /// Whether the clients are an end of them.
    pub(super) fn name_clients(&self) -> bool {
        match self {
            Self::All | Self::One => false,
            Self::Given { from, to } => {
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
        let ends = |names: &[String]| -> Result<Vec<Endpoint>, Error> {
            names.iter().map(|name| endpoint_of(fault, name, nodes)).collect()
        };
        let (from, to) = match self {
            Self::All => {
                need_nodes(fault, "\"all\"", 2, nodes)?;
                let all: Vec<Endpoint> = nodes.iter().cloned().map(Endpoint::from).collect();
                return Ok(Chosen { place: "all links".to_owned(), pairs: links(&all, &all) });
            }
            Self::One => {
                need_nodes(fault, "\"one\"", 2, nodes)?;
                let order = selection::shuffled(nodes, rng);
                (vec![Endpoint::from(order[0].clone())], vec![Endpoint::from(order[1].clone())])
            }
            Self::Given { from, to } => (ends(from)?, ends(to)?),
        };
        let place = format!("{} → {}", join(&from), join(&to));
        let pairs = links(&from, &to);
        if pairs.is_empty() {
            return Err(Error::NothingCut { sides: place });
        }
        Ok(Chosen { place, pairs })
    }
}
