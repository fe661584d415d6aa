//! Clocks that show another time: ahead, behind, too fast, too slow, or now this and now that.
//!
//! ```text
//! jump = "2s"                       true ───────┐ 12.0 s      shown 14.0 s … and 12.0 s + what passed at
//! jump = "-2s"                      shown 10.0 s             the heal: each jump is one back as well
//! drift = "20000ppm"                gains 20 ms in each second; slow if below 0
//! jump = "2s", strobe = "100ms"     14.0 s for 100 ms, true for 100 ms, 14.2 s for 100 ms, …
//! ```
//!
//! Source: Kingsbury, Jepsen's `nemesis.time` (bump, strobe); Corbett and others, OSDI 2012, "Spanner",
//! §5.3, for how wrong clocks of servers are.

use histories::{Nanos, NodeName};
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax, refuse, selection};
use crate::controls::Control;
use crate::effect::{DRIFT_MAX_PPM, JUMP_MAX_MS, wrong};
use crate::{Effect, Error, PlannedFault, duration};

pub(crate) struct Clock;

/// A clock that comes and goes more often than this shows nothing to anybody.
const STROBE_MIN: Nanos = Nanos::from_millis(10);

impl Fault for Clock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn about(&self) -> &'static str {
        "sets clocks ahead or back, makes them fast or slow, or lets them jump to and fro"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[
            Syntax { text: "{ node = \"B\", jump = \"2s\" }", about: "ahead; behind with `-2s`" },
            Syntax {
                text: "{ node = \"one\", drift = \"20000ppm\" }",
                about: "too fast; too slow with `-20000ppm`. Nodes as in `kill`",
            },
            Syntax {
                text: "{ node = \"B\", jump = \"2s\", strobe = \"100ms\" }",
                about: "to and fro, each for 100 ms",
            },
        ]
    }

    fn needs(&self) -> Control {
        Control::Clock
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let table = argument.table(&["drift", "jump", "node", "strobe"]);
        let Some((table, node)) = table.and_then(|table| Some((table, table.get("node")?))) else {
            return refuse(self, argument);
        };
        let text = |key: &str| table.get(key).map(|value| value.text().unwrap_or_default());
        let jump_ms = text("jump").map_or(Ok(0), jump)?;
        let drift_ppm = text("drift").map_or(Some(0), drift);
        let strobe = text("strobe").map_or(Ok(Nanos(0)), duration::parse)?;
        let strobes = strobe != Nanos(0);
        match drift_ppm {
            Some(drift_ppm)
                if (jump_ms != 0 || drift_ppm != 0)
                    && jump_ms.unsigned_abs() <= JUMP_MAX_MS
                    && (!strobes || strobe >= STROBE_MIN && jump_ms != 0) =>
            {
                let (which, strobe_ms) = (processes::parse(self, node)?, strobe.0 / 1_000_000);
                Ok(Box::new(Wrong { which, jump_ms, drift_ppm, strobe_ms }))
            }
            _ => refuse(self, argument),
        }
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let mut parts = vec![("node", processes::draw(nodes, rng))];
        let jumps = &["100ms", "-100ms", "2s", "-2s", "10s", "-10s"];
        match selection::word(&["jump", "drift", "strobe"], rng) {
            "jump" => parts.push(("jump", Argument::from(selection::word(jumps, rng)))),
            "drift" => {
                let drifts = &["1000ppm", "-1000ppm", "100000ppm", "-100000ppm"];
                parts.push(("drift", Argument::from(selection::word(drifts, rng))));
            }
            _ => {
                parts.push(("jump", Argument::from(selection::word(jumps, rng))));
                parts.push(("strobe", Argument::from(selection::word(&["50ms", "300ms"], rng))));
            }
        }
        table(parts)
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        let Effect::Clock { jump_ms, drift_ppm, strobe_ms, .. } = planned.effects.first()? else {
            return None;
        };
        let node = processes::guess(planned, |effect| match effect {
            Effect::Clock { node, .. } => Some(node),
            _ => None,
        })?;
        let span = |millis| duration::format(Nanos::from_millis(millis));
        let sign = if *jump_ms < 0 { "-" } else { "" };
        let mut parts = vec![("node", node)];
        if *jump_ms != 0 {
            let jump = format!("{sign}{}", span(jump_ms.unsigned_abs()));
            parts.push(("jump", Argument::from(jump.as_str())));
        }
        if *drift_ppm != 0 {
            parts.push(("drift", Argument::from(format!("{drift_ppm}ppm").as_str())));
        }
        if *strobe_ms != 0 {
            parts.push(("strobe", Argument::from(span(*strobe_ms).as_str())));
        }
        Some(table(parts))
    }
}

fn table(parts: Vec<(&str, Argument)>) -> Argument {
    Argument::Table(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A duration that may be below 0, in milliseconds.
fn jump(text: &str) -> Result<i64, Error> {
    let (sign, span) = match text.strip_prefix('-') {
        Some(span) => (-1, span),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let millis = duration::parse(span)?.0 / 1_000_000;
    Ok(sign * i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Such as `20000ppm`, or below 0.
fn drift(text: &str) -> Option<i64> {
    let drift: i64 = text.strip_suffix("ppm")?.trim().parse().ok()?;
    (drift.unsigned_abs() <= DRIFT_MAX_PPM).then_some(drift)
}

#[derive(Debug)]
struct Wrong {
    which: Processes,
    jump_ms: i64,
    drift_ppm: i64,
    strobe_ms: u64,
}

impl Form for Wrong {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.which.choose(nodes, rng)?;
        let Self { jump_ms, drift_ppm, strobe_ms, .. } = *self;
        let how = wrong(jump_ms, drift_ppm, strobe_ms);
        let summary = format!("clock {} {}", super::join(&chosen), how);
        let effect = |node| Effect::Clock { node, jump_ms, drift_ppm, strobe_ms };
        Ok(Resolved::steady(summary, chosen.into_iter().map(effect).collect()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("clock = {form}"), "A B C"));
    }

    #[test]
    fn a_clock_jumps_drifts_or_strobes() {
        check("{ node = 'B', jump = '2s' }", expect!["clock B +2000 ms: clock B 2000 0 0"]);
        check(
            "{ node = 'B C', jump = '-500ms' }",
            expect!["clock B C -500 ms: clock B -500 0 0 clock C -500 0 0"],
        );
        check("{ node = 'one', drift = '-20000ppm' }", expect!["clock C -20000 ppm: clock C 0 -20000 0"]);
        check(
            "{ node = 'A', jump = '2s', strobe = '100ms' }",
            expect!["clock A +2000 ms, to and fro every 100 ms: clock A 2000 0 100"],
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check(
            "{ node = 'B' }",
            expect![[
                r#"`clock` cannot be { node = "B" }; it takes { node = "B", jump = "2s" } or { node = "one", drift = "20000ppm" } or { node = "B", jump = "2s", strobe = "100ms" }"#
            ]],
        );
        check(
            "{ jump = '2s' }",
            expect![[
                r#"`clock` cannot be { jump = "2s" }; it takes { node = "B", jump = "2s" } or { node = "one", drift = "20000ppm" } or { node = "B", jump = "2s", strobe = "100ms" }"#
            ]],
        );
        check("{ node = 'D', jump = '2s' }", expect!["`clock` names the node `D`; the nodes are: A B C"]);
        check(
            "{ node = 'B', jump = '2' }",
            expect!["`2` is no duration: the unit is missing; write for example 250ms, 10s, 2m or 1h"],
        );
        check(
            "{ node = 'B', jump = '25h' }",
            expect![[
                r#"`clock` cannot be { jump = "25h", node = "B" }; it takes { node = "B", jump = "2s" } or { node = "one", drift = "20000ppm" } or { node = "B", jump = "2s", strobe = "100ms" }"#
            ]],
        );
        check(
            "{ node = 'B', drift = '5%' }",
            expect![[
                r#"`clock` cannot be { drift = "5%", node = "B" }; it takes { node = "B", jump = "2s" } or { node = "one", drift = "20000ppm" } or { node = "B", jump = "2s", strobe = "100ms" }"#
            ]],
        );
        check(
            "{ node = 'B', drift = '5ppm', strobe = '1s' }",
            expect![[
                r#"`clock` cannot be { drift = "5ppm", node = "B", strobe = "1s" }; it takes { node = "B", jump = "2s" } or { node = "one", drift = "20000ppm" } or { node = "B", jump = "2s", strobe = "100ms" }"#
            ]],
        );
    }
}
