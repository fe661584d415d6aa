//! Registers: an update is lost if no final state descends from it, and no blind write or delete may
//! have taken it away.
//!
//! ```text
//!   5@A:1 ─cas─▶ 6@A:2                     not kept
//!      └───cas─▶ 7@B:1 ◀─ final reads      6 is lost
//!
//!   5@A:1 ─cas─▶ 6@A:2 ┄┄?┄┄▶ 9@B:1 ◀─ final reads      a blind write of 9 may have come after 6
//!
//!   6@A:2 ┄┄?┄┄▶ deleted                   a delete may have found 6, whatever was kept
//!         7@B:1 ◀─ final reads
//! ```

use histories::{MicroOp, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::ancestry::{Ancestry, Kept, is_update};
use super::{End, Example, Judged, Loss, is_known_before};
use crate::facts::{Address, Facts, KeyNumber, elements_added};

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

impl Ancestry<'_, '_> {
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
        // Usually one blind write began it all, and thousands of updates are asked about it.
        let descendants: Vec<Vec<bool>> = match kept.is_guessed {
            true => Vec::new(),
            false => kept.blind.iter().map(|blind| self.descendants(*blind)).collect(),
        };
        let blind = self.blind();
        let mut found = FxHashMap::default();
        missed
            .into_iter()
            .filter(|place| {
                !self.has_survived(*place, &elements, kept)
                    && !self.is_excused(*place, kept, &descendants)
                    && !self.may_be_replaced(*place, &blind, &mut found)
            })
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

    // A blind write may replace anything that it is not known to come before, if what was kept came
    // of it, and not by way of something that the update itself came of.
    fn is_excused(&self, place: u32, kept: &Kept, descendants: &[Vec<bool>]) -> bool {
        let is_excuse = |blind: &u32| {
            !is_known_before(self.facts, self.on_key[*blind as usize], self.on_key[place as usize])
        };
        if !kept.is_guessed {
            let comes_of = |index: usize| descendants[index][place as usize];
            return kept.blind.iter().enumerate().any(|(index, blind)| !comes_of(index) && is_excuse(blind));
        }
        if !kept.blind.iter().any(is_excuse) {
            return false;
        }
        let ancestors = self.closure(&[place], |_| false, |origin| !origin.is_guessed);
        let beside = self.closure(&kept.seeds, |place| ancestors[place as usize], |_| true);
        kept.blind.iter().filter(|blind| beside[**blind as usize]).any(is_excuse)
    }

    // Blind writes and deletes that can have happened, in the order of invocation.
    fn blind(&self) -> Vec<u32> {
        let is_blind = |place: &u32| {
            let at = self.on_key[*place as usize];
            matches!(self.facts.micro_op(at), MicroOp::Write { .. } | MicroOp::Delete { .. })
                && self.facts.operation(at).is_possible()
        };
        (0..self.on_key.len() as u32).filter(is_blind).collect()
    }

    // What replaced the update need not have left a trace: a delete leaves none, and a write may have
    // been replaced in its turn. But then it found the update, so it was not answered before the update
    // was asked. The newest come first, for those excuse most.
    fn may_be_replaced(
        &self,
        place: u32,
        blind: &[u32],
        descendants: &mut FxHashMap<u32, Vec<bool>>,
    ) -> bool {
        let operation = |place: u32| self.facts.operation(self.on_key[place as usize]);
        blind.iter().rev().any(|blind| {
            let mut is_ancestor =
                || descendants.entry(*blind).or_insert_with(|| self.descendants(*blind))[place as usize];
            *blind > place || !operation(*blind).precedes(operation(place)) && !is_ancestor()
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
        let ancestors = self.ancestors(base);
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

/// All elements of all lists that these reads saw.
pub(super) fn final_elements<'h>(facts: &Facts<'h>, reads: &[Address]) -> FxHashSet<&'h Value> {
    let observed = reads.iter().filter_map(|read| facts.observed(*read));
    observed.flat_map(|observed| &observed.values).filter_map(Value::as_list).flatten().collect()
}
