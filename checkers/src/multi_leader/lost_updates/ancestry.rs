//! Registers: which state came from which, as the expectations of compare-and-set tell.
//!
//! ```text
//!   write 1 ──▶ 1@A:1 ──cas──▶ 2@A:2 ──cas──▶ 3@A:3          lost: op 2, op 3
//!                    └───cas──▶ 9@B:1 ◀── final reads         kept: op 4 and its ancestor, op 0
//! ```
//!
//! A state whose maker is not known makes the ancestry *open*: then nothing is said about the key. One
//! exception: a list that nobody wrote as a whole was merged by the store from the states that
//! brought its elements; then only updates that brought an element can be missed.

use histories::{MicroOp, Observed, SessionId, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{End, Example, Judged, Loss, is_known_before};
use crate::facts::{Address, Facts, KeyNumber, Maker, elements_added};

pub(super) fn judge(facts: &Facts<'_>, key: KeyNumber, end: &End<'_>) -> Judged {
    let ancestry = Ancestry::new(facts, key);
    let kept = ancestry.kept(end);
    let mut judged =
        Judged { chances: ancestry.clashes(), is_clear: !kept.is_open && !end.reads.is_empty(), loss: None };
    if judged.is_clear {
        let lost = ancestry.lost(end, &kept);
        judged.loss = (!lost.is_empty())
            .then(|| Loss { count: lost.len() as u64, example: ancestry.example(end, &kept, &lost) });
    }
    judged
}

/// Places of micro-ops in the order of the key, and from which others each started.
struct Ancestry<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    on_key: &'f [Address],
    /// Deletes that can have happened: any of them may have made the key absent.
    deletes: Vec<u32>,
    origins: Vec<Origin>,
    parents: Vec<u32>,
}

/// From which states one micro-op started, or a read saw.
#[derive(Clone, Copy, Default)]
struct Origin {
    /// Where its parents begin and end in `Ancestry::parents`.
    begin: u32,
    end: u32,
    /// True if some parent is not known.
    is_open: bool,
    /// True if the store merged it from its parents.
    is_merged: bool,
}

/// What the final states descend from.
struct Kept {
    is_kept: Vec<bool>,
    /// Blind writes and deletes among them.
    blind: Vec<u32>,
    is_open: bool,
    is_merged: bool,
}

impl<'f, 'h> Ancestry<'f, 'h> {
    fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
        let on_key = facts.on_key(key);
        let mut ancestry =
            Self { facts, key, on_key, deletes: Vec::new(), origins: Vec::new(), parents: Vec::new() };
        if facts.usage(key).deletes > 0 {
            let is_delete = |at: &Address| {
                matches!(facts.micro_op(*at), MicroOp::Delete { .. }) && facts.operation(*at).is_possible()
            };
            ancestry.deletes =
                (0..on_key.len() as u32).filter(|place| is_delete(&on_key[*place as usize])).collect();
        }
        ancestry.origins.reserve(on_key.len());
        for at in on_key {
            let origin = match facts.micro_op(*at) {
                MicroOp::CompareAndSet { expected, .. } => ancestry.origin(expected),
                _ => Origin::default(),
            };
            ancestry.origins.push(origin);
        }
        ancestry
    }

    fn place(&self, address: Address) -> u32 {
        self.on_key.binary_search(&address).expect("the makers of a key's states are on the key") as u32
    }

    fn parents(&self, origin: Origin) -> &[u32] {
        &self.parents[origin.begin as usize..origin.end as usize]
    }

    /// Finds the makers of what was observed and appends them to `parents`.
    fn origin(&mut self, observed: &Observed) -> Origin {
        let begin = self.parents.len();
        let mut origin = Origin { begin: begin as u32, ..Origin::default() };
        if observed.is_absent() {
            self.absent(observed);
        }
        for (index, value) in observed.values.iter().enumerate() {
            match self.facts.maker(self.key, value, observed.versions.get(index)) {
                Maker::One(maker) => self.parents.push(self.place(maker)),
                Maker::Several { .. } => origin.is_open = true,
                Maker::Nobody => self.merged(value, &mut origin),
            }
        }
        self.parents[begin..].sort_unstable();
        let mut end = begin;
        for index in begin..self.parents.len() {
            if index == begin || self.parents[index] != self.parents[end - 1] {
                self.parents[end] = self.parents[index];
                end += 1;
            }
        }
        self.parents.truncate(end);
        origin.end = end as u32;
        origin
    }

    // Absent: as it began, or as a delete left it. Only the version can say by which.
    fn absent(&mut self, observed: &Observed) {
        let maker = observed
            .versions
            .first()
            .map_or(Maker::Nobody, |version| self.facts.version_maker(self.key, version));
        match maker {
            Maker::One(delete) => self.parents.push(self.place(delete)),
            Maker::Nobody | Maker::Several { .. } => self.parents.extend_from_slice(&self.deletes),
        }
    }

    fn merged(&mut self, value: &Value, origin: &mut Origin) {
        let Some(elements) = value.as_list() else {
            origin.is_open = true;
            return;
        };
        origin.is_merged = true;
        for element in elements {
            match self.facts.element_maker(self.key, element) {
                Maker::One(maker) => self.parents.push(self.place(maker)),
                Maker::Nobody | Maker::Several { .. } => origin.is_open = true,
            }
        }
    }

    /// Everything that what the final reads saw descends from.
    fn kept(&self, end: &End<'_>) -> Kept {
        let mut seeds =
            Self { deletes: self.deletes.clone(), origins: Vec::new(), parents: Vec::new(), ..*self };
        let origins: Vec<Origin> = end
            .reads
            .iter()
            .filter_map(|read| self.facts.observed(*read))
            .map(|observed| seeds.origin(observed))
            .collect();
        let is_kept = self.closure(&seeds.parents);
        let places = || (0..is_kept.len() as u32).filter(|place| is_kept[*place as usize]);
        let is_blind = |place: &u32| {
            matches!(
                self.facts.micro_op(self.on_key[*place as usize]),
                MicroOp::Write { .. } | MicroOp::Delete { .. }
            )
        };
        let any = |test: fn(&Origin) -> bool| {
            origins.iter().any(test) || places().any(|place| test(&self.origins[place as usize]))
        };
        Kept {
            blind: places().filter(is_blind).collect(),
            is_open: any(|origin| origin.is_open),
            is_merged: any(|origin| origin.is_merged),
            is_kept,
        }
    }

    /// These places and all their ancestors.
    fn closure(&self, seeds: &[u32]) -> Vec<bool> {
        let mut reached = vec![false; self.on_key.len()];
        let mut todo = seeds.to_vec();
        while let Some(place) = todo.pop() {
            if !std::mem::replace(&mut reached[place as usize], true) {
                todo.extend_from_slice(self.parents(self.origins[place as usize]));
            }
        }
        reached
    }

    /// How many states two sessions tried to update, also if the store refused one.
    fn clashes(&self) -> u64 {
        let mut bases: FxHashMap<&[u32], (SessionId, bool)> = FxHashMap::default();
        for (at, origin) in self.on_key.iter().zip(&self.origins) {
            if !is_update(self.facts, *at) || origin.is_open {
                continue;
            }
            let session = self.facts.operation(*at).session;
            let base = bases.entry(self.parents(*origin)).or_insert((session, false));
            base.1 |= base.0 != session;
        }
        bases.values().filter(|(_, is_shared)| *is_shared).count() as u64
    }

    fn lost(&self, end: &End<'_>, kept: &Kept) -> Vec<u32> {
        let missed: Vec<u32> = (0..self.on_key.len() as u32)
            .filter(|place| {
                !kept.is_kept[*place as usize] && is_update(self.facts, self.on_key[*place as usize])
            })
            .filter(|place| end.should_show(self.facts, self.on_key[*place as usize]))
            .collect();
        if missed.is_empty() {
            return missed;
        }
        let elements = final_elements(self.facts, end.reads);
        missed
            .into_iter()
            .filter(|place| !self.has_survived(*place, &elements, kept) && !self.is_excused(*place, kept))
            .collect()
    }

    // What an update brought is there, whatever the versions say; or it brought nothing that could be
    // looked for in a merged state.
    fn has_survived(&self, place: u32, elements: &FxHashSet<&Value>, kept: &Kept) -> bool {
        let MicroOp::CompareAndSet { expected, value, .. } = self.facts.micro_op(self.on_key[place as usize])
        else {
            return true;
        };
        let added = elements_added(expected, value);
        let missing: Vec<&Value> =
            added.iter().copied().filter(|element| !elements.contains(element)).collect();
        if added.is_empty() {
            return kept.is_merged;
        }
        missing.is_empty()
            || kept.is_merged && missing.iter().all(|element| self.may_be_removed(place, element))
    }

    // In a merged state a removal leaves no trace: any update that saw the element and dropped it, or
    // any blind one, may have done it.
    fn may_be_removed(&self, place: u32, element: &Value) -> bool {
        let has = |value: &Value| value.as_list().is_some_and(|list| list.contains(element));
        self.on_key.iter().enumerate().any(|(other, at)| {
            other != place as usize
                && self.facts.operation(*at).is_possible()
                && match self.facts.micro_op(*at) {
                    MicroOp::CompareAndSet { expected, value, .. } => {
                        expected.values.iter().any(has) && !has(value)
                    }
                    MicroOp::Write { value, .. } => !has(value),
                    MicroOp::Delete { .. } => true,
                    _ => false,
                }
        })
    }

    // A blind write may replace anything that it is not known to come before.
    fn is_excused(&self, place: u32, kept: &Kept) -> bool {
        if kept.blind.is_empty() {
            return false;
        }
        let update = self.on_key[place as usize];
        let ancestors = self.closure(self.parents(self.origins[place as usize]));
        kept.blind.iter().any(|blind| {
            let is_ancestor = ancestors[*blind as usize] && !self.is_implied(place);
            !is_ancestor && !is_known_before(self.facts, self.on_key[*blind as usize], update)
        })
    }

    // An update of an absent key has all deletes as parents, though only one of them made it absent.
    fn is_implied(&self, place: u32) -> bool {
        !self.deletes.is_empty() && self.ancestors_are_guessed(place)
    }

    fn ancestors_are_guessed(&self, place: u32) -> bool {
        let ancestors = self.closure(&[place]);
        ancestors.iter().enumerate().filter(|(_, is_ancestor)| **is_ancestor).any(|(place, _)| {
            let MicroOp::CompareAndSet { expected, .. } = self.facts.micro_op(self.on_key[place]) else {
                return false;
            };
            expected.is_absent()
                && expected
                    .versions
                    .first()
                    .is_none_or(|version| self.facts.version_maker(self.key, version).one().is_none())
        })
    }

    /// The first lost update of a chain, with what survived in its stead.
    fn example(&self, end: &End<'_>, kept: &Kept, lost: &[u32]) -> Example {
        let is_lost: FxHashSet<u32> = lost.iter().copied().collect();
        let is_first = |place: &&u32| {
            !self.parents(self.origins[**place as usize]).iter().any(|parent| is_lost.contains(parent))
        };
        let first = *lost.iter().find(is_first).unwrap_or(&lost[0]);
        let lost = self.on_key[first as usize];
        let read = end.newest.iter().min().copied().expect("a key without a final read is not judged");
        match self.survivor(first, kept) {
            Some((survivor, same_base)) => {
                Example::Clash { lost, survivor: self.on_key[survivor as usize], same_base, read }
            }
            None => Example::Gone { lost, read },
        }
    }

    /// A kept update from the same state; else one that did not know of the lost one.
    fn survivor(&self, lost: u32, kept: &Kept) -> Option<(u32, bool)> {
        let base = self.parents(self.origins[lost as usize]);
        let ancestors = self.closure(base);
        let rivals: Vec<u32> = (0..self.on_key.len() as u32)
            .filter(|place| kept.is_kept[*place as usize] && !ancestors[*place as usize])
            .filter(|place| self.is_possible_update(*place))
            .collect();
        let shares = |place: &&u32| {
            let other = self.parents(self.origins[**place as usize]);
            other == base || other.iter().any(|parent| base.contains(parent))
        };
        let is_confirmed = |place: &&u32| self.facts.operation(self.on_key[**place as usize]).is_confirmed();
        let sharing = || rivals.iter().filter(shares);
        let best = sharing().find(is_confirmed).or_else(|| sharing().next());
        best.map(|place| (*place, true)).or_else(|| rivals.first().map(|place| (*place, false)))
    }

    fn is_possible_update(&self, place: u32) -> bool {
        let at = self.on_key[place as usize];
        is_update(self.facts, at) && self.facts.operation(at).is_possible()
    }
}

fn is_update(facts: &Facts<'_>, address: Address) -> bool {
    matches!(facts.micro_op(address), MicroOp::CompareAndSet { .. })
}

/// All elements of all lists that these reads saw.
pub(super) fn final_elements<'h>(facts: &Facts<'h>, reads: &[Address]) -> FxHashSet<&'h Value> {
    let observed = reads.iter().filter_map(|read| facts.observed(*read));
    observed.flat_map(|observed| &observed.values).filter_map(Value::as_list).flatten().collect()
}
