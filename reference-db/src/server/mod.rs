//! The server: a node in a process of its own, with sockets, a disk and a clock.
//!
//! ```text
//! clients ──► client port ──► api ──┐                       ┌──► one task a peer ──► their peer ports
//!                                   ├──► node thread ──► ───┤
//! peers ────► peer port ────────────┘     step, persist,    └──► replies
//!                                         release
//! ```
//!
//! The node runs in a thread of its own, because it waits for the disk; everything else runs in the caller's tokio
//! runtime, for which one thread is enough.

mod api;
mod host;
mod inbox;
mod outbox;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::config::NodeConfig;
use crate::names::NodeName;
use crate::node::{Node, RecoverError};
use crate::storage::{StorageError, Wal};
use host::{Host, Jobs};

pub use host::Skew;

/// What a server must know.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The node and its cluster. If it is not durable, the log is not synced.
    pub node: NodeConfig,
    /// Where each other member takes messages, as `host:port`.
    pub peers: BTreeMap<NodeName, String>,
    /// Where each member serves clients, as `host:port`, as far as it is known: clients are redirected there.
    pub clients: BTreeMap<NodeName, String>,
    /// Where the node keeps its log; created where needed.
    pub data_dir: PathBuf,
    /// Where clients are served. Port 0 takes a free one.
    pub client_address: SocketAddr,
    /// Where messages of peers are taken. Port 0 takes a free one.
    pub peer_address: SocketAddr,
}

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A member without an address.
    #[error("member {name} has no address: give one for every other node")]
    NoAddress {
        /// Which.
        name: NodeName,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The listener does not know where it listens.
    #[error("cannot use the listener: {0}")]
    Listener(io::Error),
    /// The HTTP client for peers does not work.
    #[error("cannot set up the connection to peers: {0}")]
    Client(#[from] reqwest::Error),
    /// The log cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log is not one from which this node can start.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The node's thread ended without saying why.
    #[error("node stopped unexpectedly")]
    Stopped,
}

type Outboxes = BTreeMap<NodeName, outbox::Outbox>;
type Tasks = Vec<JoinHandle<()>>;

/// A node that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    client_address: SocketAddr,
    peer_address: SocketAddr,
    jobs: Jobs,
    finished: oneshot::Receiver<Result<(), ServeError>>,
    tasks: Tasks,
}

impl Running {
    /// Where clients are served.
    pub fn client_address(&self) -> SocketAddr {
        self.client_address
    }

    /// Where messages of peers are taken.
    pub fn peer_address(&self) -> SocketAddr {
        self.peer_address
    }

    /// From now on shows the node a clock that is wrong; the default is right again. Gives by how many milliseconds it is
    /// ahead, unless the node has stopped.
    pub async fn skew_clock(&self, skew: Skew) -> Option<i64> {
        self.jobs.skew(skew).await
    }

    /// Waits until the node stops, by [`Running::shutdown`] or because its disk fails.
    pub async fn wait(&mut self) -> Result<(), ServeError> {
        (&mut self.finished).await.unwrap_or(Err(ServeError::Stopped))
    }

    /// Stops the node after what it is doing, and closes the ports.
    pub async fn shutdown(mut self) -> Result<(), ServeError> {
        self.jobs.stop();
        let result = self.wait().await;
        for task in self.tasks.drain(..) {
            task.abort();
            // It ends as told. Its port is free only then.
            drop(task.await);
        }
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.jobs.stop();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts a node, on the addresses of its configuration. Returns once both ports take connections.
pub async fn serve(config: ServerConfig) -> Result<Running, ServeError> {
    let client = listen(config.client_address).await?;
    let peer = listen(config.peer_address).await?;
    serve_on(config, client, peer).await
}

/// Starts a node on listeners that are already bound, whatever addresses its configuration names.
pub async fn serve_on(
    config: ServerConfig,
    client: TcpListener,
    peer: TcpListener,
) -> Result<Running, ServeError> {
    let client_address = client.local_addr().map_err(ServeError::Listener)?;
    let peer_address = peer.local_addr().map_err(ServeError::Listener)?;
    let name = config.node.name;
    let (outboxes, mut tasks) = connect(&config)?;
    let clients = config.clients.clone();
    let (jobs, finished) = start(config, outboxes).await?;
    tasks.push(answer(client, api::router(jobs.clone(), name, clients)));
    tasks.push(answer(peer, inbox::router(jobs.clone())));
    Ok(Running { client_address, peer_address, jobs, finished, tasks })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Starts a task for each peer.
fn connect(config: &ServerConfig) -> Result<(Outboxes, Tasks), ServeError> {
    let (mut outboxes, mut tasks) = (BTreeMap::new(), Vec::new());
    for name in config.node.members.iter().copied().filter(|name| *name != config.node.name) {
        let address = config.peers.get(&name).ok_or(ServeError::NoAddress { name })?;
        let (outbox, task) = outbox::start(config.node.name, address)?;
        outboxes.insert(name, outbox);
        tasks.push(task);
    }
    Ok((outboxes, tasks))
}

/// Recovers the node and starts its thread.
async fn start(
    config: ServerConfig,
    outboxes: Outboxes,
) -> Result<(Jobs, oneshot::Receiver<Result<(), ServeError>>), ServeError> {
    // Reading a long log takes a while, in which the runtime has others to serve.
    let recovered = tokio::task::spawn_blocking(move || recover(config)).await;
    let (node, wal, outputs) = recovered.map_err(|_| ServeError::Stopped)??;
    Host::start(node, Box::new(wal), outputs, outboxes)
}

fn recover(config: ServerConfig) -> Result<(Node, Wal, Vec<crate::node::Output>), ServeError> {
    let (wal, recovered) = Wal::open(&config.data_dir, config.node.durable)?;
    if let Some(torn) = recovered.torn {
        let (offset, bytes) = (torn.offset, torn.bytes);
        tracing::warn!(node = %config.node.name, offset, bytes, "cut a torn end off the log");
    }
    let (node, outputs) = Node::recover(config.node, host::now(), recovered.records)?;
    Ok((node, wal, outputs))
}

fn answer(listener: TcpListener, router: axum::Router) -> JoinHandle<()> {
    // Small answers must not wait for more to say. If that cannot be had, they are only slower.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a port is not served any more");
        }
    })
}
