//! What a few operations of a history can be held to: reads whose every possible source is among them.
//!
//! ```text
//!   history   write x 1, write x 2, read x → 1, append l 7, append l 8, read l → [7 8]
//!   chosen    write x 1, read x → 1                 held to 1: all who may have written it are here
//!             append l 8, read l → [7 8]            held to [8]: the list without what others appended
//! ```
//!
//! If an order of all operations explains all reads, the order of the chosen ones in it explains what these
//! are held to: nothing that is left out can have changed that. So no order of the chosen means no order of
//! all.

use std::collections::BTreeSet;

use histories::{Key, MicroOp, Observed, Operation, OperationId, Value};
use rustc_hash::FxHashMap;

use crate::record::{Part, Record, Shape};

/// What is held to on one key.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) shape: Shape,
    /// Values and elements of which all possible sources are chosen.
    pub(super) values: BTreeSet<Value>,
    /// True if all that may empty the key, or of a counter all that may change it, are chosen.
    pub(super) nothing: bool,
}

/// What the chosen operations are held to.
#[derive(Debug)]
pub(super) struct Scope<'h> {
    keys: FxHashMap<&'h Key, Held>,
}

impl<'h> Scope<'h> {
    pub(super) fn new(record: &Record<'h>, chosen: &[&'h Operation]) -> Self {
        let ids: BTreeSet<OperationId> = chosen.iter().map(|operation| operation.id).collect();
        let mut keys = FxHashMap::default();
        for operation in chosen {
            for micro_op in operation.call.micro_ops() {
                keys.entry(micro_op.key()).or_insert_with(|| held(record, micro_op.key(), &ids));
            }
        }
        Self { keys }
    }

    pub(super) fn of(&self, key: &Key) -> Option<&Held> {
        self.keys.get(key)
    }

    /// The value of a register that a read is held to: the outer none if it is not held to any.
    pub(super) fn value(&self, record: &Record<'h>, part: &Part<'h>) -> Option<Option<&'h Value>> {
        let key = part.asked().key();
        let held = self.of(key).filter(|held| held.shape == Shape::Register)?;
        match record.value(key, part.found()?)? {
            None => held.nothing.then_some(None),
            Some(value) => held.values.contains(value).then_some(Some(value)),
        }
    }
}

fn held(record: &Record<'_>, key: &Key, ids: &BTreeSet<OperationId>) -> Held {
    let shape = record.shape(key);
    let all_chosen = |parts: &[Part<'_>]| parts.iter().all(|part| ids.contains(&part.id()));
    let is_here = |is_so: &dyn Fn(&MicroOp) -> bool| all_chosen(&record.possible(key, is_so));
    let deletes = is_here(&|micro_op| matches!(micro_op, MicroOp::Delete { .. }));
    let unknown_takes = record.on(key).iter().all(|part| {
        let is_take = part.asked().observes() && !part.asked().is_read();
        !is_take || !part.operation.outcome.is_unknown() || ids.contains(&part.id())
    });
    let nothing = match shape {
        Shape::Counter => is_here(&|micro_op| !micro_op.is_read()),
        Shape::Mixed => false,
        Shape::Queue | Shape::Stack => deletes && unknown_takes,
        Shape::Register | Shape::List | Shape::Set => deletes,
    };
    let mut values: BTreeSet<Value> = BTreeSet::new();
    if shape == Shape::Register || nothing {
        let here = record.on(key).iter().filter(|part| ids.contains(&part.id()));
        let touched = here.filter_map(|part| touches(part.asked()).cloned());
        values.extend(touched);
        values.retain(|value| {
            let sources = record.possible(key, |micro_op| touches(micro_op) == Some(value));
            let takes = record.reads(key).filter(|(part, observed)| takes_it(part, observed, value));
            all_chosen(&sources) && takes.into_iter().all(|(part, _)| ids.contains(&part.id()))
        });
    }
    Held { shape, values, nothing }
}

/// The value or element that a part brings or takes away.
fn touches(micro_op: &MicroOp) -> Option<&Value> {
    match micro_op {
        MicroOp::Remove { element, .. } => Some(element),
        _ => crate::record::brings(micro_op),
    }
}

fn takes_it(part: &Part<'_>, observed: &Observed, value: &Value) -> bool {
    !part.asked().is_read() && observed.values.contains(value)
}
