//! Slow links: everything arrives, in order, and late.
//!
//! ```text
//! slow = { links = ["A", "B"], latency = "200ms", jitter = "50ms" }
//!
//! A sends at  0   10   20 ms             latency drawn evenly from 150 … 250 ms,
//! B gets at  183  201  240 ms            never out of order, never fewer bytes a second
//! ```

use std::collections::BTreeMap;

use histories::{Nanos, NodeName};
use rand::Rng;

use super::links::Links;
use super::{Argument, Fault, Form, Resolved, Syntax, ends_of, refuse, selection};
use crate::controls::Control;
use crate::{Effect, Error, PlannedFault, duration};

pub(crate) struct Slow;

const NAME: &str = "slow";

impl Fault for Slow {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "links deliver late: latency and jitter in one direction"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax {
                text: "{ links = \"all\", latency = \"200ms\", jitter = \"50ms\" }",
                about: "every link between nodes; without `jitter` it is 0",
            },
            Syntax { text: "{ links = \"one\", latency = \"200ms\" }", about: "one link, in one direction" },
            Syntax {
                text: "{ links = [\"A\", \"B C\"], latency = \"200ms\" }",
                about: "from the first to the second; `clients` may be either",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let Some(table) = argument.table(&["jitter", "latency", "links"]) else {
            return refuse(self, argument);
        };
        let Some(links) = Links::parse(table.get("links")) else { return refuse(self, argument) };
        let span = |key: &str| match table.get(key) {
            None => Ok(Nanos(0)),
            Some(Argument::Text(text)) => Ok(duration::parse(text)?),
            Some(_) => refuse(self, argument),
        };
        let (latency_ms, jitter_ms) = (span("latency")?.0 / 1_000_000, span("jitter")?.0 / 1_000_000);
        if latency_ms == 0 || jitter_ms > latency_ms {
            return refuse(self, argument);
        }
        Ok(Box::new(Late { links, latency_ms, jitter_ms }))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let links = if nodes.len() < 2 { "all" } else { selection::word(&["all", "one"], rng) };
        let parts = [("links", links), ("latency", "200ms"), ("jitter", "50ms")];
        Argument::Table(parts.map(|(key, text)| (key.to_owned(), Argument::from(text))).into())
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        let late = |effect| match effect {
            &Effect::Slow { ref from, ref to, latency_ms, jitter_ms } => {
                Some(((from, to), (latency_ms, jitter_ms)))
            }
            _ => None,
        };
        let links: Vec<_> = planned.effects.iter().map(late).collect::<Option<_>>()?;
        let (_, (latency, jitter)) = links.first()?;
        let span = |millis: &u64| Argument::from(duration::format(Nanos::from_millis(*millis)).as_str());
        let ends = ends_of(links.iter().map(|(link, _)| *link));
        let mut parts = BTreeMap::from([("links", ends), ("latency", span(latency))]);
        if *jitter > 0 {
            parts.insert("jitter", span(jitter));
        }
        Some(Argument::Table(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    }
}

#[derive(Debug)]
struct Late {
    links: Links,
    latency_ms: u64,
    jitter_ms: u64,
}

impl Form for Late {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.links.choose(NAME, nodes, rng)?;
        let Self { latency_ms, jitter_ms, .. } = *self;
        let slow = |(from, to)| Effect::Slow { from, to, latency_ms, jitter_ms };
        let jitter = if jitter_ms > 0 { format!(" ± {jitter_ms} ms") } else { String::new() };
        let summary = format!("{} + {latency_ms} ms{jitter}", chosen.place);
        Ok(Resolved::steady(summary, chosen.pairs.into_iter().map(slow).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("slow = {form}"), nodes));
    }

    #[test]
    fn links_are_all_one_or_given() {
        check(
            "{ links = 'all', latency = '200ms', jitter = '50ms' }",
            "A B",
            expect!["all links + 200 ms ± 50 ms: A→B+200±50 B→A+200±50"],
        );
        check("{ links = 'one', latency = '1s' }", "A B C", expect!["C → A + 1000 ms: C→A+1000±0"]);
        check(
            "{ links = ['A', 'B C'], latency = '20ms' }",
            "A B C",
            expect!["A → B C + 20 ms: A→B+20±0 A→C+20±0"],
        );
        check(
            "{ links = ['clients', 'B'], latency = '20ms' }",
            "A B C",
            expect!["clients → B + 20 ms: clients→B+20±0"],
        );
    }

    #[test]
    fn jitter_is_at_most_the_latency() {
        check(
            "{ latency = '20ms', jitter = '30ms' }",
            "A B",
            expect![[
                r#"`slow` cannot be { jitter = "30ms", latency = "20ms" }; it takes { links = "all", latency = "200ms", jitter = "50ms" } or { links = "one", latency = "200ms" } or { links = ["A", "B C"], latency = "200ms" }"#
            ]],
        );
        check(
            "{ jitter = '30ms' }",
            "A B",
            expect![[
                r#"`slow` cannot be { jitter = "30ms" }; it takes { links = "all", latency = "200ms", jitter = "50ms" } or { links = "one", latency = "200ms" } or { links = ["A", "B C"], latency = "200ms" }"#
            ]],
        );
        check(
            "'all'",
            "A B",
            expect![[
                r#"`slow` cannot be "all"; it takes { links = "all", latency = "200ms", jitter = "50ms" } or { links = "one", latency = "200ms" } or { links = ["A", "B C"], latency = "200ms" }"#
            ]],
        );
    }
}
