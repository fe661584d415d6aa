//! Anything that EDN or JSON can write, as a tree: for the values of calls whose shape says what they mean.

use super::cursor::{Cursor, Flaw, Syntax, value_of};
use crate::Value;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Datum {
    Nil,
    /// A number, a text, a keyword, …
    Value(Value),
    /// A vector, a list or a set.
    List(Vec<Datum>),
    Map(Vec<(Datum, Datum)>),
    /// `#jepsen.independent/tuple [k v]`: surely a key and a value, where `[k v]` may be anything.
    Tuple(Box<(Datum, Datum)>),
}

impl Datum {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Flaw> {
        match cursor.peek() {
            b'[' => Self::list(cursor, b'[', b']'),
            b'{' => Self::map(cursor),
            b'(' if cursor.syntax() == Syntax::Edn => Self::list(cursor, b'(', b')'),
            b'#' if cursor.syntax() == Syntax::Edn => Self::tagged(cursor),
            _ => Ok(cursor.atom().map(value_of)?.map_or(Self::Nil, Self::Value)),
        }
    }

    fn list(cursor: &mut Cursor<'_>, open: u8, close: u8) -> Result<Self, Flaw> {
        cursor.open(open)?;
        let mut elements = Vec::new();
        while !cursor.close(close)? {
            elements.push(Self::read(cursor)?);
            cursor.separator(close)?;
        }
        Ok(Self::List(elements))
    }

    fn map(cursor: &mut Cursor<'_>) -> Result<Self, Flaw> {
        cursor.open(b'{')?;
        let mut entries = Vec::new();
        while !cursor.close(b'}')? {
            let name = match cursor.syntax() {
                Syntax::Json => Self::Value(Value::from(&*cursor.field()?)),
                Syntax::Edn => Self::read(cursor)?,
            };
            cursor.skip_space()?;
            entries.push((name, Self::read(cursor)?));
            cursor.separator(b'}')?;
        }
        Ok(Self::Map(entries))
    }

    fn tagged(cursor: &mut Cursor<'_>) -> Result<Self, Flaw> {
        let begin = cursor.at();
        if cursor.looking_at(b"#{") {
            cursor.eat(b'#');
            return Self::list(cursor, b'{', b'}');
        }
        let tag = cursor.tag()?;
        let datum = Self::deeper(cursor)?;
        if !tag.to_ascii_lowercase().ends_with("tuple") {
            return Ok(datum);
        }
        datum
            .into_tuple()
            .ok_or(Flaw { at: begin, reason: format!("#{tag} of something, expected [key value]") })
    }

    // A tag on a tag on a tag … nests, too.
    fn deeper(cursor: &mut Cursor<'_>) -> Result<Self, Flaw> {
        if cursor.peek() == b'#' && !cursor.looking_at(b"#{") {
            return Err(cursor.expected("a form without a second tag"));
        }
        Self::read(cursor)
    }

    fn into_tuple(self) -> Option<Self> {
        let pair = match self {
            Self::List(elements) => <[Self; 2]>::try_from(elements).ok()?.into(),
            Self::Map(entries) => {
                let field = |name: &str| {
                    let found = entries.iter().find(|(key, _)| key.is_named(name));
                    found.map(|(_, value)| value.clone())
                };
                (field("key")?, field("value")?)
            }
            Self::Nil | Self::Value(_) | Self::Tuple(_) => return None,
        };
        Some(Self::Tuple(Box::new(pair)))
    }

    /// True if it is the keyword or text of this name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Value(Value::Text(text)) if text.trim_start_matches(':') == name)
    }

    /// As a value of a key: none for nil; what it is instead, if it is no value.
    pub(super) fn into_value(self) -> Result<Option<Value>, &'static str> {
        match self {
            Self::Nil => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            Self::List(elements) => {
                elements.into_iter().map(Self::into_element).collect::<Result<_, _>>().map(Some)
            }
            Self::Map(_) => Err("a map"),
            Self::Tuple(_) => Err("a tuple"),
        }
    }

    fn into_element(self) -> Result<Value, &'static str> {
        self.into_value()?.ok_or("nothing within a list")
    }
}
