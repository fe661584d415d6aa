//! Siblings: concurrent values are all kept, until a write says that it has seen them.
//!
//! ```text
//! A:1 [milk] ─┐
//! B:1 [eggs] ─┴─► 300 {A:1, B:1} ── write [milk, eggs] with that context ──► A:2 alone, everywhere
//! ```
//!
//! A write covers exactly the events in its context and nothing else; without a context it covers nothing and becomes
//! one more sibling, even beside the same client's last write. A delete covers its context, without one what the node
//! holds: a value that it has not seen survives it. An operation such as `append` acts on the latest sibling and
//! replaces only that one, so the others are not lost.
//!
//! A covering write can arrive before what it covers; the cell then remembers what to drop when it comes.
//!
//! Source: Preguiça et al., *Dotted version vectors* (2010); Almeida et al. (2014). Theirs count per key and server;
//! ours name events of the whole node, which are contiguous too, so a context is a few numbers.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use super::{Intent, Moment, Seen, Strategy, rewrite};
use crate::clock::{DotSet, Hlc};
use crate::datum::Datum;
use crate::event::{Change, Key};
use crate::names::Dot;
use crate::refusal::Refusal;
use crate::request::{Action, Reading, Sibling};

/// The strategy.
pub(super) struct Siblings;

/// The values of one key that nobody has covered.
#[derive(Debug, Clone, Default)]
pub(super) struct Versions {
    live: BTreeMap<Dot, Version>,
    /// Events that are covered and have not come yet.
    awaited: DotSet,
}

#[derive(Debug, Clone)]
struct Version {
    hlc: Hlc,
    value: Datum,
}

impl Versions {
    fn winner(&self) -> Option<(Dot, &Version)> {
        self.live
            .iter()
            .map(|(dot, version)| (*dot, version))
            .max_by_key(|(dot, version)| (version.hlc, *dot))
    }

    fn covered_by(&self, intent: &Intent<'_>, moment: &Moment<'_>) -> DotSet {
        // What the same event did before needs no covering: see `cover`.
        let others = |dot: &Dot| *dot != moment.stamp.dot;
        match (&intent.seen, intent.action) {
            (Seen::Context(Some(context)), Action::Write { .. } | Action::Delete) => (*context).clone(),
            (Seen::Context(None), Action::Write { .. }) => DotSet::new(),
            (Seen::All, Action::Write { .. }) | (_, Action::Delete) => {
                DotSet::of(self.live.keys().copied().filter(others))
            }
            _ => DotSet::of(self.winner().map(|(dot, _)| dot).filter(others)),
        }
    }

    fn cover(&mut self, covers: &DotSet, moment: &Moment<'_>) {
        // A transaction that writes a key twice, or deletes what it wrote, has seen its own earlier effect.
        self.live.remove(&moment.stamp.dot);
        self.live.retain(|dot, _| !covers.contains(*dot));
        self.awaited.merge(covers);
        self.awaited.prune(moment.applied);
    }
}

impl Strategy for Siblings {
    type Cell = Versions;

    fn read(cell: &Versions) -> Reading {
        let mut live: Vec<_> = cell.live.iter().collect();
        live.sort_by_key(|(dot, version)| std::cmp::Reverse((version.hlc, **dot)));
        let siblings =
            live.into_iter().map(|(dot, version)| Sibling { value: version.value.clone(), version: *dot });
        let mut siblings: Vec<Sibling> = siblings.collect();
        match siblings.len() {
            0 => Reading::Absent,
            1 => {
                let Sibling { value, version } = siblings.remove(0);
                Reading::One { value, version: Some(version) }
            }
            _ => Reading::Siblings(siblings),
        }
    }

    fn change(cell: &Versions, intent: &Intent<'_>, moment: &Moment<'_>) -> Result<Change, Refusal> {
        let covers = cell.covered_by(intent, moment);
        if *intent.action == Action::Delete {
            return Ok(Change::Delete { covers, tallies: BTreeMap::new() });
        }
        let old = cell.winner().map(|(_, version)| &version.value);
        Ok(Change::Write { value: rewrite::rewritten(old, intent)?, covers })
    }

    fn apply(cell: &mut Versions, change: &Change, moment: &Moment<'_>) {
        let dot = moment.stamp.dot;
        match change {
            Change::Write { value, covers } => {
                let superseded = cell.awaited.contains(dot);
                cell.cover(covers, moment);
                if !superseded {
                    cell.live.insert(dot, Version { hlc: moment.stamp.hlc, value: value.clone() });
                }
            }
            Change::Delete { covers, .. } => cell.cover(covers, moment),
            // Another mode's changes: such an event came from a node that is configured differently.
            Change::Append { .. } | Change::Increment { .. } | Change::Add { .. } | Change::Remove { .. } => {
            }
        }
    }

    // What is awaited is left out: it is settled wherever all events have come, and only there are hashes compared.
    fn fingerprint(cell: &Versions, key: &Key, mut hasher: &mut dyn Hasher) {
        for (dot, version) in &cell.live {
            (key.as_str(), dot, version.hlc, &version.value).hash(&mut hasher);
        }
    }
}
