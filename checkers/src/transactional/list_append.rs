//! Lists that grow by appends: the longest read of a key shows the order of its versions.
//!
//! ```text
//!   T1  append x 1        T3  read x → [1 2]       order of x:   1, 2, then 3, which nobody read
//!   T2  append x 2        T4  read x → [1]         ww  T1 → T2 → T5     wr  T2 → T3, T1 → T4
//!   T5  append x 3                                 rw  T4 → T2, T3 → T5
//! ```
//!
//! Every other read is the start of the longest one; if not, no order of appends explains both. What is
//! confirmed and was never read comes after all that was, for an append puts its element at the end. An
//! unknown append counts if anything of its transaction was seen; else it constrains nothing. The order of two
//! appends that nobody read stays open: see `open_orders.rs`.
//!
//! A list to which several calls may have appended one element is left aside: nobody can say which of them a read
//! saw.
//!
//! A read that is no start of the longest is told as such. It surely saw who appended its last element (wr), but
//! its places are not places in the longest: no rw follows from it.
//!
//! O(elements of all reads) to compare, O(appends + reads) edges. Source: Kingsbury & Alvaro 2020, §4.3.

use histories::{MicroOp, Observed, OperationId, Value};
use rustc_hash::FxHashMap;

use super::link::Link;
use super::links::Links;
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber, Maker};

/// An append whose element is in no read.
const UNREAD: u32 = u32::MAX;

/// How far one edge leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the next version: the fewest edges.
    Next,
    /// To each later version: what a shortest cycle is made of.
    Far,
}

/// Where each append's element stands in the longest read of its key, by flat number of the micro-op.
pub(super) type Places = Vec<u32>;

/// The elements of a read; none if it shows no list.
pub(super) fn elements(observed: &Observed) -> Option<&[Value]> {
    match observed.values.as_slice() {
        [] => Some(&[]),
        [value] => value.as_list(),
        _ => None,
    }
}

/// True if all that reads of this key saw is one list each, and each element says who appended it.
pub(super) fn is_list(facts: &Facts<'_>, key: KeyNumber) -> bool {
    facts.kind(key) == KeyKind::List && !facts.usage(key).not_lists && !facts.has_repeated_elements(key)
}

/// The longest confirmed read of a list.
pub(super) fn longest<'h>(facts: &Facts<'h>, key: KeyNumber) -> Option<(Address, &'h [Value])> {
    let reads = facts.on_key(key).iter().filter_map(|at| Some((*at, elements(facts.observed(*at)?)?)));
    // The first of the longest.
    reads.rev().max_by_key(|(_, elements)| elements.len())
}

/// One key: its longest read, and who brought what it shows.
pub(super) struct ListKey<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    happened: &'f [bool],
    longest: &'h [Value],
    longest_read: Option<Address>,
    /// Who brought each element of the longest read; none if nobody or several can have.
    writers: Vec<Option<Address>>,
    /// The known writers, in order.
    chain: Vec<OperationId>,
    /// How many of them stand before each place.
    before: Vec<u32>,
    /// The node that leads on to each place of the chain, from this one on; none if only neighbours are joined.
    slots: Option<u32>,
    /// Elements that nobody who succeeded brought: their place, and who failed to.
    suspicious: Vec<(usize, Option<Address>)>,
    failed: FxHashMap<&'h Value, Address>,
}

/// One read.
struct Seen<'h> {
    at: Address,
    elements: &'h [Value],
    /// True if the longest read begins with it.
    is_start: bool,
}

impl<'h> Seen<'h> {
    /// What two reads of one version have in common.
    fn identity(&self) -> (usize, &'h [Value]) {
        if self.is_start { (self.elements.len(), &[]) } else { (usize::MAX, self.elements) }
    }
}

/// What a key still lacks when its operations have been gone through.
#[derive(Default)]
struct Rest<'h> {
    /// Readers of the longest version.
    readers: Vec<OperationId>,
    /// Appends that nobody read.
    unread: Vec<OperationId>,
    /// First reads by transactions that then append: which version, and where.
    updates: Vec<((usize, &'h [Value]), Address)>,
}

impl<'f, 'h> ListKey<'f, 'h> {
    pub(super) fn new(facts: &'f Facts<'h>, key: KeyNumber, happened: &'f [bool]) -> Self {
        let found = longest(facts, key);
        Self {
            facts,
            key,
            happened,
            longest: found.map_or(&[], |(_, elements)| elements),
            longest_read: found.map(|(at, _)| at),
            writers: Vec::new(),
            chain: Vec::new(),
            before: Vec::new(),
            slots: None,
            suspicious: Vec::new(),
            failed: failed_appends(facts, key),
        }
    }

    /// Finds the edges and anomalies of this key. Which edges makes no difference to what can be reached:
    /// with [`Reach::Far`], whatever comes before something is one step from it.
    pub(super) fn link(mut self, reach: Reach, places: &mut Places, links: &mut Links) {
        self.find_writers(places, links);
        self.join_writers(reach, links);
        let mut rest = Rest::default();
        let facts = self.facts;
        for run in facts.on_key(self.key).chunk_by(|a, b| a.operation == b.operation) {
            self.transaction(run, places, links, &mut rest);
        }
        self.finish(rest, links);
    }

    fn find_writers(&mut self, places: &mut Places, links: &mut Links) {
        let mut last_failed = None;
        for (place, element) in self.longest.iter().enumerate() {
            let writer = self.facts.element_maker(self.key, element);
            if writer == Maker::Nobody {
                let failed = self.failed.get(element).copied();
                last_failed = failed.or(last_failed);
                self.suspicious.push((place, failed));
            }
            let writer = writer.one();
            let Some(at) = writer else {
                self.writers.push(None);
                continue;
            };
            if self.facts.operation(at).is_confirmed()
                && let Some(failed) = last_failed.take()
            {
                links.spots.note(names::DIRTY_UPDATE, self.key, &[at, failed]);
            }
            let known = &mut places[self.facts.flat(at)];
            // An element that is there twice counts where it is first.
            let again = *known != UNREAD;
            if !again {
                *known = place as u32;
            }
            self.writers.push(writer.filter(|_| !again));
        }
        for writer in &self.writers {
            self.before.push(self.chain.len() as u32);
            self.chain.extend(writer.map(|at| at.operation));
        }
    }

    // Far: `w1 ─ww▶ slot 2 ─▶ slot 3 ─▶ …`, from each slot to the writer at its place; the last leads to what
    // nobody read.
    fn join_writers(&mut self, reach: Reach, links: &mut Links) {
        match reach {
            Reach::Next => self.chain.windows(2).for_each(|two| links.add(two[0], two[1], Link::WriteWrite)),
            Reach::Far => {
                let slots = links.more_nodes(self.chain.len() + 1);
                for (slot, writer) in (slots..).zip(&self.chain) {
                    links.edges.push(writer.0, slot + 1, Link::WriteWrite as u8);
                    links.edges.push(slot, writer.0, Link::Free as u8);
                    links.edges.push(slot, slot + 1, Link::Free as u8);
                }
                self.slots = Some(slots);
            }
        }
    }

    /// One transaction's operations on the key.
    fn transaction(&self, run: &[Address], places: &Places, links: &mut Links, rest: &mut Rest<'h>) {
        let operation = self.facts.operation(run[0]);
        if self.happened[operation.id.index()] {
            let is_unread = |at: &Address| {
                places[self.facts.flat(*at)] == UNREAD
                    && matches!(self.facts.micro_op(*at), MicroOp::Append { .. })
            };
            if run.iter().any(is_unread) {
                rest.unread.push(operation.id);
            }
        }
        if let (Some(longest), true) = (self.longest_read, self.is_torn(run, places)) {
            links.spots.note(names::INTERNAL, self.key, &[longest]);
        }
        if !operation.is_confirmed() {
            return;
        }
        let mut view = View::default();
        for (index, at) in run.iter().enumerate() {
            match (self.facts.micro_op(*at), self.facts.observed(*at).and_then(elements)) {
                (MicroOp::Append { element, .. }, _) => view.own.push(element),
                (_, Some(elements)) => {
                    let seen = Seen { at: *at, elements, is_start: self.longest.starts_with(elements) };
                    self.read(&seen, links, rest);
                    if !view.explains(elements) {
                        links.spots.note(names::INTERNAL, self.key, &[*at]);
                    }
                    self.look_ahead(&seen, &run[index + 1..], places, links);
                    if index == 0 && run[1..].iter().any(|at| !self.facts.micro_op(*at).is_read()) {
                        rest.updates.push((seen.identity(), *at));
                    }
                    view = View { base: Some(elements), own: Vec::new() };
                }
                (_, None) => {}
            }
        }
    }

    /// True if the transaction's own appends are in another order than it made them, or an earlier one is
    /// missing where a later one was read.
    fn is_torn(&self, run: &[Address], places: &Places) -> bool {
        let appends = run.iter().filter(|at| matches!(self.facts.micro_op(**at), MicroOp::Append { .. }));
        let mut before = None;
        appends.map(|at| places[self.facts.flat(*at)]).any(|place| {
            let is_torn = before.is_some_and(|before| place != UNREAD && before > place);
            before = Some(place);
            is_torn
        })
    }

    fn read(&self, seen: &Seen<'h>, links: &mut Links, rest: &mut Rest<'h>) {
        if let (false, Some(longest)) = (seen.is_start, self.longest_read) {
            links.spots.note(names::INCOMPATIBLE_ORDER, self.key, &[seen.at, longest]);
        }
        self.check_elements(seen, links);
        let reader = seen.at.operation;
        let last = match (seen.is_start, seen.elements.last()) {
            (false, Some(element)) => self.facts.element_maker(self.key, element).one(),
            (_, None) => None,
            (true, Some(_)) => self.writers[seen.elements.len() - 1],
        };
        if let Some(writer) = last {
            links.add(writer.operation, reader, Link::WriteRead);
            if writer.operation != reader && self.is_overwritten(writer) {
                links.spots.note(names::G1B, self.key, &[seen.at, writer]);
            }
        }
        if !seen.is_start {
            return;
        }
        let before = self.before.get(seen.elements.len()).map_or(self.chain.len(), |before| *before as usize);
        match (self.slots, self.chain.get(before)) {
            (Some(slots), _) => links.edges.push(reader.0, slots + before as u32, Link::ReadWrite as u8),
            (None, Some(next)) => links.add(reader, *next, Link::ReadWrite),
            (None, None) => rest.readers.push(reader),
        }
    }

    fn check_elements(&self, seen: &Seen<'h>, links: &mut Links) {
        let mut aborted = None;
        let mut from_nowhere = false;
        let mut look_at = |failed: Option<Address>| match failed {
            Some(writer) => aborted = aborted.or(Some(writer)),
            None => from_nowhere = true,
        };
        if seen.is_start {
            let shown = self.suspicious.iter().take_while(|(place, _)| *place < seen.elements.len());
            shown.for_each(|(_, failed)| look_at(*failed));
        } else {
            let is_bad = |element: &&Value| self.facts.element_maker(self.key, element) == Maker::Nobody;
            let bad = seen.elements.iter().filter(is_bad);
            bad.for_each(|element| look_at(self.failed.get(element).copied()));
        }
        if let Some(writer) = aborted {
            links.spots.note(names::G1A, self.key, &[seen.at, writer]);
        }
        if from_nowhere {
            links.spots.note(names::THIN_AIR_READ, self.key, &[seen.at]);
        }
        // What a start shows twice, the longest read shows twice: it tells it once.
        if (!seen.is_start || self.longest_read == Some(seen.at)) && has_duplicates(seen.elements) {
            links.spots.note(names::DUPLICATE_ELEMENTS, self.key, &[seen.at]);
        }
    }

    /// True if the transaction appends again to the key after this append.
    fn is_overwritten(&self, append: Address) -> bool {
        let micro_ops = self.facts.operation(append).call.micro_ops();
        let key = micro_ops[append.index as usize].key();
        micro_ops[append.index as usize + 1..]
            .iter()
            .any(|later| matches!(later, MicroOp::Append { key: other, .. } if other == key))
    }

    /// Looks for what the transaction appends only after this read.
    fn look_ahead(&self, seen: &Seen<'h>, later: &[Address], places: &Places, links: &mut Links) {
        let sees = |append: &&Address| match self.facts.micro_op(**append) {
            MicroOp::Append { .. } if seen.is_start => {
                (places[self.facts.flat(**append)] as usize) < seen.elements.len()
            }
            MicroOp::Append { element, .. } => seen.elements.contains(element),
            _ => false,
        };
        if let Some(append) = later.iter().find(sees) {
            links.spots.note(names::FUTURE_READ, self.key, &[seen.at, *append]);
        }
    }

    fn finish(&self, rest: Rest<'h>, links: &mut Links) {
        if let Some(slots) = self.slots {
            let last = slots + self.chain.len() as u32;
            rest.unread.iter().for_each(|append| links.edges.push(last, append.0, Link::Free as u8));
        } else {
            if let Some(last) = self.chain.last() {
                rest.unread.iter().for_each(|append| links.add(*last, *append, Link::WriteWrite));
            }
            links.each_to_each(&rest.readers, &rest.unread, Link::ReadWrite);
        }
        lost_updates(self.key, rest.updates, links);
    }
}

/// Transactions that began from one version and both changed the key.
pub(super) fn lost_updates<V: Ord>(key: KeyNumber, mut updates: Vec<(V, Address)>, links: &mut Links) {
    updates.sort_unstable();
    for same in updates.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        for pair in same.windows(2) {
            links.spots.note(names::LOST_UPDATE, key, &[pair[0].1, pair[1].1]);
        }
    }
}

/// What a transaction knows of a key: what it saw last, and what it has appended since.
#[derive(Default)]
struct View<'h> {
    base: Option<&'h [Value]>,
    own: Vec<&'h Value>,
}

impl View<'_> {
    fn explains(&self, seen: &[Value]) -> bool {
        let Some(before) = seen.len().checked_sub(self.own.len()) else { return false };
        let (start, end) = seen.split_at(before);
        end.iter().eq(self.own.iter().copied()) && self.base.is_none_or(|base| base == start)
    }
}

fn failed_appends<'h>(facts: &Facts<'h>, key: KeyNumber) -> FxHashMap<&'h Value, Address> {
    if !facts.usage(key).failures {
        return FxHashMap::default();
    }
    let failed = facts.on_key(key).iter().filter(|at| facts.operation(**at).outcome.is_failed());
    let element = |at: &Address| match facts.micro_op(*at) {
        MicroOp::Append { element, .. } => Some((element, *at)),
        _ => None,
    };
    failed.filter_map(element).collect()
}

fn has_duplicates(elements: &[Value]) -> bool {
    let mut sorted: Vec<&Value> = elements.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}
