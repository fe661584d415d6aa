//! What `:f` and `:value` mean as a call of ours, and what the value of an `:ok` means as the reply.

use smallvec::SmallVec;

use super::super::cursor::Flaw;
use super::super::datum::Datum;
use super::pairing::{flaw, otherwise, says_nothing};
use super::record::{Body, Kind, Record, Verb};
use super::said::{Keys, Said, Step};
use crate::{Call, Key, MicroOp, Observed, Outcome, Reply, Value};

/// A call, and what is needed to understand its answer.
pub(super) struct Asked {
    pub(super) call: Call,
    /// True if keys and values come in pairs, `[k v]`: Jepsen's independent keys.
    pub(super) is_tuple: bool,
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
    /// Reads that saw a number, and those that saw a list.
    numbers: bool,
    lists: bool,
}

impl Seen {
    pub(super) fn workload(&self) -> &'static str {
        match self {
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
) -> Result<Outcome, Flaw> {
    if let Some(outcome) = otherwise(kind, record.error.clone()) {
        return Ok(outcome);
    }
    let at = record.body_at;
    match (call, record.body) {
        (Call::Transaction(micro_ops), Body::Transaction) => replies(micro_ops, &mut said.steps, at),
        (Call::Transaction(_), body)
            if says_nothing(&body) && call.micro_ops().iter().all(|op| !op.observes()) =>
        {
            Ok(Outcome::Confirmed(call.micro_ops().iter().map(|_| Reply::changed(None)).collect()))
        }
        (Call::Transaction(_), Body::Other(_)) => {
            Err(flaw(at, "expected the transaction with what its reads saw, such as [[:r 1 [5]]]"))
        }
        (Call::Single(micro_op), Body::Other(datum)) => {
            let reply = single_reply(micro_op, is_tuple, datum).map_err(|reason| flaw(at, reason))?;
            reply.observed.iter().for_each(|observed| seen.saw(observed));
            Ok(Outcome::confirmed(reply))
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
    let outcome = outcome(kind, &asked.call, asked.is_tuple, record, said, seen)?;
    Ok((asked, outcome))
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
        "drain" => return Err("a drain is several dequeues, and when each happened is not known; write them one by one".into()),
        "transfer" => return Err("the first balances of a bank are not in its history; write transfers as transactions of reads and writes".into()),
        "" => return Err("a map without :f, and its :value is no transaction such as [[:r 1 nil]]".into()),
        "txn" => return Err("expected a transaction such as [[:r 1 nil] [:append 2 3]]".into()),
        _ => {
            return Err(format!(
                "the function `{function}` is not known, expected one of txn, read, write, cas, add, remove, \
                 increment, decrement, delete, get, put, append, enqueue, dequeue, push, pop"
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
