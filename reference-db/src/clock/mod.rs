//! Clocks: when something happened, and what had happened before it.

pub mod dot_set;
pub mod hybrid;
pub mod version_vector;

pub use dot_set::DotSet;
pub use hybrid::{Hlc, HybridClock, Stamp};
pub use version_vector::VersionVector;
