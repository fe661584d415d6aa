//! No made-up values: whatever a read saw, somebody had asked to write before the read ended.
//!
//! ```text
//!   c0  1..2   write x 5   -> ok
//!   c1  3..4   write x 6   -> failed
//!   c2  5..6   read x      -> 6        a failed call's value: broken
//!   c2  7..8   read x      -> 7        nobody wrote 7: broken
//!   c3  9..10  write x 8   -> ok
//!   c2  7..8   read x      -> 8        read before it was asked for: broken
//! ```
//!
//! A list or set may be a state that no single call wrote, if the store merges: then each element is
//! asked after, and that none is there more often than it was written. A counter must lie between
//! the sum of all decrements and the sum of all increments asked for until then. Source: *thin-air*
//! and *aborted reads* (G1a) of Adya 1999, §4.2; duplicates as in Kingsbury & Alvaro 2020, §4.2.

mod counter;
mod elements;
mod story;

use histories::{MicroOp, Value};

use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber, Maker};
use crate::wording::counted;
use crate::{Budget, Chances, Checker, Verdict};

/// Traces everything that confirmed reads saw to a call. O(n) in values and elements seen.
///
/// Does not see a value that somebody wrote and the store gave for the wrong reason: that is for the
/// other guarantees. A counter's bounds are wide; a counter that is also written or deleted as a
/// whole is not judged, and neither is an account of a bank whose first balance is not in the history. An unknown call counts as one that may have happened.
pub struct NoMadeUpValues;

const GUARANTEE: &str = "no-made-up-values";

impl Checker for NoMadeUpValues {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "every value that is read was written by someone before, and by no call that failed"
    }

    fn check(&self, facts: &Facts<'_>, _: Budget) -> Verdict {
        let (mut count, mut flaws) = (0, Vec::new());
        for key in facts.keys() {
            count += check_key(facts, key, &mut flaws);
        }
        let reads = counted(count, "read", "reads");
        if flaws.is_empty() {
            let what = match count {
                0 => "no confirmed read saw a value".into(),
                _ => format!("{reads}, each value was written by someone"),
            };
            return Verdict::unbroken(GUARANTEE, Chances { count, what });
        }
        let findings = story::findings(facts, &flaws);
        let times: u64 = findings.iter().map(|finding| finding.weight).sum();
        let chances = Chances { count, what: format!("{reads} that saw a value") };
        Verdict::broken(GUARANTEE, chances, story::summary(&findings, times), times, findings)
    }
}

/// Something that a read should not have seen.
struct Flaw<'h> {
    key: KeyNumber,
    read: Address,
    value: &'h Value,
    kind: FlawKind,
}

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FlawKind {
    /// No call writes it.
    Nobody,
    /// Only a failed call writes it.
    Failed(Address),
    /// It was asked for only after the read had ended.
    Future(Address),
    /// A list or set has it more often than it was written.
    TooOften {
        /// The call that was asked first of those that wrote it.
        first: Address,
        /// How often it was written at most.
        written: u64,
        /// How often it is there.
        seen: u64,
    },
    /// A counter is beyond everything that was asked for.
    OutOfBounds {
        /// All decrements until then.
        low: i128,
        /// All increments until then.
        high: i128,
    },
}

impl FlawKind {
    fn anomaly(self) -> &'static str {
        match self {
            Self::Nobody => names::THIN_AIR_READ,
            Self::Failed(_) => names::ABORTED_READ,
            Self::Future(_) => names::FUTURE_READ,
            Self::TooOften { .. } => names::DUPLICATE_ELEMENTS,
            Self::OutOfBounds { .. } => names::COUNTER_OUT_OF_BOUNDS,
        }
    }
}

/// Judges the reads of one key; says how many saw a value.
fn check_key<'h>(facts: &Facts<'h>, key: KeyNumber, flaws: &mut Vec<Flaw<'h>>) -> u64 {
    let usage = facts.usage(key);
    if usage.reads == 0 || usage.is_account {
        return 0;
    }
    match facts.kind(key) {
        KeyKind::Register => registers(facts, key, flaws),
        KeyKind::List | KeyKind::Set => elements::check(facts, key, flaws),
        KeyKind::Queue | KeyKind::Stack => 0,
        KeyKind::Counter if usage.writes + usage.compare_and_sets + usage.deletes == 0 => {
            counter::check(facts, key, flaws)
        }
        KeyKind::Mixed if usage.increments == 0 => elements::check(facts, key, flaws),
        KeyKind::Counter | KeyKind::Mixed => 0,
    }
}

fn registers<'h>(facts: &Facts<'h>, key: KeyNumber, flaws: &mut Vec<Flaw<'h>>) -> u64 {
    let mut count = 0;
    for read in facts.on_key(key) {
        let makers = facts.seen(*read);
        count += u64::from(!makers.is_empty());
        for (index, maker) in makers.iter().enumerate() {
            let Some(value) = facts.observed(*read).map(|observed| &observed.values[index]) else { continue };
            let maker = match *maker {
                Maker::One(at) if writes(facts.micro_op(at), value) => *maker,
                // A version says who made the state, but not that the state is what was written.
                _ => facts.maker(key, value, None),
            };
            let is_sound = maker.first().is_some_and(|first| was_asked_before(facts, first, *read));
            // A store may show an empty list where there is nothing yet.
            let is_nothing = value.as_list().is_some_and(<[Value]>::is_empty);
            if is_sound || is_nothing {
                continue;
            }
            match value.as_list() {
                // Nobody wrote this list, but a store may have merged it from lists that were written.
                Some(_) if maker == Maker::Nobody => elements::check_list(facts, (key, *read), value, flaws),
                _ => flaws.extend(flaw(facts, (key, *read), value, maker)),
            }
        }
    }
    count
}

/// True if the call leaves this value as a whole.
fn writes(micro_op: &MicroOp, value: &Value) -> bool {
    matches!(
        micro_op,
        MicroOp::Write { value: own, .. } | MicroOp::CompareAndSet { value: own, .. } if own == value
    )
}

/// What is wrong with something that `maker` made, if anything is.
fn flaw<'h>(
    facts: &Facts<'h>,
    (key, read): (KeyNumber, Address),
    value: &'h Value,
    maker: Maker,
) -> Option<Flaw<'h>> {
    let kind = match maker.first() {
        Some(first) if was_asked_before(facts, first, read) => return None,
        Some(first) => FlawKind::Future(first),
        None => failed_writer(facts, key, value).map_or(FlawKind::Nobody, FlawKind::Failed),
    };
    Some(Flaw { key, read, value, kind })
}

/// True if the call was made before the read ended, and in a transaction before the read.
fn was_asked_before(facts: &Facts<'_>, write: Address, read: Address) -> bool {
    if write.operation == read.operation {
        return write.index < read.index;
    }
    // Most values are read by a call that came later.
    write.operation < read.operation || !facts.operation(read).precedes(facts.operation(write))
}

/// A failed call that would have written this value or brought this element. O(operations of the
/// key), which only a broken store pays.
fn failed_writer(facts: &Facts<'_>, key: KeyNumber, value: &Value) -> Option<Address> {
    let failed = |at: &&Address| facts.operation(**at).outcome.is_failed();
    facts.on_key(key).iter().filter(failed).find(|at| elements::brings(facts.micro_op(**at), value)).copied()
}
