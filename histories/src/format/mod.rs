//! Histories on disk: which format a file is in is decided by its content, not by its name.

use std::fs::File;
use std::io::{self, Cursor as Bytes, Read};
use std::path::Path;

mod cursor;
mod datum;
mod header;
mod jepsen;
pub mod jsonl;
mod line;
mod lines;
mod one_or_many;
mod quick;
#[cfg(test)]
mod round_trip;
mod scan;
#[cfg(test)]
mod tests;

pub use jsonl::{Error, Reading};

/// The first bytes of a zstd frame (RFC 8878, §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads the history in the file at `path`, compressed or not.
pub fn read_file(path: &Path) -> Result<Reading, Error> {
    let file = File::open(path).map_err(|source| Error::Io { line: 0, source })?;
    read(file)
}

/// Reads a history from any source, compressed or not.
pub fn read(input: impl Read) -> Result<Reading, Error> {
    let input = Peeked::new(input)?;
    if input.head.starts_with(&ZSTD_MAGIC) {
        let decoder = zstd::Decoder::new(input.whole()).map_err(|source| Error::Io { line: 0, source })?;
        return read_plain(Peeked::new(decoder)?);
    }
    read_plain(input)
}

fn read_plain(input: Peeked<impl Read>) -> Result<Reading, Error> {
    let head = input.head.as_slice();
    // What is in no format is most likely meant to be in ours.
    let format = FORMATS.iter().find(|format| (format.is_like)(head)).unwrap_or(&&jsonl::FORMAT);
    (format.read)(&mut input.whole())
}

/// A format that can be read.
pub struct Format {
    /// Its name, such as `jepsen-edn`.
    pub name: &'static str,
    /// True if a file that begins like this is in this format.
    is_like: fn(&[u8]) -> bool,
    read: fn(&mut dyn Read) -> Result<Reading, Error>,
}

/// Every format, sorted by name. At most one of them is like a given file.
pub static FORMATS: &[&Format] = &[&jepsen::EDN, &jepsen::JSON, &jsonl::FORMAT];

/// An input of which the first bytes are known.
struct Peeked<R> {
    head: Vec<u8>,
    rest: R,
}

/// How many bytes are looked at to tell formats apart.
const HEAD: u64 = 1 << 14;

impl<R: Read> Peeked<R> {
    fn new(mut rest: R) -> Result<Self, Error> {
        let mut head = Vec::new();
        match rest.by_ref().take(HEAD).read_to_end(&mut head) {
            Ok(_) => {}
            // Whoever reads on is told again.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !head.is_empty() => {}
            Err(source) => return Err(Error::Io { line: 0, source }),
        }
        Ok(Self { head, rest })
    }

    fn whole(self) -> impl Read {
        Bytes::new(self.head).chain(self.rest)
    }
}
