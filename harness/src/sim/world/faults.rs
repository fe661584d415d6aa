//! What faults do to links, processes, disks and clocks, and how it is undone.

use histories::{Call, EventKind, Nanos, NodeEvent, NodeName, NodeState};
use nemesis::{Alarm, DiskTrouble, Effect, Milestone, Moment, Sight};

use super::{Answer, Happening, World};
use crate::sim::client::Caller;
use crate::sim::clock::Wrong;
use crate::sim::disk::{Broken, Crashed};
use crate::sim::network::{Clog, End, FaultIndex, Harm, Late};
use crate::sim::trouble::{Move, end, place};

impl World<'_> {
    pub(super) fn trouble(&mut self, what: Move, fault: FaultIndex) {
        if what == Move::Dismiss {
            if let Some(event) = self.trouble.faults[fault].dismiss() {
                self.note(EventKind::Fault(event));
            }
            return;
        }
        if self.trouble.faults[fault].has_ended() {
            return;
        }
        match what {
            Move::Dismiss => {}
            Move::Begin => self.begin_fault(fault),
            Move::Ebb => {
                self.undo(fault);
                self.trouble.faults[fault].in_force = false;
            }
            Move::End => self.end_fault(fault),
        }
    }

    /// A client's call comes to a moment that a fault may wait for; what it sets off begins now.
    pub(super) fn saw_call(&mut self, moment: Moment, call: &Call, node: usize) {
        if self.trouble.lookout.is_empty() {
            return;
        }
        let now = self.agenda.now().since(self.began);
        let sight = Sight::Call { moment, call, node: &self.nodes[node] };
        let alarms = self.trouble.lookout.saw(now, sight);
        self.sound(alarms);
    }

    /// A fault comes so far that another may wait for it.
    pub(super) fn saw_fault(&mut self, fault: FaultIndex, milestone: Milestone) {
        let now = self.agenda.now().since(self.began);
        let id = self.trouble.faults[fault].planned.id;
        let alarms = self.trouble.lookout.saw(now, Sight::Fault(id, milestone));
        self.sound(alarms);
    }

    fn sound(&mut self, alarms: Vec<Alarm>) {
        for Alarm { fault, delay, because } in alarms {
            match delay {
                Nanos(0) => self.fire(fault, because),
                delay => drop(self.agenda.after(delay, Happening::Alarm(fault, because))),
            }
        }
    }

    /// Sets a waiting fault off, at this very moment.
    pub(super) fn fire(&mut self, fault: FaultIndex, because: String) {
        let now = self.agenda.now().since(self.began);
        if self.stopped || !self.trouble.is_ready(fault, now) {
            return;
        }
        self.trouble.fire(fault, now, because);
        self.begin_fault(fault);
        if self.trouble.faults[fault].has_ended() {
            return;
        }
        for (at, what) in self.trouble.faults[fault].moves().into_iter().skip(1) {
            self.agenda.at(self.began + at, Happening::Fault(what, fault));
        }
    }

    pub(super) fn begin_fault(&mut self, fault: FaultIndex) {
        let first = !self.trouble.faults[fault].has_begun();
        if let Some(why) = self.trouble.hindrance(fault).filter(|_| first) {
            let event = self.trouble.faults[fault].leave_out(why);
            return self.note(EventKind::Fault(event));
        }
        if let Some(event) = self.trouble.faults[fault].begin(self.agenda.now()) {
            self.note(EventKind::Fault(event));
        }
        let mut evidence = Vec::new();
        for effect in self.trouble.faults[fault].planned.effects.clone() {
            match effect.link() {
                Some((from, to)) => {
                    let link = (end(&from, &self.nodes), end(&to, &self.nodes));
                    self.spoil_link(link, &effect, fault);
                }
                None => evidence.extend(self.spoil_node(&effect, fault)),
            }
        }
        if first {
            self.saw_fault(fault, Milestone::Begun);
        }
        if !evidence.is_empty() {
            self.bite_node(fault, evidence.join("; "));
        }
    }

    fn spoil_link(&mut self, (from, to): (End, End), effect: &Effect, fault: FaultIndex) {
        let millis = Nanos::from_millis;
        let harm = match *effect {
            Effect::Cut { .. } => return self.network.cut(from, to, fault),
            Effect::Slow { latency_ms, jitter_ms, .. } => {
                let late = Late { mean: millis(latency_ms), jitter: millis(jitter_ms) };
                return self.network.slow(from, to, fault, late);
            }
            Effect::Lose { percent, .. } => Harm::Lose(percent),
            Effect::Duplicate { percent, .. } => Harm::Duplicate(percent),
            Effect::Reorder { percent, by_ms, .. } => Harm::Reorder(percent, millis(by_ms)),
            Effect::Clog { after_ms, length_ms, period_ms, .. } => Harm::Clog(Clog {
                began: self.agenda.now(),
                after: millis(after_ms),
                length: millis(length_ms),
                period: millis(period_ms),
            }),
            Effect::Kill { .. }
            | Effect::Pause { .. }
            | Effect::Wipe { .. }
            | Effect::Disk { .. }
            | Effect::LoseAnswers { .. }
            | Effect::Clock { .. } => return,
        };
        self.network.harm(from, to, fault, harm);
    }

    /// What that did, if it shows at once.
    fn spoil_node(&mut self, effect: &Effect, fault: FaultIndex) -> Option<String> {
        match effect {
            Effect::Kill { node } => Some(self.kill(node)),
            Effect::Wipe { node } => {
                let killed = self.kill(node);
                let index = place(node, &self.nodes);
                Some(format!("{killed}; {} records deleted", self.host(index).wipe()))
            }
            Effect::Pause { node } => {
                let index = place(node, &self.nodes);
                self.host(index).pause();
                self.note_node(node, NodeState::Paused, "stopped");
                Some(format!("process {node} is stopped"))
            }
            Effect::Disk { node, trouble } => {
                let index = place(node, &self.nodes);
                self.host(index).spoil_disk(*trouble, fault);
                None
            }
            Effect::LoseAnswers { node, of, every } => {
                self.losses.begin(node.clone(), *of, *every, fault);
                None
            }
            Effect::Clock { node, jump_ms, drift_ppm, strobe_ms } => {
                let (since, strobe) = (self.agenda.now(), Nanos::from_millis(*strobe_ms));
                let index = place(node, &self.nodes);
                let host = self.host(index);
                let before = host.shown(since);
                host.set_clock(Some(Wrong { since, jump_ms: *jump_ms, drift_ppm: *drift_ppm, strobe }));
                let (before, after) = (Nanos(before.0), Nanos(host.shown(since).0));
                let drift =
                    if *drift_ppm == 0 { String::new() } else { format!(", and gains {drift_ppm} ppm") };
                Some(format!("the clock of {node} went from {before} to {after}{drift}"))
            }
            Effect::Cut { .. }
            | Effect::Slow { .. }
            | Effect::Lose { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Clog { .. } => None,
        }
    }

    pub(super) fn end_fault(&mut self, fault: FaultIndex) {
        for event in self.trouble.faults[fault].ending() {
            self.note(EventKind::Fault(event));
        }
        let processes = if self.trouble.faults[fault].in_force { self.undo(fault) } else { Vec::new() };
        let event = self.trouble.faults[fault].ended(&processes);
        self.note(EventKind::Fault(event));
        self.saw_fault(fault, Milestone::Healed);
    }

    /// Ends a fault's effects; says what became of its nodes.
    pub(super) fn undo(&mut self, fault: FaultIndex) -> Vec<String> {
        let mut nodes = Vec::new();
        for effect in self.trouble.faults[fault].planned.effects.clone() {
            match effect.link() {
                Some((from, to)) => {
                    let link = (end(&from, &self.nodes), end(&to, &self.nodes));
                    self.mend_link(link, &effect, fault);
                }
                None => nodes.extend(self.mend_node(&effect)),
            }
        }
        nodes
    }

    fn mend_link(&mut self, (from, to): (End, End), effect: &Effect, fault: FaultIndex) {
        match effect {
            Effect::Cut { .. } => {
                for (due, parcel) in self.network.restore(self.agenda.now(), from, to, fault) {
                    self.agenda.at(due, Happening::Arrive { to, parcel });
                }
            }
            Effect::Slow { .. } => self.network.unslow(from, to),
            Effect::Lose { .. } | Effect::Duplicate { .. } | Effect::Reorder { .. } | Effect::Clog { .. } => {
                self.network.spare(from, to, fault);
            }
            Effect::Kill { .. }
            | Effect::Pause { .. }
            | Effect::Wipe { .. }
            | Effect::Disk { .. }
            | Effect::LoseAnswers { .. }
            | Effect::Clock { .. } => {}
        }
    }

    /// What became of the node.
    fn mend_node(&mut self, effect: &Effect) -> Option<String> {
        let name = effect.node()?;
        let node = place(&name, &self.nodes);
        match effect {
            Effect::Kill { .. } | Effect::Wipe { .. } => Some(self.start_again(node, "restarted")),
            Effect::Pause { .. } => {
                let waited = self.with_host(node, |host, now, wishes| host.resume(now, wishes));
                self.note_node(&name, NodeState::Up, "goes on");
                Some(format!("process {name} goes on; {waited} inputs had waited"))
            }
            Effect::Disk { trouble: DiskTrouble::Lies, .. } => {
                let records = self.host(node).mend_disk();
                Some(format!("the disk of {name} wrote {records} records that it had only called durable"))
            }
            Effect::Disk { .. } => {
                self.host(node).mend_disk();
                // A disk that nobody wrote to has ended nobody.
                let ended = !self.hosts()[node].is_up();
                ended.then(|| self.start_again(node, "restarted, as its disk works again"))
            }
            Effect::LoseAnswers { .. } => {
                self.losses.end(&name);
                None
            }
            Effect::Clock { .. } => {
                self.host(node).set_clock(None);
                Some(format!("the clock of {name} is right again"))
            }
            Effect::Cut { .. }
            | Effect::Slow { .. }
            | Effect::Lose { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Clog { .. } => None,
        }
    }

    fn start_again(&mut self, node: usize, why: &str) -> String {
        let records = self.start(node);
        let name = self.nodes[node].clone();
        self.note_node(&name, NodeState::Up, why);
        format!("process {name} restarted with {records} records")
    }

    /// The process has ended because its disk failed.
    pub(super) fn break_down(&mut self, node: usize, broken: Broken) {
        let name = self.nodes[node].clone();
        let what = match broken.trouble {
            DiskTrouble::Error => "a sync failed",
            DiskTrouble::Full => "the disk is full",
            DiskTrouble::Lies => "the disk lied",
            DiskTrouble::Torn => "the power went in the middle of a write",
        };
        let left = left_behind(broken.crashed);
        self.note_node(&name, NodeState::Down, &format!("ended by itself: {what}"));
        self.break_connections(node);
        self.bite_node(broken.fault, format!("process {name} is gone: {what}; {left}"));
    }

    pub(super) fn bite_node(&mut self, fault: FaultIndex, evidence: String) {
        if let Some(event) = self.trouble.faults[fault].bite_nodes(evidence) {
            self.note(EventKind::Fault(event));
            self.saw_fault(fault, Milestone::Effective);
        }
    }

    /// Ends a process without notice; says what that did.
    pub(super) fn kill(&mut self, name: &NodeName) -> String {
        let node = place(name, &self.nodes);
        let left = left_behind(self.host(node).kill());
        self.note_node(name, NodeState::Down, "killed");
        self.break_connections(node);
        format!("process {name} is gone; {left}")
    }

    /// Whoever waits for an answer of the process sees its connection break.
    fn break_connections(&mut self, node: usize) {
        for index in 0..self.clients.len() {
            let client = &self.clients[index];
            if client.in_flight.as_ref().is_some_and(|in_flight| in_flight.reached && in_flight.node == node)
            {
                let caller = Caller { client: index as u32, call: client.calls };
                self.answer(node, caller, Answer::Broken);
            }
        }
    }

    pub(super) fn note_node(&mut self, node: &NodeName, state: NodeState, detail: &str) {
        self.note(EventKind::Node(NodeEvent { node: node.clone(), state, detail: detail.into() }));
    }
}

fn left_behind(crashed: Crashed) -> String {
    match crashed {
        Crashed::Idle => "nothing was being written".to_string(),
        Crashed::Kept(count) => format!("{count} records were being written and are there"),
        Crashed::Lost(count) => format!("{count} records were being written and are lost"),
        Crashed::Torn(count) => {
            format!("{count} records were being written, half of them is there: lost")
        }
        Crashed::Forgotten(count) => format!("{count} records that the disk had called durable are lost"),
    }
}
