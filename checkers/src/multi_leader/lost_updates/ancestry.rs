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
use rustc_hash::FxHashMap;

use super::End;
use crate::facts::{Address, Facts, KeyNumber, Maker};

/// Places of micro-ops in the order of the key, and from which others each started.
pub(super) struct Ancestry<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    pub(super) key: KeyNumber,
    pub(super) on_key: &'f [Address],
    /// Deletes that can have happened: any of them may have made the key absent.
    pub(super) deletes: Vec<u32>,
    pub(super) origins: Vec<Origin>,
    pub(super) parents: Vec<u32>,
}

/// From which states one micro-op started, or a read saw.
#[derive(Clone, Copy, Default)]
pub(super) struct Origin {
    /// Where its parents begin and end in `Ancestry::parents`.
    pub(super) begin: u32,
    pub(super) end: u32,
    /// True if some parent is not known.
    pub(super) is_open: bool,
    /// True if the store merged it from its parents.
    pub(super) is_merged: bool,
    /// True if its parents are deletes of which one at most made the key absent.
    pub(super) is_guessed: bool,
}

/// What the final states descend from.
pub(super) struct Kept {
    /// The makers of what the final reads saw.
    pub(super) seeds: Vec<u32>,
    pub(super) is_kept: Vec<bool>,
    /// Blind writes and deletes among them.
    pub(super) blind: Vec<u32>,
    pub(super) is_open: bool,
    pub(super) is_merged: bool,
    pub(super) is_guessed: bool,
}

impl<'f, 'h> Ancestry<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>, key: KeyNumber) -> Self {
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
                MicroOp::CompareAndSet { expected, .. } => {
                    ancestry.origin(expected, facts.expected(*at), *at)
                }
                _ => Origin::default(),
            };
            ancestry.origins.push(origin);
        }
        ancestry
    }

    fn place(&self, address: Address) -> u32 {
        self.on_key.binary_search(&address).expect("the makers of a key's states are on the key") as u32
    }

    pub(super) fn parents(&self, origin: Origin) -> &[u32] {
        &self.parents[origin.begin as usize..origin.end as usize]
    }

    /// Appends the makers of what was observed to `parents`.
    fn origin(&mut self, observed: &Observed, makers: &[Maker], at: Address) -> Origin {
        let begin = self.parents.len();
        let mut origin = Origin { begin: begin as u32, ..Origin::default() };
        if observed.is_absent() {
            origin.is_guessed = self.absent(observed, at);
        }
        for (value, maker) in observed.values.iter().zip(makers) {
            match *maker {
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

    // Absent: as it began, or as a delete left it. Only the version can say by which; true if it does not.
    fn absent(&mut self, observed: &Observed, at: Address) -> bool {
        let version = observed.versions.first();
        let maker = version.map_or(Maker::Nobody, |version| self.facts.version_maker(self.key, version));
        if let Maker::One(delete) = maker {
            self.parents.push(self.place(delete));
            return false;
        }
        let seen_by = self.facts.operation(at);
        let can_be_seen =
            |place: &&u32| !seen_by.precedes(self.facts.operation(self.on_key[**place as usize]));
        self.parents.extend(self.deletes.iter().filter(can_be_seen));
        true
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
    pub(super) fn kept(&self, end: &End<'_>) -> Kept {
        let mut seeds =
            Self { deletes: self.deletes.clone(), origins: Vec::new(), parents: Vec::new(), ..*self };
        let origins: Vec<Origin> = end
            .reads
            .iter()
            .filter_map(|read| Some((*read, self.facts.observed(*read)?)))
            .map(|(read, observed)| seeds.origin(observed, self.facts.seen(read), read))
            .collect();
        let is_kept = self.ancestors(&seeds.parents);
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
            is_guessed: any(|origin| origin.is_guessed),
            is_kept,
            seeds: seeds.parents,
        }
    }

    /// These places and all their ancestors: without those that `skips`, and by way of those origins
    /// only that `counts`.
    pub(super) fn closure(
        &self,
        seeds: &[u32],
        skips: impl Fn(u32) -> bool,
        counts: impl Fn(&Origin) -> bool,
    ) -> Vec<bool> {
        let mut reached = vec![false; self.on_key.len()];
        let mut todo = seeds.to_vec();
        while let Some(place) = todo.pop() {
            if skips(place) || std::mem::replace(&mut reached[place as usize], true) {
                continue;
            }
            let origin = &self.origins[place as usize];
            if counts(origin) {
                todo.extend_from_slice(self.parents(*origin));
            }
        }
        reached
    }

    /// These places and all their ancestors.
    pub(super) fn ancestors(&self, seeds: &[u32]) -> Vec<bool> {
        self.closure(seeds, |_| false, |_| true)
    }

    /// What is known to descend from this place. One pass: a state is made before others start from it.
    pub(super) fn descendants(&self, place: u32) -> Vec<bool> {
        let mut descends = vec![false; self.on_key.len()];
        descends[place as usize] = true;
        for later in place as usize + 1..self.on_key.len() {
            let origin = self.origins[later];
            descends[later] =
                !origin.is_guessed && self.parents(origin).iter().any(|parent| descends[*parent as usize]);
        }
        descends
    }

    /// How many states two sessions tried to update, also if the store refused one.
    pub(super) fn clashes(&self) -> u64 {
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
}

pub(super) fn is_update(facts: &Facts<'_>, address: Address) -> bool {
    matches!(facts.micro_op(address), MicroOp::CompareAndSet { .. })
}
