//! Delta debugging: the fewest of many things that still fail together.
//!
//! ```text
//!   1 2 3 4 5 6 7 8     fails
//!   1 2 3 4 │ 5 6 7 8   neither half does             so: quarters, and what is left without each
//!   1 2 · · 5 6 7 8     fails: go on with these 6
//!   …
//!   1 · · · · · 7 8     fails, and without any one of them does not: 1-minimal
//! ```
//!
//! It asks for many candidates at a time, and takes the first in order that fails: so they may be tried
//! side by side, and the result does not depend on which is done first.
//!
//! Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 28(2), 2002, §3.

use std::ops::Range;

/// The fewest of `items` that fail still; `first_failing` says which of several candidates is the first
/// to fail, if any. All of them together are known to fail.
///
/// O(n²) candidates at worst, O(log n) if one item alone is to blame. What is left is 1-minimal: without
/// any one of its items it does not fail, as far as `first_failing` says the same each time.
pub(super) fn ddmin<T: Clone>(
    items: Vec<T>,
    first_failing: &mut dyn FnMut(&[Vec<T>]) -> Option<usize>,
) -> Vec<T> {
    if items.is_empty() || first_failing(&[Vec::new()]).is_some() {
        return Vec::new();
    }
    let (mut items, mut parts) = (items, 2);
    while items.len() > 1 {
        let ranges = split(items.len(), parts);
        let mut candidates: Vec<Vec<T>> = ranges.iter().map(|range| items[range.clone()].to_vec()).collect();
        // Of two parts each is what is left without the other.
        if parts > 2 {
            candidates.extend(ranges.iter().map(|range| without(&items, range)));
        }
        match first_failing(&candidates) {
            Some(index) => {
                let part = index < ranges.len();
                items = candidates.swap_remove(index);
                parts = if part { 2 } else { parts - 1 }.min(items.len()).max(2);
            }
            None if parts < items.len() => parts = (2 * parts).min(items.len()),
            None => break,
        }
    }
    items
}

/// So many parts, as equal as can be.
fn split(length: usize, parts: usize) -> Vec<Range<usize>> {
    (0..parts).map(|part| length * part / parts..length * (part + 1) / parts).collect()
}

fn without<T: Clone>(items: &[T], range: &Range<usize>) -> Vec<T> {
    items[..range.start].iter().chain(&items[range.end..]).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fails if it has everything of one of the culprits.
    fn fails(culprits: &[Vec<u8>], items: &[u8]) -> bool {
        culprits.iter().any(|culprit| culprit.iter().all(|item| items.contains(item)))
    }

    fn run(culprits: &[Vec<u8>], items: Vec<u8>) -> Vec<u8> {
        ddmin(items, &mut |candidates| candidates.iter().position(|candidate| fails(culprits, candidate)))
    }

    #[test]
    fn one_of_a_thousand_is_found_in_few_candidates() {
        let mut asked = 0;
        let found = ddmin((0..1000).collect(), &mut |candidates: &[Vec<u32>]| {
            asked += candidates.len();
            candidates.iter().position(|candidate| candidate.contains(&617))
        });
        assert_eq!(found, [617]);
        assert!(asked < 30, "{asked}");
    }

    #[test]
    fn nothing_is_left_where_nothing_is_needed() {
        assert_eq!(run(&[vec![]], vec![1, 2, 3]), Vec::<u8>::new());
    }

    proptest! {
        #[test]
        fn what_is_left_fails_and_is_minimal_and_as_brute_force_has_it(
            culprits in prop::collection::vec(prop::collection::btree_set(0..10_u8, 1..5), 1..4),
        ) {
            let culprits: Vec<Vec<u8>> = culprits.into_iter().map(|culprit| culprit.into_iter().collect()).collect();
            let items: Vec<u8> = (0..10).collect();
            let left = run(&culprits, items);
            prop_assert!(fails(&culprits, &left));
            for index in 0..left.len() {
                prop_assert!(!fails(&culprits, &without(&left, &(index..index + 1))), "{left:?}");
            }
            // Every minimal set of brute force is a culprit that contains no other; this is one of them.
            let minimal = (0..1_u32 << 10)
                .map(|mask| (0..10).filter(|item| mask & (1 << item) != 0).collect::<Vec<u8>>())
                .filter(|set| fails(&culprits, set))
                .filter(|set| (0..set.len()).all(|index| !fails(&culprits, &without(set, &(index..index + 1)))));
            prop_assert!(minimal.into_iter().any(|set| set == left), "{left:?}");
        }
    }
}
