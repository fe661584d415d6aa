//! The world: hosts, clients, network and faults around one agenda, from the first tick to the last
//! final read.
//!
//! ```text
//!   warm-up │ load + faults ............ all healed │ settle: equal? equal? yes │ final reads │ done
//!   0.2 s   0 s of the history
//! ```

use std::collections::BTreeSet;

use histories::{Call, Event, EventKind, Key, Nanos, NodeName, Outcome, Phase, Reason};
use nemesis::Losses;
use reference_db::{Message, Request, Response};

use super::agenda::Agenda;
use super::client::{Caller, Client, Duty, Reader, keys};
use super::network::{End, FaultIndex, Late, Network};
use super::node::{Host, Life};
use super::trouble::{Move, Trouble};
use crate::client::{ControlClient, Dialect, SingleCopy};
use crate::run::Resolved;
use crate::run::pace::parts;
use crate::target::{Distance, TargetSpec};
use crate::workload::Workload;

mod faults;
mod sessions;
mod traffic;

/// How often a node is ticked.
const TICK: Nanos = Nanos::from_millis(20);
/// How long nodes have to find each other before the load begins.
const WARM_UP: Nanos = Nanos::from_millis(200);
/// Between two looks at the replicas.
const LOOK: Nanos = Nanos::from_millis(50);
/// Readers at one node.
const READERS: usize = 4;
/// So many happenings between two looks at whether the run shall stop.
const STOP_EVERY: u64 = 4096;

/// What is to be simulated.
#[derive(Clone, Copy)]
pub(crate) struct Scenario<'a> {
    pub(crate) target: &'a TargetSpec,
    pub(crate) resolved: &'a Resolved,
    pub(crate) workload: &'a dyn Workload,
}

/// How a simulated run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Calls of all sessions.
    pub(crate) calls: u64,
    /// The virtual time that passed since the load began.
    pub(crate) time: Nanos,
    /// All nodes were seen to hold the same.
    pub(crate) equal: bool,
    /// Keys that were read back.
    pub(crate) keys: usize,
    /// Final reads that were answered.
    pub(crate) answered: usize,
    /// Final reads that there were to be.
    pub(crate) asked: usize,
}

/// Simulates a run and gives every event to `record`, in order. Asked now and then, `stop` ends the load
/// early; everything is healed and read back then too.
///
/// The scenario's target is the bundled database or the single copy: nothing else can be simulated.
pub(crate) fn simulate(
    scenario: Scenario<'_>,
    record: &mut dyn FnMut(Event),
    stop: &dyn Fn() -> bool,
) -> Ended {
    let mut world = World::new(scenario, record);
    world.warm_up();
    world.load(scenario, stop);
    let equal = world.settle(scenario.resolved.settle);
    let keys = keys(&world.clients);
    let (answered, asked) = world.final_reads(&keys);
    world.note(EventKind::Phase(Phase::Done));
    let calls = world.clients.iter().map(|client| client.calls).sum();
    let time = world.agenda.now().since(world.began);
    Ended { calls, time, equal, keys: keys.len(), answered, asked }
}

/// What happens.
enum Happening {
    Arrive {
        to: End,
        parcel: Box<Parcel>,
    },
    Tick(usize, Life),
    Synced(usize, Life),
    /// A client's next call is due, which was planned for then.
    Plan(u32, Nanos),
    GiveUp(Caller),
    Fault(Move, FaultIndex),
    /// What a fault waited for happened a while ago; why it begins.
    Alarm(FaultIndex, String),
}

/// What travels.
#[derive(Clone)]
enum Parcel {
    Ask(Caller, Request),
    /// To the single copy, which needs no translation.
    AskControl(Caller, Call),
    Answer(Caller, Answer),
    Message(Message),
}

/// What a client hears.
#[derive(Clone)]
enum Answer {
    Response(Response),
    /// Of the single copy.
    Control(Outcome),
    /// Nobody listens there.
    Refused,
    /// The node ended after it had been asked.
    Broken,
}

/// What is tested.
enum Store {
    Cluster(Vec<Host>),
    Control(ControlClient),
}

struct World<'a> {
    agenda: Agenda<Happening>,
    network: Network<Box<Parcel>>,
    store: Store,
    dialect: Dialect,
    /// Sessions carry what they have seen.
    tokens: bool,
    nodes: Vec<NodeName>,
    clients: Vec<Client>,
    trouble: Trouble,
    /// Answers that are lost on their way, and to which fault.
    losses: Losses<FaultIndex>,
    /// How far each node is from each, if that is said.
    distances: Vec<Vec<Option<Late>>>,
    timeout: Nanos,
    sessions: u32,
    /// Clients that have something left to do.
    busy: usize,
    /// The load was stopped before its end.
    stopped: bool,
    /// What final reads have to read.
    final_keys: Vec<Key>,
    /// Which of them each node is asked for next.
    final_next: Vec<usize>,
    /// When the load began: time 0 of the history.
    began: Nanos,
    record: &'a mut dyn FnMut(Event),
}

impl<'a> World<'a> {
    fn new(scenario: Scenario<'_>, record: &'a mut dyn FnMut(Event)) -> Self {
        let Scenario { target, resolved, .. } = scenario;
        let seed = resolved.seed().fork("world");
        let nodes = resolved.nodes.clone();
        let (store, dialect) = match target {
            TargetSpec::Reference(spec) => {
                let host = |index| Host::new(spec, &nodes, index, seed.fork("node"));
                (Store::Cluster((0..nodes.len()).map(host).collect()), Dialect::of(spec.mode))
            }
            TargetSpec::Control => {
                (Store::Control(ControlClient::new(SingleCopy::default())), Dialect::PLAIN)
            }
            TargetSpec::Urls(_) => panic!("a store at a URL cannot be simulated: {target}"),
        };
        Self {
            agenda: Agenda::new(),
            network: Network::new(nodes.len(), seed.fork("network")),
            store,
            dialect,
            tokens: resolved.tokens,
            clients: Vec::new(),
            losses: Losses::default(),
            distances: distances(target, &nodes),
            trouble: Trouble::new(&resolved.faults, resolved.duration),
            timeout: resolved.timeout,
            sessions: 0,
            busy: 0,
            stopped: false,
            final_keys: Vec::new(),
            final_next: vec![0; nodes.len()],
            began: WARM_UP,
            nodes,
            record,
        }
    }

    /// Starts the nodes and lets them find each other; nothing of that is recorded.
    fn warm_up(&mut self) {
        for node in 0..self.hosts().len() {
            self.start(node);
        }
        self.pass(WARM_UP);
    }

    /// Load and faults side by side, until both are over.
    fn load(&mut self, scenario: Scenario<'_>, stop: &dyn Fn() -> bool) {
        let Scenario { resolved, workload, .. } = scenario;
        self.note(EventKind::Phase(Phase::Load));
        for (at, what, fault) in self.trouble.moves() {
            self.agenda.at(self.began + at, Happening::Fault(what, fault));
        }
        for part in parts(resolved, workload, self.dialect.updates, self.began) {
            let home = part.route.home();
            let client = self.hire(Duty::Load(Box::new(part)), home);
            self.plan(client);
        }
        let mut count = 0_u64;
        while self.busy > 0 || !self.trouble.is_over() {
            count += 1;
            if count.is_multiple_of(STOP_EVERY) && stop() {
                return self.abandon();
            }
            self.happen(Nanos(u64::MAX));
        }
    }

    /// The load stops while calls are in flight: nobody will learn how they ended.
    fn abandon(&mut self) {
        for index in 0..self.clients.len() {
            if let Some(in_flight) = self.clients[index].in_flight.take() {
                self.agenda.cancel(in_flight.gives_up);
                let (session, outcome) = (self.clients[index].session, Outcome::Unknown(Reason::UNANSWERED));
                self.note(EventKind::Complete { session, outcome });
            }
        }
        (self.busy, self.stopped) = (0, true);
        for fault in 0..self.trouble.faults.len() {
            match &mut self.trouble.faults[fault] {
                over if over.has_ended() => over.skip(),
                begun if begun.has_begun() => self.end_fault(fault),
                unborn => unborn.skip(),
            }
        }
    }

    /// Waits until the replicas are equal, at most `limit`. True if they were seen to be.
    fn settle(&mut self, limit: Nanos) -> bool {
        self.note(EventKind::Phase(Phase::Settle));
        let end = self.agenda.now() + limit;
        loop {
            if self.is_equal() {
                self.note(EventKind::Phase(Phase::Settled));
                return true;
            }
            if self.agenda.now() >= end {
                return false;
            }
            self.pass(self.agenda.now() + LOOK);
        }
    }

    fn is_equal(&self) -> bool {
        let with_data = self.hosts().iter().filter(|host| host.holds_data());
        let mut hashes = with_data.map(|host| host.node().map(|node| node.digest().hash));
        let Some(first) = hashes.next() else { return true };
        first.is_some() && hashes.all(|hash| hash == first)
    }

    /// Reads every key at every node; gives how many reads were answered, and how many were to be.
    fn final_reads(&mut self, keys: &BTreeSet<Key>) -> (usize, usize) {
        self.note(EventKind::Phase(Phase::FinalReads));
        self.final_keys = keys.iter().cloned().collect();
        let loaders = self.clients.len();
        let holds_data = |node: &usize| self.hosts().get(*node).is_none_or(Host::holds_data);
        let readable: Vec<usize> = (0..self.nodes.len()).filter(holds_data).collect();
        let asked = keys.len() * readable.len();
        for node in readable {
            for _ in 0..READERS {
                let reader = self.hire(Duty::Read(Reader::new(node)), node);
                self.read_next(reader);
            }
        }
        while self.busy > 0 {
            self.happen(Nanos(u64::MAX));
        }
        let answered = self.clients[loaders..].iter().map(|client| match &client.duty {
            Duty::Read(reader) => reader.answered,
            Duty::Load(_) => 0,
        });
        (answered.sum(), asked)
    }

    fn hosts(&self) -> &[Host] {
        match &self.store {
            Store::Cluster(hosts) => hosts,
            Store::Control(_) => &[],
        }
    }

    fn host(&mut self, node: usize) -> &mut Host {
        match &mut self.store {
            Store::Cluster(hosts) => &mut hosts[node],
            Store::Control(_) => panic!("the single copy has no processes"),
        }
    }

    /// Records that `kind` happens now.
    fn note(&mut self, kind: EventKind) {
        let time = self.agenda.now().since(self.began);
        (self.record)(Event { time, kind });
    }

    fn pass(&mut self, end: Nanos) {
        while self.happen(end) {}
        self.agenda.pass(end);
    }

    /// Lets the next thing happen, if it does by `end`.
    fn happen(&mut self, end: Nanos) -> bool {
        let Some(happening) = self.agenda.next(end) else { return false };
        match happening {
            Happening::Arrive { to, parcel } => self.arrive(to, *parcel),
            Happening::Tick(node, life) => self.tick(node, life),
            Happening::Synced(node, life) => {
                if self.host(node).life() == life {
                    self.with_host(node, |host, now, wishes| host.synced(now, wishes));
                }
            }
            Happening::Plan(client, planned) => self.ask_next(client, planned),
            Happening::GiveUp(caller) => self.complete(caller, Outcome::Unknown(Reason::TIMEOUT)),
            Happening::Fault(what, fault) => self.trouble(what, fault),
            Happening::Alarm(fault, because) => self.fire(fault, because),
        }
        true
    }
}

/// How far each node is from each: none where nothing is said of regions.
fn distances(target: &TargetSpec, nodes: &[NodeName]) -> Vec<Vec<Option<Late>>> {
    let way = |from: &NodeName, to: &NodeName| match target {
        TargetSpec::Reference(spec) => spec.distance(from, to),
        TargetSpec::Control | TargetSpec::Urls(_) => None,
    };
    let late = |distance: Distance| Late { mean: distance.mean(), jitter: distance.jitter() };
    nodes.iter().map(|from| nodes.iter().map(|to| way(from, to).map(late)).collect()).collect()
}

impl Parcel {
    /// One word for messages.
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(..) | Self::AskControl(..) => "question",
            Self::Answer(..) => "answer",
            Self::Message(_) => "message",
        }
    }
}
