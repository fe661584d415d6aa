//! The load: one task a client, each with its own stream of calls and at most one call in flight.
//!
//! ```text
//!   planned   |     |     |     |     |          every client has its own share of the rate
//!   client    [==]  [=========][==] [=]          latency counts from the planned time, so that a
//!                         ^ late: waits for the one before            slow answer is not hidden
//! ```
//!
//! Open loop, as Tene's wrk2 has it: a slow store does not slow the plan down. A call that ends
//! unknown ends its session; a new one with a new connection takes its place.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use histories::{Call, EventKind, Key, Nanos, NodeName, Outcome, Reason, SessionId};
use nemesis::{Answers, Moment, Sentry, Sight};
use tokio::task::JoinSet;

use super::pace::{Part, parts};
use super::{Resolved, StopSignal};
use crate::client::{Client, Locality};
use crate::progress::Stats;
use crate::recorder::Recorder;
use crate::target::Cluster;
use crate::workload::Workload;

/// Gives every session a number of its own.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<AtomicU32>);

impl Sessions {
    pub(crate) fn next(&self) -> SessionId {
        SessionId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What every client of a run needs.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) recorder: Recorder,
    pub(crate) stats: Arc<Stats>,
    pub(crate) sessions: Sessions,
    pub(crate) nodes: Arc<[NodeName]>,
    pub(crate) timeout: Nanos,
    /// Sessions carry what they have seen.
    pub(crate) tokens: bool,
    /// Tells faults that wait for it what clients ask and hear.
    pub(crate) sentry: Sentry,
    /// Which answers a client does not hear.
    pub(crate) answers: Answers,
}

/// Drives all clients until the load is over or shall stop; gives the keys that were used.
pub(crate) async fn drive(
    stage: &Stage,
    resolved: &Resolved,
    workload: &dyn Workload,
    stop: &StopSignal,
) -> BTreeSet<Key> {
    let began = stage.recorder.now();
    let mut clients = JoinSet::new();
    // All sessions have their first numbers in the order of the clients.
    for part in parts(resolved, workload, stage.cluster.dialect().updates, began) {
        let worker = Worker { stage: stage.clone(), session: stage.session(part.route.home()), part };
        let stop = stop.clone();
        clients.spawn(async move {
            let mut worker = worker;
            tokio::select! {
                () = worker.work() => {}
                () = stop.stopped() => worker.abandon(),
            }
            worker.part.generator.keys().clone()
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

/// One session at a time, with its connection.
pub(crate) struct Session {
    id: SessionId,
    home: usize,
    client: Client,
    in_flight: bool,
}

impl Stage {
    /// Of a client who lives where node `home` is.
    pub(crate) fn session(&self, home: usize) -> Session {
        let client = self.cluster.client(home, self.tokens, self.timeout);
        Session { id: self.sessions.next(), home, client, in_flight: false }
    }

    /// Asks once, and records question and answer. After an unknown answer the session is a new one.
    pub(crate) async fn ask(
        &self,
        session: &mut Session,
        node: usize,
        call: &Call,
        planned: Option<Nanos>,
        locality: Locality,
    ) -> Outcome {
        let asked = EventKind::Invoke {
            session: session.id,
            node: Some(self.nodes[node].clone()),
            planned,
            call: call.clone(),
        };
        let invoked = self.recorder.record(asked);
        self.saw(invoked, Moment::Asked, call, node);
        session.in_flight = true;
        let answer = tokio::time::timeout(self.timeout.into(), self.hear(session, node, call, locality));
        let outcome = answer.await.unwrap_or(Outcome::Unknown(Reason::TIMEOUT));
        session.in_flight = false;
        tracing::debug!(session = %session.id, node = %self.nodes[node], ?call, ?outcome);
        let completed =
            self.recorder.record(EventKind::Complete { session: session.id, outcome: outcome.clone() });
        self.saw(completed, Moment::from(&outcome), call, node);
        self.stats.count(node, call, &outcome, planned.unwrap_or(invoked), completed);
        if outcome.is_unknown() {
            *session = self.session(session.home);
        }
        outcome
    }

    /// The answer, unless it is lost: then there is none, however long the client waits.
    async fn hear(&self, session: &mut Session, node: usize, call: &Call, locality: Locality) -> Outcome {
        let outcome = session.client.call(node, call, locality).await;
        if outcome.is_confirmed() && self.answers.lose(&self.nodes[node], call) {
            std::future::pending::<()>().await;
        }
        outcome
    }

    fn saw(&self, now: Nanos, moment: Moment, call: &Call, node: usize) {
        self.sentry.saw(now, Sight::Call { moment, call, node: &self.nodes[node] });
    }
}

struct Worker {
    stage: Stage,
    session: Session,
    part: Part,
}

impl Worker {
    async fn work(&mut self) {
        let Self { stage, session, part } = self;
        while let Some(planned) = part.pace.next(stage.recorder.now()) {
            sleep_until(&stage.recorder, planned).await;
            let (call, node) = (part.generator.next_call(), part.route.next());
            let outcome = stage.ask(session, node, &call, Some(planned), Locality::Default).await;
            part.generator.observe(&call, &outcome);
        }
    }

    /// The run stops while a call may be in flight: nobody will learn how it ended.
    fn abandon(&mut self) {
        if self.session.in_flight {
            let outcome = Outcome::Unknown(Reason::UNANSWERED);
            self.stage.recorder.record(EventKind::Complete { session: self.session.id, outcome });
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an open-loop load waits for the planned time of each call")]
pub(crate) async fn sleep_until(recorder: &Recorder, planned: Nanos) {
    let wait = planned.since(recorder.now());
    if wait > Nanos(0) {
        tokio::time::sleep(wait.into()).await;
    }
}
