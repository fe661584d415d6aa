//! What nodes do and say, and how it travels.

use histories::{EventKind, Nanos};
use nemesis::Milestone;
use reference_db::{Input, Output, Request, Response, Ticket};

use super::{Answer, Happening, Parcel, Store, TICK, World};
use crate::sim::client::Caller;
use crate::sim::network::{End, Fate, FaultIndex, Harmed, Late};
use crate::sim::node::{Host, Life, Wishes};
use crate::sim::trouble::Bite;

impl World<'_> {
    pub(super) fn start(&mut self, node: usize) -> usize {
        let count = self.with_host(node, |host, now, wishes| host.start(now, wishes));
        let life = self.host(node).life();
        self.agenda.after(TICK, Happening::Tick(node, life));
        count
    }

    pub(super) fn tick(&mut self, node: usize, life: Life) {
        if self.host(node).life() == life {
            self.agenda.after(TICK, Happening::Tick(node, life));
            self.with_host(node, |host, now, wishes| host.tick(now, wishes));
        }
    }

    /// Lets something happen to a host, and does what it wants.
    pub(super) fn with_host<R>(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut Host, Nanos, &mut Wishes) -> R,
    ) -> R {
        let (now, mut wishes) = (self.agenda.now(), Wishes::default());
        let host = self.host(node);
        let result = act(host, now, &mut wishes);
        let life = host.life();
        if let Some(fault) = wishes.lied {
            let evidence = format!("the disk of {} said that it had synced, and had not", self.nodes[node]);
            self.bite_node(fault, evidence);
        }
        if let Some(delay) = wishes.sync {
            self.agenda.after(delay, Happening::Synced(node, life));
        }
        for output in wishes.outputs {
            match output {
                Output::Persist(_) => panic!("a host lets go of a record"),
                Output::Reply { ticket, response } => {
                    let caller = Caller::from_ticket(ticket.0);
                    self.answer(node, caller, Answer::Response(response));
                }
                Output::Send { to, message } => {
                    if let Some(to) = self.nodes.iter().position(|name| name.as_str() == to.as_str()) {
                        self.send(End::Node(node), End::Node(to), Parcel::Message(message));
                    }
                }
            }
        }
        if let Some(broken) = wishes.broken {
            self.break_down(node, broken);
        }
        result
    }

    pub(super) fn answer(&mut self, node: usize, caller: Caller, answer: Answer) {
        if let Some(fault) = self.loses(node, caller, &answer) {
            return self.bite(fault, End::Node(node), End::Clients, Bite::Lost);
        }
        self.send(End::Node(node), End::Clients, Parcel::Answer(caller, answer));
    }

    /// The fault that an answer is lost to, if it is: then it says that something was done.
    fn loses(&mut self, node: usize, caller: Caller, answer: &Answer) -> Option<FaultIndex> {
        if self.losses.is_empty() {
            return None;
        }
        let done = match answer {
            Answer::Response(Response::Refused(_)) | Answer::Refused | Answer::Broken => false,
            Answer::Response(_) => true,
            Answer::Control(outcome) => outcome.is_confirmed(),
        };
        let asked = self.clients[caller.client as usize].waits_for(caller.call)?;
        if done { self.losses.take(&self.nodes[node], &asked.call) } else { None }
    }

    pub(super) fn send(&mut self, from: End, to: End, parcel: Parcel) {
        let (now, far) = (self.agenda.now(), self.distance(from, to, &parcel));
        match self.network.send(now, from, to, far, Box::new(parcel)) {
            Fate::Arrives(due, parcel) => {
                self.agenda.at(due, Happening::Arrive { to, parcel });
            }
            Fate::ArrivesTwice([first, second], parcel) => {
                self.agenda.at(first, Happening::Arrive { to, parcel: parcel.clone() });
                self.agenda.at(second, Happening::Arrive { to, parcel });
            }
            Fate::Lost => {}
            Fate::Cut { held, by } => {
                let bite = if held { Bite::Held } else { Bite::Lost };
                by.into_iter().for_each(|fault| self.bite(fault, from, to, bite));
            }
            Fate::Harmed { arrivals, message, by } => {
                for due in arrivals {
                    self.agenda.at(due, Happening::Arrive { to, parcel: message.clone() });
                }
                for (fault, harmed) in by {
                    self.bite(fault, from, to, bite_of(harmed));
                }
            }
            Fate::Slowed(due, parcel, fault) => {
                self.agenda.at(due, Happening::Arrive { to, parcel });
                self.bite(fault, from, to, Bite::Late(due.since(now)));
            }
        }
    }

    /// How far a parcel has to go; a client is where its home is.
    fn distance(&self, from: End, to: End, parcel: &Parcel) -> Option<Late> {
        let home = match parcel {
            Parcel::Ask(caller, _) | Parcel::AskControl(caller, _) | Parcel::Answer(caller, _) => {
                self.clients[caller.client as usize].home
            }
            Parcel::Message(_) => 0,
        };
        let place = |end: End| match end {
            End::Node(node) => node,
            End::Clients => home,
        };
        self.distances[place(from)][place(to)]
    }

    pub(super) fn bite(&mut self, fault: FaultIndex, from: End, to: End, bite: Bite) {
        let name = |end: End| match end {
            End::Node(node) => self.nodes[node].clone(),
            End::Clients => nemesis::Endpoint::Clients.name(),
        };
        let link = (name(from), name(to));
        if let Some(event) = self.trouble.faults[fault].bite(self.agenda.now(), link, bite) {
            self.note(EventKind::Fault(event));
            self.saw_fault(fault, Milestone::Effective);
        }
    }

    pub(super) fn arrive(&mut self, to: End, parcel: Parcel) {
        match (parcel, to) {
            (Parcel::Answer(caller, answer), ..) => self.hear(caller, answer),
            (Parcel::Ask(caller, request), End::Node(node)) => self.be_asked(node, caller, request),
            (Parcel::AskControl(caller, call), End::Node(node)) => {
                if let Store::Control(copy) = &self.store {
                    let outcome = copy.call(&call);
                    self.answer(node, caller, Answer::Control(outcome));
                }
            }
            (Parcel::Message(message), End::Node(node)) => {
                // A message to a process that is gone is gone too.
                if self.hosts()[node].is_up() {
                    let from = message.origin.node;
                    self.with_host(node, |host, now, wishes| {
                        host.take(now, Input::Message { from, message }, wishes);
                    });
                }
            }
            (parcel, ..) => panic!("a parcel went astray: {}", parcel.name()),
        }
    }

    pub(super) fn be_asked(&mut self, node: usize, caller: Caller, request: Request) {
        if !self.hosts()[node].is_up() {
            return self.answer(node, caller, Answer::Refused);
        }
        if let Some(in_flight) = self.clients[caller.client as usize].waits_for(caller.call) {
            in_flight.reached = true;
        }
        let input = Input::Request { ticket: Ticket(caller.ticket()), request };
        self.with_host(node, |host, now, wishes| host.take(now, input, wishes));
    }
}

fn bite_of(harmed: Harmed) -> Bite {
    match harmed {
        Harmed::Lost => Bite::Lost,
        Harmed::Doubled => Bite::Doubled,
        Harmed::Late(by) => Bite::Late(by),
    }
}
