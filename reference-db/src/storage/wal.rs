//! A write-ahead log: one append-only file in a directory that one process owns.
//!
//! ```text
//! data/LOCK       held while a process has the directory
//! data/wal.log    frame │ frame │ frame │ fra~        the torn end is cut off at the next start
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Storage, StorageError, frame};
use crate::record::Record;

/// The log of one node.
#[derive(Debug)]
pub struct Wal {
    file: File,
    path: PathBuf,
    fsync: bool,
    // Held, not used: the lock goes with the process.
    _lock: File,
}

/// What a log held when it was opened.
#[derive(Debug)]
pub struct Recovered {
    /// In the order in which they were appended.
    pub records: Vec<Record>,
    /// What was cut off the end.
    pub torn: Option<Torn>,
}

/// The end of a log that a crash left half-written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// Where it began, and the log ends now.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

impl Wal {
    /// Opens the log in a directory, creating both where needed. Without `fsync` a power loss may take what was synced.
    pub fn open(directory: &Path, fsync: bool) -> Result<(Wal, Recovered), StorageError> {
        fs::create_dir_all(directory).map_err(failed("create", directory))?;
        let lock = lock(directory)?;
        let path = directory.join("wal.log");
        let options = OpenOptions::new().read(true).append(true).create(true).clone();
        let mut file = options.open(&path).map_err(failed("open", &path))?;
        let recovered = recover(&mut file, &path)?;
        sync_directory(directory)?;
        Ok((Wal { file, path, fsync, _lock: lock }, recovered))
    }
}

impl Storage for Wal {
    fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        let frame = frame::encode(records).map_err(|error| failed("encode for", &self.path)(error.into()))?;
        self.file.write_all(&frame).map_err(failed("append to", &self.path))
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        if !self.fsync {
            return Ok(());
        }
        self.file.sync_data().map_err(failed("sync", &self.path))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StorageError {
    move |source| StorageError::Io { doing, path: path.to_owned(), source }
}

fn lock(directory: &Path) -> Result<File, StorageError> {
    let path = directory.join("LOCK");
    let file = File::create(&path).map_err(failed("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
    }
}

/// Makes the names in a directory, and its own in its parent, durable.
fn sync_directory(directory: &Path) -> Result<(), StorageError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(failed("sync", path));
    sync(directory)?;
    let absolute = fs::canonicalize(directory).map_err(failed("find", directory))?;
    absolute.parent().map_or(Ok(()), sync)
}

fn recover(file: &mut File, path: &Path) -> Result<Recovered, StorageError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed("read", path))?;
    let (mut records, mut offset) = (Vec::new(), 0);
    while let Some(payload) = frame::payload(&bytes[offset..]) {
        let place = offset as u64;
        let content = |source| StorageError::Content { path: path.to_owned(), offset: place, source };
        records.extend(frame::decode(payload).map_err(content)?);
        offset += frame::HEADER + payload.len();
    }
    let torn = (offset < bytes.len()).then(|| cut(file, path, &bytes, offset)).transpose()?;
    file.seek(SeekFrom::End(0)).map_err(failed("seek in", path))?;
    Ok(Recovered { records, torn })
}

/// Cuts off a torn end, unless something that checks comes after it.
fn cut(file: &File, path: &Path, bytes: &[u8], offset: usize) -> Result<Torn, StorageError> {
    let rest = &bytes[offset..];
    if (1..rest.len()).any(|start| frame::payload(&rest[start..]).is_some()) {
        return Err(StorageError::Corrupt { path: path.to_owned(), offset: offset as u64 });
    }
    file.set_len(offset as u64).and_then(|()| file.sync_all()).map_err(failed("truncate", path))?;
    Ok(Torn { offset: offset as u64, bytes: rest.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Boot;

    fn start(boot: u64) -> Record {
        Record::Start { format: 1, origin: "A".parse().unwrap(), boot: Boot(boot) }
    }

    /// A log of three batches, and where they begin and end.
    fn three_batches(directory: &Path) -> Vec<u64> {
        let (mut wal, recovered) = Wal::open(directory, false).unwrap();
        assert!(recovered.records.is_empty());
        let mut ends = vec![0];
        for batch in [vec![start(1)], vec![start(2), start(3)], vec![start(4), start(5)]] {
            wal.append(&batch).unwrap();
            wal.sync().unwrap();
            ends.push(wal.file.metadata().unwrap().len());
        }
        ends
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_tears() {
        let directory = tempfile::tempdir().unwrap();
        let ends = three_batches(directory.path());
        let path = directory.path().join("wal.log");
        let whole = fs::read(&path).unwrap();
        for length in ends[2]..ends[3] {
            fs::write(&path, &whole[..length as usize]).unwrap();
            let (mut wal, recovered) = Wal::open(directory.path(), false).unwrap();
            assert_eq!(recovered.records, [start(1), start(2), start(3)]);
            let torn = Torn { offset: ends[2], bytes: length - ends[2] };
            assert_eq!(recovered.torn, (torn.bytes > 0).then_some(torn));
            // What is appended afterwards is found afterwards.
            wal.append(&[start(9)]).unwrap();
            drop(wal);
            let (_, recovered) = Wal::open(directory.path(), false).unwrap();
            assert_eq!(recovered.records.last(), Some(&start(9)));
        }
    }

    #[test]
    fn an_end_of_zeros_is_torn_too() {
        let directory = tempfile::tempdir().unwrap();
        let ends = three_batches(directory.path());
        let path = directory.path().join("wal.log");
        let mut bytes = fs::read(&path).unwrap();
        bytes.resize(bytes.len() + 4096, 0);
        fs::write(&path, bytes).unwrap();
        let (_, recovered) = Wal::open(directory.path(), true).unwrap();
        assert_eq!(recovered.torn, Some(Torn { offset: ends[3], bytes: 4096 }));
        assert_eq!(recovered.records.len(), 5);
    }

    #[test]
    fn damage_in_the_middle_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let ends = three_batches(directory.path());
        let path = directory.path().join("wal.log");
        let whole = fs::read(&path).unwrap();
        for damaged in ends[1]..ends[2] {
            let mut bytes = whole.clone();
            bytes[damaged as usize] ^= 0x40;
            fs::write(&path, bytes).unwrap();
            let error = Wal::open(directory.path(), false).unwrap_err();
            let StorageError::Corrupt { offset, .. } = error else { panic!("{error}") };
            assert_eq!(offset, ends[1]);
        }
    }

    #[test]
    fn a_directory_has_one_owner() {
        let directory = tempfile::tempdir().unwrap();
        let first = Wal::open(directory.path(), false).unwrap();
        assert!(matches!(Wal::open(directory.path(), false), Err(StorageError::Locked { .. })));
        drop(first);
        assert!(Wal::open(directory.path(), false).is_ok());
    }
}
