//! The observation that proves a dependency between two transactions, found again for those few that
//! are shown.
//!
//! ```text
//!   1 ──wr──▶ 2   c2 saw 7 in x, which c1 had appended
//!   2 ──rw──▶ 1   c2 read y as [3], before c1 appended 4
//! ```

use histories::{MicroOp, OperationId, Value};
use rustc_hash::FxHashSet;

use super::analysis::{Analysis, Found};
use super::list_append::{elements, longest};
use super::search::Hop;
use super::touch::Version;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::graph::flat::FlatGraph;
use crate::wording::{saw, shown};
use crate::{Edge, EdgeKind};

/// Why one transaction comes before another.
pub(super) struct Proof {
    /// The key that shows it; none for sessions and real time.
    pub(super) key: Option<KeyNumber>,
    pub(super) edge: Edge,
}

/// Finds proofs in a history.
pub(super) struct Prover<'a, 'h> {
    pub(super) facts: &'a Facts<'h>,
    pub(super) analysis: &'a Analysis,
    pub(super) found: &'a Found,
}

impl<'h> Prover<'_, 'h> {
    pub(super) fn proof(&self, hop: &Hop) -> Proof {
        let (from, to) = (OperationId(hop.from), OperationId(hop.to));
        let (key, because) = match hop.kind {
            EdgeKind::Session => (None, self.by_session(from)),
            EdgeKind::RealTime => (None, self.by_time(from, to)),
            EdgeKind::WriteWrite | EdgeKind::WriteRead | EdgeKind::ReadWrite => {
                match self.by_key(hop.kind, from, to) {
                    Some((key, because)) => (Some(key), because),
                    None => (None, format!("{} comes before {}", self.who(from), self.who(to))),
                }
            }
        };
        Proof { key, edge: Edge { from, to, kind: hop.kind, because } }
    }

    /// The session, such as `c3`.
    pub(super) fn who(&self, operation: OperationId) -> String {
        self.facts.history().operation(operation).session.to_string()
    }

    fn by_session(&self, from: OperationId) -> String {
        format!("{} asked the second after it had the answer to the first", self.who(from))
    }

    fn by_time(&self, from: OperationId, to: OperationId) -> String {
        let [from, to] = [from, to].map(|id| self.facts.history().operation(id));
        let ended = from.completed.unwrap_or_default();
        format!("the first had ended {} before the second began", to.invoked.since(ended))
    }

    fn by_key(&self, kind: EdgeKind, from: OperationId, to: OperationId) -> Option<(KeyNumber, String)> {
        let mut keys: Vec<KeyNumber> = self.touched(to).map(|at| self.facts.key_of(at)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().find_map(|key| {
            let because = match self.facts.kind(key) {
                KeyKind::List => self.by_list(kind, key, from, to),
                KeyKind::Register => self.by_register(kind, key, from, to),
                KeyKind::Set | KeyKind::Counter | KeyKind::Queue | KeyKind::Stack | KeyKind::Mixed => None,
            };
            because.map(|because| (key, because))
        })
    }

    fn touched(&self, operation: OperationId) -> impl Iterator<Item = Address> + use<'h> {
        let count = self.facts.history().operation(operation).call.micro_ops().len() as u32;
        (0..count).map(move |index| Address { operation, index })
    }

    fn on_key(&self, key: KeyNumber, operation: OperationId) -> Vec<Address> {
        self.touched(operation).filter(|at| self.facts.key_of(*at) == key).collect()
    }

    fn appends(&self, key: KeyNumber, operation: OperationId) -> Vec<&'h Value> {
        let append = |at: Address| match self.facts.micro_op(at) {
            MicroOp::Append { element, .. } => Some(element),
            _ => None,
        };
        self.on_key(key, operation).into_iter().filter_map(append).collect()
    }

    fn by_list(&self, kind: EdgeKind, key: KeyNumber, from: OperationId, to: OperationId) -> Option<String> {
        let (name, order) = (self.facts.key(key), longest(self.facts, key)?.1);
        let place = |element: &Value| order.iter().position(|other| other == element);
        let reads = |operation| {
            let reads = self.on_key(key, operation).into_iter();
            reads.filter_map(|at| Some((at, elements(self.facts.observed(at)?)?)))
        };
        let (c, d) = (self.who(from), self.who(to));
        match kind {
            EdgeKind::WriteWrite => {
                let (first, later) = pair(&self.appends(key, from), &self.appends(key, to), |a, b| {
                    let (a, b) = (place(a), place(b));
                    a.is_some_and(|a| b.is_none_or(|b| a < b))
                })?;
                Some(match place(later) {
                    Some(_) => {
                        format!("in {name}, {d}'s {} stands behind {c}'s {}", shown(later), shown(first))
                    }
                    None => format!(
                        "{c}'s {} was read in {name} and {d}'s {} never, so it was appended later",
                        shown(first),
                        shown(later)
                    ),
                })
            }
            EdgeKind::WriteRead => {
                let written = self.appends(key, from);
                let seen =
                    reads(to).find_map(|(_, seen)| seen.last().filter(|last| written.contains(last)))?;
                Some(format!("{d} saw {} in {name}, which {c} had appended", shown(seen)))
            }
            EdgeKind::ReadWrite => {
                let written = self.appends(key, to);
                let missed = |seen: &[Value]| {
                    let version = seen.last().map_or(Some(0), |last| Some(place(last)? + 1))?;
                    let is_later = |element: &&&Value| place(element).is_none_or(|at| at >= version);
                    written.iter().find(is_later).copied()
                };
                let (at, element) = reads(from).find_map(|(at, seen)| Some((at, missed(seen)?)))?;
                let read = self.facts.observed(at).map(saw).unwrap_or_default();
                Some(format!("{c} read {name} as {read}, before {d} appended {} to it", shown(element)))
            }
            EdgeKind::Session | EdgeKind::RealTime => None,
        }
    }

    fn by_register(
        &self,
        kind: EdgeKind,
        key: KeyNumber,
        from: OperationId,
        to: OperationId,
    ) -> Option<String> {
        let versions = self.analysis.versions.as_ref()?;
        let (first, later) = (versions.touch(key, from)?, versions.touch(key, to)?);
        let (name, c, d) = (self.facts.key(key), self.who(from), self.who(to));
        let comes_before = |a: Version, b: Version| {
            let order = self.found.version_order.as_ref();
            order.is_some_and(|order| leads_to(order, versions.count() as u32, a.0, b.0))
        };
        match kind {
            EdgeKind::WriteRead => {
                let version = first.written.filter(|version| later.read == Some(*version))?;
                Some(format!("{d} read {} from {name}, which {c} had written", self.value(version)))
            }
            EdgeKind::WriteWrite => {
                let (before, after) = (first.written?, later.written?);
                comes_before(before, after).then(|| self.replaced(key, before, after, to))
            }
            EdgeKind::ReadWrite => {
                let (before, after) = (first.read?, later.written?);
                comes_before(before, after).then(|| {
                    let found = self.value(before);
                    let after = self.value(after);
                    match self.was_read_by(key, before, to) {
                        true => format!("{c} read {found} from {name}, which {d} replaced with {after}"),
                        false => format!("{c} read {found} from {name}, before {d} wrote {after} to it"),
                    }
                })
            }
            EdgeKind::Session | EdgeKind::RealTime => None,
        }
    }

    fn was_read_by(&self, key: KeyNumber, version: Version, operation: OperationId) -> bool {
        let touch = self.analysis.versions.as_ref().and_then(|versions| versions.touch(key, operation));
        touch.is_some_and(|touch| touch.read == Some(version))
    }

    fn replaced(&self, key: KeyNumber, before: Version, after: Version, writer: OperationId) -> String {
        let (name, who) = (self.facts.key(key), self.who(writer));
        let (old, new) = (self.value(before), self.value(after));
        match self.was_read_by(key, before, writer) {
            true => format!("{who} read {old} from {name} and replaced it with {new}"),
            false => format!("{name} was {old} before {who} wrote {new}"),
        }
    }

    fn value(&self, version: Version) -> String {
        let written = self.analysis.versions.as_ref().and_then(|versions| versions.written_at(version));
        match written.map(|at| self.facts.micro_op(at)) {
            Some(MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. }) => shown(value),
            _ => "nothing".into(),
        }
    }
}

/// The first of these and those that stand so to each other.
fn pair<'v>(
    these: &[&'v Value],
    those: &[&'v Value],
    stand_so: impl Fn(&Value, &Value) -> bool,
) -> Option<(&'v Value, &'v Value)> {
    let pairs = these.iter().rev().flat_map(|a| those.iter().map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| stand_so(a, b))
}

/// True if an edge leads from the one to the other, or a way through nodes from `first_slot` on, which only
/// stand for edges.
fn leads_to(order: &FlatGraph, first_slot: u32, from: u32, to: u32) -> bool {
    let (mut open, mut seen) = (vec![from], FxHashSet::default());
    while let Some(node) = open.pop() {
        if order.targets(node).contains(&to) {
            return true;
        }
        let slots = order.targets(node).iter().copied().filter(|target| *target >= first_slot);
        open.extend(slots.filter(|slot| seen.insert(*slot)));
    }
    false
}
