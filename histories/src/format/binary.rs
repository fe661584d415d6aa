//! Numbers of fixed width, one after the other, with the place of each for messages.

use std::io::{self, BufRead, BufReader, Read};

use super::Error;
use super::bounded::MOST_OPERATIONS;

/// A binary input.
pub(super) struct Binary<R> {
    input: BufReader<R>,
    /// How many bytes were read.
    at: usize,
    order: Order,
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Big,
    Little,
}

impl<R: Read> Binary<R> {
    pub(super) fn new(input: R, order: Order) -> Self {
        Self { input: BufReader::with_capacity(1 << 18, input), at: 0, order }
    }

    /// The next number.
    pub(super) fn number(&mut self, what: &str) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes, what)?;
        Ok(match self.order {
            Order::Big => u64::from_be_bytes(bytes),
            Order::Little => u64::from_le_bytes(bytes),
        })
    }

    /// The next byte; none at the end.
    pub(super) fn byte(&mut self) -> Result<Option<u8>, Error> {
        let unreadable = |source| Error::Io { line: 0, source };
        let byte = match self.input.fill_buf() {
            Ok(buffer) => buffer.first().copied(),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(unreadable(error)),
        };
        self.input.consume(usize::from(byte.is_some()));
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    /// A byte that is 0 or 1.
    pub(super) fn truth(&mut self, what: &str) -> Result<bool, Error> {
        match self.byte()? {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(byte) => Err(self.before(format!("the byte {byte}, expected {what}, 0 or 1"))),
            None => Err(self.here(format!("the end of the file, expected {what}"))),
        }
    }

    /// A text after its length.
    pub(super) fn text(&mut self, what: &str) -> Result<String, Error> {
        const LONGEST: u64 = 1 << 20;
        let length = self.number(what)?;
        if length > LONGEST {
            return Err(self.here(format!("{what} of {length} bytes, expected at most {LONGEST}")));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes, what)?;
        String::from_utf8(bytes).map_err(|_| self.here(format!("{what} is not UTF-8")))
    }

    /// Refuses a transaction of more than so many operations.
    pub(super) fn bounded(&self, operations: usize) -> Result<(), Error> {
        if operations < MOST_OPERATIONS {
            return Ok(());
        }
        Err(self.here(format!("a transaction of more than {MOST_OPERATIONS} operations: this is no history")))
    }

    fn fill(&mut self, bytes: &mut [u8], what: &str) -> Result<(), Error> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.at += bytes.len();
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.here(format!("the end of the file, expected {what}")))
            }
            Err(source) => Err(Error::Io { line: 0, source }),
        }
    }

    /// Something is wrong with what comes next.
    pub(super) fn here(&self, reason: String) -> Error {
        Error::Byte { byte: self.at + 1, reason }
    }

    /// Something is wrong with the byte that was read last.
    pub(super) fn before(&self, reason: String) -> Error {
        Error::Byte { byte: self.at, reason }
    }
}
