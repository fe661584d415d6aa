//! Something known of each value: a hash table in which most values are integers.
//!
//! ```text
//!   integers   hash of all but the last two bits       4 5 6 7 stand side by side, for elements that
//!              ▸ 4 5 6 7 ▸ · · · · ▸ 0 1 · ·           are put in one after the other are looked for so, too
//!   others     texts, lists                            a map
//! ```
//!
//! O(1) each, if values do not try to be unlucky. At most half full, with linear probing: Knuth, vol. 3, §6.4.

use std::collections::hash_map::Entry;

use histories::Value;
use rustc_hash::FxHashMap;

/// What is known of values.
#[derive(Debug)]
pub(crate) struct ByValue<'h, T> {
    /// A power of two of them.
    slots: Vec<(i64, T)>,
    integers: usize,
    /// Of the integer that marks what is empty.
    smallest: Option<T>,
    others: FxHashMap<&'h Value, T>,
}

/// Where no integer is.
const EMPTY: i64 = i64::MIN;
/// Integers that stand side by side.
const TOGETHER: u64 = 4;

impl<T> Default for ByValue<'_, T> {
    fn default() -> Self {
        Self { slots: Vec::new(), integers: 0, smallest: None, others: FxHashMap::default() }
    }
}

impl<'h, T: Copy> ByValue<'h, T> {
    /// Knows what was first said of this value; what is there already is returned instead.
    pub(crate) fn add(&mut self, value: &'h Value, known: T) -> Option<&mut T> {
        match value {
            Value::Integer(integer) => self.add_integer(*integer, known),
            _ => match self.others.entry(value) {
                Entry::Occupied(there) => Some(there.into_mut()),
                Entry::Vacant(free) => {
                    free.insert(known);
                    None
                }
            },
        }
    }

    /// What is known of this value.
    pub(crate) fn get(&self, value: &Value) -> Option<T> {
        match value {
            Value::Integer(integer) => self.get_integer(*integer),
            _ => self.others.get(value).copied(),
        }
    }

    /// [`ByValue::get`] of an integer.
    #[inline]
    pub(crate) fn get_integer(&self, integer: i64) -> Option<T> {
        if integer == EMPTY {
            return self.smallest;
        }
        let (found, known) = *self.slots.get(self.slot(integer))?;
        (found == integer).then_some(known)
    }

    /// [`ByValue::add`] of an integer.
    #[inline]
    pub(crate) fn add_integer(&mut self, integer: i64, known: T) -> Option<&mut T> {
        if integer == EMPTY {
            if self.smallest.is_some() {
                return self.smallest.as_mut();
            }
            self.smallest = Some(known);
            return None;
        }
        if self.integers * 2 >= self.slots.len() {
            self.grow(known);
        }
        let slot = self.slot(integer);
        let (there, found) = &mut self.slots[slot];
        if *there == integer {
            return Some(found);
        }
        (*there, *found) = (integer, known);
        self.integers += 1;
        None
    }

    /// Makes room for more; `any` fills what is empty.
    fn grow(&mut self, any: T) {
        let size = (self.slots.len() * 2).max(2 * TOGETHER as usize);
        let before = std::mem::replace(&mut self.slots, vec![(EMPTY, any); size]);
        for (integer, known) in before.into_iter().filter(|(integer, _)| *integer != EMPTY) {
            let slot = self.slot(integer);
            self.slots[slot] = (integer, known);
        }
    }

    /// Where this integer is or would be; 0 if there is no room for any.
    #[inline]
    fn slot(&self, integer: i64) -> usize {
        let Some(last) = self.slots.len().checked_sub(1) else { return 0 };
        let (high, low) = (integer as u64 / TOGETHER, integer as u64 % TOGETHER);
        // Multiplied by the golden ratio, the top bits are well mixed.
        let mixed = (high.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) * TOGETHER + low;
        let mut slot = mixed as usize & last;
        while self.slots[slot].0 != integer && self.slots[slot].0 != EMPTY {
            slot = (slot + 1) & last;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn value(rng: &mut ChaCha8Rng) -> Value {
        match rng.random_range(0..8) {
            0 => Value::Integer(i64::MIN),
            1 => Value::Integer(i64::MAX),
            2 => Value::from("a"),
            3 | 4 => Value::Integer(rng.random_range(0..20) << 40),
            _ => Value::Integer(rng.random_range(-3..30)),
        }
    }

    #[test]
    fn it_is_a_map() {
        for seed in 0..500 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let values: Vec<Value> = (0..rng.random_range(0..80)).map(|_| value(&mut rng)).collect();
            let (mut table, mut model) = (ByValue::default(), FxHashMap::default());
            for (number, value) in values.iter().enumerate() {
                let there = table.add(value, number).map(|there| *there);
                assert_eq!(there, model.get(value).copied(), "seed {seed}: {value}");
                model.entry(value).or_insert(number);
            }
            let others: Vec<Value> = (-5..40).map(Value::Integer).collect();
            for value in values.iter().chain(&others) {
                assert_eq!(table.get(value), model.get(value).copied(), "seed {seed}: {value}");
            }
        }
    }
}
