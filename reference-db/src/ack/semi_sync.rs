//! Semi-synchronous: one other node has it, or as many as are said; but only as long as they answer in time.
//!
//! Source: MySQL's `rpl_semi_sync_source`, which after 10 s goes on asynchronously until a replica has caught up.

use super::OnAckTimeout;
use crate::time::Nanos;

/// The node that takes the write, and one other.
pub(super) const NODES: usize = 2;

pub(super) const TIMEOUT: Nanos = Nanos::from_millis(10_000);

pub(super) const ON_TIMEOUT: OnAckTimeout = OnAckTimeout::Degrade;

pub(super) fn needed(nodes: usize, counted: usize) -> usize {
    nodes.min(counted)
}
