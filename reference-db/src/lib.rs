//! The reference database: a multi-leader replicated key-value store, built to be tested.
//!
//! Its core does no I/O. A [`Node`] is given requests, messages and the time, and says what to persist, whom to answer
//! and what to send. [`server`] hosts one in a process, over HTTP; a simulator hosts thousands in virtual time. It
//! depends on nothing of the project that tests it, and does not know that it is tested.
//!
//! ```text
//!        put x 1                                            get x
//!           │                                                 │
//!        ┌──▼──┐  push [A:1]   ┌─────┐       push [A:1]    ┌──▼──┐
//!        │  A  │──────────────►│  B  │   or: ─────────────►│  C  │      every node takes writes (but with a
//!        └──┬──┘◄──────────────└─────┘                     └─────┘      single leader) and sends them on, later
//!     log on disk   ack {A:1}
//! ```
//!
//! # What can be chosen
//!
//! | | |
//! |---|---|
//! | [`Mode`] | what becomes of concurrent writes: `crdt`, `lww`, `siblings`, `single-leader` |
//! | [`Topology`] | who sends to whom: `all-to-all`, `chain`, `custom`, `ring`, `star`, `tree`, `two-tier` |
//! | [`Delivery`] | in which order events are applied: `arrival`, `causal`, `fifo` |
//! | [`AckPolicy`] | who must have a write before it is confirmed: `all`, `k-of-n`, `leader`, `majority`, `semi-sync`, `tail` |
//! | [`Reads`] | who answers what is read, where there is a single leader: `leader`, `tail` |
//! | [`region::Regions`] | which nodes are close to each other |
//! | [`failover::FailoverSettings`] | who has another node lead, when, which one, and what becomes of the old one |
//! | [`config::Role`] | members without data: witnesses and routers |
//! | [`misdirected::Misdirected`] | what becomes of a request that another node has to answer: `forward`, `redirect`, `reject` |
//! | [`Defect`] | planted bugs, off by default |
//!
//! # Code map
//!
//! | | |
//! |---|---|
//! | [`names`], [`time`], [`clock`] | origins and dots; hybrid time; version vectors and sets of dots |
//! | [`datum`], [`event`], [`record`], [`message`] | values; what travels; what is kept; what nodes say |
//! | [`request`], [`refusal`] | what clients ask and are answered |
//! | [`node`] | the state machine: requests, replication, forwarding |
//! | `conflict`, `datatype` | what a key holds in each mode; counters, sets and lists that merge |
//! | [`settings`], [`config`] | everything that can be chosen, by name; what fits together |
//! | [`topology`], [`delivery`], `log` | where events go, also when that changes; when they are applied, where they are kept |
//! | [`ack`] | how many nodes must have a write before it is confirmed, and what if they do not answer |
//! | [`storage`] | the log on disk |
//! | [`server`] | sockets, threads, the HTTP API |
//!
//! # HTTP, in brief
//!
//! `GET /v1/openapi.json` says it in full.
//!
//! ```text
//! GET    /v1/kv/{key}        200 {key, value, version, context} · 300 {key, siblings, context} · 404 {key, context}
//! PUT    /v1/kv/{key}        {"value": any}                      200 {version, context} · 409 stale If-Match
//! DELETE /v1/kv/{key}                                            200 {version, context}
//! POST   /v1/kv/{key}/ops    {"op": "append", "value": 5}        or increment by, add, remove, cas from to
//! POST   /v1/txn             {"ops": [{"f": "read", "key": "x"}, ...]}    200 committed · 409 aborted
//! PUT    /v1/topology        {"nodes": ["A", "C"]}               links the nodes anew, from now on; GET shows how
//! GET    /v1/keys /v1/digest /v1/status /v1/openapi.json /healthz /readyz
//! ```
//!
//! `If-Match` and `If-None-Match: *` make a write conditional, `RefDB-Context` says what it has seen, and
//! `RefDB-Consistency: local` reads from the node that is asked. Every answer says in `RefDB-Outcome` whether the
//! request took effect: `applied`, `not-applied` or `unknown`; that of a write says in `RefDB-Acked-By` who has it.
//!
//! # Invariants
//!
//! - A node reads no clock, no socket, no file and no randomness, and panics on no input.
//! - The same inputs at the same times give the same outputs.
//! - Nothing is confirmed, acknowledged or sent before it is durable, but by a defect that says so.
//! - A dot names one event for ever, also after a crash or the loss of a disk.
//! - Nodes that have applied the same events hold the same, in whatever order these came.
//! - `not-applied` means that it did not happen and will not.

pub mod ack;
mod choice;
pub mod clock;
pub mod config;
mod conflict;
mod datatype;
pub mod datum;
pub mod defect;
pub mod delivery;
pub mod event;
pub mod failover;
mod log;
pub mod message;
pub mod misdirected;
pub mod mode;
pub mod names;
pub mod node;
pub mod reads;
pub mod record;
pub mod refusal;
pub mod region;
pub mod request;
pub mod server;
pub mod settings;
pub mod storage;
pub mod time;
pub mod topology;

pub use ack::{AckPolicy, AckSettings};
pub use choice::UnknownChoice;
pub use config::{ConfigError, NodeConfig, NodeSettings, Timing};
pub use datum::Datum;
pub use defect::{Defect, Defects};
pub use delivery::Delivery;
pub use event::Key;
pub use message::Message;
pub use mode::Mode;
pub use names::{Dot, NodeName, Origin};
pub use node::{Input, Node, Output, RecoverError, Ticket};
pub use reads::Reads;
pub use record::Record;
pub use refusal::{Outcome, Refusal};
pub use request::{Action, Ask, Condition, Consistency, Request, Response, Step};
pub use settings::{ClusterSettings, SETTINGS, Setting, SettingError};
pub use time::Nanos;
pub use topology::Topology;
