//! Counters: between all decrements and all increments that were asked for until then.

use histories::{MicroOp, Nanos};

use super::{Flaw, FlawKind};
use crate::facts::{Facts, KeyNumber};

/// Judges a key that only increments change; says how many reads saw a value.
pub(super) fn check<'h>(facts: &Facts<'h>, key: KeyNumber, flaws: &mut Vec<Flaw<'h>>) -> u64 {
    let sums = Sums::new(facts, key);
    let mut count = 0;
    for read in facts.on_key(key) {
        let (Some(observed), Some(ended)) = (facts.observed(*read), facts.operation(*read).completed) else {
            continue;
        };
        count += u64::from(!observed.is_absent());
        let (low, high) = sums.until(ended);
        for value in &observed.values {
            let kind = match value.as_integer() {
                None => FlawKind::Nobody,
                Some(integer) if (low..=high).contains(&i128::from(integer)) => continue,
                Some(_) => FlawKind::OutOfBounds { low, high },
            };
            flaws.push(Flaw { key, read: *read, value, kind });
        }
    }
    count
}

/// Running sums in the order of invocation.
struct Sums(Vec<(Nanos, i128, i128)>);

impl Sums {
    fn new(facts: &Facts<'_>, key: KeyNumber) -> Self {
        let (mut sums, mut low, mut high) = (Vec::new(), 0, 0);
        for at in facts.on_key(key) {
            let operation = facts.operation(*at);
            if let (MicroOp::Increment { by, .. }, true) = (facts.micro_op(*at), operation.is_possible()) {
                low += i128::from(*by).min(0);
                high += i128::from(*by).max(0);
                sums.push((operation.invoked, low, high));
            }
        }
        Self(sums)
    }

    // Closed intervals: what was asked for in the instant of the answer may be in it. An increment
    // later in the read's own transaction may not, but bounds that are too wide accuse nobody.
    fn until(&self, ended: Nanos) -> (i128, i128) {
        let count = self.0.partition_point(|(invoked, ..)| *invoked <= ended);
        count.checked_sub(1).map_or((0, 0), |last| (self.0[last].1, self.0[last].2))
    }
}
