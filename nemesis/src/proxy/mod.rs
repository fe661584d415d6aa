//! The proxy: every connection between nodes, and from clients to nodes, goes through this process,
//! so that links can be cut and slowed without privileges and without touching the system's network.
//!
//! ```text
//!            proxied connection, opened by A to B
//!   A ──request bytes──►  gate of link A→B  ──►  B        cut A→B: requests of A wait, and so do
//!   A ◄──  gate of link B→A  ◄──response bytes── B                 A's answers to B (the other proxy)
//! ```
//!
//! There is one listener a directed pair (who opens, who accepts). Both halves of a connection pass the
//! gate of their own direction, so cutting X→Y stalls one half in the proxy that X opens to Y and one
//! half in the proxy that Y opens to X.
//!
//! What a cut does is what TCP would do while packets are lost and sent again: no byte passes, nothing
//! is lost or reordered, and what was sent arrives after the heal, also if the sender has closed
//! meanwhile. A late request really takes effect late. Back-pressure bounds what is held: 16 KiB here
//! and the rest in the kernel's socket buffers; 1 MiB here on a slow link.
//!
//! # What a caller can conclude
//!
//! The upstream is connected before one byte of the caller is read. If it refuses, the caller's
//! connection is reset: the store saw nothing. But the caller's own system had already accepted the
//! connection, so a caller sees *connected, then reset*, which looks the same as a node that died after
//! reading the request. **A reset without an answer is therefore unknown for a write**, and never
//! proves that nothing happened. During a cut a new connection is accepted and stays silent: it looks
//! like a connection whose packets are lost, and ends in the caller's own timeout. It is connected onward
//! after the heal even if the caller has given up, and what the caller wrote is then delivered: a late
//! request is no rarity under a proxy, and a store must bear it.
//!
//! Limits: a link ends where TCP ends; loss, duplication and reordering of packets do not exist here.
//! What had passed the gate before the cut and lies unread in the receiver's socket still arrives. If
//! a sender *resets* its connection during a cut, at most the 16 KiB that were read before arrive.

mod link;
mod mesh;
mod relay;

pub use link::{Carried, Latency};
pub use mesh::{Far, Mesh};
