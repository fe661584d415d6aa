//! Wipes: processes that end without notice and lose what they had stored; at the heal they are started
//! again, empty.
//!
//! ```text
//! wipe = "B"    B: x=1 y=2 ──gone·········restarted──► (nothing) ──peers──► x=1 y=2
//! ```
//!
//! What had reached nobody else is lost: no database without a second copy survives that. Source:
//! machines that fail for good, in FoundationDB's simulation (Zhou and others, SIGMOD 2021, §4).

use histories::NodeName;
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax};
use crate::controls::Control;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct Wipe;

impl Fault for Wipe {
    fn name(&self) -> &'static str {
        "wipe"
    }

    fn about(&self) -> &'static str {
        "kills processes and deletes what they stored; the heal starts them again, empty"
    }

    fn syntax(&self) -> &'static [Syntax] {
        processes::SYNTAX
    }

    fn needs(&self) -> Control {
        Control::Data
    }

    fn is_survivable(&self) -> bool {
        false
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        Ok(Box::new(Wiped(processes::parse(self, argument)?)))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        processes::draw(nodes, rng)
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        processes::guess(planned, |effect| match effect {
            Effect::Wipe { node } => Some(node),
            _ => None,
        })
    }
}

#[derive(Debug)]
struct Wiped(Processes);

impl Form for Wiped {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.0.choose(nodes, rng)?;
        let summary = format!("wipe {}", super::join(&chosen));
        Ok(Resolved::steady(summary, chosen.into_iter().map(|node| Effect::Wipe { node }).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("wipe = {form}"), nodes));
    }

    #[test]
    fn nodes_are_named_or_drawn() {
        check("'B'", "A B C", expect!["wipe B: wipe B"]);
        check("'minority'", "A B C D E", expect!["wipe A D: wipe A wipe D"]);
        check("'D'", "A B C", expect!["`wipe` names the node `D`; the nodes are: A B C"]);
    }
}
