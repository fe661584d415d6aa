//! Counters: the sum that all nodes agree on must be that of all confirmed increments, and of some
//! of the unknown ones.
//!
//! ```text
//!   +1 ok   +1 ok   +5 unknown    final value 2 or 7 is possible, so [2, 7]; 1 means that at least one
//!                                  confirmed increment disappeared
//!   +1 ok   +1 ok   -1 ok         1; 0 means that an increment disappeared, or that the decrement
//!                                  took effect twice; 2 may as well be an increment that did
//! ```

use histories::MicroOp;

use super::{End, Example, Judged, Loss, blind_chances};
use crate::facts::{Address, Facts, KeyNumber};

/// Not judged if nodes disagree (each may have kept something else), if the counter is also written,
/// deleted or changed by compare-and-set, or if the sum is too large and there are increments: one that
/// took effect twice is not lost. Too small a sum is told as a loss, but only as likely if there are
/// decrements.
pub(super) fn judge(facts: &Facts<'_>, key: KeyNumber, end: &End<'_>) -> Judged {
    let usage = facts.usage(key);
    let sum = Sum::new(facts, key, end);
    let mut judged = Judged { chances: blind_chances(facts, &sum.updates), is_clear: false, loss: None };
    let Some(value) = agreed(facts, end) else { return judged };
    if usage.writes + usage.compare_and_sets + usage.deletes > 0 {
        return judged;
    }
    let repeatable = |is_positive: bool| {
        let amounts = sum.updates.iter().copied();
        amounts.filter(|at| amount(facts, *at) != 0).find(|at| (amount(facts, *at) > 0) == is_positive)
    };
    // Beyond all increments or all decrements it is made up rather than lacking one.
    let (missing, is_positive) = match value {
        value if value < sum.low && value >= sum.lowest => (sum.low - value, true),
        value if value > sum.high && value <= sum.highest => (value - sum.high, false),
        _ => {
            judged.is_clear = true;
            return judged;
        }
    };
    let repeated = repeatable(!is_positive);
    if !is_positive && repeated.is_some() {
        return judged;
    }
    judged.is_clear = true;
    let (count, largest) = sum.fewest(facts, missing, is_positive);
    if let (Some(lost), Some(read)) = (largest, end.newest.iter().min()) {
        let example = Example::Sum { lost, read: *read, value, low: sum.low, high: sum.high, repeated };
        judged.loss = Some(Loss { count, example });
    }
    judged
}

/// The value that every node shows at the end; absent is zero.
fn agreed(facts: &Facts<'_>, end: &End<'_>) -> Option<i128> {
    let value = |read: &Address| -> Option<i128> {
        let observed = facts.observed(*read)?;
        if observed.is_absent() { Some(0) } else { observed.single()?.as_integer().map(i128::from) }
    };
    let first = value(end.newest.first()?)?;
    end.newest.iter().all(|read| value(read) == Some(first)).then_some(first)
}

fn amount(facts: &Facts<'_>, at: Address) -> i128 {
    match facts.micro_op(at) {
        MicroOp::Increment { by, .. } => i128::from(*by),
        _ => 0,
    }
}

#[derive(Default)]
struct Sum {
    /// The least value that the calls allow.
    low: i128,
    /// The greatest.
    high: i128,
    /// The least if every increment were lost.
    lowest: i128,
    /// The greatest if every decrement were lost.
    highest: i128,
    /// All increments that can have happened.
    updates: Vec<Address>,
    /// Those that the final reads should show.
    confirmed: Vec<Address>,
}

impl Sum {
    fn new(facts: &Facts<'_>, key: KeyNumber, end: &End<'_>) -> Self {
        let mut sum = Self::default();
        for at in facts.on_key(key) {
            let (MicroOp::Increment { by, .. }, true) =
                (facts.micro_op(*at), facts.operation(*at).is_possible())
            else {
                continue;
            };
            let by = i128::from(*by);
            sum.updates.push(*at);
            sum.lowest += by.min(0);
            sum.highest += by.max(0);
            if end.should_show(facts, *at) {
                sum.confirmed.push(*at);
                sum.low += by;
                sum.high += by;
            } else {
                sum.low += by.min(0);
                sum.high += by.max(0);
            }
        }
        sum
    }

    /// The fewest confirmed increments (or decrements) that make up for `missing`, and the largest.
    fn fewest(&self, facts: &Facts<'_>, mut missing: i128, is_positive: bool) -> (u64, Option<Address>) {
        let amount = |at: &Address| if is_positive { amount(facts, *at) } else { -amount(facts, *at) };
        let mut confirmed: Vec<Address> =
            self.confirmed.iter().copied().filter(|at| amount(at) > 0).collect();
        confirmed.sort_by_key(|at| std::cmp::Reverse(amount(at)));
        let mut count = 0;
        for at in &confirmed {
            if missing <= 0 {
                break;
            }
            missing -= amount(at);
            count += 1;
        }
        (count, confirmed.first().copied())
    }
}
