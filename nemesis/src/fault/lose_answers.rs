//! Answers that never reach the client: the store did it, and nobody outside knows.
//!
//! ```text
//! lose-answers = { of = "update", every = "20" }     OK OK OK … OK ╳ OK …      the 20th change of each node
//! ```
//!
//! A sound client calls such a change unknown, for ever: it may not be missed, and may not be called a
//! wonder where it shows. What accuses a store because of a lost answer accuses the tester. Source:
//! Kingsbury, Jepsen's indeterminate operations (`:info`); the "fallacy of the lost reply" in Birrell
//! and Nelson, "Implementing remote procedure calls", TOCS 1984, §3.

use histories::NodeName;
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax, refuse};
use crate::controls::Control;
use crate::trigger::CallKind;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct LoseAnswers;

impl Fault for LoseAnswers {
    fn name(&self) -> &'static str {
        "lose-answers"
    }

    fn about(&self) -> &'static str {
        "what was done is not told: answers get lost on their way to the client"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax {
                text: "{ of = \"update\", every = \"20\" }",
                about: "every 20th answer of each node that says that something was changed",
            },
            Syntax {
                text: "{ of = \"write\", every = \"3\", node = \"A\" }",
                about: "operations as in `when`, nodes as in `kill`",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Answers
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let Some(table) = argument.table(&["every", "node", "of"]) else {
            return refuse(self, argument);
        };
        let text = |key: &str, built_in| table.get(key).map_or(Some(built_in), Argument::text);
        let of = text("of", "update").and_then(|of| CallKind::ALL.into_iter().find(|kind| kind.name() == of));
        let every = text("every", "1").and_then(|every| every.parse().ok()).filter(|every| *every > 0);
        let (Some(of), Some(every)) = (of, every) else { return refuse(self, argument) };
        let nodes = processes::parse(self, table.get("node").unwrap_or(&Argument::from("all")))?;
        Ok(Box::new(Lost { nodes, of, every }))
    }

    fn draw(&self, _: &[NodeName], _: &mut dyn Rng) -> Argument {
        let parts = [("of", "update"), ("every", "20")];
        Argument::Table(parts.map(|(key, text)| (key.to_owned(), Argument::from(text))).into())
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        let (mut nodes, mut rule) = (Vec::new(), None);
        for effect in &planned.effects {
            let Effect::LoseAnswers { node, of, every } = effect else { return None };
            if *rule.get_or_insert((*of, *every)) != (*of, *every) {
                return None;
            }
            nodes.push(node);
        }
        let (of, every) = rule?;
        let parts = [("of", of.to_string()), ("every", every.to_string()), ("node", super::join(&nodes))];
        Some(Argument::Table(parts.map(|(key, text)| (key.to_owned(), Argument::from(text.as_str()))).into()))
    }
}

#[derive(Debug)]
struct Lost {
    nodes: Processes,
    of: CallKind,
    every: u64,
}

impl Form for Lost {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.nodes.choose(nodes, rng)?;
        let Self { of, every, .. } = *self;
        let summary = format!("1 in {every} answers to {of} at {}", super::join(&chosen));
        let lose = |node| Effect::LoseAnswers { node, of, every };
        Ok(Resolved::steady(summary, chosen.into_iter().map(lose).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("lose-answers = {form}"), "A B C"));
    }

    #[test]
    fn kinds_counts_and_nodes_are_said_or_built_in() {
        check(
            "{ every = '20' }",
            expect!["1 in 20 answers to update at A B C: A⇥20 update B⇥20 update C⇥20 update"],
        );
        check("{ of = 'write', node = 'B' }", expect!["1 in 1 answers to write at B: B⇥1 write"]);
        let refused = |form: &str| resolve(&format!("lose-answers = {form}"), "A B C");
        assert!(refused("{ of = 'writes' }").contains("cannot be"), "{}", refused("{ of = 'writes' }"));
        assert!(refused("{ every = '0' }").contains("cannot be"));
        assert!(refused("'update'").contains("it takes { of = \"update\", every = \"20\" }"));
    }
}
