//! Durations as people write them: a number and a unit, nothing else.
//!
//! ```text
//! 250ms   10s   2.5s   2m   1h        "10" has no unit; "10 s" and "-1s" are refused too
//! ```
//!
//! Fractions are exact to the nanosecond: `0.0000001s` is 100 ns, and a tenth digit is refused.

use histories::Nanos;
use serde::{Deserialize, Deserializer, Serializer};

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationProblem {
    /// A number alone.
    #[error("the unit is missing")]
    NoUnit,
    /// Something other than ms, s, m or h.
    #[error("the unit is none of ms, s, m, h")]
    UnknownUnit,
    /// No number in front of the unit.
    #[error("the number is not a plain decimal")]
    NoNumber,
    /// More than 584 years, or digits below a nanosecond.
    #[error("the number has too many digits")]
    TooManyDigits,
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no duration: {problem}; write for example 250ms, 10s, 2m or 1h")]
pub struct DurationError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: DurationProblem,
}

// Longest unit first is not needed: a unit is compared whole.
const UNITS: [(&str, u64); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// Reads a duration such as `250ms`, `10s`, `2m` or `1h`.
///
/// ```
/// assert_eq!(nemesis::duration::parse("2.5s").unwrap().0, 2_500_000_000);
/// ```
pub fn parse(text: &str) -> Result<Nanos, DurationError> {
    nanos(text.trim()).map(Nanos).map_err(|problem| DurationError { text: text.to_owned(), problem })
}

/// Writes a duration so that [`parse`] reads it again, in the largest unit that makes it whole.
///
/// What is not a whole number of milliseconds gets a fraction.
pub fn format(span: Nanos) -> String {
    if span.0 == 0 {
        return "0s".to_owned();
    }
    for (unit, scale) in UNITS {
        if span.0.is_multiple_of(scale) {
            return format!("{}{unit}", span.0 / scale);
        }
    }
    let fraction = format!("{:06}", span.0 % 1_000_000);
    format!("{}.{}ms", span.0 / 1_000_000, fraction.trim_end_matches('0'))
}

/// Serialises as text; for `#[serde(with = "nemesis::duration")]`.
pub fn serialize<S: Serializer>(span: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*span))
}

/// Deserialises from text; for `#[serde(with = "nemesis::duration")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Nanos, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

/// A duration that serde reads from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text(pub Nanos);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Text;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration such as \"250ms\", \"10s\" or \"2m\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                parse(text).map(Text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

fn nanos(text: &str) -> Result<u64, DurationProblem> {
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(DurationProblem::NoNumber);
    }
    if unit.is_empty() {
        return Err(DurationProblem::NoUnit);
    }
    let Some((_, scale)) = UNITS.iter().find(|(known, _)| *known == unit) else {
        return Err(DurationProblem::UnknownUnit);
    };
    scaled(whole, fraction, *scale).ok_or(DurationProblem::TooManyDigits)
}

fn scaled(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let parts = 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let below = u128::from(fraction.parse::<u64>().ok()?) * u128::from(scale);
    if !below.is_multiple_of(u128::from(parts)) {
        return None;
    }
    let below = u64::try_from(below / u128::from(parts)).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(below)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let shown = match parse(text) {
            Ok(span) => format!("{} ns, written {}", span.0, format(span)),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn reads_each_unit() {
        check("250ms", expect!["250000000 ns, written 250ms"]);
        check("10s", expect!["10000000000 ns, written 10s"]);
        check("2.5s", expect!["2500000000 ns, written 2500ms"]);
        check("120s", expect!["120000000000 ns, written 2m"]);
        check("1h", expect!["3600000000000 ns, written 1h"]);
        check("0.0005ms", expect!["500 ns, written 0.0005ms"]);
        check("0s", expect!["0 ns, written 0s"]);
    }

    #[test]
    fn says_what_is_wrong() {
        check(
            "10",
            expect!["`10` is no duration: the unit is missing; write for example 250ms, 10s, 2m or 1h"],
        );
        check(
            "10 s",
            expect![
                "`10 s` is no duration: the unit is none of ms, s, m, h; write for example 250ms, 10s, 2m or 1h"
            ],
        );
        check(
            "-1s",
            expect![
                "`-1s` is no duration: the number is not a plain decimal; write for example 250ms, 10s, 2m or 1h"
            ],
        );
        check(
            "1d",
            expect![
                "`1d` is no duration: the unit is none of ms, s, m, h; write for example 250ms, 10s, 2m or 1h"
            ],
        );
        check(
            "",
            expect![
                "`` is no duration: the number is not a plain decimal; write for example 250ms, 10s, 2m or 1h"
            ],
        );
        check(
            "99999999999h",
            expect![
                "`99999999999h` is no duration: the number has too many digits; write for example 250ms, 10s, 2m or 1h"
            ],
        );
        check(
            "1.2.3s",
            expect![
                "`1.2.3s` is no duration: the number is not a plain decimal; write for example 250ms, 10s, 2m or 1h"
            ],
        );
    }
}
