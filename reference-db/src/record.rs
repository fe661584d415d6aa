//! Records: what a node keeps on disk, and finds there when it starts again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Key};
use crate::message::Boot;
use crate::names::{Dot, Origin};
use crate::topology::Layout;

/// The version of the format of records.
pub const FORMAT: u32 = 4;

/// One entry of a node's log on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The node started. The first record of every store.
    Start {
        /// [`FORMAT`] of the records from here on.
        format: u32,
        /// Which node, and which of its lives.
        origin: Origin,
        /// Which start.
        boot: Boot,
    },
    /// The node applied an event, its own or another's.
    Event(Arc<Event>),
    /// The witness saw that an event happened, and keeps no more of it.
    Witnessed(Dot),
    /// The node forgot that these keys were deleted.
    Forgotten(Vec<Key>),
    /// The nodes were linked anew.
    Layout(Layout),
    /// The node has promised its vote for this term.
    Promise {
        /// Which.
        term: u64,
    },
    /// The node had caught up with the others in this life, and leads from there on.
    InSync {
        /// Which life: another begins with another disk.
        origin: Origin,
    },
}
