//! Three nodes on real sockets and real files.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reference_db::server::{Running, ServerConfig, serve_on};
use reference_db::{Mode, NodeConfig, NodeName, NodeSettings};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Nodes on free ports, each with a directory of its own.
struct Cluster {
    client: Client,
    directory: TempDir,
    names: Vec<NodeName>,
    peers: BTreeMap<NodeName, String>,
    mode: Mode,
    nodes: BTreeMap<NodeName, Running>,
}

impl Cluster {
    async fn start(mode: Mode) -> Cluster {
        let names: Vec<NodeName> = ["A", "B", "C"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let mut listeners = BTreeMap::new();
        let mut peers = BTreeMap::new();
        for name in &names {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            peers.insert(*name, listener.local_addr().unwrap().to_string());
            listeners.insert(*name, listener);
        }
        let (client, directory) =
            (Client::builder().no_proxy().build().unwrap(), tempfile::tempdir().unwrap());
        let mut cluster = Cluster { client, directory, names, peers, mode, nodes: BTreeMap::new() };
        for (name, listener) in listeners {
            cluster.serve(name, listener).await;
        }
        cluster.until_ready().await;
        cluster
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
    let settings = NodeSettings { mode: cluster.mode, ..NodeSettings::new(name, cluster.names.clone()) };
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    ServerConfig {
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
