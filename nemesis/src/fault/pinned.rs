//! Pinned faults: what a fault came to, written down so that nothing is left to draw.
//!
//! ```text
//! cut A→B  cut B→A            partition = ["A", "B"]        a kind can say it
//! cut A→B  kill C             effects = [{ cut = { from = "A", to = "B" } }, { kill = { node = "C" } }]
//! ```
//!
//! Shrinking takes effects away one by one, and what is left need not be any kind's doing.

use std::fmt;

use histories::{Nanos, NodeName};
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Argument, FAULTS, Fault, Form, Resolved, node_of};
use crate::effect::Target;
use crate::{Effect, Endpoint, Error, PlannedFault, duration};

/// What a plan writes in place of a kind.
pub(crate) const EFFECTS: &str = "effects";
/// What a plan writes beside it, if the effects come and go.
pub(crate) const FLAP_PERIOD: &str = "flap-period";

/// A fault said effect by effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) effects: Vec<Effect>,
    pub(crate) flap_period: Option<Nanos>,
}

impl Form for Pinned {
    fn resolve(&self, nodes: &[NodeName], _: &mut dyn Rng) -> Result<Resolved, Error> {
        if self.effects.is_empty() {
            return Err(Error::NoEffects);
        }
        let known = |end: &Endpoint| match end {
            Endpoint::Clients => Ok(()),
            Endpoint::Node(node) => node_of(EFFECTS, node.as_str(), nodes).map(drop),
        };
        for effect in &self.effects {
            match effect.target() {
                Target::Link(from, to) => known(&from).and_then(|()| known(&to))?,
                Target::Process(node) | Target::Disk(node) | Target::Answers(node) | Target::Clock(node) => {
                    node_of(EFFECTS, node.as_str(), nodes).map(drop)?;
                }
            }
            if let Some(why) = effect.flaw() {
                return Err(Error::BadEffect { effect: effect.to_string(), why });
            }
        }
        let effects: Vec<String> = self.effects.iter().map(Effect::to_string).collect();
        let every =
            self.flap_period.map_or(String::new(), |period| format!(", every {}", duration::format(period)));
        let summary = format!("{}{every}", effects.join(", "));
        Ok(Resolved { summary, effects: self.effects.clone(), flap_period: self.flap_period })
    }
}

/// As TOML would have it.
impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effects: Vec<String> = self.effects.iter().map(Effect::to_string).collect();
        write!(f, "{EFFECTS} = {effects:?}")
    }
}

/// The kind and the argument that come to exactly these effects, if there are such.
pub(crate) fn naming(planned: &PlannedFault, nodes: &[NodeName]) -> Option<(&'static dyn Fault, Argument)> {
    FAULTS.iter().copied().find_map(|fault| {
        let argument = fault.guess(planned, nodes)?;
        // What is named draws nothing, so that any stream will do.
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let resolved = fault.parse(&argument).ok()?.resolve(nodes, &mut rng).ok()?;
        let same = sorted(&resolved.effects) == sorted(&planned.effects)
            && resolved.flap_period == planned.flap_period;
        same.then_some((fault, argument))
    })
}

fn sorted(effects: &[Effect]) -> Vec<&Effect> {
    let mut sorted: Vec<&Effect> = effects.iter().collect();
    sorted.sort();
    sorted
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use histories::Nanos;

    use crate::fault::tests::nodes;
    use crate::{FaultSpec, PlannedFault, Schedule};

    use super::*;

    fn planned(line: &str, names: &str) -> PlannedFault {
        let spec: FaultSpec = toml::from_str(&format!("at = '1s'\nfor = '1s'\n{line}")).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let end = Nanos::from_millis(9_000);
        Schedule::resolve(&[spec], &nodes(names), end, &mut rng).unwrap().faults.remove(0)
    }

    /// Writes what `line` comes to as a specification, which has to come to the same.
    fn check(line: &str, names: &str, expected: Expect) {
        let (first, nodes) = (planned(line, names), nodes(names));
        let spec = FaultSpec::of(&first, &nodes);
        let text = toml::to_string(&spec).unwrap();
        assert_eq!(toml::from_str::<FaultSpec>(&text).unwrap(), spec);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let second =
            Schedule::resolve(std::slice::from_ref(&spec), &nodes, Nanos::from_millis(9_000), &mut rng);
        let second = second.unwrap().faults.remove(0);
        assert_eq!(sorted(&first.effects), sorted(&second.effects));
        let times = |fault: &PlannedFault| (fault.at, fault.duration, fault.flap_period);
        assert_eq!(times(&first), times(&second));
        let json = serde_json::to_string(&spec).unwrap();
        let what = json.trim_start_matches(r#"{"at":"1s","for":"1s","#);
        expected.assert_eq(&format!("{}: {}", second.title(), what.trim_end_matches('}')));
    }

    #[test]
    fn what_a_kind_can_say_is_said_by_it() {
        check("kill = 'minority'", "A B C", expect![[r#"kill C: "kill":"C""#]]);
        check("pause = 'all'", "A B", expect![[r#"pause A B: "pause":"A B""#]]);
        check(
            "partition = 'halves'",
            "A B C D",
            expect![[r#"partition A B | C D: "partition":["A B","C D"]"#]],
        );
        check("partition = 'bridge'", "A B C D E", expect![[r#"cut A C | B E: "cut":["A C","B E"]"#]]);
        check(
            "partition = ['A clients', 'B C']",
            "A B C",
            expect![[r#"partition A clients | B C: "partition":["A clients","B C"]"#]],
        );
        check("one-way = ['A', 'B C']", "A B C", expect![[r#"one-way A ⇥ B C: "one-way":["A","B C"]"#]]);
        check(
            "slow = { latency = '200ms' }",
            "A B C",
            expect![[r#"slow A B C → A B C + 200 ms: "slow":{"latency":"200ms","links":["A B C","A B C"]"#]],
        );
        check(
            "slow = { links = ['A', 'clients'], latency = '200ms', jitter = '50ms' }",
            "A B",
            expect![[
                r#"slow A → clients + 200 ms ± 50 ms: "slow":{"jitter":"50ms","latency":"200ms","links":["A","clients"]"#
            ]],
        );
        check("cut = ['A', 'B']", "A B C", expect![[r#"cut A | B: "cut":["A","B"]"#]]);
        check("wipe = 'one'", "A B C", expect![[r#"wipe C: "wipe":"C""#]]);
        check("disk-full = 'one'", "A B C", expect![[r#"disk-full C: "disk-full":"C""#]]);
        check("disk-lies = 'A B'", "A B C", expect![[r#"disk-lies A B: "disk-lies":"A B""#]]);
        check(
            "lose = '20%'",
            "A B C",
            expect![[r#"lose A B C → A B C, 20%: "lose":{"links":["A B C","A B C"],"share":"20%""#]],
        );
        check(
            "reorder = { links = ['A', 'B'], share = '5%', by = '1s' }",
            "A B C",
            expect![[
                r#"reorder A → B, 5%, up to 1000 ms late: "reorder":{"by":"1s","links":["A","B"],"share":"5%""#
            ]],
        );
        check(
            "clock = { node = 'one', jump = '-1500ms', strobe = '100ms' }",
            "A B C",
            expect![[
                r#"clock C -1500 ms, to and fro every 100 ms: "clock":{"jump":"-1500ms","node":"C","strobe":"100ms""#
            ]],
        );
        check(
            "flap = { partition = 'halves', period = '500ms' }",
            "A B C",
            expect![[r#"flap A B | C, every 500ms: "flap":{"partition":["A B","C"],"period":"500ms""#]],
        );
    }

    #[test]
    fn what_no_kind_can_say_is_said_effect_by_effect() {
        let (a_to_b, b_to_c) = ("{ cut = { from = 'A', to = 'B' } }", "{ cut = { from = 'B', to = 'C' } }");
        check(
            &format!("effects = [{a_to_b}, {{ kill = {{ node = 'B' }} }}]"),
            "A B",
            expect![[
                r#"effects cut A → B, kill B: "effects":[{"cut":{"from":"A","to":"B"}},{"kill":{"node":"B"}}]"#
            ]],
        );
        check(
            &format!("effects = [{a_to_b}, {b_to_c}]"),
            "A B C",
            expect![[
                r#"effects cut A → B, cut B → C: "effects":[{"cut":{"from":"A","to":"B"}},{"cut":{"from":"B","to":"C"}}]"#
            ]],
        );
        check(
            &format!("flap-period = '200ms'\neffects = [{a_to_b}]"),
            "A B",
            expect![[
                r#"effects cut A → B, every 200ms: "flap-period":"200ms","effects":[{"cut":{"from":"A","to":"B"}}]"#
            ]],
        );
        let ring = planned("partition = 'ring'", "A B C D E");
        assert_eq!(FaultSpec::of(&ring, &nodes("A B C D E")).name(), EFFECTS);
    }

    #[test]
    fn effects_on_nodes_that_do_not_exist_are_refused() {
        let refusal = |line: &str| {
            let spec: FaultSpec = toml::from_str(&format!("at = '1s'\nfor = '1s'\n{line}")).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            Schedule::resolve(&[spec], &nodes("A B"), Nanos::from_millis(9_000), &mut rng)
                .unwrap_err()
                .to_string()
        };
        expect!["`effects` names the node `C`; the nodes are: A B"]
            .assert_eq(&refusal("effects = [{ kill = { node = 'C' } }]"));
        expect!["the effect lose 0% of A → B cannot be: the share is not from 1 to 100 percent"]
            .assert_eq(&refusal("effects = [{ lose = { from = 'A', to = 'B', percent = 0 } }]"));
        let clog = "{ from = 'A', to = 'B', after-ms = 5, length-ms = 5, period-ms = 9 }";
        expect!["the effect clog A → B after 5 ms for 5 of 9 ms cannot be: it outlasts its period"]
            .assert_eq(&refusal(&format!("effects = [{{ clog = {clog} }}]")));
        expect![[
            r#"`effects` names no effect; write for example effects = [{ cut = { from = "A", to = "B" } }]"#
        ]]
        .assert_eq(&refusal("effects = []"));
    }
}
