//! What `:f` and `:value` mean as a call of ours, and what the value of an `:ok` means as the reply.

use smallvec::SmallVec;

use super::super::cursor::Flaw;
use super::super::datum::Datum;
use super::pairing::{flaw, otherwise, says_nothing};
use super::record::{Body, Kind, Reader, Record, Step, Verb};
use crate::{Call, Key, MicroOp, Observed, Outcome, Reply, Value};

/// A history of one object says nothing about its key.
const ONLY_KEY: &str = "x";

/// A call, and what is needed to understand its answer.
pub(super) struct Asked {
    pub(super) call: Call,
    /// True if keys and values come in pairs, `[k v]`: Jepsen's independent keys.
    is_tuple: bool,
}

/// What the calls were, so that the workload has a name.
#[derive(Debug, Default)]
pub(super) struct Seen {
    appends: bool,
    writes: bool,
    transactions: bool,
}

impl Seen {
    pub(super) fn workload(&self) -> &'static str {
        match self {
            Self { appends: true, .. } => "list-append",
            Self { transactions: true, writes: true, .. } => "rw-register",
            Self { transactions: false, .. } => "register",
            Self { .. } => "",
        }
    }

    fn micro_op(&mut self, micro_op: &MicroOp) {
        self.appends |= matches!(micro_op, MicroOp::Append { .. });
        self.writes |= matches!(micro_op, MicroOp::Write { .. });
    }
}

/// The call of an `:invoke`.
pub(super) fn ask(record: Record, reader: &mut Reader, seen: &mut Seen) -> Result<Asked, Flaw> {
    let asked = match record.body {
        Body::Transaction => transaction(&mut reader.steps, record.body_at)?,
        Body::Other(datum) => {
            single(&record.function, datum, reader).map_err(|reason| flaw(record.body_at, reason))?
        }
    };
    seen.transactions |= matches!(asked.call, Call::Transaction(_));
    asked.call.micro_ops().iter().for_each(|micro_op| seen.micro_op(micro_op));
    Ok(asked)
}

/// How a call ended.
pub(super) fn outcome(
    kind: Kind,
    asked: &Asked,
    record: Record,
    reader: &mut Reader,
) -> Result<Outcome, Flaw> {
    if let Some(outcome) = otherwise(kind, record.error.clone()) {
        return Ok(outcome);
    }
    let at = record.body_at;
    match (&asked.call, record.body) {
        (Call::Transaction(micro_ops), Body::Transaction) => replies(micro_ops, &mut reader.steps, at),
        (Call::Transaction(_), body)
            if says_nothing(&body) && asked.call.micro_ops().iter().all(|op| !op.is_read()) =>
        {
            Ok(Outcome::Confirmed(asked.call.micro_ops().iter().map(|_| Reply::changed(None)).collect()))
        }
        (Call::Transaction(_), Body::Other(_)) => {
            Err(flaw(at, "expected the transaction with what its reads saw, such as [[:r 1 [5]]]"))
        }
        (Call::Single(micro_op), Body::Other(datum)) => single_reply(micro_op, asked.is_tuple, datum)
            .map_err(|reason| flaw(at, reason))
            .map(Outcome::confirmed),
        (Call::Single(_), Body::Transaction) => {
            Err(flaw(at, "a transaction, but what was asked is a single operation"))
        }
    }
}

/// Both, where only answers are recorded.
pub(super) fn answer_only(
    kind: Kind,
    mut record: Record,
    reader: &mut Reader,
    seen: &mut Seen,
) -> Result<(Asked, Outcome), Flaw> {
    let steps: Vec<Step> = std::mem::take(&mut reader.steps);
    let at = record.body_at;
    let function = record.function.clone();
    let question = Record {
        function,
        body_at: at,
        body: question(&mut record.body, &record.function),
        ..Record::default()
    };
    reader.steps = steps.iter().map(Step::as_asked).collect();
    let asked = ask(question, reader, seen)?;
    reader.steps = steps;
    let outcome = outcome(kind, &asked, record, reader)?;
    Ok((asked, outcome))
}

/// What was asked, from what was answered: a read asks for nothing in particular.
fn question(body: &mut Body, function: &str) -> Body {
    match body {
        Body::Transaction => Body::Transaction,
        Body::Other(Datum::Tuple(pair)) if function == "read" => {
            Body::Other(Datum::Tuple(Box::new((pair.0.clone(), Datum::Nil))))
        }
        Body::Other(_) if function == "read" => Body::default(),
        Body::Other(datum) => Body::Other(datum.clone()),
    }
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

fn single(function: &str, datum: Datum, reader: &mut Reader) -> Result<Asked, String> {
    let (key, datum) = split(function, datum);
    let is_tuple = key.is_some();
    let key = match key {
        Some(key) => reader.key_of(key).ok_or("the key is no number and no text")?,
        None => Key::from(ONLY_KEY),
    };
    let call = match function {
        "read" => MicroOp::Read { key },
        "write" => MicroOp::Write { key, value: value(datum, "the value that is written")? },
        "cas" => {
            let Datum::List(pair) = datum else { return Err("expected [old new]".into()) };
            let Ok([old, new]) = <[Datum; 2]>::try_from(pair) else {
                return Err("expected [old new]".into());
            };
            let expected = Box::new(observed(old.into_value()?));
            MicroOp::CompareAndSet { key, expected, value: value(new, "the new value")? }
        }
        "" => return Err("a map without :f, and its :value is no transaction such as [[:r 1 nil]]".into()),
        _ => {
            return Err(format!(
                "the function `{function}` is not known, expected one of txn, read, write, cas"
            ));
        }
    };
    Ok(Asked { call: call.into(), is_tuple })
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
    if !micro_op.is_read() {
        return Ok(Reply::changed(None));
    }
    let seen = match datum {
        Datum::Tuple(pair) => pair.1,
        Datum::List(mut pair) if is_tuple && pair.len() == 2 => pair.pop().unwrap_or(Datum::Nil),
        _ if is_tuple => return Err("expected [key value], as it was asked".into()),
        other => other,
    };
    Ok(Reply::read(observed(seen.into_value()?)))
}

fn value(datum: Datum, what: &str) -> Result<Value, String> {
    datum.into_value()?.ok_or_else(|| format!("nothing, expected {what}"))
}
