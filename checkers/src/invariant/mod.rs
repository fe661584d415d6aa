//! Promises that hold at every single read, whatever the store's model of consistency; and those of
//! workloads that are made to be judged at a glance.

pub mod bank;
pub mod causal_reverse;
pub mod long_fork;
pub mod made_up;
pub mod monotonic_values;
mod proof;
pub mod set_full;
mod snapshots;
pub mod total_queue;
pub mod unique_ids;
