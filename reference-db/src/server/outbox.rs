//! Messages to one peer: a small queue and a task that empties it.
//!
//! ```text
//! node ─► queue of 64 ─► POST http://peer/repl/v1/messages     one at a time; one that hangs is left behind
//!          full: dropped                                       after 100 ms and given up after 500 ms
//! ```
//!
//! Nothing is sent again here: the node does that, and knows what is worth it. A cut link may take a connection and
//! carry nothing; leaving a hanging post behind lets the next one try a new connection, so replication goes on within
//! moments of the link's return.

use std::time::Duration;

use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::ServeError;
use crate::message::Message;
use crate::names::NodeName;

/// Messages that wait for their turn.
const QUEUE_MAX: usize = 64;

/// How long one post keeps the next from being tried.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a post may take.
const POST_MAX: Duration = Duration::from_millis(500);

/// The body of a post.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) from: NodeName,
    pub(super) messages: Vec<Message>,
}

/// The queue of one peer.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Sender<Message>,
}

impl Outbox {
    /// Sends a message, or drops it if the peer does not keep up.
    pub(super) fn post(&self, message: Message) {
        if self.queue.try_send(message).is_err() {
            tracing::trace!("a message was dropped: the queue is full");
        }
    }
}

/// Starts the task of one peer.
pub(super) fn start(from: NodeName, address: &str) -> Result<(Outbox, JoinHandle<()>), ServeError> {
    let client = Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .connect_timeout(POST_MAX)
        .timeout(POST_MAX)
        // More idle connections would be more dead ones to find out about when a link comes back.
        .pool_max_idle_per_host(1)
        .build()?;
    let (queue, messages) = mpsc::channel(QUEUE_MAX);
    let url = format!("http://{address}/repl/v1/messages");
    let task = tokio::spawn(run(client, url, from, messages));
    Ok((Outbox { queue }, task))
}

async fn run(client: Client, url: String, from: NodeName, mut queue: Receiver<Message>) {
    while let Some(first) = queue.recv().await {
        let mut messages = vec![first];
        while let Ok(message) = queue.try_recv() {
            messages.push(message);
        }
        let body = match serde_json::to_vec(&Envelope { from, messages }) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "a message cannot be written as JSON");
                continue;
            }
        };
        let post = tokio::spawn(post(client.clone(), url.clone(), body));
        // Late is not lost: the post goes on in its own task until its own timeout.
        drop(timeout(PATIENCE, post).await);
    }
}

async fn post(client: Client, url: String, body: Vec<u8>) {
    let sent = client.post(&url).header("content-type", "application/json").body(body).send().await;
    // Reading the answer to its end lets the connection be used again.
    let answer = match sent {
        Ok(answer) => answer.bytes().await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = answer {
        tracing::trace!(%error, url, "a post to a peer failed");
    }
}
