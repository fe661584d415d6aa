//! Faults in the simulated world: the same schedule, the same events, and evidence by construction.
//!
//! ```text
//!   plan      at                                              end
//!   done      cut          first message meets the cut        restore, deliver what was held
//!   events    Injecting    Effective "A → B: …, lost"         Healing, Healed "3 held, 12 lost"
//!                          (nobody met it: Ineffective, just before Healing)
//! ```
//!
//! A fault with a trigger has no time until a client's call or another fault sets it off; then it
//! begins at that very moment, before anything else happens. It may be set off again once it is over.
//!
//! A cut that nobody talks into proves nothing, so it bites with the first message that meets it, and a
//! disk that nobody writes to with the first write. A killed or paused process bites at once, and so does
//! a clock.

use histories::{FaultEvent, FaultStage, Nanos, NodeName};
use nemesis::{Action, Endpoint, Lookout, PlannedFault, Schedule};

use super::network::{End, FaultIndex};

/// One step of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Move {
    /// It heals for good. At one same time what ends comes before what begins.
    End,
    /// Its effects end, and will come again.
    Ebb,
    /// Its effects begin.
    Begin,
    /// The load is over: what still waits for its trigger waits no longer.
    Dismiss,
}

/// Every fault of a run, and what came of it so far.
pub(super) struct Trouble {
    pub(super) faults: Vec<Fault>,
    pub(super) lookout: Lookout,
    end_of_load: Nanos,
}

pub(super) struct Fault {
    /// As the plan has it.
    plan: PlannedFault,
    /// With the times of this time.
    pub(super) planned: PlannedFault,
    /// What set it off.
    because: String,
    /// Its trigger may still set it off.
    waits: bool,
    pub(super) in_force: bool,
    begun_at: Option<Nanos>,
    bit: bool,
    ended: bool,
    held: u64,
    lost: u64,
    late: u64,
    doubled: u64,
}

/// What a link did to a message because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bite {
    Held,
    Lost,
    Late(Nanos),
    Doubled,
}

impl Trouble {
    pub(super) fn new(schedule: &Schedule, end_of_load: Nanos) -> Self {
        let faults = schedule.faults.iter().map(Fault::new).collect();
        Self { faults, lookout: Lookout::new(schedule), end_of_load }
    }

    /// All steps in the order in which they are taken, with their times since the load began.
    pub(super) fn moves(&self) -> Vec<(Nanos, Move, FaultIndex)> {
        let of = |(index, fault): (FaultIndex, &Fault)| match fault.waits {
            true => vec![(self.end_of_load, Move::Dismiss, index)],
            false => fault.moves().into_iter().map(|(at, what)| (at, what, index)).collect(),
        };
        let mut moves: Vec<_> = self.faults.iter().enumerate().flat_map(of).collect();
        moves.sort();
        moves
    }

    pub(super) fn is_over(&self) -> bool {
        self.faults.iter().all(|fault| fault.ended && !fault.waits)
    }

    /// Whether what sets a fault off at `now` finds it ready.
    pub(super) fn is_ready(&self, fault: FaultIndex, now: Nanos) -> bool {
        let fault = &self.faults[fault];
        fault.waits && (fault.ended || !fault.has_begun()) && now < self.end_of_load
    }

    /// The fault is set off at `now`, since the load began: its times are known from here on.
    pub(super) fn fire(&mut self, fault: FaultIndex, now: Nanos, because: String) {
        let end_of_load = self.end_of_load;
        let fault = &mut self.faults[fault];
        let again = fault.plan.trigger.as_ref().is_some_and(|trigger| trigger.every.is_some());
        let planned = fault.plan.fired(now, end_of_load);
        *fault = Fault { planned, because, waits: again, ..Fault::new(&fault.plan) };
    }

    /// Why a fault cannot begin now: another is at work on the same thing. Among faults with known times
    /// the schedule has seen to it.
    pub(super) fn hindrance(&self, fault: FaultIndex) -> Option<String> {
        let planned = &self.faults[fault].planned;
        let at_work = self.faults.iter().filter(|other| other.has_begun() && !other.ended);
        let mut at_work = at_work.map(|other| &other.planned).filter(|other| other.id != planned.id);
        let (other, target) = at_work.find_map(|other| Some((other.id, other.clash(planned)?)))?;
        Some(format!("fault {other} has {target} at this time, so this one was left out"))
    }
}

impl Fault {
    fn new(plan: &PlannedFault) -> Self {
        Self {
            plan: plan.clone(),
            planned: plan.clone(),
            because: String::new(),
            waits: plan.trigger.is_some(),
            in_force: false,
            begun_at: None,
            bit: false,
            ended: false,
            held: 0,
            lost: 0,
            late: 0,
            doubled: 0,
        }
    }

    /// Its steps in order, with their times since the load began.
    pub(super) fn moves(&self) -> Vec<(Nanos, Move)> {
        let end = self.planned.end();
        let step = |(at, action): (Nanos, Action)| match action {
            Action::Inject => Some((at, Move::Begin)),
            Action::Heal => (at < end).then_some((at, Move::Ebb)),
        };
        self.planned.steps().into_iter().filter_map(step).chain([(end, Move::End)]).collect()
    }

    /// The fault's effects begin; gives the event if it is for the first time.
    pub(super) fn begin(&mut self, now: Nanos) -> Option<FaultEvent> {
        self.in_force = true;
        let first = self.begun_at.is_none();
        self.begun_at = self.begun_at.or(Some(now));
        first.then(|| self.event(FaultStage::Injecting, self.because.clone()))
    }

    /// A process, a disk or a clock met the fault; gives the event if that is the first.
    pub(super) fn bite_nodes(&mut self, evidence: String) -> Option<FaultEvent> {
        let first = !std::mem::replace(&mut self.bit, true);
        first.then(|| self.event(FaultStage::Effective, evidence))
    }

    /// A message between these two met the fault; gives the event if it is the first.
    pub(super) fn bite(
        &mut self,
        now: Nanos,
        (from, to): (NodeName, NodeName),
        bite: Bite,
    ) -> Option<FaultEvent> {
        let fate = match bite {
            Bite::Held => {
                self.held += 1;
                "waits for the heal".to_string()
            }
            Bite::Lost => {
                self.lost += 1;
                "is lost".to_string()
            }
            Bite::Late(by) => {
                self.late += 1;
                format!("takes {} ms", by.0 / 1_000_000)
            }
            Bite::Doubled => {
                self.doubled += 1;
                "arrives twice".to_string()
            }
        };
        if std::mem::replace(&mut self.bit, true) {
            return None;
        }
        let after = now.since(self.begun_at.unwrap_or(now)).0 / 1_000_000;
        let evidence = format!("after {after} ms the first message met it: {from} → {to} {fate}");
        Some(self.event(FaultStage::Effective, evidence))
    }

    /// The events before the heal.
    pub(super) fn ending(&mut self) -> Vec<FaultEvent> {
        let mut events = Vec::new();
        if !self.bit {
            let met = if self.planned.nodes().is_empty() { "message" } else { "write" };
            let why = format!("no {met} met it from its beginning to its end");
            events.push(self.event(FaultStage::Ineffective, why));
        }
        events.push(self.event(FaultStage::Healing, String::new()));
        events
    }

    /// The event after the heal; `processes` says what became of these.
    pub(super) fn ended(&mut self, processes: &[String]) -> FaultEvent {
        (self.in_force, self.ended) = (false, true);
        let count = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let links = [
            count(self.held, "messages were held, and go on now"),
            count(self.lost, "messages were lost"),
            count(self.late, "messages were late"),
            count(self.doubled, "messages were doubled"),
        ];
        let parts: Vec<String> = links.into_iter().flatten().chain(processes.iter().cloned()).collect();
        self.event(FaultStage::Healed, parts.join("; "))
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun_at.is_some()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The fault never begins, because the run was stopped.
    pub(super) fn skip(&mut self) {
        (self.ended, self.waits) = (true, false);
    }

    /// The fault is left out this time; gives the event.
    pub(super) fn leave_out(&mut self, why: String) -> FaultEvent {
        self.ended = true;
        self.event(FaultStage::Ineffective, why)
    }

    /// The load is over: the trigger sets nothing off any more. Gives the event if it never did.
    pub(super) fn dismiss(&mut self) -> Option<FaultEvent> {
        let never = std::mem::take(&mut self.waits) && !self.ended && !self.has_begun();
        never.then(|| self.leave_out("nothing triggered it before the load ended".into()))
    }

    fn event(&self, stage: FaultStage, detail: String) -> FaultEvent {
        let PlannedFault { id, name, summary, at, .. } = &self.planned;
        let planned = match stage {
            FaultStage::Injecting | FaultStage::Effective | FaultStage::Ineffective => *at,
            FaultStage::Healing | FaultStage::Healed => self.planned.end(),
        };
        FaultEvent {
            fault: *id,
            name: name.clone(),
            stage,
            planned,
            summary: summary.clone(),
            detail,
            links: self.planned.links(),
            nodes: self.planned.nodes(),
        }
    }
}

/// The end of a link, by its number.
pub(super) fn end(endpoint: &Endpoint, nodes: &[NodeName]) -> End {
    match endpoint {
        Endpoint::Clients => End::Clients,
        Endpoint::Node(node) => End::Node(place(node, nodes)),
    }
}

/// Which node it is.
pub(super) fn place(node: &NodeName, nodes: &[NodeName]) -> usize {
    match nodes.iter().position(|other| other == node) {
        Some(place) => place,
        None => panic!("the schedule of faults names a node {node} that there is not"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use nemesis::FaultSpec;

    fn trouble(fault: &str) -> Trouble {
        let spec: FaultSpec = toml::from_str(fault).unwrap();
        let nodes = ["A", "B", "C"].map(NodeName::from);
        let mut rng = crate::rng::Seed(1).stream();
        let end = Nanos::from_millis(30_000);
        Trouble::new(&Schedule::resolve(&[spec], &nodes, end, &mut rng).unwrap(), end)
    }

    #[test]
    fn a_flapping_fault_comes_and_goes_and_ends_once() {
        let flap = trouble("at = '1s'\nfor = '1s'\nflap = { partition = 'halves', period = '800ms' }");
        let moves: Vec<String> = flap.moves().iter().map(|(at, what, _)| format!("{at} {what:?}")).collect();
        expect!["1.000 s Begin, 1.400 s Ebb, 1.800 s Begin, 2.000 s End"].assert_eq(&moves.join(", "));
    }

    #[test]
    fn a_cut_bites_with_the_first_message_that_meets_it() {
        let mut cut = trouble("at = '1s'\nfor = '1s'\none-way = ['A', 'B']");
        let fault = &mut cut.faults[0];
        let (at, link) = (Nanos::from_millis(1000), || ("A".into(), "B".into()));
        assert!(fault.begin(at).is_some() && fault.begin(at).is_none());
        let first = fault.bite(Nanos::from_millis(1012), link(), Bite::Lost).unwrap();
        expect!["after 12 ms the first message met it: A → B is lost"].assert_eq(&first.detail);
        assert_eq!(fault.bite(Nanos::from_millis(1013), link(), Bite::Held), None);
        assert_eq!(fault.ending().len(), 1);
        expect!["1 messages were held, and go on now; 1 messages were lost"]
            .assert_eq(&fault.ended(&[]).detail);
    }

    #[test]
    fn a_fault_that_waits_has_its_times_once_it_is_set_off() {
        let mut cut = trouble(
            "when = { confirmed = 'write', every = 2 }\nfor = '1s'\nthen = { partition = ['A', 'B C'] }",
        );
        assert_eq!(cut.moves(), [(Nanos::from_millis(30_000), Move::Dismiss, 0)]);
        cut.fire(0, Nanos::from_millis(29_500), "when A confirmed write x".into());
        let moves: Vec<String> =
            cut.faults[0].moves().iter().map(|(at, what)| format!("{at} {what:?}")).collect();
        expect!["29.500 s Begin, 30.000 s End"].assert_eq(&moves.join(", "));
        expect!["when A confirmed write x"].assert_eq(&cut.faults[0].begin(Nanos(0)).unwrap().detail);
        assert!(!cut.is_ready(0, Nanos::from_millis(29_600)));
        cut.faults[0].ended(&[]);
        assert!(cut.is_ready(0, Nanos::from_millis(29_600)) && !cut.is_over());
        assert_eq!(cut.faults[0].dismiss(), None);
        assert!(cut.is_over());
    }

    #[test]
    fn what_nothing_triggers_did_not_bite() {
        let mut cut =
            trouble("when = { confirmed = 'write' }\nfor = '1s'\nthen = { partition = ['A', 'B C'] }");
        let event = cut.faults[0].dismiss().unwrap();
        assert_eq!(event.stage, FaultStage::Ineffective);
        expect!["nothing triggered it before the load ended"].assert_eq(&event.detail);
        assert!(cut.is_over());
    }

    #[test]
    fn a_cut_that_nobody_meets_did_not_bite() {
        let mut cut = trouble("at = '1s'\nfor = '1s'\npartition = 'halves'");
        cut.faults[0].begin(Nanos(0));
        let stages: Vec<FaultStage> = cut.faults[0].ending().iter().map(|event| event.stage).collect();
        assert_eq!(stages, [FaultStage::Ineffective, FaultStage::Healing]);
    }
}
