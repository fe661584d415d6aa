//! Takes an input apart piece by piece without holding all of it: a piece that turns out not to be whole yet
//! is taken again once more of the input is there.
//!
//! ```text
//!   buffer   {:index 0 …}⏎{:index 1 …}⏎{:ind        the third piece touches the end: read on, take it again
//!            ╰─ piece 1 ─╯╰─ piece 2 ─╯╰ …
//! ```
//!
//! Cost: a piece is taken again at most once per doubling of the buffer, so the whole is linear in the input.

use std::io::{self, Read};
use std::ops::Range;

use super::Error;
use super::bounded::{LONGEST, too_long};
use super::cursor::{Cursor, Flaw, Syntax};

/// How much is asked of the input at once.
const CHUNK: usize = 1 << 18;

/// The pieces of an input.
pub(super) struct Scan<R> {
    input: R,
    syntax: Syntax,
    /// What was read and not given away. Its lines are counted when somebody asks.
    block: Block,
    /// Where the piece that was taken last begins in the buffer, and where the next one does.
    last: usize,
    next: usize,
    ended: bool,
    /// True if the input stops against its own rules: inside a compressed block.
    cut_off: bool,
}

/// What pieces were taken from, for whoever looks at them after the scan has gone on.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    begin: Place,
}

impl Block {
    /// The line of its byte `at`, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.place(at).line
    }

    /// The line in which a piece ends that goes up to byte `end`, from 1.
    pub(super) fn line_before(&self, end: usize) -> usize {
        self.line(end - usize::from(self.bytes[..end].ends_with(b"\n")))
    }

    /// What is wrong at its byte `at`.
    pub(super) fn error(&self, at: usize, reason: String) -> Error {
        self.place(at).error(reason)
    }

    fn place(&self, at: usize) -> Place {
        self.begin.after(&self.bytes[..at])
    }
}

/// A place in the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// From 1.
    line: usize,
    /// Characters before it in its line.
    column: usize,
}

impl<R: Read> Scan<R> {
    pub(super) fn new(input: R, syntax: Syntax) -> Self {
        let block = Block { bytes: Vec::new(), begin: Place { line: 1, column: 0 } };
        Self { input, syntax, block, last: 0, next: 0, ended: false, cut_off: false }
    }

    /// The line of the next piece, from 1.
    pub(super) fn line(&self) -> usize {
        let left = &self.block.bytes[self.next..];
        let space = left.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.block.line(self.next + space)
    }

    /// From where to where in the block the piece goes that was taken last.
    pub(super) fn last(&self) -> Range<usize> {
        self.last..self.next
    }

    /// Where the piece that was taken last begins.
    pub(super) fn place_of_last(&self) -> Place {
        self.block.place(self.last)
    }

    /// True if the input was a compressed file that ends too early.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Takes the next piece with `take`, which may be asked several times.
    pub(super) fn take<T>(
        &mut self,
        mut take: impl FnMut(&mut Cursor<'_>) -> Result<T, Flaw>,
    ) -> Result<T, Stopped> {
        loop {
            match self.take_if_there(&mut take)? {
                Some(piece) => return Ok(piece),
                None => self.read_on()?,
            }
        }
    }

    /// Takes the next piece with `take`; none if more of the input has to be read for it.
    pub(super) fn take_if_there<T>(
        &mut self,
        take: impl FnOnce(&mut Cursor<'_>) -> Result<T, Flaw>,
    ) -> Result<Option<T>, Stopped> {
        let mut cursor = Cursor::new(&self.block.bytes[self.next..], self.syntax);
        let taken = take(&mut cursor);
        let length = cursor.at();
        if cursor.touched_end() && !self.ended {
            if self.block.bytes.len() - self.next > LONGEST {
                return Err(Stopped::Within(self.block.error(self.next, too_long("an entry"))));
            }
            return Ok(None);
        }
        match taken {
            Ok(piece) => {
                (self.last, self.next) = (self.next, self.next + length);
                Ok(Some(piece))
            }
            Err(flaw) => Err(self.stopped(flaw)),
        }
    }

    /// Gives away what pieces were taken from.
    pub(super) fn give_away(&mut self) -> Block {
        let begin = self.block.place(self.next);
        let rest = self.block.bytes.split_off(self.next);
        (self.last, self.next) = (0, 0);
        std::mem::replace(&mut self.block, Block { bytes: rest, begin })
    }

    fn stopped(&self, flaw: Flaw) -> Stopped {
        let at = self.next + flaw.at;
        let error = self.block.error(at, flaw.reason);
        if at >= self.block.bytes.len() { Stopped::AtEnd(error) } else { Stopped::Within(error) }
    }

    /// Reads more of the input.
    pub(super) fn read_on(&mut self) -> Result<(), Stopped> {
        self.fill().map_err(|source| Stopped::Within(Error::Io { line: self.line() - 1, source }))
    }

    fn fill(&mut self) -> io::Result<()> {
        self.block.begin = self.block.place(self.next);
        self.block.bytes.drain(..self.next);
        (self.last, self.next) = (0, 0);
        let begin = self.block.bytes.len();
        self.block.bytes.resize(begin + CHUNK.max(begin), 0);
        let read = loop {
            match self.input.read(&mut self.block.bytes[begin..]) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.cut_off = true;
                    break 0;
                }
                Err(error) => {
                    self.block.bytes.truncate(begin);
                    return Err(error);
                }
            }
        };
        self.block.bytes.truncate(begin + read);
        if read == 0 {
            self.ended = true;
            // Where the machine failed, a file may end in zeros that stand for what was never written.
            let zeros = self.block.bytes.iter().rev().take_while(|byte| **byte == 0).count();
            self.block.bytes.truncate(begin - zeros);
        }
        Ok(())
    }
}

impl Place {
    fn after(self, piece: &[u8]) -> Self {
        let (lines, column) = extent(piece);
        Self { line: self.line + lines, column: if lines == 0 { self.column + column } else { column } }
    }

    /// What is wrong here.
    pub(super) fn error(self, reason: String) -> Error {
        Error::Line { line: self.line, column: self.column + 1, reason }
    }
}

/// Why there is no next piece.
pub(super) enum Stopped {
    /// The input ends inside it.
    AtEnd(Error),
    /// It cannot be read.
    Within(Error),
}

impl Stopped {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::AtEnd(error) | Self::Within(error) => error,
        }
    }
}

/// Line ends, and characters after the last of them.
fn extent(bytes: &[u8]) -> (usize, usize) {
    // A sum of at most 255 fits a byte, of which the processor adds many at once.
    let in_part = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    let lines: usize = bytes.chunks(255).map(|part| usize::from(in_part(part))).sum();
    let last = if lines == 0 { bytes } else { bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or(bytes) };
    // A byte that goes on with a character begins with the bits 10.
    (lines, last.iter().filter(|byte| **byte & 0xc0 != 0x80).count())
}
