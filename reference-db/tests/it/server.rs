//! Three nodes on real sockets and real files.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reference_db::ack::OnAckTimeout;
use reference_db::server::{Running, ServerConfig, serve_on};
use reference_db::{
    AckPolicy, AckSettings, ClusterSettings, Mode, Nanos, NodeConfig, NodeName, NodeSettings,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// Nodes on free ports, each with a directory of its own.
struct Cluster {
    client: Client,
    directory: TempDir,
    names: Vec<NodeName>,
    peers: BTreeMap<NodeName, String>,
    shape: ClusterSettings,
    nodes: BTreeMap<NodeName, Running>,
}

impl Cluster {
    async fn start(mode: Mode) -> Cluster {
        Cluster::of(ClusterSettings { mode, ..ClusterSettings::default() }).await
    }

    async fn of(shape: ClusterSettings) -> Cluster {
        let names: Vec<NodeName> = ["A", "B", "C"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let mut listeners = BTreeMap::new();
        let mut peers = BTreeMap::new();
        for name in &names {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            peers.insert(*name, listener.local_addr().unwrap().to_string());
            listeners.insert(*name, listener);
        }
        let mut cluster = Cluster { names, peers, shape, ..Cluster::empty() };
        for (name, listener) in listeners {
            cluster.serve(name, listener).await;
        }
        cluster.until_ready().await;
        cluster
    }

    /// Nobody yet.
    fn empty() -> Cluster {
        let client = Client::builder().no_proxy().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let shape = ClusterSettings::default();
        Cluster {
            client,
            directory,
            names: Vec::new(),
            peers: BTreeMap::new(),
            shape,
            nodes: BTreeMap::new(),
        }
    }

    async fn serve(&mut self, name: NodeName, peer: TcpListener) {
        let config = server_config(self, name, self.directory.path());
        let client = TcpListener::bind(config.client_address).await.unwrap();
        self.nodes.insert(name, serve_on(config, client, peer).await.unwrap());
    }

    async fn stop(&mut self, name: &str) {
        let node = self.nodes.remove(&NodeName::new(name).unwrap()).unwrap();
        node.shutdown().await.unwrap();
    }

    async fn restart(&mut self, name: &str) {
        let name = NodeName::new(name).unwrap();
        let listener = TcpListener::bind(&self.peers[&name]).await.unwrap();
        self.serve(name, listener).await;
        self.until_ready().await;
    }

    fn url(&self, node: &str, path: &str) -> String {
        let node = &self.nodes[&NodeName::new(node).unwrap()];
        format!("http://{}{path}", node.client_address())
    }

    async fn get(&self, node: &str, path: &str) -> Response {
        self.client.get(self.url(node, path)).send().await.unwrap()
    }

    async fn put(&self, node: &str, key: &str, value: Value) -> Response {
        let url = self.url(node, &format!("/v1/kv/{key}"));
        self.client.put(url).body(json!({ "value": value }).to_string()).send().await.unwrap()
    }

    async fn until_ready(&self) {
        for name in self.nodes.keys() {
            self.until(|| async { self.get(name.as_str(), "/readyz").await.status() == StatusCode::OK })
                .await;
        }
    }

    /// Polls until all nodes hold the same, and as much as each other.
    async fn until_equal(&self) {
        self.until(|| async {
            let mut digests = Vec::new();
            for name in self.nodes.keys() {
                let digest = json(self.get(name.as_str(), "/v1/digest").await).await;
                digests.push((digest["applied"].clone(), digest["hash"].clone()));
            }
            digests.windows(2).all(|pair| pair[0] == pair[1])
        })
        .await;
    }

    async fn until<F: Future<Output = bool>>(&self, is_so: impl Fn() -> F) {
        let polling = async {
            while !is_so().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), polling).await.expect("it never came about");
    }
}

fn server_config(cluster: &Cluster, name: NodeName, directory: &Path) -> ServerConfig {
    let shape = cluster.shape.clone();
    let settings = NodeSettings { cluster: shape, ..NodeSettings::new(name, cluster.names.clone()) };
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    ServerConfig {
        clients: BTreeMap::new(),
        node: NodeConfig::new(settings).unwrap(),
        peers: cluster.peers.clone(),
        data_dir: directory.join(name.as_str()),
        client_address: any,
        peer_address: any,
    }
}

async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn what_one_node_takes_all_hold() {
    let cluster = Cluster::start(Mode::Lww).await;
    let response = cluster.put("A", "x", json!([1, 2])).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "refdb-outcome"), "applied");
    let dot = header(&response, "refdb-dot").to_owned();
    cluster.until_equal().await;
    for node in ["A", "B", "C"] {
        let body = json(cluster.get(node, "/v1/kv/x").await).await;
        assert_eq!(body, json!({ "key": "x", "value": [1, 2], "version": dot, "context": "" }));
    }
}

#[tokio::test]
async fn a_node_that_was_away_catches_up_and_keeps_its_own() {
    let mut cluster = Cluster::start(Mode::Siblings).await;
    cluster.put("C", "own", json!("before")).await;
    cluster.stop("C").await;
    for number in 0..300 {
        cluster.put("A", &format!("k{number}"), json!(number)).await;
    }
    cluster.restart("C").await;
    cluster.until_equal().await;
    assert_eq!(json(cluster.get("C", "/v1/kv/own").await).await["value"], "before");
    assert_eq!(json(cluster.get("C", "/v1/keys").await).await["keys"].as_array().unwrap().len(), 301);
}

#[tokio::test]
async fn a_node_that_lost_its_disk_gets_its_own_back() {
    let mut cluster = Cluster::start(Mode::Lww).await;
    let first = header(&cluster.put("C", "own", json!(1)).await, "refdb-dot").to_owned();
    cluster.until_equal().await;
    cluster.stop("C").await;
    std::fs::remove_dir_all(cluster.directory.path().join("C")).unwrap();
    cluster.restart("C").await;
    cluster.until_equal().await;
    assert_eq!(json(cluster.get("C", "/v1/kv/own").await).await["version"], first.as_str());
    let second = header(&cluster.put("C", "own", json!(2)).await, "refdb-dot").to_owned();
    assert_ne!(first, second);
    cluster.until_equal().await;
    assert_eq!(json(cluster.get("A", "/v1/kv/own").await).await["value"], 2);
}

#[tokio::test]
async fn followers_forward_and_say_when_they_cannot() {
    let mut cluster = Cluster::start(Mode::SingleLeader).await;
    let response = cluster.put("B", "x", json!(1)).await;
    assert_eq!((response.status(), header(&response, "refdb-outcome")), (StatusCode::OK, "applied"));
    assert!(header(&response, "refdb-dot").starts_with("A."));
    assert_eq!(json(cluster.get("C", "/v1/kv/x").await).await["value"], 1);
    cluster.until_equal().await;
    cluster.stop("A").await;
    let response = cluster.put("B", "x", json!(2)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&response, "refdb-outcome"), "unknown");
    let response = cluster.get("B", "/v1/kv/x").await;
    assert_eq!(header(&response, "refdb-outcome"), "not-applied");
    let response = cluster.get("B", "/v1/kv/x?consistency=local").await;
    assert_eq!(json(response).await["value"], 1);
}

#[tokio::test]
async fn a_directory_of_another_node_is_refused() {
    let mut cluster = Cluster::start(Mode::Lww).await;
    cluster.stop("B").await;
    let directory = cluster.directory.path();
    std::fs::rename(directory.join("B"), directory.join("moved")).unwrap();
    std::fs::create_dir(directory.join("other")).unwrap();
    std::fs::rename(directory.join("moved"), directory.join("other/C")).unwrap();
    let config = server_config(&cluster, NodeName::new("C").unwrap(), &directory.join("other"));
    let error = reference_db::server::serve(config).await.unwrap_err().to_string();
    assert_eq!(error, "store belongs to node B, not to C: give each node a directory of its own");
}

/// A link that can be cut: it then still takes connections and bytes, and carries nothing.
struct Link {
    address: String,
    cut: tokio::sync::watch::Sender<bool>,
}

impl Link {
    async fn to(target: String) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (cut, is_cut) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), is_cut.clone()));
            }
        });
        Link { address, cut }
    }
}

/// Carries bytes both ways until the link is cut; what was open then never carries anything again.
async fn carry(mut near: TcpStream, target: String, mut is_cut: tokio::sync::watch::Receiver<bool>) {
    if *is_cut.borrow() {
        return swallow(near).await;
    }
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        () = until_cut(&mut is_cut) => swallow(near).await,
    }
}

async fn until_cut(is_cut: &mut tokio::sync::watch::Receiver<bool>) {
    drop(is_cut.wait_for(|cut| *cut).await);
}

async fn swallow(mut near: TcpStream) {
    // Ends when the other side gives up.
    drop(tokio::io::copy(&mut near, &mut tokio::io::sink()).await);
}

#[tokio::test]
async fn replication_goes_on_after_a_link_that_carried_nothing() {
    let mut cluster = Cluster::empty();
    let (a, b) = (NodeName::new("A").unwrap(), NodeName::new("B").unwrap());
    let listeners =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let link = Link::to(listeners[1].local_addr().unwrap().to_string()).await;
    cluster.peers = [(a, listeners[0].local_addr().unwrap().to_string()), (b, link.address.clone())].into();
    cluster.names = vec![a, b];
    for (name, listener) in [a, b].into_iter().zip(listeners) {
        cluster.serve(name, listener).await;
    }
    cluster.put("A", "x", json!(1)).await;
    cluster.until_equal().await;
    link.cut.send_replace(true);
    for number in 0..20 {
        assert_eq!(cluster.put("A", "x", json!(number)).await.status(), StatusCode::OK);
    }
    assert_eq!(json(cluster.get("B", "/v1/kv/x").await).await["value"], 1);
    link.cut.send_replace(false);
    cluster.until_equal().await;
    assert_eq!(json(cluster.get("B", "/v1/kv/x").await).await["value"], 19);
}

#[tokio::test]
async fn a_write_waits_for_who_must_have_it_and_says_who_has_it() {
    let ack = AckSettings {
        policy: AckPolicy::All,
        timeout: Some(Nanos::from_millis(300)),
        on_timeout: Some(OnAckTimeout::Fail),
        ..AckSettings::default()
    };
    let mode = Mode::SingleLeader;
    let mut cluster = Cluster::of(ClusterSettings { mode, ack, ..ClusterSettings::default() }).await;
    let written = cluster.put("B", "x", json!(1)).await;
    assert_eq!((written.status(), header(&written, "refdb-acked-by")), (StatusCode::OK, "A,B,C"));
    cluster.stop("C").await;
    let unknown = cluster.put("A", "x", json!(2)).await;
    assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&unknown, "refdb-outcome"), "unknown");
    cluster.restart("C").await;
    let written = cluster.put("A", "x", json!(3)).await;
    assert_eq!((written.status(), header(&written, "refdb-acked-by")), (StatusCode::OK, "A,B,C"));
}
