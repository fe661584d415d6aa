//! Storage: where a node's records outlive its process.
//!
//! A host appends the records of a few steps as one batch, makes the batch durable, and only then lets go of what the
//! node said after them. A batch is kept whole or not at all.

mod frame;
mod memory;
mod wal;

use std::io;
use std::path::PathBuf;

use crate::record::Record;

pub use memory::MemoryDisk;
pub use wal::{Recovered, Torn, Wal};

/// Where records go.
pub trait Storage: Send {
    /// Appends a batch. It may be lost in a crash until [`Storage::sync`] has returned.
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError>;

    /// Makes all that was appended durable.
    ///
    /// After an error nobody knows what is on the disk, so the host must stop and recover.
    fn sync(&mut self) -> Result<(), StorageError>;
}

/// Why records cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The operating system says no.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process has the directory.
    #[error("directory {} is in use by another node: stop that one, or take another directory", path.display())]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// A batch is broken, and others follow it: no crash of ours leaves that.
    #[error("log {} is corrupt at byte {offset}: restore it, or start with an empty directory", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// A batch is whole but does not hold records.
    #[error("log {} holds no records of ours at byte {offset}: {source}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
}
