//! Time as the host tells it.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Nanoseconds since an epoch that the host picks: a point in time, or a span of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Nanos {
        Nanos(millis.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// True once `span` has passed since `start`.
    ///
    /// Also true when the clock has gone back behind `start`: a timer that fires early only costs a message, one that
    /// waits for a clock to catch up may wait for days.
    pub fn is_due(self, start: Nanos, span: Nanos) -> bool {
        self < start || self.0 - start.0 >= span.0
    }
}

impl Add for Nanos {
    type Output = Nanos;

    fn add(self, span: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(span.0))
    }
}

/// Whole seconds as such, anything else in milliseconds.
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.millis() {
            millis if millis.is_multiple_of(1000) => write!(f, "{}s", millis / 1000),
            millis => write!(f, "{millis}ms"),
        }
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no time: write a number and ms, s, m or h, such as 250ms")]
pub struct DurationError {
    /// What was given.
    pub given: String,
}

impl FromStr for Nanos {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Nanos, DurationError> {
        let wrong = || DurationError { given: text.to_owned() };
        let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit_ns = match unit {
            "ms" => 1_000_000_u128,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let plain = |digits: &&str| {
            (1..10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        // What is finer than a nanosecond is cut off.
        let digits = |text: &str| Some(text).filter(plain)?.parse::<u128>().ok();
        let parts = digits(fraction).map(|parts| parts * unit_ns / 10_u128.pow(fraction.len() as u32));
        let nanos = digits(whole).zip(parts).map(|(whole, parts)| whole * unit_ns + parts);
        nanos.and_then(|nanos| u64::try_from(nanos).ok()).map(Nanos).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for text in ["0s", "250ms", "7s", "1500ms", "120s"] {
            assert_eq!(text.parse::<Nanos>().unwrap().to_string(), text);
        }
        assert_eq!("2m".parse::<Nanos>().unwrap(), Nanos::from_millis(120_000));
        assert_eq!("1.5s".parse::<Nanos>().unwrap(), Nanos::from_millis(1500));
        for text in ["", "5", "ms", "-1s", "1.s", "1 s", "99999999999999999h"] {
            assert!(text.parse::<Nanos>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_fires_timers() {
        let (start, span) = (Nanos::from_millis(100), Nanos::from_millis(10));
        assert!(!Nanos::from_millis(109).is_due(start, span));
        assert!(Nanos::from_millis(110).is_due(start, span));
        assert!(Nanos::from_millis(99).is_due(start, span));
    }
}
