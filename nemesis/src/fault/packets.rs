//! Packets: single messages between nodes that are lost, doubled, or overtaken.
//!
//! ```text
//! lose      = "20%"     1 2 3 4 5  ──►  1 2   4 5
//! duplicate = "20%"     1 2 3 4 5  ──►  1 2 3 3 4 5
//! reorder   = "20%"     1 2 3 4 5  ──►  1 2 4 5 3
//! ```
//!
//! Clients speak to nodes over connections, on which none of this shows: only links between nodes can be
//! met. Source: TigerBeetle's packet simulator; Netem, which does the same to real links.

use histories::{Nanos, NodeName};
use rand::Rng;

use super::links::Links;
use super::{Argument, Fault, Form, Resolved, Syntax, ends_of, refuse, selection};
use crate::controls::Control;
use crate::{Effect, Endpoint, Error, PlannedFault, duration};

pub(crate) struct Packets {
    name: &'static str,
    about: &'static str,
    syntax: &'static [Syntax],
    harm: Harm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Lose,
    Duplicate,
    Reorder,
}

pub(crate) static DUPLICATE: Packets = Packets {
    name: "duplicate",
    about: "delivers a share of the messages between nodes twice",
    syntax: &[
        Syntax { text: "\"20%\"", about: "of what any node sends to another" },
        Syntax {
            text: "{ links = [\"A\", \"B C\"], share = \"20%\" }",
            about: "from the first to the second; also `all` and `one`",
        },
    ],
    harm: Harm::Duplicate,
};

pub(crate) static LOSE: Packets = Packets {
    name: "lose",
    about: "loses a share of the messages between nodes",
    syntax: &[
        Syntax { text: "\"20%\"", about: "of what any node sends to another" },
        Syntax {
            text: "{ links = [\"A\", \"B C\"], share = \"20%\" }",
            about: "from the first to the second; also `all` and `one`",
        },
    ],
    harm: Harm::Lose,
};

pub(crate) static REORDER: Packets = Packets {
    name: "reorder",
    about: "delivers a share of the messages between nodes late, so that others overtake them",
    syntax: &[
        Syntax { text: "\"20%\"", about: "of what any node sends to another, up to 100 ms late" },
        Syntax {
            text: "{ links = [\"A\", \"B C\"], share = \"20%\", by = \"500ms\" }",
            about: "from the first to the second, up to so late; also `all` and `one`",
        },
    ],
    harm: Harm::Reorder,
};

/// How late an overtaken message is at most, unless the plan says it.
const BY: Nanos = Nanos::from_millis(100);

impl Fault for Packets {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn syntax(&self) -> &'static [Syntax] {
        self.syntax
    }

    fn needs(&self) -> Control {
        Control::Packets
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let (links, share, by) = match argument {
            Argument::Text(share) => (Some(Links::All), percent(share), BY),
            Argument::Table(table) => {
                let keys: &[&str] = match self.harm {
                    Harm::Lose | Harm::Duplicate => &["links", "share"],
                    Harm::Reorder => &["by", "links", "share"],
                };
                if argument.table(keys).is_none() {
                    return refuse(self, argument);
                }
                let by = match table.get("by") {
                    None => BY,
                    Some(Argument::Text(text)) => duration::parse(text)?,
                    Some(_) => Nanos(0),
                };
                let share = table.get("share").and_then(Argument::text).and_then(percent);
                (Links::parse(table.get("links")), share, by)
            }
            Argument::List(_) => return refuse(self, argument),
        };
        match (links, share, by.0 / 1_000_000) {
            (Some(links), Some(percent), by_ms) if by_ms > 0 && !links.name_clients() => {
                Ok(Box::new(Harmed { name: self.name, harm: self.harm, links, percent, by_ms }))
            }
            _ => refuse(self, argument),
        }
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let links = if nodes.len() < 2 { "all" } else { selection::word(&["all", "one"], rng) };
        let share = selection::word(&["5%", "20%", "50%"], rng);
        let parts = [("links", links), ("share", share)];
        Argument::Table(parts.map(|(key, text)| (key.to_owned(), Argument::from(text))).into())
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        let (percent, by_ms) = match (self.harm, planned.effects.first()?) {
            (Harm::Lose, Effect::Lose { percent, .. }) => (percent, None),
            (Harm::Duplicate, Effect::Duplicate { percent, .. }) => (percent, None),
            (Harm::Reorder, Effect::Reorder { percent, by_ms, .. }) => (percent, Some(*by_ms)),
            _ => return None,
        };
        let links: Vec<_> = planned.effects.iter().filter_map(Effect::link).collect();
        let mut parts = vec![("links", ends_of(links.iter().map(|(from, to)| (from, to))))];
        parts.push(("share", Argument::from(format!("{percent}%").as_str())));
        let by = by_ms.map(|by_ms| duration::format(Nanos::from_millis(by_ms)));
        parts.extend(by.map(|by| ("by", Argument::from(by.as_str()))));
        Some(Argument::Table(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    }
}

/// Such as `20%`: a whole number from 1 to 100.
fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.trim().parse().ok().filter(|percent| (1..=100).contains(percent))
}

#[derive(Debug)]
struct Harmed {
    name: &'static str,
    harm: Harm,
    links: Links,
    percent: u32,
    by_ms: u64,
}

impl Form for Harmed {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.links.choose(self.name, nodes, rng)?;
        let late = match self.harm {
            Harm::Reorder => format!(", up to {} ms late", self.by_ms),
            Harm::Lose | Harm::Duplicate => String::new(),
        };
        let summary = format!("{}, {}%{late}", chosen.place, self.percent);
        Ok(Resolved::steady(summary, chosen.pairs.into_iter().map(|link| self.effect(link)).collect()))
    }
}

impl Harmed {
    fn effect(&self, (from, to): (Endpoint, Endpoint)) -> Effect {
        let Self { percent, by_ms, .. } = *self;
        match self.harm {
            Harm::Lose => Effect::Lose { from, to, percent },
            Harm::Duplicate => Effect::Duplicate { from, to, percent },
            Harm::Reorder => Effect::Reorder { from, to, percent, by_ms },
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(line: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(line, nodes));
    }

    #[test]
    fn a_share_of_messages_is_met() {
        check("lose = '20%'", "A B", expect!["all links, 20%: A→B-20% B→A-20%"]);
        check("duplicate = { links = ['A', 'B'], share = '5%' }", "A B C", expect!["A → B, 5%: A→B×2 5%"]);
        check(
            "reorder = { links = 'one', share = '50%', by = '500ms' }",
            "A B C",
            expect!["C → A, 50%, up to 500 ms late: C→A~50% 500"],
        );
        check(
            "lose = '101%'",
            "A B",
            expect![[
                r#"`lose` cannot be "101%"; it takes "20%" or { links = ["A", "B C"], share = "20%" }"#
            ]],
        );
        check(
            "lose = { links = ['clients', 'B'], share = '5%' }",
            "A B C",
            expect![[
                r#"`lose` cannot be { links = ["clients", "B"], share = "5%" }; it takes "20%" or { links = ["A", "B C"], share = "20%" }"#
            ]],
        );
        check(
            "lose = { share = '5%', by = '1s' }",
            "A B C",
            expect![[
                r#"`lose` cannot be { by = "1s", share = "5%" }; it takes "20%" or { links = ["A", "B C"], share = "20%" }"#
            ]],
        );
        check(
            "reorder = { share = '5%', by = '0s' }",
            "A B C",
            expect![[
                r#"`reorder` cannot be { by = "0s", share = "5%" }; it takes "20%" or { links = ["A", "B C"], share = "20%", by = "500ms" }"#
            ]],
        );
    }
}
