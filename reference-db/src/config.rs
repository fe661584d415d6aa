//! What a node must know about itself and its cluster before it starts.

use crate::defect::{Defect, Defects};
use crate::delivery::Delivery;
use crate::mode::Mode;
use crate::names::NodeName;
use crate::time::Nanos;
use crate::topology::Topology;

/// The most nodes that a cluster may have: every event carries a number for each.
pub const MEMBERS_MAX: usize = 32;

/// The shortest time for which tombstones may live, if not for ever.
pub const TOMBSTONES_MIN: Nanos = Nanos::from_millis(200);

/// Everything that can be set, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// This node.
    pub name: NodeName,
    /// All nodes, this one included, in the same order at every node: the first is the leader or the hub, and a ring
    /// passes on in this order.
    pub members: Vec<NodeName>,
    /// What becomes of concurrent writes.
    pub mode: Mode,
    /// Who sends to whom.
    pub topology: Topology,
    /// In which order events are applied.
    pub delivery: Delivery,
    /// Planted bugs.
    pub defects: Defects,
    /// True if what the host persists outlives a power loss. If not, the node takes a new incarnation at each start,
    /// because others may have seen events that its disk has forgotten.
    pub durable: bool,
    /// How long a node remembers that a key was deleted, from the time of the deletion on; 0 is for ever. What was
    /// written before and arrives after that brings the key back, as in most databases of the kind.
    pub tombstones: Nanos,
    /// How long it waits for what.
    pub timing: Timing,
}

impl NodeSettings {
    /// The defaults: last-write-wins, all to all, causal, durable, no defects.
    pub fn new(name: NodeName, members: Vec<NodeName>) -> NodeSettings {
        NodeSettings {
            name,
            members,
            mode: Mode::Lww,
            topology: Topology::AllToAll,
            delivery: Delivery::Causal,
            defects: Defects::default(),
            durable: true,
            tombstones: Nanos(0),
            timing: Timing::default(),
        }
    }
}

/// How long a node waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the acknowledgement of a batch, before it is sent again.
    pub resend_after: Nanos,
    /// In idleness, before a peer is asked how far it is.
    pub probe_after: Nanos,
    /// For the leader's answer to a forwarded request.
    pub leader_answer_max: Nanos,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            resend_after: Nanos::from_millis(150),
            probe_after: Nanos::from_millis(1000),
            leader_answer_max: Nanos::from_millis(1000),
        }
    }
}

/// What does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The node is not in the list.
    #[error("node {name} is not among the members: add it to the list, which must be the same at every node")]
    NotAMember {
        /// Which.
        name: NodeName,
    },
    /// A node is in the list twice.
    #[error("member {name} is listed twice: every node needs a name of its own")]
    Twice {
        /// Which.
        name: NodeName,
    },
    /// Too many nodes.
    #[error("{count} members are too many: a cluster has at most {MEMBERS_MAX}")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Deletions that would be forgotten before anybody hears of them.
    #[error(
        "tombstones of {} are forgotten before a deletion has reached every node: give them {} or more, or 0 for ever",
        .given, TOMBSTONES_MIN
    )]
    Forgetful {
        /// How long they were to live.
        given: Nanos,
    },
    /// A defect that could never bite.
    #[error("defect {defect} changes nothing here: it needs {needs}")]
    Toothless {
        /// Which.
        defect: Defect,
        /// What would let it bite.
        needs: &'static str,
    },
}

/// Settings that fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    settings: NodeSettings,
}

impl NodeConfig {
    /// Checks that the settings fit together.
    pub fn new(settings: NodeSettings) -> Result<NodeConfig, ConfigError> {
        let members = &settings.members;
        if !members.contains(&settings.name) {
            return Err(ConfigError::NotAMember { name: settings.name });
        }
        if members.len() > MEMBERS_MAX {
            return Err(ConfigError::TooMany { count: members.len() });
        }
        if let Some((_, name)) =
            members.iter().enumerate().find(|(index, name)| members[..*index].contains(name))
        {
            return Err(ConfigError::Twice { name: *name });
        }
        if settings.tombstones > Nanos(0) && settings.tombstones < TOMBSTONES_MIN {
            return Err(ConfigError::Forgetful { given: settings.tombstones });
        }
        let toothless =
            settings.defects.iter().find_map(|defect| Some((defect, lacking(defect, &settings)?)));
        match toothless {
            Some((defect, needs)) => Err(ConfigError::Toothless { defect, needs }),
            None => Ok(NodeConfig { settings }),
        }
    }

    /// The single leader, if the mode has one.
    pub fn leader(&self) -> Option<NodeName> {
        (self.mode == Mode::SingleLeader).then(|| self.members[0])
    }
}

/// What a defect lacks in order to bite, if it does.
fn lacking(defect: Defect, settings: &NodeSettings) -> Option<&'static str> {
    match defect {
        Defect::ApplyDependentEarly if settings.delivery != Delivery::Causal => Some("causal delivery"),
        Defect::ForgetTombstones | Defect::NoTieBreak if settings.mode == Mode::SingleLeader => {
            Some("a mode with several leaders")
        }
        Defect::NoTieBreak if settings.mode == Mode::Siblings => Some("a mode that compares clocks"),
        _ => None,
    }
}

impl std::ops::Deref for NodeConfig {
    type Target = NodeSettings;

    fn deref(&self) -> &NodeSettings {
        &self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NodeName {
        NodeName::new(text).unwrap()
    }

    fn settings() -> NodeSettings {
        NodeSettings::new(name("A"), vec![name("A"), name("B")])
    }

    #[test]
    fn the_defaults_fit() {
        assert_eq!(NodeConfig::new(settings()).unwrap().leader(), None);
    }

    #[test]
    fn what_does_not_fit_says_the_mend() {
        let check = |settings, message: &str| {
            assert_eq!(NodeConfig::new(settings).unwrap_err().to_string(), message);
        };
        check(
            NodeSettings { name: name("C"), ..settings() },
            "node C is not among the members: add it to the list, which must be the same at every node",
        );
        check(
            NodeSettings { members: vec![name("A"), name("B"), name("B")], ..settings() },
            "member B is listed twice: every node needs a name of its own",
        );
        check(
            NodeSettings { tombstones: Nanos::from_millis(20), ..settings() },
            "tombstones of 20ms are forgotten before a deletion has reached every node: give them 200ms or more, or 0 for ever",
        );
        check(
            NodeSettings {
                delivery: Delivery::Fifo,
                defects: [Defect::ApplyDependentEarly].into_iter().collect(),
                ..settings()
            },
            "defect apply-dependent-early changes nothing here: it needs causal delivery",
        );
    }
}
