//! What a record says, with its keys and lists as the history has them.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::datum::Datum;
use super::batch::{RawStep, RawValue, Spelled};
use super::record::Verb;
use crate::{Key, List, Value};

/// `[:r k v]`: what a micro-op of a transaction says.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) verb: Verb,
    pub(super) key: Key,
    pub(super) value: Option<Value>,
}

/// What the record at hand says beside what stands in it.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// `:f`, without its colon.
    pub(super) function: Cow<'static, str>,
    pub(super) steps: Vec<Step>,
    /// True if every list in the steps shares its memory with others.
    pub(super) lists_are_shared: bool,
    pub(super) keys: Keys,
}

impl Said {
    /// Goes on to another record.
    pub(super) fn begin(&mut self, function: Cow<'static, str>, steps: &mut [RawStep], lists: &[List]) {
        self.function = function;
        self.lists_are_shared = true;
        self.steps.clear();
        for RawStep { verb, key, value } in steps {
            let value = match std::mem::take(value) {
                RawValue::Nothing => None,
                RawValue::Value(value) => {
                    self.lists_are_shared &= !matches!(value, Value::List(_));
                    Some(value)
                }
                RawValue::Start { list, length } => {
                    Some(Value::List(lists[list as usize].first(length as usize)))
                }
            };
            self.steps.push(Step { verb: *verb, key: self.keys.numbered(*key), value });
        }
    }
}

/// One text for each key.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_number: Vec<Key>,
    by_spelling: FxHashMap<Box<[u8]>, Key>,
    taken: FxHashSet<Key>,
}

impl Keys {
    /// Takes in keys of the file; their numbers follow those of the ones before.
    pub(super) fn learn(&mut self, keys: Vec<Spelled>) {
        for Spelled { spelled, plain } in keys {
            let key = self.of(spelled, plain);
            self.by_number.push(key);
        }
    }

    /// The key with this number.
    pub(super) fn numbered(&self, number: u32) -> Key {
        self.by_number[number as usize].clone()
    }

    /// The key that a datum names.
    pub(super) fn of_datum(&mut self, datum: Datum) -> Option<Key> {
        let value = datum.into_value().ok()??;
        let (spelled, plain) = match &value {
            Value::Text(text) => match text.strip_prefix(':') {
                Some(name) => (text.to_string(), name.to_string()),
                None => (format!("\"{text}\""), text.to_string()),
            },
            Value::Integer(_) | Value::List(_) => (value.to_string(), value.to_string()),
        };
        Some(self.of(spelled.into_bytes().into(), Some(plain)))
    }

    /// A history of one object says nothing about its key.
    pub(super) fn only(&mut self) -> Key {
        self.of(Box::default(), Some("x".into()))
    }

    /// Two keys are never one: where `5` and `"5"` are both used, the second keeps its quotes.
    fn of(&mut self, spelled: Box<[u8]>, plain: Option<String>) -> Key {
        if let Some(known) = self.by_spelling.get(&spelled) {
            return known.clone();
        }
        let as_spelled = || String::from_utf8_lossy(&spelled).into_owned();
        let key =
            Key::from(plain.filter(|name| !self.taken.contains(name.as_str())).unwrap_or_else(as_spelled));
        self.taken.insert(key.clone());
        self.by_spelling.insert(spelled, key.clone());
        key
    }
}
