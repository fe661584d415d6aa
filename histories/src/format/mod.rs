//! Histories on disk: which format a file is in is decided by its content, not by its name.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

mod binary;
mod bounded;
mod cobra;
mod cursor;
mod datum;
mod dbcop;
mod etcd;
#[cfg(test)]
mod foreign_tests;
mod header;
mod intervals;
mod jepsen;
pub mod jsonl;
mod line;
mod lines;
mod one_or_many;
mod plume;
mod quick;
mod registers;
#[cfg(test)]
mod round_trip;
mod scan;
#[cfg(test)]
mod tests;
pub mod write;

use bounded::{Counted, Unpacked};
pub use jsonl::{Error, Reading};
use registers::Gathering;
pub use registers::TableReading;

/// The first bytes of a zstd frame (RFC 8878, §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The first bytes of a gzip member (RFC 1952, §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the history in the file at `path`, compressed or not, or in the folder: Cobra has a file a session.
pub fn read_file(path: &Path) -> Result<Reading, Error> {
    read_file_as(path, None)
}

/// The same in a format that is known; none looks at the content.
pub fn read_file_as(path: &Path, format: Option<&'static Format>) -> Result<Reading, Error> {
    if path.is_dir() {
        return read_folder(path).map(TableReading::into_reading);
    }
    read_as(File::open(path).map_err(unreadable)?, format)
}

/// Reads a history from any source, compressed or not.
pub fn read(input: impl Read) -> Result<Reading, Error> {
    read_as(input, None)
}

/// The same in a format that is known; none looks at the content.
pub fn read_as(input: impl Read, format: Option<&'static Format>) -> Result<Reading, Error> {
    let mut input = Opened::new(input)?;
    let format = format.unwrap_or_else(|| Format::of(&input.head));
    (format.read)(&mut input)
}

/// Reads transactions without making a history of them, which takes a tenth of the memory; none if the file
/// is in a format that has more than reads and writes.
pub fn read_table(path: &Path) -> Result<Option<TableReading>, Error> {
    Ok(match read_either_file(path, None)? {
        Either::Table(reading) => Some(reading),
        Either::History(_) => None,
    })
}

/// What a file holds: transactions on registers in a flat table, if its format has nothing else.
#[derive(Debug)]
pub enum Either {
    /// Transactions on registers.
    Table(TableReading),
    /// Anything.
    History(Reading),
}

/// Reads what is in the file or folder at `path`, a table if it is one; without a format its content decides.
pub fn read_either_file(path: &Path, format: Option<&'static Format>) -> Result<Either, Error> {
    if path.is_dir() {
        return read_folder(path).map(Either::Table);
    }
    read_either(File::open(path).map_err(unreadable)?, format)
}

/// The same from any source.
pub fn read_either(input: impl Read, format: Option<&'static Format>) -> Result<Either, Error> {
    let mut input = Opened::new(input)?;
    let format = format.unwrap_or_else(|| Format::of(&input.head));
    match format.read_table {
        Some(read) => read(&mut input).map(Either::Table),
        None => (format.read)(&mut input).map(Either::History),
    }
}

/// Cobra's files, in the order of their names.
fn read_folder(path: &Path) -> Result<TableReading, Error> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "log"));
    if files.is_empty() {
        return Err(Error::Folder);
    }
    files.sort_by_key(|file| (file.as_os_str().len(), file.clone()));
    let (mut gathering, mut warnings) = (Gathering::default(), Vec::new());
    for (session, file) in files.iter().enumerate() {
        let mut input = Opened::new(File::open(file).map_err(unreadable)?)?;
        if !cobra::is_cobra(&input.head) {
            let reason = format!("{} is no log of Cobra; name one file instead of a folder", file.display());
            return Err(Error::Byte { byte: 1, reason });
        }
        cobra::read_session(&mut input, session as u32, &mut gathering, &mut warnings)?;
    }
    cobra::finish(gathering, warnings)
}

fn unreadable(source: io::Error) -> Error {
    Error::Io { line: 0, source }
}

/// A format that can be read.
pub struct Format {
    /// Its name, such as `jepsen-edn`.
    pub name: &'static str,
    /// True if a file that begins like this is in this format.
    is_like: fn(&[u8]) -> bool,
    read: fn(&mut dyn Read) -> Result<Reading, Error>,
    /// For formats of nothing but reads and writes.
    read_table: Option<ReadTable>,
}

type ReadTable = fn(&mut dyn Read) -> Result<TableReading, Error>;

impl Format {
    /// The format of a file that begins like this. What is like none is most likely meant to be ours.
    fn of(head: &[u8]) -> &'static Self {
        FORMATS.iter().find(|format| (format.is_like)(head)).unwrap_or(&&jsonl::FORMAT)
    }

    /// The format of this name.
    pub fn named(name: &str) -> Result<&'static Self, Error> {
        let found = FORMATS.iter().find(|format| format.name == name);
        found.copied().ok_or_else(|| Error::NoFormat { name: name.into() })
    }
}

/// Every format, sorted by name. At most one of them is like a given file.
pub static FORMATS: &[&Format] = &[
    &cobra::FORMAT,
    &dbcop::BINCODE,
    &dbcop::JSON,
    &etcd::FORMAT,
    &jepsen::EDN,
    &jepsen::JSON,
    &jepsen::LOG,
    &jsonl::FORMAT,
    &plume::FORMAT,
];

/// The names of all formats, for people.
fn names() -> String {
    FORMATS.iter().map(|format| format.name).collect::<Vec<&str>>().join(", ")
}

/// An input after all compression is undone.
struct Opened<'a> {
    head: Vec<u8>,
    /// How much of `head` was handed out.
    at: usize,
    rest: Box<dyn Read + 'a>,
}

impl<'a> Opened<'a> {
    fn new(input: impl Read + 'a) -> Result<Self, Error> {
        let packed = Rc::new(Cell::new(0));
        let mut opened = Self::peek(Box::new(Counted { input, count: Rc::clone(&packed) }))?;
        // A file that is compressed twice was compressed twice by mistake, but it can be read.
        for _ in 0..3 {
            let head = opened.head.as_slice();
            opened = if head.starts_with(&ZSTD_MAGIC) {
                let decoder = zstd::Decoder::new(opened).map_err(unreadable)?;
                Self::peek(Box::new(Unpacked::new(decoder, Rc::clone(&packed))))?
            } else if head.starts_with(&GZIP_MAGIC) {
                let decoder = flate2::read::MultiGzDecoder::new(opened);
                Self::peek(Box::new(Unpacked::new(decoder, Rc::clone(&packed))))?
            } else {
                break;
            };
        }
        Ok(opened)
    }

    fn peek(mut rest: Box<dyn Read + 'a>) -> Result<Self, Error> {
        let mut head = Vec::new();
        match rest.by_ref().take(HEAD).read_to_end(&mut head) {
            Ok(_) => {}
            // Whoever reads on is told again.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !head.is_empty() => {}
            Err(source) => return Err(unreadable(source)),
        }
        Ok(Self { head, at: 0, rest })
    }
}

impl Read for Opened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.head.len() {
            return self.rest.read(buffer);
        }
        let length = buffer.len().min(self.head.len() - self.at);
        buffer[..length].copy_from_slice(&self.head[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// How many bytes are looked at to tell formats apart.
const HEAD: u64 = 1 << 14;
