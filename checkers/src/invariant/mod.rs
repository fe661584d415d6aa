//! Promises that hold at every single read, whatever the store's model of consistency.

pub mod made_up;
