//! What several checkers need to know about a history, found once: dense numbers for keys, the
//! micro-ops of each key and the operations of each session in order, who made what, and what the
//! final reads saw.
//!
//! ```text
//!   on_key(x)      op 0, op 3.1, op 4 …      addresses: operation and micro-op
//!   seen(op 4)     5@A:1 ← op 0              what a read saw, and who made it
//!   final_reads(x) op 9 (A), op 10 (B)       confirmed, in the phase of final reads
//! ```
//!
//! O(n) time, about 100 bytes an operation on one key each.

mod by_value;
mod groups;
mod key;
mod maker;
mod natural;
mod numbering;
mod visit;

use std::sync::OnceLock;

use histories::compact::TxnTable;
use histories::threads::{both, in_halves};
use histories::{
    History, Key, MicroOp, NodeName, Observed, Operation, OperationId, Reply, SessionId, Value, Version,
};
use rustc_hash::FxHashMap;

use crate::Budget;
use crate::causal::Causality;
use crate::isolation::{self, Along};
use crate::transactional::Analysis;

pub(crate) use by_value::ByValue;
use groups::Groups;
pub use key::{KeyKind, KeyNumber, KeyUse};
use maker::Makers;
pub use maker::{Address, Maker, elements_added};
pub use natural::natural_order;
use numbering::Numbering;
pub(crate) use visit::{Verb, Visit, interval};

/// A history with its indexes.
#[derive(Debug)]
pub struct Facts<'h> {
    history: &'h History,
    keys: Vec<&'h Key>,
    numbers: FxHashMap<&'h Key, KeyNumber>,
    uses: Vec<KeyUse>,
    /// The flat number of each operation's first micro-op; one more than there are operations.
    first: Vec<u32>,
    /// The key of each micro-op, by flat number.
    key_of: Vec<KeyNumber>,
    on_key: Groups<Address>,
    visits: Groups<Visit>,
    final_reads: Groups<Address>,
    sessions: Vec<SessionId>,
    in_session: Groups<OperationId>,
    makers: Vec<Makers<'h>>,
    /// The makers of what each read saw, by flat number.
    seen: Groups<Maker>,
    /// Found when first asked for: several checkers need it, but not all.
    causality: OnceLock<Causality>,
    /// Likewise, for the isolation levels.
    transactions: OnceLock<Analysis>,
    table: OnceLock<TxnTable>,
    has_serial_order: [OnceLock<bool>; 3],
    /// The makers of what each compare-and-set expected, by flat number.
    expected: Groups<Maker>,
}

/// The makers of states, each with its place among all states.
#[derive(Default)]
struct Traced {
    seen: Vec<(usize, Maker)>,
    expected: Vec<(usize, Maker)>,
}

impl<'h> Facts<'h> {
    /// Indexes `history`.
    pub fn new(history: &'h History) -> Self {
        let Numbering { keys, numbers, uses, first, key_of, visits } = Numbering::new(history);
        let mut facts = Self {
            history,
            makers: Vec::new(),
            keys,
            numbers,
            uses,
            first,
            key_of,
            on_key: Groups::default(),
            visits: Groups::default(),
            final_reads: Groups::default(),
            sessions: Vec::new(),
            in_session: Groups::default(),
            seen: Groups::default(),
            causality: OnceLock::new(),
            transactions: OnceLock::new(),
            table: OnceLock::new(),
            has_serial_order: Default::default(),
            expected: Groups::default(),
        };
        facts.group(visits);
        facts.find_makers();
        facts
    }

    /// The history itself.
    pub fn history(&self) -> &'h History {
        self.history
    }

    /// All keys in natural order.
    pub fn keys(&self) -> impl Iterator<Item = KeyNumber> + use<> {
        (0..self.keys.len() as u32).map(KeyNumber)
    }

    /// The key with this number.
    pub fn key(&self, number: KeyNumber) -> &'h Key {
        self.keys[number.index()]
    }

    /// The number of this key, if any operation names it.
    pub fn key_number(&self, key: &Key) -> Option<KeyNumber> {
        self.numbers.get(key).copied()
    }

    /// The key that this micro-op touches. Cheaper than asking for the name's number.
    pub fn key_of(&self, address: Address) -> KeyNumber {
        self.key_of[self.flat(address)]
    }

    /// How the key is used.
    pub fn usage(&self, key: KeyNumber) -> &KeyUse {
        &self.uses[key.index()]
    }

    /// What the key is used as.
    pub fn kind(&self, key: KeyNumber) -> KeyKind {
        self.usage(key).kind()
    }

    /// All micro-ops on this key in the order of invocation, whatever their outcome.
    pub fn on_key(&self, key: KeyNumber) -> &[Address] {
        self.on_key.get(key.index())
    }

    /// The same, with what is asked of them most.
    pub(crate) fn visits(&self, key: KeyNumber) -> &[Visit] {
        self.visits.get(key.index())
    }

    /// The confirmed final reads of this key, in the order of invocation. See
    /// [`Facts::final_read`] for that of one node.
    pub fn final_reads(&self, key: KeyNumber) -> &[Address] {
        self.final_reads.get(key.index())
    }

    /// The newest confirmed final read of this key on `node`.
    pub fn final_read(&self, key: KeyNumber, node: &NodeName) -> Option<Address> {
        let is_there = |address: &&Address| self.operation(**address).node.as_ref() == Some(node);
        self.final_reads(key).iter().rev().find(is_there).copied()
    }

    /// Sessions in order of their numbers, each with its operations in program order.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &[OperationId])> {
        self.sessions.iter().enumerate().map(|(index, session)| (*session, self.in_session.get(index)))
    }

    /// The operation of this micro-op.
    pub fn operation(&self, address: Address) -> &'h Operation {
        self.history.operation(address.operation)
    }

    /// What was asked.
    pub fn micro_op(&self, address: Address) -> &'h MicroOp {
        &self.operation(address).call.micro_ops()[address.index as usize]
    }

    /// What was answered, if it was confirmed.
    pub fn reply(&self, address: Address) -> Option<&'h Reply> {
        self.operation(address).outcome.replies()?.get(address.index as usize)
    }

    /// What a confirmed read saw, or what was taken out of a queue or a stack.
    pub fn observed(&self, address: Address) -> Option<&'h Observed> {
        self.reply(address)?.observed.as_ref()
    }

    /// Who made each of the values that a confirmed read saw, in the order of its values. Empty if
    /// it saw nothing, and for keys that are no registers: there look for the elements' makers.
    pub fn seen(&self, read: Address) -> &[Maker] {
        self.seen.get(self.flat(read))
    }

    /// Who made each of the states that a compare-and-set means to replace, in the order of its
    /// expected values, whatever its outcome. Empty for anything else, and as [`Facts::seen`] is.
    pub fn expected(&self, compare_and_set: Address) -> &[Maker] {
        self.expected.get(self.flat(compare_and_set))
    }

    /// Who made this state of a register: whoever alone wrote `value`; if several did, the one among
    /// them that was told that it made `version`. An empty list may also be how the store shows that
    /// there is nothing, so without a version its maker is never certain.
    pub fn maker(&self, key: KeyNumber, value: &Value, version: Option<&Version>) -> Maker {
        self.maker_among(&self.makers[key.index()], key, value, version)
    }

    /// The integer's maker, if that is certain without a version.
    pub(crate) fn integer_maker(&self, key: KeyNumber, value: i64) -> Maker {
        self.makers[key.index()].of_integer(value)
    }

    fn maker_among(
        &self,
        makers: &Makers<'h>,
        key: KeyNumber,
        value: &Value,
        version: Option<&Version>,
    ) -> Maker {
        let by_value = match makers.of_value(value) {
            Maker::One(first) if is_empty(value) => Maker::Several { first },
            maker => maker,
        };
        match (by_value, version.map(|version| self.version_maker_among(makers, key, version))) {
            (Maker::Several { .. }, Some(Maker::One(maker))) if stores(self.micro_op(maker), value) => {
                Maker::One(maker)
            }
            _ => by_value,
        }
    }

    /// The call that was told that it made this version. A version made by an unknown call has none:
    /// then [`Facts::maker`] finds it by its value.
    pub fn version_maker(&self, key: KeyNumber, version: &Version) -> Maker {
        self.version_maker_among(&self.makers[key.index()], key, version)
    }

    fn version_maker_among(&self, makers: &Makers<'h>, key: KeyNumber, version: &Version) -> Maker {
        makers.of_version(version, || {
            let made = |at: &Address| Some((*at, self.reply(*at)?.version.as_ref()?));
            self.on_key(key).iter().filter_map(made)
        })
    }

    /// True if more than one call that may have happened brought some element of this key.
    pub(crate) fn has_repeated_elements(&self, key: KeyNumber) -> bool {
        self.makers[key.index()].has_repeated_elements
    }

    /// Who brought this element: an append, an add, an enqueue, a push, or a write or compare-and-set
    /// of a list.
    pub fn element_maker(&self, key: KeyNumber, element: &Value) -> Maker {
        self.makers[key.index()].of_element(element)
    }

    /// Causal order, and the reads that it cannot explain.
    pub(crate) fn causality(&self) -> &Causality {
        self.causality.get_or_init(|| Causality::new(self))
    }

    /// What transactions show, found with at most these steps when first asked for.
    pub(crate) fn transactions(&self, budget: Budget) -> &Analysis {
        self.transactions.get_or_init(|| Analysis::new(self, budget))
    }

    /// The registers of the history, each call a transaction.
    pub(crate) fn table(&self) -> &TxnTable {
        self.table.get_or_init(|| TxnTable::from_history(self.history))
    }

    /// True if one serial order was found that explains all that transactions saw of registers.
    pub(crate) fn has_serial_order(&self, along: Along) -> bool {
        let found = |along: Along| {
            let known = &self.has_serial_order[along as usize];
            *known.get_or_init(|| isolation::has_serial_order(self.table(), along))
        };
        // One that goes along more will do.
        [Along::RealTime, Along::Sessions, Along::Nothing]
            .into_iter()
            .filter(|more| *more >= along)
            .any(found)
    }

    /// The number of this micro-op among all of the history.
    pub(crate) fn flat(&self, address: Address) -> usize {
        (self.first[address.operation.index()] + address.index) as usize
    }

    /// How many micro-ops there are.
    pub(crate) fn micro_op_count(&self) -> usize {
        self.key_of.len()
    }

    fn addresses(&self) -> impl Iterator<Item = Address> {
        let operations = self.first.windows(2).zip(0..);
        operations.flat_map(|(ends, operation)| {
            (0..ends[1] - ends[0]).map(move |index| Address { operation: OperationId(operation), index })
        })
    }

    fn group(&mut self, visits: Vec<Visit>) {
        let ((on_key, visits), (final_reads, (sessions, in_session))) = both(
            self.micro_op_count(),
            || self.grouped_by_key(visits),
            || (self.grouped_final_reads(), self.grouped_by_session()),
        );
        (self.on_key, self.visits, self.final_reads) = (on_key, visits, final_reads);
        (self.sessions, self.in_session) = (sessions, in_session);
    }

    /// All micro-ops on each key.
    fn grouped_by_key(&self, visits: Vec<Visit>) -> (Groups<Address>, Groups<Visit>) {
        let keys = || self.key_of.iter().map(|key| key.index());
        let on_key = Groups::new(self.keys.len(), || keys().zip(visits.iter().map(|visit| visit.at)));
        let visits = match visits.first().copied() {
            Some(any) => on_key.alike(any, keys().zip(visits)),
            None => Groups::default(),
        };
        (on_key, visits)
    }

    /// The final reads of each key.
    fn grouped_final_reads(&self) -> Groups<Address> {
        let reads: Vec<Address> = self.history.final_reads().flat_map(addresses).collect();
        Groups::new(self.keys.len(), || reads.iter().map(|address| (self.key_of(*address).index(), *address)))
    }

    /// The sessions, and the operations of each.
    fn grouped_by_session(&self) -> (Vec<SessionId>, Groups<OperationId>) {
        let session_of: Vec<SessionId> = self.history.operations().iter().map(|op| op.session).collect();
        let mut sessions = session_of.clone();
        sessions.sort_unstable();
        sessions.dedup();
        let places: FxHashMap<SessionId, usize> =
            sessions.iter().enumerate().map(|(place, session)| (*session, place)).collect();
        let in_session = Groups::new(sessions.len(), || {
            session_of.iter().zip(0..).map(|(session, number)| (places[session], OperationId(number)))
        });
        (sessions, in_session)
    }

    fn find_makers(&mut self) {
        let count = self.micro_op_count();
        let (mut seen, mut expected) = both(
            count,
            || self.room_for_states(Self::observed, |usage| usage.reads),
            || self.room_for_states(Self::expectation, |usage| usage.compare_and_sets),
        );
        let keys: Vec<KeyNumber> = self.keys().collect();
        // Key by key, so that the tables of one key stay in the processor's cache.
        let halves = in_halves(count, &keys, |half| {
            let mut traced = Traced::default();
            let of_key = |key: &KeyNumber| {
                let makers = self.makers_of(*key);
                if self.kind(*key) == KeyKind::Register {
                    self.trace_all(*key, &makers, (&seen, &expected), &mut traced);
                }
                makers
            };
            (half.iter().map(of_key).collect::<Vec<_>>(), traced)
        });
        let mut all = Vec::with_capacity(keys.len());
        for (makers, traced) in halves {
            all.extend(makers);
            seen.put(&traced.seen);
            expected.put(&traced.expected);
        }
        (self.makers, self.seen, self.expected) = (all, seen, expected);
    }

    /// Room for the makers of these states of registers, if `used` says that there are any.
    fn room_for_states(
        &self,
        states: fn(&Self, Address) -> Option<&'h Observed>,
        used: fn(&KeyUse) -> u32,
    ) -> Groups<Maker> {
        let is_traced: Vec<bool> =
            self.uses.iter().map(|usage| usage.kind() == KeyKind::Register && used(usage) > 0).collect();
        let count = |address: Address| match is_traced[self.key_of(address).index()] {
            true => states(self, address).map_or(0, |states| states.values.len()),
            false => 0,
        };
        match is_traced.contains(&true) {
            true => Groups::with_sizes(self.addresses().map(count), Maker::Nobody),
            false => Groups::with_sizes(std::iter::repeat_n(0, self.micro_op_count()), Maker::Nobody),
        }
    }

    fn makers_of(&self, key: KeyNumber) -> Makers<'h> {
        let mut makers = Makers::default();
        for visit in self.visits(key) {
            makers.note_visit(visit, || self.operation(visit.at));
        }
        makers
    }

    /// Finds the makers of all that was seen or expected of a register.
    fn trace_all(
        &self,
        key: KeyNumber,
        makers: &Makers<'h>,
        (seen, expected): (&Groups<Maker>, &Groups<Maker>),
        traced: &mut Traced,
    ) {
        for visit in self.visits(key) {
            let (at, flat) = (visit.at, self.flat(visit.at));
            match visit.verb {
                Verb::Read => match visit.integer().map(|value| makers.of_integer(value)) {
                    Some(maker @ (Maker::Nobody | Maker::One(_))) => {
                        traced.seen.push((seen.range(flat).start, maker));
                    }
                    _ => self.trace(at, makers, self.observed(at), seen.range(flat), &mut traced.seen),
                },
                Verb::CompareAndSet => {
                    self.trace(at, makers, self.expectation(at), expected.range(flat), &mut traced.expected);
                }
                _ => {}
            }
        }
    }

    /// Finds the makers of `states`, whose places are `places`.
    fn trace(
        &self,
        at: Address,
        makers: &Makers<'h>,
        states: Option<&Observed>,
        places: std::ops::Range<usize>,
        traced: &mut Vec<(usize, Maker)>,
    ) {
        let Some(states) = states.filter(|_| !places.is_empty()) else { return };
        let key = self.key_of(at);
        for ((index, value), place) in states.values.iter().enumerate().zip(places) {
            let maker = match self.maker_among(makers, key, value, states.versions.get(index)) {
                // Seen before anybody stored it: the store's way to show that there is nothing.
                Maker::Several { first }
                    if is_empty(value) && self.operation(at).precedes(self.operation(first)) =>
                {
                    Maker::Nobody
                }
                maker => maker,
            };
            traced.push((place, maker));
        }
    }

    /// True if this may be how the store shows that nothing is there: an empty list, or a 0 that
    /// nobody wrote.
    pub(crate) fn is_blank(&self, key: KeyNumber, value: &Value) -> bool {
        is_empty(value)
            || (value.as_integer() == Some(0) && self.makers[key.index()].of_value(value) == Maker::Nobody)
    }

    fn expectation(&self, address: Address) -> Option<&'h Observed> {
        match self.micro_op(address) {
            MicroOp::CompareAndSet { expected, .. } => Some(expected),
            _ => None,
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_list().is_some_and(<[Value]>::is_empty)
}

// A version that belongs to another value proves nothing about this one.
fn stores(micro_op: &MicroOp, seen: &Value) -> bool {
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => value == seen,
        _ => false,
    }
}

fn addresses(operation: &Operation) -> impl Iterator<Item = Address> + use<> {
    let (operation, count) = (operation.id, operation.call.micro_ops().len() as u32);
    (0..count).map(move |index| Address { operation, index })
}

#[cfg(test)]
mod tests;
