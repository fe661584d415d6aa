//! Names in the order in which people count: k2 before k10.

use std::cmp::Ordering;

/// Compares two names; runs of digits count as numbers.
///
/// A total order: names that differ only in leading zeros fall back to the order of their letters.
pub fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    while let (Some(first), Some(second)) = (a.first(), b.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (x, y) = (take_number(&mut a), take_number(&mut b));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            first.cmp(second)
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| left.cmp(right))
}

// The digits without leading zeros: then the longer number is the greater.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_count() {
        let mut names = ["k10", "k2", "a", "k2b", "k", "k02", "k1x3", "k1x20"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "k", "k1x3", "k1x20", "k02", "k2", "k2b", "k10"]);
    }
}
