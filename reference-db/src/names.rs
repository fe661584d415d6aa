//! Who did what: nodes, origins and dots.
//!
//! ```text
//! A            a node
//! A.3uw        an origin: the node A since it last began with an empty disk
//! A.3uw:17     a dot: the 17th event of that origin. It names one event, for ever.
//! ```
//!
//! A node which loses its disk cannot know which of its sequence numbers others have seen. It comes back as a new
//! origin, so no dot is ever given twice; incarnation 0, which only simulated clusters have, is not printed.
//!
//! Source: the dots of Preguiça et al., *Dotted version vectors* (2010).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is wrong with the text of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with a character that dots and URLs need for themselves.
    #[error("node name {name:?} is not usable: take 1 to 23 letters, digits, `-` or `_`")]
    Node {
        /// What was given.
        name: String,
    },
    /// Not `node.incarnation`.
    #[error("origin {text:?} is not usable: write a node name, or a name, a dot and its incarnation")]
    Origin {
        /// What was given.
        text: String,
    },
    /// Not `origin:sequence`.
    #[error("dot {text:?} is not usable: write an origin, a colon and a number from 1")]
    Dot {
        /// What was given.
        text: String,
    },
}

/// The name of a node, kept inline so that origins and dots are copied, not counted.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName {
    // Padded with zeros, which sort before every allowed character: the order of the words is that of the text. They
    // are compared more often than anything else, and most often the first word tells.
    words: [[u8; 8]; 3],
}

impl NodeName {
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 23;

    /// Checks and keeps a name.
    pub fn new(name: &str) -> Result<NodeName, NameError> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > NodeName::LENGTH_MAX || !name.as_bytes().iter().all(allowed) {
            return Err(NameError::Node { name: name.to_owned() });
        }
        let mut words = [[0; 8]; 3];
        words.as_flattened_mut()[..name.len()].copy_from_slice(name.as_bytes());
        Ok(NodeName { words })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let bytes = self.words.as_flattened();
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(NodeName::LENGTH_MAX);
        // Only ASCII passes the constructor.
        std::str::from_utf8(&bytes[..length]).unwrap_or_default()
    }
}

impl Ord for NodeName {
    fn cmp(&self, other: &NodeName) -> Ordering {
        self.words.map(u64::from_be_bytes).cmp(&other.words.map(u64::from_be_bytes))
    }
}

impl PartialOrd for NodeName {
    fn partial_cmp(&self, other: &NodeName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for NodeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words.as_flattened()[..NodeName::LENGTH_MAX].hash(state);
    }
}

impl FromStr for NodeName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<NodeName, NameError> {
        NodeName::new(text)
    }
}

/// A node between two losses of its disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    /// The node.
    pub node: NodeName,
    /// Drawn from the clock when the store was created; a later incarnation is greater.
    pub incarnation: u64,
}

impl FromStr for Origin {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Origin, NameError> {
        let wrong = || NameError::Origin { text: text.to_owned() };
        let (node, incarnation) = match text.split_once('.') {
            None => (text, 0),
            Some((node, digits)) => (node, from_base36(digits).ok_or_else(wrong)?),
        };
        Ok(Origin { node: NodeName::new(node).map_err(|_| wrong())?, incarnation })
    }
}

/// The place of an event among those of its origin, from 1 and without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The one after this.
    pub fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}

/// One event, named for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dot {
    /// Who took the write.
    pub origin: Origin,
    /// Its place there.
    pub sequence: Sequence,
}

impl FromStr for Dot {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Dot, NameError> {
        let wrong = || NameError::Dot { text: text.to_owned() };
        let (origin, sequence) = text.rsplit_once(':').ok_or_else(wrong)?;
        let origin = origin.parse().map_err(|_| wrong())?;
        // Nothing follows the greatest number, so it cannot be a place that is ever taken.
        match sequence.parse::<u64>() {
            Ok(sequence) if sequence > 0 && sequence < u64::MAX => {
                Ok(Dot { origin, sequence: Sequence(sequence) })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.incarnation {
            0 => write!(f, "{}", self.node),
            later => write!(f, "{}.{}", self.node, to_base36(later)),
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.origin, self.sequence)
    }
}

/// Text in, text out: serde and `Debug` use the same short form as people do.
macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<$name, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.to_string()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

as_text!(NodeName, Origin, Dot);

fn to_base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]);
        number /= 36;
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

fn from_base36(digits: &str) -> Option<u64> {
    let number = u64::from_str_radix(digits, 36).ok()?;
    // One spelling for one number: otherwise two texts would name the same dot.
    (number > 0 && to_base36(number) == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_read_as_they_are_written() {
        for text in ["A:1", "node-7.3uw:17", "A.zzzzzzz:18446744073709551614"] {
            assert_eq!(text.parse::<Dot>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_dot_is_refused() {
        for text in ["", "A", "A:", "A:0", "A:-1", ":1", "A.:1", "A.0:1", "A.01:1", "A.Z:1", "a b:1", "A:1:x"]
        {
            assert!(text.parse::<Dot>().is_err(), "{text:?} passed");
        }
        assert!(NodeName::new(&"x".repeat(24)).is_err());
    }

    #[test]
    fn names_sort_as_text() {
        let mut names = ["b", "ab", "a", "B", "a-b"].map(|name| NodeName::new(name).unwrap());
        names.sort();
        assert_eq!(names.map(|name| name.to_string()), ["B", "a", "a-b", "ab", "b"]);
    }
}
