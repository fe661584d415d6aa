//! Acknowledgement: how many nodes must have a write before its client hears that it is done.
//!
//! ```text
//!             leader          semi-sync, k-of-n 2         majority of 5            all
//! A has it    confirmed       |                           |                        |
//! B has it    .               confirmed                   |                        |
//! C has it    .               .                           confirmed                |
//! E has it    .               .                           .                        confirmed
//! ```
//!
//! A confirmed write outlives as many lost disks as other nodes had to have it. It costs their round trip, and a node
//! that is away may hold it up: [`OnAckTimeout`] and [`OnFollowerDown`] say what then. Whatever they give up for
//! going on, they give up for every write until the others are in sync again, and each answer names who has it.
//!
//! | | a write waits for | its client hears |
//! |---|---|---|
//! | `block` | as long as it takes | nothing, or after its own patience that it is unknown |
//! | `degrade` | nobody, once too few have answered in time | that only this node has it |
//! | `fail` | the time-out | that nobody knows |
//! | `remove` | all nodes that count; one that is silent does not, until it is in sync again | who has it |

mod all;
mod k_of_n;
mod leader;
mod majority;
mod semi_sync;
mod tail;

use crate::choice::choices;
use crate::time::Nanos;

choices! {
    /// Who must have a write before it is confirmed. Each has a file of its own.
    pub enum AckPolicy ("ack policy") {
        All = "all", "every node has it";
        KOfN = "k-of-n", "as many nodes as ack-nodes says have it, the one that takes it included";
        Leader = "leader", "the node that takes it has it; the others hear of it later";
        Majority = "majority", "more than half of the nodes have it";
        SemiSync = "semi-sync", "one other node has it, or none if it does not answer in time";
        Tail = "tail", "the tail of a chain has it, and so every node has";
    }
}

choices! {
    /// What becomes of a write that too few nodes have acknowledged in time.
    pub enum OnAckTimeout ("what to do on an ack time-out") {
        Block = "block", "wait on";
        Degrade = "degrade", "confirm it, and all that follow, until enough nodes are in sync again";
        Fail = "fail", "answer that nobody knows whether it will last";
    }
}

choices! {
    /// What becomes of writes that wait for a node which has fallen silent.
    pub enum OnFollowerDown ("what to do when a follower is down") {
        Block = "block", "wait on";
        Degrade = "degrade", "confirm them if too few nodes are left, until enough are in sync again";
        Remove = "remove", "do not count it until it is in sync again";
    }
}

/// How writes are acknowledged; what is not said is as the policy has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckSettings {
    /// Who must have a write.
    pub policy: AckPolicy,
    /// How many, for a policy that counts.
    pub nodes: Option<usize>,
    /// How long a write waits.
    pub timeout: Option<Nanos>,
    /// And what then.
    pub on_timeout: Option<OnAckTimeout>,
    /// What when a node does not answer at all.
    pub on_follower_down: Option<OnFollowerDown>,
}

impl Default for AckSettings {
    fn default() -> AckSettings {
        AckSettings {
            policy: AckPolicy::Leader,
            nodes: None,
            timeout: None,
            on_timeout: None,
            on_follower_down: None,
        }
    }
}

impl AckSettings {
    /// How many nodes must have a write, the one that takes it included, of so many that count.
    pub fn needed(&self, counted: usize) -> usize {
        match self.policy {
            AckPolicy::All => all::needed(counted),
            // Nobody has checked settings without a number to be used: then all is the safe reading.
            AckPolicy::KOfN => k_of_n::needed(self.nodes.unwrap_or(counted), counted),
            AckPolicy::Leader => leader::needed(),
            AckPolicy::Majority => majority::needed(counted),
            AckPolicy::SemiSync => semi_sync::needed(self.nodes.unwrap_or(semi_sync::NODES), counted),
            AckPolicy::Tail => tail::needed(counted),
        }
    }

    /// How many nodes are sure to have a confirmed write, of so many in the cluster, whatever happened meanwhile.
    pub fn promised(&self, members: usize) -> usize {
        let gives_up = self.on_timeout() == OnAckTimeout::Degrade
            || matches!(self.on_follower_down(), OnFollowerDown::Degrade | OnFollowerDown::Remove);
        if gives_up { 1 } else { self.needed(members) }
    }

    /// How long a write waits.
    pub fn timeout(&self) -> Nanos {
        self.timeout.unwrap_or(semi_sync::TIMEOUT)
    }

    /// What becomes of it then.
    pub fn on_timeout(&self) -> OnAckTimeout {
        match self.policy {
            AckPolicy::SemiSync => self.on_timeout.unwrap_or(semi_sync::ON_TIMEOUT),
            AckPolicy::All | AckPolicy::KOfN | AckPolicy::Leader | AckPolicy::Majority | AckPolicy::Tail => {
                self.on_timeout.unwrap_or(OnAckTimeout::Block)
            }
        }
    }

    /// What becomes of writes that wait for a silent node.
    pub fn on_follower_down(&self) -> OnFollowerDown {
        self.on_follower_down.unwrap_or(OnFollowerDown::Block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: AckPolicy, nodes: Option<usize>, needed_of_1_to_5: [usize; 5]) {
        let ack = AckSettings { policy, nodes, ..AckSettings::default() };
        assert_eq!([1, 2, 3, 4, 5].map(|counted| ack.needed(counted)), needed_of_1_to_5, "{policy}");
    }

    #[test]
    fn each_policy_asks_for_its_number_and_never_for_more_than_there_are() {
        check(AckPolicy::All, None, [1, 2, 3, 4, 5]);
        check(AckPolicy::KOfN, Some(3), [1, 2, 3, 3, 3]);
        check(AckPolicy::Leader, None, [1, 1, 1, 1, 1]);
        check(AckPolicy::Majority, None, [1, 2, 2, 3, 3]);
        check(AckPolicy::SemiSync, None, [1, 2, 2, 2, 2]);
        check(AckPolicy::SemiSync, Some(3), [1, 2, 3, 3, 3]);
        check(AckPolicy::Tail, None, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_gives_up_promises_one_node_only() {
        let majority = AckSettings { policy: AckPolicy::Majority, ..AckSettings::default() };
        let remove = Some(OnFollowerDown::Remove);
        assert_eq!(majority.promised(5), 3);
        assert_eq!(AckSettings { on_follower_down: remove, ..majority }.promised(5), 1);
        assert_eq!(AckSettings { policy: AckPolicy::SemiSync, ..majority }.promised(5), 1);
        let blocks = Some(OnAckTimeout::Block);
        assert_eq!(
            AckSettings { policy: AckPolicy::SemiSync, on_timeout: blocks, ..majority }.promised(5),
            2
        );
    }
}
