//! `operations.json` of etcd's robustness tests: what each client asked of the key-value store and when, an
//! object an operation.
//!
//! ```text
//! {"ClientId":1,"Input":{"Type":"txn","Txn":{"Conditions":null,"OperationsOnSuccess":[
//!    {"Type":"put-operation","Put":{"Key":"a","Value":{"Value":"3"}}}]}},"Call":10,
//!  "Output":{"Txn":{"Failure":false,"Results":[{}]},"Revision":5},"Return":20}
//! ```
//!
//! | there | here |
//! |---|---|
//! | a range of one key | a read; the revision in which the key was changed last is its version |
//! | a range of many keys | reads of those that were found |
//! | a transaction | its operations; the revision is the version that they make |
//! | a transaction that expects one revision of the one key that it puts | compare-and-set |
//! | an error | unknown; the client goes on as a new session |
//! | leases, compaction, defragmentation, ranges of old revisions | left out, with a warning |
//!
//! Source: the Go types in etcd's `tests/robustness/model`.

use std::io::{BufReader, Read};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::bounded::Quoted;
use super::intervals::Intervals;
use super::{Error, Format, Reading};
use crate::{Call, Header, Key, MicroOp, Observed, Outcome, Reason, Reply, Value, Version};

/// This format.
pub(super) const FORMAT: Format =
    Format { name: "etcd-operations", is_like: is_etcd, read: |input| read(input), read_table: None };

fn is_etcd(head: &[u8]) -> bool {
    let has = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    head.trim_ascii_start().starts_with(b"{")
        && has(br#""ClientId""#)
        && has(br#""Input""#)
        && has(br#""Call""#)
}

fn read(input: &mut dyn Read) -> Result<Reading, Error> {
    let stream = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, Quoted::new(input)));
    let operations: Vec<Operation> =
        stream.into_iter().collect::<Result<_, serde_json::Error>>().map_err(|error| {
            let text = error.to_string();
            let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
            Error::Line { line: error.line().max(1), column: error.column(), reason: reason.into() }
        })?;
    let revisions = revisions(&operations);
    let mut intervals = Intervals::default();
    let mut left_out = 0;
    for operation in &operations {
        match operation.meaning(&revisions) {
            Some((call, outcome)) => {
                intervals.push(operation.client_id, operation.call, operation.returned, call, outcome);
            }
            None => left_out += 1,
        }
    }
    let mut warnings = Vec::new();
    if left_out > 0 {
        let s = if left_out == 1 { "" } else { "s" };
        warnings.push(format!("{left_out} operation{s} that read or change no key: left out"));
    }
    let header = Header { workload: "key-value".into(), target: "etcd".into(), ..Header::default() };
    let history = intervals.history(header, &mut warnings)?;
    Ok(Reading { format: "etcd operations", history, warnings })
}

/// What a key held at the revision in which it was changed last.
type Revisions = FxHashMap<(String, i64), Value>;

fn revisions(operations: &[Operation]) -> Revisions {
    let mut revisions = Revisions::default();
    for operation in operations {
        let Some(Transaction { success, .. }) = &operation.input.txn else { continue };
        let Some(answer) = operation.output.txn.as_ref().filter(|answer| !answer.failure) else { continue };
        for put in success.iter().flatten().filter_map(Change::put) {
            revisions.insert((put.key.clone(), operation.output.revision), put.value.value());
        }
        for pair in answer.results.iter().flatten().flat_map(|result| result.pairs.iter().flatten()) {
            revisions.insert((pair.key.clone(), pair.revision), pair.value.value());
        }
    }
    for pair in operations
        .iter()
        .filter_map(|operation| operation.output.range.as_ref())
        .flat_map(|range| range.pairs.iter().flatten())
    {
        revisions.insert((pair.key.clone(), pair.revision), pair.value.value());
    }
    revisions
}

impl Operation {
    fn meaning(&self, revisions: &Revisions) -> Option<(Call, Outcome)> {
        let unknown = (!self.output.error.is_empty()).then(|| Reason::from(self.output.error.clone()));
        let unknown = unknown.or(self.output.persisted.then_some(Reason::UNANSWERED));
        let failed = || Outcome::Failed(Reason::from(self.output.client_error.clone()));
        let (call, replies) = match (&self.input.range, &self.input.txn) {
            (Some(range), _) if range.revision == 0 => range.reads(self.output.range.as_ref())?,
            (_, Some(transaction)) => transaction.meaning(self, revisions)?,
            _ => return None,
        };
        let outcome = match (unknown, replies) {
            (Some(reason), _) => Outcome::Unknown(reason),
            (None, _) if !self.output.client_error.is_empty() => failed(),
            (None, Some(replies)) => Outcome::Confirmed(replies.into()),
            (None, None) => Outcome::Failed(Reason::CONFLICT),
        };
        Some((call, outcome))
    }
}

/// A call, and its replies; none if it did nothing.
type Meaning = (Call, Option<Vec<Reply>>);

impl Range {
    fn reads(&self, answer: Option<&Pairs>) -> Option<Meaning> {
        let pairs = answer.and_then(|answer| answer.pairs.as_deref()).unwrap_or_default();
        if self.end.is_empty() {
            let key = Key::from(self.start.as_str());
            let observed = pairs.iter().find(|pair| pair.key == self.start).map(Pair::observed);
            return Some((
                MicroOp::Read { key }.into(),
                Some(vec![Reply::read(observed.unwrap_or_default())]),
            ));
        }
        let reads: Vec<MicroOp> =
            pairs.iter().map(|pair| MicroOp::Read { key: Key::from(pair.key.as_str()) }).collect();
        let replies = pairs.iter().map(|pair| Reply::read(pair.observed())).collect();
        (!reads.is_empty()).then_some((Call::Transaction(reads), Some(replies)))
    }
}

impl Transaction {
    fn meaning(&self, operation: &Operation, revisions: &Revisions) -> Option<Meaning> {
        let answer = operation.output.txn.as_ref();
        let failed = answer.is_some_and(|answer| answer.failure);
        let conditions = self.conditions.as_deref().unwrap_or_default();
        if let ([condition], [change]) = (conditions, self.success.as_deref().unwrap_or_default())
            && let Some(call) = compare_and_set(condition, change, revisions)
            && (!failed || self.failure.as_ref().is_none_or(Vec::is_empty))
        {
            let version = Version::from(operation.output.revision.to_string());
            return Some((call, (!failed).then(|| vec![Reply::changed(Some(version))])));
        }
        let branch = if failed { &self.failure } else { &self.success };
        let results = answer.and_then(|answer| answer.results.as_deref()).unwrap_or_default();
        let (mut micro_ops, mut replies) = (Vec::new(), Vec::new());
        for (index, change) in branch.iter().flatten().enumerate() {
            change.steps(results.get(index), operation.output.revision, &mut micro_ops, &mut replies);
        }
        (!micro_ops.is_empty()).then_some((Call::Transaction(micro_ops), Some(replies)))
    }
}

/// A put of a key that is expected to be at a revision whose value is known.
fn compare_and_set(condition: &Condition, change: &Change, revisions: &Revisions) -> Option<Call> {
    let put = change.put().filter(|put| put.key == condition.key && condition.version == 0)?;
    let expected = match condition.revision {
        0 => Observed::default(),
        revision => Observed {
            values: vec![revisions.get(&(put.key.clone(), revision))?.clone()],
            versions: vec![Version::from(revision.to_string())],
        },
    };
    let key = Key::from(put.key.as_str());
    Some(MicroOp::CompareAndSet { key, expected: Box::new(expected), value: put.value.value() }.into())
}

impl Change {
    fn put(&self) -> Option<&Put> {
        self.put.as_ref().filter(|_| self.kind == "put-operation")
    }

    fn steps(
        &self,
        result: Option<&Pairs>,
        revision: i64,
        micro_ops: &mut Vec<MicroOp>,
        replies: &mut Vec<Reply>,
    ) {
        let version = || (revision > 0).then(|| Version::from(revision.to_string()));
        match (self.kind.as_str(), &self.range, &self.put, &self.delete) {
            ("range-operation", Some(range), _, _) => {
                if let Some((call, Some(answers))) = range.reads(result) {
                    micro_ops.extend_from_slice(call.micro_ops());
                    replies.extend(answers);
                }
            }
            ("put-operation", _, Some(put), _) => {
                micro_ops.push(MicroOp::Write { key: Key::from(put.key.as_str()), value: put.value.value() });
                replies.push(Reply::changed(version()));
            }
            ("delete-operation", _, _, Some(delete)) => {
                micro_ops.push(MicroOp::Delete { key: Key::from(delete.key.as_str()) });
                replies.push(Reply::changed(version()));
            }
            _ => {}
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Operation {
    client_id: i64,
    input: Input,
    call: i64,
    output: Output,
    #[serde(rename = "Return")]
    returned: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    range: Option<Range>,
    #[serde(default)]
    txn: Option<Transaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Range {
    start: String,
    end: String,
    revision: i64,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(rename = "Conditions", default)]
    conditions: Option<Vec<Condition>>,
    #[serde(rename = "OperationsOnSuccess", default)]
    success: Option<Vec<Change>>,
    #[serde(rename = "OperationsOnFailure", default)]
    failure: Option<Vec<Change>>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "ExpectedRevision", default)]
    revision: i64,
    #[serde(rename = "ExpectedVersion", default)]
    version: i64,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Range", default)]
    range: Option<Range>,
    #[serde(rename = "Put", default)]
    put: Option<Put>,
    #[serde(rename = "Delete", default)]
    delete: Option<Delete>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    key: String,
    #[serde(default)]
    value: TextOrHash,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    key: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Output {
    txn: Option<TransactionAnswer>,
    range: Option<Pairs>,
    client_error: String,
    revision: i64,
    persisted: bool,
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransactionAnswer {
    #[serde(default)]
    failure: bool,
    #[serde(default)]
    results: Option<Vec<Pairs>>,
}

#[derive(Deserialize)]
struct Pairs {
    #[serde(rename = "KVs", default)]
    pairs: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value", default)]
    value: TextOrHash,
    #[serde(rename = "ModRevision", default)]
    revision: i64,
}

impl Pair {
    fn observed(&self) -> Observed {
        let versions =
            if self.revision > 0 { vec![Version::from(self.revision.to_string())] } else { Vec::new() };
        Observed { values: vec![self.value.value()], versions }
    }
}

/// A text, or the hash of one that is long.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct TextOrHash {
    value: String,
    hash: u32,
}

impl TextOrHash {
    fn value(&self) -> Value {
        if self.hash == 0 {
            Value::from(self.value.as_str())
        } else {
            Value::from(format!("#{}", self.hash).as_str())
        }
    }
}
