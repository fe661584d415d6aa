//! Events: what travels between nodes.
//!
//! ```text
//! B:2  at 104.0  after {A:1, B:1}   x: write 7, y: append 3
//! ─┬─     ──┬──        ────┬────    ───────────┬──────────
//!  who    when      what B had seen    one transaction, applied whole or not at all
//! ```
//!
//! A client's write becomes one event at the node which takes it, with effects that need no decision any more: every
//! node that applies the same events ends in the same state.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::{DotSet, Hlc, Stamp, VersionVector};
use crate::datum::Datum;
use crate::names::{Dot, Origin, Sequence};

/// The name of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Key(Arc<str>);

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key(text.into())
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.as_str().to_owned()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One transaction as its origin decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its name.
    pub dot: Dot,
    /// When its origin took it.
    pub hlc: Hlc,
    /// What its origin had applied before.
    pub deps: VersionVector,
    /// What it does, in order; at least one.
    pub effects: Box<[Effect]>,
}

impl Event {
    /// Its place in the total order.
    pub fn stamp(&self) -> Stamp {
        Stamp { hlc: self.hlc, dot: self.dot }
    }

    /// About how many bytes it takes on the wire.
    pub(crate) fn weight(&self) -> usize {
        let effects =
            self.effects.iter().map(|effect| effect.key.as_str().len() + effect.change.weight() + 40);
        100 + effects.sum::<usize>()
    }
}

/// What an event does to one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Which.
    pub key: Key,
    /// And how.
    pub change: Change,
}

/// A change that means the same at every node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Sets the whole value.
    Write {
        /// To this.
        value: Datum,
        /// The events whose values it replaces; only siblings look at it.
        #[serde(default, skip_serializing_if = "DotSet::is_empty")]
        covers: DotSet,
    },
    /// Takes the value away.
    Delete {
        /// The events whose values it removes; last-write-wins does not look at it.
        #[serde(default, skip_serializing_if = "DotSet::is_empty")]
        covers: DotSet,
        /// The sums which it takes off a merged counter.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tallies: BTreeMap<Origin, Tally>,
    },
    /// Adds to the end of a merged list.
    Append {
        /// The element.
        value: Datum,
    },
    /// Adds to a merged counter.
    Increment {
        /// How much; may be negative.
        by: i64,
    },
    /// Adds to a merged set.
    Add {
        /// The element.
        value: Datum,
    },
    /// Removes from a merged set.
    Remove {
        /// The element.
        value: Datum,
        /// The additions which it undoes: those that its origin had seen.
        tags: Vec<Tag>,
    },
}

impl Change {
    fn weight(&self) -> usize {
        match self {
            Change::Write { value, .. } | Change::Append { value } | Change::Add { value } => {
                value.text().len()
            }
            Change::Remove { value, tags } => value.text().len() + 30 * tags.len(),
            Change::Delete { .. } | Change::Increment { .. } => 20,
        }
    }
}

/// One effect of one event, named for ever: a transaction may append twice to one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(Dot, u32)", into = "(Dot, u32)")]
pub struct Tag {
    /// The event.
    pub dot: Dot,
    /// Which of its effects.
    pub ordinal: u32,
}

impl From<(Dot, u32)> for Tag {
    fn from((dot, ordinal): (Dot, u32)) -> Tag {
        Tag { dot, ordinal }
    }
}

impl From<Tag> for (Dot, u32) {
    fn from(tag: Tag) -> (Dot, u32) {
        (tag.dot, tag.ordinal)
    }
}

/// What one origin has added to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "(Sequence, i128)", into = "(Sequence, i128)")]
pub struct Tally {
    /// Up to which event.
    pub upto: Sequence,
    /// How much in sum. Wide enough that no number of 64-bit steps overflows it.
    pub sum: i128,
}

impl From<(Sequence, i128)> for Tally {
    fn from((upto, sum): (Sequence, i128)) -> Tally {
        Tally { upto, sum }
    }
}

impl From<Tally> for (Sequence, i128) {
    fn from(tally: Tally) -> (Sequence, i128) {
        (tally.upto, tally.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_an_event() {
        let json = concat!(
            r#"{"dot":"B:2","hlc":[104,0],"deps":{"A":1,"B":1},"effects":["#,
            r#"{"key":"x","change":{"write":{"value":[1,{"a":null}],"covers":"A:1+B:1"}}},"#,
            r#"{"key":"y","change":{"delete":{"tallies":{"A":[1,-5]}}}},"#,
            r#"{"key":"z","change":{"remove":{"value":7,"tags":[["A:1",0]]}}}]}"#
        );
        let event: Event = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), json.replace("A:1+B:1", "A:1,B:1"));
    }
}
