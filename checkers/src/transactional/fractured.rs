//! Fractured reads of lists: a transaction saw what another left of one key, and missed what it appended to another.
//!
//! ```text
//!   T1  append x 1, append y 2        T2  read x → [1], read y → []        the half of T1
//! ```
//!
//! Lists lose nothing: who read y without T1's element read it as it was before T1. Each is a cycle of one read and
//! one anti-dependency (G-single), so it is looked for only where there are cycles. O(reads + appends of who was read),
//! times the length of a list.
//!
//! Source: Bailis et al., Scalable atomic visibility with RAMP transactions, SIGMOD 2014, §3.

use histories::{MicroOp, OperationId, Value};
use rustc_hash::FxHashMap;

use super::links::Spots;
use super::list_append::{elements, is_list};
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};

/// What a transaction read of a list before it changed it.
struct Seen<'h> {
    at: Address,
    elements: &'h [Value],
}

/// Notes them: the read that missed something, the append, and the read that saw its transaction.
pub(super) fn find(facts: &Facts<'_>) -> Spots {
    let mut spots = Spots::default();
    for operation in facts.history().operations().iter().filter(|operation| operation.is_confirmed()) {
        if operation.call.micro_ops().len() > 1 {
            of_reader(facts, operation.id, &mut spots);
        }
    }
    spots
}

fn of_reader(facts: &Facts<'_>, reader: OperationId, spots: &mut Spots) {
    let mut lists: FxHashMap<KeyNumber, Option<Seen<'_>>> = FxHashMap::default();
    let mut sources: Vec<(OperationId, Address)> = Vec::new();
    for at in addresses(facts, reader) {
        let key = facts.key_of(at);
        let Some(observed) = facts.observed(at).filter(|_| facts.micro_op(at).is_read()) else {
            lists.entry(key).or_insert(None);
            continue;
        };
        match facts.kind(key) {
            KeyKind::List if is_list(facts, key) && !lists.contains_key(&key) => {
                let seen = elements(observed).map(|elements| Seen { at, elements });
                let last = seen.as_ref().and_then(|seen| seen.elements.last());
                let maker = last.and_then(|last| facts.element_maker(key, last).one());
                sources.extend(maker.map(|maker| (maker.operation, at)));
                lists.insert(key, seen);
            }
            KeyKind::Register if !lists.contains_key(&key) => {
                let maker = facts.seen(at).first().and_then(|maker| maker.one());
                sources.extend(maker.map(|maker| (maker.operation, at)));
            }
            _ => {}
        }
    }
    sources.sort_unstable();
    sources.dedup_by_key(|(source, _)| *source);
    for (source, saw) in sources.into_iter().filter(|(source, _)| *source != reader) {
        let missed = addresses(facts, source).find_map(|append| {
            let MicroOp::Append { element, .. } = facts.micro_op(append) else { return None };
            let seen = lists.get(&facts.key_of(append))?.as_ref()?;
            (!seen.elements.iter().rev().any(|other| other == element)).then_some((seen.at, append))
        });
        if let Some((read, append)) = missed {
            spots.note(names::FRACTURED_READ, facts.key_of(read), &[read, append, saw]);
        }
    }
}

fn addresses(facts: &Facts<'_>, operation: OperationId) -> impl Iterator<Item = Address> + use<> {
    let count = facts.history().operation(operation).call.micro_ops().len() as u32;
    (0..count).map(move |index| Address { operation, index })
}
