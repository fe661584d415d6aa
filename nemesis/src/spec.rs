//! Fault specifications: what a plan writes in a `[[fault]]` table.
//!
//! ```text
//! [[fault]]
//! at = "10s"                      since the load began
//! for = "10s"                     then it heals
//! partition = ["A", "B C"]        exactly one fault of the registry, or what it comes to as `effects`
//!
//! [[fault]]
//! when = { confirmed = "write", node = "A" }      instead of a time; see [`crate::trigger`]
//! then = { partition = ["A", "B C"] }             what then begins
//! for = "10s"
//! ```
//!
//! A specification was read by its fault, so its words are right; whether the nodes exist shows when
//! a [`Schedule`](crate::Schedule) resolves it.

use std::fmt;

use histories::{Nanos, NodeName};
use rand::Rng;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::{self, Argument, Form, Pinned};
use crate::trigger::{Trigger, TriggerError};
use crate::{Error, PlannedFault, duration};

mod what;

use what::{Reading, What, WhatKey};

/// One fault as a plan wrote it.
#[derive(Clone, PartialEq)]
pub struct FaultSpec {
    /// When it begins, since the load began; with a trigger, the earliest time.
    pub at: Nanos,
    /// How long it lasts, above 0.
    pub duration: Nanos,
    /// What it waits for, if not for a time.
    pub trigger: Option<Trigger>,
    what: What,
}

impl FaultSpec {
    /// A specification whose argument the fault understands.
    pub fn new(name: &str, argument: Argument, at: Nanos, duration: Nanos) -> Result<Self, Error> {
        let fault = fault::find(name)?;
        fault.parse(&argument)?;
        Ok(Self { at, duration, trigger: None, what: What::Kind(fault, argument) })
    }

    /// The specification that comes to exactly this fault: by its kind where that can say it, else
    /// effect by effect.
    pub fn of(planned: &PlannedFault, nodes: &[NodeName]) -> Self {
        let (at, duration) = (planned.at, planned.duration);
        let what = match fault::naming(planned, nodes) {
            Some((fault, argument)) => What::Kind(fault, argument),
            None => {
                What::Pinned(Pinned { effects: planned.effects.clone(), flap_period: planned.flap_period })
            }
        };
        Self { at, duration, trigger: planned.trigger.clone(), what }
    }

    /// Kinds such as `partition` and `pause`, one after another over the run, with even gaps.
    ///
    /// ```text
    /// one kind     ──────────██████████──────────         from 1/3 to 2/3
    /// two kinds    ──────██████──────██████──────         1/5 to 2/5, 3/5 to 4/5
    /// ```
    pub fn spread(
        kinds: &[&str],
        nodes: &[NodeName],
        run: Nanos,
        rng: &mut dyn Rng,
    ) -> Result<Vec<Self>, Error> {
        let slots = 2 * kinds.len() as u64 + 1;
        let slot = run.0 / slots;
        let spec = |(index, name): (usize, &&str)| {
            let argument = fault::find(name)?.draw(nodes, rng);
            Self::new(name, argument, whole_millis(slot * (2 * index as u64 + 1)), whole_millis(slot))
        };
        kinds.iter().enumerate().map(spec).collect()
    }

    /// The fault's kind, such as `partition`; `effects` if it is said effect by effect.
    pub fn name(&self) -> &'static str {
        self.what.name()
    }

    pub(crate) fn form(&self) -> Result<Box<dyn Form>, Error> {
        self.what.form()
    }
}

// A window of 6.333333333 s would be no help to anyone; below a millisecond it is kept as it is.
fn whole_millis(nanos: u64) -> Nanos {
    if nanos < 1_000_000 { Nanos(nanos) } else { Nanos(nanos - nanos % 1_000_000) }
}

impl fmt::Debug for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As a TOML table on one line.
impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, duration) = (duration::format(self.at), duration::format(self.duration));
        write!(f, "{{ at = {at:?}, for = {duration:?}, ")?;
        match &self.trigger {
            None => write!(f, "{} }}", self.what),
            Some(trigger) => write!(f, "when {trigger}, then = {{ {} }} }}", self.what),
        }
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.trigger.is_none() || self.at > Nanos(0) {
            map.serialize_entry("at", &duration::format(self.at))?;
        }
        map.serialize_entry("for", &duration::format(self.duration))?;
        match &self.trigger {
            None => self.what.entries(&mut map)?,
            Some(trigger) => {
                map.serialize_entry("when", trigger)?;
                map.serialize_entry("then", &self.what)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = FaultSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fault: `at`, `for`, and one of {}", fault::names())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<FaultSpec, A::Error> {
        let (mut at, mut duration, mut then, mut trigger) = (None, None, None, None);
        let mut beside = Reading::default();
        while let Some(key) = entries.next_key::<Key>()? {
            match key {
                Key::At => at = Some(entries.next_value::<duration::Text>()?.0),
                Key::For => duration = Some(entries.next_value::<duration::Text>()?.0),
                Key::When => trigger = Some(entries.next_value::<Trigger>()?),
                Key::Then => then = Some(entries.next_value::<What>()?),
                Key::What(key) => beside.take(key, &mut entries)?,
            }
        }
        let beside = beside.finish().map_err(A::Error::custom)?;
        let what = what(beside, then, trigger.is_some()).map_err(A::Error::custom)?;
        let earliest = trigger.is_some().then_some(Nanos(0));
        let at = at.or(earliest).ok_or_else(|| A::Error::custom(Error::NoTime { key: "at" }))?;
        let duration = duration.ok_or_else(|| A::Error::custom(Error::NoTime { key: "for" }))?;
        Ok(FaultSpec { at, duration, trigger, what })
    }
}

/// What the fault is: in `then` if it waits, else beside `at`.
fn what(beside: Option<What>, then: Option<What>, waits: bool) -> Result<What, Error> {
    match (beside, then, waits) {
        (Some(what), None, false) | (None, Some(what), true) => Ok(what),
        (Some(what), _, true) => Err(TriggerError::Beside { kind: what.name() }.into()),
        (_, Some(_), false) => Err(TriggerError::Halved { given: "then", missing: "when" }.into()),
        (None, None, true) => Err(TriggerError::Halved { given: "when", missing: "then" }.into()),
        (None, None, false) => Err(Error::NoFault { known: fault::names() }),
    }
}

enum Key {
    At,
    For,
    When,
    Then,
    What(WhatKey),
}

/// Reads a key and finds its fault, so that the error points at the key.
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "at" => Ok(Self::At),
            "for" => Ok(Self::For),
            "when" => Ok(Self::When),
            "then" => Ok(Self::Then),
            name => WhatKey::of(name).map(Self::What).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(table: &str, expected: Expect) {
        let shown = match toml::from_str::<FaultSpec>(table) {
            Ok(spec) => {
                let json = serde_json::to_string(&spec).unwrap();
                assert_eq!(serde_json::from_str::<FaultSpec>(&json).unwrap(), spec);
                assert_eq!(toml::from_str::<FaultSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
                json
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_table_is_read() {
        check(
            "at = '10s'\nfor = '10s'\npartition = ['A', 'B C']",
            expect![[r#"{"at":"10s","for":"10s","partition":["A","B C"]}"#]],
        );
        check(
            "pause = 'C'\nat = '24s'\nfor = '2.5s'",
            expect![[r#"{"at":"24s","for":"2500ms","pause":"C"}"#]],
        );
        check(
            "at = '1s'\nfor = '1s'\n[flap]\npartition = 'halves'\nperiod = '500ms'",
            expect![[r#"{"at":"1s","for":"1s","flap":{"partition":"halves","period":"500ms"}}"#]],
        );
    }

    #[test]
    fn a_fault_may_be_said_effect_by_effect() {
        check(
            "at = '1s'\nfor = '1s'\neffects = [{ cut = { from = 'A', to = 'B' } }, { kill = { node = 'C' } }]",
            expect![[
                r#"{"at":"1s","for":"1s","effects":[{"cut":{"from":"A","to":"B"}},{"kill":{"node":"C"}}]}"#
            ]],
        );
        check(
            "at = '1s'\nfor = '1s'\nflap-period = '500ms'\neffects = [{ pause = { node = 'C' } }]",
            expect![[r#"{"at":"1s","for":"1s","flap-period":"500ms","effects":[{"pause":{"node":"C"}}]}"#]],
        );
        check(
            "at = '1s'\nfor = '1s'\nflap-period = '500ms'\nkill = 'A'",
            expect![[r#"
            TOML parse error at line 1, column 1
              |
            1 | at = '1s'
              | ^
            `flap-period` goes with `effects`; a fault that comes and goes is written flap = { partition = "halves", period = "500ms" }
        "#]],
        );
        check(
            "at = '1s'\nfor = '1s'\nkill = 'A'\neffects = []",
            expect![[r#"
            TOML parse error at line 1, column 1
              |
            1 | at = '1s'
              | ^
            `effects` and `kill` stand in one fault; write two [[fault]] tables
        "#]],
        );
    }

    #[test]
    fn a_wrong_table_is_answered_with_the_line() {
        check(
            "at = '10s'\nfor = '10s'\npartion = 'halves'",
            expect![[r#"
                TOML parse error at line 3, column 1
                  |
                3 | partion = 'halves'
                  | ^^^^^^^
                no fault is called `partion` (did you mean `partition`?); there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe
            "#]],
        );
        check(
            "at = '10s'\nfor = '10s'\npartition = 'halfs'",
            expect![[r#"
                TOML parse error at line 3, column 13
                  |
                3 | partition = 'halfs'
                  |             ^^^^^^^
                `partition` cannot be "halfs" (did you mean `halves`?); it takes "halves" or "isolate-one" or "bridge" or "ring" or ["A", "B C D E"]
            "#]],
        );
        check(
            "at = '10'\nfor = '10s'\nkill = 'one'",
            expect![[r#"
            TOML parse error at line 1, column 6
              |
            1 | at = '10'
              |      ^^^^
            `10` is no duration: the unit is missing; write for example 250ms, 10s, 2m or 1h
        "#]],
        );
        check(
            "at = '10s'\nfor = '10s'\nkill = 'one'\npause = 'one'",
            expect![[r#"
            TOML parse error at line 1, column 1
              |
            1 | at = '10s'
              | ^
            `kill` and `pause` stand in one fault; write two [[fault]] tables
        "#]],
        );
        check(
            "at = '10s'\nkill = 'one'",
            expect![[r#"
            TOML parse error at line 1, column 1
              |
            1 | at = '10s'
              | ^
            `for` is missing in the fault; write for example for = "10s"
        "#]],
        );
        check(
            "at = '10s'\nfor = '10s'",
            expect![[r#"
                TOML parse error at line 1, column 1
                  |
                1 | at = '10s'
                  | ^
                the fault has no kind; add one of: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe
            "#]],
        );
        check(
            "at = '10s'\nfor = 10\nkill = 'one'",
            expect![[r#"
            TOML parse error at line 2, column 7
              |
            2 | for = 10
              |       ^^
            invalid type: integer `10`, expected a duration such as "250ms", "10s" or "2m"
        "#]],
        );
        check(
            "at = '10s'\nfor = '10s'\nkill = 3",
            expect![[r#"
            TOML parse error at line 3, column 8
              |
            3 | kill = 3
              |        ^
            invalid type: integer `3`, expected a text, a list of texts, or a table of them
        "#]],
        );
    }

    #[test]
    fn a_fault_may_wait() {
        check(
            "when = { confirmed = 'write', key = 'x', node = 'A', nth = 2 }\nthen = { kill = 'A' }\nfor = '2s'",
            expect![[
                r#"{"for":"2s","when":{"confirmed":"write","key":"x","node":"A","nth":2},"then":{"kill":"A"}}"#
            ]],
        );
        check(
            "at = '1s'\nfor = '2s'\n[when]\nfault = 3\ndelay = '5ms'\n[then]\nflap = { partition = 'halves', period = '500ms' }",
            expect![[
                r#"{"at":"1s","for":"2s","when":{"fault":3,"is":"healed","delay":"5ms"},"then":{"flap":{"partition":"halves","period":"500ms"}}}"#
            ]],
        );
        check(
            "when = { asked = 'any', every = 20 }\nthen = { pause = 'B' }\nfor = '2s'",
            expect![[r#"{"for":"2s","when":{"asked":"any","every":20},"then":{"pause":"B"}}"#]],
        );
    }

    #[test]
    fn a_wrong_trigger_is_answered_with_the_line() {
        let refused = |when: &str, expected: &str| {
            let error = toml::from_str::<FaultSpec>(&format!("for = '2s'\n{when}")).unwrap_err();
            let line = error.span().map_or(0, |span| when[..span.start.saturating_sub(11)].lines().count());
            let shown = format!("line {}: {}", line + 1, error.message());
            // What there is besides grows with the registry.
            assert!(shown.starts_with(expected), "{shown}");
        };
        refused(
            "when = { confirmd = 'write' }",
            "line 2: `when` has no `confirmd` (did you mean `confirmed`?); it takes asked, confirmed, delay, every, failed, fault, is, key, node, nth, unknown",
        );
        refused(
            "when = { confirmed = 'wirte' }",
            "line 2: `confirmed` cannot be `wirte` (did you mean `write`?)",
        );
        refused(
            "when = { confirmed = 'write', asked = 'read' }",
            "line 2: `asked` and `confirmed` stand in one `when`; write two [[fault]] tables",
        );
        refused(
            "when = { node = 'A' }",
            r#"line 2: `when` does not say what to wait for; write for example when = { confirmed = "write" }"#,
        );
        refused(
            "when = { fault = 0, is = 'gone' }",
            "line 2: `is` cannot be `gone`; it takes begun, effective, healed",
        );
        refused("when = { fault = 0, key = 'x' }", "line 2: `key` means nothing beside `fault`; take it out");
        refused("when = { asked = 'read', nth = 0 }", "line 2: `nth` counts from 1");
        refused("when = { asked = 'read', nth = -1 }", "line 2: invalid value: integer `-1`, expected u64");
        refused(
            "when = 'A confirms'",
            r#"line 2: invalid type: string "A confirms", expected what to wait for, such as { confirmed = "write", node = "A" }"#,
        );
        refused(
            "when = { asked = 'read' }",
            r#"line 1: `when` stands without `then`; write for example when = { confirmed = "write" } and then = { kill = "A" }"#,
        );
        refused(
            "then = { kill = 'A' }",
            r#"line 1: `then` stands without `when`; write for example when = { confirmed = "write" } and then = { kill = "A" }"#,
        );
        refused(
            "when = { asked = 'read' }\nkill = 'A'",
            "line 1: `kill` stands beside `when`; write then = { kill = … }",
        );
        refused("when = { asked = 'read' }\nthen = {}", "line 3: the fault has no kind");
        refused(
            "when = { asked = 'read' }\nthen = { kil = 'A' }",
            "line 3: no fault is called `kil` (did you mean `kill`?)",
        );
        refused(
            "when = { asked = 'read' }\nthen = { kill = 'A', pause = 'B' }",
            "line 3: `kill` and `pause` stand in one fault; write two [[fault]] tables",
        );
    }
}
