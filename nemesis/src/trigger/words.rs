//! Triggers as plans write them, read so that a wrong word is answered with the right ones.

use histories::{FaultId, Key, Nanos, NodeName};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CallKind, Cause, Milestone, Moment, Trigger};
use crate::duration;
use crate::error::{did_you_mean, nearest};

/// Why a `when` cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// A word that `when` does not have.
    #[error("`when` has no `{word}`{}; it takes {known}", did_you_mean(.nearest))]
    UnknownWord {
        /// What was written.
        word: String,
        /// The word that comes nearest, if one is near.
        nearest: Option<String>,
        /// All words.
        known: String,
    },
    /// Something that a word of `when` cannot be.
    #[error("`{word}` cannot be `{given}`{}; it takes {known}", did_you_mean(.nearest))]
    UnknownValue {
        /// Which word.
        word: &'static str,
        /// What was written.
        given: String,
        /// What comes nearest, if anything is near.
        nearest: Option<String>,
        /// All that there is.
        known: String,
    },
    /// Nothing is waited for.
    #[error("`when` does not say what to wait for; write for example when = {{ confirmed = \"write\" }}")]
    NoCause,
    /// Two things are waited for at once.
    #[error("`{first}` and `{second}` stand in one `when`; write two [[fault]] tables")]
    TwoCauses {
        /// What came first.
        first: &'static str,
        /// What came second.
        second: &'static str,
    },
    /// A word that says nothing about what is waited for.
    #[error("`{word}` means nothing beside `{cause}`; take it out")]
    Stray {
        /// Which word.
        word: &'static str,
        /// What is waited for.
        cause: &'static str,
    },
    /// The zeroth time.
    #[error("`{word}` counts from 1")]
    Zeroth {
        /// `nth` or `every`.
        word: &'static str,
    },
    /// A fault waits for itself, or for one that there is not.
    #[error(
        "fault {own} waits for fault {fault}; there are {faults}, counted from 0, and it cannot be itself"
    )]
    NoSuchFault {
        /// Which fault waits.
        own: FaultId,
        /// What it waits for.
        fault: FaultId,
        /// How many there are.
        faults: usize,
    },
    /// `then` without `when`, or `when` without `then`.
    #[error(
        "`{given}` stands without `{missing}`; write for example when = {{ confirmed = \"write\" }} and then = {{ kill = \"A\" }}"
    )]
    Halved {
        /// What stands there.
        given: &'static str,
        /// What does not.
        missing: &'static str,
    },
    /// A kind beside `when`.
    #[error("`{kind}` stands beside `when`; write then = {{ {kind} = … }}")]
    Beside {
        /// The fault's kind.
        kind: &'static str,
    },
}

const WORDS: [&str; 11] =
    ["asked", "confirmed", "delay", "every", "failed", "fault", "is", "key", "node", "nth", "unknown"];

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.cause {
            Cause::Call { moment, kind, key, node } => {
                map.serialize_entry(moment.name(), kind.name())?;
                key.iter().try_for_each(|key| map.serialize_entry("key", key))?;
                node.iter().try_for_each(|node| map.serialize_entry("node", node))?;
            }
            Cause::Fault { fault, milestone } => {
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("is", milestone.name())?;
            }
        }
        if self.nth != self.every.unwrap_or(1) {
            map.serialize_entry("nth", &self.nth)?;
        }
        self.every.iter().try_for_each(|every| map.serialize_entry("every", every))?;
        if self.delay > Nanos(0) {
            map.serialize_entry("delay", &duration::format(self.delay))?;
        }
        map.end()
    }
}

impl Serialize for CallKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for CallKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        kind("of", &String::deserialize(deserializer)?)
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

struct Table;

/// What was read so far.
#[derive(Default)]
struct Words {
    call: Option<(Moment, CallKind)>,
    fault: Option<FaultId>,
    milestone: Option<Milestone>,
    key: Option<Key>,
    node: Option<NodeName>,
    nth: Option<u64>,
    every: Option<u64>,
    delay: Nanos,
}

impl<'de> Visitor<'de> for Table {
    type Value = Trigger;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what to wait for, such as { confirmed = \"write\", node = \"A\" }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Trigger, A::Error> {
        let mut words = Words::default();
        while let Some(word) = entries.next_key::<Word>()? {
            match word.0 {
                "key" => words.key = Some(entries.next_value()?),
                "node" => words.node = Some(entries.next_value()?),
                "nth" => words.nth = Some(positive("nth", entries.next_value()?)?),
                "every" => words.every = Some(positive("every", entries.next_value()?)?),
                "delay" => words.delay = entries.next_value::<duration::Text>()?.0,
                "fault" => words.fault = Some(FaultId(entries.next_value()?)),
                "is" => words.milestone = Some(milestone(&entries.next_value::<String>()?)?),
                name => {
                    let kind = kind(name, &entries.next_value::<String>()?)?;
                    let moment = Moment::ALL.into_iter().find(|moment| moment.name() == name);
                    let moment = moment.ok_or_else(|| A::Error::custom(TriggerError::NoCause))?;
                    if let Some((first, _)) = words.call.replace((moment, kind)) {
                        let (first, second) = (first.name(), moment.name());
                        return Err(A::Error::custom(TriggerError::TwoCauses { first, second }));
                    }
                }
            }
        }
        words.trigger().map_err(A::Error::custom)
    }
}

impl Words {
    fn trigger(self) -> Result<Trigger, TriggerError> {
        let Self { call, fault, milestone, key, node, nth, every, delay } = self;
        let cause = match (call, fault) {
            (Some((moment, _)), Some(_)) => {
                return Err(TriggerError::TwoCauses { first: moment.name(), second: "fault" });
            }
            (Some((moment, _)), None) if milestone.is_some() => {
                return Err(TriggerError::Stray { word: "is", cause: moment.name() });
            }
            (Some((moment, kind)), None) => Cause::Call { moment, kind, key, node },
            (None, Some(_)) if key.is_some() => {
                return Err(TriggerError::Stray { word: "key", cause: "fault" });
            }
            (None, Some(_)) if node.is_some() => {
                return Err(TriggerError::Stray { word: "node", cause: "fault" });
            }
            (None, Some(fault)) => Cause::Fault { fault, milestone: milestone.unwrap_or(Milestone::Healed) },
            (None, None) => return Err(TriggerError::NoCause),
        };
        Ok(Trigger { cause, nth: nth.or(every).unwrap_or(1), every, delay })
    }
}

/// A key of the table, one of [`WORDS`]; the error points at it.
struct Word(&'static str);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = WORDS.into_iter().find(|known| *known == word);
        known.map(Word).ok_or_else(|| {
            let nearest = nearest(&word, WORDS);
            D::Error::custom(TriggerError::UnknownWord { word, nearest, known: WORDS.join(", ") })
        })
    }
}

fn kind<E: serde::de::Error>(word: &'static str, given: &str) -> Result<CallKind, E> {
    let names = CallKind::ALL.map(CallKind::name);
    CallKind::ALL.into_iter().find(|kind| kind.name() == given).ok_or_else(|| unknown(word, given, &names))
}

fn milestone<E: serde::de::Error>(given: &str) -> Result<Milestone, E> {
    let names = Milestone::ALL.map(Milestone::name);
    Milestone::ALL.into_iter().find(|known| known.name() == given).ok_or_else(|| unknown("is", given, &names))
}

fn unknown<E: serde::de::Error>(word: &'static str, given: &str, names: &[&'static str]) -> E {
    let nearest = nearest(given, names.iter().copied());
    E::custom(TriggerError::UnknownValue { word, given: given.to_owned(), nearest, known: names.join(", ") })
}

fn positive<E: serde::de::Error>(word: &'static str, number: u64) -> Result<u64, E> {
    if number == 0 { Err(E::custom(TriggerError::Zeroth { word })) } else { Ok(number) }
}
