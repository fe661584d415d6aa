//! What operations without an order are called, and the shapes that session guarantees speak of.

use histories::{MicroOp, Operation};

use crate::record::{Part, Record, Shape};

/// A breach of a session's guarantee.
pub(super) fn of_session(guarantee: &str) -> &'static str {
    match guarantee {
        "monotonic-reads" => "read-goes-back",
        "monotonic-writes" => "writes-out-of-order",
        "read-your-writes" => "own-write-missing",
        _ => "answer-without-question",
    }
}

/// A breach of an isolation level that no circle of reads and orders shows.
pub(super) fn of_level(guarantee: &str) -> &'static str {
    match guarantee {
        "transactional-causal" => "causal-violation",
        "read-atomic" | "strong-session-read-atomic" => "fractured-read",
        "monotonic-atomic-view" | "strong-session-monotonic-atomic-view" => "non-monotonic-read",
        _ => "no-order",
    }
}

/// Calls that one copy of the store cannot have answered.
pub(super) fn of_copy(record: &Record<'_>, operations: &[&Operation]) -> &'static str {
    let parts = || {
        let operations = operations.iter().copied();
        operations.flat_map(|operation| {
            (0..operation.call.micro_ops().len()).map(move |index| Part { operation, index })
        })
    };
    let mut shapes = parts().map(|part| record.shape(part.asked().key()));
    let Some(shape) = shapes.next().filter(|first| shapes.all(|shape| shape == *first)) else {
        return "no-legal-order";
    };
    let is_swap = |part: Part<'_>| matches!(part.asked(), MicroOp::CompareAndSet { .. });
    let is_early = || match operations {
        [first, second] => first.precedes(second) && parts().any(|part| part.found().is_some()),
        _ => false,
    };
    let is_traced = || {
        parts()
            .filter_map(|part| part.brings().map(|value| (part, value)))
            .all(|(part, value)| record.maker(part.asked().key(), value).is_some())
    };
    match shape {
        Shape::Register if parts().all(is_swap) && operations.len() == 2 => "lost-update",
        Shape::Register if parts().all(is_swap) => "circular-updates",
        Shape::Register if is_early() && sees(record, operations[0], operations[1]) => "read-from-the-future",
        Shape::Register if is_traced() => "stale-read",
        Shape::Queue | Shape::Stack if is_early() && sees(record, operations[0], operations[1]) => {
            "read-from-the-future"
        }
        Shape::Queue | Shape::Stack => of_takes(&parts().collect::<Vec<_>>(), shape),
        _ => "no-legal-order",
    }
}

fn of_takes(parts: &[Part<'_>], shape: Shape) -> &'static str {
    let takes = parts.iter().filter(|part| part.asked().observes() && !part.asked().is_read());
    let taken: Vec<_> = takes.filter_map(|part| part.observed()).collect();
    let is_again = |place: usize| taken[..place].iter().any(|other| other.values == taken[place].values);
    match shape {
        _ if taken.iter().any(|seen| seen.is_absent()) => "not-empty",
        _ if (0..taken.len()).any(is_again) => "duplicate-elements",
        Shape::Queue => "overtaken-element",
        _ => "covered-element",
    }
}

/// True if a session was promised the write that its read does not show:
///
/// ```text
///   read-your-writes      it wrote it itself
///   monotonic-reads       it had read it
///   monotonic-writes      it had read what the write's session wrote after it
///   writes-follow-reads   it had read what somebody wrote who had read it
/// ```
pub(super) fn is_of_shape(record: &Record<'_>, guarantee: &str, operations: &[&Operation]) -> bool {
    let before = |one: &Operation, other: &Operation| one.session == other.session && one.id < other.id;
    let saw = |reader: &Operation, writer: &Operation| sees(record, reader, writer);
    let any = |test: &dyn Fn(&Operation, &Operation) -> bool| {
        let pairs = operations.iter().flat_map(|write| operations.iter().map(move |read| (*write, *read)));
        pairs.into_iter().any(|(write, read)| overlooks(read, write) && test(write, read))
    };
    let through = |read: &Operation, test: &dyn Fn(&Operation) -> bool| {
        operations.iter().any(|earlier| before(earlier, read) && test(earlier))
    };
    match guarantee {
        "read-your-writes" => any(&|write, read| before(write, read)),
        "monotonic-reads" => any(&|write, read| through(read, &|earlier| saw(earlier, write))),
        "monotonic-writes" => any(&|write, read| {
            let later =
                |seen: &Operation| operations.iter().any(|next| before(write, next) && saw(seen, next));
            through(read, &later)
        }),
        "writes-follow-reads" => any(&|write, read| {
            let follows =
                |next: &Operation| operations.iter().any(|had| saw(had, write) && before(had, next));
            let later = |seen: &Operation| operations.iter().any(|next| saw(seen, next) && follows(next));
            through(read, &later)
        }),
        _ => true,
    }
}

/// True if the read looks at a key that the write changes.
fn overlooks(read: &Operation, write: &Operation) -> bool {
    let changes = write.call.micro_ops().iter().filter(|micro_op| !micro_op.is_read());
    let mut keys = changes.map(MicroOp::key);
    keys.any(|key| read.call.micro_ops().iter().any(|micro_op| micro_op.is_read() && micro_op.key() == key))
}

fn sees(record: &Record<'_>, reader: &Operation, writer: &Operation) -> bool {
    let parts = (0..reader.call.micro_ops().len()).map(|index| Part { operation: reader, index });
    parts.into_iter().any(|part| {
        let Some(observed) = part.found() else { return false };
        let is_of_writer =
            |value| record.maker(part.asked().key(), value).is_some_and(|maker| maker.id() == writer.id);
        observed.values.iter().any(|value| {
            is_of_writer(value) || value.as_list().is_some_and(|list| list.iter().any(is_of_writer))
        })
    })
}
