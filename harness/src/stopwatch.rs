//! How long something took, for people who wait: no verdict and no history depends on it.

use std::time::Instant;

use histories::Nanos;

/// Runs from when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
    busy_before: Option<Nanos>,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "people want to know how long a simulation took")]
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), busy_before: thread_time() }
    }

    pub(crate) fn elapsed(self) -> Nanos {
        Nanos::from(self.began.elapsed())
    }

    /// For how long this thread had a core, which does not depend on what else runs. None if the system
    /// does not say.
    pub(crate) fn busy(self) -> Option<Nanos> {
        Some(thread_time()?.since(self.busy_before?))
    }
}

/// The first of the three numbers that Linux keeps for each thread: nanoseconds on a core.
fn thread_time() -> Option<Nanos> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Nanos)
}
