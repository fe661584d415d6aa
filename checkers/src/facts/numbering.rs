//! Dense numbers for keys, in natural order, and a flat number for each micro-op.

use histories::event::BANK;
use histories::threads::in_halves;
use histories::{History, Key, Operation};
use rustc_hash::FxHashMap;

use super::{Visit, natural_order};
use crate::facts::{KeyNumber, KeyUse};

/// The keys of a history, and which micro-op touches which.
#[derive(Default)]
pub(super) struct Numbering<'h> {
    pub(super) keys: Vec<&'h Key>,
    pub(super) numbers: FxHashMap<&'h Key, KeyNumber>,
    pub(super) uses: Vec<KeyUse>,
    /// The flat number of each operation's first micro-op; one more than there are operations.
    pub(super) first: Vec<u32>,
    /// The key of each micro-op, by flat number.
    pub(super) key_of: Vec<KeyNumber>,
    /// All micro-ops, by flat number.
    pub(super) visits: Vec<Visit>,
}

impl<'h> Numbering<'h> {
    pub(super) fn new(history: &'h History) -> Self {
        let operations = history.operations();
        let [mut numbering, rest] = in_halves(operations.len(), operations, Self::of);
        numbering.append(rest);
        let micro_ops = u32::try_from(numbering.key_of.len());
        numbering.first.push(micro_ops.expect("more micro-ops than 32 bits can number"));
        numbering.in_natural_order();
        let is_bank = history.header().workload == BANK;
        numbering.uses.iter_mut().for_each(|usage| usage.is_account = is_bank);
        numbering
    }

    /// Numbers keys as they appear.
    fn of(operations: &'h [Operation]) -> Self {
        let mut numbering = Self::default();
        numbering.first.reserve(operations.len() + 1);
        numbering.key_of.reserve(operations.len());
        numbering.visits.reserve(operations.len());
        for operation in operations {
            numbering.first.push(numbering.key_of.len() as u32);
            numbering.count(operation);
        }
        numbering
    }

    /// Adds what comes after these operations.
    fn append(&mut self, later: Self) {
        let places: Vec<KeyNumber> = later.keys.iter().map(|key| self.number_of(key)).collect();
        for (place, usage) in places.iter().zip(&later.uses) {
            self.uses[place.index()].add(usage);
        }
        let count = self.key_of.len() as u32;
        self.first.extend(later.first.iter().map(|first| first + count));
        self.key_of.extend(later.key_of.iter().map(|number| places[number.index()]));
        self.visits.extend(later.visits);
    }

    fn number_of(&mut self, key: &'h Key) -> KeyNumber {
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.uses.push(KeyUse::default());
            KeyNumber(self.keys.len() as u32 - 1)
        })
    }

    fn count(&mut self, operation: &'h Operation) {
        let is_several = operation.call.micro_ops().len() > 1;
        for ((micro_op, reply), index) in operation.steps().zip(0..) {
            let number = self.number_of(micro_op.key());
            self.key_of.push(number);
            self.visits.push(Visit::new(operation, index, (micro_op, reply)));
            let usage = &mut self.uses[number.index()];
            usage.count(micro_op);
            usage.in_transactions |= is_several;
            usage.failures |= operation.outcome.is_failed();
            let Some(reply) = reply else { continue };
            usage.versions |= reply.version.is_some();
            if let Some(observed) = &reply.observed {
                usage.saw(observed);
            }
        }
    }

    // Until now keys are numbered as they appeared.
    fn in_natural_order(&mut self) {
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by(|a, b| natural_order(self.keys[*a].as_str(), self.keys[*b].as_str()));
        let mut place = vec![KeyNumber(0); order.len()];
        for (number, old) in order.iter().enumerate() {
            place[*old] = KeyNumber(number as u32);
        }
        for number in self.key_of.iter_mut().chain(self.numbers.values_mut()) {
            *number = place[number.index()];
        }
        self.keys = order.iter().map(|old| self.keys[*old]).collect();
        self.uses = order.iter().map(|old| self.uses[*old]).collect();
    }
}
