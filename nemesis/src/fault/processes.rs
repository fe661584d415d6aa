//! Which processes a fault meets: named, or so many drawn from the seed.
//!
//! ```text
//! "B"   "A C"   "one"   "minority": the most that leave a majority   "all"
//! ```

use histories::NodeName;
use rand::Rng;

use super::{Argument, Fault, Syntax, join, need_nodes, node_of, refuse, selection, split};
use crate::{Effect, Error, PlannedFault};

pub(super) const SYNTAX: &[Syntax] = &[
    Syntax { text: "\"A\"", about: "this node; several with spaces between" },
    Syntax { text: "\"one\"", about: "any node" },
    Syntax { text: "\"minority\"", about: "as many as leave a majority" },
    Syntax { text: "\"all\"", about: "every node" },
];

#[derive(Debug)]
pub(super) struct Processes {
    fault: &'static str,
    which: Which,
}

#[derive(Debug)]
enum Which {
    One,
    Minority,
    All,
    Named(Vec<String>),
}

pub(super) fn parse(fault: &dyn Fault, argument: &Argument) -> Result<Processes, Error> {
    let which = match argument {
        Argument::Text(text) if text == "one" => Which::One,
        Argument::Text(text) if text == "minority" => Which::Minority,
        Argument::Text(text) if text == "all" => Which::All,
        Argument::Text(text) if !split(text).is_empty() => Which::Named(split(text)),
        Argument::List(names) if !names.is_empty() => {
            Which::Named(names.iter().flat_map(|name| split(name)).collect())
        }
        Argument::Text(_) | Argument::List(_) | Argument::Table(_) => return refuse(fault, argument),
    };
    Ok(Processes { fault: fault.name(), which })
}

pub(super) fn draw(nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
    // With less than five nodes a minority is one node.
    let words: &[&str] = if nodes.len() < 5 { &["one"] } else { &["one", "minority"] };
    Argument::from(selection::word(words, rng))
}

/// The names of the nodes, if `node` finds one in each effect.
pub(super) fn guess(planned: &PlannedFault, node: impl Fn(&Effect) -> Option<&NodeName>) -> Option<Argument> {
    let nodes: Vec<&NodeName> = planned.effects.iter().map(node).collect::<Option<_>>()?;
    Some(Argument::from(join(&nodes).as_str()))
}

impl Processes {
    pub(super) fn choose(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Vec<NodeName>, Error> {
        match &self.which {
            Which::One => {
                need_nodes(self.fault, "one", 1, nodes)?;
                Ok(selection::some(nodes, 1, rng))
            }
            Which::Minority => {
                need_nodes(self.fault, "minority", 3, nodes)?;
                Ok(selection::some(nodes, selection::minority(nodes.len()), rng))
            }
            Which::All => {
                need_nodes(self.fault, "all", 1, nodes)?;
                Ok(nodes.to_vec())
            }
            Which::Named(names) => {
                let chosen: Result<Vec<NodeName>, Error> =
                    names.iter().map(|name| node_of(self.fault, name, nodes)).collect();
                Ok(selection::in_order(nodes, &chosen?))
            }
        }
    }
}
