//! Lost updates: two sessions change a key from one same state, both are told OK, and in the end one
//! of the changes is in nobody's final state, nor in the history of one.
//!
//! ```text
//!                 ┌─ 1  c3 → A  adds 412 ─▶ [88 301 412]   nobody's ancestor: lost
//!   [88 301] ─────┤
//!                 └─ 2  c5 → B  adds 434 ─▶ [88 301 434] ◀─ what all final reads saw
//!
//!   1 ──ww──▶ 2   all final reads have 434 and not 412
//!   2 ──rw──▶ 1   but 2 started from [88 301], the list as it was before 1
//! ```
//!
//! How it is judged depends on how a key is used:
//!
//! - *compare-and-set* names what it replaces, by the store's versions if it gives some, else by
//!   values. That makes a graph of states (`ancestry`, `registers`); an update is lost if no final state descends
//!   from it. Whole chains on the losing side count, one by one.
//! - *appends and adds* are blind; one is lost if its element is in no final read (`elements`).
//! - *increments* only leave a sum; too small a sum says how many are missing at least (`counter`).
//!
//! What silences it: a blind write, delete or remove that can be ordered after the update, for that
//! may replace anything, and need not have left a trace in the final state; siblings that keep both; an update of unknown outcome, for nobody promised
//! it. A blind write itself is never lost: another blind write may always replace it.
//!
//! Source: P4 of Berenson et al. 1995, §4.1; G-single of Adya 1999, §4.2, on one key.

mod ancestry;
mod counter;
mod elements;
mod registers;
mod story;

use rustc_hash::FxHashSet;

use super::final_state::{self, Replicas};
use super::is_same_node;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::wording::{counted, grouped, listed};
use crate::{Budget, Chances, Checker, Finding, Verdict};

/// Looks for each confirmed update in the final reads of all nodes and in their ancestry. O(n), and
/// O(n) more on a key for each update that a blind write may excuse.
///
/// A key without a final read on every node is not judged: the missing node may have kept what is
/// missed. Nor is one whose final state, or an ancestor of it, has no known maker, or several. Does
/// not see updates that were lost and made again, and none that a blind write or delete may have
/// found, for that was not answered before they were asked, whatever became of it. An order between two calls counts as known to the store if the one was
/// answered before the other was asked *in the same session or on the same node*, or if the other
/// names it as an ancestor; real time alone orders nothing here.
pub struct NoLostUpdates;

const GUARANTEE: &str = "no-lost-updates";

impl Checker for NoLostUpdates {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "a confirmed update stays, or what replaced it knew of it"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let replicas = Replicas::new(facts);
        let mut tally = Tally::default();
        let mut findings: Vec<Finding> = Vec::new();
        for key in facts.keys() {
            if !is_updated(facts, key) {
                continue;
            }
            let judged = judge_key(facts, &replicas, key);
            tally.count(facts, key, &judged);
            findings.extend(judged.loss.map(|loss| story::finding(facts, &replicas, key, &loss)));
        }
        let chances = tally.chances();
        if !findings.is_empty() {
            let lost: u64 = findings.iter().map(|finding| finding.weight).sum();
            story::sort(facts, &mut findings);
            return Verdict::broken(GUARANTEE, chances, summary(&findings, lost), lost, findings);
        }
        match why_not(facts, &replicas, &tally) {
            Some(why) => Verdict::not_judged(GUARANTEE, chances, why),
            None => Verdict::unbroken(GUARANTEE, chances),
        }
    }
}

/// What was found out about one key.
#[derive(Default)]
struct Judged {
    /// Situations in which an update could have been lost.
    chances: u64,
    /// False if the end of the key, or its ancestry, is not known well enough.
    is_clear: bool,
    loss: Option<Loss>,
}

/// Updates that one key lost.
struct Loss {
    /// How many, at least.
    count: u64,
    /// The simplest of them.
    example: Example,
}

/// The operations that prove it.
enum Example {
    /// Two updates from one state.
    Clash { lost: Address, survivor: Address, same_base: bool, read: Address },
    /// An update that is simply no longer there.
    Gone { lost: Address, read: Address },
    /// A sum that is too small, or too large; `repeated` explains it too, if it took effect twice.
    Sum { lost: Address, read: Address, value: i128, low: i128, high: i128, repeated: Option<Address> },
}

fn is_updated(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let usage = facts.usage(key);
    usage.compare_and_sets + usage.appends + usage.adds + usage.increments > 0
}

fn judge_key(facts: &Facts<'_>, replicas: &Replicas<'_, '_>, key: KeyNumber) -> Judged {
    let end = End { reads: facts.final_reads(key), newest: replicas.final_reads(key) };
    let is_read_everywhere = end.newest.len() == replicas.expected();
    let mut judged = match facts.kind(key) {
        KeyKind::Register => registers::judge(facts, key, &end),
        KeyKind::Counter => counter::judge(facts, key, &end),
        // What was taken out is nowhere, and who took it need not have been told.
        KeyKind::List | KeyKind::Set | KeyKind::Queue | KeyKind::Stack | KeyKind::Mixed => {
            elements::judge(facts, key, &end)
        }
    };
    if !is_read_everywhere {
        judged = Judged { chances: judged.chances, is_clear: false, loss: None };
    }
    judged
}

/// The final reads of a key.
struct End<'a> {
    /// All of them: what any of them saw was not lost.
    reads: &'a [Address],
    /// The newest of each node, in order of nodes.
    newest: Vec<Address>,
}

impl End<'_> {
    /// True if the update was confirmed before anybody looked at the end.
    fn should_show(&self, facts: &Facts<'_>, update: Address) -> bool {
        let update = facts.operation(update);
        !self.reads.is_empty() && self.reads.iter().all(|read| update.precedes(facts.operation(*read)))
    }
}

/// True if whoever made `later` must have known of `earlier`: see [`NoLostUpdates`].
fn is_known_before(facts: &Facts<'_>, earlier: Address, later: Address) -> bool {
    let (earlier, later) = (facts.operation(earlier), facts.operation(later));
    earlier.precedes(later) && (earlier.session == later.session || is_same_node(earlier, later))
}

/// Blind updates that another session's update went beside: at the same time, or to another node.
fn blind_chances(facts: &Facts<'_>, updates: &[Address]) -> u64 {
    let beside = |pair: &&[Address]| {
        let (before, after) = (facts.operation(pair[0]), facts.operation(pair[1]));
        before.session != after.session && (before.node != after.node || !before.precedes(after))
    };
    updates.windows(2).filter(beside).count() as u64
}

#[derive(Default)]
struct Tally {
    /// Keys that had a chance and were judged.
    keys: u64,
    /// Their chances.
    times: u64,
    /// Keys that had a chance and could not be judged.
    unclear: u64,
    kinds: FxHashSet<bool>,
}

impl Tally {
    fn count(&mut self, facts: &Facts<'_>, key: KeyNumber, judged: &Judged) {
        if judged.chances == 0 {
            return;
        }
        if judged.is_clear {
            self.keys += 1;
            self.times += judged.chances;
            self.kinds.insert(facts.kind(key) == KeyKind::Register);
        } else {
            self.unclear += 1;
        }
    }

    fn chances(&self) -> Chances {
        let (from_one_version, blind) = (self.kinds.contains(&true), self.kinds.contains(&false));
        let how = match (from_one_version, blind) {
            (true, false) => "updated by two sessions from one version",
            (false, true) => "added to by two sessions side by side",
            _ => "updated by two sessions that did not know of each other",
        };
        let what = match self.times {
            0 => "no two sessions updated one key without knowing of each other".into(),
            times => {
                let unclear = match self.unclear {
                    0 => String::new(),
                    unclear => format!("; {} more could not be judged", grouped(unclear)),
                };
                let keys = counted(self.keys, "key", "keys");
                let often = if times == 1 { "once".into() } else { counted(times, "time", "times") };
                format!("{keys} {how}, {often}{unclear}")
            }
        };
        Chances { count: self.times, what }
    }
}

fn why_not(facts: &Facts<'_>, replicas: &Replicas<'_, '_>, tally: &Tally) -> Option<String> {
    if tally.times > 0 || tally.unclear == 0 {
        return None;
    }
    if !final_state::any(facts) {
        return Some("no final read was answered, so nobody knows what was kept".into());
    }
    let silent = replicas.silent();
    let keys = counted(tally.unclear, "key", "keys");
    Some(match silent.as_slice() {
        [] => format!(
            "{keys}, but each lacks a final read on some node, or holds what no single call can have written"
        ),
        [node] => format!("node {node} never came back, so nobody could read what it kept"),
        nodes => {
            format!("nodes {} never came back, so nobody could read what they kept", listed(nodes.iter()))
        }
    })
}

fn summary(findings: &[Finding], lost: u64) -> String {
    let keys = findings.len() as u64;
    format!(
        "{} disappeared, on {}",
        counted(lost, "confirmed write", "confirmed writes"),
        counted(keys, "key", "keys")
    )
}
