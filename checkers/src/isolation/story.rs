//! A breach in words: the transactions as steps, an observation for each edge.
//!
//! ```text
//!    1  c0   writes x = 1             OK
//!    2  c1   writes x = 2, y = 2      OK
//!    3  c2   reads y, x               2, 1
//!
//!    2 ──ww──▶ 1   3 comes after 2 and saw x as 1 left it: what 2 wrote to x is older
//!    1 ──so──▶ 2   …
//! ```

use histories::compact::{TxnId, TxnTable};
use histories::{History, Key, Outcome};

use super::answer::{Breach, Link, Why};
use crate::anomaly::names;
use crate::wording::{all_answered, listed};
use crate::{Certainty, Edge, EdgeKind, Finding, Step};

/// Tells what the transactions of a table show; `history` has at least those that are told.
pub(crate) struct Teller<'a> {
    pub(crate) history: &'a History,
    pub(crate) table: &'a TxnTable,
}

impl Teller<'_> {
    pub(crate) fn finding(&self, breach: &Breach) -> Finding {
        let keys: Vec<Key> = breach.keys.iter().map(|key| self.table.key(*key)).collect();
        let told = Told { teller: self, breach };
        Finding {
            anomaly: breach.anomaly,
            story: told.story(&keys),
            brief: told.brief(&keys),
            steps: breach.transactions.iter().map(|txn| self.step(breach, *txn)).collect(),
            edges: breach.links.iter().map(|link| told.edge(*link)).collect(),
            conclusion: told.conclusion(),
            certainty: self.certainty(breach),
            weight: 1,
            keys,
        }
    }

    fn step(&self, breach: &Breach, txn: TxnId) -> Step {
        let rows = || self.table.range(txn).map(|place| self.table.row(place));
        let matters = |key: u32| breach.keys.contains(&key);
        let asked: Vec<String> = rows()
            .filter(|row| matters(row.key))
            .map(|row| match (self.table.key(row.key), row.is_write) {
                (key, true) => format!("writes {key} = {}", self.value(row.value)),
                (key, false) => format!("reads {key}"),
            })
            .collect();
        let seen = rows().filter(|row| matters(row.key) && !row.is_write).map(|row| self.value(row.value));
        let seen: Vec<String> = seen.collect();
        let operation = self.history.operation(self.table.operation(txn));
        let answer = match &operation.outcome {
            Outcome::Confirmed(_) if seen.is_empty() => "OK".into(),
            Outcome::Confirmed(_) => seen.join(", "),
            Outcome::Failed(reason) => format!("failed: {reason}"),
            Outcome::Unknown(reason) => format!("no answer: {reason}"),
        };
        Step { operation: operation.id, what: asked.join(", "), answer, remark: String::new() }
    }

    fn value(&self, number: i64) -> String {
        self.table.value(number).map_or("nothing".into(), |value| crate::wording::shown(&value))
    }

    fn certainty(&self, breach: &Breach) -> Certainty {
        let operations = breach.transactions.iter().map(|txn| self.table.operation(*txn));
        let is_open = |id| self.history.operation(id).outcome.is_unknown();
        if operations.clone().any(is_open) {
            return Certainty::Certain("what was not answered was seen, so it happened".into());
        }
        Certainty::Certain(all_answered(operations.count()))
    }
}

struct Told<'t, 'a> {
    teller: &'t Teller<'a>,
    breach: &'t Breach,
}

impl Told<'_, '_> {
    /// The number of a transaction's step.
    fn number(&self, txn: TxnId) -> usize {
        self.breach.transactions.iter().position(|other| *other == txn).map_or(0, |place| place + 1)
    }

    fn edge(&self, link: Link) -> Edge {
        let table = self.teller.table;
        let kind = match link.why {
            Why::Session => EdgeKind::Session,
            Why::RealTime => EdgeKind::RealTime,
            Why::Read { .. } => EdgeKind::WriteRead,
            Why::Overwritten { .. } => EdgeKind::ReadWrite,
            Why::Newer { .. } | Why::Apart { .. } | Why::Supposed { .. } => EdgeKind::WriteWrite,
        };
        let (from, to) = (table.operation(link.from), table.operation(link.to));
        Edge { from, to, kind, because: self.because(link) }
    }

    fn because(&self, link: Link) -> String {
        let (first, later) = (self.number(link.from), self.number(link.to));
        let key = |key: u32| self.teller.table.key(key);
        match link.why {
            Why::Session => format!("one session asked {first} before {later}"),
            Why::RealTime => format!("{first} was answered before {later} was asked"),
            Why::Read { key: of } => format!("{later} saw {} as {first} left it", key(of)),
            Why::Overwritten { key: of } => {
                format!("{first} saw {} as it was before {later} wrote it", key(of))
            }
            Why::Newer { key: of, reader } => {
                let (reader, key) = (self.number(reader), key(of));
                format!("{reader} comes after {first} and saw {key} as {later} left it: {first}'s is older")
            }
            Why::Apart { key: of } => {
                format!("both change {}, and {first} began before {later}'s change", key(of))
            }
            Why::Supposed { key: of } => format!("suppose that {first} changes {} before {later}", key(of)),
        }
    }

    fn story(&self, keys: &[Key]) -> String {
        let keys = listed(keys);
        let reader = self.breach.transactions.last().map_or(0, |txn| self.number(*txn));
        match (self.breach.anomaly, self.breach.transactions.len()) {
            (names::THIN_AIR_READ, _) => format!("A read of {keys} saw a value that nobody wrote."),
            (names::ABORTED_READ, _) => format!("A read of {keys} saw what a failed transaction wrote."),
            (names::INTERMEDIATE_READ, _) => {
                format!("A read of {keys} saw a value that its transaction went on to replace.")
            }
            (names::FUTURE_READ, _) => format!("{reader} read from {keys} what it wrote only later."),
            (names::INTERNAL, _) => format!("{reader} did not read from {keys} what it had written itself."),
            (names::NON_REPEATABLE_READ, _) => format!("A transaction read {keys} twice and saw two values."),
            (_, count) => {
                let reasons: Vec<String> = self.breach.links.iter().map(|link| self.because(*link)).collect();
                format!(
                    "No order of {count} transactions on {keys} explains what they saw: {}.",
                    reasons.join("; ")
                )
            }
        }
    }

    fn brief(&self, keys: &[Key]) -> String {
        format!("{} on {}", self.breach.anomaly.replace('-', " "), listed(keys))
    }

    fn conclusion(&self) -> String {
        match (self.breach.links.len(), self.breach.choices.as_slice()) {
            (0 | 1, []) => "No order of transactions explains this read.".into(),
            (_, []) => "Each comes before the next and the last before the first: no order does that.".into(),
            (_, [_, second, ..]) => {
                let (first, later) = (self.number(second.first), self.number(second.later));
                let reasons: Vec<String> = second.links.iter().map(|link| self.because(*link)).collect();
                format!(
                    "And if {first} comes before {later}, there is a circle too: {}. So neither comes first.",
                    reasons.join("; ")
                )
            }
            (_, [_]) => "Neither order of the two writers explains what was seen.".into(),
        }
    }
}
