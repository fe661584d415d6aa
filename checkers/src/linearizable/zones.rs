//! The zone test: near-linear, exact for registers on which each state has one known writer.
//!
//! ```text
//!   c0  |-w5-|                     cluster of 5: must reach from the end of w5 to the start of r5
//!   c1         |-w6-|              cluster of 6: one point within w6 is enough
//!   c2                 |-r5-|
//!            └─ 5 ─────┘           6 has to fit inside 5, and clusters cannot overlap: broken
//! ```
//!
//! In a legal order all calls of a cluster stand together. Its *zone* runs from the earliest end to
//! the latest start of its calls. If that is forward, the cluster covers it; if backward, all its
//! calls share that span and any one point of it will do. Two clusters *a* and *b* exclude each other
//! iff the earliest end of each is before the latest start of the other: two forward zones that
//! overlap, or a backward one inside a forward one. There is a legal order iff no two do and no read
//! ends before its write begins.
//!
//! Compare-and-set binds clusters together: what it made follows directly on what it found. Such a
//! *chain* is one cluster for the test above once its own order agrees with time: no call on a later
//! state of the chain may end before a call on an earlier state begins. (Clip each interval to the
//! chain's zone and place each call at the latest start of those up to it: that needs no more.)
//!
//! Intervals are closed: [1, 2] and [2, 3] are concurrent. O(n log n).
//! Source: Gibbons & Korach, Testing Shared Memories, SIAM J. Comput. 1997, §4 (with read-modify-write).

use crate::linearizable::register::{Access, ClusterNumber, Register};

/// Why a register has no legal order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conflict {
    /// The read ended before its write began.
    FromTheFuture { read: Access, writer: Access },
    /// Both changed the same state, and the second must have found what the first made.
    TwoSwaps { first: Access, second: Access },
    /// Each found what the one before made, all around.
    SwapCycle { swaps: Vec<Access> },
    /// `stale` saw a state that `swap` had replaced, after `fresh` had shown a later one.
    Stale { stale: Access, swap: Access, fresh: Access },
    /// Neither can come before the other: see [`Overlap`].
    Overlap(Overlap),
}

/// `outer_first` ended before `inner_last` began and `inner_first` ended before `outer_last` began;
/// the outer ones are of one cluster or chain, the inner ones of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    /// None if it is the initial state, which is before everything.
    pub(super) outer_first: Option<Access>,
    pub(super) outer_last: Access,
    pub(super) inner_first: Access,
    pub(super) inner_last: Access,
}

impl Conflict {
    /// The calls that take part, each once.
    pub(super) fn accesses(&self) -> Vec<Access> {
        let mut accesses = match self {
            Self::FromTheFuture { read, writer } => vec![*read, *writer],
            Self::TwoSwaps { first, second } => vec![*first, *second],
            Self::SwapCycle { swaps } => swaps.clone(),
            Self::Stale { stale, swap, fresh } => vec![*stale, *swap, *fresh],
            Self::Overlap(overlap) => {
                let Overlap { outer_first, outer_last, inner_first, inner_last } = *overlap;
                outer_first.into_iter().chain([outer_last, inner_first, inner_last]).collect()
            }
        };
        accesses.sort_unstable_by_key(|access| access.at);
        accesses.dedup();
        accesses
    }

    // Fewest operations, then shortest time, then the first.
    fn simplicity(&self) -> (usize, u64, u64) {
        let accesses = self.accesses();
        let begin = accesses.iter().map(|access| access.invoked).min().unwrap_or(0);
        let end = accesses.iter().map(|access| access.completed).filter(|end| *end < u64::MAX).max();
        (accesses.len(), end.unwrap_or(begin).saturating_sub(begin), begin)
    }
}

/// The simplest reason why no order explains the register; none if one does.
pub(super) fn test(register: &Register) -> Option<Conflict> {
    let chains = match Chains::new(register) {
        Ok(chains) => chains,
        Err(conflict) => return Some(*conflict),
    };
    let mut conflicts = Vec::new();
    let mut zones = Vec::new();
    for chain in chains.iter() {
        let calls: Vec<&[Access]> = chain.iter().map(|cluster| register.cluster(*cluster)).collect();
        conflicts.extend(calls.iter().filter_map(|cluster| from_the_future(cluster)));
        conflicts.extend(stale(&calls));
        zones.extend(Zone::new(&calls, chain[0] == 0));
    }
    if conflicts.is_empty() {
        conflicts = overlaps(&mut zones);
    }
    conflicts.into_iter().min_by_key(Conflict::simplicity)
}

/// Clusters in the order in which compare-and-set made them from each other.
struct Chains {
    clusters: Vec<ClusterNumber>,
    begins: Vec<usize>,
}

impl Chains {
    fn new(register: &Register) -> Result<Self, Box<Conflict>> {
        let mut swaps = register.swaps.clone();
        swaps.sort_unstable();
        for pair in swaps.windows(2) {
            if pair[0].0 == pair[1].0 {
                let [first, second] = [pair[0].1, pair[1].1].map(|made| written(register, made));
                return Err(Box::new(Conflict::TwoSwaps { first, second }));
            }
        }
        let mut made: Vec<ClusterNumber> = swaps.iter().map(|(_, to)| *to).collect();
        made.sort_unstable();
        let mut chains = Self { clusters: Vec::new(), begins: Vec::new() };
        let mut numbers: Vec<ClusterNumber> = register.accesses.iter().map(|access| access.cluster).collect();
        numbers.push(0);
        numbers.sort_unstable();
        numbers.dedup();
        for head in numbers.iter().filter(|number| made.binary_search(number).is_err()) {
            chains.follow(*head, &swaps);
        }
        match chains.clusters.len() == numbers.len() {
            true => Ok(chains),
            false => Err(Box::new(cycle(register, &swaps, &chains))),
        }
    }

    fn follow(&mut self, head: ClusterNumber, swaps: &[(ClusterNumber, ClusterNumber)]) {
        self.begins.push(self.clusters.len());
        let mut at = Some(head);
        while let Some(cluster) = at {
            self.clusters.push(cluster);
            at = next(swaps, cluster);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[ClusterNumber]> {
        let ends = self.begins.iter().skip(1).copied().chain([self.clusters.len()]);
        self.begins.iter().zip(ends).map(|(begin, end)| &self.clusters[*begin..end])
    }
}

fn next(swaps: &[(ClusterNumber, ClusterNumber)], from: ClusterNumber) -> Option<ClusterNumber> {
    let index = swaps.partition_point(|(found, _)| *found < from);
    swaps.get(index).filter(|(found, _)| *found == from).map(|(_, made)| *made)
}

// What no head leads to is made of cycles, for each state is found at most once.
fn cycle(register: &Register, swaps: &[(ClusterNumber, ClusterNumber)], chains: &Chains) -> Conflict {
    let mut reached = chains.clusters.clone();
    reached.sort_unstable();
    let begins = swaps.iter().map(|(_, to)| *to).find(|made| reached.binary_search(made).is_err());
    let begin = begins.expect("clusters that no chain reaches");
    let (mut around, mut at) = (vec![written(register, begin)], next(swaps, begin));
    while let Some(cluster) = at.filter(|cluster| *cluster != begin) {
        around.push(written(register, cluster));
        at = next(swaps, cluster);
    }
    Conflict::SwapCycle { swaps: around }
}

fn written(register: &Register, cluster: ClusterNumber) -> Access {
    register.writer(cluster).expect("a compare-and-set wrote this cluster")
}

fn from_the_future(cluster: &[Access]) -> Option<Conflict> {
    let (writer, reads) = cluster.split_first().filter(|(writer, _)| !writer.is_read)?;
    let read = reads.iter().filter(|read| read.completed < writer.invoked).min_by_key(|read| read.at)?;
    Some(Conflict::FromTheFuture { read: *read, writer: *writer })
}

// From the last state back: has any call on a later state ended before this one began?
fn stale(chain: &[&[Access]]) -> Option<Conflict> {
    let mut earliest: Option<Access> = None;
    let mut simplest: Option<Conflict> = None;
    for (index, cluster) in chain.iter().enumerate().rev() {
        if let Some(swap) = chain.get(index + 1).and_then(|next| next.first()).copied() {
            let late = |after: Access| cluster.iter().find(move |access| after.completed < access.invoked);
            // The swap itself makes the shorter story; but a read may have shown its value earlier.
            let found = late(swap).map(|stale| (*stale, swap)).or_else(|| {
                let fresh = earliest?;
                late(fresh).map(|stale| (*stale, fresh))
            });
            if let Some((stale, fresh)) = found {
                let conflict = Conflict::Stale { stale, swap, fresh };
                if simplest.as_ref().is_none_or(|other| conflict.simplicity() < other.simplicity()) {
                    simplest = Some(conflict);
                }
            }
        }
        let first = cluster.iter().min_by_key(|access| access.completed).copied();
        earliest = [earliest, first].into_iter().flatten().min_by_key(|access| access.completed);
    }
    simplest
}

/// The calls of one chain and its zone.
struct Zone<'r> {
    chain: Vec<&'r [Access]>,
    is_initial: bool,
    earliest_end: u64,
    latest_start: u64,
}

impl<'r> Zone<'r> {
    fn new(chain: &[&'r [Access]], is_initial: bool) -> Option<Self> {
        let calls = || chain.iter().flat_map(|cluster| cluster.iter());
        let latest_start = calls().map(|access| access.invoked).max()?;
        let earliest_end =
            if is_initial { 0 } else { calls().map(|access| access.completed).min().unwrap_or(0) };
        Some(Self { chain: chain.to_vec(), is_initial, earliest_end, latest_start })
    }

    fn is_forward(&self) -> bool {
        self.earliest_end < self.latest_start
    }

    fn calls(&self) -> impl Iterator<Item = &'r Access> {
        self.chain.iter().flat_map(|cluster| cluster.iter())
    }

    fn excludes(&self, other: &Self) -> bool {
        self.earliest_end < other.latest_start && other.earliest_end < self.latest_start
    }

    // One call that stands for both ends of the inner cluster makes the shorter story.
    fn overlap(&self, inner: &Self) -> Conflict {
        let both = inner
            .calls()
            .find(|access| self.earliest_end < access.invoked && access.completed < self.latest_start);
        let first = |zone: &Self| zone.calls().min_by_key(|access| (access.completed, access.at)).copied();
        let last = |zone: &Self| zone.calls().max_by_key(|access| access.invoked).copied();
        let inner_first = both.copied().or_else(|| first(inner)).expect("a zone has calls");
        let inner_last = both.copied().or_else(|| last(inner)).expect("a zone has calls");
        // The write itself where it will do, and the first read that will do.
        let outer_first = match self.is_initial {
            true => None,
            false => self.calls().find(|access| access.completed < inner_last.invoked).copied(),
        };
        let late = self.calls().filter(|access| inner_first.completed < access.invoked);
        let outer_last = *late.min_by_key(|access| (access.invoked, access.at)).expect("zones that overlap");
        Conflict::Overlap(Overlap { outer_first, outer_last, inner_first, inner_last })
    }
}

// At least one conflict for each zone that has any; not every pair.
fn overlaps(zones: &mut [Zone<'_>]) -> Vec<Conflict> {
    zones.sort_by_key(|zone| (zone.earliest_end, zone.latest_start));
    let forward: Vec<&Zone<'_>> = zones.iter().filter(|zone| zone.is_forward()).collect();
    // Which of the forward zones up to here reaches farthest?
    let mut farthest: Vec<usize> = Vec::with_capacity(forward.len());
    let mut conflicts = Vec::new();
    for (index, zone) in forward.iter().enumerate() {
        let before = farthest.last().copied();
        if let Some(before) = before.filter(|before| forward[*before].excludes(zone)) {
            conflicts.push(forward[before].overlap(zone));
        }
        let best = before.filter(|before| forward[*before].latest_start >= zone.latest_start);
        farthest.push(best.unwrap_or(index));
    }
    for zone in zones.iter().filter(|zone| !zone.is_forward()) {
        let begun = forward.partition_point(|outer| outer.earliest_end < zone.latest_start);
        let Some(outer) = begun.checked_sub(1).map(|last| forward[farthest[last]]) else { continue };
        if outer.excludes(zone) {
            conflicts.push(outer.overlap(zone));
        }
    }
    conflicts
}
