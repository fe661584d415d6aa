//! Reads of a list that grows: what stands in the file was mostly read before, so that comparing its text
//! with that of the longest list of its key finds the elements without reading them again.
//!
//! ```text
//!   longest   [1 2 3 4 5
//!   next      [1 2 3 4 5 6]      goes on: 6 is read, and it is the longest now
//!   next      [1 2 3]            ends within: its first three elements
//!   next      [1 2 4]            read one by one
//! ```

use super::super::cursor::{Atom, Cursor, Flaw};
use crate::{List, Value};

/// The longest list of integers that was read of a key.
#[derive(Debug)]
pub(super) struct Growing {
    /// As it is spelled, without the bracket that closes it.
    text: Vec<u8>,
    list: List,
    /// Where each element ends in `text`.
    ends: Vec<u32>,
}

impl Default for Growing {
    fn default() -> Self {
        Self { text: Vec::new(), list: Vec::new().into(), ends: Vec::new() }
    }
}

impl Growing {
    /// Reads a list.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Value>, Flaw> {
        let begin = cursor.at();
        let common = common_begin(&self.text, cursor.rest());
        let next = cursor.rest().get(common).copied();
        if common == self.text.len() && common > 0 {
            cursor.skip(common);
            if cursor.eat(b']') {
                return Ok(Some(Value::List(self.list.clone())));
            }
            if matches!(next, Some(b' ' | b',')) && self.go_on(cursor, begin).is_some() {
                return Ok(Some(Value::List(self.list.clone())));
            }
            self.ends.truncate(self.list.len());
            cursor.go_back(begin);
        } else if next == Some(b']')
            && let Ok(last) = self.ends.binary_search(&(common as u32))
        {
            cursor.skip(common + 1);
            return Ok(Some(Value::List(self.list.first(last + 1))));
        }
        self.read_anew(cursor)
    }

    /// Reads what follows the known elements; none if that is anything but integers.
    fn go_on(&mut self, cursor: &mut Cursor<'_>, begin: usize) -> Option<()> {
        let mut elements = self.list.to_vec();
        loop {
            cursor.separator(b']').ok()?;
            if cursor.eat(b']') {
                break;
            }
            let Ok(Atom::Integer(integer)) = cursor.atom() else { return None };
            elements.push(Value::Integer(integer));
            self.ends.push((cursor.at() - begin) as u32);
        }
        self.keep(elements.into(), cursor.since(begin))
    }

    fn read_anew(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Value>, Flaw> {
        let begin = cursor.at();
        let value = cursor.value()?;
        if let Some(Value::List(list)) = &value
            && list.len() > self.list.len()
        {
            let text = cursor.since(begin);
            let ends: Vec<u32> = ends(text).collect();
            if ends.len() == list.len() {
                self.ends = ends;
                let _ = self.keep(list.clone(), text);
            }
        }
        Ok(value)
    }

    fn keep(&mut self, list: List, text: &[u8]) -> Option<()> {
        self.list = list;
        self.text.clear();
        self.text.extend_from_slice(text.strip_suffix(b"]")?);
        Some(())
    }
}

/// Where integers end in a text that has nothing but them; nothing sensible in any other.
fn ends(text: &[u8]) -> impl Iterator<Item = u32> {
    let plain = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b' ' | b',' | b'[' | b']'));
    let nested = text.iter().filter(|byte| **byte == b'[').count() > 1;
    let text = if plain && !nested { text } else { &[] };
    let end = |pair: &[u8]| pair[0].is_ascii_digit() && !pair[1].is_ascii_digit();
    text.windows(2).enumerate().filter(move |(_, pair)| end(pair)).map(|(at, _)| at as u32 + 1)
}

/// How many bytes two texts have in common from their beginning.
fn common_begin(one: &[u8], other: &[u8]) -> usize {
    const STEP: usize = 16;
    let steps = one.chunks_exact(STEP).zip(other.chunks_exact(STEP));
    let equal = steps.take_while(|(one, other)| one == other).count() * STEP;
    let rest = one[equal..].iter().zip(&other[equal..]);
    equal + rest.take_while(|(one, other)| one == other).count()
}
