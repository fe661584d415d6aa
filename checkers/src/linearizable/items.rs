//! Queues and stacks whose elements are put in once each: exact in near-linear time.
//!
//! ```text
//!   c0  |-put 1-|  |-put 2-|                              each element has its put and its take, and is
//!   c1                        |-take → 2-|  |-take → 1-|  surely there between them: 1 ●────────────●
//! ```
//!
//! A queue has a legal order iff nothing was taken out that was not put in, nothing twice and nothing
//! before it was put in; no element was overtaken by one that was put in after it; and whoever found the
//! queue empty was in flight at an instant at which no element was surely there. A stack is taken apart
//! from outside: see [`super::stack`].
//!
//! An unknown put that nobody took never has to have happened; one that was taken ended when that did.
//! An unknown take may have taken any element that is left: if the calls have an order without it, that
//! is enough; if what others took has none, nothing helps; else such takes are given to the elements that
//! have to go, the most urgent first, and only where that fails is there a search.
//!
//! O(n log n). Source: Henzinger, Sezgin & Vafeiadis, Aspect-Oriented Linearizability Proofs, CONCUR 2013
//! (queues); Lee & Mathur, Efficient Decrease-and-Conquer Linearizability Monitoring, OOPSLA 2025.

use histories::{MicroOp, Value, threads};

use crate::Facts;
use crate::facts::{Address, ByValue, KeyKind, KeyNumber, Verb, Visit};
use crate::linearizable::stack;

/// One element: when it was put in and taken out. Times as in [`Visit::interval`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) put: Address,
    /// None if it is still there.
    pub(super) take: Option<Address>,
    pub(super) put_from: u64,
    pub(super) put_to: u64,
    pub(super) take_from: u64,
    pub(super) take_to: u64,
}

impl Item {
    /// True if there is an instant at which it is surely there.
    pub(super) fn is_seen(&self) -> bool {
        self.put_to < self.take_from
    }
}

/// Somebody who found nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Empty {
    pub(super) at: Address,
    from: u64,
    to: u64,
}

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Nobody put this in.
    Unexplained(Address),
    /// One element was taken twice.
    Twice { first: Address, second: Address },
    /// It was taken before it was put in.
    TooEarly { take: Address, put: Address },
    /// `second` was put in after `first` and taken out before it.
    Overtaken { first: Item, second: Item },
    /// While this one found nothing, these were there, each until after the next was put in.
    NotEmpty { empty: Empty, there: Vec<Item> },
    /// These elements fit into no order of a stack.
    Tangled(Vec<Item>),
}

/// What became of a key.
#[derive(Debug)]
pub(super) enum Items {
    Legal,
    Illegal(Conflict),
    /// An element was put in twice, somebody read the whole, or an unknown take is in the way.
    Other,
}

/// Judges a key.
pub(super) fn judge(facts: &Facts<'_>, key: KeyNumber) -> Items {
    let usage = facts.usage(key);
    if usage.writes + usage.compare_and_sets + usage.deletes > 0 {
        return Items::Other;
    }
    let mut all = match Calls::gather(facts, key) {
        Ok(all) => all,
        Err(items) => return items,
    };
    let Some(conflict) = all.test() else { return Items::Legal };
    if all.spare.is_empty() {
        return Items::Illegal(conflict);
    }
    // Without what is left behind there are at least as many orders as with any unknown takes.
    let left: Vec<Item> = all.items.extract_if(.., |item| item.take.is_none()).collect();
    if let Some(conflict) = all.test() {
        return Items::Illegal(conflict);
    }
    match all.give_away(left) && all.test().is_none() {
        true => Items::Legal,
        false => Items::Other,
    }
}

struct Calls {
    is_queue: bool,
    items: Vec<Item>,
    empties: Vec<Empty>,
    /// When the takes of unknown outcome were asked for, ascending.
    spare: Vec<u64>,
}

impl Calls {
    fn gather(facts: &Facts<'_>, key: KeyNumber) -> Result<Self, Items> {
        let is_queue = facts.kind(key) == KeyKind::Queue;
        let mut calls = Self { is_queue, items: Vec::new(), empties: Vec::new(), spare: Vec::new() };
        let mut places: ByValue<'_, u32> = ByValue::default();
        // A take may have been asked for before its put.
        let mut takes: Vec<&Visit> = Vec::new();
        let mut is_read = false;
        for visit in facts.visits(key).iter().filter(|visit| visit.is_possible) {
            let (at, (from, to)) = (visit.at, visit.interval());
            match visit.verb {
                Verb::Bring => {
                    let place = calls.items.len() as u32;
                    let before = match visit.integer() {
                        Some(integer) => places.add_integer(integer, place),
                        None => brought(facts, at).and_then(|element| places.add(element, place)),
                    };
                    if before.is_some() {
                        return Err(Items::Other);
                    }
                    calls.items.push(Item::put(at, (from, to)));
                }
                Verb::Read => is_read |= visit.is_load && visit.is_confirmed,
                Verb::Take if !visit.is_confirmed => calls.spare.push(from),
                Verb::Take if visit.integer().is_none() && taken(facts, at).is_none() => {
                    calls.empties.push(Empty { at, from, to });
                }
                Verb::Take => takes.push(visit),
                Verb::Write | Verb::CompareAndSet | Verb::Other => {}
            }
        }
        for visit in takes {
            let place = match visit.integer() {
                Some(integer) => places.get_integer(integer),
                None => taken(facts, visit.at).and_then(|element| places.get(element)),
            };
            let place = place.ok_or(Items::Illegal(Conflict::Unexplained(visit.at)))?;
            calls.items[place as usize].take(visit.at, visit.interval()).map_err(Items::Illegal)?;
        }
        if is_read {
            return Err(Items::Other);
        }
        calls.items.retain(|item| item.take.is_some() || item.put_to < u64::MAX);
        Ok(calls)
    }

    fn test(&self) -> Option<Conflict> {
        if let Some(conflict) = self.not_empty() {
            return Some(conflict);
        }
        match self.is_queue {
            true => overtaken(&self.items),
            false => stack::test(&self.items).map(tangled),
        }
    }

    // An instant at which no element was surely there will do, whatever else happened.
    fn not_empty(&self) -> Option<Conflict> {
        if self.empties.is_empty() {
            return None;
        }
        let mut seen: Vec<&Item> = self.items.iter().filter(|item| item.is_seen()).collect();
        seen.sort_unstable_by_key(|item| (item.put_to, item.take_from));
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for item in &seen {
            match spans.last_mut().filter(|(_, end)| item.put_to < *end) {
                Some((_, end)) => *end = item.take_from.max(*end),
                None => spans.push((item.put_to, item.take_from)),
            }
        }
        let is_refused = |empty: &&Empty| {
            let before = spans.partition_point(|(begin, _)| *begin < empty.from);
            before.checked_sub(1).is_some_and(|span| empty.to < spans[span].1)
        };
        let empty = self.empties.iter().find(is_refused)?;
        Some(Conflict::NotEmpty { empty: *empty, there: there(&seen, empty) })
    }

    // Whatever has to be gone by the earliest time is taken first. False if too few takes are left.
    fn give_away(&mut self, left: Vec<Item>) -> bool {
        let deadlines = Deadlines::new(self);
        let deadline = |item: Item| deadlines.of(&item).map(|deadline| (deadline, item));
        let mut urgent: Vec<(u64, Item)> = left.into_iter().filter_map(deadline).collect();
        urgent.sort_by_key(|(deadline, item)| (*deadline, item.put));
        self.spare.sort_unstable();
        let enough = urgent.len() <= self.spare.len();
        for ((_, item), from) in urgent.into_iter().zip(&self.spare) {
            let take_from = item.put_from.max(*from);
            self.items.push(Item { take_from, ..item });
        }
        enough
    }
}

/// By when what was left behind has to be gone: somebody found nothing, or what it hides.
struct Deadlines {
    /// By when it was asked, then the earliest end of any that was asked no earlier.
    ends: Vec<(u64, u64)>,
    /// Of a stack: each item by the end of its put.
    below: Vec<Item>,
}

impl Deadlines {
    fn new(calls: &Calls) -> Self {
        let mut ends: Vec<(u64, u64)> = calls.empties.iter().map(|empty| (empty.from, empty.to)).collect();
        let mut below = Vec::new();
        match calls.is_queue {
            true => ends.extend(calls.items.iter().map(|item| (item.put_from, item.take_to))),
            false => below.clone_from(&calls.items),
        }
        ends.sort_unstable();
        let mut earliest = u64::MAX;
        for (_, end) in ends.iter_mut().rev() {
            earliest = earliest.min(*end);
            *end = earliest;
        }
        below.sort_unstable_by_key(|item| item.put_to);
        Self { ends, below }
    }

    fn of(&self, item: &Item) -> Option<u64> {
        let later = self.ends.partition_point(|(asked, _)| *asked <= item.put_to);
        let below = &self.below[..self.below.partition_point(|other| other.put_to < item.put_from)];
        let hidden = below.iter().filter(|other| item.put_to < other.take_from).map(|other| other.take_to);
        let earliest = self.ends.get(later).map(|(_, end)| *end).into_iter().chain(hidden).min();
        earliest.filter(|deadline| *deadline < u64::MAX)
    }
}

impl Item {
    fn put(put: Address, (put_from, put_to): (u64, u64)) -> Self {
        Self { put, take: None, put_from, put_to, take_from: u64::MAX, take_to: u64::MAX }
    }

    fn take(&mut self, at: Address, (from, to): (u64, u64)) -> Result<(), Conflict> {
        if let Some(first) = self.take {
            return Err(Conflict::Twice { first, second: at });
        }
        if to < self.put_from {
            return Err(Conflict::TooEarly { take: at, put: self.put });
        }
        self.take = Some(at);
        (self.take_from, self.take_to) = (from.max(self.put_from), to);
        self.put_to = self.put_to.min(to);
        Ok(())
    }
}

fn brought<'h>(facts: &Facts<'h>, put: Address) -> Option<&'h Value> {
    match facts.micro_op(put) {
        MicroOp::Enqueue { element, .. } | MicroOp::Push { element, .. } => Some(element),
        _ => None,
    }
}

fn taken<'h>(facts: &Facts<'h>, take: Address) -> Option<&'h Value> {
    facts.observed(take)?.single()
}

// The fewest of `seen`, in the order of their puts, that were there in turn.
fn there(seen: &[&Item], empty: &Empty) -> Vec<Item> {
    let (mut there, mut until) = (Vec::new(), empty.from);
    while until <= empty.to {
        let begun = &seen[..seen.partition_point(|item| item.put_to < until)];
        let Some(next) = begun.iter().max_by_key(|item| item.take_from) else { break };
        until = next.take_from;
        there.push(**next);
    }
    there
}

// For each element: of those that were put in before it, the one that was taken last.
fn overtaken(items: &[Item]) -> Option<Conflict> {
    let by = |key: fn(&Item) -> u64| {
        let mut keys: Vec<(u64, u32)> = items.iter().map(key).zip(0..).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, place)| &items[place as usize])
    };
    let (begun, ended) = threads::both(items.len(), || by(|item| item.put_from), || by(|item| item.put_to));
    let mut before = ended.peekable();
    let mut last: Option<&Item> = None;
    for second in begun {
        while let Some(item) = before.next_if(|item| item.put_to < second.put_from) {
            last = last.into_iter().chain([item]).max_by_key(|item| item.take_from);
        }
        if let Some(first) = last.filter(|first| second.take_to < first.take_from) {
            return Some(Conflict::Overtaken { first: *first, second: *second });
        }
    }
    None
}

// Two elements of a stack of which the lower came off first make the clearer story.
fn tangled(items: Vec<Item>) -> Conflict {
    if let [a, b] = items.as_slice() {
        for (below, above) in [(a, b), (b, a)] {
            let lies_on = below.put_to < above.put_from && above.put_to < below.take_from;
            if lies_on && below.take_to < above.take_from {
                return Conflict::Overtaken { first: *above, second: *below };
            }
        }
    }
    Conflict::Tangled(items)
}

#[cfg(test)]
mod tests;
