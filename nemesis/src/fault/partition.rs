//! Partitions: groups of nodes that do not hear each other.
//!
//! ```text
//! halves         isolate-one      bridge            ring (of majorities)
//! A │ C          A │ B            A │ D              A───B
//! B │ D E          │ C D E        B C E              │   │     each sees itself and its
//!   │              │              └─┴─┘              E   C     neighbours: 3 of 5, and no
//!                                 C sees both         ╲ ╱      two see the same
//!                                                      D
//! ```
//!
//! Two nodes hear each other iff they share a side; a node on two sides is a bridge. Clients reach
//! every node unless a side names them: `["A clients", "B C"]`.
//!
//! Source: Kingsbury, Jepsen's `nemesis` (`bisect`, `split-one`, `bridge`, `majorities-ring`).

use std::collections::BTreeSet;

use histories::NodeName;
use rand::Rng;

use super::{
    Argument, Fault, Form, Resolved, Syntax, cuts_of, endpoint_of, join, need_nodes, refuse, selection, split,
};
use crate::controls::Control;
use crate::effect::CLIENTS;
use crate::{Effect, Endpoint, Error, PlannedFault};

pub(crate) struct Partition;

pub(super) const NAME: &str = "partition";

impl Fault for Partition {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "splits the network: groups of nodes that do not hear each other"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax { text: "\"halves\"", about: "two sides, as equal as can be" },
            Syntax { text: "\"isolate-one\"", about: "one node against all others" },
            Syntax { text: "\"bridge\"", about: "two halves, and one node that hears both" },
            Syntax { text: "\"ring\"", about: "each node hears a majority, and no two the same one" },
            Syntax { text: "[\"A\", \"B C D E\"]", about: "these sides; a node on two of them is a bridge" },
        ]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let shape = match argument {
            Argument::Text(text) => match text.as_str() {
                "halves" => Shape::Halves,
                "isolate-one" => Shape::IsolateOne,
                "bridge" => Shape::Bridge,
                "ring" => Shape::Ring,
                _ => return refuse(self, argument),
            },
            Argument::List(sides) if sides.len() >= 2 => {
                Shape::Sides(sides.iter().map(|side| split(side)).collect())
            }
            Argument::List(_) | Argument::Table(_) => return refuse(self, argument),
        };
        Ok(Box::new(shape))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let shapes: &[&str] = match nodes.len() {
            // With three nodes each of the simple shapes is one against two; a bridge leaves more whole.
            0..=3 => &["halves"],
            4 => &["halves", "isolate-one", "bridge"],
            _ => &["halves", "isolate-one", "bridge", "ring"],
        };
        Argument::from(selection::word(shapes, rng))
    }

    fn guess(&self, planned: &PlannedFault, nodes: &[NodeName]) -> Option<Argument> {
        let cuts = cuts_of(planned)?;
        let mut ends = endpoints(nodes);
        if cuts.iter().any(|(from, to)| [*from, *to].contains(&&Endpoint::Clients)) {
            ends.push(Endpoint::Clients);
        }
        // Two that are cut from each other stand on two sides, each with everybody whom it hears.
        let (left, right) = cuts.first()?;
        let side = |of: &Endpoint| {
            let heard: Vec<&Endpoint> = ends.iter().filter(|end| !cuts.contains(&(of, *end))).collect();
            join(&heard)
        };
        Some(Argument::List(vec![side(left), side(right)]))
    }
}

#[derive(Debug)]
enum Shape {
    Halves,
    IsolateOne,
    Bridge,
    Ring,
    Sides(Vec<Vec<String>>),
}

impl Form for Shape {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        match self {
            Self::Halves => {
                need_nodes(NAME, "halves", 2, nodes)?;
                Ok(two_sides(nodes, &selection::some(nodes, nodes.len() / 2, rng)))
            }
            Self::IsolateOne => {
                need_nodes(NAME, "isolate-one", 2, nodes)?;
                Ok(two_sides(nodes, &selection::some(nodes, 1, rng)))
            }
            Self::Bridge => {
                need_nodes(NAME, "bridge", 3, nodes)?;
                Ok(bridge(nodes, rng))
            }
            Self::Ring => {
                need_nodes(NAME, "ring", 4, nodes)?;
                Ok(ring(nodes, rng))
            }
            Self::Sides(sides) => explicit(sides, nodes),
        }
    }
}

fn two_sides(nodes: &[NodeName], chosen: &[NodeName]) -> Resolved {
    let others: Vec<NodeName> = nodes.iter().filter(|node| !chosen.contains(node)).cloned().collect();
    // Of equal halves the one with the first node is named first.
    let (left, right) = if chosen.len() == others.len() && chosen[0] != nodes[0] {
        (others.as_slice(), chosen)
    } else {
        (chosen, others.as_slice())
    };
    let summary = format!("{} | {}", join(left), join(right));
    Resolved::steady(summary, cuts(&endpoints(nodes), |a, b| on(left, a) == on(left, b)))
}

fn bridge(nodes: &[NodeName], rng: &mut dyn Rng) -> Resolved {
    let order = selection::shuffled(nodes, rng);
    let (middle, rest) = (&order[0], &order[1..]);
    let left = selection::in_order(nodes, &rest[..rest.len() / 2]);
    let right = selection::in_order(nodes, &rest[rest.len() / 2..]);
    let apart = |a: &Endpoint, b: &Endpoint| on(&left, a) && on(&right, b);
    Resolved::steady(
        format!("{} | {}, {middle} hears both", join(&left), join(&right)),
        cuts(&endpoints(nodes), |a, b| !apart(a, b) && !apart(b, a)),
    )
}

fn ring(nodes: &[NodeName], rng: &mut dyn Rng) -> Resolved {
    let order = selection::shuffled(nodes, rng);
    let majority = nodes.len() / 2 + 1;
    // So many neighbours on either hand, and itself, are a majority; at four nodes or more not all.
    let reach = (majority - 1).div_ceil(2);
    let place = |end: &Endpoint| order.iter().position(|node| Some(node) == end.node()).unwrap_or_default();
    let near = |a: &Endpoint, b: &Endpoint| {
        let gap = place(a).abs_diff(place(b));
        gap.min(order.len() - gap) <= reach
    };
    let summary = format!("ring {}, each hears {} of {}", join(&order), 2 * reach + 1, order.len());
    Resolved::steady(summary, cuts(&endpoints(nodes), near))
}

fn explicit(sides: &[Vec<String>], nodes: &[NodeName]) -> Result<Resolved, Error> {
    let mut named: Vec<BTreeSet<Endpoint>> = Vec::new();
    for side in sides {
        named.push(side.iter().map(|name| endpoint_of(NAME, name, nodes)).collect::<Result<_, _>>()?);
    }
    let mut ends = endpoints(nodes);
    if let Some(end) = ends.iter().find(|end| !named.iter().any(|side| side.contains(end))) {
        return Err(Error::NoSide { node: end.name() });
    }
    if named.iter().any(|side| side.contains(&Endpoint::Clients)) {
        ends.push(Endpoint::Clients);
    }
    let effects = cuts(&ends, |a, b| named.iter().any(|side| side.contains(a) && side.contains(b)));
    let summary = sides.iter().map(|side| side.join(" ")).collect::<Vec<_>>().join(" | ");
    if effects.is_empty() {
        return Err(Error::NothingCut { sides: summary });
    }
    Ok(Resolved::steady(summary, effects))
}

fn endpoints(nodes: &[NodeName]) -> Vec<Endpoint> {
    nodes.iter().cloned().map(Endpoint::Node).collect()
}

fn on(side: &[NodeName], end: &Endpoint) -> bool {
    end.node().is_some_and(|node| side.contains(node))
}

/// Both directions between every two that do not hear each other.
fn cuts(ends: &[Endpoint], hear: impl Fn(&Endpoint, &Endpoint) -> bool) -> Vec<Effect> {
    let links = super::links(ends, ends);
    let apart = links.into_iter().filter(|(from, to)| !hear(from, to));
    apart.map(|(from, to)| Effect::Cut { from, to }).collect()
}

/// Words of fault plans, which therefore cannot name a node.
pub(crate) const RESERVED: &[&str] =
    &[CLIENTS, "all", "halves", "isolate-one", "bridge", "minority", "one", "random", "ring"];

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("partition = {form}"), nodes));
    }

    #[test]
    fn halves() {
        check("'halves'", "A B", expect!["A | B: A⇥B B⇥A"]);
        check("'halves'", "A B C", expect!["C | A B: A⇥C B⇥C C⇥A C⇥B"]);
        check("'halves'", "A B C D", expect!["A D | B C: A⇥B A⇥C B⇥A B⇥D C⇥A C⇥D D⇥B D⇥C"]);
        check(
            "'halves'",
            "A B C D E",
            expect!["A D | B C E: A⇥B A⇥C A⇥E B⇥A B⇥D C⇥A C⇥D D⇥B D⇥C D⇥E E⇥A E⇥D"],
        );
        check("'halves'", "A", expect![[r#"`partition = "halves"` needs 2 nodes or more, and there are 1"#]]);
    }

    #[test]
    fn one_node_is_isolated() {
        check("'isolate-one'", "A B C D", expect!["A | B C D: A⇥B A⇥C A⇥D B⇥A C⇥A D⇥A"]);
    }

    #[test]
    fn a_bridge_hears_both_halves() {
        check("'bridge'", "A B C", expect!["A | B, C hears both: A⇥B B⇥A"]);
        check("'bridge'", "A B C D E", expect!["A E | B C, D hears both: A⇥B A⇥C B⇥A B⇥E C⇥A C⇥E E⇥B E⇥C"]);
    }

    #[test]
    fn in_a_ring_each_hears_a_majority() {
        check("'ring'", "A B C", expect![[r#"`partition = "ring"` needs 4 nodes or more, and there are 3"#]]);
        check("'ring'", "A B C D", expect!["ring A D B C, each hears 3 of 4: A⇥B B⇥A C⇥D D⇥C"]);
        check(
            "'ring'",
            "A B C D E",
            expect!["ring D A E B C, each hears 3 of 5: A⇥B A⇥C B⇥A B⇥D C⇥A C⇥E D⇥B D⇥E E⇥C E⇥D"],
        );
    }

    #[test]
    fn a_ring_of_any_size_has_majorities_and_no_two_alike() {
        for count in 4..=9 {
            let nodes: Vec<NodeName> = (0..count).map(|index| NodeName::from(format!("n{index}"))).collect();
            let ring = Shape::Ring.resolve(&nodes, &mut ChaCha8Rng::seed_from_u64(count)).unwrap();
            let heard = |node: &NodeName| -> BTreeSet<NodeName> {
                let cut = |from: &NodeName| {
                    ring.effects.contains(&Effect::Cut { from: from.clone().into(), to: node.clone().into() })
                };
                nodes.iter().filter(|from| !cut(from)).cloned().collect()
            };
            let views: BTreeSet<BTreeSet<NodeName>> = nodes.iter().map(heard).collect();
            assert_eq!(views.len(), nodes.len(), "two of {count} nodes hear the same nodes");
            assert!(views.iter().all(|view| view.len() > nodes.len() / 2 && view.len() < nodes.len()));
        }
    }

    #[test]
    fn sides_may_be_named() {
        check("['A', 'B C']", "A B C", expect!["A | B C: A⇥B A⇥C B⇥A C⇥A"]);
        check("['A C', 'C B']", "A B C", expect!["A C | C B: A⇥B B⇥A"]);
        check("['A clients', 'B']", "A B", expect!["A clients | B: A⇥B B⇥A B⇥clients clients⇥B"]);
        check(
            "['A', 'B']",
            "A B C",
            expect!["node `C` is on no side of the partition; name it on one side, or on both as a bridge"],
        );
        check(
            "['A B', 'B A']",
            "A B",
            expect!["the sides A B | B A cut no link; put at least two nodes apart"],
        );
        check("['A', 'B X']", "A B C", expect!["`partition` names the node `X`; the nodes are: A B C"]);
        check(
            "['A B C']",
            "A B C",
            expect![[
                r#"`partition` cannot be ["A B C"]; it takes "halves" or "isolate-one" or "bridge" or "ring" or ["A", "B C D E"]"#
            ]],
        );
        check(
            "'halfs'",
            "A B C",
            expect![[
                r#"`partition` cannot be "halfs" (did you mean `halves`?); it takes "halves" or "isolate-one" or "bridge" or "ring" or ["A", "B C D E"]"#
            ]],
        );
    }
}
