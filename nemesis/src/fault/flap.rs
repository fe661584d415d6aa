//! Flapping: a partition that comes and goes.
//!
//! ```text
//! flap = { partition = "halves", period = "500ms" }
//!
//! split   ██████████          ██████████          ██
//! whole             ██████████          ██████████        0 250 500 750 … ms
//! ```
//!
//! The first half of each period is split, the second half whole; the sides stay the same.

use histories::{Nanos, NodeName};
use rand::Rng;

use super::partition::Partition;
use super::{Argument, Fault, Form, Resolved, Syntax, refuse};
use crate::controls::Control;
use crate::{Error, PlannedFault, duration};

pub(crate) struct Flap;

impl Fault for Flap {
    fn name(&self) -> &'static str {
        "flap"
    }

    fn about(&self) -> &'static str {
        "a partition that comes and goes"
    }

    fn syntax(&self) -> &'static [Syntax] {
        &[Syntax {
            text: "{ partition = \"halves\", period = \"500ms\" }",
            about: "any partition; split for the first half of each period, whole for the second",
        }]
    }

    fn needs(&self) -> Control {
        Control::Network
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let Some(table) = argument.table(&["partition", "period"]) else { return refuse(self, argument) };
        let (Some(partition), Some(Argument::Text(period))) = (table.get("partition"), table.get("period"))
        else {
            return refuse(self, argument);
        };
        let (form, period) = (Partition.parse(partition)?, duration::parse(period)?);
        // Below this the split would be shorter than a round trip through a busy machine.
        if period < Nanos::from_millis(20) {
            return refuse(self, argument);
        }
        Ok(Box::new(Flapping { form, period }))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        let parts = [("partition", Partition.draw(nodes, rng)), ("period", Argument::from("1s"))];
        Argument::Table(parts.map(|(key, value)| (key.to_owned(), value)).into())
    }

    fn guess(&self, planned: &PlannedFault, nodes: &[NodeName]) -> Option<Argument> {
        let period = duration::format(planned.flap_period?);
        let parts =
            [("partition", Partition.guess(planned, nodes)?), ("period", Argument::from(period.as_str()))];
        Some(Argument::Table(parts.map(|(key, value)| (key.to_owned(), value)).into()))
    }
}

#[derive(Debug)]
struct Flapping {
    form: Box<dyn Form>,
    period: Nanos,
}

impl Form for Flapping {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let steady = self.form.resolve(nodes, rng)?;
        let summary = format!("{}, every {}", steady.summary, duration::format(self.period));
        Ok(Resolved { summary, effects: steady.effects, flap_period: Some(self.period) })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(form: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(&format!("flap = {form}"), nodes));
    }

    #[test]
    fn it_is_a_partition_with_a_period() {
        check("{ partition = ['A', 'B'], period = '500ms' }", "A B", expect!["A | B, every 500ms: A⇥B B⇥A"]);
        check(
            "{ partition = 'halfs', period = '500ms' }",
            "A B",
            expect![[
                r#"`partition` cannot be "halfs" (did you mean `halves`?); it takes "halves" or "isolate-one" or "bridge" or "ring" or ["A", "B C D E"]"#
            ]],
        );
        check(
            "{ partition = 'halves', period = '500' }",
            "A B",
            expect!["`500` is no duration: the unit is missing; write for example 250ms, 10s, 2m or 1h"],
        );
        check(
            "{ partition = 'halves', period = '1ms' }",
            "A B",
            expect![[
                r#"`flap` cannot be { partition = "halves", period = "1ms" }; it takes { partition = "halves", period = "500ms" }"#
            ]],
        );
        check(
            "{ partition = 'halves', often = 'yes', period = '1s' }",
            "A B",
            expect![[
                r#"`flap` cannot be { often = "yes", partition = "halves", period = "1s" }; it takes { partition = "halves", period = "500ms" }"#
            ]],
        );
    }
}
