//! Final reads: every key from every node, after heal and settle. What they return is the final
//! state, and only that proves what was lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use histories::{Call, EventKind, Key, MicroOp, Phase};
use tokio::task::JoinSet;

use super::load::Stage;
use crate::client::Locality;

/// Readers at one node.
const READERS: usize = 4;
/// How often a key is asked for at one node, if it is not answered.
const ATTEMPTS: usize = 3;

/// Reads every key at every node that holds data; gives how many reads were answered, and how many were to be.
pub(crate) async fn read(stage: &Stage, keys: &BTreeSet<Key>) -> (usize, usize) {
    stage.recorder.record(EventKind::Phase(Phase::FinalReads));
    let keys: Arc<[Key]> = keys.iter().cloned().collect();
    let mut readers = JoinSet::new();
    let readable = stage.cluster.readable();
    for node in readable.iter().copied() {
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..READERS {
            readers.spawn(read_share(stage.clone(), node, keys.clone(), next.clone()));
        }
    }
    let answered = readers.join_all().await.into_iter().sum();
    (answered, keys.len() * readable.len())
}

async fn read_share(stage: Stage, node: usize, keys: Arc<[Key]>, next: Arc<AtomicUsize>) -> usize {
    let mut session = stage.session(node);
    let (mut answered, mut refused) = (0, 0);
    while let Some(key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
        let call = Call::Single(MicroOp::Read { key: key.clone() });
        // A node that answers nothing at all would take its time-out for each key.
        let attempts = if answered == 0 && refused >= ATTEMPTS { 1 } else { ATTEMPTS };
        let mut found = false;
        for _ in 0..attempts {
            let outcome = stage.ask(&mut session, node, &call, None, Locality::Local).await;
            found = outcome.is_confirmed();
            if found {
                break;
            }
        }
        answered += usize::from(found);
        refused += usize::from(!found);
        if answered == 0 && refused >= 4 * ATTEMPTS {
            break;
        }
    }
    answered
}
