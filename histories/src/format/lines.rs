//! Lines of text with their numbers, and where the text was cut off.

use std::io::{self, BufRead, Read};

use super::Error;
use super::bounded::{LONGEST, too_long};

/// One line without its end.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// From 1.
    pub(super) number: usize,
    /// False if the input stops before a line end: a killed writer may have left half a line.
    pub(super) ended: bool,
}

/// What comes next.
pub(super) enum Next<'a> {
    Line(Line<'a>),
    /// The input stops here, against its own rules: inside a character, or a compressed block.
    CutOff(String),
    End,
}

/// Splits an input into lines.
pub(super) struct Lines<'a, R> {
    input: &'a mut R,
    buffer: Vec<u8>,
    number: usize,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(input: &'a mut R) -> Self {
        Self { input, buffer: Vec::with_capacity(512), number: 0 }
    }

    pub(super) fn next_line(&mut self) -> Result<Next<'_>, Error> {
        self.buffer.clear();
        let longest = LONGEST as u64 + 1;
        match self.input.take(longest).read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(Next::End),
            Ok(read) if read > LONGEST => {
                let (line, reason) = (self.number + 1, too_long("a line"));
                return Err(Error::Line { line, column: 0, reason });
            }
            Ok(_) => self.number += 1,
            // A compressed file that was cut off ends like this; the lines before it are good.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.number > 0 => {
                let line = self.number;
                return Ok(Next::CutOff(format!(
                    "the file is cut off after line {line}; judged up to there"
                )));
            }
            Err(source) => return Err(Error::Io { line: self.number, source }),
        }
        let number = self.number;
        let (bytes, ended) = without_end(&self.buffer);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Next::Line(Line { text, number, ended })),
            Err(error) if error.error_len().is_none() && !ended && number > 1 => {
                Ok(Next::CutOff(cut_off(number, bytes.len())))
            }
            Err(error) => Err(Error::NotUtf8 { line: number, byte: error.valid_up_to() + 1 }),
        }
    }
}

/// What to say of a last line that is not whole.
pub(super) fn cut_off(line: usize, bytes: usize) -> String {
    format!("line {line} is cut off after {bytes} bytes; judged up to line {}", line - 1)
}

/// A line may end as on Windows. Where the machine failed, a file may end in zeros that stand for
/// what was never written.
fn without_end(line: &[u8]) -> (&[u8], bool) {
    match line.strip_suffix(b"\n") {
        Some(line) => (line.strip_suffix(b"\r").unwrap_or(line), true),
        None => {
            let zeros = line.iter().rev().take_while(|byte| **byte == 0).count();
            (&line[..line.len() - zeros], false)
        }
    }
}
