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

use crate::Control;

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

/// One thing that is done to a link or a process, and undone at the heal.
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
}

impl Effect {
    /// What the effect is done to.
    pub fn target(&self) -> Target {
        match self {
            Self::Cut { from, to } | Self::Slow { from, to, .. } => Target::Link(from.clone(), to.clone()),
            Self::Kill { node } | Self::Pause { node } => Target::Process(node.clone()),
        }
    }

    /// Effects that do less to the same target, the weakest last: what a smaller proof is tried with.
    ///
    /// ```text
    /// kill A          pause A                       the process keeps what it holds
    /// slow by 200 ms  slow by 100 ms, no jitter     half as late; as late, but evenly
    /// ```
    pub fn weaker(&self) -> Vec<Self> {
        match self {
            Self::Cut { .. } | Self::Pause { .. } => Vec::new(),
            Self::Kill { node } => vec![Self::Pause { node: node.clone() }],
            Self::Slow { from, to, latency_ms, jitter_ms } => {
                let slow = |latency_ms, jitter_ms| {
                    let (from, to) = (from.clone(), to.clone());
                    Self::Slow { from, to, latency_ms, jitter_ms }
                };
                let even = (*jitter_ms > 0).then(|| slow(*latency_ms, 0));
                let half = (*latency_ms > 1).then(|| slow(latency_ms / 2, 0));
                even.into_iter().chain(half).collect()
            }
        }
    }
}

/// In a few words, such as `cut A → B` or `kill C`.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { from, to } => write!(f, "cut {from} → {to}"),
            Self::Slow { from, to, latency_ms, jitter_ms: 0 } => {
                write!(f, "slow {from} → {to} + {latency_ms} ms")
            }
            Self::Slow { from, to, latency_ms, jitter_ms } => {
                write!(f, "slow {from} → {to} + {latency_ms} ms ± {jitter_ms} ms")
            }
            Self::Kill { node } => write!(f, "kill {node}"),
            Self::Pause { node } => write!(f, "pause {node}"),
        }
    }
}

impl Target {
    /// The power that it takes to do something to it.
    pub fn needs(&self) -> Control {
        match self {
            Self::Link(..) => Control::Network,
            Self::Process(_) => Control::Process,
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
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(from, to) => write!(f, "link {from} → {to}"),
            Self::Process(node) => write!(f, "process {node}"),
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
