//! Vector clocks that share what they have in common.
//!
//! ```text
//!   clock of c7       ┌─ [4 7 0 …]              one branch is shared by both clocks,
//!             root ───┤                         the other differs
//!                     └─ root ──┬─ [0 0 5 …]
//!   clock of c8  ───────────────┘
//! ```
//!
//! A clock has one column for each session that writes, and each timeout makes a new session: of
//! 100 000 columns most are 0 or the same in all clocks. So a clock is a tree: its leaves are blocks of
//! columns, only those that are not all 0, and equal branches are shared. A session that begins has no
//! tree or a single leaf; two clocks are joined or compared by looking only at the branches in which they
//! are not one and the same.
//!
//! O(log k) to look up or learn of one write, O(d · log k) to join or compare two clocks that differ in
//! d blocks. Source: Okasaki & Gill, Fast mergeable integer maps, ML Workshop 1998.

use std::ops::ControlFlow;
use std::rc::Rc;

/// Columns in one leaf.
const BLOCK: u32 = 32;

/// What is known of each session that writes: the position of its newest known write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    root: Option<Rc<Node>>,
}

#[derive(Debug, Clone)]
enum Node {
    Leaf(Leaf),
    Branch(Branch),
}

/// The columns of one block.
#[derive(Debug, Clone)]
struct Leaf {
    number: u32,
    positions: [u32; BLOCK as usize],
}

/// Blocks whose numbers agree above `bit`: those without it, and those with it.
#[derive(Debug, Clone)]
struct Branch {
    bit: u32,
    /// The number of any block below, without `bit` and what is lower.
    prefix: u32,
    low: Rc<Node>,
    high: Rc<Node>,
}

impl Clock {
    /// The position of the newest known write of this column's session; 0 if none is known.
    pub(crate) fn get(&self, column: u32) -> u32 {
        let number = column / BLOCK;
        let mut at = self.root.as_deref();
        loop {
            match at {
                None => return 0,
                Some(Node::Branch(branch)) => at = branch.towards(number),
                Some(Node::Leaf(leaf)) if leaf.number == number => {
                    return leaf.positions[(column % BLOCK) as usize];
                }
                Some(Node::Leaf(_)) => return 0,
            }
        }
    }

    /// Learns of a write.
    pub(crate) fn set(&mut self, column: u32, position: u32) {
        let number = column / BLOCK;
        let mut at = match &mut self.root {
            Some(root) => root,
            none => return *none = Some(leaf(column, position)),
        };
        loop {
            if !at.holds(number) {
                *at = join(at, &leaf(column, position));
                return;
            }
            match Rc::make_mut(at) {
                Node::Leaf(leaf) => {
                    leaf.positions[(column % BLOCK) as usize] = position;
                    return;
                }
                Node::Branch(branch) => {
                    at = if number & branch.bit == 0 { &mut branch.low } else { &mut branch.high };
                }
            }
        }
    }

    /// Learns all that the other knows.
    pub(crate) fn join(&mut self, other: &Self) {
        match (&mut self.root, &other.root) {
            (_, None) => {}
            (none @ None, theirs) => none.clone_from(theirs),
            (Some(mine), Some(theirs)) if Rc::ptr_eq(mine, theirs) => {}
            (Some(mine), Some(theirs)) => *mine = join(mine, theirs),
        }
    }

    /// Visits those of these columns, which must ascend, of which this clock knows more than the other:
    /// the place among them and the position, until the visitor breaks off.
    pub(crate) fn newer(
        &self,
        than: &Self,
        columns: &[u32],
        visit: &mut impl FnMut(usize, u32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(mine) = &self.root else { return ControlFlow::Continue(()) };
        newer(mine, than.root.as_ref(), Columns { columns, begin: 0 }, visit)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.root = None;
    }
}

impl Node {
    /// True if the block has its place in this tree.
    fn holds(&self, number: u32) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.number == number,
            Self::Branch(branch) => branch.holds(number),
        }
    }

    /// The number of some block below.
    fn number(&self) -> u32 {
        match self {
            Self::Leaf(leaf) => leaf.number,
            Self::Branch(branch) => branch.prefix,
        }
    }

    /// 0 for a leaf.
    fn bit(&self) -> u32 {
        match self {
            Self::Leaf(_) => 0,
            Self::Branch(branch) => branch.bit,
        }
    }
}

impl Branch {
    fn holds(&self, number: u32) -> bool {
        number & !(self.bit | (self.bit - 1)) == self.prefix
    }

    fn towards(&self, number: u32) -> Option<&Node> {
        self.holds(number).then(|| &**if number & self.bit == 0 { &self.low } else { &self.high })
    }
}

fn leaf(column: u32, position: u32) -> Rc<Node> {
    let mut positions = [0; BLOCK as usize];
    positions[(column % BLOCK) as usize] = position;
    Rc::new(Node::Leaf(Leaf { number: column / BLOCK, positions }))
}

// The result is one of the two wherever that knows all: so branches stay shared.
fn join(mine: &Rc<Node>, theirs: &Rc<Node>) -> Rc<Node> {
    if Rc::ptr_eq(mine, theirs) {
        return mine.clone();
    }
    match (&**mine, &**theirs) {
        (Node::Leaf(a), Node::Leaf(b)) if a.number == b.number => join_leaves((mine, a), (theirs, b)),
        (Node::Branch(a), Node::Branch(b)) if (a.bit, a.prefix) == (b.bit, b.prefix) => {
            let (low, high) = (join(&a.low, &b.low), join(&a.high, &b.high));
            match Rc::ptr_eq(&low, &b.low) && Rc::ptr_eq(&high, &b.high) {
                true => theirs.clone(),
                false => rebuilt(mine, a, low, high),
            }
        }
        (Node::Branch(a), b) if a.bit > b.bit() && a.holds(b.number()) => join_below(mine, a, theirs),
        (a, Node::Branch(b)) if b.bit > a.bit() && b.holds(a.number()) => join_below(theirs, b, mine),
        (a, b) => apart((mine, a.number()), (theirs, b.number())),
    }
}

fn join_leaves((mine, a): (&Rc<Node>, &Leaf), (theirs, b): (&Rc<Node>, &Leaf)) -> Rc<Node> {
    let mut positions = a.positions;
    let (mut same_as_mine, mut same_as_theirs) = (true, true);
    for (position, other) in positions.iter_mut().zip(b.positions) {
        same_as_mine &= *position >= other;
        same_as_theirs &= *position <= other;
        *position = other.max(*position);
    }
    match (same_as_mine, same_as_theirs) {
        (true, _) => mine.clone(),
        (false, true) => theirs.clone(),
        (false, false) => Rc::new(Node::Leaf(Leaf { number: a.number, positions })),
    }
}

fn join_below(whole: &Rc<Node>, branch: &Branch, part: &Rc<Node>) -> Rc<Node> {
    match part.number() & branch.bit {
        0 => rebuilt(whole, branch, join(&branch.low, part), branch.high.clone()),
        _ => rebuilt(whole, branch, branch.low.clone(), join(&branch.high, part)),
    }
}

fn rebuilt(old: &Rc<Node>, branch: &Branch, low: Rc<Node>, high: Rc<Node>) -> Rc<Node> {
    if Rc::ptr_eq(&low, &branch.low) && Rc::ptr_eq(&high, &branch.high) {
        return old.clone();
    }
    Rc::new(Node::Branch(Branch { bit: branch.bit, prefix: branch.prefix, low, high }))
}

fn apart((one, first): (&Rc<Node>, u32), (other, second): (&Rc<Node>, u32)) -> Rc<Node> {
    let bit = 1 << (first ^ second).ilog2();
    let (low, high) = if first < second { (one, other) } else { (other, one) };
    let prefix = first & !(bit | (bit - 1));
    Rc::new(Node::Branch(Branch { bit, prefix, low: low.clone(), high: high.clone() }))
}

/// Some of the columns that are asked for, from place `begin` on.
#[derive(Clone, Copy)]
struct Columns<'c> {
    columns: &'c [u32],
    begin: usize,
}

impl Columns<'_> {
    /// Those before the block, and the others.
    fn split(self, number: u32) -> (Self, Self) {
        let (low, high) =
            self.columns.split_at(self.columns.partition_point(|column| column / BLOCK < number));
        let begin = self.begin + low.len();
        (Self { columns: low, ..self }, Self { columns: high, begin })
    }
}

fn newer(
    mine: &Rc<Node>,
    than: Option<&Rc<Node>>,
    asked: Columns<'_>,
    visit: &mut impl FnMut(usize, u32) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if asked.columns.is_empty() || than.is_some_and(|than| Rc::ptr_eq(mine, than)) {
        return ControlFlow::Continue(());
    }
    // What lies beside this tree does not matter.
    let mut than = than;
    while let Some(Node::Branch(theirs)) = than.map(|than| &**than)
        && theirs.bit > mine.bit()
    {
        than = theirs.holds(mine.number()).then(|| match mine.number() & theirs.bit {
            0 => &theirs.low,
            _ => &theirs.high,
        });
        if than.is_some_and(|than| Rc::ptr_eq(mine, than)) {
            return ControlFlow::Continue(());
        }
    }
    match &**mine {
        Node::Leaf(leaf) => newer_in(leaf, than.map(|than| &**than), asked, visit),
        Node::Branch(branch) => {
            let (low, high) = asked.split(branch.prefix | branch.bit);
            let (than_low, than_high) = match than.map(|than| (than, &**than)) {
                Some((_, Node::Branch(theirs)))
                    if (theirs.bit, theirs.prefix) == (branch.bit, branch.prefix) =>
                {
                    (Some(&theirs.low), Some(&theirs.high))
                }
                Some((than, node)) if branch.holds(node.number()) => match node.number() & branch.bit {
                    0 => (Some(than), None),
                    _ => (None, Some(than)),
                },
                _ => (None, None),
            };
            newer(&branch.low, than_low, low, visit)?;
            newer(&branch.high, than_high, high, visit)
        }
    }
}

fn newer_in(
    leaf: &Leaf,
    than: Option<&Node>,
    asked: Columns<'_>,
    visit: &mut impl FnMut(usize, u32) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let theirs = match than {
        Some(Node::Leaf(theirs)) if theirs.number == leaf.number => Some(&theirs.positions),
        _ => None,
    };
    // A tree of one leaf may be asked for columns of any block.
    let (_, here) = asked.split(leaf.number);
    for (place, column) in here.columns.iter().enumerate() {
        if column / BLOCK != leaf.number {
            break;
        }
        let at = (column % BLOCK) as usize;
        if leaf.positions[at] > theirs.map_or(0, |theirs| theirs[at]) {
            visit(here.begin + place, leaf.positions[at])?;
        }
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn clock(known: &[(u32, u32)]) -> Clock {
        let mut clock = Clock::default();
        known.iter().for_each(|(column, position)| clock.set(*column, *position));
        clock
    }

    #[test]
    fn a_joined_clock_knows_what_both_knew_and_changes_neither() {
        let mine = clock(&[(700, 3), (0, 5), (64, 1)]);
        let theirs = clock(&[(1, 2), (0, 4), (65, 9), (90_000, 7)]);
        let mut both = mine.clone();
        both.join(&theirs);
        both.set(0, 6);
        let columns = [0, 1, 64, 65, 66, 700, 90_000, 200_000];
        assert_eq!(columns.map(|column| both.get(column)), [6, 2, 1, 9, 0, 3, 7, 0]);
        assert_eq!(columns.map(|column| mine.get(column)), [5, 0, 1, 0, 0, 3, 0, 0]);
        assert_eq!(columns.map(|column| theirs.get(column)), [4, 2, 0, 9, 0, 0, 7, 0]);
    }

    #[test]
    fn joining_what_is_known_already_keeps_the_branches_shared() {
        let old = clock(&[(1, 1), (100, 1), (5_000, 1)]);
        let mut new = old.clone();
        new.set(5_000, 2);
        let mut joined = old.clone();
        joined.join(&new);
        let is_same = |a: &Clock, b: &Clock| Rc::ptr_eq(a.root.as_ref().unwrap(), b.root.as_ref().unwrap());
        assert!(is_same(&joined, &new));
        joined.join(&old);
        assert!(is_same(&joined, &new));
    }

    #[test]
    fn clocks_are_maps_with_the_greater_position() {
        type Plain = BTreeMap<u32, u32>;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut clocks: Vec<(Clock, Plain)> = vec![Default::default(); 6];
        for round in 0..20_000 {
            let width = [40, 300, 5_000][round / 100 % 3];
            let (one, other) = (rng.random_range(0..6), rng.random_range(0..6));
            match rng.random_range(0..8) {
                0 => clocks[one] = Default::default(),
                1..4 => {
                    let (clock, plain) = clocks[other].clone();
                    clocks[one].0.join(&clock);
                    for (column, position) in plain {
                        let known = clocks[one].1.entry(column).or_insert(0);
                        *known = position.max(*known);
                    }
                }
                _ => {
                    let column = rng.random_range(0..width);
                    let position = clocks[one].0.get(column) + rng.random_range(1..3);
                    clocks[one].0.set(column, position);
                    clocks[one].1.insert(column, position);
                }
            }
            let columns: Vec<u32> = (0..width).filter(|_| rng.random_range(0..3) == 0).collect();
            let known = |which: usize, column: u32| clocks[which].1.get(&column).copied().unwrap_or(0);
            let mut found = Vec::new();
            let _ = clocks[one].0.newer(&clocks[other].0, &columns, &mut |place, position| {
                found.push((columns[place], position));
                ControlFlow::Continue(())
            });
            let newer = |column: &&u32| known(one, **column) > known(other, **column);
            let expected: Vec<(u32, u32)> =
                columns.iter().filter(newer).map(|column| (*column, known(one, *column))).collect();
            assert_eq!(found, expected, "round {round}");
            assert!(columns.iter().all(|column| clocks[one].0.get(*column) == known(one, *column)));
        }
    }
}
