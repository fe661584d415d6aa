//! One-way cuts: B no longer hears A, and A still hears B.
//!
//! ```text
//! one-way = ["A", "B"]     A ──╳──► B      requests of A do not arrive, answers of A neither
//!                          A ◄───── B      what B says still arrives
//! ```
//!
//! Source: Alquraan and others, OSDI 2018, "An analysis of network-partitioning failures", §3
//! (simplex partitions).

use histories::NodeName;
use rand::Rng;

use super::links::Ends;
use super::{Argument, Fault, Form, Resolved, Syntax, cuts_of, ends_of, join, links, refuse, selection};
use crate::controls::Control;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct OneWay;

const NAME: &str = "one-way";

impl Fault for OneWay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "cuts one direction: the second no longer hears the first, the first still hears the second"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax { text: "\"random\"", about: "from one node to another" },
            Syntax {
                text: "[\"A\", \"B C\"]",
                about: "from the first to the second; `clients` may be either",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        match Ends::parse(argument, "random") {
            Some(ends) => Ok(Box::new(Direction(ends))),
            None => refuse(self, argument),
        }
    }

    fn draw(&self, _: &[NodeName], _: &mut dyn Rng) -> Argument {
        Argument::from("random")
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        Some(ends_of(cuts_of(planned)?))
    }
}

#[derive(Debug)]
struct Direction(Ends);

impl Form for Direction {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let (from, to) = self.0.choose(NAME, nodes, || selection::shuffled(nodes, rng))?;
        let summary = format!("{} ⇥ {}", join(&from), join(&to));
        let effects: Vec<Effect> =
            links(&from, &to).into_iter().map(|(from, to)| Effect::Cut { from, to }).collect();
        if effects.is_empty() {
            return Err(Error::NothingCut { sides: summary });
        }
        Ok(Resolved::steady(summary, effects))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("one-way = {form}"), nodes));
    }

    #[test]
    fn only_one_direction_is_cut() {
        check("['A', 'B']", "A B C", expect!["A ⇥ B: A⇥B"]);
        check("['A', 'B C']", "A B C", expect!["A ⇥ B C: A⇥B A⇥C"]);
        check("['A', 'clients']", "A B C", expect!["A ⇥ clients: A⇥clients"]);
        check("'random'", "A B C", expect!["C ⇥ A: C⇥A"]);
        check("['A', 'A']", "A B C", expect!["the sides A ⇥ A cut no link; put at least two nodes apart"]);
        check(
            "'both'",
            "A B C",
            expect![[r#"`one-way` cannot be "both"; it takes "random" or ["A", "B C"]"#]],
        );
        check("'random'", "A", expect![[r#"`one-way = "random"` needs 2 nodes or more, and there are 1"#]]);
    }
}
