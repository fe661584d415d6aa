//! Arguments: what stands after `partition =` in a plan, before a fault has read it.
//!
//! ```text
//! "halves"                                       text
//! ["A", "B C"]                                   list
//! { partition = "halves", period = "500ms" }     table
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A value of a plan, whatever format the plan is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Argument {
    /// A word, a node name, or several.
    Text(String),
    /// Such as the sides of a partition.
    List(Vec<String>),
    /// Named parts.
    Table(BTreeMap<String, Argument>),
}

impl Argument {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Table(_) => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[String]> {
        match self {
            Self::List(list) => Some(list),
            Self::Text(_) | Self::Table(_) => None,
        }
    }

    /// The table, if it is one and has no keys but these.
    pub(crate) fn table(&self, keys: &[&str]) -> Option<&BTreeMap<String, Argument>> {
        match self {
            Self::Table(table) => table.keys().all(|key| keys.contains(&key.as_str())).then_some(table),
            Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// As TOML would have it.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(list) => write!(f, "{list:?}"),
            Self::Table(table) => {
                let parts: Vec<String> =
                    table.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                write!(f, "{{ {} }}", parts.join(", "))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Argument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list of texts, or a table of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<Argument, E> {
                Ok(Argument::from(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Argument, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Argument::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Argument, A::Error> {
                let mut table = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry()? {
                    table.insert(key, value);
                }
                Ok(Argument::Table(table))
            }
        }
        deserializer.deserialize_any(Value)
    }
}
