//! One map of a history as Jepsen writes it, in EDN or, as elle-cli reads it, in JSON.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::cursor::{Atom, Cursor, Flaw, Syntax};
use super::super::datum::Datum;
use super::growing::Growing;
use super::usual::{self, Field, Layout};
use crate::{Key, Value};

/// What one line says.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) kind: Option<Kind>,
    pub(super) process: Process,
    pub(super) body: Body,
    /// `:key`, which the logs of key-value stores have beside `:value`.
    pub(super) key: Option<Key>,
    /// In nanoseconds.
    pub(super) time: Option<i64>,
    pub(super) error: Option<String>,
    /// Where the map begins, and where the value does, in bytes of the piece.
    pub(super) at: usize,
    pub(super) body_at: usize,
}

/// `:type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// `:process`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Process {
    /// The map has none.
    #[default]
    Missing,
    Client(i64),
    /// Anything that is no number is no client: `:nemesis`.
    Other(String),
}

/// `:value`.
#[derive(Debug)]
pub(super) enum Body {
    /// A transaction; its micro-ops are in [`Reader::steps`].
    Transaction,
    Other(Datum),
}

impl Default for Body {
    fn default() -> Self {
        Self::Other(Datum::Nil)
    }
}

/// `[:r k v]`: what a micro-op of a transaction says.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) verb: Verb,
    pub(super) key: Key,
    pub(super) value: Option<Value>,
}

/// What a micro-op does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
    Append,
    Add,
}

impl Verb {
    const ALL: [(&'static str, Self); 6] = [
        ("r", Self::Read),
        ("append", Self::Append),
        ("w", Self::Write),
        ("add", Self::Add),
        ("read", Self::Read),
        ("write", Self::Write),
    ];
}

/// Reads maps one by one; keeps one text for each key.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Where each key is in `keys`, by its spelling.
    known: FxHashMap<Box<[u8]>, usize>,
    keys: Vec<Known>,
    taken: FxHashSet<Key>,
    /// How the maps before this one looked.
    layout: Layout,
    /// `:f` of the record that was read last, without its colon, and the micro-ops of its transaction.
    pub(super) function: String,
    pub(super) steps: Vec<Step>,
}

/// A key, and the longest list of it that was read.
#[derive(Debug)]
struct Known {
    key: Key,
    list: Growing,
}

impl Reader {
    /// Forgets the record that was read last.
    pub(super) fn begin(&mut self) {
        self.steps.clear();
        self.function.clear();
    }

    /// Reads a map; none if the end of the file, or of the vector of maps, comes instead.
    pub(super) fn record(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Record>, Flaw> {
        self.begin();
        cursor.skip_space()?;
        if cursor.is_at_end() || cursor.peek() == b']' || cursor.peek() == b')' {
            return Ok(None);
        }
        cursor.tag()?;
        if cursor.peek() != b'{' {
            return Err(cursor.expected(match cursor.syntax() {
                Syntax::Edn => "a map such as `{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil]]}`",
                Syntax::Json => {
                    "an object such as `{\"type\":\"invoke\",\"process\":0,\"f\":\"txn\",\"value\":[[\"r\",1,null]]}`"
                }
            }));
        }
        let at = cursor.at();
        let mut record = Record { at, body_at: at, ..Record::default() };
        cursor.open(b'{')?;
        let mut count = 0;
        while let Some(field) = self.next_field(count, cursor)? {
            self.field(field, &mut record, cursor)?;
            count += 1;
        }
        if record.kind.is_none() {
            return Err(cursor.flaw("a map without `:type`, expected one of :invoke, :ok, :fail, :info"));
        }
        Ok(Some(record))
    }

    /// Stands before the value of the next field; none where the map ends. `count` fields were read before.
    fn next_field(&mut self, count: usize, cursor: &mut Cursor<'_>) -> Result<Option<Field>, Flaw> {
        if let Some(field) = self.layout.next(count, cursor) {
            cursor.skip_space()?;
            return Ok(Some(field));
        }
        let begin = cursor.at();
        if count > 0 {
            cursor.separator(b'}')?;
        }
        if cursor.close(b'}')? {
            return Ok(None);
        }
        let field = Field::named(&cursor.field()?);
        self.layout.learn(count, cursor.since(begin), field);
        Ok(Some(field))
    }

    fn field(&mut self, field: Field, record: &mut Record, cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
        match field {
            Field::Type => record.kind = Some(kind(cursor)?),
            Field::Process => record.process = process(cursor)?,
            Field::Function if usual::is_transaction(cursor) => self.function.push_str("txn"),
            Field::Function => {
                let name = name_of(cursor)?;
                self.function.push_str(&name);
            }
            Field::Key => {
                let known = self.key(cursor)?;
                record.key = Some(self.keys[known].key.clone());
            }
            Field::Time => record.time = time(cursor)?,
            Field::Error => {
                let begin = cursor.at();
                cursor.skip_form()?;
                record.error = reason(cursor.since(begin));
            }
            Field::Value => {
                record.body_at = cursor.at();
                record.body = self.body(cursor)?;
            }
            Field::Other if usual::integer(cursor).is_some() => {}
            Field::Other => cursor.skip_form()?,
        }
        Ok(())
    }

    fn body(&mut self, cursor: &mut Cursor<'_>) -> Result<Body, Flaw> {
        if !begins_transaction(cursor) {
            return Datum::read(cursor).map(Body::Other);
        }
        cursor.open(b'[')?;
        while !cursor.close(b']')? {
            let step = match self.usual_step(cursor)? {
                Some(step) => step,
                None => self.step(cursor)?,
            };
            self.steps.push(step);
            cursor.separator(b']')?;
        }
        Ok(Body::Transaction)
    }

    /// Reads a micro-op that is written as most are; none if it is not, and then nothing is read.
    fn usual_step(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Step>, Flaw> {
        let begin = cursor.at();
        let step = match usual::beginning(cursor) {
            Some((verb, spelled)) => self.usual_end(verb, spelled, cursor)?,
            None => None,
        };
        if step.is_none() {
            cursor.go_back(begin);
        }
        Ok(step)
    }

    fn usual_end(
        &mut self,
        verb: Verb,
        spelled: &[u8],
        cursor: &mut Cursor<'_>,
    ) -> Result<Option<Step>, Flaw> {
        let Some(known) = self.known.get(spelled) else { return Ok(None) };
        let Known { key, list } = &mut self.keys[*known];
        let value = match (verb, cursor.peek()) {
            (Verb::Read, b'[') => list.read(cursor)?,
            (Verb::Read, b'n') if usual::is_nothing(cursor) => None,
            _ => match usual::integer(cursor) {
                Some(integer) => Some(Value::Integer(integer)),
                None => return Ok(None),
            },
        };
        Ok(cursor.eat(b']').then(|| Step { verb, key: key.clone(), value }))
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<Step, Flaw> {
        cursor.open(b'[')?;
        let begin = cursor.at();
        let name = name_of(cursor)?;
        let Some((_, verb)) = Verb::ALL.iter().find(|(known, _)| *known == name) else {
            let reason = format!("the micro-op `{name}` is not known, expected one of r, w, append, add");
            return Err(Flaw { at: begin, reason });
        };
        cursor.separator(b']')?;
        let known = self.key(cursor)?;
        cursor.separator(b']')?;
        let value_at = cursor.at();
        let Known { key, list } = &mut self.keys[known];
        let value = match (verb, cursor.peek()) {
            (_, b']') => None,
            (Verb::Read, b'[') => list.read(cursor)?,
            _ => cursor.value()?,
        };
        let key = key.clone();
        if value.is_none() && *verb != Verb::Read {
            return Err(Flaw { at: value_at, reason: "nothing, expected the value that is written".into() });
        }
        if !cursor.close(b']')? {
            return Err(cursor.expected("`]`: a micro-op is [what key value]"));
        }
        Ok(Step { verb: *verb, key, value })
    }

    /// The place of a key in `keys`.
    fn key(&mut self, cursor: &mut Cursor<'_>) -> Result<usize, Flaw> {
        let begin = cursor.at();
        let plain = match cursor.peek() {
            b'[' | b'{' | b'(' | b'#' => {
                cursor.skip_form()?;
                None
            }
            _ => Some(cursor.atom()?),
        };
        let spelled = cursor.since(begin);
        if let Some(known) = self.known.get(spelled) {
            return Ok(*known);
        }
        Ok(self.new_key(spelled, plain.and_then(plain_name)))
    }

    /// Two keys are never one: where `5` and `"5"` are both used, the second keeps its quotes.
    fn new_key(&mut self, spelled: &[u8], plain: Option<String>) -> usize {
        let as_spelled = || String::from_utf8_lossy(spelled).into_owned();
        let name = plain.filter(|name| !self.taken.contains(name.as_str())).unwrap_or_else(as_spelled);
        let key = Key::from(name);
        self.taken.insert(key.clone());
        self.known.insert(spelled.into(), self.keys.len());
        self.keys.push(Known { key, list: Growing::default() });
        self.keys.len() - 1
    }

    /// The key that a datum names.
    pub(super) fn key_of(&mut self, datum: Datum) -> Option<Key> {
        let value = datum.into_value().ok()??;
        let (spelled, plain) = match &value {
            Value::Text(text) => match text.strip_prefix(':') {
                Some(name) => (text.to_string(), name.to_string()),
                None => (format!("\"{text}\""), text.to_string()),
            },
            Value::Integer(_) | Value::List(_) => (value.to_string(), value.to_string()),
        };
        Some(self.key_named(&spelled, plain))
    }

    /// A history of one object says nothing about its key.
    pub(super) fn only_key(&mut self) -> Key {
        self.key_named("", "x".into())
    }

    fn key_named(&mut self, spelled: &str, plain: String) -> Key {
        let known = self.known.get(spelled.as_bytes()).copied();
        let known = known.unwrap_or_else(|| self.new_key(spelled.as_bytes(), Some(plain)));
        self.keys[known].key.clone()
    }
}

fn plain_name(atom: Atom<'_>) -> Option<String> {
    match atom {
        Atom::Nil => None,
        Atom::Integer(integer) => Some(integer.to_string()),
        Atom::Text(text) => Some(text.into_owned()),
        Atom::Keyword(name) | Atom::Other(name) => Some(name.to_string()),
    }
}

/// `[[:r …` or `[["r", …`: what begins a transaction, and no other value.
fn begins_transaction(cursor: &mut Cursor<'_>) -> bool {
    if cursor.peek() != b'[' {
        return false;
    }
    cursor.peek_twice() == [b'[', if cursor.syntax() == Syntax::Edn { b':' } else { b'"' }]
}

fn kind(cursor: &mut Cursor<'_>) -> Result<Kind, Flaw> {
    if let Some(usual) = usual::kind(cursor) {
        return Ok(usual);
    }
    let begin = cursor.at();
    let name = name_of(cursor)?;
    match &*name {
        "invoke" => Ok(Kind::Invoke),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        "info" => Ok(Kind::Info),
        other => {
            let reason = format!("the type `{other}` is not known, expected one of invoke, ok, fail, info");
            Err(Flaw { at: begin, reason })
        }
    }
}

fn name_of<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, Flaw> {
    let begin = cursor.at();
    match cursor.atom()? {
        Atom::Keyword(name) | Atom::Other(name) => Ok(Cow::Borrowed(name)),
        Atom::Text(name) => Ok(name),
        Atom::Nil => Ok(Cow::Borrowed("")),
        Atom::Integer(integer) => {
            Err(Flaw { at: begin, reason: format!("the number {integer}, expected a keyword") })
        }
    }
}

fn process(cursor: &mut Cursor<'_>) -> Result<Process, Flaw> {
    if let Some(number) = usual::integer(cursor) {
        return Ok(Process::Client(number));
    }
    Ok(match cursor.atom()? {
        Atom::Integer(number) => Process::Client(number),
        Atom::Nil => Process::Missing,
        Atom::Keyword(name) | Atom::Other(name) => Process::Other(name.into()),
        Atom::Text(name) => Process::Other(name.into_owned()),
    })
}

fn time(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Flaw> {
    if let Some(time) = usual::integer(cursor) {
        return Ok(Some(time));
    }
    let begin = cursor.at();
    match cursor.atom()? {
        Atom::Integer(time) => Ok(Some(time)),
        Atom::Nil => Ok(None),
        // Some writers have whole nanoseconds as 1.5E9.
        Atom::Other(number) => match number.parse::<f64>() {
            Ok(time) if time.abs() < 9e18 => Ok(Some(time as i64)),
            _ => Err(Flaw { at: begin, reason: format!("the time {number}, expected nanoseconds") }),
        },
        Atom::Text(_) | Atom::Keyword(_) => {
            Err(Flaw { at: begin, reason: "a word, expected a time in nanoseconds".into() })
        }
    }
}

/// `:timeout` and `"timeout"` are one reason; anything longer is kept as it is spelled.
fn reason(spelled: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(spelled);
    let text = text.trim_start_matches(':').trim_matches('"');
    (!text.is_empty() && text != "nil" && text != "null").then(|| text.to_string())
}
