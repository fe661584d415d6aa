//! What a node must know about itself and its cluster before it starts.

mod error;

use serde::{Deserialize, Serialize};

use crate::ack::{AckPolicy, AckSettings, OnAckTimeout};
use crate::clock::DotSet;
use crate::defect::Defect;
use crate::delivery::Delivery;
use crate::failover::{Failover, FailoverSettings};
use crate::mode::Mode;
use crate::names::NodeName;
use crate::reads::Reads;
use crate::settings::ClusterSettings;
use crate::time::Nanos;
use crate::topology::{Edge, Epoch, Layout, Topology};

pub use error::ConfigError;

/// The most nodes that a cluster may have: every event carries a number for each.
pub const MEMBERS_MAX: usize = 32;

/// The shortest time after which a leader may count as gone.
pub const DETECT_AFTER_MIN: Nanos = Nanos::from_millis(300);

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
    /// What every node is told alike.
    pub cluster: ClusterSettings,
    /// True if what the host persists outlives a power loss. If not, the node takes a new incarnation at each start,
    /// because others may have seen events that its disk has forgotten.
    pub durable: bool,
    /// How long it waits for what.
    pub timing: Timing,
}

impl NodeSettings {
    /// A durable node, with the defaults of everything else.
    pub fn new(name: NodeName, members: Vec<NodeName>) -> NodeSettings {
        NodeSettings {
            name,
            members,
            cluster: ClusterSettings::default(),
            durable: true,
            timing: Timing::default(),
        }
    }
}

impl std::ops::Deref for NodeSettings {
    type Target = ClusterSettings;

    fn deref(&self) -> &ClusterSettings {
        &self.cluster
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
    /// For a sign of life, before a peer counts as down.
    pub silence_max: Nanos,
}

impl Timing {
    /// What suits a cluster: where it is spread over regions, answers are a long way off.
    pub fn of(cluster: &ClusterSettings) -> Timing {
        let near = Timing::default();
        if cluster.regions.is_empty() {
            return near;
        }
        let millis = Nanos::from_millis;
        Timing {
            resend_after: millis(600),
            leader_answer_max: millis(2000),
            silence_max: millis(4000),
            ..near
        }
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            resend_after: Nanos::from_millis(150),
            probe_after: Nanos::from_millis(1000),
            leader_answer_max: Nanos::from_millis(1000),
            silence_max: Nanos::from_millis(2500),
        }
    }
}

/// What a member is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Holds everything, and answers.
    Data,
    /// Keeps of each event only that it happened: it counts for acknowledgements, knows what a node with data lacks, and
    /// cannot make up for it. Source: Pâris, *Voting with witnesses* (1986).
    Witness,
    /// Keeps nothing, and passes on what it is asked.
    Router,
}

/// Settings that fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    settings: NodeSettings,
}

impl NodeConfig {
    /// Checks that the settings fit together.
    pub fn new(settings: NodeSettings) -> Result<NodeConfig, ConfigError> {
        if !settings.members.contains(&settings.name) {
            return Err(ConfigError::NotAMember { name: settings.name });
        }
        settings.check_regions()?;
        settings.check_roles()?;
        NodeConfig::of_cluster(settings)
    }

    /// The same node under another layout, in which it may have no part.
    pub fn relinked(&self, layout: &Layout) -> Result<NodeConfig, ConfigError> {
        let mut settings = self.settings.clone();
        settings.members = layout.nodes.clone();
        (settings.cluster.topology, settings.cluster.links) = (layout.topology, layout.links.clone());
        NodeConfig::of_cluster(settings)
    }

    /// Checks all that is the same at every node.
    fn of_cluster(settings: NodeSettings) -> Result<NodeConfig, ConfigError> {
        let members = &settings.members;
        if members.is_empty() {
            return Err(ConfigError::Nobody);
        }
        if members.len() > MEMBERS_MAX {
            return Err(ConfigError::TooMany { count: members.len() });
        }
        if let Some((_, name)) =
            members.iter().enumerate().find(|(index, name)| members[..*index].contains(name))
        {
            return Err(ConfigError::Twice { name: *name });
        }
        if settings.data_nodes().is_empty() {
            return Err(ConfigError::NoData);
        }
        if settings.tombstones > Nanos(0) && settings.tombstones < TOMBSTONES_MIN {
            return Err(ConfigError::Forgetful { given: settings.tombstones });
        }
        settings.check_tiers()?;
        settings.check_links()?;
        settings.check_chain()?;
        settings.check_failover()?;
        settings.check_acks()?;
        let toothless =
            settings.defects.iter().find_map(|defect| Some((defect, lacking(defect, &settings)?)));
        match toothless {
            Some((defect, needs)) => Err(ConfigError::Toothless { defect, needs }),
            None => Ok(NodeConfig { settings }),
        }
    }

    /// The layout with which the cluster begins.
    pub fn layout(&self) -> Layout {
        Layout {
            epoch: Epoch { term: 0, number: 0, by: self.members[0] },
            topology: self.topology,
            nodes: self.members.clone(),
            links: self.links.clone(),
            base: DotSet::new(),
        }
    }

    /// Who answers what is read, if it is one node for all.
    pub fn reader(&self) -> Option<NodeName> {
        match self.reads {
            Reads::Leader => self.leader(),
            Reads::Tail => self.tail(),
        }
    }

    /// The last node of a chain.
    pub fn tail(&self) -> Option<NodeName> {
        self.data_nodes().last().copied().filter(|_| self.topology == Topology::Chain)
    }

    /// The node before this one in a chain.
    pub fn predecessor(&self) -> Option<NodeName> {
        let chain = self.data_nodes();
        let place = chain.iter().position(|member| *member == self.name)?;
        let before = chain.get(place.checked_sub(1)?).copied();
        before.filter(|_| self.topology == Topology::Chain)
    }

    /// True if this node takes part.
    pub fn is_included(&self) -> bool {
        self.members.contains(&self.name)
    }

    /// The node that takes what is written here, if it is another one: the single leader, or that of the region.
    pub fn taker(&self) -> Option<NodeName> {
        self.leader().or_else(|| self.region_leader()).filter(|taker| *taker != self.name)
    }

    /// The leader of this node's region in a two-tier topology.
    pub fn region_leader(&self) -> Option<NodeName> {
        match self.topology {
            Topology::TwoTier => self.regions.leader(&self.data_nodes(), self.name),
            Topology::AllToAll
            | Topology::Chain
            | Topology::Custom
            | Topology::Ring
            | Topology::Star
            | Topology::Tree => None,
        }
    }

    /// The single leader, if the mode has one.
    pub fn leader(&self) -> Option<NodeName> {
        self.data_nodes().first().copied().filter(|_| self.mode == Mode::SingleLeader)
    }
}

impl NodeSettings {
    /// What a node is there for.
    pub fn role(&self, node: NodeName) -> Role {
        if self.witnesses.contains(&node) {
            Role::Witness
        } else if self.routers.contains(&node) {
            Role::Router
        } else {
            Role::Data
        }
    }

    /// The members that hold everything, in order.
    pub fn data_nodes(&self) -> Vec<NodeName> {
        self.members.iter().copied().filter(|node| self.role(*node) == Role::Data).collect()
    }

    /// The members that can say that they have an event, in order.
    pub fn keepers(&self) -> Vec<NodeName> {
        self.members.iter().copied().filter(|node| self.role(*node) != Role::Router).collect()
    }

    /// The nodes to which `node` sends events; none if it takes no part. Every node with data tells every witness.
    pub fn downstream(&self, node: NodeName) -> Vec<NodeName> {
        let data = self.data_nodes();
        if !data.contains(&node) {
            return Vec::new();
        }
        let witnesses = self.members.iter().copied().filter(|other| self.role(*other) == Role::Witness);
        let mut to = self.topology.downstream(&data, &self.links, &self.regions, node);
        to.extend(witnesses);
        to
    }

    fn check_roles(&self) -> Result<(), ConfigError> {
        for (role, nodes) in [("witness", &self.witnesses), ("router", &self.routers)] {
            if let Some(node) = nodes.iter().copied().find(|node| !self.members.contains(node)) {
                return Err(ConfigError::StrangeRole { node, role });
            }
        }
        match self.witnesses.iter().copied().find(|node| self.routers.contains(node)) {
            Some(node) => Err(ConfigError::TwoRoles { node }),
            None => Ok(()),
        }
    }

    /// Every node is in one region, if there are any.
    fn check_regions(&self) -> Result<(), ConfigError> {
        let placed: Vec<NodeName> = self.regions.0.iter().flat_map(|region| region.nodes.clone()).collect();
        let names: Vec<NodeName> = self.regions.0.iter().map(|region| region.name).collect();
        let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
        if let Some((_, region)) = twice {
            return Err(ConfigError::RegionTwice { region: *region });
        }
        let twice = placed.iter().enumerate().find(|(index, node)| placed[..*index].contains(node));
        if let Some((_, node)) = twice {
            return Err(ConfigError::TwoRegions { node: *node });
        }
        if let Some(node) = placed.iter().find(|node| !self.members.contains(node)) {
            return Err(ConfigError::StrangeRegion { node: *node });
        }
        match self.members.iter().find(|node| !placed.contains(node)) {
            Some(node) if !self.regions.is_empty() => Err(ConfigError::NoRegion { node: *node }),
            _ => Ok(()),
        }
    }

    fn check_tiers(&self) -> Result<(), ConfigError> {
        if self.topology == Topology::TwoTier && self.regions.is_empty() {
            return Err(ConfigError::NoRegions);
        }
        Ok(())
    }

    fn check_links(&self) -> Result<(), ConfigError> {
        let edges = &self.links.edges;
        if self.topology != Topology::Custom {
            let idle = ConfigError::Idle { setting: "links", needs: "topology custom" };
            return if edges.is_empty() { Ok(()) } else { Err(idle) };
        }
        let data = self.data_nodes();
        if edges.is_empty() && data.len() > 1 {
            return Err(ConfigError::NoLinks);
        }
        let known = |node: &NodeName| data.contains(node);
        let strange = |edge: &&Edge| !known(&edge.from) || !known(&edge.to) || edge.from == edge.to;
        if let Some(Edge { from, to }) = edges.iter().find(strange).copied() {
            let members: Vec<&str> = data.iter().map(NodeName::as_str).collect();
            return Err(ConfigError::StrangeLink { from, to, members: members.join(", ") });
        }
        for from in data.iter().copied() {
            if let Some(to) = self.unreached(from) {
                return Err(ConfigError::Unreached { from, to });
            }
        }
        Ok(())
    }

    /// A node that events of `from` never reach, if there is one.
    fn unreached(&self, from: NodeName) -> Option<NodeName> {
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(node) = reached.get(next).copied() {
            let beyond = self.downstream(node);
            reached.extend(beyond.into_iter().filter(|node| !reached.contains(node)).collect::<Vec<_>>());
            next += 1;
        }
        self.data_nodes().into_iter().find(|node| !reached.contains(node))
    }

    /// A tail is that of a chain below a single leader, which has events in the order of their head.
    fn check_chain(&self) -> Result<(), ConfigError> {
        let is_chain = self.mode == Mode::SingleLeader && self.topology == Topology::Chain;
        let idle = |setting, needs| Err(ConfigError::Idle { setting, needs });
        let needs = "mode single-leader and topology chain";
        if self.reads == Reads::Tail && !is_chain {
            return idle("reads tail", needs);
        }
        if self.ack.policy != AckPolicy::Tail {
            return Ok(());
        }
        if !is_chain {
            return idle("ack tail", needs);
        }
        if self.delivery == Delivery::Arrival {
            return idle("ack tail", "events in order: delivery causal or fifo");
        }
        if self.ack.on_timeout == Some(OnAckTimeout::Degrade) || self.ack.on_follower_down.is_some() {
            return idle(
                "giving up on a follower",
                "an ack policy that counts nodes, or on-ack-timeout fail",
            );
        }
        Ok(())
    }

    fn check_failover(&self) -> Result<(), ConfigError> {
        let idle = |setting, needs| Err(ConfigError::Idle { setting, needs });
        let built_in = FailoverSettings::default();
        let auto = self.failover.failover == Failover::Auto;
        if self.failover != built_in && self.mode != Mode::SingleLeader {
            return idle("failover", "mode single-leader");
        }
        if auto && (self.reads == Reads::Tail || self.ack.policy == AckPolicy::Tail) {
            return idle("failover auto", "reads leader, and an ack policy other than tail");
        }
        let manual =
            FailoverSettings { fencing: self.failover.fencing, rejoin: self.failover.rejoin, ..built_in };
        if !auto && self.failover != manual {
            return idle("detector, detect-after, phi or election", "failover auto");
        }
        if self.failover.detect_after < DETECT_AFTER_MIN {
            return Err(ConfigError::Hasty { given: self.failover.detect_after });
        }
        Ok(())
    }

    fn check_acks(&self) -> Result<(), ConfigError> {
        let AckSettings { policy, nodes, timeout, on_timeout, on_follower_down } = self.ack;
        let (counts, waits) = match policy {
            AckPolicy::KOfN | AckPolicy::SemiSync => (true, true),
            AckPolicy::All | AckPolicy::Majority | AckPolicy::Tail => (false, true),
            AckPolicy::Leader => (false, false),
        };
        let idle = |setting, needs| Err(ConfigError::Idle { setting, needs });
        match nodes {
            None if policy == AckPolicy::KOfN => return Err(ConfigError::Uncounted),
            Some(_) if !counts => return idle("ack-nodes", "ack k-of-n or semi-sync"),
            Some(nodes) if nodes > self.keepers().len() => {
                return Err(ConfigError::TooManyAcks { nodes, members: self.keepers().len() });
            }
            _ => {}
        }
        let waits_for = "an ack policy that waits for other nodes";
        if !waits && on_timeout.is_some() {
            return idle("on-ack-timeout", waits_for);
        }
        if !waits && on_follower_down.is_some() {
            return idle("on-follower-down", waits_for);
        }
        if timeout.is_some() && (!waits || self.ack.on_timeout() == OnAckTimeout::Block) {
            return idle("ack-timeout", "an on-ack-timeout other than block");
        }
        // A tail tells the head itself.
        if waits && policy != AckPolicy::Tail { self.check_acks_arrive() } else { Ok(()) }
    }

    /// A node acknowledges to whom it got a write from: whoever waits must send to everyone itself.
    fn check_acks_arrive(&self) -> Result<(), ConfigError> {
        let data = self.data_nodes();
        let one = self.mode == Mode::SingleLeader && self.failover.failover == Failover::Manual;
        let takers = if one { &data[..1] } else { &data[..] };
        for node in takers.iter().copied() {
            let downstream = self.downstream(node);
            let lacking =
                self.keepers().into_iter().find(|other| *other != node && !downstream.contains(other));
            if let Some(lacks) = lacking {
                let (policy, topology) = (self.ack.policy, self.topology);
                return Err(ConfigError::Unheard { policy, topology, node, lacks });
            }
        }
        Ok(())
    }
}

/// What a defect lacks in order to bite, if it does.
fn lacking(defect: Defect, settings: &NodeSettings) -> Option<&'static str> {
    match defect {
        // Whoever waits for other nodes waits for the disk meanwhile: they get nothing that is not on it.
        Defect::ConfirmBeforeDurable if settings.ack.policy != AckPolicy::Leader => Some("ack leader"),
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

    /// The nodes A and B, and what is said.
    fn with(said: &[(&str, &str)]) -> NodeSettings {
        let mut settings = settings();
        for (name, value) in said {
            crate::settings::Setting::named(name).unwrap().set(&mut settings.cluster, value).unwrap();
        }
        settings
    }

    #[test]
    fn acknowledgements_that_cannot_come_are_not_waited_for() {
        let check = |said: &[(&str, &str)], message: &str| {
            let three = ["A", "B", "C"].map(name).to_vec();
            let settings = NodeSettings { members: three, ..with(said) };
            assert_eq!(
                NodeConfig::new(settings).map_or_else(|error| error.to_string(), |_| "fits".into()),
                message
            );
        };
        check(&[("ack", "majority"), ("mode", "single-leader"), ("topology", "star")], "fits");
        check(&[("ack", "leader"), ("topology", "ring")], "fits");
        check(
            &[("ack", "semi-sync"), ("topology", "ring"), ("mode", "single-leader")],
            "ack semi-sync does not fit topology ring: in it A hears only from the nodes that it sends to, and C is not \
             among them; take a topology in which A sends to every other, or ack leader",
        );
        check(
            &[("ack", "all"), ("topology", "star"), ("mode", "lww")],
            "ack all does not fit topology star: in it B hears only from the nodes that it sends to, and C is not \
             among them; take a topology in which B sends to every other, or ack leader",
        );
        check(
            &[("ack", "k-of-n")],
            "ack k-of-n does not say how many: set ack-nodes to the number of nodes that must have a write",
        );
        check(
            &[("ack", "k-of-n"), ("ack-nodes", "4")],
            "ack-nodes 4 is more than the 3 nodes there are: no write could ever be confirmed",
        );
        let needs = |setting, needs| format!("{setting} changes nothing here: it needs {needs}");
        let waits = "an ack policy that waits for other nodes";
        check(&[("ack-nodes", "2")], &needs("ack-nodes", "ack k-of-n or semi-sync"));
        check(&[("on-ack-timeout", "fail")], &needs("on-ack-timeout", waits));
        check(&[("on-follower-down", "block")], &needs("on-follower-down", waits));
        let timeout = needs("ack-timeout", "an on-ack-timeout other than block");
        check(&[("ack-timeout", "1s"), ("ack", "all")], &timeout);
        check(&[("ack-timeout", "1s")], &timeout);
        check(&[("ack-timeout", "1s"), ("ack", "semi-sync")], "fits");
        check(
            &[("ack", "majority"), ("defects", "confirm-before-durable")],
            "defect confirm-before-durable changes nothing here: it needs ack leader",
        );
    }

    #[test]
    fn a_graph_reaches_everyone_and_a_tail_has_a_chain() {
        let check = |said: &[(&str, &str)], message: &str| {
            let three = ["A", "B", "C"].map(name).to_vec();
            let settings = NodeSettings { members: three, ..with(said) };
            let fits = NodeConfig::new(settings);
            assert_eq!(fits.map_or_else(|error| error.to_string(), |_| "fits".into()), message);
        };
        let custom = |links| [("topology", "custom"), ("links", links)];
        check(&custom("A-B+B>C+C>A"), "fits");
        check(&[("topology", "custom")], "topology custom has no links: say them, such as links=A-B+B>C");
        check(&[("links", "A-B")], "links changes nothing here: it needs topology custom");
        check(&custom("A-B+B-D"), "link B>D is not between two members: take two of A, B, C");
        check(
            &custom("A-B+C>A"),
            "what A takes would never reach C: add links until every node reaches every other",
        );
        let chain = [("mode", "single-leader"), ("topology", "chain"), ("ack", "tail"), ("reads", "tail")];
        check(&chain, "fits");
        let tail = "ack tail changes nothing here: it needs";
        check(&chain[2..3], &format!("{tail} mode single-leader and topology chain"));
        check(&chain[3..], "reads tail changes nothing here: it needs mode single-leader and topology chain");
        let unordered = [&chain[..], &[("delivery", "arrival")]].concat();
        check(&unordered, &format!("{tail} events in order: delivery causal or fifo"));
        let removes = [&chain[..], &[("on-follower-down", "remove")]].concat();
        check(
            &removes,
            "giving up on a follower changes nothing here: it needs an ack policy that counts nodes, or \
             on-ack-timeout fail",
        );
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
            with(&[("topology", "two-tier")]),
            "topology two-tier has no regions: say them, such as regions=eu:A+B/us:C+D",
        );
        check(
            with(&[("regions", "eu:A")]),
            "node B is in no region: where there are regions, every node is in one",
        );
        check(with(&[("regions", "eu:A/us:B+A")]), "node A is in regions twice: it can be in one place only");
        check(with(&[("regions", "eu:A/eu:B")]), "region eu is named twice: name all its nodes at once");
        check(
            with(&[("regions", "eu:A/us:B+C")]),
            "node C of a region is no member: take it out of the region, or add it to the cluster",
        );
        check(
            with(&[("tombstones", "20ms")]),
            "tombstones of 20ms are forgotten before a deletion has reached every node: give them 200ms or more, or 0 for ever",
        );
        check(
            with(&[("delivery", "fifo"), ("defects", "apply-dependent-early")]),
            "defect apply-dependent-early changes nothing here: it needs causal delivery",
        );
    }
}
