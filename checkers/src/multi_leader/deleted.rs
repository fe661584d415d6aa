//! Deletes stay deleted: a value that a confirmed delete removed does not come back by itself.
//!
//! ```text
//!   c0@A  write x 5  -> ok
//!   c1@B  read x     -> 5           B has 5
//!   c1@B  delete x   -> ok          so the delete removed 5
//!   -- final-reads
//!   c2@C  read x     -> 5           nobody wrote 5 again: broken (a tombstone was forgotten)
//! ```
//!
//! A store may legally let a write win that the delete did not know of. So a delete counts as having
//! *removed* a value only if its session or its node had it before: wrote it, or read it. And a
//! replica may be behind, so one read of the value is no proof. What proves it is
//!
//! - a final read that shows the value, or
//! - three reads on the node that deleted: with the value, then without it, then with it again. Fewer
//!   do not do: a replica that is behind has not heard of the value at first, and gets it later.
//!
//! The same for elements: removed by `remove` or `delete`, brought by adds and appends.
//!
//! Source: the zombies of Riak's and Cassandra's tombstone collection; *remove* of the observed-remove
//! set in Shapiro et al. 2011, §3.3.5, which removes exactly what was observed.

mod story;
mod traces;

use histories::{MicroOp, Value};
use rustc_hash::FxHashSet;

use super::is_same_node;
use crate::facts::{Address, Facts, KeyKind, KeyNumber, Maker};
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Verdict};
use traces::{Traces, seen};

/// Follows each value of a key with deletes from what brought it, over what removed it, to the reads
/// after that. O(n) in values and elements seen; for each value that is read after a delete newer
/// than it, O(operations on the key between its writing and those deletes) more.
///
/// Every call that can have brought the value must be covered by a confirmed delete, or the value
/// may be back by right. A read counts as having had the value only if it was asked after the write
/// was. Does not judge counters, nor sets and lists that are also written as a whole.
/// Does not see a value that came back and was gone again when the final reads were made, unless the
/// node that deleted it was read before and after, and one call alone can have brought it: a replica
/// that is behind may show each of several for a while.
pub struct DeletesStayDeleted;

const GUARANTEE: &str = "deletes-stay-deleted";

impl Checker for DeletesStayDeleted {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "what a confirmed delete removed does not come back unless someone writes it again"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut deletes, mut chances, mut findings) = (0, 0, Vec::new());
        for key in facts.keys() {
            let usage = facts.usage(key);
            if usage.deletes + usage.removes == 0 {
                continue;
            }
            deletes += u64::from(usage.deletes + usage.removes);
            if !is_judged(facts, key) {
                continue;
            }
            let (count, returns) = judge_key(facts, key);
            chances += count;
            findings.extend(story::finding(facts, key, &returns));
        }
        let what = match (deletes, chances) {
            (0, _) => "this history has no deletes".into(),
            (_, 0) => "no confirmed delete removed a value and was looked at again".into(),
            _ => format!(
                "{} of a value that was there, looked at again later",
                counted(chances, "delete", "deletes")
            ),
        };
        let chances = Chances { count: chances, what };
        if findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let count: u64 = findings.iter().map(|finding| finding.weight).sum();
        let keys = counted(findings.len() as u64, "key", "keys");
        let summary = format!("{} came back, on {keys}", counted(count, "deleted value", "deleted values"));
        story::sort(facts, &mut findings);
        Verdict::broken(GUARANTEE, chances, summary, count, findings)
    }
}

fn is_judged(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    match facts.kind(key) {
        KeyKind::Register => true,
        KeyKind::List | KeyKind::Set => usage.writes + usage.compare_and_sets == 0,
        KeyKind::Counter | KeyKind::Queue | KeyKind::Stack | KeyKind::Mixed => false,
    }
}

/// A removed value that was seen again.
struct Return<'h> {
    value: &'h Value,
    /// The call that brought it.
    maker: Address,
    /// The delete or remove that took it out.
    removal: Address,
    /// Reads on the same node before, if they are what proves it.
    before: Option<Before>,
    /// The read that saw it again.
    read: Address,
}

/// Reads on the node that shows a value again.
#[derive(Clone, Copy)]
struct Before {
    /// Saw the value.
    had: Address,
    /// Saw the key without it, after that and after the delete.
    gone: Address,
}

/// How many deletes were put to the test, and which values came back, each once.
fn judge_key<'h>(facts: &Facts<'h>, key: KeyNumber) -> (u64, Vec<Return<'h>>) {
    let removals: Vec<Address> = facts
        .on_key(key)
        .iter()
        .copied()
        .filter(|at| is_removal(facts.micro_op(*at)) && facts.operation(*at).is_confirmed())
        .collect();
    let chances = removals.iter().filter(|removal| was_tested(facts, key, **removal)).count();
    let mut traces = Traces::new(facts, key);
    let (mut returns, mut told) = (Vec::new(), FxHashSet::default());
    for read in facts.on_key(key) {
        for (value, maker) in seen(facts, *read) {
            // Most values are read before anything is deleted that is newer than they are.
            let is_between = |removal: &Address| maker.first().is_some_and(|maker| *removal > maker);
            let older = removals.partition_point(|removal| !is_between(removal));
            let asked_before = removals.partition_point(|removal| removal < read);
            if older >= asked_before || told.contains(value) {
                continue;
            }
            let memory = Memory { value, maker, read: *read };
            if let Some(found) = came_back(&mut traces, &removals[older..asked_before], memory) {
                told.insert(value);
                returns.push(found);
            }
        }
    }
    (chances as u64, returns)
}

fn is_removal(micro_op: &MicroOp) -> bool {
    matches!(micro_op, MicroOp::Delete { .. } | MicroOp::Remove { .. })
}

/// True if the removal takes out this value or element.
fn takes_out(micro_op: &MicroOp, value: &Value) -> bool {
    match micro_op {
        MicroOp::Delete { .. } => true,
        MicroOp::Remove { element, .. } => element == value,
        _ => false,
    }
}

// There was something to remove, and somebody looked afterwards.
fn was_tested(facts: &Facts<'_>, key: KeyNumber, removal: Address) -> bool {
    let last_read = facts.on_key(key).iter().rev().find(|at| facts.observed(**at).is_some());
    last_read.is_some_and(|read| facts.operation(removal).precedes(facts.operation(*read)))
        && traces::had_something(facts, key, removal)
}

/// A read that saw a value for which there are removals newer than the value's first maker.
#[derive(Clone, Copy)]
struct Memory<'h> {
    value: &'h Value,
    maker: Maker,
    read: Address,
}

fn came_back<'h>(
    traces: &mut Traces<'_, 'h>,
    removals: &[Address],
    memory: Memory<'h>,
) -> Option<Return<'h>> {
    let (facts, Memory { value, read, .. }) = (traces.facts, memory);
    let reader = facts.operation(read);
    let is_final = facts.final_reads(facts.key_of(read)).binary_search(&read).is_ok();
    let anywhere = |removal: Address| facts.operation(removal).precedes(reader);
    if is_final && let Some((removal, maker)) = traces.removal_of_all(removals, memory, &anywhere) {
        return Some(Return { value, maker, removal, before: None, read });
    }
    let maker = memory.maker.one()?;
    let on_this_node = |removal: Address| is_same_node(facts.operation(removal), reader) && anywhere(removal);
    let (removal, _) = traces.removal_of_all(removals, memory, &on_this_node)?;
    let before = seen_before(facts, (maker, removal, read), value)?;
    Some(Return { value, maker, removal, before: Some(before), read })
}

/// Two reads on the same node, the second between the removal and `read`: with the value, then without.
fn seen_before(
    facts: &Facts<'_>,
    (maker, removal, read): (Address, Address, Address),
    value: &Value,
) -> Option<Before> {
    let (removed, reader) = (facts.operation(removal), facts.operation(read));
    let on_key = facts.on_key(facts.key_of(read));
    let has = |at: Address| seen(facts, at).any(|(other, _)| other == value);
    let reads_after = |from: Address| {
        let after = &on_key[on_key.partition_point(|at| *at <= from)..];
        let until = after.iter().copied().take_while(|at| *at < read);
        until.filter(|at| facts.observed(*at).is_some() && is_same_node(facts.operation(*at), reader))
    };
    let is_gone = |at: &Address| {
        let operation = facts.operation(*at);
        removed.precedes(operation) && operation.precedes(reader) && !has(*at)
    };
    // Most values are never seen gone, and then nobody need look further back.
    let gone: Vec<Address> = reads_after(removal).filter(is_gone).collect();
    let last = facts.operation(*gone.last()?);
    let before_last = |at: &Address| facts.operation(*at).precedes(last) && has(*at);
    let had = reads_after(maker).filter(before_last).min_by_key(|at| facts.operation(*at).completed)?;
    let is_after = |at: &Address| facts.operation(had).precedes(facts.operation(*at));
    gone.into_iter().find(is_after).map(|gone| Before { had, gone })
}

/// True if the key is a collection whose elements come and go.
fn has_elements(facts: &Facts<'_>, key: KeyNumber) -> bool {
    matches!(facts.kind(key), KeyKind::List | KeyKind::Set)
}
