//! Leader only, asynchronous: the node that takes a write confirms it, and the others hear of it later.

pub(super) fn needed() -> usize {
    1
}
