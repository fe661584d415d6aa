//! Histories out: a file a format.

use std::io::{self, Write};

use crate::{History, OperationId};

mod edn;
mod jsonl;
mod parquet;
mod plume;
mod sequence;
#[cfg(test)]
mod tests;

/// A format that can be written.
pub struct Writer {
    /// Its name: that of the format that reads it, if one does.
    pub name: &'static str,
    write: fn(&History, &mut dyn Write) -> Result<Vec<String>, Unwritable>,
}

impl Writer {
    /// The format of this name.
    pub fn named(name: &str) -> Result<&'static Self, Unwritable> {
        let found = WRITERS.iter().find(|writer| writer.name == name);
        found.copied().ok_or_else(|| Unwritable::NoFormat { name: name.into() })
    }

    /// Writes a history; says what the format cannot hold and was left out.
    pub fn write(&self, history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
        (self.write)(history, out)
    }
}

/// Every format that can be written, sorted by name.
pub static WRITERS: &[&Writer] = &[&edn::WRITER, &jsonl::WRITER, &parquet::WRITER, &plume::WRITER];

/// Why a history cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// The output takes no more.
    #[error("cannot be written")]
    Io(#[from] io::Error),
    /// The format has no words for it.
    #[error("{operation}: {reason}")]
    Operation {
        /// Which operation.
        operation: OperationId,
        /// What it is, and which format would take it.
        reason: String,
    },
    /// The format that was asked for is none of ours.
    #[error("no format `{name}` to write; there are {}", names())]
    NoFormat {
        /// The name.
        name: String,
    },
}

fn names() -> String {
    WRITERS.iter().map(|writer| writer.name).collect::<Vec<&str>>().join(", ")
}
