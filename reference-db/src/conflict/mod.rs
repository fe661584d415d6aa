//! Conflicts: what a key holds, and what becomes of two writes that did not know of each other.
//!
//! Each mode has a [`Strategy`]: what one key's cell is made of, which change a client's action becomes, and how a
//! change acts on a cell. A change may arrive in any order with respect to concurrent ones, and with `arrival` and
//! `fifo` delivery even before the changes it was made after; cells must end up equal all the same.
//!
//! | file | two concurrent writes |
//! |---|---|
//! | `lww` | the later one by hybrid time stays; also the single leader's, where none are concurrent |
//! | `siblings` | both stay until a write covers them |
//! | `crdt` | both take effect |

mod crdt;
mod keyspace;
#[cfg(test)]
mod laws;
mod lww;
mod rewrite;
mod siblings;

use std::hash::Hasher;

use crate::clock::{DotSet, Stamp};
use crate::defect::Defects;
use crate::event::{Change, Effect, Key, Tag};
use crate::mode::Mode;
use crate::refusal::Refusal;
use crate::request::{Action, Reading, Step};
use keyspace::Keyspace;

/// All keys of a node.
pub(crate) trait Store: Send {
    /// What a key holds.
    fn read(&self, key: &Key) -> Reading;

    /// Decides what some steps do, without doing it. The moment is that of the event which they would make.
    fn plan(&self, steps: &[Step], moment: &Moment<'_>) -> Result<Plan, Refused>;

    /// Does one effect of an event.
    fn apply(&mut self, effect: &Effect, moment: &Moment<'_>);

    /// Forgets every key whose deletion happened at this millisecond or before, and nothing since; gives them, in order.
    fn expire(&mut self, millis: u64) -> Vec<Key>;

    /// Forgets that these keys were deleted.
    fn forget(&mut self, keys: &[Key]);

    /// The keys that hold something, in order.
    fn keys(&self) -> Vec<Key>;

    /// A hash over all cells: equal where the same events have been applied.
    fn fingerprint(&self) -> u64;
}

/// The store for a mode; it takes note of deletions if they are to be forgotten one day.
pub(crate) fn store(mode: Mode, forgetful: bool) -> Box<dyn Store> {
    match mode {
        Mode::Crdt => Box::new(Keyspace::<crdt::Crdt>::new(forgetful)),
        Mode::Lww | Mode::SingleLeader => Box::new(Keyspace::<lww::Lww>::new(forgetful)),
        Mode::Siblings => Box::new(Keyspace::<siblings::Siblings>::new(forgetful)),
    }
}

/// What some steps would do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The effects of the event; none if all were reads.
    pub(crate) effects: Vec<Effect>,
    /// For each step what it read, if it was a read.
    pub(crate) readings: Vec<Option<Reading>>,
}

/// Which step cannot be done, and why.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) step: usize,
    pub(crate) refusal: Refusal,
}

/// The event in which an effect happens.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// When, and by which event.
    pub(crate) stamp: Stamp,
    /// Which of its effects.
    pub(crate) ordinal: u32,
    /// What the node had applied before the event.
    pub(crate) applied: &'a DotSet,
    /// The planted bugs.
    pub(crate) defects: &'a Defects,
}

impl Moment<'_> {
    fn tag(&self) -> Tag {
        Tag { dot: self.stamp.dot, ordinal: self.ordinal }
    }
}

/// What one mode keeps for a key.
trait Strategy {
    /// The state of one key; the default is that of a key that never was.
    type Cell: Clone + Default + Send;

    /// What it holds.
    fn read(cell: &Self::Cell) -> Reading;

    /// The change that an action becomes on this cell. The action is a write of some kind, its condition is fulfilled,
    /// and a comparison has become a [`Action::Write`] in a step of its own.
    fn change(cell: &Self::Cell, intent: &Intent<'_>, moment: &Moment<'_>) -> Result<Change, Refusal>;

    /// Lets a change act.
    fn apply(cell: &mut Self::Cell, change: &Change, moment: &Moment<'_>);

    /// Hashes what must be equal at equal nodes. A cell that holds and remembers nothing must not touch the hasher.
    fn fingerprint(cell: &Self::Cell, key: &Key, hasher: &mut dyn Hasher);
}

/// A step whose condition is fulfilled.
struct Intent<'a> {
    key: &'a Key,
    action: &'a Action,
    /// The events whose values the client has seen.
    seen: Seen<'a>,
}

/// What a writer has seen of a key before it writes.
enum Seen<'a> {
    /// All that the node holds: it compared versions, or acts within the node.
    All,
    /// Only the latest of the siblings.
    Winner,
    /// What its context says; a client without one has seen nothing.
    Context(Option<&'a DotSet>),
}

impl Intent<'_> {
    fn mismatch(&self, kind: &str) -> Refusal {
        Refusal::Mismatch {
            key: self.key.clone(),
            action: self.action.name().to_owned(),
            kind: kind.to_owned(),
        }
    }
}
