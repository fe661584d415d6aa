//! A file is written by one program, so its maps look alike: what stands between the values of one map
//! most likely stands between those of the next. Where it does, comparing bytes finds the values; where it
//! does not, the map is read as any other.
//!
//! ```text
//!   {"index":0,"time":32742,"type":"invoke","process":9,"f":"txn","value":[["r",9,null]]}
//!   ╰───────╯ ╰─────╯     ╰──────╯        ╰─────────╯ ╰───╯     ╰───────╯               ╰╯
//!   known     known       known           known       known     known                    end
//! ```
//!
//! Invariant: what is read here is what would have been read without it.

use super::super::cursor::{Cursor, Syntax};
use super::record::{Kind, Verb};

/// Maps in a row that look otherwise, after which the layout is learnt anew.
const MISSES_MAX: u32 = 16;

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    Process,
    Function,
    Key,
    Time,
    Error,
    Value,
    /// Anything else says nothing to us.
    Other,
}

impl Field {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "type" => Self::Type,
            "process" => Self::Process,
            "f" => Self::Function,
            "key" => Self::Key,
            "time" => Self::Time,
            "error" => Self::Error,
            "value" => Self::Value,
            _ => Self::Other,
        }
    }
}

/// What stands before each value of a map.
#[derive(Debug, Default)]
pub(super) struct Layout {
    fields: Vec<(Box<[u8]>, Field)>,
    misses: u32,
}

impl Layout {
    /// Passes over what stands before value number `index`, if that is known and stands here.
    #[inline]
    pub(super) fn next(&self, index: usize, cursor: &mut Cursor<'_>) -> Option<Field> {
        let (before, field) = self.fields.get(index)?;
        cursor.rest().starts_with(before).then(|| cursor.skip(before.len()))?;
        Some(*field)
    }

    /// True if a map was read as far as the layout goes.
    pub(super) fn is_whole(&self, index: usize) -> bool {
        index > 0 && index == self.fields.len()
    }

    pub(super) fn hit(&mut self) {
        self.misses = 0;
    }

    /// True if this map, which looks otherwise, is to be learnt.
    pub(super) fn miss(&mut self) -> bool {
        self.misses += 1;
        let learn = self.fields.is_empty() || self.misses > MISSES_MAX;
        if learn {
            self.fields.clear();
            self.misses = 0;
        }
        learn
    }

    pub(super) fn learn(&mut self, before: &[u8], field: Field) {
        self.fields.push((before.into(), field));
    }
}

/// A whole number of at most 18 digits with a sign that ends it; none if anything else stands here.
#[inline]
pub(super) fn integer(cursor: &mut Cursor<'_>) -> Option<i64> {
    let rest = cursor.rest();
    let digits = rest.iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
    let ends = matches!(rest.get(digits), Some(b',' | b']' | b'}' | b' '));
    if digits == 0 || digits > 18 || !ends {
        return None;
    }
    let number = rest[..digits].iter().fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    cursor.skip(digits);
    Some(number)
}

/// The type, if it is the usual one of two.
#[inline]
pub(super) fn kind(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let usual: [(&[u8], Kind); 2] = match cursor.syntax() {
        Syntax::Json => [(b"\"invoke\",", Kind::Invoke), (b"\"ok\",", Kind::Ok)],
        Syntax::Edn => [(b":invoke,", Kind::Invoke), (b":ok,", Kind::Ok)],
    };
    let (spelled, kind) = usual.into_iter().find(|(spelled, _)| cursor.rest().starts_with(spelled))?;
    // The comma is for whoever comes next.
    cursor.skip(spelled.len() - 1);
    Some(kind)
}

/// True if the function is `txn`, which is then passed over.
#[inline]
pub(super) fn is_transaction(cursor: &mut Cursor<'_>) -> bool {
    let usual: &[u8] = match cursor.syntax() {
        Syntax::Json => b"\"txn\",",
        Syntax::Edn => b":txn,",
    };
    let found = cursor.rest().starts_with(usual);
    if found {
        cursor.skip(usual.len() - 1);
    }
    found
}

/// The beginning of a micro-op up to its key.
#[inline]
pub(super) fn verb(cursor: &mut Cursor<'_>) -> Option<Verb> {
    let usual: [(&[u8], Verb); 3] = match cursor.syntax() {
        Syntax::Json => {
            [(b"[\"r\",", Verb::Read), (b"[\"append\",", Verb::Append), (b"[\"w\",", Verb::Write)]
        }
        Syntax::Edn => [(b"[:r ", Verb::Read), (b"[:append ", Verb::Append), (b"[:w ", Verb::Write)],
    };
    let (spelled, verb) = usual.into_iter().find(|(spelled, _)| cursor.rest().starts_with(spelled))?;
    // A space more would be read as a part of the key.
    let next = cursor.rest().get(spelled.len())?;
    next.is_ascii_digit().then(|| cursor.skip(spelled.len()))?;
    Some(verb)
}

/// Passes over what stands between the key and the value of a micro-op, and over nothing as its value: true
/// if it is nothing. None if anything else stands here.
#[inline]
pub(super) fn is_nothing(cursor: &mut Cursor<'_>) -> Option<bool> {
    let (between, nothing): (u8, &[u8]) = match cursor.syntax() {
        Syntax::Json => (b',', b"null]"),
        Syntax::Edn => (b' ', b"nil]"),
    };
    let rest = cursor.rest();
    if *rest.first()? != between || !matches!(rest.get(1)?, b'[' | b'n' | b'0'..=b'9') {
        return None;
    }
    let found = rest[1..].starts_with(nothing);
    cursor.skip(if found { nothing.len() } else { 1 });
    Some(found)
}
