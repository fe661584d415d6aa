//! Cuts: two sides that do not hear each other, while everybody else hears both.
//!
//! ```text
//! cut = ["A", "B"]      A ─╳─ B        nothing passes between A and B, in either direction;
//!                        ╲   ╱         through C each may still learn what the other did
//!                          C
//! ```
//!
//! Source: Alquraan and others, OSDI 2018, "An analysis of network-partitioning failures", §3 (partial
//! partitions).

use histories::NodeName;
use rand::Rng;

use super::links::Ends;
use super::{Argument, Fault, Form, Resolved, Syntax, cuts_of, join, links, refuse, selection};
use crate::controls::Control;
use crate::{Effect, Endpoint, Error, PlannedFault};

pub(crate) struct Cut;

const NAME: &str = "cut";

impl Fault for Cut {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "cuts the links between two sides, in both directions, and leaves all others whole"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax { text: "\"random\"", about: "between two nodes" },
            Syntax {
                text: "[\"A\", \"B C\"]",
                about: "between the first and the second; `clients` may be either",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        match Ends::parse(argument, "random") {
            Some(sides) => Ok(Box::new(Sides(sides))),
            None => refuse(self, argument),
        }
    }

    fn draw(&self, _: &[NodeName], _: &mut dyn Rng) -> Argument {
        Argument::from("random")
    }

    fn guess(&self, planned: &PlannedFault, nodes: &[NodeName]) -> Option<Argument> {
        let cuts = cuts_of(planned)?;
        let (first, second) = *cuts.first()?;
        let left: Vec<&Endpoint> =
            cuts.iter().filter(|(_, to)| *to == second).map(|(from, _)| *from).collect();
        let right: Vec<&Endpoint> =
            cuts.iter().filter(|(from, _)| *from == first).map(|(_, to)| *to).collect();
        let named = |node: &NodeName| left.iter().chain(&right).any(|end| end.node() == Some(node));
        // With everybody on a side it is a partition.
        let partition = nodes.iter().all(named);
        (!partition).then(|| Argument::List(vec![join(&left), join(&right)]))
    }
}

#[derive(Debug)]
struct Sides(Ends);

impl Form for Sides {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let (left, right) = self.0.choose(NAME, nodes, || selection::some(nodes, 2, rng))?;
        let summary = format!("{} | {}", join(&left), join(&right));
        let mut effects: Vec<Effect> = Vec::new();
        for (from, to) in links(&left, &right).into_iter().chain(links(&right, &left)) {
            let cut = Effect::Cut { from, to };
            if !effects.contains(&cut) {
                effects.push(cut);
            }
        }
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
        expected.assert_eq(&resolve(&format!("cut = {form}"), nodes));
    }

    #[test]
    fn both_directions_are_cut_and_nothing_else() {
        check("['A', 'B']", "A B C", expect!["A | B: A⇥B B⇥A"]);
        check("['A', 'B C']", "A B C D", expect!["A | B C: A⇥B A⇥C B⇥A C⇥A"]);
        check("['clients', 'A']", "A B", expect!["clients | A: clients⇥A A⇥clients"]);
        check("'random'", "A B C", expect!["A | C: A⇥C C⇥A"]);
        check("['A B', 'B A']", "A B", expect!["A B | B A: A⇥B B⇥A"]);
        check("['A', 'A']", "A B", expect!["the sides A | A cut no link; put at least two nodes apart"]);
        check("['A']", "A B", expect![[r#"`cut` cannot be ["A"]; it takes "random" or ["A", "B C"]"#]]);
        check("'random'", "A", expect![[r#"`cut = "random"` needs 2 nodes or more, and there are 1"#]]);
    }
}
