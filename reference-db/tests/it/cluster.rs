//! A cluster of pure nodes in virtual time: a network that can cut, slow, lose, double and reorder, and disks that
//! outlive crashes.
//!
//! Everything happens at one place, [`Cluster::happen`], in the order of (time, ordinal): the same seed gives the same
//! run.

use std::collections::{BTreeMap, BTreeSet};

use reference_db::config::Role;
use reference_db::message::Body;
use reference_db::request::{Digest, Reading, Session};
use reference_db::{
    Ask, Consistency, Input, Key, Message, Nanos, Node, NodeConfig, NodeName, NodeSettings, Output, Record,
    Request, Response, Ticket,
};

const TICK: Nanos = Nanos::from_millis(20);

/// SplitMix64 (Steele et al. 2014): enough for a test, the same everywhere.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How bad the network is.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss_percent: u64,
    pub(crate) double_percent: u64,
    pub(crate) delay_max: Nanos,
    /// Chance that a node crashes in the middle of a step's outputs.
    pub(crate) crash_permille: u64,
}

pub(crate) const FAIR: Weather =
    Weather { loss_percent: 0, double_percent: 0, delay_max: Nanos::from_millis(1), crash_permille: 0 };

enum Happening {
    Tick(NodeName),
    Arrive { from: NodeName, to: NodeName, message: Box<Message> },
}

pub(crate) struct Cluster {
    pub(crate) settings: NodeSettings,
    pub(crate) now: Nanos,
    pub(crate) trace: Vec<String>,
    pub(crate) weather: Weather,
    pub(crate) rng: Rng,
    /// In which the next request is asked.
    pub(crate) session: Option<Session>,
    /// What each node's disk holds.
    pub(crate) disks: BTreeMap<NodeName, Vec<Record>>,
    nodes: BTreeMap<NodeName, Node>,
    agenda: BTreeMap<(Nanos, u64), Happening>,
    ordinal: u64,
    cuts: BTreeSet<(NodeName, NodeName)>,
    slow: BTreeMap<(NodeName, NodeName), Nanos>,
    replies: BTreeMap<Ticket, Response>,
    tickets: u64,
}

impl Cluster {
    pub(crate) fn new(settings: NodeSettings, seed: u64) -> Cluster {
        let members = settings.members.clone();
        let mut cluster = Cluster {
            settings,
            now: Nanos(0),
            trace: Vec::new(),
            weather: FAIR,
            rng: Rng(seed),
            session: None,
            disks: members.iter().map(|name| (*name, Vec::new())).collect(),
            nodes: BTreeMap::new(),
            agenda: BTreeMap::new(),
            ordinal: 0,
            cuts: BTreeSet::new(),
            slow: BTreeMap::new(),
            replies: BTreeMap::new(),
            tickets: 0,
        };
        for name in members {
            cluster.schedule(TICK, Happening::Tick(name));
            cluster.restart(name);
        }
        cluster
    }

    pub(crate) fn is_up(&self, name: NodeName) -> bool {
        self.nodes.contains_key(&name)
    }

    /// Stops a node. A disk that is not durable forgets what it was told last.
    pub(crate) fn crash(&mut self, name: NodeName) {
        self.nodes.remove(&name);
        if !self.settings.durable {
            let disk = self.disks.get_mut(&name).unwrap();
            let forgotten = self.rng.below(6) as usize;
            disk.truncate(disk.len().saturating_sub(forgotten));
        }
    }

    pub(crate) fn wipe(&mut self, name: NodeName) {
        self.crash(name);
        self.disks.insert(name, Vec::new());
    }

    pub(crate) fn restart(&mut self, name: NodeName) {
        let config = NodeConfig::new(NodeSettings { name, ..self.settings.clone() }).unwrap();
        let (node, outputs) = Node::recover(config, self.now, self.disks[&name].clone()).unwrap();
        self.nodes.insert(name, node);
        self.absorb(name, outputs);
    }

    pub(crate) fn cut(&mut self, from: NodeName, to: NodeName) {
        self.cuts.insert((from, to));
    }

    pub(crate) fn slow(&mut self, from: NodeName, to: NodeName, delay: Nanos) {
        self.slow.insert((from, to), delay);
    }

    /// Slows every link between two regions.
    pub(crate) fn far(&mut self, delay: Nanos) {
        let NodeSettings { members, cluster, .. } = &self.settings;
        let pairs = members.iter().flat_map(|from| members.iter().map(move |to| (*from, *to)));
        let apart = pairs.filter(|(from, to)| from != to && !cluster.regions.are_close(*from, *to));
        let apart: Vec<_> = apart.collect();
        self.slow.extend(apart.into_iter().map(|pair| (pair, delay)));
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.slow.clear();
    }

    /// Asks a node, and does not wait for the answer.
    pub(crate) fn ask(&mut self, name: NodeName, ask: Ask, consistency: Consistency) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let session = self.session.take();
        self.step(name, Input::Request { ticket, request: Request { ask, consistency, session } });
        ticket
    }

    /// Asks a node and lets time pass until it answers, at most two seconds.
    pub(crate) fn answer(&mut self, name: NodeName, ask: Ask, consistency: Consistency) -> Option<Response> {
        let ticket = self.ask(name, ask, consistency);
        let end = self.now + Nanos::from_millis(2000);
        while !self.replies.contains_key(&ticket) && self.happen(end) {}
        self.replies.remove(&ticket)
    }

    pub(crate) fn take_replies(&mut self) -> BTreeMap<Ticket, Response> {
        std::mem::take(&mut self.replies)
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, span: Nanos) {
        let end = self.now + span;
        while self.happen(end) {}
        self.now = end;
    }

    /// Lets time pass until all nodes hold the same. False if they do not after ten seconds.
    pub(crate) fn settle(&mut self) -> bool {
        for _ in 0..200 {
            if self.is_equal() {
                return true;
            }
            self.pass(Nanos::from_millis(50));
        }
        false
    }

    pub(crate) fn is_equal(&self) -> bool {
        let with_data = |node: &&Node| node.config().role(node.config().name) == Role::Data;
        let digests: Vec<Digest> = self.nodes.values().filter(with_data).map(Node::digest).collect();
        digests.windows(2).all(|pair| pair[0].applied == pair[1].applied && pair[0].hash == pair[1].hash)
    }

    pub(crate) fn node(&self, name: NodeName) -> Option<&Node> {
        self.nodes.get(&name)
    }

    /// What a node holds, key by key.
    pub(crate) fn contents(&mut self, name: NodeName) -> BTreeMap<Key, Reading> {
        let mut contents = BTreeMap::new();
        if let Some(Response::Keys(keys)) = self.answer(name, Ask::Keys, Consistency::Local) {
            for key in keys {
                let read = Ask::Single(reference_db::Step::new(key.clone(), reference_db::Action::Read));
                if let Some(Response::Read { reading, .. }) = self.answer(name, read, Consistency::Local) {
                    contents.insert(key, reading);
                }
            }
        }
        contents
    }

    /// Does the next thing, if it is due by `end`.
    fn happen(&mut self, end: Nanos) -> bool {
        let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= end) else {
            return false;
        };
        let ((at, _), happening) = entry.remove_entry();
        self.now = at;
        match happening {
            Happening::Tick(name) => {
                self.schedule(TICK, Happening::Tick(name));
                self.step(name, Input::Tick);
            }
            Happening::Arrive { from, to, message } => {
                let what = describe(&message);
                let lost = self.cuts.contains(&(from, to)) || !self.nodes.contains_key(&to);
                if let Some(what) = what {
                    let fate = if lost { " lost" } else { "" };
                    self.trace.push(format!("  {from} > {to} {what}{fate}"));
                }
                if !lost {
                    self.step(to, Input::Message { from, message: *message });
                }
            }
        }
        true
    }

    fn schedule(&mut self, delay: Nanos, happening: Happening) {
        self.ordinal += 1;
        self.agenda.insert((self.now + delay, self.ordinal), happening);
    }

    fn step(&mut self, name: NodeName, input: Input) {
        if let Some(node) = self.nodes.get_mut(&name) {
            let outputs = node.step(self.now, input);
            self.absorb(name, outputs);
        }
    }

    fn absorb(&mut self, name: NodeName, outputs: Vec<Output>) {
        for output in outputs {
            if self.rng.below(1000) < self.weather.crash_permille {
                return self.crash(name);
            }
            match output {
                Output::Persist(record) => self.disks.get_mut(&name).unwrap().push(record),
                Output::Reply { ticket, response } => {
                    let again = self.replies.insert(ticket, response);
                    assert!(again.is_none(), "{ticket:?} was answered twice");
                }
                Output::Send { to, message } => self.transmit(name, to, message),
            }
        }
    }

    fn transmit(&mut self, from: NodeName, to: NodeName, message: Message) {
        if self.rng.chance(self.weather.loss_percent) {
            return;
        }
        let copies = if self.rng.chance(self.weather.double_percent) { 2 } else { 1 };
        for _ in 0..copies {
            // In fair weather every message takes a millisecond, so that stories are easy to follow.
            let jitter = self.weather.delay_max.0.saturating_sub(FAIR.delay_max.0);
            let delay = Nanos(FAIR.delay_max.0 + self.rng.below(jitter.max(1)));
            let delay = self.slow.get(&(from, to)).copied().unwrap_or(delay);
            self.schedule(delay, Happening::Arrive { from, to, message: Box::new(message.clone()) });
        }
    }
}

/// What is worth telling of a message.
fn describe(message: &Message) -> Option<String> {
    match &message.body {
        Body::Push { events } if !events.is_empty() => {
            let dots: Vec<String> = events.iter().map(|event| event.dot.to_string()).collect();
            Some(format!("push {}", dots.join(" ")))
        }
        Body::Canvass { .. } | Body::Vote { .. } | Body::Forward { .. } | Body::Answer { .. } => {
            Some(message.body.name().to_owned())
        }
        Body::Push { .. } | Body::Hello | Body::Ack | Body::Layout(_) => None,
    }
}
