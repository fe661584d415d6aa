//! Selections: which nodes a fault meets, drawn from the seed.
//!
//! ```text
//! some(1 of A B C) = B      some(2 of A B C D E) = A D      always in the order of the nodes
//! ```
//!
//! Draws use 32-bit numbers only, so that a seed selects the same nodes on every machine.

use histories::NodeName;
use rand::{Rng, RngExt};

/// The nodes in an order drawn from the seed.
pub(crate) fn shuffled(nodes: &[NodeName], rng: &mut dyn Rng) -> Vec<NodeName> {
    let mut order = nodes.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, index(last + 1, rng));
    }
    order
}

/// So many of the nodes, in their own order.
pub(crate) fn some(nodes: &[NodeName], count: usize, rng: &mut dyn Rng) -> Vec<NodeName> {
    let mut chosen = shuffled(nodes, rng);
    chosen.truncate(count);
    in_order(nodes, &chosen)
}

/// The chosen nodes in the order of all nodes.
pub(crate) fn in_order(nodes: &[NodeName], chosen: &[NodeName]) -> Vec<NodeName> {
    nodes.iter().filter(|node| chosen.contains(node)).cloned().collect()
}

/// One of the words.
pub(crate) fn word<'a>(words: &[&'a str], rng: &mut dyn Rng) -> &'a str {
    words[index(words.len(), rng)]
}

/// How many nodes can be lost while a majority is left.
pub(crate) fn minority(nodes: usize) -> usize {
    nodes.saturating_sub(1) / 2
}

fn index(length: usize, rng: &mut dyn Rng) -> usize {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    assert!(length > 0, "nothing to choose from");
    rng.random_range(0..length) as usize
}
