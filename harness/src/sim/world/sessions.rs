//! What clients do: ask, hear, give up, and ask the next.

use histories::{Call, EventKind, MicroOp, Nanos, Outcome, Reason, SessionId};
use nemesis::Moment;

use super::{Answer, Happening, Parcel, Store, World};
use crate::client::{Locality, SimulatedClient, undecided};
use crate::sim::client::{Caller, Client, Duty, InFlight};
use crate::sim::network::End;

impl World<'_> {
    /// A client who lives where node `home` is.
    pub(super) fn hire(&mut self, duty: Duty, home: usize) -> u32 {
        let translator = match &self.store {
            Store::Cluster(_) => Some(SimulatedClient::new(self.dialect, self.tokens)),
            Store::Control(_) => None,
        };
        let session = self.session();
        self.clients.push(Client { session, home, translator, in_flight: None, calls: 0, duty });
        self.busy += 1;
        (self.clients.len() - 1) as u32
    }

    pub(super) fn session(&mut self) -> SessionId {
        self.sessions += 1;
        SessionId(self.sessions - 1)
    }

    /// Puts down when a client of the load asks next, if it does.
    pub(super) fn plan(&mut self, client: u32) {
        let now = self.agenda.now();
        match self.clients[client as usize].next(now) {
            Some(planned) => {
                self.agenda.at(planned, Happening::Plan(client, planned));
            }
            None => self.busy -= 1,
        }
    }

    pub(super) fn ask_next(&mut self, client: u32, planned: Nanos) {
        let Duty::Load(load) = &mut self.clients[client as usize].duty else { return };
        if self.stopped {
            return;
        }
        let (call, node) = (load.generator.next_call(), load.route.next());
        let planned = planned.since(self.began);
        self.ask(client, node, call, Some(planned), Locality::Default);
    }

    pub(super) fn read_next(&mut self, client: u32) {
        let Duty::Read(reader) = &mut self.clients[client as usize].duty else { return };
        let index = reader.take(&mut self.final_next[reader.node]);
        self.read(client, index);
    }

    pub(super) fn read(&mut self, client: u32, index: usize) {
        let Duty::Read(reader) = &self.clients[client as usize].duty else { return };
        match self.final_keys.get(index).cloned() {
            Some(key) => {
                let node = reader.node;
                self.ask(client, node, MicroOp::Read { key }.into(), None, Locality::Local);
            }
            None => self.busy -= 1,
        }
    }

    pub(super) fn ask(
        &mut self,
        index: u32,
        node: usize,
        call: Call,
        planned: Option<Nanos>,
        locality: Locality,
    ) {
        let client = &mut self.clients[index as usize];
        client.calls += 1;
        let caller = Caller { client: index, call: client.calls };
        let parcel = match &client.translator {
            Some(translator) => Parcel::Ask(caller, translator.request(&call, locality)),
            None => Parcel::AskControl(caller, call.clone()),
        };
        let gives_up = self.agenda.after(self.timeout, Happening::GiveUp(caller));
        let session = client.session;
        client.in_flight = Some(InFlight { node, call: call.clone(), reached: false, gives_up });
        let waited_for = (!self.trouble.lookout.is_empty()).then(|| call.clone());
        self.note(EventKind::Invoke { session, node: Some(self.nodes[node].clone()), planned, call });
        if let Some(call) = waited_for {
            self.saw_call(Moment::Asked, &call, node);
        }
        self.send(End::Clients, End::Node(node), parcel);
    }

    pub(super) fn hear(&mut self, caller: Caller, answer: Answer) {
        let client = &mut self.clients[caller.client as usize];
        // A session that gave up is over; what still comes finds nobody.
        if client.waits_for(caller.call).is_none() {
            return;
        }
        let Some(in_flight) = &client.in_flight else { return };
        let outcome = match (answer, &mut client.translator) {
            (Answer::Response(response), Some(translator)) => {
                translator.understand(&in_flight.call, response)
            }
            (Answer::Control(outcome), _) => outcome,
            (Answer::Refused, _) => Outcome::Failed(Reason::REFUSED),
            (Answer::Broken | Answer::Response(_), _) => undecided(&in_flight.call, Reason::DISCONNECTED),
        };
        self.complete(caller, outcome);
    }

    pub(super) fn complete(&mut self, caller: Caller, outcome: Outcome) {
        let client = &mut self.clients[caller.client as usize];
        if client.waits_for(caller.call).is_none() {
            return;
        }
        let Some(in_flight) = client.in_flight.take() else { return };
        let session = client.session;
        self.agenda.cancel(in_flight.gives_up);
        self.note(EventKind::Complete { session, outcome: outcome.clone() });
        self.saw_call(Moment::from(&outcome), &in_flight.call, in_flight.node);
        if outcome.is_unknown() {
            let session = self.session();
            let client = &mut self.clients[caller.client as usize];
            client.session = session;
            client.translator =
                client.translator.as_ref().map(|_| SimulatedClient::new(self.dialect, self.tokens));
        }
        match &mut self.clients[caller.client as usize].duty {
            Duty::Load(load) => {
                load.generator.observe(&in_flight.call, &outcome);
                self.plan(caller.client);
            }
            Duty::Read(reader) => {
                let (again, key) = (reader.observe(&outcome), reader.key);
                if again { self.read(caller.client, key) } else { self.read_next(caller.client) }
            }
        }
    }
}
