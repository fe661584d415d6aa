//! What is too large to be a part of a history: a line, a record or a text of more than 32 MiB, and a small
//! file that unpacks to a huge one.
//!
//! ```text
//!   1 MB of zstd ──► 10 GB of the same few bytes        refused after the first GiB
//!   [[{"events":[["wwwwwwwwwwwwwwwwwwwwwwwwwwww…        refused after 32 MiB without a quote
//! ```
//!
//! Without these bounds a few bytes could take all of the memory. Whoever has such a history can unpack it.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// No line, no record and no text is longer.
pub(super) const LONGEST: usize = 1 << 25;

/// What is said of a longer one.
pub(super) fn too_long(what: &str) -> String {
    format!("{what} of more than {} MiB: this is no history", LONGEST >> 20)
}

/// No transaction of a binary file has more operations.
pub(super) const MOST_OPERATIONS: usize = 1 << 20;

/// So much may come of a compressed file in any case,
const UNPACKED_MAX: u64 = 1 << 30;
/// and beyond that so many bytes of each of its own. Histories are packed to a tenth, some to a hundredth.
const RATIO_MAX: u64 = 500;

/// Counts what is read of a file.
pub(super) struct Counted<R> {
    pub(super) input: R,
    pub(super) count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// What a compressed file unpacks to, as long as that is in proportion.
pub(super) struct Unpacked<R> {
    input: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R> Unpacked<R> {
    pub(super) fn new(input: R, packed: Rc<Cell<u64>>) -> Self {
        Self { input, packed, unpacked: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.unpacked += read as u64;
        if self.unpacked > UNPACKED_MAX && self.unpacked / RATIO_MAX > self.packed.get() {
            let reason = format!(
                "{} bytes unpack to more than {} GiB: unpack the file yourself if it is a history",
                self.packed.get(),
                self.unpacked >> 30
            );
            return Err(io::Error::other(reason));
        }
        Ok(read)
    }
}

/// JSON in which no text is too long, as far as quotes tell.
pub(super) struct Quoted<R> {
    input: R,
    /// Bytes since the last quote.
    without: usize,
}

impl<R> Quoted<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, without: 0 }
    }
}

impl<R: Read> Read for Quoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.without = match buffer[..read].iter().rposition(|byte| *byte == b'"') {
            Some(place) => read - place - 1,
            None => self.without + read,
        };
        if self.without > LONGEST {
            return Err(io::Error::other(too_long("a text")));
        }
        Ok(read)
    }
}
