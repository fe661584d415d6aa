//! Lines as Plume's tools write them, eight digits at a time. Lines of one transaction end alike: what ends
//! like the line before it belongs where that one does.
//!
//! ```text
//! w(4,17,0,3)⏎      read here: key 4, value 17; the end is read, and the transaction gone on with
//! r(5,0,0,3)⏎       read here: key 5, value 0; the end is that of the line before
//! r(5, 0,0,3)⏎      left to the reader that also says what is wrong
//! w(4,18,2,-1)⏎     left to it, too
//! ```
//!
//! Invariant: what is read here is what the other reader would have read. O(length), nothing is allocated.
//!
//! Source: Lemire, "Quickly parsing eight digits", 2018; Mycroft's test for bytes in a range.

use std::ops::Range;

use super::batch::Batch;

/// Reads the lines that `bytes` begins with, perhaps after a line end, as long as they are whole and as
/// usual. Returns how many bytes they have.
pub(super) fn read_lines(bytes: &[u8], batch: &mut Batch) -> usize {
    // The other reader leaves the end of its line.
    let mut lines = Lines { bytes, at: usize::from(bytes.starts_with(b"\n")), end: None };
    while lines.read_one(batch).is_some() {}
    lines.at
}

struct Lines<'a> {
    bytes: &'a [u8],
    /// Where the next line begins.
    at: usize,
    /// Where the line before says to which session and transaction it belongs, its line end included.
    end: Option<Range<usize>>,
}

impl Lines<'_> {
    fn read_one(&mut self, batch: &mut Batch) -> Option<()> {
        let is_write = match self.bytes.get(self.at..self.at + 2)? {
            b"r(" => false,
            b"w(" => true,
            _ => return None,
        };
        let (key, at) = self.number(self.at + 2, b',')?;
        let (value, at) = self.number(at, b',')?;
        let next = match &self.end {
            Some(end) if self.bytes[at..].starts_with(&self.bytes[end.clone()]) => at + end.len(),
            _ => self.turn(at, batch)?,
        };
        batch.push(key, value, is_write);
        (self.at, self.end) = (next, Some(at..next));
        Some(())
    }

    /// Turns to the transaction that is named here. Returns where the next line begins.
    fn turn(&self, at: usize, batch: &mut Batch) -> Option<usize> {
        let (session, at) = self.number(at, b',')?;
        let (transaction, at) = self.number(at, b')')?;
        if *self.bytes.get(at)? != b'\n' {
            return None;
        }
        batch.turn(u32::try_from(session).ok()?, Some(i64::try_from(transaction).ok()?));
        Some(at + 1)
    }

    /// The number that stands here, and where what comes after `sign` begins.
    #[inline]
    fn number(&self, at: usize, sign: u8) -> Option<(u64, usize)> {
        let eight: [u8; 8] = self.bytes.get(at..at + 8)?.try_into().ok()?;
        let digits = u64::from_le_bytes(eight) ^ ZEROS;
        // Digits are 0 to 9 now. All other bytes have one of their four high bits set, or get one by adding 6.
        let others = (digits.wrapping_add(SIXES) | digits) & HIGH;
        let count = others.trailing_zeros() as usize / 8;
        let (number, end) = match count {
            0 => return None,
            1..8 => (value_of(digits << (64 - 8 * count)), at + count),
            _ => self.long_number(at)?,
        };
        (*self.bytes.get(end)? == sign).then_some((number, end + 1))
    }

    /// A number of at most 19 digits, which always fits, and where it ends.
    fn long_number(&self, at: usize) -> Option<(u64, usize)> {
        let rest = &self.bytes[at..];
        let count = rest.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = rest[..count].iter().map(|byte| u64::from(byte - b'0'));
        (count <= DIGITS_MAX).then(|| (digits.fold(0, |number, digit| number * 10 + digit), at + count))
    }
}

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const SIXES: u64 = u64::from_le_bytes([6; 8]);
const HIGH: u64 = u64::from_le_bytes([0xf0; 8]);
/// Numbers of more digits may not fit 64 bits.
const DIGITS_MAX: usize = 19;

/// The number with these eight digits, of which the lowest byte is the first: pairs, fours, all of them.
fn value_of(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_become_the_number_that_they_spell() {
        for number in [0, 7, 10, 99, 1_234_567, 12_345_678, 9_999_999_999_999_999_999] {
            let bytes = format!("{number},and so on");
            let lines = Lines { bytes: bytes.as_bytes(), at: 0, end: None };
            let end = number.to_string().len();
            assert_eq!(lines.number(0, b','), Some((number, end + 1)), "{number}");
            assert_eq!(lines.number(0, b')'), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn what_is_no_digit_ends_a_number(count in 0_usize..10, byte: u8, after in any::<[u8; 10]>()) {
            prop_assume!(!byte.is_ascii_digit());
            let digits = &"1234567890"[..count];
            let bytes = [digits.as_bytes(), &[byte], &after].concat();
            let lines = Lines { bytes: &bytes, at: 0, end: None };
            let number = digits.parse().ok();
            prop_assert_eq!(lines.number(0, byte), number.map(|number: u64| (number, count + 1)));
        }
    }
}
