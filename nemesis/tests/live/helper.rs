//! Helpers: this test program again, as a child in a role of its own.
//!
//! ```text
//! test ──starts──► role "node"     connects back, says "B 40123", answers GETs on that port
//!                  role "harness"  supervises two nodes and waits to be killed
//! ```
//!
//! A node keeps its connection to the test open while it lives, so that its end is an event: end of
//! file.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use histories::NodeName;
use nemesis::process::exit_with_parent;
use nemesis::{CommandSpec, Supervisor};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const ROLE: &str = "NEMESIS_TEST_ROLE";
const CALL_BACK: &str = "NEMESIS_TEST_CALL_BACK";

/// Nothing here is slow; what takes this long has failed.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(15), future).await.expect("it took more than 15 s")
}

pub(crate) fn name(name: &str) -> NodeName {
    NodeName::from(name)
}

/// How to start this program in a role.
pub(crate) fn command(role: &str, folder: &Path, call_back: SocketAddr) -> CommandSpec {
    let args = ["--exact", "helper::role", "--nocapture"].map(str::to_owned).to_vec();
    let env =
        BTreeMap::from([(ROLE.to_owned(), role.to_owned()), (CALL_BACK.to_owned(), call_back.to_string())]);
    let log = folder.join(format!("{}.log", role.replace(' ', "-")));
    CommandSpec { program: std::env::current_exe().unwrap(), args, env, log }
}

/// A node that called back.
pub(crate) struct Called {
    pub(crate) node: String,
    pub(crate) address: SocketAddr,
    line: BufReader<TcpStream>,
}

impl Called {
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        soon(Self::accept_one(listener)).await
    }

    /// Waits as long as it takes.
    pub(crate) async fn accept_one(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut line = BufReader::new(stream);
        let mut said = String::new();
        soon(line.read_line(&mut said)).await.unwrap();
        let (node, address) = said.trim().split_once(' ').unwrap();
        Self { node: node.to_owned(), address: address.parse().unwrap(), line }
    }

    /// Sends one byte and waits for one.
    pub(crate) async fn order(&mut self) {
        self.line.get_mut().write_all(b"?").await.unwrap();
        soon(self.line.read_u8()).await.unwrap();
    }

    /// Waits until the node is gone.
    pub(crate) async fn end(mut self) {
        let mut rest = Vec::new();
        // A killed process may reset its connections.
        drop(soon(self.line.read_to_end(&mut rest)).await);
    }
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A child's `main`; does nothing in the test program itself.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let call_back: SocketAddr = std::env::var(CALL_BACK).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    match role.split_once(' ') {
        Some(("node", node)) => {
            assert!(exit_with_parent(), "no supervisor started this node");
            runtime.block_on(be_node(node, call_back));
        }
        Some(("fail", words)) => {
            println!("\n{words}");
            std::process::exit(3);
        }
        Some(("harness", folder)) => runtime.block_on(be_harness(Path::new(folder), call_back)),
        Some(_) | None => panic!("no role is called {role}"),
    }
}

async fn be_node(node: &str, call_back: SocketAddr) {
    let (listener, address) = listen().await;
    let mut line = TcpStream::connect(call_back).await.unwrap();
    line.write_all(format!("{node} {address}\n").as_bytes()).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(stream));
    }
}

pub(crate) async fn answer(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    while let Ok(1..) = stream.read(&mut buffer).await {
        let reply = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(reply).await.is_err() {
            return;
        }
    }
}

async fn be_harness(folder: &Path, call_back: SocketAddr) {
    let (supervisor, _exits) = Supervisor::new();
    for node in ["A", "B"] {
        supervisor.start(name(node), command(&format!("node {node}"), folder, call_back)).await.unwrap();
    }
    // The test says when to pause B, and then kills this process.
    let mut orders = TcpStream::connect(call_back).await.unwrap();
    orders.write_all(b"harness 127.0.0.1:1\n").await.unwrap();
    let mut order = [0; 1];
    orders.read_exact(&mut order).await.unwrap();
    supervisor.pause(&name("B")).await.unwrap();
    assert_eq!(supervisor.is_stopped(&name("B")), Some(true));
    orders.write_all(b"!").await.unwrap();
    std::future::pending::<()>().await;
}
