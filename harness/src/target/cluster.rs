//! A target that runs: its nodes, the way to them, and what the harness can do to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use histories::{Nanos, NodeEvent, NodeName};
use nemesis::Controls;
use nemesis::process::Supervisor;
use nemesis::proxy::Mesh;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{ReferenceSpec, TargetSpec, processes};
use crate::client::reference::http_client;
use crate::client::{Client, ControlClient, Dialect, ReferenceClient, SingleCopy};
use crate::exit::Stop;
use crate::plan::World;

/// A target that runs.
pub(crate) struct Cluster {
    nodes: Vec<NodeName>,
    /// Those that hold data.
    readable: Vec<usize>,
    dialect: Dialect,
    way: Way,
}

/// How clients reach the nodes.
enum Way {
    Memory(SingleCopy),
    /// Through addresses for the load, those of all nodes for clients at each node, and directly for looks that no fault
    /// shall disturb.
    Http {
        addresses: Vec<Vec<String>>,
        direct: reqwest::Client,
        direct_addresses: Vec<String>,
        compares: bool,
    },
}

/// Power over a cluster that the harness started itself, and news of it.
pub(crate) struct Power {
    pub(crate) hands: Hands,
    /// Nodes that ended without being told to.
    pub(crate) exits: mpsc::UnboundedReceiver<NodeEvent>,
}

/// Processes and links of a cluster that the harness started itself.
pub(crate) struct Hands {
    pub(crate) mesh: Mesh,
    pub(crate) supervisor: Supervisor,
    /// Where each node takes clients, without a proxy between.
    pub(crate) clients: Vec<(NodeName, SocketAddr)>,
    /// Where each node takes messages of others, without a proxy between.
    pub(crate) peers: Vec<(NodeName, SocketAddr)>,
    /// Where each node keeps what it stores.
    pub(crate) data: Vec<(NodeName, PathBuf)>,
}

impl Power {
    /// The nodes' unasked ends are for one listener, everything else for many.
    pub(crate) fn split(self) -> (Hands, mpsc::UnboundedReceiver<NodeEvent>) {
        let Self { hands, exits } = self;
        (hands, exits)
    }
}

impl TargetSpec {
    /// The names of the nodes: letters, in order.
    pub(crate) fn nodes(&self) -> Vec<NodeName> {
        let count = match self {
            Self::Reference(spec) => spec.nodes as usize,
            // One copy under three names, so that everything that compares nodes has nodes to compare.
            Self::Control => 3,
            Self::Urls(urls) => urls.len(),
        };
        (0..count).map(node_name).collect()
    }

    /// What the harness can do to the target in this world.
    pub(crate) fn controls(&self, world: World) -> Controls {
        match (self, world) {
            (Self::Reference(_), World::Sim) => Controls::ALL,
            (Self::Reference(_), World::Live) => Controls { packets: false, disk: false, ..Controls::ALL },
            // What a client hears is in our hands, whoever answers.
            (Self::Control | Self::Urls(_), _) => Controls { answers: true, ..Controls::default() },
        }
    }

    /// Starts the target, or finds it; what it keeps on disk goes into `folder`.
    pub(crate) async fn start(&self, folder: PathBuf) -> Result<(Arc<Cluster>, Option<Power>), Stop> {
        let nodes = self.nodes();
        match self {
            Self::Control => {
                let dialect = Dialect::PLAIN;
                let readable = (0..nodes.len()).collect();
                Ok((
                    Arc::new(Cluster { nodes, readable, dialect, way: Way::Memory(SingleCopy::default()) }),
                    None,
                ))
            }
            Self::Urls(urls) => Ok((Arc::new(find(nodes, urls).await?), None)),
            Self::Reference(spec) => start_reference(spec, nodes, folder).await,
        }
    }
}

/// A, B, … Z, N27, N28, …
fn node_name(index: usize) -> NodeName {
    match u8::try_from(index).ok().filter(|index| *index < 26) {
        Some(index) => NodeName::from(char::from(b'A' + index).to_string()),
        None => NodeName::from(format!("N{}", index + 1)),
    }
}

async fn start_reference(
    spec: &ReferenceSpec,
    nodes: Vec<NodeName>,
    folder: PathBuf,
) -> Result<(Arc<Cluster>, Option<Power>), Stop> {
    let (supervisor, exits) = Supervisor::new();
    let mesh = Mesh::new();
    let started = processes::start(spec, &nodes, &mesh, &supervisor, &folder).await?;
    let url = |address: &SocketAddr| format!("http://{address}");
    let way = Way::Http {
        addresses: started.proxied.iter().map(|from_here| from_here.iter().map(url).collect()).collect(),
        direct: http_client(LOOK_TIMEOUT.into()).map_err(anyhow::Error::from)?,
        direct_addresses: started.clients.iter().map(url).collect(),
        compares: true,
    };
    let clients = nodes.iter().cloned().zip(started.clients).collect();
    let peers = nodes.iter().cloned().zip(started.peers).collect();
    let data = nodes.iter().cloned().zip(started.data).collect();
    let readable = (0..nodes.len()).filter(|node| spec.holds_data(&nodes[*node])).collect();
    let cluster = Cluster { nodes, readable, dialect: Dialect::of(spec.mode), way };
    Ok((Arc::new(cluster), Some(Power { hands: Hands { mesh, supervisor, clients, peers, data }, exits })))
}

/// How long a look at a node may take.
const LOOK_TIMEOUT: Nanos = Nanos::from_millis(500);

/// Finds a store that runs already: any answer at all shows that it is there.
async fn find(nodes: Vec<NodeName>, urls: &[String]) -> Result<Cluster, Stop> {
    let http = http_client(Nanos::from_millis(3000).into()).map_err(anyhow::Error::from)?;
    let mut dialect = Dialect::PLAIN;
    let mut compares = true;
    for url in urls {
        let answer = http.get(format!("{url}/v1/status")).send().await.map_err(|error| {
            let reason = if error.is_timeout() { "no answer within 3 s" } else { "no connection" };
            Stop::unavailable(format!(
                "{url}: {reason}; start the store there, or give the address where it listens"
            ))
        })?;
        match answer.json::<Status>().await {
            Ok(status) => dialect = Dialect::of(status.mode.parse().map_err(Stop::unavailable)?),
            Err(_) => compares = false,
        }
    }
    let direct = http_client(LOOK_TIMEOUT.into()).map_err(anyhow::Error::from)?;
    let (addresses, direct_addresses) = (vec![urls.to_vec(); urls.len()], urls.to_vec());
    let readable = (0..nodes.len()).collect();
    Ok(Cluster { nodes, readable, dialect, way: Way::Http { addresses, direct, direct_addresses, compares } })
}

#[derive(Deserialize)]
struct Status {
    mode: String,
}

/// What two nodes must have in common to be equal: what they hold, and what they have heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Digest {
    hash: String,
    applied: BTreeMap<String, serde_json::Value>,
}

/// What a look at all nodes found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Replicas {
    /// All hold the same.
    Equal(Digest),
    /// Some hold something else, or some do not answer.
    Different,
}

impl Cluster {
    pub(crate) fn nodes(&self) -> &[NodeName] {
        &self.nodes
    }

    /// The nodes that hold data, by number.
    pub(crate) fn readable(&self) -> &[usize] {
        &self.readable
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The connection of a new session, of a client who lives where node `home` is; with tokens it carries what it has seen.
    pub(crate) fn client(&self, home: usize, tokens: bool, timeout: Nanos) -> Client {
        match &self.way {
            Way::Memory(copy) => Client::Control(ControlClient::new(copy.clone())),
            Way::Http { addresses, .. } => {
                let addresses = addresses[home % addresses.len()].clone();
                Client::Reference(ReferenceClient::new(addresses, self.dialect, tokens, timeout.into()))
            }
        }
    }

    /// Whether all nodes hold the same now; a store that does not say is taken to differ.
    pub(crate) async fn compare(&self) -> Replicas {
        match &self.way {
            Way::Memory(_) => Replicas::Equal(Digest::default()),
            Way::Http { compares: false, .. } => Replicas::Different,
            Way::Http { direct, direct_addresses, .. } => {
                let mut digests = Vec::new();
                for address in self.readable.iter().map(|node| &direct_addresses[*node]) {
                    let Some(digest) = look(direct, address).await else { return Replicas::Different };
                    digests.push(digest);
                }
                match digests.as_slice() {
                    [first, others @ ..] if others.iter().all(|other| other == first) => {
                        Replicas::Equal(first.clone())
                    }
                    _ => Replicas::Different,
                }
            }
        }
    }
}

async fn look(http: &reqwest::Client, address: &str) -> Option<Digest> {
    http.get(format!("{address}/v1/digest")).send().await.ok()?.json().await.ok()
}
