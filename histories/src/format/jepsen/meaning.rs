//! What `:f` and `:value` mean as a call of ours, and what the value of an `:ok` means as the reply.

use smallvec::SmallVec;

use super::super::cursor::Flaw;
use super::super::datum::Datum;
use super::bank;
use super::pairing::{flaw, otherwise, says_nothing};
use super::record::{Body, Kind, Record, Verb};
use super::said::{Keys, Said, Step};
use crate::event::BANK;
use crate::{Call, Key, MicroOp, Observed, Outcome, Reply, Value};

/// A call, and what is needed to understand its answer.
pub(super) struct Asked {
    pub(super) call: Call,
    /// True if keys and values come in pairs, `[k v]`: Jepsen's independent keys.
    pub(super) is_tuple: bool,
}

/// How a call ended, and what only its answer says of it.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    /// What was asked, if that was not known before.
    pub(super) asked: Option<Call>,
    /// Calls that were in flight for as long as this one, each with its outcome.
    pub(super) beside: Vec<(Call, Outcome)>,
}

impl From<Outcome> for Answered {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, asked: None, beside: Vec::new() }
    }
}

/// What was asked and seen, so that the workload has a name.
#[derive(Debug, Default)]
pub(super) struct Seen {
    transactions: bool,
    appends: bool,
    writes: bool,
    adds: bool,
    increments: bool,
    queues: bool,
    stacks: bool,
    /// The accounts of a bank, once a read has shown them.
    accounts: Vec<Key>,
    transfers: bool,
    /// Reads that saw a number, and those that saw a list.
    numbers: bool,
    lists: bool,
}

impl Seen {
    pub(super) fn workload(&self) -> &'static str {
        match self {
            _ if self.is_bank() => BANK,
            Self { appends: true, .. } => "list-append",
            Self { transactions: true, writes: true, .. } => "rw-register",
            Self { increments: true, .. } => "counter",
            Self { adds: true, .. } if self.adds_to_counter() => "counter",
            Self { adds: true, .. } => "set",
            Self { queues: true, .. } => "queue",
            Self { stacks: true, .. } => "stack",
            Self { transactions: false, .. } => "register",
            Self { .. } => "",
        }
    }

    /// `:add 3` puts 3 into a set, or adds it to a counter: what reads see tells.
    pub(super) fn adds_to_counter(&self) -> bool {
        self.adds && self.numbers && !self.lists
    }

    fn is_bank(&self) -> bool {
        self.transfers || !self.accounts.is_empty()
    }

    /// What a read asked for that was not answered: all accounts, if this is a bank.
    pub(super) fn unanswered_read(&self) -> Option<Call> {
        let read = |key: &Key| MicroOp::Read { key: key.clone() };
        (!self.accounts.is_empty()).then(|| Call::Transaction(self.accounts.iter().map(read).collect()))
    }

    fn asked(&mut self, call: &Call) {
        self.transactions |= matches!(call, Call::Transaction(_));
        for micro_op in call.micro_ops() {
            self.appends |= matches!(micro_op, MicroOp::Append { .. });
            self.writes |= matches!(micro_op, MicroOp::Write { .. });
            self.adds |= matches!(micro_op, MicroOp::Add { .. });
            self.increments |= matches!(micro_op, MicroOp::Increment { .. });
            self.queues |= matches!(micro_op, MicroOp::Enqueue { .. } | MicroOp::Dequeue { .. });
            self.stacks |= matches!(micro_op, MicroOp::Push { .. } | MicroOp::Pop { .. });
        }
    }

    fn saw(&mut self, observed: &Observed) {
        self.numbers |= matches!(observed.single(), Some(Value::Integer(_)));
        self.lists |= matches!(observed.single(), Some(Value::List(_)));
    }
}

/// The call of an `:invoke`.
pub(super) fn ask(record: Record, said: &mut Said, seen: &mut Seen) -> Result<Asked, Flaw> {
    let asked = match record.body {
        Body::Other(Datum::Map(fields)) if said.function == "transfer" => {
            seen.transfers = true;
            bank::transfer(fields, &mut said.keys).map(|call| Asked { call, is_tuple: false })
        }
        .map_err(|reason| flaw(record.body_at, reason))?,
        Body::Transaction => transaction(&mut said.steps, record.body_at)?,
        Body::Other(datum) => {
            let function = std::mem::take(&mut said.function);
            let asked = single(&function, record.key, datum, &mut said.keys);
            said.function = function;
            asked
        }
        .map_err(|reason| flaw(record.body_at, reason))?,
    };
    seen.asked(&asked.call);
    Ok(asked)
}

/// How a call ended.
pub(super) fn outcome(
    kind: Kind,
    call: &Call,
    is_tuple: bool,
    record: Record,
    said: &mut Said,
    seen: &mut Seen,
) -> Result<Answered, Flaw> {
    let at = record.body_at;
    let is_drain = said.function == "drain";
    if is_drain && kind == Kind::Info {
        let reason = "a drain of unknown outcome may have taken any number of elements, so nothing can be said \
                      of its queue; write the dequeues that it made one by one";
        return Err(flaw(at, reason));
    }
    if let Some(outcome) = otherwise(kind, record.error.clone()) {
        return Ok(outcome.into());
    }
    match (call, record.body) {
        (Call::Transaction(micro_ops), Body::Transaction) => {
            replies(micro_ops, &mut said.steps, at).map(Answered::from)
        }
        (Call::Transaction(_), body)
            if (says_nothing(&body) || matches!(body, Body::Other(Datum::Map(_))))
                && call.micro_ops().iter().all(|op| !op.observes()) =>
        {
            let replies = call.micro_ops().iter().map(|_| Reply::changed(None)).collect();
            Ok(Outcome::Confirmed(replies).into())
        }
        (Call::Transaction(_), Body::Other(_)) => {
            Err(flaw(at, "expected the transaction with what its reads saw, such as [[:r 1 [5]]]"))
        }
        (Call::Single(MicroOp::Read { .. }), Body::Other(Datum::Map(balances))) if !is_tuple => {
            let read = bank::read(balances, &mut said.keys).map_err(|reason| flaw(at, reason))?;
            if let Some(call) = &read.asked {
                seen.accounts = call.micro_ops().iter().map(|micro_op| micro_op.key().clone()).collect();
            }
            Ok(read)
        }
        (Call::Single(micro_op), Body::Other(datum)) if is_drain => {
            drained(micro_op.key(), is_tuple, datum).map_err(|reason| flaw(at, reason))
        }
        (Call::Single(micro_op), Body::Other(datum)) => {
            let reply = single_reply(micro_op, is_tuple, datum).map_err(|reason| flaw(at, reason))?;
            reply.observed.iter().for_each(|observed| seen.saw(observed));
            Ok(Outcome::confirmed(reply).into())
        }
        (Call::Single(_), Body::Transaction) => {
            Err(flaw(at, "a transaction, but what was asked is a single operation"))
        }
    }
}

/// Both, where only answers are recorded.
pub(super) fn answer_only(
    kind: Kind,
    record: Record,
    said: &mut Said,
    seen: &mut Seen,
) -> Result<(Asked, Outcome), Flaw> {
    let steps: Vec<Step> = std::mem::take(&mut said.steps);
    let at = record.body_at;
    let body = question(&record.body, &said.function);
    let question = Record { body_at: at, body, key: record.key, ..Record::default() };
    said.steps = steps.iter().map(Step::as_asked).collect();
    let asked = ask(question, said, seen)?;
    said.steps = steps;
    let at = record.body_at;
    let answered = outcome(kind, &asked.call, asked.is_tuple, record, said, seen)?;
    if !answered.beside.is_empty() {
        return Err(flaw(at, "a drain without its :invoke; write one before it"));
    }
    let call = answered.asked.unwrap_or(asked.call);
    Ok((Asked { call, ..asked }, answered.outcome))
}

/// What was asked, from what was answered: a read asks for nothing in particular.
fn question(body: &Body, function: &str) -> Body {
    match body {
        Body::Transaction => Body::Transaction,
        Body::Other(Datum::Tuple(pair)) if asks_nothing(function) => {
            Body::Other(Datum::Tuple(Box::new((pair.0.clone(), Datum::Nil))))
        }
        Body::Other(_) if asks_nothing(function) => Body::default(),
        Body::Other(datum) => Body::Other(datum.clone()),
    }
}

fn asks_nothing(function: &str) -> bool {
    matches!(function, "read" | "get" | "dequeue" | "pop")
}

impl Step {
    fn as_asked(&self) -> Self {
        let value = if self.verb == Verb::Read { None } else { self.value.clone() };
        Self { verb: self.verb, key: self.key.clone(), value }
    }
}

fn transaction(steps: &mut Vec<Step>, at: usize) -> Result<Asked, Flaw> {
    let micro_ops: Option<Vec<MicroOp>> = steps.drain(..).map(micro_op).collect();
    let micro_ops = micro_ops.ok_or_else(|| flaw(at, "nothing, expected the value that is written"))?;
    Ok(Asked { call: Call::Transaction(micro_ops), is_tuple: false })
}

fn micro_op(Step { verb, key, value }: Step) -> Option<MicroOp> {
    Some(match verb {
        Verb::Read => MicroOp::Read { key },
        Verb::Write => MicroOp::Write { key, value: value? },
        Verb::Append => MicroOp::Append { key, element: value? },
        Verb::Add => MicroOp::Add { key, element: value? },
    })
}

fn replies(micro_ops: &[MicroOp], steps: &mut Vec<Step>, at: usize) -> Result<Outcome, Flaw> {
    if micro_ops.len() != steps.len() {
        let reason =
            format!("{} micro-ops, but {} were asked; they are the same ones", steps.len(), micro_ops.len());
        return Err(flaw(at, reason));
    }
    let mut replies = SmallVec::with_capacity(micro_ops.len());
    for (index, (asked, step)) in micro_ops.iter().zip(steps.drain(..)).enumerate() {
        let same = match (asked, step.verb) {
            (MicroOp::Read { .. }, Verb::Read) => true,
            (MicroOp::Write { value, .. }, Verb::Write) => Some(value) == step.value.as_ref(),
            (MicroOp::Append { element, .. }, Verb::Append) | (MicroOp::Add { element, .. }, Verb::Add) => {
                Some(element) == step.value.as_ref()
            }
            _ => false,
        };
        if !same || *asked.key() != step.key {
            let reason = format!(
                "micro-op {} is not the one that was asked; only what reads saw may differ",
                index + 1
            );
            return Err(flaw(at, reason));
        }
        replies.push(match step.verb {
            Verb::Read => Reply::read(observed(step.value)),
            Verb::Write | Verb::Append | Verb::Add => Reply::changed(None),
        });
    }
    Ok(Outcome::Confirmed(replies))
}

fn observed(value: Option<Value>) -> Observed {
    value.map(Observed::value).unwrap_or_default()
}

fn single(function: &str, own_key: Option<u32>, datum: Datum, keys: &mut Keys) -> Result<Asked, String> {
    let (key, datum) = if own_key.is_some() { (None, datum) } else { split(function, datum) };
    let is_tuple = key.is_some();
    let key = match (own_key, key) {
        (Some(number), _) => keys.numbered(number),
        (None, Some(key)) => keys.of_datum(key).ok_or("the key is no number and no text")?,
        (None, None) => keys.only(),
    };
    let call = match function {
        "read" | "get" => MicroOp::Read { key },
        // To a store of texts nothing and the empty text are one.
        "put" if datum == Datum::Value(Value::from("")) => MicroOp::Delete { key },
        "write" | "put" | "set" => MicroOp::Write { key, value: written(datum)? },
        "cas" => compare_and_set(key, datum)?,
        "append" => MicroOp::Append { key, element: piece(datum)? },
        "add" => MicroOp::Add { key, element: value(datum, "the element that is added")? },
        "remove" => MicroOp::Remove { key, element: value(datum, "the element that is removed")? },
        "increment" | "inc" => MicroOp::Increment { key, by: amount(datum)? },
        "decrement" | "dec" => MicroOp::Increment { key, by: amount(datum)?.wrapping_neg() },
        "delete" => MicroOp::Delete { key },
        "enqueue" => MicroOp::Enqueue { key, element: value(datum, "the element that is put in")? },
        "dequeue" => MicroOp::Dequeue { key },
        "push" => MicroOp::Push { key, element: value(datum, "the element that is put on")? },
        "pop" => MicroOp::Pop { key },
        // Whatever it takes out first; what else, its answer says.
        "drain" => MicroOp::Dequeue { key },
        "transfer" => return Err("expected {:from ACCOUNT, :to ACCOUNT, :amount N}".into()),
        "" => return Err("a map without :f, and its :value is no transaction such as [[:r 1 nil]]".into()),
        "txn" => return Err("expected a transaction such as [[:r 1 nil] [:append 2 3]]".into()),
        _ => {
            return Err(format!(
                "the function `{function}` is not known, expected one of txn, read, write, cas, add, remove, \
                 increment, decrement, delete, get, put, append, enqueue, dequeue, drain, push, pop, transfer"
            ));
        }
    };
    Ok(Asked { call: call.into(), is_tuple })
}

fn compare_and_set(key: Key, datum: Datum) -> Result<MicroOp, String> {
    let pair = if let Datum::List(elements) = datum { <[Datum; 2]>::try_from(elements).ok() } else { None };
    let [old, new] = pair.ok_or("expected [old new]")?;
    let expected = Box::new(observed(old.into_value()?));
    Ok(MicroOp::CompareAndSet { key, expected, value: value(new, "the new value")? })
}

/// A drain takes elements until it finds nothing: it is as many dequeues and one more, all in flight at once
/// as far as anybody knows.
fn drained(key: &Key, is_tuple: bool, datum: Datum) -> Result<Answered, String> {
    let taken = match datum {
        Datum::Tuple(pair) => pair.1,
        Datum::List(mut pair) if is_tuple && pair.len() == 2 => pair.pop().unwrap_or(Datum::Nil),
        other => other,
    };
    let elements = match taken {
        Datum::Nil => Vec::new(),
        Datum::List(elements) => elements,
        _ => return Err("expected the elements that were taken, such as [1 2 3]".into()),
    };
    let take = |element: Datum| {
        let element = value(element, "an element")?;
        let call = MicroOp::Dequeue { key: key.clone() }.into();
        Ok((call, Outcome::confirmed(Reply::read(Observed::value(element)))))
    };
    let beside = elements.into_iter().map(take).collect::<Result<_, String>>()?;
    Ok(Answered { beside, ..Outcome::confirmed(Reply::read(Observed::default())).into() })
}

/// Counters may be incremented without a word on how much.
fn amount(datum: Datum) -> Result<i64, String> {
    match datum {
        Datum::Nil => Ok(1),
        Datum::Value(Value::Integer(by)) => Ok(by),
        Datum::Value(_) | Datum::List(_) | Datum::Map(_) | Datum::Tuple(_) => {
            Err("expected how much, a whole number".into())
        }
    }
}

fn written(datum: Datum) -> Result<Value, String> {
    value(datum, "the value that is written").map(|value| pieces(&value).unwrap_or(value))
}

fn piece(datum: Datum) -> Result<Value, String> {
    let piece = value(datum, "the text that is appended")?;
    let single = |value: Value| value.as_list().is_some_and(|pieces| pieces.len() == 1);
    if matches!(piece, Value::Text(_)) && !pieces(&piece).is_some_and(single) {
        return Err(format!(
            "{piece} is appended to a text; only texts such as \"x 1 2 y\" can be told apart afterwards"
        ));
    }
    Ok(piece)
}

/// A store that appends texts shows them run together; where each begins with `x ` and ends with ` y`, it is
/// the list of them.
///
/// ```text
///   "x 0 10 yx 0 5 y"   is   ["x 0 10 y", "x 0 5 y"]
/// ```
fn pieces(value: &Value) -> Option<Value> {
    let Value::Text(text) = value else { return None };
    let inner = text.strip_prefix("x ")?.strip_suffix(" y")?;
    Some(inner.split(" yx ").map(|piece| Value::from(format!("x {piece} y").as_str())).collect())
}

/// The key, if the value is a pair of key and value.
fn split(function: &str, datum: Datum) -> (Option<Datum>, Datum) {
    let is_pair = |elements: &[Datum]| match elements {
        // [old new] of one register, or [key [old new]].
        [_, Datum::List(_)] => true,
        [_, _] => function != "cas",
        _ => false,
    };
    match datum {
        Datum::Tuple(pair) => (Some(pair.0), pair.1),
        Datum::List(mut elements) if is_pair(&elements) => {
            let value = elements.pop().unwrap_or(Datum::Nil);
            (elements.pop(), value)
        }
        other => (None, other),
    }
}

fn single_reply(micro_op: &MicroOp, is_tuple: bool, datum: Datum) -> Result<Reply, String> {
    if !micro_op.observes() {
        return Ok(Reply::changed(None));
    }
    let seen = match datum {
        Datum::Tuple(pair) => pair.1,
        Datum::List(mut pair) if is_tuple && pair.len() == 2 => pair.pop().unwrap_or(Datum::Nil),
        _ if is_tuple => return Err("expected [key value], as it was asked".into()),
        other => other,
    };
    let seen = seen.into_value()?.filter(|value| *value != Value::from(""));
    let seen = seen.map(|value| pieces(&value).unwrap_or(value));
    Ok(Reply::read(observed(seen)))
}

fn value(datum: Datum, what: &str) -> Result<Value, String> {
    datum.into_value()?.ok_or_else(|| format!("nothing, expected {what}"))
}
