//! Lists and sets: each element was brought by someone, and is there no more often than brought.

use histories::{MicroOp, OperationId, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Flaw, FlawKind, flaw, was_asked_before};
use crate::facts::{Address, Facts, KeyNumber, Maker, elements_added};

/// Judges a key that grows by elements; says how many reads saw a value.
pub(super) fn check<'h>(facts: &Facts<'h>, key: KeyNumber, flaws: &mut Vec<Flaw<'h>>) -> u64 {
    let (mut count, mut sound) = (0, Sound::default());
    for read in facts.on_key(key) {
        let Some(observed) = facts.observed(*read) else { continue };
        count += u64::from(!observed.is_absent());
        for value in &observed.values {
            match value.as_list() {
                Some(elements) if sound.covers(facts, (key, *read), elements) => {}
                Some(_) => check_list(facts, (key, *read), value, flaws),
                None => {
                    // By the value alone: a version does not say that it is what was written.
                    let maker = facts.maker(key, value, None);
                    flaws.extend(flaw(facts, (key, *read), value, maker));
                }
            }
        }
    }
    count
}

/// The longest list found sound so far. Most reads of a list see a part of it, or a little more, and
/// to compare is cheaper than to look up.
#[derive(Default)]
struct Sound<'h> {
    list: &'h [Value],
    elements: FxHashSet<&'h Value>,
    /// The newest call that brought one of them.
    newest: Option<OperationId>,
}

impl<'h> Sound<'h> {
    /// True if the list that a read saw is surely sound; takes it in if it is longer.
    fn covers(&mut self, facts: &Facts<'h>, (key, read): (KeyNumber, Address), list: &'h [Value]) -> bool {
        let is_known = if list.len() <= self.list.len() {
            self.list.starts_with(list)
        } else {
            if !list.starts_with(self.list) {
                *self = Self::default();
            }
            self.grow(facts, key, list)
        };
        if !is_known && list.len() >= self.list.len() {
            *self = Self::default();
        }
        is_known && self.newest < Some(read.operation)
    }

    fn grow(&mut self, facts: &Facts<'h>, key: KeyNumber, list: &'h [Value]) -> bool {
        let grown = &list[self.list.len()..];
        self.list = list;
        grown.iter().all(|element| {
            let Some(maker) = facts.element_maker(key, element).first() else { return false };
            self.newest = self.newest.max(Some(maker.operation));
            self.elements.insert(element)
        })
    }
}

/// Judges one list that a read saw, element by element.
pub(super) fn check_list<'h>(
    facts: &Facts<'h>,
    (key, read): (KeyNumber, Address),
    list: &'h Value,
    flaws: &mut Vec<Flaw<'h>>,
) {
    let elements = list.as_list().unwrap_or_default();
    let mut seen: FxHashMap<&Value, usize> = FxHashMap::default();
    for element in elements {
        let times = seen.entry(element).or_default();
        *times += 1;
        let maker = facts.element_maker(key, element);
        match maker.first() {
            Some(first) if was_asked_before(facts, first, read) => {
                // The second time tells; a third would only say it again.
                if *times == 2 {
                    let seen = elements.iter().filter(|other| *other == element).count() as u64;
                    let written = times_written(facts, key, element, maker);
                    let kind = FlawKind::TooOften { first, written, seen };
                    flaws.extend((seen > written).then_some(Flaw { key, read, value: element, kind }));
                }
            }
            _ => flaws.extend(flaw(facts, (key, read), element, maker)),
        }
    }
}

fn times_written(facts: &Facts<'_>, key: KeyNumber, element: &Value, maker: Maker) -> u64 {
    let written = match maker {
        Maker::Nobody => 0,
        Maker::One(at) => times_brought(facts.micro_op(at), element),
        Maker::Several { .. } => {
            let possible = |at: &&Address| facts.operation(**at).is_possible();
            let on_key = facts.on_key(key).iter().filter(possible);
            on_key.map(|at| times_brought(facts.micro_op(*at), element)).sum()
        }
    };
    written as u64
}

fn times_brought(micro_op: &MicroOp, element: &Value) -> usize {
    let times = |list: &[&Value]| list.iter().filter(|other| **other == element).count();
    match micro_op {
        MicroOp::Append { element: own, .. }
        | MicroOp::Add { element: own, .. }
        | MicroOp::Enqueue { element: own, .. }
        | MicroOp::Push { element: own, .. } => usize::from(own == element),
        MicroOp::Write { value, .. } => {
            times(&value.as_list().unwrap_or_default().iter().collect::<Vec<_>>())
        }
        // What was expected is written again with the rest.
        MicroOp::CompareAndSet { expected, value, .. } => {
            if elements_added(expected, value).contains(&element) {
                times(&value.as_list().unwrap_or_default().iter().collect::<Vec<_>>())
            } else {
                0
            }
        }
        MicroOp::Read { .. }
        | MicroOp::Remove { .. }
        | MicroOp::Increment { .. }
        | MicroOp::Delete { .. }
        | MicroOp::Dequeue { .. }
        | MicroOp::Pop { .. } => 0,
    }
}

/// True if the call writes this value or brings this element.
pub(super) fn brings(micro_op: &MicroOp, value: &Value) -> bool {
    match micro_op {
        MicroOp::Write { value: own, .. } | MicroOp::CompareAndSet { value: own, .. } if own == value => true,
        _ => times_brought(micro_op, value) > 0,
    }
}
