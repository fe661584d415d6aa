//! One map of a history as Jepsen writes it, in EDN or, as elle-cli reads it, in JSON.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::super::cursor::{Atom, Cursor, Flaw, Syntax};
use super::super::datum::Datum;
use super::super::scan::Block;
use super::batch::{Batch, Parts, Placed, RawStep, RawValue, Spelled};
use super::growing::{Growing, Lists};
use super::log;
use super::usual::{self, Field, Layout};
use crate::Value;

/// What one line says.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) kind: Option<Kind>,
    pub(super) process: Process,
    /// `:f`, without its colon.
    pub(super) function: Cow<'static, str>,
    pub(super) body: Body,
    /// The number of `:key`, which the logs of key-value stores have beside `:value`.
    pub(super) key: Option<u32>,
    /// In nanoseconds.
    pub(super) time: Option<i64>,
    pub(super) error: Option<Box<str>>,
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
    Other,
}

/// `:value`.
#[derive(Debug)]
pub(super) enum Body {
    /// A transaction; its micro-ops are steps of the batch.
    Transaction,
    Other(Datum),
}

impl Default for Body {
    fn default() -> Self {
        Self::Other(Datum::Nil)
    }
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

/// Reads maps one by one, and gathers them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The number of each key, by its spelling.
    known: FxHashMap<Box<[u8]>, u32>,
    /// The longest list that was read of each key.
    growing: Vec<Growing>,
    lists: Lists,
    /// How the maps before this one looked.
    layout: Layout,
    parts: Parts,
    /// What was read of the record at hand.
    record: Record,
    /// Where the steps begin of the record that is being read.
    begun: usize,
}

impl Reader {
    /// Forgets what was read of a record that is not whole.
    pub(super) fn begin(&mut self) {
        self.parts.steps.truncate(self.begun);
        self.record = Record::default();
    }

    /// Keeps the record at hand.
    pub(super) fn keep(&mut self, bytes: Range<usize>) {
        let steps = self.begun..self.parts.steps.len();
        self.begun = steps.end;
        let record = std::mem::take(&mut self.record);
        self.parts.records.push(Placed { record, bytes, steps });
    }

    /// True if nothing was kept since the last batch.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.records.is_empty()
    }

    /// All that was kept, which stands in this block.
    pub(super) fn finish_batch(&mut self, block: Block) -> Batch {
        self.begin();
        self.begun = 0;
        self.parts.lists = self.lists.finish(&mut self.growing);
        Batch { block, parts: std::mem::take(&mut self.parts) }
    }

    /// Reads a line of a log; false if the file ends.
    pub(super) fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Flaw> {
        let record = log::record(cursor)?;
        let found = record.is_some();
        self.record = record.unwrap_or_default();
        Ok(found)
    }

    /// Reads a map; false if the end of the file, or of the vector of maps, comes instead.
    pub(super) fn map(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Flaw> {
        cursor.skip_space()?;
        if cursor.is_at_end() || cursor.peek() == b']' || cursor.peek() == b')' {
            return Ok(false);
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
        (self.record.at, self.record.body_at) = (at, at);
        cursor.open(b'{')?;
        let mut count = 0;
        while let Some(field) = self.next_field(count, cursor)? {
            self.field(field, cursor)?;
            count += 1;
        }
        if self.record.kind.is_none() {
            return Err(cursor.flaw("a map without `:type`, expected one of :invoke, :ok, :fail, :info"));
        }
        Ok(true)
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

    fn field(&mut self, field: Field, cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
        match field {
            Field::Type => self.record.kind = Some(kind(cursor)?),
            Field::Process => self.record.process = process(cursor)?,
            Field::Function if usual::is_transaction(cursor) => self.record.function = Cow::Borrowed("txn"),
            Field::Function => self.record.function = function(&name_of(cursor)?),
            Field::Key => self.record.key = Some(self.key(cursor)?),
            Field::Time => self.record.time = time(cursor)?,
            Field::Error => {
                let begin = cursor.at();
                cursor.skip_form()?;
                self.record.error = reason(cursor.since(begin));
            }
            Field::Value => {
                self.record.body_at = cursor.at();
                self.record.body = self.body(cursor)?;
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
            self.parts.steps.push(step);
            cursor.separator(b']')?;
        }
        Ok(Body::Transaction)
    }

    /// Reads a micro-op that is written as most are; none if it is not, and then nothing is read.
    fn usual_step(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<RawStep>, Flaw> {
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
    ) -> Result<Option<RawStep>, Flaw> {
        let Some(key) = self.known.get(spelled).copied() else { return Ok(None) };
        let value = match (verb, cursor.peek()) {
            (Verb::Read, b'[') => self.list(key, cursor)?,
            (Verb::Read, b'n') if usual::is_nothing(cursor) => RawValue::Nothing,
            _ => match usual::integer(cursor) {
                Some(integer) => RawValue::Value(Value::Integer(integer)),
                None => return Ok(None),
            },
        };
        Ok(cursor.eat(b']').then_some(RawStep { verb, key, value }))
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<RawStep, Flaw> {
        cursor.open(b'[')?;
        let begin = cursor.at();
        let name = name_of(cursor)?;
        let Some((_, verb)) = Verb::ALL.iter().find(|(known, _)| *known == name) else {
            let reason = format!("the micro-op `{name}` is not known, expected one of r, w, append, add");
            return Err(Flaw { at: begin, reason });
        };
        cursor.separator(b']')?;
        let key = self.key(cursor)?;
        cursor.separator(b']')?;
        let value_at = cursor.at();
        let value = match (verb, cursor.peek()) {
            (_, b']') => RawValue::Nothing,
            (Verb::Read, b'[') => self.list(key, cursor)?,
            _ => cursor.value()?.map_or(RawValue::Nothing, RawValue::Value),
        };
        if matches!(value, RawValue::Nothing) && *verb != Verb::Read {
            return Err(Flaw { at: value_at, reason: "nothing, expected the value that is written".into() });
        }
        if !cursor.close(b']')? {
            return Err(cursor.expected("`]`: a micro-op is [what key value]"));
        }
        Ok(RawStep { verb: *verb, key, value })
    }

    fn list(&mut self, key: u32, cursor: &mut Cursor<'_>) -> Result<RawValue, Flaw> {
        self.growing[key as usize].read(cursor, key, &mut self.lists)
    }

    /// The number of a key.
    fn key(&mut self, cursor: &mut Cursor<'_>) -> Result<u32, Flaw> {
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
        let number = self.growing.len() as u32;
        self.known.insert(spelled.into(), number);
        self.growing.push(Growing::default());
        self.parts.keys.push(Spelled { spelled: spelled.into(), plain: plain.and_then(plain_name) });
        Ok(number)
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

/// Most functions are among these few, which need no memory of their own.
pub(super) fn function(name: &str) -> Cow<'static, str> {
    const USUAL: [&str; 12] =
        ["read", "write", "cas", "add", "append", "enqueue", "dequeue", "push", "pop", "get", "put", "txn"];
    match USUAL.iter().find(|usual| **usual == name) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(name.into()),
    }
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
        Atom::Keyword(_) | Atom::Other(_) | Atom::Text(_) => Process::Other,
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
fn reason(spelled: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(spelled);
    let text = text.trim_start_matches(':').trim_matches('"');
    (!text.is_empty() && text != "nil" && text != "null").then(|| text.into())
}
