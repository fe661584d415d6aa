//! Faults in the simulated world: the same schedule, the same events, and evidence by construction.
//!
//! ```text
//!   plan      at                                              end
//!   done      cut          first message meets the cut        restore, deliver what was held
//!   events    Injecting    Effective "A → B: …, lost"         Healing, Healed "3 held, 12 lost"
//!                          (nobody met it: Ineffective, just before Healing)
//! ```
//!
//! A cut that nobody talks into proves nothing, so it bites with the first message that meets it, and a
//! disk that nobody writes to with the first write. A killed or paused process bites at once, and so does
//! a clock.

use histories::{FaultEvent, FaultStage, Nanos, NodeName};
use nemesis::{Action, Endpoint, PlannedFault, Schedule};

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
}

/// Every fault of a run, and what came of it so far.
pub(super) struct Trouble {
    pub(super) faults: Vec<Fault>,
}

pub(super) struct Fault {
    pub(super) planned: PlannedFault,
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
    pub(super) fn new(schedule: &Schedule) -> Self {
        let fault = |planned: &PlannedFault| Fault {
            planned: planned.clone(),
            in_force: false,
            begun_at: None,
            bit: false,
            ended: false,
            held: 0,
            lost: 0,
            late: 0,
            doubled: 0,
        };
        Self { faults: schedule.faults.iter().map(fault).collect() }
    }

    /// All steps in the order in which they are taken, with their times since the load began.
    pub(super) fn moves(&self) -> Vec<(Nanos, Move, FaultIndex)> {
        let mut moves = Vec::new();
        for (index, fault) in self.faults.iter().enumerate() {
            let end = fault.planned.end();
            for (at, action) in fault.planned.steps() {
                match action {
                    Action::Inject => moves.push((at, Move::Begin, index)),
                    Action::Heal if at < end => moves.push((at, Move::Ebb, index)),
                    Action::Heal => {}
                }
            }
            moves.push((end, Move::End, index));
        }
        moves.sort();
        moves
    }

    pub(super) fn is_over(&self) -> bool {
        self.faults.iter().all(|fault| fault.ended)
    }
}

impl Fault {
    /// The fault's effects begin; gives the event if it is for the first time.
    pub(super) fn begin(&mut self, now: Nanos) -> Option<FaultEvent> {
        self.in_force = true;
        let first = self.begun_at.is_none();
        self.begun_at = self.begun_at.or(Some(now));
        first.then(|| self.event(FaultStage::Injecting, String::new()))
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
        self.ended = true;
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
        Trouble::new(&Schedule::resolve(&[spec], &nodes, Nanos::from_millis(30_000), &mut rng).unwrap())
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
    fn a_cut_that_nobody_meets_did_not_bite() {
        let mut cut = trouble("at = '1s'\nfor = '1s'\npartition = 'halves'");
        cut.faults[0].begin(Nanos(0));
        let stages: Vec<FaultStage> = cut.faults[0].ending().iter().map(|event| event.stage).collect();
        assert_eq!(stages, [FaultStage::Ineffective, FaultStage::Healing]);
    }
}
