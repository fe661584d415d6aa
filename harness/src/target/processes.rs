//! The bundled database as processes of its own: one a node, every link through a proxy.
//!
//! ```text
//!   clients ──► proxy clients→A ──► A :client      A ──► proxy A→B ──► B :peer
//! ```
//!
//! Ports are below the range that the system hands out for outgoing connections, and stay the same
//! when a node is started again.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use histories::NodeName;
use nemesis::Endpoint;
use nemesis::process::{CommandSpec, Supervisor};
use nemesis::proxy::{Far, Latency, Mesh};

use reference_db::SETTINGS;
use reference_db::server::Skew;

use super::ReferenceSpec;
use crate::exit::Stop;

/// Where the nodes that were started can be reached.
pub(crate) struct Started {
    /// Where each node takes clients.
    pub(crate) clients: Vec<SocketAddr>,
    /// The same through the proxies, for clients who live where each node is.
    pub(crate) proxied: Vec<Vec<SocketAddr>>,
    /// Where each node takes messages of others.
    pub(crate) peers: Vec<SocketAddr>,
    /// Where each node keeps what it stores.
    pub(crate) data: Vec<PathBuf>,
}

/// How one node is started.
pub(crate) struct NodeCommand<'a> {
    pub(crate) spec: &'a ReferenceSpec,
    pub(crate) name: &'a NodeName,
    /// Where this node finds every member, itself included.
    pub(crate) members: Vec<(NodeName, SocketAddr)>,
    /// Where clients find every member, as far as they may be sent there.
    pub(crate) clients: Vec<(NodeName, SocketAddr)>,
    pub(crate) client: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) log: PathBuf,
}

impl NodeCommand<'_> {
    pub(crate) fn spec(&self) -> Result<CommandSpec, Stop> {
        let list = |nodes: &[(NodeName, SocketAddr)]| {
            let nodes: Vec<String> =
                nodes.iter().map(|(name, address)| format!("{name}={address}")).collect();
            nodes.join(",")
        };
        let args = [
            ("--name", self.name.to_string()),
            ("--members", list(&self.members)),
            ("--clients", list(&self.clients)),
            ("--data", self.data.display().to_string()),
            ("--client-address", self.client.to_string()),
            ("--peer-address", self.peer.to_string()),
        ];
        let said = SETTINGS
            .iter()
            .filter_map(|setting| Some(format!("{}={}", setting.name, setting.show(&self.spec.cluster)?)));
        let args = args.into_iter().chain(said.map(|said| ("--set", said)));
        let args = args.flat_map(|(flag, value)| [flag.to_string(), value]);
        Ok(CommandSpec {
            program: std::env::current_exe().map_err(anyhow::Error::from)?,
            args: std::iter::once("node".to_string()).chain(args).collect(),
            env: BTreeMap::new(),
            log: self.log.clone(),
        })
    }
}

/// Starts all nodes behind proxies and waits until they are ready.
pub(crate) async fn start(
    spec: &ReferenceSpec,
    nodes: &[NodeName],
    mesh: &Mesh,
    supervisor: &Supervisor,
    folder: &Path,
) -> Result<Started, Stop> {
    let ports = free_ports(nodes.len() * 2)?;
    let (clients, peers) = ports.split_at(nodes.len());
    for name in nodes {
        let data = folder.join(name.as_str());
        std::fs::create_dir_all(&data).map_err(Stop::cannot_write)?;
    }
    let proxied = proxied(spec, nodes, mesh, clients).await?;
    for (index, name) in nodes.iter().enumerate() {
        let mut members = Vec::new();
        for (other, peer) in nodes.iter().zip(peers) {
            let address = if other == name {
                *peer
            } else {
                let far = far(spec, name, other);
                mesh.link_far(name.clone(), other.clone(), *peer, far).await.map_err(anyhow::Error::from)?
            };
            members.push((other.clone(), address));
        }
        tracing::info!(node = %name, client = %clients[index], peer = %peers[index], "node starts");
        let command = NodeCommand {
            spec,
            name,
            members,
            clients: nodes.iter().cloned().zip(proxied[index].clone()).collect(),
            client: clients[index],
            peer: peers[index],
            data: folder.join(name.as_str()),
            log: folder.join(format!("{name}.log")),
        };
        supervisor.start(name.clone(), command.spec()?).await.map_err(Stop::unavailable)?;
    }
    for (name, client) in nodes.iter().zip(clients) {
        wait_until_ready(name, *client, supervisor).await?;
    }
    let data = nodes.iter().map(|name| folder.join(name.as_str())).collect();
    Ok(Started { clients: clients.to_vec(), proxied, peers: peers.to_vec(), data })
}

/// Listeners for clients: one for each node and each region that clients live in.
async fn proxied(
    spec: &ReferenceSpec,
    nodes: &[NodeName],
    mesh: &Mesh,
    clients: &[SocketAddr],
) -> Result<Vec<Vec<SocketAddr>>, Stop> {
    let (mut from_each, mut by_place) = (Vec::new(), BTreeMap::new());
    for home in nodes {
        let place = place(spec, home);
        if !by_place.contains_key(&place) {
            let mut addresses = Vec::new();
            for (node, client) in nodes.iter().zip(clients) {
                let far = Far { place: place.clone(), ..far(spec, home, node) };
                let link = mesh.link_far(Endpoint::Clients, node.clone(), *client, far).await;
                addresses.push(link.map_err(anyhow::Error::from)?);
            }
            by_place.insert(place.clone(), addresses);
        }
        from_each.push(by_place[&place].clone());
    }
    Ok(from_each)
}

/// The region in which a node is, if that makes a difference.
fn place(spec: &ReferenceSpec, node: &NodeName) -> String {
    let name = reference_db::NodeName::new(node.as_str()).ok();
    let region = name.and_then(|name| spec.regions.of(name));
    region.map(|region| region.name.to_string()).unwrap_or_default()
}

fn far(spec: &ReferenceSpec, from: &NodeName, to: &NodeName) -> Far {
    let latency = |from, to| {
        let distance = spec.distance(from, to)?;
        Some(Latency { mean: distance.mean().into(), jitter: distance.jitter().into() })
    };
    Far { place: String::new(), there: latency(from, to), back: latency(to, from) }
}

/// How long a node may take until it serves clients.
const READY: Duration = Duration::from_secs(20);

/// Waits until the node at `address` says that it is ready.
pub(crate) async fn wait_until_ready(
    name: &NodeName,
    address: SocketAddr,
    supervisor: &Supervisor,
) -> Result<(), Stop> {
    let ready = async {
        while !is_ready(address).await {
            if let Some(nemesis::process::ProcessState::Exited(status)) = supervisor.state(name) {
                return Err(Stop::unavailable(format!("node {name} ended before it was ready ({status})")));
            }
            try_later().await;
        }
        Ok(())
    };
    tokio::time::timeout(READY, ready)
        .await
        .unwrap_or_else(|_| Err(Stop::unavailable(format!("node {name} was not ready within 20 s"))))
}

/// Shows the node whose port for peers this is a wrong clock; gives by how many milliseconds it is ahead.
pub(crate) async fn set_clock(peer: SocketAddr, skew: Skew) -> Result<i64, String> {
    let set = async {
        let http = crate::client::reference::http_client(Duration::from_secs(2))?;
        let body = serde_json::to_vec(&skew).unwrap_or_default();
        let answer = http.post(format!("http://{peer}/test/v1/clock")).body(body).send().await?;
        answer.error_for_status()?.text().await
    };
    let said = set.await.map_err(|error| format!("its clock could not be set: {error}"))?;
    said.parse().map_err(|_| format!("its clock was set, and it said {said:?}"))
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(http) = crate::client::reference::http_client(Duration::from_millis(500)) else { return false };
    let answer = http.get(format!("http://{address}/readyz")).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

#[expect(clippy::disallowed_methods, reason = "a process that starts does not say when it listens")]
async fn try_later() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// Below the ports that Linux (32768) and macOS (49152) give to outgoing connections.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Ports on loopback that nobody listens on, in order.
fn free_ports(count: usize) -> Result<Vec<SocketAddr>, Stop> {
    // Two runs that begin at once should not try the same ports in the same order.
    let span = u32::from(PORTS.end - PORTS.start);
    let offset = u16::try_from(std::process::id().wrapping_mul(127) % span).unwrap_or(0);
    let candidates =
        (0..PORTS.end - PORTS.start).map(|step| PORTS.start + (offset + step) % (PORTS.end - PORTS.start));
    let mut free = Vec::new();
    for port in candidates {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            free.push(address);
        }
        if free.len() == count {
            return Ok(free);
        }
    }
    Err(Stop::unavailable(format!(
        "{count} free ports from {} to {} are needed on 127.0.0.1",
        PORTS.start, PORTS.end
    )))
}
