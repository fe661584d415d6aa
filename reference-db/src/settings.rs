//! Settings: what is chosen for a whole cluster. Each has a name and is said as text, so that plans, flags and scripts
//! need to know no more of one than its line in [`SETTINGS`].
//!
//! ```text
//! mode=single-leader  topology=all-to-all  ack=semi-sync  ack-timeout=500ms
//! ```

use crate::ack::AckSettings;
use crate::choice::UnknownChoice;
use crate::defect::{Defect, Defects};
use crate::delivery::Delivery;
use crate::failover::FailoverSettings;
use crate::misdirected::Misdirected;
use crate::mode::Mode;
use crate::names::{NameError, NodeName};
use crate::reads::Reads;
use crate::region::{RegionError, Regions};
use crate::time::{DurationError, Nanos};
use crate::topology::{Graph, GraphError, Topology};

/// What every node of a cluster is told alike, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// What becomes of concurrent writes.
    pub mode: Mode,
    /// Who sends to whom.
    pub topology: Topology,
    /// In which order events are applied.
    pub delivery: Delivery,
    /// Who must have a write before it is confirmed.
    pub ack: AckSettings,
    /// Who answers what is read.
    pub reads: Reads,
    /// The links of a custom topology.
    pub links: Graph,
    /// How leadership changes.
    pub failover: FailoverSettings,
    /// Which nodes are close to each other.
    pub regions: Regions,
    /// Members that keep of each event only that it happened.
    pub witnesses: Vec<NodeName>,
    /// Members that keep nothing, and pass on what they are asked.
    pub routers: Vec<NodeName>,
    /// What becomes of requests that another node has to answer.
    pub misdirected: Misdirected,
    /// How long a node remembers that a key was deleted, from the time of the deletion on; 0 is for ever. What was
    /// written before and arrives after that brings the key back, as in most databases of the kind.
    pub tombstones: Nanos,
    /// Planted bugs.
    pub defects: Defects,
}

impl Default for ClusterSettings {
    /// Last-write-wins, all to all, causal, confirmed by the node that takes a write, no defects.
    fn default() -> ClusterSettings {
        ClusterSettings {
            mode: Mode::Lww,
            topology: Topology::AllToAll,
            delivery: Delivery::Causal,
            ack: AckSettings::default(),
            reads: Reads::Leader,
            links: Graph::default(),
            failover: FailoverSettings::default(),
            regions: Regions::default(),
            witnesses: Vec::new(),
            routers: Vec::new(),
            misdirected: Misdirected::Forward,
            tombstones: Nanos(0),
            defects: Defects::default(),
        }
    }
}

/// Why a text is no value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It names nothing that could be chosen.
    #[error(transparent)]
    Unknown(#[from] UnknownChoice),
    /// It says no links.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It says no regions.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// It names no nodes.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is no time.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// It is no threshold for phi.
    #[error("{given:?} is no threshold: take a whole number from 1 to 100, such as 8")]
    Suspicion {
        /// What was given.
        given: String,
    },
    /// It is no number of nodes.
    #[error("{given:?} is no number of nodes: take a whole number from 1")]
    Count {
        /// What was given.
        given: String,
    },
}

/// One setting.
pub struct Setting {
    /// As it is said.
    pub name: &'static str,
    /// One line for people who choose.
    pub summary: &'static str,
    set: fn(&mut ClusterSettings, &str) -> Result<(), SettingError>,
    show: fn(&ClusterSettings) -> Option<String>,
}

impl Setting {
    /// The setting of this name.
    pub fn named(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Takes a value.
    pub fn set(&self, settings: &mut ClusterSettings, value: &str) -> Result<(), SettingError> {
        (self.set)(settings, value)
    }

    /// The value that [`Setting::set`] takes for what is set, unless nothing is said.
    pub fn show(&self, settings: &ClusterSettings) -> Option<String> {
        (self.show)(settings)
    }
}

/// Every setting, sorted by name.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "ack",
        summary: "who must have a write before it is confirmed",
        set: |settings, value| assign(&mut settings.ack.policy, value.parse()),
        show: |settings| Some(settings.ack.policy.to_string()),
    },
    Setting {
        name: "ack-nodes",
        summary: "how many nodes must have it, the one that takes it included",
        set: |settings, value| assign(&mut settings.ack.nodes, count(value).map(Some)),
        show: |settings| settings.ack.nodes.map(|nodes| nodes.to_string()),
    },
    Setting {
        name: "ack-timeout",
        summary: "how long a write waits for that",
        set: |settings, value| assign(&mut settings.ack.timeout, value.parse().map(Some)),
        show: |settings| settings.ack.timeout.map(|timeout| timeout.to_string()),
    },
    Setting {
        name: "defects",
        summary: "planted bugs that are switched on",
        set: |settings, value| assign(&mut settings.defects, defects(value)),
        show: |settings| {
            let names: Vec<&str> = settings.defects.iter().map(Defect::name).collect();
            (!names.is_empty()).then(|| names.join("+"))
        },
    },
    Setting {
        name: "delivery",
        summary: "in which order events are applied",
        set: |settings, value| assign(&mut settings.delivery, value.parse()),
        show: |settings| Some(settings.delivery.to_string()),
    },
    Setting {
        name: "detect-after",
        summary: "for how long a leader is silent before it counts as gone",
        set: |settings, value| assign(&mut settings.failover.detect_after, value.parse()),
        show: |settings| Some(settings.failover.detect_after.to_string()),
    },
    Setting {
        name: "detector",
        summary: "how it is found out that a leader is gone",
        set: |settings, value| assign(&mut settings.failover.detector, value.parse()),
        show: |settings| Some(settings.failover.detector.to_string()),
    },
    Setting {
        name: "election",
        summary: "who leads next",
        set: |settings, value| assign(&mut settings.failover.election, value.parse()),
        show: |settings| Some(settings.failover.election.to_string()),
    },
    Setting {
        name: "failover",
        summary: "who has another node lead",
        set: |settings, value| assign(&mut settings.failover.failover, value.parse()),
        show: |settings| Some(settings.failover.failover.to_string()),
    },
    Setting {
        name: "fencing",
        summary: "whether the old leader can go on",
        set: |settings, value| assign(&mut settings.failover.fencing, value.parse()),
        show: |settings| Some(settings.failover.fencing.to_string()),
    },
    Setting {
        name: "links",
        summary: "the links of a custom topology: A>B one way, A-B both ways",
        set: |settings, value| assign(&mut settings.links, value.parse()),
        show: |settings| Some(settings.links.to_string()).filter(|links| !links.is_empty()),
    },
    Setting {
        name: "misdirected",
        summary: "what becomes of requests that another node has to answer",
        set: |settings, value| assign(&mut settings.misdirected, value.parse()),
        show: |settings| Some(settings.misdirected.to_string()),
    },
    Setting {
        name: "mode",
        summary: "what becomes of concurrent writes",
        set: |settings, value| assign(&mut settings.mode, value.parse()),
        show: |settings| Some(settings.mode.to_string()),
    },
    Setting {
        name: "on-ack-timeout",
        summary: "what becomes of a write that too few nodes have acknowledged in time",
        set: |settings, value| assign(&mut settings.ack.on_timeout, value.parse().map(Some)),
        show: |settings| settings.ack.on_timeout.map(|choice| choice.to_string()),
    },
    Setting {
        name: "on-follower-down",
        summary: "what becomes of writes that wait for a node which has fallen silent",
        set: |settings, value| assign(&mut settings.ack.on_follower_down, value.parse().map(Some)),
        show: |settings| settings.ack.on_follower_down.map(|choice| choice.to_string()),
    },
    Setting {
        name: "phi",
        summary: "from which suspicion on a leader counts as gone, for detector phi",
        set: |settings, value| assign(&mut settings.failover.phi, suspicion(value)),
        show: |settings| Some(settings.failover.phi.to_string()),
    },
    Setting {
        name: "reads",
        summary: "who answers what is read, where there is a single leader",
        set: |settings, value| assign(&mut settings.reads, value.parse()),
        show: |settings| Some(settings.reads.to_string()),
    },
    Setting {
        name: "regions",
        summary: "which nodes are close to each other: eu:A+B/us:C+D; in a two-tier topology the first of each leads",
        set: |settings, value| assign(&mut settings.regions, value.parse()),
        show: |settings| Some(settings.regions.to_string()).filter(|regions| !regions.is_empty()),
    },
    Setting {
        name: "rejoin",
        summary: "what becomes of what an old leader has and the new one had not",
        set: |settings, value| assign(&mut settings.failover.rejoin, value.parse()),
        show: |settings| Some(settings.failover.rejoin.to_string()),
    },
    Setting {
        name: "routers",
        summary: "members that keep nothing, and pass on what they are asked",
        set: |settings, value| assign(&mut settings.routers, nodes(value)),
        show: |settings| shown(&settings.routers),
    },
    Setting {
        name: "tombstones",
        summary: "how long a node remembers deletions; 0s is for ever",
        set: |settings, value| assign(&mut settings.tombstones, value.parse()),
        show: |settings| Some(settings.tombstones.to_string()),
    },
    Setting {
        name: "topology",
        summary: "who sends to whom",
        set: |settings, value| assign(&mut settings.topology, value.parse()),
        show: |settings| Some(settings.topology.to_string()),
    },
    Setting {
        name: "witnesses",
        summary: "members that keep of each event only that it happened, and count for acknowledgements",
        set: |settings, value| assign(&mut settings.witnesses, nodes(value)),
        show: |settings| shown(&settings.witnesses),
    },
];

fn suspicion(text: &str) -> Result<u32, SettingError> {
    let wrong = || SettingError::Suspicion { given: text.to_owned() };
    text.parse().ok().filter(|phi| (1..=100).contains(phi)).ok_or_else(wrong)
}

/// Names with `+` between them, or nothing.
fn nodes(text: &str) -> Result<Vec<NodeName>, NameError> {
    text.split('+').filter(|name| !name.is_empty()).map(NodeName::new).collect()
}

fn shown(nodes: &[NodeName]) -> Option<String> {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    (!names.is_empty()).then(|| names.join("+"))
}

fn assign<T, E: Into<SettingError>>(place: &mut T, value: Result<T, E>) -> Result<(), SettingError> {
    value.map(|value| *place = value).map_err(Into::into)
}

fn count(text: &str) -> Result<usize, SettingError> {
    let wrong = || SettingError::Count { given: text.to_owned() };
    text.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)
}

/// Names with `+` between them, or nothing.
fn defects(text: &str) -> Result<Defects, UnknownChoice> {
    text.split('+').filter(|name| !name.is_empty()).map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_shown_and_can_be_set_again() {
        let said = [
            ("ack", "semi-sync"),
            ("ack-nodes", "3"),
            ("ack-timeout", "1500ms"),
            ("defects", "forget-tombstones+no-tie-break"),
            ("delivery", "fifo"),
            ("detect-after", "700ms"),
            ("detector", "phi"),
            ("election", "highest-id"),
            ("failover", "auto"),
            ("fencing", "none"),
            ("links", "A>B+B>A"),
            ("misdirected", "reject"),
            ("mode", "single-leader"),
            ("on-ack-timeout", "fail"),
            ("on-follower-down", "remove"),
            ("phi", "5"),
            ("reads", "tail"),
            ("regions", "eu:A+B/us:C"),
            ("rejoin", "keep"),
            ("routers", "C+D"),
            ("tombstones", "2s"),
            ("topology", "ring"),
            ("witnesses", "E"),
        ];
        let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert!(names.is_sorted());
        assert_eq!(names, said.map(|(name, _)| name));
        let mut settings = ClusterSettings::default();
        for (name, value) in said {
            let setting = Setting::named(name).unwrap();
            assert!(!setting.summary.is_empty());
            assert_ne!(setting.show(&settings).as_deref(), Some(value), "{name}");
            setting.set(&mut settings, value).unwrap();
            assert_eq!(setting.show(&settings).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        let check = |name, value, message: &str| {
            let setting = Setting::named(name).unwrap();
            let error = setting.set(&mut ClusterSettings::default(), value).unwrap_err();
            assert_eq!(error.to_string(), message);
        };
        check("ack-nodes", "0", r#""0" is no number of nodes: take a whole number from 1"#);
        check("ack-timeout", "5", r#""5" is no time: write a number and ms, s, m or h, such as 250ms"#);
        check(
            "ack",
            "most",
            r#"ack policy "most" does not exist: take one of all, k-of-n, leader, majority, semi-sync, tail"#,
        );
    }
}
