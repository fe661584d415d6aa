//! A disk in memory, which can crash.

use super::{Storage, StorageError};
use crate::record::Record;

/// Records in memory; what was not synced is lost in a crash.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    durable: Vec<Record>,
    unsynced: Vec<Record>,
}

impl MemoryDisk {
    /// What would be found after a crash now.
    pub fn durable(&self) -> &[Record] {
        &self.durable
    }

    /// Loses what was not synced.
    pub fn crash(&mut self) {
        self.unsynced.clear();
    }

    /// Loses everything.
    pub fn wipe(&mut self) {
        *self = MemoryDisk::default();
    }
}

impl Storage for MemoryDisk {
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        self.unsynced.extend_from_slice(records);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.durable.append(&mut self.unsynced);
        Ok(())
    }
}
