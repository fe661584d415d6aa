//! What a transaction did to a register, as far as others can tell: what it read first, and what it
//! wrote last.
//!
//! ```text
//!   T   read x → 1, write x 2, write x 3, read x → 3        read 1, written 3; 2 is intermediate
//! ```

use histories::{MicroOp, Observed, OperationId, Value};
use rustc_hash::FxHashMap;

use super::links::Links;
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber, Maker};

/// A state of a key: the flat number of the micro-op that wrote it, or behind those, one for each key,
/// that nothing was there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Version(pub(super) u32);

/// One transaction on one key. What others cannot tell, or nobody knows, is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch {
    pub(super) operation: OperationId,
    first_at: Address,
    /// What it found before it wrote.
    pub(super) read: Option<Version>,
    /// What it left.
    pub(super) written: Option<Version>,
}

impl Touch {
    /// The first version that it shows.
    pub(super) fn first(&self) -> Option<Version> {
        self.read.or(self.written)
    }

    /// The last version that it shows.
    pub(super) fn last(&self) -> Option<Version> {
        self.written.or(self.read)
    }

    /// If it replaced what it had read: that, and where it read it.
    pub(super) fn update(&self) -> Option<(Version, Address)> {
        self.written.and(self.read).map(|read| (read, self.first_at))
    }
}

/// All touches, by key and in the order of invocation.
#[derive(Debug)]
pub(super) struct Versions {
    touches: Vec<Touch>,
    /// Where each key's touches begin.
    first: Vec<usize>,
    /// Who wrote each version.
    writers: FxHashMap<Version, Address>,
    /// How many micro-ops there are: the number of the first version that is nothing.
    micro_ops: u32,
}

/// True if this key is a register and every read of it saw one value or nothing.
pub(super) fn is_register(facts: &Facts<'_>, key: KeyNumber) -> bool {
    let reads = || facts.on_key(key).iter().filter_map(|at| facts.observed(*at));
    facts.kind(key) == KeyKind::Register
        && facts.usage(key).deletes == 0
        && reads().all(|observed| observed.values.len() <= 1)
}

impl Versions {
    /// Goes through the registers `keys`, in order, and spots what needs no order of versions.
    pub(super) fn new(facts: &Facts<'_>, keys: &[KeyNumber], happened: &[bool], links: &mut Links) -> Self {
        let micro_ops = facts.micro_op_count() as u32;
        let mut versions =
            Self { touches: Vec::new(), first: Vec::new(), writers: FxHashMap::default(), micro_ops };
        let mut keys = keys.iter().peekable();
        for key in facts.keys() {
            versions.first.push(versions.touches.len());
            if keys.next_if_eq(&&key).is_some() {
                let failed = failed_writes(facts, key);
                for run in facts.on_key(key).chunk_by(|a, b| a.operation == b.operation) {
                    Scan { facts, key, failed: &failed, links }.transaction(run, happened, &mut versions);
                }
            }
        }
        versions.first.push(versions.touches.len());
        versions
    }

    pub(super) fn nothing(&self, key: KeyNumber) -> Version {
        Version(self.micro_ops + key.0)
    }

    pub(super) fn is_nothing(&self, version: Version) -> bool {
        version.0 >= self.micro_ops
    }

    /// One more than the greatest number of a version.
    pub(super) fn count(&self) -> usize {
        self.micro_ops as usize + self.first.len()
    }

    pub(super) fn on_key(&self, key: KeyNumber) -> &[Touch] {
        &self.touches[self.first[key.index()]..self.first[key.index() + 1]]
    }

    /// What this operation did to the key.
    pub(super) fn touch(&self, key: KeyNumber, operation: OperationId) -> Option<&Touch> {
        let touches = self.on_key(key);
        touches.binary_search_by_key(&operation, |touch| touch.operation).ok().map(|place| &touches[place])
    }

    /// Where it was written; none if it is nothing.
    pub(super) fn written_at(&self, version: Version) -> Option<Address> {
        self.writers.get(&version).copied()
    }

    pub(super) fn writer(&self, version: Version) -> Option<OperationId> {
        self.writers.get(&version).map(|at| at.operation)
    }

    /// Every version that was read, each with its reader, sorted.
    pub(super) fn readers(&self) -> Vec<(Version, OperationId)> {
        let reads = self.touches.iter().filter_map(|touch| Some((touch.read?, touch.operation)));
        let mut readers: Vec<_> = reads.collect();
        readers.sort_unstable();
        readers
    }

    /// The key of these versions, and where they were written.
    pub(super) fn shown(&self, versions: impl Iterator<Item = Version>) -> (KeyNumber, Vec<Address>) {
        let (mut key, mut at) = (KeyNumber(0), Vec::new());
        for version in versions {
            if let Some(nothing) = version.0.checked_sub(self.micro_ops) {
                key = KeyNumber(nothing);
            } else if let Some(written) = self.writers.get(&version) {
                let of = self.touches.iter().position(|touch| touch.written == Some(version));
                key = of.map_or(key, |place| self.key_of_touch(place));
                at.push(*written);
            }
        }
        (key, at)
    }

    fn key_of_touch(&self, place: usize) -> KeyNumber {
        KeyNumber(self.first.partition_point(|first| *first <= place) as u32 - 1)
    }
}

fn failed_writes<'h>(facts: &Facts<'h>, key: KeyNumber) -> FxHashMap<&'h Value, Address> {
    let failed = facts.on_key(key).iter().filter(|at| facts.operation(**at).outcome.is_failed());
    failed.filter_map(|at| Some((written(facts.micro_op(*at))?, *at))).collect()
}

fn written(micro_op: &MicroOp) -> Option<&Value> {
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value),
        _ => None,
    }
}

struct Scan<'s, 'h> {
    facts: &'s Facts<'h>,
    key: KeyNumber,
    failed: &'s FxHashMap<&'h Value, Address>,
    links: &'s mut Links,
}

impl<'h> Scan<'_, 'h> {
    fn transaction(&mut self, run: &[Address], happened: &[bool], versions: &mut Versions) {
        let operation = self.facts.operation(run[0]);
        if !happened[operation.id.index()] {
            return;
        }
        let last_write = run.iter().rev().find(|at| written(self.facts.micro_op(**at)).is_some());
        let mut touch = Touch { operation: operation.id, first_at: run[0], read: None, written: None };
        if let Some(at) = last_write {
            let version = Version(self.facts.flat(*at) as u32);
            touch.written = Some(version);
            versions.writers.insert(version, *at);
        }
        if operation.is_confirmed() {
            touch.read = self.reads(run, versions);
        }
        versions.touches.push(touch);
    }

    /// Looks at every read; says what the first one found, if that was before any write.
    fn reads(&mut self, run: &[Address], versions: &Versions) -> Option<Version> {
        let (mut expected, mut was_of_others, mut first) = (None, false, None);
        for (index, at) in run.iter().enumerate() {
            let micro_op = self.facts.micro_op(*at);
            let (observed, makers) = match micro_op {
                MicroOp::CompareAndSet { expected, .. } => (Some(&**expected), self.facts.expected(*at)),
                _ => (self.facts.observed(*at), self.facts.seen(*at)),
            };
            if let Some(observed) = observed {
                let value = self.value(observed);
                let version = self.version(*at, value, makers, versions);
                if expected.is_some_and(|expected| expected != value) {
                    // Whichever of two versions is the older: the writer of the other came before this
                    // transaction, which read the older one, and so before that writer.
                    let is_skew = was_of_others && self.is_of_others(version, value, makers, run);
                    let anomaly = if is_skew { names::NON_REPEATABLE_READ } else { names::INTERNAL };
                    self.links.spots.note(anomaly, self.key, &[*at]);
                }
                if index == 0 {
                    first = version;
                }
                was_of_others = self.is_of_others(version, value, makers, run);
                expected = Some(value);
            }
            if let Some(value) = written(micro_op) {
                (expected, was_of_others) = (Some(Some(value)), false);
            }
        }
        first
    }

    /// True if what was found is a version of another transaction, whichever, or of before all.
    fn is_of_others(
        &self,
        version: Option<Version>,
        value: Option<&Value>,
        makers: &[Maker],
        run: &[Address],
    ) -> bool {
        let by_several = matches!(makers.first(), Some(Maker::Several { .. }));
        let is_own = || run.iter().any(|at| written(self.facts.micro_op(*at)) == value);
        version.is_some() || by_several && !is_own()
    }

    /// The value; none if nothing is there.
    fn value(&self, observed: &'h Observed) -> Option<&'h Value> {
        observed
            .single()
            .filter(|value| !self.facts.is_blank(self.key, value) || self.failed.contains_key(value))
    }

    /// The version that a read found, if others can tell; spots what it should not have found.
    fn version(
        &mut self,
        at: Address,
        value: Option<&Value>,
        makers: &[Maker],
        versions: &Versions,
    ) -> Option<Version> {
        let Some(value) = value else { return Some(versions.nothing(self.key)) };
        let writer = match makers.first() {
            Some(Maker::One(writer)) => *writer,
            Some(Maker::Several { .. }) => return None,
            Some(Maker::Nobody) | None => {
                match self.failed.get(value) {
                    Some(writer) => self.links.spots.note(names::G1A, self.key, &[at, *writer]),
                    None => self.links.spots.note(names::THIN_AIR_READ, self.key, &[at]),
                }
                return None;
            }
        };
        if writer.operation == at.operation {
            if writer.index > at.index {
                self.links.spots.note(names::FUTURE_READ, self.key, &[at, writer]);
            }
            return None;
        }
        if self.is_overwritten(writer) {
            self.links.spots.note(names::G1B, self.key, &[at, writer]);
            return None;
        }
        Some(Version(self.facts.flat(writer) as u32))
    }

    fn is_overwritten(&self, write: Address) -> bool {
        let later = self.facts.operation(write).call.micro_ops().iter().skip(write.index as usize + 1);
        let key = self.facts.key(self.key);
        later.into_iter().any(|micro_op| written(micro_op).is_some() && micro_op.key() == key)
    }
}
