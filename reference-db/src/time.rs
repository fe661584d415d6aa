//! Time as the host tells it.

use std::fmt;
use std::ops::Add;

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

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_back_fires_timers() {
        let (start, span) = (Nanos::from_millis(100), Nanos::from_millis(10));
        assert!(!Nanos::from_millis(109).is_due(start, span));
        assert!(Nanos::from_millis(110).is_due(start, span));
        assert!(Nanos::from_millis(99).is_due(start, span));
    }
}
