//! Clogs: links that carry nothing for a while and then deliver all of it, again and again, each at times
//! of its own.
//!
//! ```text
//! clog = { links = "all", period = "2s" }
//!
//! A→B   ───██████────│───██████────      clogged one after another in the first half of a period,
//! B→A   ─────█████████─│───█████████     and cleared one after another, in another order, in the
//! A→C   ─███████████───│███████████──    second: at the middle of it nothing passes anywhere
//! ```
//!
//! What is stopped and let go one after another shows orders of events that a cut at one time does not.
//! Source: FoundationDB's swizzle-clogging (Zhou and others, SIGMOD 2021, §4).

use histories::{Nanos, NodeName};
use rand::{Rng, RngExt};

use super::links::Links;
use super::{Argument, Fault, Form, Resolved, Syntax, refuse, selection};
use crate::controls::Control;
use crate::{Effect, Endpoint, Error, duration};

pub(crate) struct Clog;

const NAME: &str = "clog";
/// How often a link is clogged, unless the plan says it.
const PERIOD: Nanos = Nanos::from_millis(2_000);
/// Below this a clog would be shorter than a round trip through a busy machine.
const PERIOD_MIN: Nanos = Nanos::from_millis(100);
/// Above this a clog is a cut.
const PERIOD_MAX: Nanos = Nanos::from_millis(3_600_000);

impl Fault for Clog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "links carry nothing for a while and then all of it, each at times of its own"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax { text: "\"all\"", about: "every link between nodes, once in 2 s" },
            Syntax { text: "\"one\"", about: "one link, in one direction" },
            Syntax {
                text: "{ links = [\"A\", \"B C\"], period = \"500ms\" }",
                about: "from the first to the second, once a period; `clients` may be either",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let (links, period) = match argument {
            Argument::Text(_) => (Links::parse(Some(argument)), PERIOD),
            Argument::Table(_) => {
                let Some(table) = argument.table(&["links", "period"]) else { return refuse(self, argument) };
                let period = match table.get("period") {
                    None => PERIOD,
                    Some(Argument::Text(text)) => duration::parse(text)?,
                    Some(_) => return refuse(self, argument),
                };
                (Links::parse(table.get("links")), period)
            }
            Argument::List(_) => return refuse(self, argument),
        };
        match links {
            Some(links) if (PERIOD_MIN..=PERIOD_MAX).contains(&period) => {
                Ok(Box::new(Clogged { links, period }))
            }
            _ => refuse(self, argument),
        }
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let links = if nodes.len() < 2 { "all" } else { selection::word(&["all", "one"], rng) };
        let parts = [("links", links), ("period", selection::word(&["400ms", "1s", "2s"], rng))];
        Argument::Table(parts.map(|(key, text)| (key.to_owned(), Argument::from(text))).into())
    }
}

#[derive(Debug)]
struct Clogged {
    links: Links,
    period: Nanos,
}

impl Form for Clogged {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.links.choose(NAME, nodes, rng)?;
        let summary = format!("{}, every {}", chosen.place, duration::format(self.period));
        let effects = chosen.pairs.into_iter().map(|link| self.effect(link, rng)).collect();
        Ok(Resolved::steady(summary, effects))
    }
}

impl Clogged {
    /// Begins in the first half of the period and ends in the second.
    fn effect(&self, (from, to): (Endpoint, Endpoint), rng: &mut dyn Rng) -> Effect {
        let period_ms = u32::try_from(self.period.0 / 1_000_000).unwrap_or(u32::MAX);
        let after_ms = u64::from(rng.random_range(0..period_ms / 2));
        let end_ms = u64::from(rng.random_range(period_ms / 2..period_ms)) + 1;
        Effect::Clog { from, to, after_ms, length_ms: end_ms - after_ms, period_ms: u64::from(period_ms) }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("clog = {form}"), nodes));
    }

    #[test]
    fn each_link_is_clogged_at_times_of_its_own() {
        check("'all'", "A B", expect!["all links, every 2s: A→B 549+854/2000 B→A 984+97/2000"]);
        check("'one'", "A B C", expect!["C → A, every 2s: C→A 984+97/2000"]);
        check(
            "{ links = ['clients', 'B'], period = '500ms' }",
            "A B",
            expect!["clients → B, every 500ms: clients→B 137+214/500"],
        );
        check(
            "{ period = '99ms' }",
            "A B",
            expect![[
                r#"`clog` cannot be { period = "99ms" }; it takes "all" or "one" or { links = ["A", "B C"], period = "500ms" }"#
            ]],
        );
        check(
            "['A', 'B']",
            "A B",
            expect![[
                r#"`clog` cannot be ["A", "B"]; it takes "all" or "one" or { links = ["A", "B C"], period = "500ms" }"#
            ]],
        );
    }
}
