//! Settling: after the last fault the replicas compare notes, until they say that they are equal or
//! the time for it is over.

use std::time::Duration;

use histories::{EventKind, Nanos, Phase};

use super::load::Stage;
use crate::target::Replicas;

/// Between two looks at the replicas.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until the replicas are equal, at most `limit`. True if they were seen to be.
///
/// Nothing is settled before `quiet` is over: so long may a call that its client has given up still be
/// on its way.
pub(crate) async fn settle(stage: &Stage, limit: Nanos, quiet: Nanos) -> bool {
    stage.recorder.record(EventKind::Phase(Phase::Settle));
    let began = stage.recorder.now();
    let (quiet, end) = (began + quiet, began + limit.max(quiet));
    let mut before = Replicas::Different;
    loop {
        let now = stage.cluster.compare().await;
        let is_quiet = stage.recorder.now() >= quiet;
        if is_quiet && now != Replicas::Different && now == before {
            stage.recorder.record(EventKind::Phase(Phase::Settled));
            return true;
        }
        before = now;
        if stage.recorder.now() >= end {
            return false;
        }
        look_later().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "replicas do not say when they are equal: they have to be asked again"
)]
async fn look_later() {
    tokio::time::sleep(LOOK).await;
}
