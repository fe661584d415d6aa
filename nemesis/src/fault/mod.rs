//! Faults: what can be broken, how a plan writes it, and what it comes to for given nodes.
//!
//! ```text
//! partition = "halves"   ──parse──►  Form  ──resolve(nodes A B C, rng)──►  A | B C:
//!                                                                          cut A→B A→C B→A C→A
//! ```
//!
//! A new fault is a file here and a line in [`FAULTS`]. Source of the forms: Kingsbury, Jepsen's
//! `nemesis` (halves, isolated node, bridge, ring of majorities); Alquraan and others, OSDI 2018,
//! "An analysis of network-partitioning failures" (partial and one-way partitions).

use std::collections::BTreeSet;
use std::fmt;

use histories::{Nanos, NodeName};
use rand::Rng;

use crate::controls::Control;
use crate::error::nearest;
use crate::{Effect, Endpoint, Error, PlannedFault, selection};

mod argument;
mod clock;
mod clog;
mod cut;
mod disk;
mod flap;
mod kill;
mod links;
mod lose_answers;
mod one_way;
mod packets;
mod partition;
mod pause;
mod pinned;
mod processes;
mod slow;
mod wipe;

pub use argument::Argument;
pub(crate) use partition::RESERVED;
pub(crate) use pinned::{EFFECTS, FLAP_PERIOD, Pinned, naming};

/// All faults, sorted by name.
pub static FAULTS: &[&dyn Fault] = &[
    &clock::Clock,
    &clog::Clog,
    &cut::Cut,
    &disk::ERROR,
    &disk::FULL,
    &disk::LIES,
    &disk::TORN,
    &packets::DUPLICATE,
    &flap::Flap,
    &kill::Kill,
    &packets::LOSE,
    &lose_answers::LoseAnswers,
    &one_way::OneWay,
    &partition::Partition,
    &pause::Pause,
    &packets::REORDER,
    &slow::Slow,
    &wipe::Wipe,
];

/// One kind of trouble.
pub trait Fault: Sync {
    /// Its name in plans, events and reports.
    fn name(&self) -> &'static str;
    /// What it does, in one line.
    fn about(&self) -> &'static str;
    /// What a plan may write after `name =`.
    fn syntax(&self) -> &'static [Syntax];
    /// What a target must offer.
    fn needs(&self) -> Control;
    /// Whether a sound database keeps what it has confirmed under it. A [swarm](crate::Schedule::swarm) leaves the
    /// others out unless they are asked for.
    fn is_survivable(&self) -> bool {
        true
    }
    /// Reads what a plan wrote; knows no nodes yet.
    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error>;
    /// A form that suits the nodes, for `--faults` without more words.
    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument;
    /// What a plan may write after `name =` to get this very fault, if the kind has words for it. It is a
    /// guess: whoever asks has to try it.
    fn guess(&self, _planned: &PlannedFault, _nodes: &[NodeName]) -> Option<Argument> {
        None
    }
}

/// A fault as a plan wrote it.
pub trait Form: fmt::Debug {
    /// What it comes to for these nodes.
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error>;
}

/// One way of writing a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// As TOML, such as `"halves"`.
    pub text: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// What a fault comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// In a few words, such as `A | B C`.
    pub summary: String,
    /// What is done, each effect once, in order.
    pub effects: Vec<Effect>,
    /// How long it takes to come and go once, if it does: in force for the first half of each period.
    pub flap_period: Option<Nanos>,
}

impl Resolved {
    fn steady(summary: String, effects: Vec<Effect>) -> Self {
        Self { summary, effects, flap_period: None }
    }
}

/// The fault of that name.
pub fn find(name: &str) -> Result<&'static dyn Fault, Error> {
    let found = FAULTS.iter().find(|fault| fault.name() == name);
    found.copied().ok_or_else(|| Error::UnknownFault {
        name: name.to_owned(),
        nearest: nearest(
            name,
            FAULTS.iter().map(|fault| fault.name()).chain(["at", EFFECTS, "for", "then", "when"]),
        ),
        known: names(),
    })
}

/// All names, for a sentence.
pub fn names() -> String {
    FAULTS.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ")
}

/// The refusal of an argument that a fault cannot take.
fn refuse<T>(fault: &dyn Fault, argument: &Argument) -> Result<T, Error> {
    let words = fault.syntax().iter().map(|syntax| syntax.text.trim_matches('"'));
    Err(Error::Form {
        fault: fault.name(),
        given: argument.to_string(),
        nearest: argument.text().and_then(|text| nearest(text, words)),
        syntax: fault.syntax().iter().map(|syntax| syntax.text).collect::<Vec<_>>().join(" or "),
    })
}

/// Node names out of a text such as `B C` or `B, C`.
fn split(text: &str) -> Vec<String> {
    text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

pub(crate) fn node_of(fault: &'static str, name: &str, nodes: &[NodeName]) -> Result<NodeName, Error> {
    nodes.iter().find(|node| node.as_str() == name).cloned().ok_or_else(|| Error::UnknownNode {
        fault,
        name: name.to_owned(),
        nearest: nearest(name, nodes.iter().map(NodeName::as_str)),
        nodes: join(nodes),
    })
}

fn endpoint_of(fault: &'static str, name: &str, nodes: &[NodeName]) -> Result<Endpoint, Error> {
    match Endpoint::from(name.to_owned()) {
        Endpoint::Clients => Ok(Endpoint::Clients),
        Endpoint::Node(_) => node_of(fault, name, nodes).map(Endpoint::Node),
    }
}

/// Every link from one of `from` to one of `to`, clients to clients left out.
fn links(from: &[Endpoint], to: &[Endpoint]) -> Vec<(Endpoint, Endpoint)> {
    let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from.clone(), to.clone())));
    pairs.filter(|(from, to)| from != to).collect()
}

/// The links that a fault cuts, if it does nothing else.
fn cuts_of<'p>(planned: &'p PlannedFault) -> Option<Vec<(&'p Endpoint, &'p Endpoint)>> {
    let cut = |effect: &'p Effect| match effect {
        Effect::Cut { from, to } => Some((from, to)),
        _ => None,
    };
    planned.effects.iter().map(cut).collect()
}

/// The ends of links as a plan writes them, such as `["A", "B C"]`: where from, and where to.
fn ends_of<'a>(links: impl IntoIterator<Item = (&'a Endpoint, &'a Endpoint)>) -> Argument {
    let (mut from, mut to) = (BTreeSet::new(), BTreeSet::new());
    for link in links {
        from.insert(link.0);
        to.insert(link.1);
    }
    let side = |ends: BTreeSet<&Endpoint>| join(&ends.into_iter().collect::<Vec<_>>());
    Argument::List(vec![side(from), side(to)])
}

fn join<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn need_nodes(
    fault: &'static str,
    form: &'static str,
    needed: usize,
    nodes: &[NodeName],
) -> Result<(), Error> {
    if nodes.len() < needed {
        return Err(Error::TooFewNodes { fault, form, needed, nodes: nodes.len() });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use expect_test::expect;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    pub(crate) fn nodes(text: &str) -> Vec<NodeName> {
        text.split(' ').map(NodeName::from).collect()
    }

    /// Resolves `name = value`, for seed 1, into one line.
    pub(crate) fn resolve(line: &str, names: &str) -> String {
        let table: toml::Table = toml::from_str(line).unwrap();
        let (name, value) = table.into_iter().next().unwrap();
        let argument: Argument = value.try_into().unwrap();
        let form = match find(&name).and_then(|fault| fault.parse(&argument)) {
            Ok(form) => form,
            Err(error) => return error.to_string(),
        };
        let resolved = match form.resolve(&nodes(names), &mut ChaCha8Rng::seed_from_u64(1)) {
            Ok(resolved) => resolved,
            Err(error) => return error.to_string(),
        };
        let effects: Vec<String> = resolved.effects.iter().map(short).collect();
        format!("{}: {}", resolved.summary, effects.join(" "))
    }

    fn short(effect: &Effect) -> String {
        match effect {
            Effect::Cut { from, to } => format!("{from}⇥{to}"),
            Effect::Slow { from, to, latency_ms, jitter_ms } => {
                format!("{from}→{to}+{latency_ms}±{jitter_ms}")
            }
            Effect::Lose { from, to, percent } => format!("{from}→{to}-{percent}%"),
            Effect::Duplicate { from, to, percent } => format!("{from}→{to}×2 {percent}%"),
            Effect::Reorder { from, to, percent, by_ms } => format!("{from}→{to}~{percent}% {by_ms}"),
            Effect::Clog { from, to, after_ms, length_ms, period_ms } => {
                format!("{from}→{to} {after_ms}+{length_ms}/{period_ms}")
            }
            Effect::Kill { node } => format!("kill {node}"),
            Effect::Pause { node } => format!("pause {node}"),
            Effect::Wipe { node } => format!("wipe {node}"),
            Effect::Disk { node, trouble } => format!("disk {node} {trouble:?}").to_lowercase(),
            Effect::LoseAnswers { node, of, every } => format!("{node}⇥{every} {of}"),
            Effect::Clock { node, jump_ms, drift_ppm, strobe_ms } => {
                format!("clock {node} {jump_ms} {drift_ppm} {strobe_ms}")
            }
        }
    }

    #[test]
    fn the_registry_is_sorted_and_says_what_each_fault_is() {
        assert!(FAULTS.windows(2).all(|pair| pair[0].name() < pair[1].name()), "not sorted: {}", names());
        for fault in FAULTS {
            assert!(!fault.about().is_empty() && !fault.about().ends_with('.'), "{}", fault.name());
            assert!(!fault.syntax().is_empty(), "{}", fault.name());
            assert!(!["at", "for", "then", "when"].contains(&fault.name()));
        }
    }

    #[test]
    fn every_syntax_of_the_registry_resolves() {
        for fault in FAULTS {
            for syntax in fault.syntax() {
                let shown = resolve(&format!("{} = {}", fault.name(), syntax.text), "A B C D E");
                assert!(shown.contains(": "), "{} = {}: {shown}", fault.name(), syntax.text);
                assert!(!shown.contains("cannot") && !shown.contains("names the node"), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_drawn_resolves_and_repeats() {
        for (fault, names) in
            FAULTS.iter().flat_map(|fault| ["A B", "A B C", "A B C D E"].map(|names| (fault, names)))
        {
            for seed in 0..20 {
                let draw = || {
                    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
                    let argument = fault.draw(&nodes(names), rng);
                    fault.parse(&argument).and_then(|form| form.resolve(&nodes(names), rng)).unwrap()
                };
                assert!(!draw().effects.is_empty());
                assert_eq!(draw(), draw());
            }
        }
    }

    #[test]
    fn unknown_names_get_the_nearest_and_the_list() {
        let line = |name| find(name).err().unwrap().to_string();
        expect!["no fault is called `partion` (did you mean `partition`?); there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe"].assert_eq(&line("partion"));
        expect!["no fault is called `earthquake`; there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe"]
            .assert_eq(&line("earthquake"));
    }
}
