//! Pauses: processes that stop where they stand, as in a long garbage collection, and go on at the
//! heal without knowing that time has passed.
//!
//! ```text
//! pause = "C"    C: ──────stopped·············goes on──►   what it believed 10 s ago it believes now
//! ```
//!
//! Connections to a paused node stay open and silent. Source: Kingsbury, Jepsen's `db/pause!`.

use histories::NodeName;
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax};
use crate::controls::Control;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct Pause;

impl Fault for Pause {
    fn name(&self) -> &'static str {
        "pause"
    }

    fn about(&self) -> &'static str {
        "stops processes where they stand; the heal lets them go on"
    }

    fn syntax(&self) -> &'static [Syntax] {
        processes::SYNTAX
    }

    fn needs(&self) -> Control {
        Control::Process
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        Ok(Box::new(Paused(processes::parse(self, argument)?)))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        processes::draw(nodes, rng)
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        processes::guess(planned, |effect| match effect {
            Effect::Pause { node } => Some(node),
            _ => None,
        })
    }
}

#[derive(Debug)]
struct Paused(Processes);

impl Form for Paused {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.0.choose(nodes, rng)?;
        let summary = format!("pause {}", super::join(&chosen));
        Ok(Resolved::steady(summary, chosen.into_iter().map(|node| Effect::Pause { node }).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("pause = {form}"), nodes));
    }

    #[test]
    fn nodes_are_named_or_drawn() {
        check("'B'", "A B C", expect!["pause B: pause B"]);
        check("'C A'", "A B C", expect!["pause A C: pause A pause C"]);
        check("'one'", "A B C", expect!["pause C: pause C"]);
        check("'minority'", "A B C D E", expect!["pause A D: pause A pause D"]);
        check("'all'", "A B C", expect!["pause A B C: pause A pause B pause C"]);
        check(
            "'minority'",
            "A B",
            expect![[r#"`pause = "minority"` needs 3 nodes or more, and there are 2"#]],
        );
        check("'D'", "A B C", expect!["`pause` names the node `D`; the nodes are: A B C"]);
        check(
            "''",
            "A B C",
            expect![[r#"`pause` cannot be ""; it takes "A" or "one" or "minority" or "all""#]],
        );
    }
}
