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
use crate::trigger::CallKind;

/// How the clients, all of them together, are written as an end of a link.
pub const CLIENTS: &str = "clients";

/// The farthest jump of a clock: a day.
pub(crate) const JUMP_MAX_MS: u64 = 24 * 3_600_000;
/// The most that a clock is fast or slow.
pub(crate) const DRIFT_MAX_PPM: u64 = 500_000;

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

    fn node_mut(&mut self) -> Option<&mut NodeName> {
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
    /// A node does what clients ask, and some of its answers never reach them.
    LoseAnswers {
        /// Whose answers.
        node: NodeName,
        /// Answers to calls of this kind that say that it was done.
        of: CallKind,
        /// Every so-manieth is lost, above 0.
        every: u64,
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
            Self::LoseAnswers { node, .. } => Target::Answers(node.clone()),
            Self::Clock { node, .. } => Target::Clock(node.clone()),
        }
    }

    /// The names of the nodes to which it is done, to be changed.
    pub fn nodes_mut(&mut self) -> Vec<&mut NodeName> {
        match self {
            Self::Cut { from, to }
            | Self::Slow { from, to, .. }
            | Self::Lose { from, to, .. }
            | Self::Duplicate { from, to, .. }
            | Self::Reorder { from, to, .. }
            | Self::Clog { from, to, .. } => [from, to].into_iter().filter_map(Endpoint::node_mut).collect(),
            Self::Kill { node }
            | Self::Pause { node }
            | Self::Wipe { node }
            | Self::Disk { node, .. }
            | Self::LoseAnswers { node, .. }
            | Self::Clock { node, .. } => vec![node],
        }
    }

    /// The power that it takes.
    pub fn needs(&self) -> Control {
        match self {
            Self::Cut { .. } | Self::Slow { .. } | Self::Clog { .. } => Control::Network,
            Self::Lose { .. } | Self::Duplicate { .. } | Self::Reorder { .. } => Control::Packets,
            Self::Kill { .. } | Self::Pause { .. } => Control::Process,
            Self::Wipe { .. } => Control::Data,
            Self::Disk { .. } => Control::Disk,
            Self::LoseAnswers { .. } => Control::Answers,
            Self::Clock { .. } => Control::Clock,
        }
    }

    /// What is wrong with its numbers, if something is. Those that a kind of fault made are right.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let between_nodes = |from: &Endpoint, to: &Endpoint| from.node().is_some() && to.node().is_some();
        match self {
            Self::Slow { latency_ms: 0, .. } => Some("the latency is 0"),
            Self::Slow { latency_ms, jitter_ms, .. } if jitter_ms > latency_ms => {
                Some("the jitter is more than the latency")
            }
            Self::Lose { percent, .. } | Self::Duplicate { percent, .. } | Self::Reorder { percent, .. }
                if !(1..=100).contains(percent) =>
            {
                Some("the share is not from 1 to 100 percent")
            }
            Self::Lose { from, to, .. }
            | Self::Duplicate { from, to, .. }
            | Self::Reorder { from, to, .. }
                if !between_nodes(from, to) =>
            {
                Some("clients speak over connections, where no message is lost, doubled or overtaken")
            }
            Self::LoseAnswers { every: 0, .. } => Some("every 0th is none"),
            Self::Reorder { by_ms: 0, .. } => Some("it is late by 0 ms"),
            Self::Clog { length_ms: 0, .. } => Some("it lasts 0 ms"),
            Self::Clog { after_ms, length_ms, period_ms, .. }
                if after_ms.saturating_add(*length_ms) > *period_ms =>
            {
                Some("it outlasts its period")
            }
            Self::Clock { jump_ms, drift_ppm, .. }
                if jump_ms.unsigned_abs() > JUMP_MAX_MS || drift_ppm.unsigned_abs() > DRIFT_MAX_PPM =>
            {
                Some("a clock jumps by at most a day and gains at most 500000 ppm")
            }
            Self::Cut { .. }
            | Self::Slow { .. }
            | Self::Lose { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Clog { .. }
            | Self::Kill { .. }
            | Self::Pause { .. }
            | Self::Wipe { .. }
            | Self::Disk { .. }
            | Self::LoseAnswers { .. }
            | Self::Clock { .. } => None,
        }
    }

    /// The directed link to which it is done, if it is one.
    pub fn link(&self) -> Option<(Endpoint, Endpoint)> {
        match self.target() {
            Target::Link(from, to) => Some((from, to)),
            Target::Process(_) | Target::Disk(_) | Target::Answers(_) | Target::Clock(_) => None,
        }
    }

    /// The node to which it is done, if it is one.
    pub fn node(&self) -> Option<NodeName> {
        match self.target() {
            Target::Link(..) => None,
            Target::Process(node) | Target::Disk(node) | Target::Answers(node) | Target::Clock(node) => {
                Some(node)
            }
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
            | Self::LoseAnswers { .. }
            | Self::Clock { .. } => false,
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
            Self::Cut { .. } | Self::Pause { .. } | Self::Clog { .. } => Vec::new(),
            Self::LoseAnswers { node, of, every } => {
                let (node, of) = (node.clone(), *of);
                every.checked_mul(2).map(|every| Self::LoseAnswers { node, of, every }).into_iter().collect()
            }
            Self::Kill { node } => vec![Self::Pause { node: node.clone() }],
            Self::Wipe { node } => vec![Self::Kill { node: node.clone() }],
            Self::Disk { trouble: DiskTrouble::Lies, .. } => Vec::new(),
            Self::Disk { node, .. } => vec![Self::Kill { node: node.clone() }],
            Self::Slow { from, to, latency_ms, jitter_ms } => {
                let slow = |latency_ms, jitter_ms| {
                    let (from, to) = (from.clone(), to.clone());
                    Self::Slow { from, to, latency_ms, jitter_ms }
                };
                let even = (*jitter_ms > 0).then(|| slow(*latency_ms, 0));
                let half = (*latency_ms > 1).then(|| slow(latency_ms / 2, 0));
                even.into_iter().chain(half).collect()
            }
            Self::Lose { from, to, percent } => half(*percent)
                .map(|percent| Self::Lose { from: from.clone(), to: to.clone(), percent })
                .collect(),
            Self::Duplicate { from, to, percent } => half(*percent)
                .map(|percent| Self::Duplicate { from: from.clone(), to: to.clone(), percent })
                .collect(),
            Self::Reorder { from, to, percent, by_ms } => half(*percent)
                .map(|percent| Self::Reorder { from: from.clone(), to: to.clone(), percent, by_ms: *by_ms })
                .collect(),
            Self::Clock { node, jump_ms, drift_ppm, strobe_ms } => {
                let clock = |jump_ms, drift_ppm, strobe_ms| {
                    let node = node.clone();
                    Self::Clock { node, jump_ms, drift_ppm, strobe_ms }
                };
                let steady = (*strobe_ms > 0).then(|| clock(*jump_ms, *drift_ppm, 0));
                let jump = (*drift_ppm != 0 && *jump_ms != 0).then(|| clock(*jump_ms, 0, *strobe_ms));
                let half = (jump_ms.abs() > 1).then(|| clock(jump_ms / 2, *drift_ppm, *strobe_ms));
                steady.into_iter().chain(jump).chain(half).collect()
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
            Self::Lose { from, to, percent } => write!(f, "lose {percent}% of {from} → {to}"),
            Self::Duplicate { from, to, percent } => write!(f, "double {percent}% of {from} → {to}"),
            Self::Reorder { from, to, percent, by_ms } => {
                write!(f, "reorder {percent}% of {from} → {to} by up to {by_ms} ms")
            }
            Self::Clog { from, to, after_ms, length_ms, period_ms } => {
                write!(f, "clog {from} → {to} after {after_ms} ms for {length_ms} of {period_ms} ms")
            }
            Self::Kill { node } => write!(f, "kill {node}"),
            Self::Pause { node } => write!(f, "pause {node}"),
            Self::Wipe { node } => write!(f, "wipe {node}"),
            Self::Disk { node, trouble } => write!(f, "disk of {node} {trouble}"),
            Self::LoseAnswers { node, of, every } => {
                write!(f, "lose 1 in {every} answers of {node} to {of}")
            }
            Self::Clock { node, jump_ms, drift_ppm, strobe_ms } => {
                write!(f, "clock of {node} {}", wrong(*jump_ms, *drift_ppm, *strobe_ms))
            }
        }
    }
}

/// How a clock is wrong, such as `+2000 ms, to and fro every 100 ms`.
pub(crate) fn wrong(jump_ms: i64, drift_ppm: i64, strobe_ms: u64) -> String {
    let jump = (jump_ms != 0).then(|| format!("{jump_ms:+} ms"));
    let drift = (drift_ppm != 0).then(|| format!("{drift_ppm:+} ppm"));
    let strobe = (strobe_ms != 0).then(|| format!("to and fro every {strobe_ms} ms"));
    jump.into_iter().chain(drift).chain(strobe).collect::<Vec<_>>().join(", ")
}

/// Half of a share, if it is one.
fn half(percent: u32) -> std::option::IntoIter<u32> {
    (percent > 1).then_some(percent / 2).into_iter()
}

impl fmt::Display for DiskTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "errs",
            Self::Full => "is full",
            Self::Lies => "lies",
            Self::Torn => "tears a write",
        })
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
    /// The node's answers to clients.
    Answers(NodeName),
    /// The node's clock.
    Clock(NodeName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(from, to) => write!(f, "link {from} → {to}"),
            Self::Process(node) => write!(f, "process {node}"),
            Self::Disk(node) => write!(f, "disk {node}"),
            Self::Answers(node) => write!(f, "answers of {node}"),
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
