//! K of n: so many nodes have it, whichever they are.

pub(super) fn needed(nodes: usize, counted: usize) -> usize {
    nodes.min(counted)
}
