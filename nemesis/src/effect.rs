//! Effects: what a resolved fault does, as data that a live network and a simulated one both obey.
//!
//! ```text
//! partition = ["A", "B C"]   becomes   cut A→B   cut A→C   cut B→A   cut C→A
//! one-way   = ["A", "B"]     becomes   cut A→B             (B still reaches A)
//! ```
//!
//! A link has a direction. What A asks of B travels on A→B; what B answers travels on B→A.

use std::collections::BTreeMap;
use std::fmt;

use histories::NodeName;
use serde::{Deserialize, Serialize};

/// How the clients, all of them together, are written as an end of a link.
pub const CLIENTS: &str = "clients";

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Endpoint {
    /// All clients together, written `clients`.
    Clients,
    /// One node, written as its name.
    Node(NodeName),
}

impl Endpoint {
    /// The node, unless it is the clients.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::Clients => None,
            Self::Node(node) => Some(node),
        }
    }

    /// The name under which events show it.
    pub fn name(&self) -> NodeName {
        match self {
            Self::Clients => NodeName::from(CLIENTS),
            Self::Node(node) => node.clone(),
        }
    }
}

impl From<String> for Endpoint {
    fn from(name: String) -> Self {
        if name == CLIENTS { Self::Clients } else { Self::Node(NodeName::from(name)) }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl From<NodeName> for Endpoint {
    fn from(node: NodeName) -> Self {
        Self::Node(node)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients => f.pad(CLIENTS),
            Self::Node(node) => f.pad(node.as_str()),
        }
    }
}

/// One thing that is done to a link, a process, a disk or a clock, and undone at the heal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Effect {
    /// One directed link carries nothing; what is sent meanwhile arrives after the heal.
    Cut {
        /// Who is not heard.
        from: Endpoint,
        /// Who does not hear.
        to: Endpoint,
    },
    /// One directed link delivers late, in order.
    Slow {
        /// Who is heard late.
        from: Endpoint,
        /// Who hears late.
        to: Endpoint,
        /// Milliseconds in the mean, above 0.
        latency_ms: u64,
        /// Milliseconds around the mean, evenly spread; at most the latency.
        jitter_ms: u64,
    },
    /// One directed link between nodes loses a share of what it carries.
    Lose {
        /// Who is not always heard.
        from: Endpoint,
        /// Who does not always hear.
        to: Endpoint,
        /// How many of a hundred messages, 1 to 100.
        percent: u32,
    },
    /// One directed link between nodes delivers a share of what it carries twice.
    Duplicate {
        /// Who is heard twice.
        from: Endpoint,
        /// Who hears twice.
        to: Endpoint,
        /// How many of a hundred messages, 1 to 100.
        percent: u32,
    },
    /// One directed link between nodes delivers a share of what it carries late, so that what was sent
    /// afterwards overtakes it.
    Reorder {
        /// Who is heard out of order.
        from: Endpoint,
        /// Who hears out of order.
        to: Endpoint,
        /// How many of a hundred messages, 1 to 100.
        percent: u32,
        /// The most milliseconds that such a message is late, above 0.
        by_ms: u64,
    },
    /// One directed link is clogged for a part of each period: what is sent meanwhile arrives afterwards.
    Clog {
        /// Who is not heard meanwhile.
        from: Endpoint,
        /// Who does not hear meanwhile.
        to: Endpoint,
        /// Milliseconds from the beginning of a period until the link is clogged.
        after_ms: u64,
        /// For how many milliseconds it is, above 0; over by the end of the period.
        length_ms: u64,
        /// Milliseconds of a period; the first begins with the fault.
        period_ms: u64,
    },
    /// A process is killed without notice; the heal starts it again.
    Kill {
        /// Whose process.
        node: NodeName,
    },
    /// A process is stopped where it stands; the heal lets it go on.
    Pause {
        /// Whose process.
        node: NodeName,
    },
    /// A process is killed and what it had stored deleted; the heal starts it again, empty.
    Wipe {
        /// Whose process and data.
        node: NodeName,
    },
    /// A disk does not do what disks do; the heal mends it, and starts its process again if that ended.
    Disk {
        /// Whose disk.
        node: NodeName,
        /// What it does instead.
        trouble: DiskTrouble,
    },
    /// A clock shows another time; the heal sets it right.
    Clock {
        /// Whose clock.
        node: NodeName,
        /// How far it jumps, in milliseconds: ahead, or back if below 0.
        jump_ms: i64,
        /// How much it gains from then on, in parts per million: it is fast, or slow if below 0.
        drift_ppm: i64,
        /// If above 0 it shows the wrong and the right time in turn, each for so many milliseconds.
        strobe_ms: u64,
    },
}

/// What a disk does instead of its duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskTrouble {
    /// Answers a sync with an error. Nobody knows then what is durable, so a sound process ends.
    Error,
    /// Has no room for a write, so the process ends.
    Full,
    /// Says that it has synced, and has not: a crash takes it.
    Lies,
    /// The power goes in the middle of a write.
    Torn,
}

impl Effect {
    /// What the effect is done to.
    pub fn target(&self) -> Target {
        match self {
            Self::Cut { from, to }
            | Self::Slow { from, to, .. }
            | Self::Lose { from, to, .. }
            | Self::Duplicate { from, to, .. }
            | Self::Reorder { from, to, .. }
            | Self::Clog { from, to, .. } => Target::Link(from.clone(), to.clone()),
            Self::Kill { node } | Self::Pause { node } | Self::Wipe { node } => Target::Process(node.clone()),
            Self::Disk { node, .. } => Target::Disk(node.clone()),
            Self::Clock { node, .. } => Target::Clock(node.clone()),
        }
    }

    /// The directed link to which it is done, if it is one.
    pub fn link(&self) -> Option<(Endpoint, Endpoint)> {
        match self.target() {
            Target::Link(from, to) => Some((from, to)),
            Target::Process(_) | Target::Disk(_) | Target::Clock(_) => None,
        }
    }

    /// The node to which it is done, if it is one.
    pub fn node(&self) -> Option<NodeName> {
        match self.target() {
            Target::Link(..) => None,
            Target::Process(node) | Target::Disk(node) | Target::Clock(node) => Some(node),
        }
    }

    /// Whether it ends or stops the process, so that no other fault of that process makes sense meanwhile.
    pub fn needs_process(&self) -> bool {
        match self {
            Self::Kill { .. } | Self::Pause { .. } | Self::Wipe { .. } => true,
            Self::Disk { trouble, .. } => *trouble != DiskTrouble::Lies,
            Self::Cut { .. }
            | Self::Slow { .. }
            | Self::Lose { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Clog { .. }
            | Self::Clock { .. } => false,
        }
    }
}

/// What an effect is done to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The directed link from, to.
    Link(Endpoint, Endpoint),
    /// The node's process.
    Process(NodeName),
    /// The node's disk.
    Disk(NodeName),
    /// The node's clock.
    Clock(NodeName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(from, to) => write!(f, "link {from} → {to}"),
            Self::Process(node) => write!(f, "process {node}"),
            Self::Disk(node) => write!(f, "disk {node}"),
            Self::Clock(node) => write!(f, "clock {node}"),
        }
    }
}

/// Which effects are in force, when several faults may cut one link.
///
/// A link that two faults cut is whole again once both have healed.
#[derive(Debug, Clone, Default)]
pub struct InForce(BTreeMap<Effect, u32>);

impl InForce {
    /// Counts the effects in; gives those that were not yet in force, which must now be done.
    pub fn inject<'a>(&mut self, effects: &'a [Effect]) -> Vec<&'a Effect> {
        effects.iter().filter(|effect| self.enter(effect)).collect()
    }

    /// Counts the effects out; gives those that are no longer in force, which must now be undone.
    pub fn heal<'a>(&mut self, effects: &'a [Effect]) -> Vec<&'a Effect> {
        effects.iter().filter(|effect| self.leave(effect)).collect()
    }

    /// Every effect in force, once.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.0.keys()
    }

    fn enter(&mut self, effect: &Effect) -> bool {
        let count = self.0.entry(effect.clone()).or_default();
        *count += 1;
        *count == 1
    }

    fn leave(&mut self, effect: &Effect) -> bool {
        let count = self.0.get_mut(effect);
        assert!(count.is_some(), "an effect heals that is not in force: {effect:?}");
        let last = count.is_some_and(|count| {
            *count -= 1;
            *count == 0
        });
        if last {
            self.0.remove(effect);
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(from: &str, to: &str) -> Effect {
        Effect::Cut { from: Endpoint::from(from.to_owned()), to: Endpoint::from(to.to_owned()) }
    }

    #[test]
    fn a_link_cut_twice_is_whole_after_the_second_heal() {
        let (first, second) = ([cut("A", "B"), cut("B", "A")], [cut("A", "B")]);
        let mut in_force = InForce::default();
        assert_eq!(in_force.inject(&first).len(), 2);
        assert_eq!(in_force.inject(&second).len(), 0);
        assert_eq!(in_force.heal(&first), [&first[1]]);
        assert_eq!(in_force.heal(&second), [&second[0]]);
    }

    #[test]
    fn effects_are_short_in_json() {
        let slow = Effect::Slow {
            from: Endpoint::Clients,
            to: NodeName::from("A").into(),
            latency_ms: 200,
            jitter_ms: 50,
        };
        let text = serde_json::to_string(&slow).unwrap();
        assert_eq!(text, r#"{"slow":{"from":"clients","to":"A","latency-ms":200,"jitter-ms":50}}"#);
        assert_eq!(serde_json::from_str::<Effect>(&text).unwrap(), slow);
    }
}
