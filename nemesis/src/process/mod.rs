//! Processes: nodes as children that can be killed, started again, stopped and continued, and that
//! never outlive the harness.
//!
//! ```text
//!   harness ──stdin pipe──► node            harness dies, however (kill -9 too):
//!      │                                     1. the kernel sends SIGKILL to the node (Linux; stopped nodes too)
//!      └─ one thread forks all nodes         2. the node reads end-of-file on stdin and exits (everywhere)
//! ```
//!
//! Both need the child to call [`exit_with_parent`] first thing in its `main`. The parent-death signal
//! fires when the *thread* that forked ends, so all children are forked by one thread that lives as
//! long as the process.
//!
//! Limits: a program that is not ours calls nothing; it gets the end-of-file only. Outside Linux a
//! node that is stopped while the harness is killed lives on until somebody continues it.

mod child;
mod files;
mod keeper;
mod spawner;
mod supervisor;

pub use child::exit_with_parent;
pub use files::raise_file_limit;
pub use supervisor::{CommandSpec, ProcessState, Supervisor};
