//! The node's thread: step, persist, release.
//!
//! ```text
//! take what has queued up ─► step each ─► append all records, one sync ─► let go of replies and messages
//! ```
//!
//! One sync serves all requests that came while the one before was under way (group commit). What a node says before
//! its first record of a batch does not have to wait, and does not.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::ServeError;
use super::outbox::Outbox;
use crate::message::Message;
use crate::names::NodeName;
use crate::node::{Input, Node, Output, Ticket};
use crate::record::Record;
use crate::request::{Request, Response};
use crate::storage::Storage;
use crate::time::Nanos;

/// How often a node is ticked.
const TICK: Nanos = Nanos::from_millis(20);

/// The most inputs between two syncs.
const BATCH_MAX: usize = 1024;

/// What the rest of the server asks of the node's thread.
enum Job {
    Request { request: Request, reply: oneshot::Sender<Response> },
    Messages { from: NodeName, messages: Vec<Message> },
    Skew { skew: Skew, ahead: oneshot::Sender<i64> },
    Stop,
}

/// The node's queue.
#[derive(Debug, Clone)]
pub(super) struct Jobs {
    queue: Sender<Job>,
}

impl Jobs {
    /// Asks the node. None if it stopped before it answered: then nobody knows what became of the request.
    pub(super) async fn ask(&self, request: Request) -> Option<Response> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job::Request { request, reply }).ok()?;
        answer.await.ok()
    }

    /// Gives the node messages. False if it has stopped.
    pub(super) fn deliver(&self, from: NodeName, messages: Vec<Message>) -> bool {
        self.queue.send(Job::Messages { from, messages }).is_ok()
    }

    /// Sets the node's clock. Gives by how many milliseconds it is ahead now, unless the node has stopped.
    pub(super) async fn skew(&self, skew: Skew) -> Option<i64> {
        let (ahead, answer) = oneshot::channel();
        self.queue.send(Job::Skew { skew, ahead }).ok()?;
        answer.await.ok()
    }

    pub(super) fn stop(&self) {
        // If it does not listen, it has stopped.
        drop(self.queue.send(Job::Stop));
    }
}

/// How wrong a node's clock is, for tests of what that does; nothing of it is the right time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Skew {
    /// Ahead by so many milliseconds, or behind if below 0.
    pub jump_ms: i64,
    /// Gains from now on so many millionths, or loses them if below 0.
    pub drift_ppm: i64,
    /// If above 0, ahead and right in turn, each for so many milliseconds.
    pub strobe_ms: u64,
}

impl Skew {
    /// By how many nanoseconds it is ahead, so long after it was set.
    fn ahead_ns(self, passed: Nanos) -> i64 {
        let fro = self.strobe_ms > 0 && (passed.millis() / self.strobe_ms) % 2 == 1;
        let jump = if fro { 0 } else { self.jump_ms.saturating_mul(1_000_000) };
        let gained = i64::try_from(passed.millis()).unwrap_or(i64::MAX).saturating_mul(self.drift_ppm);
        jump.saturating_add(gained)
    }
}

/// A node, and what it needs of the world.
pub(super) struct Host {
    node: Node,
    storage: Box<dyn Storage>,
    outboxes: BTreeMap<NodeName, Outbox>,
    replies: BTreeMap<Ticket, oneshot::Sender<Response>>,
    tickets: u64,
    records: Vec<Record>,
    // Said after a record that is not durable yet.
    withheld: Vec<Output>,
    ticked_at: Nanos,
    skew: Skew,
    skewed_at: Nanos,
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the server is where wall time enters; the node is given it")]
pub(super) fn now() -> Nanos {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos(since_epoch.as_nanos() as u64)
}

impl Host {
    /// Starts the thread. The receiver hears when and why it ended.
    pub(super) fn start(
        node: Node,
        storage: Box<dyn Storage>,
        outputs: Vec<Output>,
        outboxes: BTreeMap<NodeName, Outbox>,
    ) -> Result<(Jobs, oneshot::Receiver<Result<(), ServeError>>), ServeError> {
        let (queue, jobs) = mpsc::channel();
        let (finish, finished) = oneshot::channel();
        let mut host = Host {
            node,
            storage,
            outboxes,
            replies: BTreeMap::new(),
            tickets: 0,
            records: Vec::new(),
            withheld: Vec::new(),
            ticked_at: now(),
            skew: Skew::default(),
            skewed_at: now(),
        };
        host.absorb(outputs);
        // Before the first request, so that a disk that does not work is found now.
        host.commit()?;
        let name = format!("node-{}", host.node.config().name);
        let run = move || {
            let ended = host.run(&jobs);
            // Whoever hears of the end may open the directory again, so its lock must be gone by then.
            drop(host);
            drop(finish.send(ended));
        };
        thread::Builder::new().name(name).spawn(run).map_err(ServeError::Listener)?;
        Ok((Jobs { queue }, finished))
    }

    fn run(&mut self, jobs: &Receiver<Job>) -> Result<(), ServeError> {
        loop {
            let first = match jobs.recv_timeout(self.until_tick()) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let mut batch = first.into_iter().chain(jobs.try_iter()).take(BATCH_MAX);
            let stop = !batch.all(|job| self.work(job));
            self.tick();
            self.commit()?;
            if stop {
                return Ok(());
            }
        }
    }

    /// Does one job. False if it is to stop.
    fn work(&mut self, job: Job) -> bool {
        match job {
            Job::Request { request, reply } => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.replies.insert(ticket, reply);
                self.step(Input::Request { ticket, request });
            }
            Job::Messages { from, messages } => {
                messages.into_iter().for_each(|message| self.step(Input::Message { from, message }));
            }
            Job::Skew { skew, ahead } => {
                (self.skew, self.skewed_at) = (skew, now());
                let shown = skew.ahead_ns(Nanos(0)) / 1_000_000;
                // Whoever set it may not wait for the answer.
                let _gone = ahead.send(shown);
            }
            Job::Stop => return false,
        }
        true
    }

    fn until_tick(&self) -> Duration {
        let passed = now().0.saturating_sub(self.ticked_at.0);
        Duration::from_nanos(TICK.0.saturating_sub(passed))
    }

    fn tick(&mut self) {
        let now = now();
        if now.is_due(self.ticked_at, TICK) {
            self.ticked_at = now;
            self.step(Input::Tick);
        }
    }

    fn step(&mut self, input: Input) {
        let now = now();
        let ahead = self.skew.ahead_ns(Nanos(now.0.saturating_sub(self.skewed_at.0)));
        let outputs = self.node.step(Nanos(now.0.saturating_add_signed(ahead)), input);
        self.absorb(outputs);
    }

    fn absorb(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Persist(record) => self.records.push(record),
                output if self.records.is_empty() => self.release(output),
                output => self.withheld.push(output),
            }
        }
    }

    fn commit(&mut self) -> Result<(), ServeError> {
        if !self.records.is_empty() {
            self.storage.append(&self.records)?;
            self.storage.sync()?;
            self.records.clear();
        }
        for output in std::mem::take(&mut self.withheld) {
            self.release(output);
        }
        Ok(())
    }

    fn release(&mut self, output: Output) {
        match output {
            Output::Persist(record) => self.records.push(record),
            Output::Reply { ticket, response } => {
                if let Some(reply) = self.replies.remove(&ticket) {
                    // A client that has gone away does not wait for it.
                    drop(reply.send(response));
                }
            }
            Output::Send { to, message } => {
                if let Some(outbox) = self.outboxes.get(&to) {
                    outbox.post(message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_jumps_drifts_and_strobes() {
        let skew = |jump_ms, drift_ppm, strobe_ms| {
            let skew = Skew { jump_ms, drift_ppm, strobe_ms };
            [0, 150, 2000].map(|passed| skew.ahead_ns(Nanos::from_millis(passed)) / 1_000_000)
        };
        assert_eq!(skew(2000, 0, 0), [2000; 3]);
        assert_eq!(skew(-2000, 0, 100), [-2000, 0, -2000]);
        assert_eq!(skew(0, 20_000, 0), [0, 3, 40]);
    }
}
