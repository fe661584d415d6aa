//! Reads of a list that grows: what stands in the file was mostly read before, so that comparing its text
//! with that of the longest list of its key finds the elements without reading them again. What is read is
//! only how long it is; which list it is the start of is known when its batch ends.
//!
//! ```text
//!   longest   [1 2 3 4 5
//!   next      [1 2 3 4 5 6]      goes on: 6 is read, and it is the longest now
//!   next      [1 2 3]            ends within: its first three elements
//!   next      [1 2 4]            read one by one
//! ```

use super::super::cursor::{Atom, Cursor, Flaw};
use super::batch::RawValue;
use crate::{List, Value};

/// The longest list of integers that was read of a key.
#[derive(Debug, Default)]
pub(super) struct Growing {
    /// As it is spelled, without the bracket that closes it.
    text: Vec<u8>,
    /// Where each element ends in `text`.
    ends: Vec<u32>,
    /// Its elements: those that were there when a batch ended, and those that came since.
    list: List,
    more: Vec<Value>,
    /// Which list of the batch it will be.
    place: Option<u32>,
}

/// The lists of a batch, of which the longest are known when it ends.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: Vec<List>,
    /// The keys that have one.
    open: Vec<u32>,
}

impl Lists {
    /// All lists, now that the batch ends.
    pub(super) fn finish(&mut self, growing: &mut [Growing]) -> Vec<List> {
        for key in std::mem::take(&mut self.open) {
            growing[key as usize].close(self);
        }
        std::mem::take(&mut self.lists)
    }
}

impl Growing {
    /// Reads a list of the key with this number.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        key: u32,
        lists: &mut Lists,
    ) -> Result<RawValue, Flaw> {
        let begin = cursor.at();
        let common = common_begin(&self.text, cursor.rest());
        let next = cursor.rest().get(common).copied();
        if common == self.text.len() && common > 0 {
            cursor.skip(common);
            if cursor.eat(b']') || matches!(next, Some(b' ' | b',')) && self.go_on(cursor, begin).is_some() {
                return Ok(self.start(self.ends.len(), key, lists));
            }
            self.ends.truncate(self.list.len() + self.more.len());
            cursor.go_back(begin);
        } else if next == Some(b']')
            && let Ok(last) = self.ends.binary_search(&(common as u32))
        {
            cursor.skip(common + 1);
            return Ok(self.start(last + 1, key, lists));
        }
        self.read_anew(cursor, key, lists)
    }

    /// Its first elements.
    fn start(&mut self, length: usize, key: u32, lists: &mut Lists) -> RawValue {
        let list = *self.place.get_or_insert_with(|| {
            lists.open.push(key);
            lists.lists.push(List::default());
            lists.lists.len() as u32 - 1
        });
        RawValue::Start { list, length: length as u32 }
    }

    /// Reads what follows the known elements; none if that is anything but integers.
    fn go_on(&mut self, cursor: &mut Cursor<'_>, begin: usize) -> Option<()> {
        let known = self.more.len();
        let whole = self.read_more(cursor, begin);
        if whole.is_none() {
            self.more.truncate(known);
        }
        whole
    }

    fn read_more(&mut self, cursor: &mut Cursor<'_>, begin: usize) -> Option<()> {
        loop {
            cursor.separator(b']').ok()?;
            if cursor.eat(b']') {
                break;
            }
            let Ok(Atom::Integer(integer)) = cursor.atom() else { return None };
            self.more.push(Value::Integer(integer));
            self.ends.push((cursor.at() - begin) as u32);
        }
        self.spell(cursor.since(begin))
    }

    fn read_anew(&mut self, cursor: &mut Cursor<'_>, key: u32, lists: &mut Lists) -> Result<RawValue, Flaw> {
        let begin = cursor.at();
        let value = cursor.value()?;
        if let Some(Value::List(list)) = &value
            && list.len() > self.ends.len()
        {
            let text = cursor.since(begin);
            let ends: Vec<u32> = ends(text).collect();
            if ends.len() == list.len() && self.spell(text).is_some() {
                self.close(lists);
                (self.ends, self.list) = (ends, list.clone());
                return Ok(self.start(list.len(), key, lists));
            }
        }
        Ok(value.map_or(RawValue::Nothing, RawValue::Value))
    }

    /// Tells the batch which list it is.
    fn close(&mut self, lists: &mut Lists) {
        if !self.more.is_empty() {
            self.list = self.list.iter().cloned().chain(self.more.drain(..)).collect();
        }
        if let Some(place) = self.place.take() {
            lists.lists[place as usize] = self.list.clone();
        }
    }

    fn spell(&mut self, text: &[u8]) -> Option<()> {
        let open = text.strip_suffix(b"]")?;
        self.text.clear();
        self.text.extend_from_slice(open);
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
    let steps = one.as_chunks::<16>().0.iter().zip(other.as_chunks::<16>().0);
    let equal = steps.take_while(|(one, other)| one == other).count() * 16;
    let rest = one[equal..].iter().zip(&other[equal..]);
    equal + rest.take_while(|(one, other)| one == other).count()
}
