//! Reads a line just as we write it: fields in our order, no space between them, texts without
//! escapes. Any other line is left to serde, which reads it slowly or says what is wrong with it.
//!
//! ```text
//! {"time":5,"event":"invoke","session":3,"call":{"read":{"key":"x"}}}       read here
//! {"event":"invoke", "time":5, "session":3, "call":{"read":{"key":"x"}}}    None: left to serde
//! {"time":5,"event":"invoke","session":-3,"call":{"read":{"key":"x"}}}      None: serde says why
//! ```
//!
//! Invariant: what is read here is what serde would have read. O(length of the line) time; nothing
//! is allocated but what the event keeps.

use smallvec::SmallVec;

use crate::names::Names;
use crate::{
    Call, Event, EventKind, MicroOp, Nanos, Observed, Outcome, Reason, Reply, SessionId, Value, Version,
};

/// Lists nested deeper than this are left to serde, which guards the stack.
const DEPTH_MAX: usize = 16;

/// Reads an event of a session; `None` if the line is anything else or written in another way.
pub(super) fn read_event(line: &str, names: &mut Names) -> Option<Event> {
    let mut cursor = Cursor { line, at: 0, names };
    let event = cursor.event()?;
    (cursor.at == line.len()).then_some(event)
}

struct Cursor<'a, 'n> {
    line: &'a str,
    /// How many bytes are read.
    at: usize,
    names: &'n mut Names,
}

impl<'a> Cursor<'a, '_> {
    fn event(&mut self) -> Option<Event> {
        self.literal(r#"{"time":"#)?;
        let time = Nanos(self.natural()?);
        self.literal(r#","event":"#)?;
        let tag = self.text()?;
        self.literal(r#","session":"#)?;
        let session = SessionId(u32::try_from(self.natural()?).ok()?);
        let kind = match tag {
            "invoke" => self.invoke(session)?,
            "confirmed" => EventKind::Complete { session, outcome: self.confirmed()? },
            "failed" => EventKind::Complete { session, outcome: Outcome::Failed(self.reason()?) },
            "unknown" => EventKind::Complete { session, outcome: Outcome::Unknown(self.reason()?) },
            _ => return None,
        };
        self.literal("}")?;
        Some(Event { time, kind })
    }

    fn invoke(&mut self, session: SessionId) -> Option<EventKind> {
        let node = match self.literal(r#","node":"#) {
            Some(()) => Some(self.text()?).map(|name| self.names.node(name)),
            None => None,
        };
        let planned = match self.literal(r#","planned":"#) {
            Some(()) => Some(Nanos(self.natural()?)),
            None => None,
        };
        self.literal(r#","call":"#)?;
        let call = match self.peek()? {
            b'[' => Call::Transaction(self.list(Self::micro_op)?),
            _ => Call::Single(self.micro_op()?),
        };
        Some(EventKind::Invoke { session, node, planned, call })
    }

    fn micro_op(&mut self) -> Option<MicroOp> {
        self.literal("{")?;
        let name = self.text()?;
        self.literal(r#":{"key":"#)?;
        let key = self.text()?;
        let key = self.names.key(key);
        let micro_op = match name {
            "read" => MicroOp::Read { key },
            "write" => MicroOp::Write { key, value: self.field(r#","value":"#)? },
            "compare-and-set" => {
                self.literal(r#","expected":"#)?;
                let expected = Box::new(self.observed()?);
                MicroOp::CompareAndSet { key, expected, value: self.field(r#","value":"#)? }
            }
            "append" => MicroOp::Append { key, element: self.field(r#","element":"#)? },
            "add" => MicroOp::Add { key, element: self.field(r#","element":"#)? },
            "remove" => MicroOp::Remove { key, element: self.field(r#","element":"#)? },
            "increment" => {
                self.literal(r#","by":"#)?;
                MicroOp::Increment { key, by: self.integer()? }
            }
            "delete" => MicroOp::Delete { key },
            "enqueue" => MicroOp::Enqueue { key, element: self.field(r#","element":"#)? },
            "dequeue" => MicroOp::Dequeue { key },
            "push" => MicroOp::Push { key, element: self.field(r#","element":"#)? },
            "pop" => MicroOp::Pop { key },
            _ => return None,
        };
        self.literal("}}")?;
        Some(micro_op)
    }

    fn confirmed(&mut self) -> Option<Outcome> {
        self.literal(r#","reply":"#)?;
        Some(Outcome::Confirmed(match self.peek()? {
            b'[' => SmallVec::from_vec(self.list(Self::reply)?),
            _ => SmallVec::from_iter([self.reply()?]),
        }))
    }

    fn reply(&mut self) -> Option<Reply> {
        self.literal("{")?;
        let observed = match self.literal(r#""observed":"#) {
            Some(()) => Some(self.observed()?),
            None => None,
        };
        let field = if observed.is_some() { r#","version":"# } else { r#""version":"# };
        let version = match self.literal(field) {
            Some(()) => Some(self.version()?),
            None => None,
        };
        self.literal("}")?;
        Some(Reply { observed, version })
    }

    fn observed(&mut self) -> Option<Observed> {
        self.literal(r#"{"values":"#)?;
        let values = self.list(|cursor| cursor.value(0))?;
        let versions = match self.literal(r#","versions":"#) {
            Some(()) => self.list(Self::version)?,
            None => Vec::new(),
        };
        self.literal("}")?;
        Some(Observed { values, versions })
    }

    fn version(&mut self) -> Option<Version> {
        self.text().map(Version::from)
    }

    fn reason(&mut self) -> Option<Reason> {
        self.literal(r#","reason":"#)?;
        self.text().map(|reason| Reason::from(reason.to_string()))
    }

    fn field(&mut self, name: &str) -> Option<Value> {
        self.literal(name)?;
        self.value(0)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            b'"' => self.text().map(Value::from),
            b'[' if depth < DEPTH_MAX => self.list(|cursor| cursor.value(depth + 1)).map(Value::from_iter),
            _ => self.integer().map(Value::Integer),
        }
    }

    /// Most lists hold one element, so that is what room is made for.
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.literal("[")?;
        if self.literal("]").is_some() {
            return Some(Vec::new());
        }
        let mut elements = Vec::with_capacity(1);
        elements.push(element(self)?);
        while self.literal(",").is_some() {
            elements.push(element(self)?);
        }
        self.literal("]")?;
        elements.shrink_to_fit();
        Some(elements)
    }

    fn text(&mut self) -> Option<&'a str> {
        self.literal("\"")?;
        let begin = self.at;
        let plain = |byte: &u8| !matches!(byte, 0..=0x1f | b'"' | b'\\');
        let length = self.line.as_bytes()[begin..].iter().take_while(|byte| plain(byte)).count();
        self.at += length;
        self.literal("\"")?;
        self.line.get(begin..begin + length)
    }

    fn integer(&mut self) -> Option<i64> {
        match self.literal("-") {
            None => i64::try_from(self.natural()?).ok(),
            // To serde "-0" is a floating-point number.
            Some(()) => match self.natural()? {
                0 => None,
                magnitude => 0_i64.checked_sub_unsigned(magnitude),
            },
        }
    }

    fn natural(&mut self) -> Option<u64> {
        let begin = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        match self.at - begin {
            0 => None,
            1 => Some(number),
            _ => (self.line.as_bytes()[begin] != b'0').then_some(number),
        }
    }

    fn literal(&mut self, expected: &str) -> Option<()> {
        let found = self.line.as_bytes()[self.at..].starts_with(expected.as_bytes());
        found.then(|| self.at += expected.len())
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }
}
