//! Majority: any two majorities share a node, so one that asks a majority hears of every confirmed write.

pub(super) fn needed(counted: usize) -> usize {
    counted / 2 + 1
}
