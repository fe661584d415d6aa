//! Whether elements fit into the order of a stack, by taking them away from outside.
//!
//! ```text
//!   put 1 ├──┤  put 2 ├──┤  take 2 ├──┤  take 1 ├──┤        1 is put on first and taken off last: take it
//!         put 3 ├──────────────────────────┤ take 3         away. 2 is surely there for a while, 3 never
//! ```
//!
//! An element that is never surely there is put on and taken off at one instant, and disturbs nobody. If
//! no call ended before an element's put and none began after its take, it may lie below all others: the
//! rest has an order iff all have. If there is no such element, the stack must be empty in between, at an
//! instant at which none is surely there, and what is before and what is after it are judged alone. If
//! there is no such instant, there is no order.
//!
//! One tree over the elements, in the order of the ends of their puts, finds both: O(n log n).
//! Source: Lee & Mathur, Efficient Decrease-and-Conquer Linearizability Monitoring, OOPSLA 2025 (the
//! idea); the equivalence at an instant when the stack may be empty is argued above.

use crate::linearizable::items::Item;

/// A proof is made no shorter once it needs more elements than this.
const SHORT_MAX: usize = 16;

/// Few elements that have no order; none if all have one.
pub(super) fn test(items: &[Item]) -> Option<Vec<Item>> {
    tangle(items).map(fewest)
}

// Whatever has an order has one without some of its elements, so the first elements that have none end
// with one that is needed. It is kept, and those before it are searched again.
fn fewest(mut tangled: Vec<Item>) -> Vec<Item> {
    let mut needed: Vec<Item> = Vec::new();
    while tangle(&needed).is_none() && needed.len() < SHORT_MAX {
        let (mut too_few, mut enough) = (0, tangled.len());
        while enough - too_few > 1 {
            let middle = too_few.midpoint(enough);
            match tangle(&[&tangled[..middle], &needed].concat()) {
                Some(_) => enough = middle,
                None => too_few = middle,
            }
        }
        needed.push(tangled[enough - 1]);
        tangled.truncate(enough - 1);
    }
    match tangle(&needed) {
        Some(_) => needed,
        None => [tangled, needed].concat(),
    }
}

// What is left where nothing can be taken away and the stack is never empty.
fn tangle(items: &[Item]) -> Option<Vec<Item>> {
    let mut seen: Vec<Item> = items.iter().filter(|item| item.is_seen()).copied().collect();
    seen.sort_unstable_by_key(|item| (item.put_to, item.put));
    let mut by_put: Vec<u32> = (0..seen.len() as u32).collect();
    by_put.sort_unstable_by_key(|place| seen[*place as usize].put_from);
    let mut tree = Tree::new(&seen);
    let mut next = 0;
    let mut windows = vec![(0, seen.len())];
    // From left to right, so that the earliest end never goes back.
    while let Some((begin, end)) = windows.pop() {
        let Some(first) = tree.first(begin, end) else { continue };
        while let Some(place) =
            by_put.get(next).filter(|at| seen[**at as usize].put_from <= seen[first].put_to)
        {
            tree.offer(*place as usize, &seen);
            next += 1;
        }
        let (latest_start, lowest) = tree.candidates(first, end);
        if let Some((take_to, place)) = lowest
            && take_to >= latest_start
        {
            tree.take_away(place, &seen);
            windows.push((first, end));
            continue;
        }
        let after = seen.partition_point(|item| item.put_to <= seen[first].put_to);
        match tree.empty_at(after, end) {
            Some(place) => {
                // All that were put on at the same instant are after it.
                let split = seen.partition_point(|item| item.put_to < seen[place].put_to);
                windows.push((split, end));
                windows.push((first, split));
            }
            None => return Some((first..end).filter(|at| tree.is_there(*at)).map(|at| seen[at]).collect()),
        }
    }
    None
}

/// What is known of the elements below one node of the tree.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// The fewest elements that are surely there when the put of one of these ends.
    fewest: u32,
    /// To be added to all below.
    added: i32,
    /// The latest start of a take; 0 if none of these is left.
    latest_start: u64,
    /// The latest end of a take among those that may lie lowest, plus one; 0 if there are none.
    offered: u64,
}

const GONE: Node = Node { fewest: u32::MAX / 2, added: 0, latest_start: 0, offered: 0 };

/// A segment tree over elements in the order of the ends of their puts.
struct Tree {
    nodes: Vec<Node>,
    /// Leaves, a power of two.
    width: usize,
}

impl Tree {
    fn new(seen: &[Item]) -> Self {
        let width = seen.len().next_power_of_two();
        let mut tree = Self { nodes: vec![GONE; 2 * width], width };
        let mut ends: Vec<u64> = seen.iter().map(|item| item.take_from).collect();
        ends.sort_unstable();
        let mut over = 0;
        for (place, item) in seen.iter().enumerate() {
            // Put before this instant, less taken by it.
            let begun = seen.partition_point(|other| other.put_to < item.put_to);
            while over < ends.len() && ends[over] <= item.put_to {
                over += 1;
            }
            let fewest = (begun - over) as u32;
            tree.nodes[width + place] = Node { fewest, latest_start: item.take_from, ..GONE };
        }
        for at in (1..width).rev() {
            tree.pull(at);
        }
        tree
    }

    fn pull(&mut self, at: usize) {
        let (left, right) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
        let node = &mut self.nodes[at];
        node.fewest = left.fewest.min(right.fewest).saturating_add_signed(node.added);
        node.latest_start = left.latest_start.max(right.latest_start);
        node.offered = left.offered.max(right.offered);
    }

    fn is_there(&self, place: usize) -> bool {
        self.nodes[self.width + place].latest_start > 0
    }

    fn pull_above(&mut self, place: usize) {
        let mut at = (self.width + place) / 2;
        while at > 0 {
            self.pull(at);
            at /= 2;
        }
    }

    /// From now on this element may lie below the others, as far as its put goes.
    fn offer(&mut self, place: usize, seen: &[Item]) {
        if self.is_there(place) {
            self.nodes[self.width + place].offered = seen[place].take_to.saturating_add(1);
            self.pull_above(place);
        }
    }

    fn take_away(&mut self, place: usize, seen: &[Item]) {
        self.nodes[self.width + place] = GONE;
        self.pull_above(place);
        let begin = seen.partition_point(|item| item.put_to <= seen[place].put_to);
        let end = seen.partition_point(|item| item.put_to < seen[place].take_from);
        self.lessen(1, (0, self.width), (begin, end));
    }

    // One element less is there when the puts from `begin` to `end` end.
    fn lessen(&mut self, at: usize, (from, to): (usize, usize), (begin, end): (usize, usize)) {
        if end <= from || to <= begin {
            return;
        }
        if begin <= from && to <= end {
            let node = &mut self.nodes[at];
            node.added -= 1;
            node.fewest = node.fewest.saturating_add_signed(-1);
            return;
        }
        let middle = from.midpoint(to);
        self.lessen(2 * at, (from, middle), (begin, end));
        self.lessen(2 * at + 1, (middle, to), (begin, end));
        self.pull(at);
    }

    /// The first element that is left in this window.
    fn first(&self, begin: usize, end: usize) -> Option<usize> {
        self.find(1, (0, self.width), (begin, end), &mut |node| node.latest_start > 0)
    }

    // The first leaf that passes, if each node above passes too.
    fn find(
        &self,
        at: usize,
        (from, to): (usize, usize),
        (begin, end): (usize, usize),
        passes: &mut impl FnMut(&Node) -> bool,
    ) -> Option<usize> {
        if end <= from || to <= begin || !passes(&self.nodes[at]) {
            return None;
        }
        if to - from == 1 {
            return Some(from);
        }
        let middle = from.midpoint(to);
        self.find(2 * at, (from, middle), (begin, end), passes)
            .or_else(|| self.find(2 * at + 1, (middle, to), (begin, end), passes))
    }

    /// The latest start of a take in this window; and the end of the latest take of an element that may
    /// lie lowest, with its place.
    fn candidates(&self, begin: usize, end: usize) -> (u64, Option<(u64, usize)>) {
        let (mut latest_start, mut offered) = (0, 0);
        self.visit(1, (0, self.width), (begin, end), &mut |node| {
            latest_start = node.latest_start.max(latest_start);
            offered = node.offered.max(offered);
        });
        let place = match offered {
            0 => None,
            _ => self.find(1, (0, self.width), (begin, end), &mut |node| node.offered >= offered),
        };
        // The end of time stands for itself.
        let take_to = if offered == u64::MAX { u64::MAX } else { offered.saturating_sub(1) };
        (latest_start, place.map(|place| (take_to, place)))
    }

    fn visit(
        &self,
        at: usize,
        (from, to): (usize, usize),
        (begin, end): (usize, usize),
        see: &mut impl FnMut(&Node),
    ) {
        if end <= from || to <= begin {
            return;
        }
        if begin <= from && to <= end {
            see(&self.nodes[at]);
            return;
        }
        let middle = from.midpoint(to);
        self.visit(2 * at, (from, middle), (begin, end), see);
        self.visit(2 * at + 1, (middle, to), (begin, end), see);
    }

    /// The first element in this window at whose put's end none is surely there.
    fn empty_at(&self, begin: usize, end: usize) -> Option<usize> {
        self.find_empty(1, (0, self.width), (begin, end), 0)
    }

    fn find_empty(
        &self,
        at: usize,
        (from, to): (usize, usize),
        (begin, end): (usize, usize),
        above: i32,
    ) -> Option<usize> {
        let node = &self.nodes[at];
        if end <= from || to <= begin || node.fewest.saturating_add_signed(above) > 0 {
            return None;
        }
        if to - from == 1 {
            return Some(from);
        }
        let (middle, above) = (from.midpoint(to), above + node.added);
        self.find_empty(2 * at, (from, middle), (begin, end), above)
            .or_else(|| self.find_empty(2 * at + 1, (middle, to), (begin, end), above))
    }
}
