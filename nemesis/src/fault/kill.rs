//! Kills: processes that end without notice, and are started again at the heal.
//!
//! ```text
//! kill = "minority"    of A B C D E, two:   A D gone ──────► A D restarted, with what they had stored
//! ```
//!
//! What was written and not synced survives a kill, because the operating system keeps it; it would
//! not survive a loss of power. Source: Kingsbury, Jepsen's `db/kill!`.

use histories::NodeName;
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax};
use crate::controls::Control;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct Kill;

impl Fault for Kill {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn about(&self) -> &'static str {
        "kills processes without notice; the heal starts them again"
    }

    fn syntax(&self) -> &'static [Syntax] {
        processes::SYNTAX
    }

    fn needs(&self) -> Control {
        Control::Process
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        Ok(Box::new(Killed(processes::parse(self, argument)?)))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        processes::draw(nodes, rng)
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        processes::guess(planned, |effect| match effect {
            Effect::Kill { node } => Some(node),
            _ => None,
        })
    }
}

#[derive(Debug)]
struct Killed(Processes);

impl Form for Killed {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.0.choose(nodes, rng)?;
        let summary = format!("kill {}", super::join(&chosen));
        Ok(Resolved::steady(summary, chosen.into_iter().map(|node| Effect::Kill { node }).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("kill = {form}"), nodes));
    }

    #[test]
    fn nodes_are_named_or_drawn() {
        check("'B'", "A B C", expect!["kill B: kill B"]);
        check("'C A'", "A B C", expect!["kill A C: kill A kill C"]);
        check("'one'", "A B C", expect!["kill C: kill C"]);
        check("'minority'", "A B C D E", expect!["kill A D: kill A kill D"]);
        check("'all'", "A B C", expect!["kill A B C: kill A kill B kill C"]);
        check(
            "'minority'",
            "A B",
            expect![[r#"`kill = "minority"` needs 3 nodes or more, and there are 2"#]],
        );
        check("'D'", "A B C", expect!["`kill` names the node `D`; the nodes are: A B C"]);
        check(
            "''",
            "A B C",
            expect![[r#"`kill` cannot be ""; it takes "A" or "one" or "minority" or "all""#]],
        );
    }
}
