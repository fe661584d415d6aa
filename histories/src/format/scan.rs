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

use super::Error;
use super::cursor::{Cursor, Flaw, Syntax};

/// How much is asked of the input at once.
const CHUNK: usize = 1 << 18;

/// The pieces of an input.
pub(super) struct Scan<R> {
    input: R,
    syntax: Syntax,
    buffer: Vec<u8>,
    /// Where the last piece that was taken begins.
    last: Begin,
    ended: bool,
    /// True if the input stops against its own rules: inside a compressed block.
    cut_off: bool,
    next: Begin,
}

/// Where a piece begins.
#[derive(Debug, Clone, Copy)]
struct Begin {
    at: usize,
    /// From 1.
    line: usize,
    /// Characters before it in its line.
    column: usize,
}

impl<R: Read> Scan<R> {
    pub(super) fn new(input: R, syntax: Syntax) -> Self {
        let begin = Begin { at: 0, line: 1, column: 0 };
        Self { input, syntax, buffer: Vec::new(), last: begin, next: begin, ended: false, cut_off: false }
    }

    /// The line of the next piece, from 1.
    pub(super) fn line(&self) -> usize {
        self.next.line
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
            let mut cursor = Cursor::new(&self.buffer[self.next.at..], self.syntax);
            let taken = take(&mut cursor);
            let length = cursor.at();
            if cursor.touched_end() && !self.ended {
                self.read_on()
                    .map_err(|source| Stopped::Within(Error::Io { line: self.next.line - 1, source }))?;
                continue;
            }
            return match taken {
                Ok(piece) => {
                    self.last = self.next;
                    self.next = self.last.after(&self.buffer[self.last.at..self.last.at + length]);
                    Ok(piece)
                }
                Err(flaw) => Err(self.stopped(flaw)),
            };
        }
    }

    /// What is wrong with the piece that was taken last.
    pub(super) fn error(&self, flaw: Flaw) -> Error {
        let (line, column) = self.place(self.last, flaw.at);
        Error::Line { line, column, reason: flaw.reason }
    }

    /// Where the byte `at` of a piece stands: line and column, from 1.
    fn place(&self, begin: Begin, at: usize) -> (usize, usize) {
        let end = begin.after(&self.buffer[begin.at..begin.at + at]);
        (end.line, end.column + 1)
    }

    fn stopped(&self, flaw: Flaw) -> Stopped {
        let (line, column) = self.place(self.next, flaw.at);
        let error = Error::Line { line, column, reason: flaw.reason };
        if self.next.at + flaw.at >= self.buffer.len() {
            Stopped::AtEnd(error)
        } else {
            Stopped::Within(error)
        }
    }

    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.next.at);
        self.next.at = 0;
        let begin = self.buffer.len();
        self.buffer.resize(begin + CHUNK.max(begin), 0);
        let read = loop {
            match self.input.read(&mut self.buffer[begin..]) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.cut_off = true;
                    break 0;
                }
                Err(error) => {
                    self.buffer.truncate(begin);
                    return Err(error);
                }
            }
        };
        self.buffer.truncate(begin + read);
        if read == 0 {
            self.ended = true;
            // Where the machine failed, a file may end in zeros that stand for what was never written.
            let zeros = self.buffer.iter().rev().take_while(|byte| **byte == 0).count();
            self.buffer.truncate(begin - zeros);
        }
        Ok(())
    }
}

impl Begin {
    fn after(self, piece: &[u8]) -> Self {
        let (lines, column) = extent(piece);
        Self {
            at: self.at + piece.len(),
            line: self.line + lines,
            column: if lines == 0 { self.column + column } else { column },
        }
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
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let last = if lines == 0 { bytes } else { bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or(bytes) };
    // A byte that goes on with a character begins with the bits 10.
    (lines, last.iter().filter(|byte| **byte & 0xc0 != 0x80).count())
}
