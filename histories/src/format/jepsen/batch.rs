//! What is read of a block of the file at once, and handed on to whoever pairs calls with answers: reading
//! and pairing take as long as each other, and each has a thread.
//!
//! ```text
//!   reader    keys are numbers, 0 1 2 …          a read of a growing list is its length
//!     │       records ▓▓▓▓▓▓  steps ▓▓▓▓▓▓▓▓▓▓   lists ▓▓  keys that are new ▓
//!     ▼
//!   pairing   keys are texts that all share      lists are slices of one stretch of memory
//! ```
//!
//! Nothing in a batch is counted by reference on both sides, which would cost the two threads more than they
//! gain.

use std::ops::Range;

use super::super::scan::Block;
use super::record::{Record, Verb};
use crate::{List, Value};

/// The records of a block.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) block: Block,
    pub(super) parts: Parts,
}

/// What records are made of.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) records: Vec<Placed>,
    /// The micro-ops of their transactions, one after the other.
    pub(super) steps: Vec<RawStep>,
    /// What reads of growing lists begin.
    pub(super) lists: Vec<List>,
    /// Keys that no batch before this one has, by number.
    pub(super) keys: Vec<Spelled>,
}

/// A record, and where it comes from.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) record: Record,
    /// Its bytes in the block.
    pub(super) bytes: Range<usize>,
    /// Its micro-ops in the batch.
    pub(super) steps: Range<usize>,
}

/// A key as the file spells it.
#[derive(Debug)]
pub(super) struct Spelled {
    pub(super) spelled: Box<[u8]>,
    /// Its name without quotes and colons, if it has one.
    pub(super) plain: Option<String>,
}

/// `[:r k v]`: what a micro-op of a transaction says.
#[derive(Debug)]
pub(super) struct RawStep {
    pub(super) verb: Verb,
    /// The key's number, in the order in which keys came.
    pub(super) key: u32,
    pub(super) value: RawValue,
}

/// What a micro-op says of its value.
#[derive(Debug, Default)]
pub(super) enum RawValue {
    #[default]
    Nothing,
    Value(Value),
    /// The first elements of one of the batch's lists.
    Start {
        list: u32,
        length: u32,
    },
}
