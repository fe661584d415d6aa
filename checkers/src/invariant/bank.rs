//! Bank totals: money moves between accounts, and all of it is there at any time.
//!
//! ```text
//!   c0  txn write a 10; write b 10                     opens the accounts: 20 in all
//!   c1  txn increment a -5; increment b 5              a transfer
//!   c2  txn read a; read b → 5; 10                     15 in all: broken
//! ```
//!
//! The accounts are the keys of the widest read of several counters or numbers in one transaction. All
//! that changes them must keep their sum: increments that cancel out, or writes of what the transaction
//! itself read; or be writes of all accounts at once, which say what the sum is. Then every read of all
//! accounts finds the same sum. That is true under snapshot isolation and above, and false under read
//! committed. An account that is not there counts as 0. O(n).
//!
//! Source: the bank test of Jepsen (Kingsbury); Fekete et al., Making Snapshot Isolation Serializable, TODS
//! 2005, for why it is a good one.

use histories::{MicroOp, Observed, Operation, Value};
use rustc_hash::FxHashMap;

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyNumber};
use crate::invariant::proof::Proof;
use crate::wording::{counted, listed};
use crate::{Budget, Certainty, Chances, Checker, Finding, Verdict};

/// Judges `bank-totals`.
pub struct BankTotals;

const GUARANTEE: &str = "bank-totals";

impl Checker for BankTotals {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "all who read all accounts at once find the same total, however money moves between them"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let none = |what: &str| Verdict::unbroken(GUARANTEE, Chances { count: 0, what: what.into() });
        let Some(accounts) = accounts(facts) else {
            return none("no transaction read several numbers at once");
        };
        let bank = match Bank::new(facts, accounts) {
            Ok(bank) => bank,
            Err(why) => return none(&why),
        };
        let count = bank.reads.len() as u64;
        let what = format!(
            "{} of all {}",
            counted(count, "read", "reads"),
            counted(bank.accounts.len() as u64, "account", "accounts")
        );
        let chances = Chances {
            count: if bank.moved { count } else { 0 },
            what: if bank.moved { what } else { "nothing was moved between the accounts".into() },
        };
        let wrong: Vec<&Read> = bank.wrong().collect();
        if wrong.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let times = wrong.len() as u64;
        let summary = format!(
            "{} found another total",
            counted(times, "read of all accounts", "reads of all accounts")
        );
        Verdict::broken(GUARANTEE, chances, summary, times, vec![bank.finding(wrong[0], times)])
    }
}

// The keys of the first of the widest reads of numbers.
fn accounts(facts: &Facts<'_>) -> Option<Vec<KeyNumber>> {
    let mut widest: Vec<KeyNumber> = Vec::new();
    for operation in facts.history().operations() {
        let count = operation.call.micro_ops().len();
        if count > widest.len().max(1) && operation.is_confirmed() && operation.call.is_read_only() {
            let read = numbers(facts, operation);
            if read.len() > widest.len() {
                widest = read.into_iter().map(|(key, ..)| key).collect();
            }
        }
    }
    (widest.len() > 1).then_some(widest)
}

/// What a read-only transaction found of numbers, by key; empty if it found anything else.
fn numbers(facts: &Facts<'_>, operation: &Operation) -> Vec<(KeyNumber, Address, i64)> {
    let mut found = Vec::new();
    for (index, (_, reply)) in operation.steps().enumerate() {
        let at = Address { operation: operation.id, index: index as u32 };
        match reply.and_then(|reply| reply.observed.as_ref()).and_then(number) {
            Some(number) => found.push((facts.key_of(at), at, number)),
            None => return Vec::new(),
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(key, ..)| *key);
    found
}

fn number(observed: &Observed) -> Option<i64> {
    match observed.values.as_slice() {
        [] => Some(0),
        [Value::Integer(number)] => Some(*number),
        _ => None,
    }
}

struct Read {
    places: Vec<Address>,
    total: i128,
}

struct Bank<'f, 'h> {
    facts: &'f Facts<'h>,
    accounts: Vec<KeyNumber>,
    reads: Vec<Read>,
    /// What opened the accounts, with the sum that it put in.
    opened: Option<(&'h Operation, i128)>,
    /// True if money may have moved.
    moved: bool,
    /// An unknown call of which nobody can say whether it keeps the sum.
    unclear: Option<&'h Operation>,
}

/// What a call does to the sum of all accounts.
enum Effect {
    None,
    Kept,
    Opened(i128),
    Unclear,
    Changed(KeyNumber),
}

impl<'f, 'h> Bank<'f, 'h> {
    fn new(facts: &'f Facts<'h>, accounts: Vec<KeyNumber>) -> Result<Self, String> {
        let mut bank = Self { facts, accounts, reads: Vec::new(), opened: None, moved: false, unclear: None };
        for operation in facts.history().operations().iter().filter(|operation| operation.is_possible()) {
            match bank.effect(operation) {
                Effect::None => {}
                Effect::Kept => bank.moved = true,
                Effect::Unclear => bank.unclear = Some(operation),
                Effect::Opened(total) if bank.opened.is_none_or(|(_, before)| before == total) => {
                    bank.opened = bank.opened.or(Some((operation, total)));
                }
                Effect::Opened(_) => return Err("the accounts were set to different totals".into()),
                Effect::Changed(key) => {
                    return Err(format!("{} is changed by other calls than transfers", facts.key(key)));
                }
            }
        }
        bank.find_reads();
        Ok(bank)
    }

    fn find_reads(&mut self) {
        for operation in self.facts.history().operations() {
            if !operation.is_confirmed() || !operation.call.is_read_only() {
                continue;
            }
            let found = numbers(self.facts, operation);
            if !found.iter().map(|(key, ..)| *key).eq(self.accounts.iter().copied()) {
                continue;
            }
            // Before they are opened there is nothing.
            let may_be_early = self.opened.is_some_and(|(opened, _)| !opened.precedes(operation));
            let total = found.iter().map(|(.., number)| i128::from(*number)).sum();
            if may_be_early && total == 0 {
                continue;
            }
            self.reads.push(Read { places: found.iter().map(|(_, at, _)| *at).collect(), total });
        }
    }

    fn effect(&self, operation: &Operation) -> Effect {
        let (mut sum, mut writes, mut changes) = (0_i128, 0, false);
        let mut had: FxHashMap<KeyNumber, i64> = FxHashMap::default();
        let mut is_clear = true;
        let mut touched = None;
        for (index, (micro_op, reply)) in operation.steps().enumerate() {
            let key = self.facts.key_of(Address { operation: operation.id, index: index as u32 });
            if self.accounts.binary_search(&key).is_err() {
                continue;
            }
            match micro_op {
                MicroOp::Read { .. } => {
                    let found = reply.and_then(|reply| reply.observed.as_ref()).and_then(number);
                    had.extend(found.map(|number| (key, number)));
                    is_clear &= found.is_some();
                    continue;
                }
                MicroOp::Increment { by, .. } => sum += i128::from(*by),
                MicroOp::Write { value: Value::Integer(new), .. } => {
                    writes += 1;
                    sum += i128::from(*new);
                    match had.insert(key, *new) {
                        Some(old) => sum -= i128::from(old),
                        None => is_clear = false,
                    }
                }
                MicroOp::CompareAndSet { expected, value: Value::Integer(new), .. } => match number(expected)
                {
                    Some(old) => sum += i128::from(*new) - i128::from(old),
                    None => return Effect::Changed(key),
                },
                _ => return Effect::Changed(key),
            }
            (changes, touched) = (true, Some(key));
        }
        match touched {
            None => Effect::None,
            Some(_) if is_clear && changes && sum == 0 => Effect::Kept,
            Some(_) if writes == self.accounts.len() && had.len() == writes && !is_clear => {
                Effect::Opened(sum)
            }
            Some(_) if !is_clear && operation.outcome.is_unknown() => Effect::Unclear,
            Some(key) => Effect::Changed(key),
        }
    }

    // What opened the accounts says what is right; else the total that most reads found.
    fn expected(&self) -> Option<i128> {
        if let Some((_, total)) = self.opened {
            return Some(total);
        }
        let mut totals: Vec<i128> = self.reads.iter().map(|read| read.total).collect();
        totals.sort_unstable();
        totals.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map(|same| same[0])
    }

    fn wrong(&self) -> impl Iterator<Item = &Read> {
        let expected = self.expected();
        self.reads.iter().filter(move |read| Some(read.total) != expected)
    }

    fn finding(&self, read: &Read, weight: u64) -> Finding {
        let facts = self.facts;
        let keys: Vec<_> = self.accounts.iter().map(|key| facts.key(*key).clone()).collect();
        let expected = self.expected().unwrap_or_default();
        let reader = facts.operation(read.places[0]);
        let right = self.reads.iter().find(|other| other.total == expected);
        let (why, others): (String, Vec<Address>) = match (self.opened, right) {
            (Some((opened, _)), _) => {
                let count = opened.call.micro_ops().len() as u32;
                let places = (0..count).map(|index| Address { operation: opened.id, index }).collect();
                (format!("client {} had put in {expected}", opened.session), places)
            }
            (None, Some(other)) => (
                format!("client {} found {expected}", facts.operation(other.places[0]).session),
                other.places.clone(),
            ),
            (None, None) => (format!("there should be {expected}"), Vec::new()),
        };
        let proof = Proof {
            anomaly: names::WRONG_TOTAL,
            story: format!(
                "Client {} read {} at once and found {} in all, but {why}, and every call that changes them keeps \
                 their sum.",
                reader.session,
                listed(&keys),
                read.total
            ),
            brief: format!("{} in all instead of {expected}", read.total),
            conclusion: "So the read saw a part of some transfer, or a transfer was applied in part.".into(),
            keys,
            steps: others
                .into_iter()
                .map(|at| (at, ""))
                .chain(read.places.iter().map(|at| (*at, "the proof")))
                .collect(),
            edges: Vec::new(),
            weight,
        };
        let mut finding = proof.finding(facts);
        if let Some(unclear) = self.unclear {
            finding.certainty =
                Certainty::Likely(format!("depends on {}, whose answer never came", unclear.id));
        }
        finding
    }
}
