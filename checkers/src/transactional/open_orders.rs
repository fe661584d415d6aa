//! Appends that nobody read: does each of their orders break a level, perhaps each in a way of its own?
//!
//! ```text
//!   T1  append x 1         T2  append x 2         nobody read either: 1 may be before 2, or after it
//!   1 before 2: T1 ─ww▶ T2 ─…▶ T1, not allowed       2 before 1: T2 ─ww▶ T1 ─…▶ T2, not allowed either
//! ```
//!
//! Without any cycle there is an order: that of all transactions. With cycles that snapshot isolation allows there may
//! be none. Then the lists are looked at as registers whose order of versions is not known: a read of a list is one
//! of its last element, and who appended next replaced that, as if it had read it. Under snapshot isolation it may as
//! well have, for nobody came between the two. So what nobody read comes last, in any order, and the search
//! that judges registers decides, within a budget of steps.
//!
//! Source: Biswas & Enea, On the complexity of checking transactional consistency, OOPSLA 2019, §2.2.

use histories::compact::{TxnId, TxnStatus, TxnTableBuilder};
use histories::{MicroOp, Nanos, Operation, OperationId, Outcome, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::list_append::{elements, is_list, longest};
use super::touch::is_register;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::isolation::levels::level;
use crate::isolation::{Answer, Link, Why};
use crate::{Budget, EdgeKind};

/// True if two transactions appended to one list what nobody read.
pub(super) fn are_there(facts: &Facts<'_>) -> bool {
    facts.keys().filter(|key| is_list(facts, *key)).any(|key| {
        let seen: FxHashSet<&Value> =
            longest(facts, key).map(|(_, seen)| seen.iter().collect()).unwrap_or_default();
        let is_unread = |at: &&Address| match facts.micro_op(**at) {
            MicroOp::Append { element, .. } => facts.operation(**at).is_possible() && !seen.contains(element),
            _ => false,
        };
        let mut unread = facts.on_key(key).iter().filter(is_unread).map(|at| at.operation);
        unread.next().is_some_and(|first| unread.any(|other| other != first))
    })
}

/// What the lists and registers of a history say about a level.
pub(super) struct Judged {
    pub(super) answer: Answer,
    keys: Vec<KeyNumber>,
}

/// Judges a level; none if it is not one that can be judged on a table.
pub(super) fn judge(guarantee: &str, facts: &Facts<'_>, budget: Budget) -> Option<Judged> {
    let mut tabled = Tabled {
        facts,
        builder: TxnTableBuilder::default(),
        keys: Vec::new(),
        numbers: FxHashMap::default(),
    };
    let before = tabled.standing_before();
    for operation in facts.history().operations() {
        tabled.take(operation, &before);
    }
    let (table, keys) = (tabled.builder.finish(), tabled.keys);
    Some(Judged { answer: (level(guarantee)?.judge)(&table, budget), keys })
}

/// What stands before the element of an append in the longest read; none if nothing does.
type Before<'h> = FxHashMap<Address, Option<&'h Value>>;

struct Tabled<'f, 'h> {
    facts: &'f Facts<'h>,
    builder: TxnTableBuilder,
    keys: Vec<KeyNumber>,
    numbers: FxHashMap<KeyNumber, u32>,
}

impl<'h> Tabled<'_, 'h> {
    fn standing_before(&self) -> Before<'h> {
        let facts = self.facts;
        let mut before = Before::default();
        for key in facts.keys().filter(|key| is_list(facts, *key)) {
            let Some((_, seen)) = longest(facts, key) else { continue };
            for (place, element) in seen.iter().enumerate() {
                if let Some(append) = facts.element_maker(key, element).one() {
                    before.entry(append).or_insert(place.checked_sub(1).map(|place| &seen[place]));
                }
            }
        }
        before
    }

    // Each operation is a transaction: so they have the same numbers.
    fn take(&mut self, operation: &'h Operation, before: &Before<'h>) {
        self.builder.begin(operation.session);
        let mut touched: FxHashSet<KeyNumber> = FxHashSet::default();
        for index in 0..operation.call.micro_ops().len() as u32 {
            let at = Address { operation: operation.id, index };
            let key = self.facts.key_of(at);
            // Nobody knows what a read without an answer saw.
            if self.facts.micro_op(at).is_read() && self.facts.observed(at).is_none() {
                continue;
            }
            let is_first = touched.insert(key);
            match self.facts.kind(key) {
                KeyKind::List if is_list(self.facts, key) => self.list(at, key, is_first, before),
                KeyKind::Register if is_register(self.facts, key) => self.register(at, key),
                _ => {}
            }
        }
        let status = match operation.outcome {
            Outcome::Confirmed(_) => TxnStatus::Committed,
            Outcome::Failed(_) => TxnStatus::Aborted,
            Outcome::Unknown(_) => TxnStatus::Unknown,
        };
        let completed = operation.completed.filter(|_| operation.is_confirmed());
        self.builder.end_at(status, operation.invoked, completed.unwrap_or(Nanos(u64::MAX)));
    }

    fn list(&mut self, at: Address, key: KeyNumber, is_first: bool, before: &Before<'h>) {
        let number = self.number(key);
        if let MicroOp::Append { element, .. } = self.facts.micro_op(at) {
            if is_first && let Some(replaced) = before.get(&at) {
                self.see(number, *replaced);
            }
            let value = self.builder.value_number(element);
            self.builder.write(number, value);
        } else if let Some(seen) = self.facts.observed(at).and_then(elements) {
            self.see(number, seen.last());
        }
    }

    fn register(&mut self, at: Address, key: KeyNumber) {
        let number = self.number(key);
        let (observed, written) = match self.facts.micro_op(at) {
            MicroOp::CompareAndSet { expected, value, .. } => (Some(&**expected), Some(value)),
            MicroOp::Write { value, .. } => (None, Some(value)),
            _ => (self.facts.observed(at), None),
        };
        if let Some(observed) = observed {
            self.see(number, observed.single().filter(|value| !self.facts.is_blank(key, value)));
        }
        if let Some(value) = written {
            let value = self.builder.value_number(value);
            self.builder.write(number, value);
        }
    }

    fn see(&mut self, number: u32, value: Option<&Value>) {
        let value = value.map(|value| self.builder.value_number(value));
        self.builder.read(number, value);
    }

    fn number(&mut self, key: KeyNumber) -> u32 {
        let Self { facts, builder, keys, numbers } = self;
        *numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            builder.key_of_text(facts.key(key))
        })
    }
}

impl Judged {
    pub(super) fn key(&self, number: u32) -> KeyNumber {
        self.keys[number as usize]
    }

    /// The kind of an edge, and the observation behind it.
    pub(super) fn told(&self, facts: &Facts<'_>, link: Link) -> (EdgeKind, String) {
        let who = |txn: TxnId| facts.history().operation(operation(txn)).session;
        let (first, later) = (who(link.from), who(link.to));
        let name = |number: u32| facts.key(self.key(number));
        let appends_first = |txn: TxnId, number: u32| {
            let on_key = facts.on_key(self.key(number)).iter().find(|at| at.operation == operation(txn));
            on_key.is_some_and(|at| matches!(facts.micro_op(*at), MicroOp::Append { .. }))
        };
        match link.why {
            Why::Session => {
                (EdgeKind::Session, format!("{first} asked the second after it had the answer to the first"))
            }
            Why::RealTime => (EdgeKind::RealTime, "the first had ended before the second began".into()),
            Why::Read { key } if appends_first(link.to, key) => (
                EdgeKind::WriteWrite,
                format!("in {}, what {later} appended stands behind what {first} did", name(key)),
            ),
            Why::Read { key } => {
                (EdgeKind::WriteRead, format!("{later} saw {} as {first} left it", name(key)))
            }
            Why::Overwritten { key } if appends_first(link.from, key) => {
                (EdgeKind::WriteWrite, format!("{first} appended to {} before {later} did", name(key)))
            }
            Why::Overwritten { key } => (
                EdgeKind::ReadWrite,
                format!("{first} saw {} as it was before {later} changed it", name(key)),
            ),
            Why::Newer { key, reader } => (
                EdgeKind::WriteWrite,
                format!("{} comes after {first} and found {} as {later} left it", who(reader), name(key)),
            ),
            Why::Apart { key } => (
                EdgeKind::WriteWrite,
                format!("both change {}, and {first} was at work before {later} was done", name(key)),
            ),
            Why::Supposed { key } => {
                (EdgeKind::WriteWrite, format!("suppose that {first} changes {} before {later}", name(key)))
            }
        }
    }
}

/// Each transaction is the operation of its number.
pub(super) fn operation(txn: TxnId) -> OperationId {
    OperationId(txn.0)
}
