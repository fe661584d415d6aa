//! Words, numbers and brackets of EDN and of JSON, straight from bytes. The two differ in little: a key of
//! EDN is a keyword, `:type :ok`, one of JSON a text before a colon, `"type": "ok"`.
//!
//! ```text
//! {:process 3, :type :ok, :f :txn, :value [[:r "x" [1 2]]]}
//! {"process": 3, "type": "ok", "f": "txn", "value": [["r", "x", [1, 2]]]}
//! ```
//!
//! Source: the edn-format specification; RFC 8259. Nothing is copied but texts with escapes.

use std::borrow::Cow;

use crate::Value;

/// Brackets nested deeper than this are refused, which guards the stack.
const DEPTH_MAX: usize = 127;

/// In which of the two something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Edn,
    Json,
}

/// What cannot be read, and what was expected instead.
#[derive(Debug)]
pub(super) struct Flaw {
    /// How many bytes into the piece.
    pub(super) at: usize,
    pub(super) reason: String,
}

/// What a word is: `:ok`, `"ok"`, `nil`, `5`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Atom<'a> {
    Nil,
    Integer(i64),
    /// Between quotes.
    Text(Cow<'a, str>),
    /// A keyword of EDN, without its colon.
    Keyword(&'a str),
    /// Anything else, as it is spelled: a symbol, a truth value, a number with a fraction.
    Other(&'a str),
}

/// A place in the bytes.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
    touched_end: bool,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], syntax: Syntax) -> Self {
        Self { bytes, at: 0, syntax, touched_end: false, depth: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// True if what was read might go on beyond the last byte.
    pub(super) fn touched_end(&self) -> bool {
        self.touched_end
    }

    pub(super) fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Passes over so many bytes that are known.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Reads again from `begin` on.
    pub(super) fn go_back(&mut self, begin: usize) {
        self.at = begin;
    }

    /// What stands between `begin` and here.
    pub(super) fn since(&self, begin: usize) -> &'a [u8] {
        &self.bytes[begin..self.at]
    }

    pub(super) fn flaw(&self, reason: impl Into<String>) -> Flaw {
        Flaw { at: self.at, reason: reason.into() }
    }

    /// Names what stands here instead of what was expected.
    pub(super) fn expected(&self, what: &str) -> Flaw {
        self.flaw(format!("{}, expected {what}", self.found()))
    }

    fn found(&self) -> String {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return "the end of the file".into();
        }
        let word = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
        let word = String::from_utf8_lossy(&rest[..word.clamp(1, rest.len())]);
        match word.char_indices().nth(40) {
            Some((end, _)) => format!("`{}…`", &word[..end]),
            None => format!("`{word}`"),
        }
    }

    /// The next byte, or zero at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        match self.bytes.get(self.at) {
            Some(byte) => *byte,
            None => {
                self.touched_end = true;
                0
            }
        }
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.at == self.bytes.len() && self.peek() == 0
    }

    /// Passes over what means nothing: spaces, and in EDN commas, comments and discarded forms.
    #[inline]
    pub(super) fn skip_space(&mut self) -> Result<(), Flaw> {
        match self.bytes.get(self.at) {
            Some(b'a'..=b'z' | b'0'..=b'9' | b'"' | b':' | b'[' | b']' | b'{' | b'}') => Ok(()),
            _ => self.skip_any_space(),
        }
    }

    fn skip_any_space(&mut self) -> Result<(), Flaw> {
        loop {
            match self.peek() {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                b',' if self.syntax == Syntax::Edn => self.at += 1,
                b';' if self.syntax == Syntax::Edn => self.skip_line(),
                b'#' if self.syntax == Syntax::Edn && self.looking_at(b"#_") => {
                    self.at += 2;
                    self.deeper()?;
                    self.skip_form()?;
                    self.depth -= 1;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Passes over everything before the next line end.
    pub(super) fn skip_line(&mut self) {
        while !self.is_at_end() && self.peek() != b'\n' {
            self.at += 1;
        }
    }

    /// True if these bytes come next.
    pub(super) fn looking_at(&mut self, literal: &[u8]) -> bool {
        let rest = &self.bytes[self.at..];
        self.touched_end |= rest.len() < literal.len();
        rest.starts_with(literal)
    }

    /// The first two bytes in a bracket and in the bracket that it begins with, if it does.
    pub(super) fn peek_twice(&mut self) -> [u8; 2] {
        let rest = &self.bytes[self.at + 1..];
        let mut signs = rest.iter().filter(|byte| !byte.is_ascii_whitespace());
        let found = [signs.next(), signs.next()];
        self.touched_end |= found[1].is_none();
        found.map(|byte| byte.copied().unwrap_or(0))
    }

    /// Passes over this byte, if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte && !self.is_at_end();
        self.at += usize::from(found);
        found
    }

    /// Opens a bracket.
    pub(super) fn open(&mut self, bracket: u8) -> Result<(), Flaw> {
        if !self.eat(bracket) {
            return Err(self.expected(&format!("`{}`", char::from(bracket))));
        }
        self.deeper()?;
        self.skip_space()
    }

    fn deeper(&mut self) -> Result<(), Flaw> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.flaw(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(())
    }

    /// Closes a bracket, if that is what comes next; else stands before the next thing in it.
    pub(super) fn close(&mut self, bracket: u8) -> Result<bool, Flaw> {
        self.skip_space()?;
        let closed = self.eat(bracket);
        self.depth -= usize::from(closed);
        Ok(closed)
    }

    /// Passes over what separates two things in a bracket; in EDN that is a space, in JSON a comma.
    pub(super) fn separator(&mut self, bracket: u8) -> Result<(), Flaw> {
        self.skip_space()?;
        if self.syntax == Syntax::Edn || self.peek() == bracket {
            return Ok(());
        }
        if !self.eat(b',') {
            return Err(self.expected(&format!("`,` or `{}`", char::from(bracket))));
        }
        self.skip_space()?;
        if self.peek() == bracket {
            return Err(self.flaw("a comma where it ends"));
        }
        Ok(())
    }

    /// The name of a field, and what stands between it and its value.
    pub(super) fn field(&mut self) -> Result<Cow<'a, str>, Flaw> {
        let begin = self.at;
        let name = match self.atom()? {
            Atom::Keyword(name) => Cow::Borrowed(name),
            Atom::Text(name) => name,
            _ => {
                self.at = begin;
                return Err(self.expected(match self.syntax {
                    Syntax::Edn => "a keyword such as `:type`",
                    Syntax::Json => "a name in quotes such as `\"type\"`",
                }));
            }
        };
        self.skip_space()?;
        if self.syntax == Syntax::Json {
            if !self.eat(b':') {
                return Err(self.expected("`:`"));
            }
            self.skip_space()?;
        }
        Ok(name)
    }

    /// The next word.
    pub(super) fn atom(&mut self) -> Result<Atom<'a>, Flaw> {
        match self.peek() {
            b'"' => self.text().map(Atom::Text),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let begin = self.at;
                let word = self.word()?;
                if word.is_empty() {
                    return Err(self.expected("a value"));
                }
                match (word, self.syntax) {
                    ("nil", Syntax::Edn) | ("null", Syntax::Json) => Ok(Atom::Nil),
                    ("true" | "false", Syntax::Json) => Ok(Atom::Other(word)),
                    (_, Syntax::Json) => {
                        self.at = begin;
                        Err(self.expected("a value"))
                    }
                    (_, Syntax::Edn) => match word.strip_prefix(':') {
                        Some("") => Err(self.flaw("a keyword without a name")),
                        Some(name) => Ok(Atom::Keyword(name)),
                        None => Ok(Atom::Other(word)),
                    },
                }
            }
        }
    }

    fn word(&mut self) -> Result<&'a str, Flaw> {
        let begin = self.at;
        while is_word(self.peek()) {
            self.at += 1;
        }
        self.utf8(begin, self.at)
    }

    fn utf8(&self, begin: usize, end: usize) -> Result<&'a str, Flaw> {
        std::str::from_utf8(&self.bytes[begin..end])
            .map_err(|error| Flaw { at: begin + error.valid_up_to(), reason: "not UTF-8".into() })
    }

    fn number(&mut self) -> Result<Atom<'a>, Flaw> {
        let begin = self.at;
        let negative = self.eat(b'-');
        let mut number = Some(0_i64);
        let digits = self.at;
        while let digit @ b'0'..=b'9' = self.peek() {
            let digit = i64::from(digit - b'0');
            number = number.and_then(|number| number.checked_mul(10));
            number = number.and_then(|number| number.checked_add(if negative { -digit } else { digit }));
            self.at += 1;
        }
        let whole = self.at > digits;
        // 5N is an integer of any size in EDN.
        if whole && self.syntax == Syntax::Edn {
            self.eat(b'N');
        }
        if whole && !is_word(self.peek()) {
            let Some(number) = number else {
                self.at = begin;
                return Err(self.expected("a number that fits a signed 64-bit integer"));
            };
            return Ok(Atom::Integer(number));
        }
        let rest = self.word()?;
        if !whole && self.syntax == Syntax::Json || rest.is_empty() && !whole && !negative {
            self.at = begin;
            return Err(self.expected("a number"));
        }
        Ok(Atom::Other(self.utf8(begin, self.at)?))
    }

    /// Digits, perhaps with a sign; up to 64 bits, of which the highest is the sign.
    #[inline]
    pub(super) fn whole_number(&mut self, what: &str) -> Result<i64, Flaw> {
        let begin = self.at;
        let negative = self.eat(b'-');
        let digits = self.at;
        let mut number = 0_u64;
        while let digit @ b'0'..=b'9' = self.peek() {
            let next = number.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit - b'0')));
            let Some(next) = next else {
                self.at = begin;
                return Err(self.expected("a number of at most 64 bits"));
            };
            number = next;
            self.at += 1;
        }
        if self.at == digits {
            return Err(self.expected(what));
        }
        Ok(if negative { (number as i64).wrapping_neg() } else { number as i64 })
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Flaw> {
        let opened = self.at;
        self.at += 1;
        let begin = self.at;
        loop {
            match self.peek() {
                b'"' => {
                    let text = self.utf8(begin, self.at)?;
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                b'\\' => return self.text_with_escapes(begin).map(Cow::Owned),
                0 if self.is_at_end() => return Err(self.flaw(unclosed(opened))),
                _ => self.at += 1,
            }
        }
    }

    fn text_with_escapes(&mut self, begin: usize) -> Result<String, Flaw> {
        let mut text = self.utf8(begin, self.at)?.to_string();
        loop {
            let plain = self.at;
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                0 if self.is_at_end() => return Err(self.flaw(unclosed(begin - 1))),
                _ => {
                    while !matches!(self.peek(), b'"' | b'\\') && !self.is_at_end() {
                        self.at += 1;
                    }
                    text.push_str(self.utf8(plain, self.at)?);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Flaw> {
        let letter = self.peek();
        let plain = match letter {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(letter),
            b'u' => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.expected("one of the escapes \\n \\t \\r \\b \\f \\\" \\\\ \\uXXXX")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn code_point(&mut self) -> Result<char, Flaw> {
        let begin = self.at;
        let first = self.hexadecimal()?;
        if let 0xd800..0xdc00 = first
            && self.looking_at(b"\\u")
        {
            self.at += 2;
            let second = self.hexadecimal()?;
            let pair = char::decode_utf16([first, second]).next().and_then(Result::ok);
            return pair.ok_or(Flaw { at: begin, reason: "half of a pair of surrogates".into() });
        }
        char::from_u32(u32::from(first))
            .ok_or(Flaw { at: begin, reason: "half of a pair of surrogates".into() })
    }

    fn hexadecimal(&mut self) -> Result<u16, Flaw> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()).to_digit(16);
            let Some(digit) = digit else { return Err(self.expected("four hexadecimal digits")) };
            number = number << 4 | digit as u16;
            self.at += 1;
        }
        Ok(number)
    }

    /// A value: a number, a text, a list of them; none for nil.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Flaw> {
        let close = match self.peek() {
            b'[' => b']',
            b'(' if self.syntax == Syntax::Edn => b')',
            b'#' if self.looking_at(b"#{") => {
                self.at += 1;
                b'}'
            }
            b'{' => return Err(self.expected("a number, a text, or a list of these")),
            _ => return self.atom().map(value_of),
        };
        let open = self.peek();
        self.open(open)?;
        let mut elements = Vec::new();
        while !self.close(close)? {
            let begin = self.at;
            let Some(element) = self.value()? else {
                return Err(Flaw { at: begin, reason: "nothing within a list, expected a value".into() });
            };
            elements.push(element);
            self.separator(close)?;
        }
        Ok(Some(Value::List(elements.into())))
    }

    /// Passes over the next form, whatever it is.
    pub(super) fn skip_form(&mut self) -> Result<(), Flaw> {
        self.skip_space()?;
        let close = match self.peek() {
            b'[' => b']',
            b'{' => b'}',
            b'(' if self.syntax == Syntax::Edn => b')',
            b'#' | b'^' if self.syntax == Syntax::Edn => return self.skip_tagged(),
            b'\\' if self.syntax == Syntax::Edn => return self.skip_character(),
            _ => return self.atom().map(drop),
        };
        let open = self.peek();
        self.open(open)?;
        while !self.close(close)? {
            if close == b'}' && self.syntax == Syntax::Json {
                self.field()?;
            }
            self.skip_form()?;
            self.separator(close)?;
        }
        Ok(())
    }

    /// `#{1 2}`, `#inst "…"`, `#jepsen.history.Op{…}`.
    fn skip_tagged(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        self.deeper()?;
        self.word()?;
        self.skip_form()?;
        self.depth -= 1;
        Ok(())
    }

    /// `\a`, `\newline`.
    fn skip_character(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        if !self.is_at_end() {
            self.at += 1;
        }
        while is_word(self.peek()) {
            self.at += 1;
        }
        Ok(())
    }

    /// The tag before a form, such as `jepsen.history.Op`; empty if there is none.
    pub(super) fn tag(&mut self) -> Result<&'a str, Flaw> {
        if self.syntax == Syntax::Json || self.peek() != b'#' || self.looking_at(b"#{") {
            return Ok("");
        }
        self.at += 1;
        let tag = self.word()?;
        self.skip_space()?;
        Ok(tag)
    }
}

/// What a word means as a value.
pub(super) fn value_of(atom: Atom<'_>) -> Option<Value> {
    match atom {
        Atom::Nil => None,
        Atom::Integer(integer) => Some(Value::Integer(integer)),
        Atom::Text(text) => Some(Value::Text(text.into())),
        Atom::Keyword(name) => Some(Value::Text(format!(":{name}").into())),
        Atom::Other(word) => Some(Value::from(word)),
    }
}

fn unclosed(_: usize) -> String {
    "the end of the file, expected the quote that ends a text".into()
}

fn is_word(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | b',' | b'"' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | 0x7f)
}
