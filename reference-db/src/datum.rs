//! Values: any JSON, kept as its one canonical text.
//!
//! ```text
//! {"b": 1, "a":[1, 2]}   is kept as   {"a":[1,2],"b":1}
//! ```
//!
//! Text is a sixth of the size of a parsed list of small numbers, it travels to the log, to the peers and to clients
//! without being built again, and two values are equal if their texts are. Numbers must fit 64 bits, so that nothing is
//! rounded on the way, and nesting is bounded, so that a value inside an event inside a record can still be parsed.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The deepest nesting that a value may have.
pub const DEPTH_MAX: usize = 64;

/// Why a text is no value of ours.
#[derive(Debug, thiserror::Error)]
pub enum DatumError {
    /// Not JSON.
    #[error("value is not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A number that a signed 64-bit integer, or a double for a fraction, does not hold.
    #[error("number {number} is outside the signed 64-bit integers: send it as a string")]
    Number {
        /// As far as it could be read.
        number: serde_json::Number,
    },
    /// Lists in lists in lists.
    #[error("value is nested deeper than {DEPTH_MAX} levels")]
    Depth,
}

/// What a value is, at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    /// The word for it in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "boolean",
            Kind::Number => "number",
            Kind::Text => "string",
            Kind::List => "list",
            Kind::Object => "object",
        }
    }
}

/// A value; cheap to clone.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Datum(Arc<RawValue>);

impl Datum {
    /// Checks a JSON text and brings it into canonical form.
    pub fn parse(text: &str) -> Result<Datum, DatumError> {
        let value: Value = serde_json::from_str(text)?;
        check(&value, 0)?;
        Datum::canonical(value.to_string())
    }

    /// A whole number.
    pub fn integer(number: i64) -> Datum {
        Datum::canonical(number.to_string()).unwrap_or_else(|_| Datum::null())
    }

    /// The value `null`.
    pub fn null() -> Datum {
        Datum(Arc::from(RawValue::NULL.to_owned()))
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.text().as_bytes().first() {
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Object,
            Some(b'"') => Kind::Text,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The number, if it is a whole one.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        self.text().parse().ok()
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> Option<Vec<Datum>> {
        serde_json::from_str(self.text()).ok()
    }

    /// The list of these elements.
    pub(crate) fn list<'a>(elements: impl IntoIterator<Item = &'a Datum>) -> Datum {
        let texts: Vec<&str> = elements.into_iter().map(Datum::text).collect();
        Datum::canonical(format!("[{}]", texts.join(","))).unwrap_or_else(|_| Datum::null())
    }

    /// This list with one more element at its end, if it is a list.
    pub(crate) fn appended(&self, element: &Datum) -> Option<Datum> {
        // Splicing the text costs a copy; parsing a long list to add to it would cost ten.
        let open = self.text().strip_prefix('[')?.strip_suffix(']')?;
        let comma = if open.is_empty() { "" } else { "," };
        Datum::canonical(format!("[{open}{comma}{}]", element.text())).ok()
    }

    fn canonical(text: String) -> Result<Datum, DatumError> {
        Ok(Datum(Arc::from(RawValue::from_string(text)?)))
    }
}

fn check(value: &Value, depth: usize) -> Result<(), DatumError> {
    if depth > DEPTH_MAX {
        return Err(DatumError::Depth);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) if fits(number) => Ok(()),
        Value::Number(number) => Err(DatumError::Number { number: number.clone() }),
        Value::Array(elements) => elements.iter().try_for_each(|element| check(element, depth + 1)),
        Value::Object(fields) => fields.values().try_for_each(|field| check(field, depth + 1)),
    }
}

/// A whole number beyond 64 bits is parsed as a double, which would silently be another number.
fn fits(number: &serde_json::Number) -> bool {
    match number.as_f64() {
        Some(double) if number.is_f64() => double.fract() != 0.0 || double.abs() < i64::MAX as f64,
        _ => number.is_i64(),
    }
}

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Datum, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Datum(Arc::from(raw)))
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Datum) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Datum {}

impl PartialOrd for Datum {
    fn partial_cmp(&self, other: &Datum) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Datum {
    fn cmp(&self, other: &Datum) -> Ordering {
        self.text().cmp(other.text())
    }
}

impl Hash for Datum {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_canonical() {
        for (given, kept) in
            [(r#" {"b": 1, "a":[1, 2]}"#, r#"{"a":[1,2],"b":1}"#), ("1.50", "1.5"), ("-7", "-7")]
        {
            assert_eq!(Datum::parse(given).unwrap().text(), kept);
        }
    }

    #[test]
    fn numbers_must_fit() {
        assert!(Datum::parse("9223372036854775807").is_ok());
        for number in ["9223372036854775808", "-9223372036854775809", "1e300", "[1, 99999999999999999999]"] {
            assert!(matches!(Datum::parse(number), Err(DatumError::Number { .. })), "{number}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Datum::parse(&nested(DEPTH_MAX + 1)).is_ok());
        assert!(matches!(Datum::parse(&nested(DEPTH_MAX + 2)), Err(DatumError::Depth)));
        assert!(Datum::parse(&nested(5000)).is_err());
    }

    #[test]
    fn lists_grow_by_splicing() {
        let list =
            Datum::list([]).appended(&Datum::integer(1)).and_then(|list| list.appended(&Datum::integer(2)));
        assert_eq!(list.as_ref().map(Datum::text), Some("[1,2]"));
        assert_eq!(list.unwrap().elements(), Some(vec![Datum::integer(1), Datum::integer(2)]));
        assert_eq!(Datum::integer(1).appended(&Datum::null()), None);
    }
}
