//! Leading: who leads, whether it still may, and how another takes over.
//!
//! ```text
//! follower ── leader suspect ─► candidate: "canvass 5" to all that keep events ── votes of a majority ─► leader of term 5
//!     ▲                            │ not enough in time: again, later than others                           │
//!     └────────────── hears of a later term, or of a leader that is not gone ◄──────────────────────────────┘
//! ```
//!
//! A vote is a promise, and on disk before it is given: who has promised term 5 takes no events from an earlier one, and
//! does not let an earlier leader know that it has heard from it. So a leader that a majority has left cannot confirm
//! anything by acknowledgements, and its lease runs out: each message says when it was sent by its sender's clock, and
//! brings back the latest such time of the receiver; once a majority has not brought back anything recent, the leader
//! refuses to answer. No voter gives its vote before it has heard nothing from the leader for longer than a lease lasts.
//!
//! What a leader reads may be a write that a majority does not have yet, and that the next leader may not have: the answer
//! waits as that write does. And a new leader answers once a majority has what its term began with.
//!
//! Without fencing none of that is asked for: whoever suspects the leader leads, if by the rule it may.
//!
//! Limits: a lease relies on clocks that run at about the same speed, not on what they show; a clock that is stopped or
//! set back makes it last too long.

use std::collections::BTreeSet;

use super::{Node, Output};
use crate::clock::DotSet;
use crate::config::{NodeConfig, Role};
use crate::conflict;
use crate::delivery::HoldBack;
use crate::failover::{Candidate, Election, Failover, Fencing, Pulse, Rejoin};
use crate::message::Body;
use crate::names::{Dot, NodeName};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::{Response, SyncState};
use crate::time::Nanos;
use crate::topology::Relink;

/// How long a candidate waits for votes before it asks again, and how much longer than the one before it each waits first.
const CAMPAIGN_MAX: Nanos = Nanos::from_millis(500);
const STAGGER: Nanos = Nanos::from_millis(250);

/// What a node knows of who leads, and who may.
#[derive(Debug)]
pub(super) struct Leadership {
    /// Of the leader that is in force.
    pulse: Pulse,
    /// The greatest term for which it has promised its vote.
    promised: u64,
    campaign: Option<Campaign>,
    /// How many campaigns in a row came to nothing.
    defeats: u32,
    /// When it last spoke up as a leader.
    spoke_at: Nanos,
}

#[derive(Debug)]
struct Campaign {
    term: u64,
    votes: BTreeSet<NodeName>,
    since: Nanos,
}

impl Leadership {
    pub(super) fn new(now: Nanos) -> Leadership {
        Leadership { pulse: Pulse::new(now), promised: 0, campaign: None, defeats: 0, spoke_at: now }
    }

    /// Another term begins.
    pub(super) fn begin(&mut self, now: Nanos) {
        self.pulse = Pulse::new(now);
        (self.campaign, self.defeats) = (None, 0);
    }

    pub(super) fn promise(&mut self, term: u64) {
        self.promised = self.promised.max(term);
    }
}

impl Node {
    /// Does what leading and following is made of, now and then.
    pub(super) fn lead_or_follow(&mut self, outputs: &mut Vec<Output>) {
        if !self.fails_over() {
            return;
        }
        if self.leads() {
            self.speak_up(outputs);
            // Somebody has promised another term: this node needs a later one to be taken for the leader again.
            if self.is_outbid() && self.is_eligible() {
                self.campaign(outputs);
            }
        } else if self.is_eligible() && self.suspects() {
            self.campaign(outputs);
        }
    }

    fn fails_over(&self) -> bool {
        self.config.leader().is_some() && self.config.failover.failover == Failover::Auto
    }

    /// True if a leader needs a majority.
    pub(super) fn is_fenced(&self) -> bool {
        self.fails_over() && self.config.failover.fencing == Fencing::Epoch
    }

    pub(super) fn leads(&self) -> bool {
        self.config.leader() == Some(self.config.name)
    }

    fn is_eligible(&self) -> bool {
        let takes_part = self.config.is_included() && self.state == SyncState::InSync && self.apart == 0;
        takes_part && self.config.role(self.config.name) == Role::Data
    }

    /// The greatest term in whose favour this node has spoken.
    pub(super) fn promised(&self) -> u64 {
        self.leadership.promised.max(self.layout.epoch.term)
    }

    /// The greatest term in whose favour any node has spoken.
    fn greatest_promise(&self) -> u64 {
        let heard = self.links.iter().filter_map(|(_, link)| link.heard.as_ref());
        heard.map(|heard| heard.promised).max().unwrap_or_default().max(self.promised())
    }

    fn is_outbid(&self) -> bool {
        self.is_fenced() && self.greatest_promise() > self.layout.epoch.term
    }

    /// Later for each node than for the one before it, so that not all of them ask for votes at once.
    fn suspects(&self) -> bool {
        let mut rivals = self.config.data_nodes();
        if self.config.failover.election == Election::HighestId {
            rivals.sort_unstable_by(|one, other| other.cmp(one));
        }
        let place = rivals.iter().position(|node| *node == self.config.name).unwrap_or_default() as u64;
        let waits = Nanos(STAGGER.0.saturating_mul(place));
        self.leadership.pulse.is_suspect(self.now, &self.config.failover, waits)
    }

    /// Takes notice of a message if it is the leader's.
    pub(super) fn hear_leader(&mut self, from: NodeName, term: u64) {
        if self.config.leader() == Some(from) && term == self.layout.epoch.term {
            self.leadership.pulse.beat(self.now);
            // It is not gone after all.
            self.leadership.campaign = None;
        }
    }

    fn speak_up(&mut self, outputs: &mut Vec<Output>) {
        if self.now.is_due(self.leadership.spoke_at, self.config.failover.heartbeat()) {
            self.leadership.spoke_at = self.now;
            for peer in self.others() {
                self.send(peer, Body::Push { events: Vec::new() }, outputs);
            }
        }
    }

    /// Every other node that can vote.
    fn others(&self) -> Vec<NodeName> {
        let keepers = self.config.keepers();
        keepers.into_iter().filter(|node| *node != self.config.name).collect()
    }

    fn majority(&self) -> usize {
        self.config.keepers().len() / 2 + 1
    }

    /// Asks for votes, unless it has just done so.
    fn campaign(&mut self, outputs: &mut Vec<Output>) {
        let patience = Nanos(CAMPAIGN_MAX.0.saturating_mul(u64::from(self.leadership.defeats.min(6)) + 1));
        if let Some(campaign) = &self.leadership.campaign {
            if !self.now.is_due(campaign.since, patience) {
                return;
            }
            self.leadership.defeats = self.leadership.defeats.saturating_add(1);
        }
        let term = self.greatest_promise().saturating_add(1);
        self.give_promise(term, outputs);
        let votes = BTreeSet::from([self.config.name]);
        self.leadership.campaign = Some(Campaign { term, votes, since: self.now });
        for peer in self.others() {
            self.send(peer, Body::Canvass { term }, outputs);
        }
        self.count_votes(outputs);
    }

    fn give_promise(&mut self, term: u64, outputs: &mut Vec<Output>) {
        self.leadership.promise(term);
        outputs.push(Output::Persist(Record::Promise { term }));
    }

    /// Another node asks for this one's vote.
    pub(super) fn canvassed(&mut self, from: NodeName, term: u64, outputs: &mut Vec<Output>) {
        if self.may_vote(from, term) {
            self.give_promise(term, outputs);
            self.send(from, Body::Vote { term }, outputs);
        } else {
            // It may have much to learn from what this node says of itself.
            self.send(from, Body::Ack, outputs);
        }
    }

    fn may_vote(&self, candidate: NodeName, term: u64) -> bool {
        let Some(heard) = self.links.heard(candidate) else { return false };
        let settled = self.is_fenced() && term > self.promised() && self.state == SyncState::InSync;
        let leader = self.config.leader();
        // Not before a lease has run out, whatever the detector says; the leader itself may have another term any time.
        let silent = || self.leadership.pulse.is_silent_for(self.now, self.config.failover.detect_after);
        let free = leader == Some(candidate) || (!self.leads() && silent());
        let applied = heard.applied.clone();
        let named = Candidate { name: candidate, applied: &applied };
        let allowed = || {
            let rivals = self.speaking_rivals().into_iter().chain([self.config.name]);
            let rivals = rivals.filter(|node| self.config.role(*node) == Role::Data);
            self.config.failover.election.allows(&named, &self.applied, rivals)
        };
        settled && free && self.config.data_nodes().contains(&candidate) && allowed()
    }

    /// Other nodes with data that speak, but for the leader.
    fn speaking_rivals(&self) -> Vec<NodeName> {
        let leader = self.config.leader();
        let rivals = self.config.data_nodes().into_iter();
        let rivals = rivals.filter(|node| *node != self.config.name && Some(*node) != leader);
        rivals.filter(|node| !self.is_down(self.now, *node)).collect()
    }

    pub(super) fn voted(&mut self, from: NodeName, term: u64, outputs: &mut Vec<Output>) {
        let campaign = self.leadership.campaign.as_mut().filter(|campaign| campaign.term == term);
        if let Some(campaign) = campaign {
            campaign.votes.insert(from);
            self.count_votes(outputs);
        }
    }

    fn count_votes(&mut self, outputs: &mut Vec<Output>) {
        let Some(campaign) = &self.leadership.campaign else { return };
        let (term, votes) = (campaign.term, campaign.votes.len());
        // Without fencing nobody has to agree.
        let enough = if self.is_fenced() { votes >= self.majority() } else { self.is_first_by_rule() };
        if enough {
            self.take_over(term, outputs);
        }
    }

    /// True if no node that speaks should lead rather than this one.
    fn is_first_by_rule(&self) -> bool {
        let rivals = self.speaking_rivals();
        let candidate = Candidate { name: self.config.name, applied: &self.applied };
        rivals.iter().filter_map(|rival| self.links.heard(*rival)).all(|rival| {
            self.config.failover.election.allows(&candidate, &rival.applied, rivals.iter().copied())
        })
    }

    /// Leads from now on.
    fn take_over(&mut self, term: u64, outputs: &mut Vec<Output>) {
        let me = self.config.name;
        let mut nodes = vec![me];
        nodes.extend(self.config.members.iter().copied().filter(|node| *node != me));
        let mut layout = self.layout.changed(Relink { nodes: Some(nodes), ..Relink::default() }, me);
        layout.epoch.term = term;
        layout.base = self.applied.clone();
        if let Ok(config) = self.fits(&layout) {
            self.adopt(layout, config, outputs);
        }
    }

    /// An operator has this node lead.
    pub(super) fn promote(&mut self, force: bool, outputs: &mut Vec<Output>) -> Response {
        if self.leads() {
            return self.layout();
        }
        match self.unfit_to_lead(force) {
            Some(reason) => Response::Refused(Refusal::Promote { reason }),
            None => {
                self.take_over(self.promised().saturating_add(1), outputs);
                self.layout()
            }
        }
    }

    fn unfit_to_lead(&self, force: bool) -> Option<String> {
        if self.config.leader().is_none() {
            return Some("no single node leads in this mode".to_owned());
        }
        if !self.config.is_included() || self.config.role(self.config.name) != Role::Data {
            return Some("it has no data, or takes no part".to_owned());
        }
        if self.fails_over() {
            return Some("with failover auto the nodes elect their leader themselves".to_owned());
        }
        let heard = self.others().into_iter().filter_map(|peer| Some((peer, self.links.heard(peer)?)));
        let mut ahead = heard.filter(|(_, heard)| !heard.applied.is_within(&self.applied));
        let ahead = ahead.next().filter(|_| !force);
        ahead.map(|(peer, _)| format!("{peer} has writes that it lacks, and that would be lost"))
    }

    /// Why a change of who takes part is not for this node to make, if so. A majority of before and one of after share a
    /// node only if they differ by one.
    pub(super) fn may_not_relink(&self, config: &NodeConfig) -> Option<String> {
        if !self.fails_over() {
            return None;
        }
        let leader = self.config.leader().filter(|_| !self.leads());
        if let Some(leader) = leader {
            return Some(format!("with failover auto that is for the leader to do, which is {leader}"));
        }
        let (before, after) = (self.config.keepers(), config.keepers());
        let gone = before.iter().filter(|node| !after.contains(node)).count();
        let come = after.iter().filter(|node| !before.contains(node)).count();
        (gone + come > 1).then(|| "with failover auto nodes come and go one at a time".to_owned())
    }

    /// Why this node may not answer as the leader just now, if so.
    pub(super) fn without_lease(&self) -> Option<Refusal> {
        if !self.is_fenced() || !self.leads() {
            return None;
        }
        let lease = self.config.failover.lease();
        let term = self.layout.epoch.term;
        let recent = |node: &NodeName| {
            // Of another term it has heard from this node, and may vote against it all the same. And while it lacks what
            // the term began with, the next leader may lack that too.
            let heard = self.links.heard(*node).filter(|heard| heard.epoch.term == term);
            let heard = heard.filter(|heard| self.layout.base.is_within(&heard.applied));
            heard.and_then(|heard| heard.echo).is_some_and(|echo| !self.now.is_due(echo, lease))
        };
        let heard = 1 + self.others().iter().filter(|node| recent(node)).count();
        let needed = self.majority();
        (heard < needed).then_some(Refusal::NoMajority { heard, needed })
    }

    /// True if events are taken of a sender that goes by this term.
    pub(super) fn takes_events_of(&self, term: u64) -> bool {
        if self.config.leader().is_none() {
            return true;
        }
        // Of a later one it must hear first what is not to be kept.
        let known = term <= self.layout.epoch.term;
        let fenced = self.config.failover.fencing == Fencing::Epoch;
        known && self.apart == 0 && (!fenced || term >= self.promised())
    }

    /// When a peer sent what was last heard of it, by its clock. A leader that this node has left is not told.
    pub(super) fn echo_to(&self, peer: NodeName) -> Option<Nanos> {
        let loyal = self.leadership.promised <= self.layout.epoch.term || self.config.leader() != Some(peer);
        self.links.heard(peer).filter(|_| loyal).map(|heard| heard.sent_at)
    }

    /// Goes on without what the leader of a new term had not, as far as this node has it.
    pub(super) fn rejoin(&mut self, base: &DotSet) {
        let beyond: Vec<Dot> = self.log.dots().filter(|dot| !base.contains(*dot)).collect();
        self.apart = 0;
        match self.config.failover.rejoin {
            Rejoin::Keep => {}
            Rejoin::Refuse => self.apart = beyond.len(),
            Rejoin::Truncate => self.discard(&beyond, base),
        }
    }

    fn discard(&mut self, beyond: &[Dot], base: &DotSet) {
        self.applied = self.applied.intersection(base);
        self.held = HoldBack::default();
        self.unflushed.events.clear();
        if beyond.is_empty() {
            return;
        }
        self.discarded.extend(self.log.remove(beyond));
        // No dot is given twice: whatever this node takes from here on is of another origin.
        if beyond.iter().any(|dot| dot.origin == self.origin) {
            self.origin.incarnation = self.origin.incarnation.saturating_add(1);
        }
        self.store = conflict::store(self.config.mode, self.config.tombstones > Nanos(0));
        let applied = std::mem::take(&mut self.applied);
        for event in self.log.in_order() {
            self.enact(&event);
        }
        self.applied = applied;
    }

    /// Answers whoever waits for a write to be confirmed, once another node leads.
    pub(super) fn depose(&mut self, outputs: &mut Vec<Output>) {
        for asker in self.unconfirmed.take_askers() {
            let to = self.config.leader().unwrap_or(self.config.name);
            self.deliver(asker, Response::Refused(Refusal::Deposed { to }), outputs);
        }
    }
}
