//! The wall clock, in the one place where the live half of this crate looks at it.

use std::time::Duration;

use tokio::time::Instant;

#[expect(clippy::disallowed_methods, reason = "live faults happen to real processes in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets real time pass.
pub(crate) async fn pass(span: Duration) {
    tokio::time::sleep_until(now() + span).await;
}
