//! Files of nothing but reads and writes in transactions: judged as a flat table where that will do, for a
//! history of millions of them takes ten times the memory.
//!
//! ```text
//!   plume text, -g read-atomic            table     every guarantee is a level of isolation
//!   plume text, -g read-atomic,pram       history
//!   plume text                            history, and everything is judged
//!   plume text of 14 million micro-ops    table, and the levels of isolation are judged
//! ```
//!
//! What Plume, DBCop, Cobra and AWDIT call read committed and read atomic is what Biswas & Enea 2019 call so.
//! Their definitions have names of their own here, and whoever asks for one is judged by both.

use checkers::isolation::levels::{self, Level};
use checkers::wording::{counted, listed};
use histories::compact::{TxnStatus, TxnTable};
use histories::format::{Reading, TableReading};
use histories::{History, Nanos};

use super::{Check, understood_as};
use crate::judge::{Judged, Rules, judge, judge_table};
use crate::plan::Expectation;
use crate::report::model::Counts;

/// Micro-ops from which on no history is made unless somebody asks for what needs one.
const TABLE_MIN: usize = 1_000_000;
/// Micro-ops up to which the levels that are hard to judge are judged unasked.
const HARD_MAX: usize = 2_000_000;

/// What testers of weak isolation call by the name of another guarantee.
const THEIR_NAMES: [(&str, &str); 2] = [
    ("read-atomic", "strong-session-read-atomic"),
    ("read-committed", "strong-session-monotonic-atomic-view"),
];

/// What is judged.
pub(super) enum Content {
    History(History),
    Table(TxnTable),
}

/// What is judged, and what is to be said of it.
pub(super) struct Subject {
    pub(super) content: Content,
    pub(super) notes: Vec<String>,
    /// How the transactions ended; none for a history, which can be counted.
    pub(super) counts: Option<Counts>,
}

impl Subject {
    pub(super) fn of_history(reading: Reading) -> Self {
        Self { content: Content::History(reading.history), notes: reading.warnings, counts: None }
    }

    /// The judgement, and for a table a history of what is told.
    pub(super) fn judge(&self, rules: &Rules) -> (Judged, History) {
        match &self.content {
            Content::History(history) => (judge(history, rules), History::default()),
            Content::Table(table) => judge_table(table, TableReading::header(), rules),
        }
    }
}

impl Check {
    /// What the file was taken for, and what of it is judged; `rules` are fitted to that.
    pub(super) fn scope(&self, mut reading: TableReading, rules: &mut Rules) -> (String, Subject) {
        let counts = [reading.table.len(), reading.table.session_count()];
        let understood =
            understood_as(reading.format, &TableReading::header().workload, counts, Nanos::default());
        let mut notes = std::mem::take(&mut reading.warnings);
        let is_large = reading.table.micro_op_count() >= TABLE_MIN;
        if rules.forgive_no_chance && is_large {
            notes.push(leave_aside(rules, &reading.table, &self.source));
        }
        notes.extend(expect_by_their_names(rules, &self.guarantee, reading.format));
        let is_level = |(name, _): &(String, Expectation)| levels::level(name).is_some();
        if !rules.expect.iter().all(is_level) {
            reading.warnings = notes;
            return (understood, Subject::of_history(reading.into_reading()));
        }
        let counts = Some(count(&reading.table));
        (understood, Subject { content: Content::Table(reading.table), notes, counts })
    }
}

/// Nobody named a guarantee, and this is too large for all of them.
fn leave_aside(rules: &mut Rules, table: &TxnTable, source: &str) -> String {
    let is_easy = |level: &Level| level.is_polynomial || table.micro_op_count() <= HARD_MAX;
    let is_taken = |name: &str| levels::level(name).is_some_and(|level| is_easy(level) && !level.is_strict);
    rules.expect.retain(|(name, _)| is_taken(name));
    let hard = levels::LEVELS.iter().filter(|level| !level.is_strict && !is_easy(level));
    let hard: Vec<&str> = hard.map(|level| level.guarantee).collect();
    let hard = if hard.is_empty() { String::new() } else { format!(" {} can take long.", listed(hard)) };
    format!(
        "Judged as a table of {}: isolation alone, all else was left aside.{hard} To ask for more: rashomon check \
         {source} -g GUARANTEE",
        counted(table.micro_op_count() as u64, "read and write", "reads and writes"),
    )
}

/// Who asks for what these formats' testers have another definition of is judged by that, too.
fn expect_by_their_names(rules: &mut Rules, asked: &[String], format: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, theirs) in THEIR_NAMES {
        let is_there = rules.expect.iter().any(|(there, _)| there == theirs);
        if is_there || !asked.iter().any(|asked| asked == name) {
            continue;
        }
        rules.expect.push((theirs.into(), Expectation::Hold));
        let what = name.replace('-', " ");
        notes.push(format!(
            "In {format}, {what} means what Biswas & Enea 2019 define, here {theirs}: it is expected, too (-e \
             {theirs}=watch to look on). {name} itself promises less."
        ));
    }
    notes
}

fn count(table: &TxnTable) -> Counts {
    let confirmed = table.transactions().filter(|txn| table.status(*txn) == TxnStatus::Committed).count();
    let (total, confirmed) = (table.len() as u64, confirmed as u64);
    Counts { total, confirmed, failed: total - confirmed, unknown: 0 }
}
