//! Jepsen's EDN, a map an event, as Elle and Knossos read it.
//!
//! Histories of nothing but reads, writes and appends become transactions, `:f :txn`, whether an operation
//! stood alone or not; any other history has an operation a map, with the key beside the value.

use std::fmt::Write as _;
use std::io::Write;

use super::sequence::{Step, steps};
use super::{Unwritable, Writer};
use crate::{Call, History, Key, MicroOp, Observed, Operation, Outcome, Reply, Value};

pub(super) const WRITER: Writer = Writer { name: "jepsen-edn", write };

fn write(history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
    let micro_ops = || history.operations().iter().flat_map(|operation| operation.call.micro_ops());
    let as_transactions = micro_ops().all(|micro_op| verb(micro_op).is_some());
    let mut text = String::new();
    for (index, (time, step, operation)) in steps(history).into_iter().enumerate() {
        text.clear();
        let kind = match (step, &operation.outcome) {
            (Step::Asked, _) => "invoke",
            (Step::Answered, Outcome::Confirmed(_)) => "ok",
            (Step::Answered, Outcome::Failed(_)) => "fail",
            (Step::Answered, Outcome::Unknown(_)) => "info",
        };
        let _ = write!(
            text,
            "{{:index {index}, :time {}, :type :{kind}, :process {}, ",
            time.0, operation.session.0
        );
        value(operation, step, as_transactions, &mut text)
            .map_err(|reason| Unwritable::Operation { operation: operation.id, reason })?;
        if let (Step::Answered, Outcome::Failed(reason) | Outcome::Unknown(reason)) =
            (step, &operation.outcome)
        {
            text.push_str(", :error ");
            quoted(reason.as_str(), &mut text);
        }
        text.push_str("}\n");
        out.write_all(text.as_bytes())?;
    }
    let left_out = history.faults().len() + history.node_events().len() + history.phases().len();
    let s = if left_out == 1 { "" } else { "s" };
    let warning = format!("{left_out} event{s} of faults, nodes and phases: left out");
    Ok(if left_out > 0 { vec![warning] } else { Vec::new() })
}

/// How Elle calls it.
fn verb(micro_op: &MicroOp) -> Option<(&'static str, Option<&Value>)> {
    match micro_op {
        MicroOp::Read { .. } => Some(("r", None)),
        MicroOp::Write { value, .. } => Some(("w", Some(value))),
        MicroOp::Append { element, .. } => Some(("append", Some(element))),
        MicroOp::CompareAndSet { .. }
        | MicroOp::Add { .. }
        | MicroOp::Remove { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Enqueue { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Push { .. }
        | MicroOp::Pop { .. } => None,
    }
}

fn value(operation: &Operation, step: Step, as_transactions: bool, text: &mut String) -> Result<(), String> {
    let replies = if step == Step::Answered { operation.outcome.replies() } else { None };
    let reply = |index: usize| replies.and_then(|replies| replies.get(index));
    match &operation.call {
        Call::Single(micro_op) if !as_transactions => single(micro_op, reply(0), text),
        call if call.micro_ops().iter().all(|micro_op| verb(micro_op).is_some()) => {
            text.push_str(":f :txn, :value [");
            for (index, micro_op) in call.micro_ops().iter().enumerate() {
                let (verb, written) = verb(micro_op).unwrap_or_default();
                text.push_str(if index == 0 { "[:" } else { " [:" });
                let _ = write!(text, "{verb} ");
                key(micro_op.key(), text);
                text.push(' ');
                print(written.map_or_else(|| seen(reply(index)), |value| Ok(Some(value)))?, text);
                text.push(']');
            }
            text.push(']');
            Ok(())
        }
        _ => Err("a transaction with more than reads, writes and appends; write it as jsonl".into()),
    }
}

fn single(micro_op: &MicroOp, reply: Option<&Reply>, text: &mut String) -> Result<(), String> {
    let mut pair = |function: &str, value: Option<&Value>| {
        let _ = write!(text, ":f :{function}, :value [");
        key(micro_op.key(), text);
        text.push(' ');
        print(value, text);
        text.push(']');
    };
    match micro_op {
        MicroOp::Read { .. } => pair("read", seen(reply)?),
        MicroOp::Write { value, .. } => pair("write", Some(value)),
        MicroOp::Append { element, .. } => pair("append", Some(element)),
        MicroOp::Add { element, .. } => pair("add", Some(element)),
        MicroOp::Remove { element, .. } => pair("remove", Some(element)),
        MicroOp::Increment { by, .. } => pair("increment", Some(&Value::Integer(*by))),
        MicroOp::Delete { .. } => pair("delete", None),
        MicroOp::Enqueue { element, .. } => pair("enqueue", Some(element)),
        MicroOp::Dequeue { .. } => pair("dequeue", seen(reply)?),
        MicroOp::Push { element, .. } => pair("push", Some(element)),
        MicroOp::Pop { .. } => pair("pop", seen(reply)?),
        MicroOp::CompareAndSet { expected, value, .. } => {
            text.push_str(":f :cas, :value [");
            key(micro_op.key(), text);
            text.push_str(" [");
            print(single_value(expected)?, text);
            text.push(' ');
            print(Some(value), text);
            text.push_str("]]");
        }
    }
    Ok(())
}

fn seen(reply: Option<&Reply>) -> Result<Option<&Value>, String> {
    reply.and_then(|reply| reply.observed.as_ref()).map_or(Ok(None), single_value)
}

fn single_value(observed: &Observed) -> Result<Option<&Value>, String> {
    if observed.values.len() > 1 {
        return Err(format!("{observed}: siblings, which EDN has no word for; write it as jsonl"));
    }
    Ok(observed.single())
}

fn print(value: Option<&Value>, text: &mut String) {
    match value {
        None => text.push_str("nil"),
        Some(Value::Integer(integer)) => {
            let _ = write!(text, "{integer}");
        }
        Some(Value::Text(word)) => match word.strip_prefix(':').filter(|name| is_plain(name)) {
            Some(_) => text.push_str(word),
            None => quoted(word, text),
        },
        Some(Value::List(elements)) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { " " });
                print(Some(element), text);
            }
            text.push(']');
        }
    }
}

/// Keys that are numbers are written as numbers.
fn key(key: &Key, text: &mut String) {
    match key.as_str().parse::<i64>() {
        Ok(number) if number.to_string() == key.as_str() => text.push_str(key.as_str()),
        _ => quoted(key.as_str(), text),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn quoted(word: &str, text: &mut String) {
    text.push('"');
    for sign in word.chars() {
        match sign {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            sign if sign.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(sign));
            }
            sign => text.push(sign),
        }
    }
    text.push('"');
}
