//! What faults do to links and processes, and how it is undone.

use histories::{Call, EventKind, Nanos, NodeEvent, NodeName, NodeState};
use nemesis::{Alarm, Effect, Milestone, Moment, Sight};

use super::{Answer, Happening, World};
use crate::sim::client::Caller;
use crate::sim::disk::Crashed;
use crate::sim::network::{FaultIndex, Late};
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
            match effect {
                Effect::Cut { from, to } => {
                    let (from, to) = (end(&from, &self.nodes), end(&to, &self.nodes));
                    self.network.cut(from, to, fault);
                }
                Effect::Slow { from, to, latency_ms, jitter_ms } => {
                    let (from, to) = (end(&from, &self.nodes), end(&to, &self.nodes));
                    let late =
                        Late { mean: Nanos::from_millis(latency_ms), jitter: Nanos::from_millis(jitter_ms) };
                    self.network.slow(from, to, fault, late);
                }
                Effect::Kill { node } => evidence.push(self.kill(&node)),
                Effect::Pause { node } => {
                    let index = place(&node, &self.nodes);
                    self.host(index).pause();
                    self.note_node(&node, NodeState::Paused, "stopped");
                    evidence.push(format!("process {node} is stopped"));
                }
            }
        }
        if !evidence.is_empty() {
            let event = self.trouble.faults[fault].bite_processes(evidence.join("; "));
            self.note(EventKind::Fault(event));
        }
        if first {
            self.saw_fault(fault, Milestone::Begun);
        }
        if first && !evidence.is_empty() {
            self.saw_fault(fault, Milestone::Effective);
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

    /// Ends a fault's effects; says what became of its processes.
    pub(super) fn undo(&mut self, fault: FaultIndex) -> Vec<String> {
        let mut processes = Vec::new();
        for effect in self.trouble.faults[fault].planned.effects.clone() {
            match effect {
                Effect::Cut { from, to } => {
                    let (from, to) = (end(&from, &self.nodes), end(&to, &self.nodes));
                    for (due, parcel) in self.network.restore(self.agenda.now(), from, to, fault) {
                        self.agenda.at(due, Happening::Arrive { to, parcel });
                    }
                }
                Effect::Slow { from, to, .. } => {
                    self.network.unslow(end(&from, &self.nodes), end(&to, &self.nodes));
                }
                Effect::Kill { node } => {
                    let records = self.start(place(&node, &self.nodes));
                    self.note_node(&node, NodeState::Up, "restarted");
                    processes.push(format!("process {node} restarted with {records} records"));
                }
                Effect::Pause { node } => {
                    let index = place(&node, &self.nodes);
                    let waited = self.with_host(index, |host, now, wishes| host.resume(now, wishes));
                    self.note_node(&node, NodeState::Up, "goes on");
                    processes.push(format!("process {node} goes on; {waited} inputs had waited"));
                }
            }
        }
        processes
    }

    /// Ends a process without notice; says what that did.
    pub(super) fn kill(&mut self, name: &NodeName) -> String {
        let node = place(name, &self.nodes);
        let crashed = match self.host(node).kill() {
            Crashed::Idle => "nothing was being written".to_string(),
            Crashed::Kept(count) => format!("{count} records were being written and are there"),
            Crashed::Lost(count) => format!("{count} records were being written and are lost"),
            Crashed::Torn(count) => {
                format!("{count} records were being written, half of them is there: lost")
            }
        };
        self.note_node(name, NodeState::Down, "killed");
        // Whoever waits for an answer of the process sees its connection break.
        for index in 0..self.clients.len() {
            let client = &self.clients[index];
            if client.in_flight.as_ref().is_some_and(|in_flight| in_flight.reached && in_flight.node == node)
            {
                let caller = Caller { client: index as u32, call: client.calls };
                self.answer(node, caller, Answer::Broken);
            }
        }
        format!("process {name} is gone; {crashed}")
    }

    pub(super) fn note_node(&mut self, node: &NodeName, state: NodeState, detail: &str) {
        self.note(EventKind::Node(NodeEvent { node: node.clone(), state, detail: detail.into() }));
    }
}
