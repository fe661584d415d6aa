//! What does not fit together, and the mend.

use super::{DETECT_AFTER_MIN, MEMBERS_MAX, TOMBSTONES_MIN};
use crate::ack::AckPolicy;
use crate::defect::Defect;
use crate::names::NodeName;
use crate::time::Nanos;
use crate::topology::Topology;

/// What does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The node is not in the list.
    #[error("node {name} is not among the members: add it to the list, which must be the same at every node")]
    NotAMember {
        /// Which.
        name: NodeName,
    },
    /// Nobody is left.
    #[error("a cluster of no nodes can hold nothing: name at least one")]
    Nobody,
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
    /// A leader that would be given up before it can have answered.
    #[error(
        "a leader that is silent for {} may well be there: give detect-after {} or more", .given, DETECT_AFTER_MIN
    )]
    Hasty {
        /// After how much silence.
        given: Nanos,
    },
    /// A graph that says nothing.
    #[error("topology custom has no links: say them, such as links=A-B+B>C")]
    NoLinks,
    /// A link of a node that is not there.
    #[error("link {from}>{to} is not between two members: take two of {members}")]
    StrangeLink {
        /// Who would send.
        from: NodeName,
        /// To whom.
        to: NodeName,
        /// The members, with commas between them.
        members: String,
    },
    /// A graph in which something never arrives.
    #[error("what {from} takes would never reach {to}: add links until every node reaches every other")]
    Unreached {
        /// Who takes it.
        from: NodeName,
        /// Who would not hear of it.
        to: NodeName,
    },
    /// Tiers of nothing.
    #[error("topology two-tier has no regions: say them, such as regions=eu:A+B/us:C+D")]
    NoRegions,
    /// A region is named twice.
    #[error("region {region} is named twice: name all its nodes at once")]
    RegionTwice {
        /// Which.
        region: NodeName,
    },
    /// A node is in two regions, or twice in one.
    #[error("node {node} is in regions twice: it can be in one place only")]
    TwoRegions {
        /// Which.
        node: NodeName,
    },
    /// A region has a node that is not there.
    #[error("node {node} of a region is no member: take it out of the region, or add it to the cluster")]
    StrangeRegion {
        /// Which.
        node: NodeName,
    },
    /// A node is nowhere.
    #[error("node {node} is in no region: where there are regions, every node is in one")]
    NoRegion {
        /// Which.
        node: NodeName,
    },
    /// A member without data that is not there.
    #[error("{role} {node} is no member: add it to the cluster, or take it out of the {role}s")]
    StrangeRole {
        /// Which.
        node: NodeName,
        /// What it should be.
        role: &'static str,
    },
    /// Two things at once.
    #[error("node {node} cannot be witness and router: a witness passes on what it is asked anyway")]
    TwoRoles {
        /// Which.
        node: NodeName,
    },
    /// Nobody keeps anything.
    #[error("no node has data: leave at least one that is neither witness nor router")]
    NoData,
    /// A policy that counts, without a number.
    #[error("ack k-of-n does not say how many: set ack-nodes to the number of nodes that must have a write")]
    Uncounted,
    /// More acknowledgements than there are nodes.
    #[error("ack-nodes {nodes} is more than the {members} nodes there are: no write could ever be confirmed")]
    TooManyAcks {
        /// How many were asked for.
        nodes: usize,
        /// How many there are.
        members: usize,
    },
    /// Acknowledgements that do not reach who waits for them.
    #[error(
        "ack {policy} does not fit topology {topology}: in it {node} hears only from the nodes that it sends to, and \
         {lacks} is not among them; take a topology in which {node} sends to every other, or ack leader"
    )]
    Unheard {
        /// Who must acknowledge.
        policy: AckPolicy,
        /// The shape.
        topology: Topology,
        /// Who would wait.
        node: NodeName,
        /// For whom in vain.
        lacks: NodeName,
    },
    /// A setting that the others leave without effect.
    #[error("{setting} changes nothing here: it needs {needs}")]
    Idle {
        /// Which.
        setting: &'static str,
        /// What would give it effect.
        needs: &'static str,
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
