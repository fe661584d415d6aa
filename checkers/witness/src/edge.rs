//! Edges: the observation that proves that one operation comes before another.
//!
//! ```text
//!   lists       1 ──wr──▶ 2   2 read the list, and its last element is one of 1's
//!               1 ──ww──▶ 2   a read has an element of 1, and one of 2 behind it or not yet
//!               1 ──rw──▶ 2   1 read the list without an element of 2
//!   registers   1 ──wr──▶ 2   2 read what only 1 wrote
//!               1 ──ww──▶ 2   1's version comes before 2's
//!               1 ──rw──▶ 2   the version that 1 read comes before 2's
//! ```
//!
//! Where several observations prove an edge, one is stated: of the first key that shows it, by name; there
//! the first read, element or pair of operations in the order of the history. So a document cannot be
//! changed in any part and still be one. Source: Kingsbury & Alvaro, Elle, VLDB 2020, §5.

use histories::{Key, MicroOp, Operation, OperationId, Value};

use crate::document::{Because, Edge, Kind};
use crate::record::{Part, Record, Shape, list};
use crate::{Flaw, version};

/// What may be used to find the order of a register's versions, by what a level promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// Reads and writes within transactions are not ordered: not even that who writes replaces what it read.
    Nothing,
    /// A transaction replaces what it read.
    Transactions,
    /// And sessions see each key go forward.
    Sessions,
    /// And each key goes forward in real time.
    RealTime,
}

impl Kind {
    /// `ww`, `wr`, `rw`, `so` or `rt`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ww => "ww",
            Self::Wr => "wr",
            Self::Rw => "rw",
            Self::So => "so",
            Self::Rt => "rt",
        }
    }
}

impl<'h> Record<'h> {
    /// The edge with its proof.
    pub(crate) fn edge(
        &self,
        (from, to): (OperationId, OperationId),
        kind: Kind,
        promise: Promise,
    ) -> Result<Edge, Flaw> {
        let (first, second) = (self.find(from)?, self.find(to)?);
        let because = match kind {
            _ if from == to => None,
            Kind::So => by_session(first, second),
            Kind::Rt => by_time(first, second),
            Kind::Ww | Kind::Wr | Kind::Rw => self
                .shared(first, second)
                .into_iter()
                .find_map(|key| self.by_key(key, (first, second), kind, promise)),
        };
        because.map(|because| Edge { from, to, kind, because }).ok_or(Flaw::Edge {
            from,
            to,
            kind: kind.as_str(),
        })
    }

    fn by_key(
        &self,
        key: &'h Key,
        (first, second): (&'h Operation, &'h Operation),
        kind: Kind,
        promise: Promise,
    ) -> Option<Because> {
        match (self.shape(key), kind) {
            (Shape::List, Kind::Wr) => self.appended(key, first, second),
            (Shape::List, Kind::Ww) => self.behind(key, first, second),
            (Shape::List, Kind::Rw) => self.without(key, first, second),
            (Shape::Register, Kind::Wr) => self.read_value(key, first, second),
            (Shape::Register, Kind::Ww) => {
                let (before, after) = (version::left(self, first, key)?, version::left(self, second, key)?);
                let step = version::step(self, key, Some(before), Some(after), promise)?;
                (step.before.is_some() && self.happened(second))
                    .then(|| Because::Version { key: key.clone(), step })
            }
            (Shape::Register, Kind::Rw) => {
                let before = version::found(self, first, key)?;
                let after = version::left(self, second, key)?;
                let step = version::step(self, key, before, Some(after), promise)?;
                self.happened(second).then(|| Because::Version { key: key.clone(), step })
            }
            _ => None,
        }
    }

    fn read_value(&self, key: &Key, first: &'h Operation, second: &'h Operation) -> Option<Because> {
        let value = version::found(self, second, key)??;
        let maker = self.maker(key, value)?;
        (maker.id() == first.id && version::left(self, first, key) == Some(value))
            .then(|| Because::Value { key: key.clone(), value: value.clone() })
    }

    fn appends(&self, operation: &'h Operation, key: &Key) -> Vec<&'h Value> {
        let parts = self.parts(operation, key).into_iter();
        let appended = parts.filter(|part| matches!(part.asked(), MicroOp::Append { .. }));
        let elements = appended.filter_map(|part| part.brings());
        elements.filter(|element| self.maker(key, element).is_some()).collect()
    }

    fn lists(&self, operation: &'h Operation, key: &Key) -> Vec<&'h [Value]> {
        self.parts(operation, key).iter().filter_map(Part::observed).filter_map(list).collect()
    }

    fn appended(&self, key: &Key, first: &'h Operation, second: &'h Operation) -> Option<Because> {
        let written = self.appends(first, key);
        let last = self.lists(second, key).into_iter().filter_map(<[Value]>::last);
        let element = last.into_iter().find(|last| written.contains(last))?;
        Some(Because::Element { key: key.clone(), element: element.clone() })
    }

    fn behind(&self, key: &Key, first: &'h Operation, second: &'h Operation) -> Option<Because> {
        let (these, those) = (self.appends(first, key), self.appends(second, key));
        let place = |seen: &[Value], element: &Value| seen.iter().position(|other| other == element);
        // Those that show both say more than those that show only the one.
        [true, false].into_iter().find_map(|both| {
            self.reads(key).find_map(|(part, observed)| {
                let seen = list(observed)?;
                let pairs = these.iter().flat_map(|one| those.iter().map(move |other| (*one, *other)));
                let (before, after) =
                    pairs.into_iter().find(|(one, other)| match (place(seen, one), place(seen, other)) {
                        (Some(one), Some(other)) => both && one < other,
                        (Some(_), None) => !both && self.happened(second),
                        (None, _) => false,
                    })?;
                let [before, after] = [before, after].map(Clone::clone);
                Some(Because::Behind { key: key.clone(), before, after, read: part.id() })
            })
        })
    }

    fn without(&self, key: &Key, first: &'h Operation, second: &'h Operation) -> Option<Because> {
        let written = self.appends(second, key);
        let missed = |seen: &[Value]| written.iter().find(|element| !seen.contains(element)).copied();
        let element = self.lists(first, key).into_iter().find_map(missed)?;
        let seen = match second.is_confirmed() {
            true => None,
            false => Some(self.witness_of(second)?),
        };
        Some(Because::Without { key: key.clone(), element: element.clone(), seen })
    }
}

fn by_session(first: &Operation, second: &Operation) -> Option<Because> {
    let holds = first.session == second.session && first.id < second.id && first.is_confirmed();
    holds.then_some(Because::Session { session: first.session })
}

fn by_time(first: &Operation, second: &Operation) -> Option<Because> {
    let ended = first.completed.filter(|_| first.precedes(second))?;
    Some(Because::Time { ended, began: second.invoked })
}

impl Because {
    pub(crate) fn operations(&self) -> Vec<OperationId> {
        match self {
            Self::Session { .. } | Self::Time { .. } | Self::Value { .. } | Self::Element { .. } => {
                Vec::new()
            }
            Self::Behind { read, .. } => vec![*read],
            Self::Without { seen, .. } => seen.iter().copied().collect(),
            Self::Version { step, .. } => step.known.operations(),
        }
    }
}
