//! The mesh: all links of a cluster, and the listeners that lead through them.
//!
//! ```text
//! mesh.link(clients → A, upstream 127.0.0.1:7001)  =  127.0.0.1:40123     give this to the clients
//! mesh.link(B → A,       upstream 127.0.0.1:7001)  =  127.0.0.1:40124     give this to B
//! ```
//!
//! Dropping the last handle closes every listener and every connection.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use histories::NodeName;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::link::{Carried, Gate, Latency, Link};
use super::relay::{Half, whole};
use crate::{Endpoint, clock};

/// All links of a cluster. Clones are handles to the same mesh.
#[derive(Debug, Clone, Default)]
pub struct Mesh {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    links: Mutex<BTreeMap<(Endpoint, Endpoint), Arc<Link>>>,
    proxies: Mutex<BTreeMap<Opened, Proxy>>,
}

/// Who opens connections to whom, and from where: clients may live in several places.
type Opened = (Endpoint, NodeName, String);

/// How far two ends are apart, fault or no fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Far {
    /// Where whoever opens the connection lives, if that makes a difference.
    pub place: String,
    /// From there to the node.
    pub there: Option<Latency>,
    /// And back.
    pub back: Option<Latency>,
}

#[derive(Debug)]
struct Proxy {
    address: SocketAddr,
    upstream: watch::Sender<SocketAddr>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Mesh {
    /// A mesh without links.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a listener on 127.0.0.1 for connections that `from` opens to `to`; what arrives there goes
    /// to `upstream`. Returns the listener's address, which is for `from` alone to use.
    ///
    /// Needs a tokio runtime. A pair that is opened again gets a new listener, and the old one closes.
    pub async fn link(
        &self,
        from: impl Into<Endpoint>,
        to: NodeName,
        upstream: SocketAddr,
    ) -> io::Result<SocketAddr> {
        self.link_far(from, to, upstream, Far::default()).await
    }

    /// The same for ends that are apart: all that passes is on its way as long, and longer if the link is slow besides.
    /// One pair may be linked from several places, all of which a cut of the pair cuts.
    pub async fn link_far(
        &self,
        from: impl Into<Endpoint>,
        to: NodeName,
        upstream: SocketAddr,
        far: Far,
    ) -> io::Result<SocketAddr> {
        let from = from.into();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let there = Endpoint::Node(to.clone());
        let (request, response) = (self.directed(&from, &there), self.directed(&there, &from));
        let (upstream, target) = watch::channel(upstream);
        let Far { place, there, back } = far;
        let route = Route { request: (request, there), response: (response, back), target };
        let accepting = tokio::spawn(accept(listener, route));
        lock(&self.inner.proxies).insert((from, to, place), Proxy { address, upstream, accepting });
        Ok(address)
    }

    /// The address of the listener for connections that `from` opens to `to`, from the first of several places.
    pub fn address(&self, from: &Endpoint, to: &NodeName) -> Option<SocketAddr> {
        let proxies = lock(&self.inner.proxies);
        let mut from_here = proxies.range((from.clone(), to.clone(), String::new())..);
        let first = from_here.next().filter(|((opener, node, _), _)| opener == from && node == to);
        first.map(|(_, proxy)| proxy.address)
    }

    /// New connections to the node go to this address from now on, whoever opens them.
    pub fn set_upstream(&self, to: &NodeName, upstream: SocketAddr) {
        for ((_, node, _), proxy) in lock(&self.inner.proxies).iter() {
            if node == to {
                proxy.upstream.send_replace(upstream);
            }
        }
    }

    /// From when this returns until [`Mesh::restore`], no byte passes from `from` to `to`.
    pub fn cut(&self, from: &Endpoint, to: &Endpoint) {
        self.directed(from, to).set_cut(true);
    }

    /// Makes the link whole; what was held is delivered.
    pub fn restore(&self, from: &Endpoint, to: &Endpoint) {
        self.directed(from, to).set_cut(false);
    }

    /// Delivers late from now on.
    pub fn slow(&self, from: &Endpoint, to: &Endpoint, latency: Latency) {
        self.directed(from, to).set_latency(Some(latency));
    }

    /// Delivers at once again; what is on its way keeps its time.
    pub fn unslow(&self, from: &Endpoint, to: &Endpoint) {
        self.directed(from, to).set_latency(None);
    }

    /// Makes every link whole and quick.
    pub fn restore_all(&self) {
        for link in lock(&self.inner.links).values() {
            link.set_cut(false);
            link.set_latency(None);
        }
    }

    /// What the link has carried since it was opened.
    pub fn carried(&self, from: &Endpoint, to: &Endpoint) -> Carried {
        self.directed(from, to).carried()
    }

    fn directed(&self, from: &Endpoint, to: &Endpoint) -> Arc<Link> {
        Arc::clone(lock(&self.inner.links).entry((from.clone(), to.clone())).or_default())
    }
}

/// A directed link, and how far it leads.
type Way = (Arc<Link>, Option<Latency>);

/// Where connections of one listener go, and by which links.
#[derive(Debug, Clone)]
struct Route {
    request: Way,
    response: Way,
    target: watch::Receiver<SocketAddr>,
}

async fn accept(listener: TcpListener, route: Route) {
    // Dropping the set with this task ends the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(carry(stream, route.clone()));
                }
                // Out of file descriptors, or the caller gave up already. Others may have better luck.
                Err(error) => {
                    tracing::warn!(%error, "the proxy could not accept a connection");
                    clock::pass(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn carry(caller: TcpStream, route: Route) {
    let Some(upstream) = connect(&route).await else {
        // Resets the caller; not one of its bytes was read.
        drop(caller.set_zero_linger());
        return;
    };
    route.request.0.count_connection();
    // Small requests must not wait for more to come.
    drop((caller.set_nodelay(true), upstream.set_nodelay(true)));
    let (from_caller, to_caller) = caller.into_split();
    let (from_upstream, to_upstream) = upstream.into_split();
    let request = Half::new(from_caller, to_upstream, route.request);
    let response = Half::new(from_upstream, to_caller, route.response);
    // A broken half takes the other with it; all sockets close here.
    let _broken = tokio::try_join!(request.run(), response.run());
}

/// Connects onward once both directions are whole, later by a round trip if they are slow.
async fn connect(route: &Route) -> Option<TcpStream> {
    let (mut there, mut back) = (route.request.0.subscribe(), route.response.0.subscribe());
    let late = delay(&route.request, *there.borrow()) + delay(&route.response, *back.borrow());
    if !late.is_zero() {
        clock::pass(late).await;
    }
    while there.borrow().cut || back.borrow().cut {
        whole(&mut there).await;
        whole(&mut back).await;
    }
    let upstream = *route.target.borrow();
    TcpStream::connect(upstream).await.ok()
}

fn delay((link, far): &Way, gate: Gate) -> Duration {
    link.draw_both(*far, gate.latency)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock, so a poisoned one is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
