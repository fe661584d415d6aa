//! Links: what is carried, cut, held, delayed, refused and counted.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use nemesis::{Carried, Endpoint, Latency, Mesh};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::helper::{listen, name, soon};

/// A link that A opens to B, and the listener of B behind it.
struct Pair {
    mesh: Mesh,
    upstream: TcpListener,
    proxy: SocketAddr,
    a: Endpoint,
    b: Endpoint,
}

impl Pair {
    async fn new() -> Self {
        let mesh = Mesh::new();
        let (upstream, address) = listen().await;
        let proxy = mesh.link(name("A"), name("B"), address).await.unwrap();
        Self { mesh, upstream, proxy, a: name("A").into(), b: name("B").into() }
    }

    /// A's side and B's side of a new connection.
    async fn connect(&self) -> (TcpStream, TcpStream) {
        let (a, b) = tokio::join!(TcpStream::connect(self.proxy), self.upstream.accept());
        (a.unwrap(), b.unwrap().0)
    }
}

/// Silence cannot be waited for, only watched for a while.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(50), stream.read_u8()).await.is_err()
}

async fn read_text(stream: &mut TcpStream, length: usize) -> String {
    let mut buffer = vec![0; length];
    soon(stream.read_exact(&mut buffer)).await.unwrap();
    String::from_utf8(buffer).unwrap()
}

#[tokio::test]
async fn both_directions_are_carried_and_counted() {
    let pair = Pair::new().await;
    let (mut a, mut b) = pair.connect().await;
    a.write_all(b"question").await.unwrap();
    assert_eq!(read_text(&mut b, 8).await, "question");
    b.write_all(b"yes").await.unwrap();
    assert_eq!(read_text(&mut a, 3).await, "yes");
    assert_eq!(pair.mesh.carried(&pair.a, &pair.b), Carried { bytes: 8, connections: 1 });
    assert_eq!(pair.mesh.carried(&pair.b, &pair.a), Carried { bytes: 3, connections: 0 });
    // Each side ends for itself.
    a.shutdown().await.unwrap();
    assert_eq!(soon(b.read(&mut [0; 1])).await.unwrap(), 0);
    b.write_all(b"bye").await.unwrap();
    drop(b);
    assert_eq!(read_text(&mut a, 3).await, "bye");
    assert_eq!(soon(a.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_late_request_arrives_after_the_heal_though_its_sender_is_gone() {
    let pair = Pair::new().await;
    let (mut a, mut b) = pair.connect().await;
    pair.mesh.cut(&pair.a, &pair.b);
    a.write_all(b"late").await.unwrap();
    drop(a);
    assert!(is_silent(&mut b).await);
    assert_eq!(pair.mesh.carried(&pair.a, &pair.b).bytes, 0);
    pair.mesh.restore(&pair.a, &pair.b);
    assert_eq!(read_text(&mut b, 4).await, "late");
    assert_eq!(soon(b.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_cut_of_one_direction_leaves_the_other() {
    let pair = Pair::new().await;
    let (mut a, mut b) = pair.connect().await;
    pair.mesh.cut(&pair.b, &pair.a);
    a.write_all(b"question").await.unwrap();
    assert_eq!(read_text(&mut b, 8).await, "question");
    b.write_all(b"answer").await.unwrap();
    assert!(is_silent(&mut a).await);
    pair.mesh.restore(&pair.b, &pair.a);
    assert_eq!(read_text(&mut a, 6).await, "answer");
}

#[tokio::test]
async fn a_connection_during_a_cut_waits_for_both_directions() {
    let pair = Pair::new().await;
    pair.mesh.cut(&pair.a, &pair.b);
    pair.mesh.cut(&pair.b, &pair.a);
    let mut a = TcpStream::connect(pair.proxy).await.unwrap();
    a.write_all(b"hello").await.unwrap();
    assert!(timeout(Duration::from_millis(30), pair.upstream.accept()).await.is_err());
    pair.mesh.restore(&pair.a, &pair.b);
    assert!(timeout(Duration::from_millis(30), pair.upstream.accept()).await.is_err());
    pair.mesh.restore(&pair.b, &pair.a);
    let (mut b, _) = soon(pair.upstream.accept()).await.unwrap();
    assert_eq!(read_text(&mut b, 5).await, "hello");
}

#[tokio::test]
async fn what_is_held_is_bounded_and_complete() {
    let pair = Pair::new().await;
    let (mut a, mut b) = pair.connect().await;
    pair.mesh.cut(&pair.a, &pair.b);
    let sent: Vec<u8> = (0..32_000_000_u32).map(|index| (index % 251) as u8).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move { a.write_all(&sent).await.unwrap() });
    assert!(is_silent(&mut b).await);
    assert!(!writing.is_finished(), "32 MB were swallowed while the link was cut");
    pair.mesh.restore(&pair.a, &pair.b);
    let mut received = Vec::new();
    soon(b.read_to_end(&mut received)).await.unwrap();
    assert!(received == expected, "what arrived is not what was sent");
    writing.await.unwrap();
}

#[tokio::test]
async fn not_one_byte_passes_once_a_cut_returned() {
    let pair = Pair::new().await;
    let mut writers = tokio::task::JoinSet::new();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (mut a, mut b) = pair.connect().await;
        writers.spawn(async move { while a.write_all(&[1; 100]).await.is_ok() {} });
        readers.spawn(async move { while b.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} });
    }
    for _ in 0..20 {
        pair.mesh.cut(&pair.a, &pair.b);
        let carried = pair.mesh.carried(&pair.a, &pair.b).bytes;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pair.mesh.carried(&pair.a, &pair.b).bytes, carried);
        pair.mesh.restore(&pair.a, &pair.b);
        let more = async {
            while pair.mesh.carried(&pair.a, &pair.b).bytes == carried {
                tokio::task::yield_now().await;
            }
        };
        soon(more).await;
    }
}

#[tokio::test]
async fn a_dead_node_resets_its_callers() {
    let pair = Pair::new().await;
    let Pair { upstream, proxy, mesh, .. } = pair;
    drop(upstream);
    let mut a = TcpStream::connect(proxy).await.unwrap();
    let error = soon(a.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(mesh.carried(&name("A").into(), &name("B").into()), Carried::default());
    // It comes back elsewhere.
    let (upstream, address) = listen().await;
    mesh.set_upstream(&name("B"), address);
    let (a, b) = tokio::join!(TcpStream::connect(proxy), soon(upstream.accept()));
    a.unwrap().write_all(b"hello").await.unwrap();
    assert_eq!(read_text(&mut b.unwrap().0, 5).await, "hello");
}

#[tokio::test]
async fn a_reset_is_passed_on_as_a_reset() {
    let pair = Pair::new().await;
    let (mut a, b) = pair.connect().await;
    b.set_zero_linger().unwrap();
    drop(b);
    assert_eq!(soon(a.read_u8()).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_slow_link_delivers_late_in_order_and_all() {
    let pair = Pair::new().await;
    let (mut a, mut b) = pair.connect().await;
    let millis = Duration::from_millis;
    pair.mesh.slow(&pair.a, &pair.b, Latency { mean: millis(200), jitter: millis(40) });
    a.write_all(b"first").await.unwrap();
    // The earliest that it may arrive is 160 ms from now.
    assert!(is_silent(&mut b).await);
    let sent: Vec<u8> = (0..4_000_000_u32).map(|index| (index % 251) as u8).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        a.write_all(&sent).await.unwrap();
        a
    });
    assert_eq!(read_text(&mut b, 5).await, "first");
    let mut received = vec![0; expected.len()];
    soon(b.read_exact(&mut received)).await.unwrap();
    assert!(received == expected, "what arrived is not what was sent");
    pair.mesh.unslow(&pair.a, &pair.b);
    let mut a = writing.await.unwrap();
    a.write_all(b"quick").await.unwrap();
    drop(a);
    assert_eq!(read_text(&mut b, 5).await, "quick");
    assert_eq!(soon(b.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test]
async fn dropping_the_mesh_closes_all() {
    let pair = Pair::new().await;
    let (mut a, _b) = pair.connect().await;
    let Pair { mesh, proxy, .. } = pair;
    drop(mesh);
    assert!(soon(a.read_u8()).await.is_err());
    assert!(TcpStream::connect(proxy).await.is_err());
}
