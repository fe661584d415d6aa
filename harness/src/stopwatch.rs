//! How long something took, for people who wait: no verdict and no history depends on it.

use std::time::Instant;

use histories::Nanos;

/// Runs from when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "people want to know how long a simulation took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}
