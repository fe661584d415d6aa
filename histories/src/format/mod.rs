//! Histories on disk: which format a file is in is decided by its content, not by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

mod header;
pub mod jsonl;
mod line;
mod lines;
mod one_or_many;
mod quick;
#[cfg(test)]
mod round_trip;
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
    let mut input = BufReader::with_capacity(1 << 20, input);
    let unreadable = |source| Error::Io { line: 0, source };
    if is_zstd(&mut input).map_err(unreadable)? {
        let decoder = zstd::Decoder::with_buffer(input).map_err(unreadable)?;
        jsonl::read(&mut BufReader::with_capacity(1 << 20, decoder))
    } else {
        jsonl::read(&mut input)
    }
}

fn is_zstd(input: &mut impl BufRead) -> io::Result<bool> {
    Ok(input.fill_buf()?.starts_with(&ZSTD_MAGIC))
}
