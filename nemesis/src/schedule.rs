//! Schedules: every fault of a run with its time and its targets, drawn and checked before the run.
//!
//! ```text
//! [[fault]] at 10s for 10s partition = "halves"        F0  10.000 s  20.000 s  partition  A | B C
//! [[fault]] at 24s for 3s  pause = "one"          ──►  F1  24.000 s  27.000 s  pause      pause B
//! ```
//!
//! Nothing is left to chance afterwards: the live driver and the simulator obey the same steps.

use std::fmt;

use histories::{FaultId, Nanos, NodeName};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::effect::Target;
use crate::fault::RESERVED;
use crate::trigger::Trigger;
use crate::{Effect, Error, FaultSpec};

/// One fault with everything drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedFault {
    /// Its place in the plan, from 0.
    pub id: FaultId,
    /// Its kind, such as `partition`.
    pub name: String,
    /// When it begins, in nanoseconds since the load began; with a trigger, the earliest time.
    pub at: Nanos,
    /// How long it lasts, in nanoseconds, above 0.
    pub duration: Nanos,
    /// In a few words, such as `A | B C`.
    pub summary: String,
    /// What is done.
    pub effects: Vec<Effect>,
    /// If it comes and goes: how long that takes, once. In force for the first half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flap_period: Option<Nanos>,
    /// What it waits for, if not for a time: then its time is unknown until that happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
}

impl PlannedFault {
    /// The fault as it runs once its trigger fired at `now`, in a load that ends at `end_of_load`.
    pub fn fired(&self, now: Nanos, end_of_load: Nanos) -> Self {
        Self { at: now, duration: self.duration.min(end_of_load.since(now)), ..self.clone() }
    }

    /// What both would change at one time in ways that do not combine.
    ///
    /// Before a run only faults with known times can be held against each other; one with a trigger
    /// is held against the others when it fires.
    pub fn clash(&self, other: &Self) -> Option<Target> {
        clash(self, other)
    }

    /// When it heals.
    pub fn end(&self) -> Nanos {
        self.at + self.duration
    }

    /// Kind and summary, such as `partition A | B C` or `kill B`.
    pub fn title(&self) -> String {
        if self.summary.starts_with(&self.name) {
            return self.summary.clone();
        }
        format!("{} {}", self.name, self.summary)
    }

    /// The directed links that it touches.
    pub fn links(&self) -> Vec<(NodeName, NodeName)> {
        self.effects.iter().filter_map(Effect::link).map(|(from, to)| (from.name(), to.name())).collect()
    }

    /// The nodes that it touches: their processes, disks or clocks.
    pub fn nodes(&self) -> Vec<NodeName> {
        self.effects.iter().filter_map(Effect::node).collect()
    }

    /// When it is injected and healed, in order: once each, or again and again if it flaps.
    pub fn steps(&self) -> Vec<(Nanos, Action)> {
        let period = self.flap_period.unwrap_or(self.duration + self.duration);
        let mut steps = Vec::new();
        let mut at = self.at;
        while at < self.end() {
            let heal = (at + Nanos(period.0 / 2)).min(self.end());
            steps.extend([(at, Action::Inject), (heal, Action::Heal)]);
            at = at + Nanos(period.0.max(1));
        }
        steps
    }
}

/// What a step does with its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The effects end. At one same time this comes first.
    Heal,
    /// The effects begin.
    Inject,
}

/// One step of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// When, since the load began.
    pub at: Nanos,
    /// What.
    pub action: Action,
    /// Which fault, as an index into [`Schedule::faults`].
    pub fault: usize,
}

/// All faults of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    /// In the order of the plan; a fault's id is its index.
    pub faults: Vec<PlannedFault>,
}

impl Schedule {
    /// Draws what the plan leaves open and checks the whole.
    ///
    /// What would outlast the load is healed when the load ends.
    pub fn resolve<R: Rng>(
        specs: &[FaultSpec],
        nodes: &[NodeName],
        end_of_load: Nanos,
        rng: &mut R,
    ) -> Result<Self, Error> {
        if let Some(name) = nodes.iter().find(|node| RESERVED.contains(&node.as_str())) {
            return Err(Error::ReservedName { name: name.clone() });
        }
        let mut faults = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let id = FaultId(u32::try_from(index).unwrap_or(u32::MAX));
            let duration = window(id, spec, end_of_load)?;
            spec.trigger.iter().try_for_each(|trigger| trigger.check(id, specs.len(), nodes))?;
            let resolved = spec.form()?.resolve(nodes, rng)?;
            faults.push(PlannedFault {
                id,
                name: spec.name().to_owned(),
                at: spec.at,
                duration,
                summary: resolved.summary,
                effects: resolved.effects,
                flap_period: resolved.flap_period,
                trigger: spec.trigger.clone(),
            });
        }
        refuse_overlaps(&faults)?;
        Ok(Self { faults })
    }

    /// The schedule for kinds without more words, as in `--faults partition,pause`: one after
    /// another over the run, with gaps; see [`FaultSpec::spread`].
    pub fn from_kinds<R: Rng>(
        kinds: &[&str],
        nodes: &[NodeName],
        end_of_load: Nanos,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let specs = FaultSpec::spread(kinds, nodes, end_of_load, rng)?;
        Self::resolve(&specs, nodes, end_of_load, rng)
    }

    /// Every step whose time is known, in the order of time; at one same time heals come before injections.
    pub fn steps(&self) -> Vec<Step> {
        let timed = |(_, planned): &(usize, &PlannedFault)| planned.trigger.is_none();
        let of = |(fault, planned): (usize, &PlannedFault)| {
            planned.steps().into_iter().map(move |(at, action)| Step { at, action, fault })
        };
        let mut steps: Vec<Step> = self.faults.iter().enumerate().filter(timed).flat_map(of).collect();
        steps.sort();
        steps
    }
}

/// One line a fault: id, begin, end, kind, summary.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            let (id, at, end) = (fault.id.to_string(), fault.at.to_string(), fault.end().to_string());
            write!(f, "{id:<3} {at:>10} {end:>10}  {:<10} {}", fault.name, fault.summary)?;
            fault.trigger.iter().try_for_each(|trigger| write!(f, ", when {trigger}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn window(fault: FaultId, spec: &FaultSpec, end: Nanos) -> Result<Nanos, Error> {
    if spec.duration == Nanos(0) {
        return Err(Error::Empty { fault });
    }
    if spec.at >= end {
        return Err(Error::AfterLoad { fault, at: spec.at, end });
    }
    Ok(spec.duration.min(end.since(spec.at)))
}

fn refuse_overlaps(faults: &[PlannedFault]) -> Result<(), Error> {
    for (index, one) in faults.iter().enumerate() {
        for other in &faults[index + 1..] {
            let timed = one.trigger.is_none() && other.trigger.is_none();
            let at_once = timed && overlap(one, other);
            if let Some(target) = clash(one, other).filter(|_| at_once) {
                let (first, second) =
                    if one.at <= other.at { (one.id, other.id) } else { (other.id, one.id) };
                return Err(Error::Overlap { first, second, target });
            }
        }
    }
    Ok(())
}

/// Whether there is a time at which both are in force.
pub(crate) fn overlap(one: &PlannedFault, other: &PlannedFault) -> bool {
    one.at < other.end() && other.at < one.end()
}

/// What both would change in ways that do not combine.
pub(crate) fn clash(one: &PlannedFault, other: &PlannedFault) -> Option<Target> {
    let mut pairs = one.effects.iter().flat_map(|a| other.effects.iter().map(move |b| (a, b)));
    pairs.find_map(|(a, b)| contested(a, b))
}

/// What two effects would change in ways that do not combine.
///
/// A link may be cut by several faults, and cut while it is slow. Two latencies for one link, or two
/// faults of one process, have no clear meaning; a disk that ends its process is a fault of that too.
fn contested(a: &Effect, b: &Effect) -> Option<Target> {
    if a.node().is_some() && a.node() == b.node() && a.needs_process() && b.needs_process() {
        return a.node().map(Target::Process);
    }
    (a.target() == b.target() && !combine(a, b)).then(|| a.target())
}

/// Whether two effects on one target can both be in force.
fn combine(a: &Effect, b: &Effect) -> bool {
    let different = std::mem::discriminant(a) != std::mem::discriminant(b);
    match a {
        Effect::Cut { .. } => true,
        Effect::Slow { .. }
        | Effect::Lose { .. }
        | Effect::Duplicate { .. }
        | Effect::Reorder { .. }
        | Effect::Clog { .. } => different,
        Effect::Kill { .. }
        | Effect::Pause { .. }
        | Effect::Wipe { .. }
        | Effect::Disk { .. }
        | Effect::LoseAnswers { .. }
        | Effect::Clock { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Controls;
    use crate::fault::tests::nodes;

    #[derive(Deserialize)]
    struct Plan {
        fault: Vec<FaultSpec>,
    }

    fn resolve(plan: &str, seed: u64) -> Result<Schedule, Error> {
        let tables: Vec<String> = plan.lines().map(|line| format!("{{ {line} }}")).collect();
        let plan: Plan = toml::from_str(&format!("fault = [{}]", tables.join(","))).unwrap();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        Schedule::resolve(&plan.fault, &nodes("A B C"), Nanos::from_millis(30_000), rng)
    }

    fn check(plan: &str, expected: Expect) {
        expected.assert_eq(
            &resolve(plan, 1).map_or_else(|error| error.to_string(), |schedule| schedule.to_string()),
        );
    }

    #[test]
    fn what_is_open_is_drawn() {
        check(
            "at = '10s', for = '10s', partition = 'halves'\nat = '24s', for = '2.5s', pause = 'one'\nat = '24s', for = '1m', slow = { latency = '200ms' }",
            expect![[r#"
                F0    10.000 s   20.000 s  partition  C | A B
                F1    24.000 s   26.500 s  pause      pause B
                F2    24.000 s   30.000 s  slow       all links + 200 ms
            "#]],
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check(
            "at = '30s', for = '1s', kill = 'A'",
            expect!["fault F0 begins at 30.000 s, and the load ends at 30.000 s"],
        );
        check("at = '3s', for = '0s', kill = 'A'", expect!["fault F0 lasts 0 s; `for` must be longer"]);
        check(
            "at = '3s', for = '2s', kill = 'a'",
            expect!["`kill` names the node `a` (did you mean `A`?); the nodes are: A B C"],
        );
        check(
            "at = '3s', for = '2s', kill = 'A'\nat = '4s', for = '2s', pause = 'A B'",
            expect!["faults F0 and F1 overlap on process A; let one end before the other begins"],
        );
        check(
            "at = '3s', for = '2s', slow = { latency = '1s' }\nat = '1s', for = '4s', slow = { latency = '2s' }",
            expect!["faults F1 and F0 overlap on link A → B; let one end before the other begins"],
        );
    }

    #[test]
    fn a_fault_that_waits_has_no_time_yet_and_clashes_with_nothing() {
        check(
            "at = '3s', for = '9s', kill = 'A'\nwhen = { confirmed = 'write', node = 'B', nth = 2 }, for = '2s', then = { kill = 'A' }",
            expect![[r#"
                F0     3.000 s   12.000 s  kill       kill A
                F1     0.000 s    2.000 s  kill       kill A, when confirmed write at B, 2nd
            "#]],
        );
        let waits = "when = { asked = 'read' }, for = '2s', then = { kill = 'A' }";
        assert_eq!(resolve(waits, 1).unwrap().steps(), []);
        let json = serde_json::to_string(&resolve(waits, 1).unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), resolve(waits, 1).unwrap());
        expect![[r#"[{"id":0,"name":"kill","at":0,"duration":2000000000,"summary":"kill A","effects":[{"kill":{"node":"A"}}],"trigger":{"asked":"read"}}]"#]].assert_eq(&json);
        check(
            "when = { asked = 'read', node = 'D' }, for = '2s', then = { kill = 'A' }",
            expect!["`when` names the node `D`; the nodes are: A B C"],
        );
        check(
            "when = { fault = 0 }, for = '2s', then = { kill = 'A' }",
            expect!["fault F0 waits for fault F0; there are 1, counted from 0, and it cannot be itself"],
        );
        check(
            "when = { fault = 1 }, for = '2s', then = { kill = 'A' }",
            expect!["fault F0 waits for fault F1; there are 1, counted from 0, and it cannot be itself"],
        );
    }

    #[test]
    fn faults_that_combine_or_only_touch_are_taken() {
        check(
            "at = '3s', for = '2s', kill = 'A'\nat = '5s', for = '2s', pause = 'A B'",
            expect![[r#"
            F0     3.000 s    5.000 s  kill       kill A
            F1     5.000 s    7.000 s  pause      pause A B
        "#]],
        );
        check(
            "at = '3s', for = '9s', partition = ['A', 'B C']\nat = '5s', for = '2s', one-way = ['A', 'B']",
            expect![[r#"
                F0     3.000 s   12.000 s  partition  A | B C
                F1     5.000 s    7.000 s  one-way    A ⇥ B
            "#]],
        );
    }

    #[test]
    fn kinds_are_spread_over_the_run() {
        let spread = |kinds: &[&str]| {
            let rng = &mut ChaCha8Rng::seed_from_u64(1);
            match Schedule::from_kinds(kinds, &nodes("A B C"), Nanos::from_millis(30_000), rng) {
                Ok(schedule) => schedule.to_string(),
                Err(error) => error.to_string(),
            }
        };
        expect![""].assert_eq(&spread(&[]));
        expect![[r#"
            F0    10.000 s   20.000 s  partition  A | B C
        "#]]
        .assert_eq(&spread(&["partition"]));
        expect![[r#"
            F0     4.285 s    8.570 s  partition  B | A C
            F1    12.857 s   17.142 s  pause      pause C
            F2    21.428 s   25.713 s  kill       kill C
        "#]]
        .assert_eq(&spread(&["partition", "pause", "kill"]));
        expect!["no fault is called `skew`; there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe"]
            .assert_eq(&spread(&["skew"]));
    }

    #[test]
    fn flapping_is_expanded_and_heals_come_first() {
        let plan = "at = '1s', for = '1s', flap = { partition = 'halves', period = '800ms' }\nat = '2s', for = '1s', kill = 'A'";
        let steps: Vec<String> = resolve(plan, 1)
            .unwrap()
            .steps()
            .iter()
            .map(|step| format!("{} {:?} F{}", step.at, step.action, step.fault))
            .collect();
        expect![[r#"
            1.000 s Inject F0
            1.400 s Heal F0
            1.800 s Inject F0
            2.000 s Heal F0
            2.000 s Inject F1
            3.000 s Heal F1"#]]
        .assert_eq(&steps.join("\n"));
    }

    #[test]
    fn a_schedule_survives_json() {
        let schedule =
            resolve("at = '1s', for = '1s', flap = { partition = ['A', 'B C'], period = '800ms' }", 1)
                .unwrap();
        let json = serde_json::to_string(&schedule).unwrap();
        expect![[r#"[{"id":0,"name":"flap","at":1000000000,"duration":1000000000,"summary":"A | B C, every 800ms","effects":[{"cut":{"from":"A","to":"B"}},{"cut":{"from":"A","to":"C"}},{"cut":{"from":"B","to":"A"}},{"cut":{"from":"C","to":"A"}}],"flap-period":800000000}]"#]].assert_eq(&json);
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
    }

    #[test]
    fn a_target_without_control_refuses() {
        let admit = |controls: Controls, plan| {
            controls
                .admit(&resolve(plan, 1).unwrap())
                .err()
                .map_or_else(|| "taken".to_owned(), |error| error.to_string())
        };
        let network = Controls { network: true, ..Controls::default() };
        expect!["taken"].assert_eq(&admit(network, "at = '1s', for = '1s', partition = 'halves'"));
        expect!["fault F0, kill, needs process control, which this target does not offer; it offers network control only"].assert_eq(&admit(network, "at = '1s', for = '1s', kill = 'A'"));
        expect![
            "fault F0, slow, needs network control, which this target does not offer; it offers no control"
        ]
        .assert_eq(&admit(Controls::default(), "at = '1s', for = '1s', slow = { latency = '1s' }"));
    }
}
