//! A node and its host: what the node's process does around the pure state machine.
//!
//! ```text
//!   inputs ─► step each ─► batch of records ─► disk ─ sync ─► let go of what was said after them
//!                │ said before the first record: at once         │
//!                └ inputs meanwhile wait: one sync for all of them ┘     (group commit)
//! ```
//!
//! It obeys the same contract as the server's thread: a record is durable before anything leaves that
//! the node said later. A paused process does nothing; what reaches it waits. A process whose disk fails
//! ends, with everything that waited for the disk: after a sync that failed nobody knows what is durable.

use histories::{Nanos, NodeName};
use nemesis::DiskTrouble;
use reference_db::config::Role;
use reference_db::{Input, Node, NodeConfig, Output, Record};

use super::clock::{Clock, Wrong};
use super::disk::{Broken, Crashed, Disk, Synced};
use super::network::FaultIndex;
use crate::rng::Seed;
use crate::target::ReferenceSpec;

/// Which start of a node it is: ticks and syncs of an earlier one mean nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life(u32);

/// A node's process, its disk and its clock.
pub(super) struct Host {
    config: NodeConfig,
    clock: Clock,
    disk: Disk,
    node: Option<Node>,
    life: Life,
    paused: bool,
    syncing: bool,
    /// Waits for the sync, or for the end of the pause.
    inbox: Vec<Input>,
    /// Records of the batch that is being gathered.
    records: Vec<Record>,
    /// Said after a record that is not durable yet.
    withheld: Vec<Output>,
}

/// What a host wants of the world.
#[derive(Default)]
pub(super) struct Wishes {
    /// To be sent now.
    pub(super) outputs: Vec<Output>,
    /// A sync began that takes so long.
    pub(super) sync: Option<Nanos>,
    /// The disk failed, and the process has ended.
    pub(super) broken: Option<Broken>,
    /// The disk said that records are durable that are not, because of this fault.
    pub(super) lied: Option<FaultIndex>,
}

impl Host {
    /// A node that has not been started.
    pub(super) fn new(spec: &ReferenceSpec, nodes: &[NodeName], index: usize, seed: Seed) -> Self {
        let config = match spec.node(nodes, index) {
            Ok(config) => config,
            Err(error) => panic!("a plan with settings that the database refuses was prepared: {error}"),
        };
        let seed = seed.fork(nodes[index].as_str());
        Self {
            config,
            clock: Clock::draw(&mut seed.fork("clock").stream()),
            disk: Disk::new(seed.fork("disk").stream()),
            node: None,
            life: Life(0),
            paused: false,
            syncing: false,
            inbox: Vec::new(),
            records: Vec::new(),
            withheld: Vec::new(),
        }
    }

    pub(super) fn life(&self) -> Life {
        self.life
    }

    /// True if it can take connections; it may be paused.
    pub(super) fn is_up(&self) -> bool {
        self.node.is_some()
    }

    /// True unless the node is there for something else.
    pub(super) fn holds_data(&self) -> bool {
        self.config.role(self.config.name) == Role::Data
    }

    /// The state machine, if it runs.
    pub(super) fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// Starts the process with what the disk has; says how many records those were.
    pub(super) fn start(&mut self, now: Nanos, wishes: &mut Wishes) -> usize {
        assert!(self.node.is_none(), "node {} is started twice", self.config.name);
        let records = self.disk.records();
        let count = records.len();
        // A store that is created at time 0 has incarnation 0, which keeps versions short. One that is empty
        // again needs another.
        let shown = if self.life == Life(0) { reference_db::Nanos(0) } else { self.clock.at(now) };
        match Node::recover(self.config.clone(), shown, records.iter().cloned()) {
            Ok((node, outputs)) => {
                self.node = Some(node);
                self.absorb(outputs, wishes);
                self.commit(wishes);
            }
            Err(error) => panic!("node {} does not start from its own records: {error}", self.config.name),
        }
        count
    }

    /// Ends the process without notice.
    pub(super) fn kill(&mut self) -> Crashed {
        self.end();
        self.disk.crash()
    }

    /// The process is gone, with all that it had in memory.
    fn end(&mut self) {
        self.node = None;
        self.life = Life(self.life.0 + 1);
        (self.paused, self.syncing) = (false, false);
        self.inbox.clear();
        self.records.clear();
        self.withheld.clear();
    }

    /// Deletes what the process, which is gone, had stored; says how many records those were.
    pub(super) fn wipe(&mut self) -> usize {
        assert!(self.node.is_none(), "the store of node {} is deleted while it runs", self.config.name);
        self.disk.wipe()
    }

    pub(super) fn spoil_disk(&mut self, trouble: DiskTrouble, fault: FaultIndex) {
        self.disk.spoil(trouble, fault);
    }

    /// Says how many records became durable that were only called so.
    pub(super) fn mend_disk(&mut self) -> usize {
        self.disk.mend()
    }

    /// Sets the clock wrong, or right again.
    pub(super) fn set_clock(&mut self, wrong: Option<Wrong>) {
        self.clock.set(wrong);
    }

    /// What its clock shows.
    pub(super) fn shown(&self, now: Nanos) -> reference_db::Nanos {
        self.clock.at(now)
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    /// Lets the process go on; says how much had waited for it.
    pub(super) fn resume(&mut self, now: Nanos, wishes: &mut Wishes) -> usize {
        self.paused = false;
        let waited = self.inbox.len();
        if !self.syncing {
            self.go_on(now, wishes);
        }
        waited
    }

    /// Something reaches the process.
    pub(super) fn take(&mut self, now: Nanos, input: Input, wishes: &mut Wishes) {
        if self.paused || self.syncing {
            self.inbox.push(input);
            return;
        }
        self.step(now, input, wishes);
        self.commit(wishes);
    }

    /// Time passes; a paused process does not notice.
    pub(super) fn tick(&mut self, now: Nanos, wishes: &mut Wishes) {
        if self.node.is_some() && !self.paused {
            self.take(now, Input::Tick, wishes);
        }
    }

    /// The disk is done.
    pub(super) fn synced(&mut self, now: Nanos, wishes: &mut Wishes) {
        match self.disk.sync() {
            Ok(Synced::Durable) => {}
            Ok(Synced::Lied(fault)) => wishes.lied = Some(fault),
            Err(broken) => return self.break_down(broken, wishes),
        }
        self.syncing = false;
        if !self.paused {
            self.go_on(now, wishes);
        }
    }

    fn go_on(&mut self, now: Nanos, wishes: &mut Wishes) {
        wishes.outputs.append(&mut self.withheld);
        for input in std::mem::take(&mut self.inbox) {
            self.step(now, input, wishes);
        }
        self.commit(wishes);
    }

    fn step(&mut self, now: Nanos, input: Input, wishes: &mut Wishes) {
        let shown = self.clock.at(now);
        if let Some(node) = &mut self.node {
            let outputs = node.step(shown, input);
            self.absorb(outputs, wishes);
        }
    }

    fn absorb(&mut self, outputs: Vec<Output>, wishes: &mut Wishes) {
        for output in outputs {
            match output {
                Output::Persist(record) => self.records.push(record),
                output if self.records.is_empty() => wishes.outputs.push(output),
                output => self.withheld.push(output),
            }
        }
    }

    fn commit(&mut self, wishes: &mut Wishes) {
        if !self.records.is_empty() {
            match self.disk.append(&mut self.records) {
                Ok(takes) => {
                    self.syncing = true;
                    wishes.sync = Some(takes);
                }
                Err(broken) => self.break_down(broken, wishes),
            }
        }
    }

    /// Ends as the server does: what was not durable is neither confirmed nor known to have failed.
    fn break_down(&mut self, broken: Broken, wishes: &mut Wishes) {
        self.end();
        wishes.broken = Some(broken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference_db::{Action, Ask, Consistency, Datum, Request, Step, Ticket};

    fn host() -> Host {
        let spec = ReferenceSpec {
            nodes: 1,
            cluster: reference_db::ClusterSettings::default(),
            latency: crate::target::Distances::default(),
        };
        let mut host = Host::new(&spec, &["A".into()], 0, Seed(1));
        let mut wishes = Wishes::default();
        host.start(Nanos(0), &mut wishes);
        host.synced(Nanos(1), &mut wishes);
        host
    }

    fn write(ticket: u64) -> Input {
        let action = Action::Write { value: Datum::integer(7) };
        let ask = Ask::Single(Step::new("x".into(), action));
        Input::Request { ticket: Ticket(ticket), request: Request::new(ask, Consistency::Default) }
    }

    /// Lets something happen; gives the tickets that are answered, and whether a sync begins.
    fn after(happen: impl FnOnce(&mut Wishes)) -> (Vec<u64>, bool) {
        let mut wishes = Wishes::default();
        happen(&mut wishes);
        let ticket = |output: &Output| match output {
            Output::Reply { ticket, .. } => Some(ticket.0),
            _ => None,
        };
        (wishes.outputs.iter().filter_map(ticket).collect(), wishes.sync.is_some())
    }

    #[test]
    fn one_sync_serves_all_that_came_during_the_one_before() {
        let mut host = host();
        assert_eq!(after(|wishes| host.take(Nanos(2), write(1), wishes)), (vec![], true));
        assert_eq!(after(|wishes| host.take(Nanos(3), write(2), wishes)), (vec![], false));
        assert_eq!(after(|wishes| host.take(Nanos(4), write(3), wishes)), (vec![], false));
        assert_eq!(after(|wishes| host.synced(Nanos(5), wishes)), (vec![1], true));
        assert_eq!(after(|wishes| host.synced(Nanos(6), wishes)), (vec![2, 3], false));
    }

    #[test]
    fn a_paused_process_says_nothing_and_forgets_nothing() {
        let mut host = host();
        host.take(Nanos(2), write(1), &mut Wishes::default());
        host.pause();
        assert_eq!(after(|wishes| host.synced(Nanos(3), wishes)), (vec![], false));
        assert_eq!(after(|wishes| host.take(Nanos(4), write(2), wishes)), (vec![], false));
        assert_eq!(after(|wishes| host.tick(Nanos(5), wishes)), (vec![], false));
        assert_eq!(
            after(|wishes| {
                host.resume(Nanos(6), wishes);
            }),
            (vec![1], true)
        );
    }

    #[test]
    fn a_killed_process_starts_from_what_was_synced() {
        let mut host = host();
        host.take(Nanos(2), write(1), &mut Wishes::default());
        host.synced(Nanos(3), &mut Wishes::default());
        let before = host.node().unwrap().digest();
        let life = host.life();
        assert_eq!(host.kill(), Crashed::Idle);
        assert!(!host.is_up() && host.life() != life);
        assert_eq!(host.start(Nanos(4), &mut Wishes::default()), 2);
        assert_eq!(host.node().unwrap().digest(), before);
    }
}
