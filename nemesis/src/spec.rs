//! Fault specifications: what a plan writes in a `[[fault]]` table.
//!
//! ```text
//! [[fault]]
//! at = "10s"                      since the load began
//! for = "10s"                     then it heals
//! partition = ["A", "B C"]        exactly one fault of the registry, or what it comes to as `effects`
//! ```
//!
//! A specification was read by its fault, so its words are right; whether the nodes exist shows when
//! a [`Schedule`](crate::Schedule) resolves it.

use std::fmt;

use histories::{Nanos, NodeName};
use rand::Rng;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::{self, Argument, EFFECTS, FLAP_PERIOD, Fault, Form, Pinned};
use crate::{Effect, Error, PlannedFault, duration};

/// One fault as a plan wrote it.
#[derive(Clone)]
pub struct FaultSpec {
    /// When it begins, since the load began.
    pub at: Nanos,
    /// How long it lasts, above 0.
    pub duration: Nanos,
    what: What,
}

#[derive(Clone)]
enum What {
    /// A fault of the registry.
    Kind(&'static dyn Fault, Argument),
    /// What a fault comes to, effect by effect.
    Pinned(Pinned),
}

impl FaultSpec {
    /// A specification whose argument the fault understands.
    pub fn new(name: &str, argument: Argument, at: Nanos, duration: Nanos) -> Result<Self, Error> {
        let fault = fault::find(name)?;
        fault.parse(&argument)?;
        Ok(Self { at, duration, what: What::Kind(fault, argument) })
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
        Self { at, duration, what }
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
        match &self.what {
            What::Kind(fault, _) => fault.name(),
            What::Pinned(_) => EFFECTS,
        }
    }

    pub(crate) fn form(&self) -> Result<Box<dyn Form>, Error> {
        match &self.what {
            What::Kind(fault, argument) => fault.parse(argument),
            What::Pinned(pinned) => Ok(Box::new(pinned.clone())),
        }
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
        match &self.what {
            What::Kind(fault, argument) => write!(f, "{} = {argument} }}", fault.name()),
            What::Pinned(pinned) => write!(f, "{pinned} }}"),
        }
    }
}

impl PartialEq for FaultSpec {
    fn eq(&self, other: &Self) -> bool {
        let what = match (&self.what, &other.what) {
            (What::Kind(one, argument), What::Kind(other, same)) => {
                one.name() == other.name() && argument == same
            }
            (What::Pinned(one), What::Pinned(other)) => one == other,
            (What::Kind(..), What::Pinned(_)) | (What::Pinned(_), What::Kind(..)) => false,
        };
        what && (self.at, self.duration) == (other.at, other.duration)
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &duration::format(self.at))?;
        map.serialize_entry("for", &duration::format(self.duration))?;
        match &self.what {
            What::Kind(fault, argument) => map.serialize_entry(fault.name(), argument)?,
            What::Pinned(pinned) => {
                if let Some(period) = pinned.flap_period {
                    map.serialize_entry(FLAP_PERIOD, &duration::format(period))?;
                }
                map.serialize_entry(EFFECTS, &pinned.effects)?;
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
        let (mut at, mut duration, mut kind, mut flap_period) = (None, None, None, None);
        while let Some(key) = entries.next_key_seed(KeyOf)? {
            match key {
                Key::At => at = Some(entries.next_value::<duration::Text>()?.0),
                Key::For => duration = Some(entries.next_value::<duration::Text>()?.0),
                Key::FlapPeriod => flap_period = Some(entries.next_value::<duration::Text>()?.0),
                Key::Effects => {
                    let effects: Vec<Effect> = entries.next_value()?;
                    one_kind(&mut kind, What::Pinned(Pinned { effects, flap_period: None }))?;
                }
                Key::Kind(fault) => {
                    let argument = entries.next_value_seed(ArgumentOf(fault))?;
                    one_kind(&mut kind, What::Kind(fault, argument))?;
                }
            }
        }
        let mut what = kind.ok_or_else(|| A::Error::custom(Error::NoFault { known: fault::names() }))?;
        match &mut what {
            What::Pinned(pinned) => pinned.flap_period = flap_period,
            What::Kind(..) if flap_period.is_some() => return Err(A::Error::custom(Error::FlapPeriod)),
            What::Kind(..) => {}
        }
        let at = at.ok_or_else(|| A::Error::custom(Error::NoTime { key: "at" }))?;
        let duration = duration.ok_or_else(|| A::Error::custom(Error::NoTime { key: "for" }))?;
        Ok(FaultSpec { at, duration, what })
    }
}

/// Takes the fault's kind; a second one is refused.
fn one_kind<E: serde::de::Error>(kind: &mut Option<What>, what: What) -> Result<(), E> {
    let name = |what: &What| match what {
        What::Kind(fault, _) => fault.name(),
        What::Pinned(_) => EFFECTS,
    };
    let second = name(&what);
    match kind.replace(what) {
        Some(first) => Err(E::custom(Error::TwoFaults { first: name(&first), second })),
        None => Ok(()),
    }
}

enum Key {
    At,
    For,
    Effects,
    FlapPeriod,
    Kind(&'static dyn Fault),
}

/// Reads a key and finds its fault, so that the error points at the key.
struct KeyOf;

impl<'de> DeserializeSeed<'de> for KeyOf {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "at" => Ok(Key::At),
            "for" => Ok(Key::For),
            EFFECTS => Ok(Key::Effects),
            FLAP_PERIOD => Ok(Key::FlapPeriod),
            name => fault::find(name).map(Key::Kind).map_err(D::Error::custom),
        }
    }
}

/// Reads an argument and has the fault check it, so that the error points at the value.
struct ArgumentOf(&'static dyn Fault);

impl<'de> DeserializeSeed<'de> for ArgumentOf {
    type Value = Argument;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Argument, D::Error> {
        let argument = Argument::deserialize(deserializer)?;
        self.0.parse(&argument).map_err(D::Error::custom)?;
        Ok(argument)
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
                no fault is called `partion` (did you mean `partition`?); there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, one-way, partition, pause, reorder, slow, wipe
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
                the fault has no kind; add one of: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, one-way, partition, pause, reorder, slow, wipe
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
}
