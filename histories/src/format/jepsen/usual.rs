//! A file is written by one program, so its maps look alike: what stands between the values of one map
//! most likely stands between those of the next. Where it does, comparing bytes finds the values; where it
//! does not, the field is read as any other.
//!
//! ```text
//!   {"index":0,"time":32742,"type":"invoke","process":9,"f":"txn","value":[["r",9,null]]}
//!    ╰──────╯ ╰──────╯     ╰──────╯        ╰─────────╯ ╰───╯     ╰───────╯
//! ```
//!
//! Invariant: what is read here is what would have been read without it. So what stands before a value is
//! learnt only if its last sign ends the name, and space may follow.

use super::super::cursor::{Cursor, Syntax};
use super::record::{Kind, Verb};

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

/// What stands before each value of a map, from the value before it on.
#[derive(Debug, Default)]
pub(super) struct Layout {
    fields: Vec<(Box<[u8]>, Field)>,
}

impl Layout {
    /// Passes over what stands before value number `index`, if that is known and stands here.
    #[inline]
    pub(super) fn next(&self, index: usize, cursor: &mut Cursor<'_>) -> Option<Field> {
        let (before, field) = self.fields.get(index)?;
        cursor.rest().starts_with(before).then(|| cursor.skip(before.len()))?;
        Some(*field)
    }

    /// From now on this is what stands before value number `index`.
    pub(super) fn learn(&mut self, index: usize, before: &[u8], field: Field) {
        if !before.ends_with(b" ") && !before.ends_with(b"\":") {
            self.fields.truncate(index);
        } else if index < self.fields.len() {
            self.fields[index] = (before.into(), field);
        } else if index == self.fields.len() {
            self.fields.push((before.into(), field));
        }
    }
}

/// A whole number of at most 18 digits with a sign that ends it; none if anything else stands here.
#[inline]
pub(super) fn integer(cursor: &mut Cursor<'_>) -> Option<i64> {
    let rest = cursor.rest();
    let digits = rest.iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
    let ends = rest.get(digits).is_some_and(|next| ends_word(*next));
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
        Syntax::Json => [(b"\"invoke\"", Kind::Invoke), (b"\"ok\"", Kind::Ok)],
        Syntax::Edn => [(b":invoke", Kind::Invoke), (b":ok", Kind::Ok)],
    };
    usual.into_iter().find(|(spelled, _)| word(spelled, cursor)).map(|(_, kind)| kind)
}

/// True if the function is `txn`, which is then passed over.
#[inline]
pub(super) fn is_transaction(cursor: &mut Cursor<'_>) -> bool {
    word(if cursor.syntax() == Syntax::Json { b"\"txn\"" } else { b":txn" }, cursor)
}

/// The beginning of a micro-op up to its value: what it does, and its key, a whole number, as it is spelled.
#[inline]
pub(super) fn beginning<'a>(cursor: &mut Cursor<'a>) -> Option<(Verb, &'a [u8])> {
    let (usual, between): ([(&[u8], Verb); 3], u8) = match cursor.syntax() {
        Syntax::Json => {
            ([(b"[\"r\",", Verb::Read), (b"[\"append\",", Verb::Append), (b"[\"w\",", Verb::Write)], b',')
        }
        Syntax::Edn => ([(b"[:r ", Verb::Read), (b"[:append ", Verb::Append), (b"[:w ", Verb::Write)], b' '),
    };
    let (spelled, verb) = usual.into_iter().find(|(spelled, _)| cursor.rest().starts_with(spelled))?;
    cursor.skip(spelled.len());
    let begin = cursor.at();
    integer(cursor)?;
    let key = cursor.since(begin);
    cursor.eat(between).then_some((verb, key))
}

/// True if nothing is what the value is, which is then passed over.
#[inline]
pub(super) fn is_nothing(cursor: &mut Cursor<'_>) -> bool {
    word(if cursor.syntax() == Syntax::Json { b"null" } else { b"nil" }, cursor)
}

/// Passes over a word, if it stands here and ends.
#[inline]
fn word(spelled: &[u8], cursor: &mut Cursor<'_>) -> bool {
    let rest = cursor.rest();
    let found = rest.starts_with(spelled) && rest.get(spelled.len()).is_some_and(|next| ends_word(*next));
    if found {
        cursor.skip(spelled.len());
    }
    found
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ')
}
