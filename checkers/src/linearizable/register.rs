//! The calls on one register, sorted into clusters: a write and the reads that saw it.
//!
//! ```text
//!   op 0  write x 5     cluster 1: op 0, op 2
//!   op 1  write x 6     cluster 2: op 1
//!   op 2  read x -> 5
//!   op 3  read x -> nothing         cluster 0: the state before the first write
//! ```
//!
//! That needs to know who made what each read saw. Where two calls may have made it (a value that
//! was written twice, a key that was deleted), nothing is guessed: [`Sorted::Ambiguous`].

use histories::{MicroOp, Observed};

use crate::Facts;
use crate::facts::{self, Address, KeyNumber, Maker, Verb, Visit};

/// The number of a cluster: 0 for the initial state, else one more than its writer's place on the key.
pub(super) type ClusterNumber = u32;

/// One call on the register, with its interval. Times are nanoseconds since the run began plus one,
/// so that 0 is before everything; the end of a call that was never answered is `u64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) cluster: ClusterNumber,
    pub(super) is_read: bool,
    pub(super) at: Address,
    pub(super) invoked: u64,
    pub(super) completed: u64,
}

/// All calls of a register that surely happened, by cluster; in each the writer is first.
#[derive(Debug, Default)]
pub(super) struct Register {
    pub(super) accesses: Vec<Access>,
    /// Compare-and-set: the cluster it found, and the cluster it made.
    pub(super) swaps: Vec<(ClusterNumber, ClusterNumber)>,
}

/// What became of a key's calls.
#[derive(Debug)]
pub(super) enum Sorted {
    /// Each read has its one writer.
    Register(Register),
    /// Some read may have seen either of several writes.
    Ambiguous,
    /// This one saw a value that no call can have written.
    Unexplained(Address),
}

impl Register {
    /// The calls of one cluster, the writer first.
    pub(super) fn cluster(&self, number: ClusterNumber) -> &[Access] {
        let begin = self.accesses.partition_point(|access| access.cluster < number);
        let length = self.accesses[begin..].partition_point(|access| access.cluster == number);
        &self.accesses[begin..begin + length]
    }

    /// The write that made a cluster; none for the initial state.
    pub(super) fn writer(&self, number: ClusterNumber) -> Option<Access> {
        self.cluster(number).first().filter(|access| !access.is_read).copied()
    }
}

/// Sorts the calls on `key`. O(n log n).
pub(super) fn sort(facts: &Facts<'_>, key: KeyNumber) -> Sorted {
    let mut sorter = Sorter { facts, key, register: Register::default(), impossible: Vec::new() };
    for (visit, own) in facts.visits(key).iter().zip(1..) {
        if let Err(sorted) = sorter.take(visit, own) {
            return sorted;
        }
    }
    if sorter.shows_the_impossible() {
        return Sorted::Ambiguous;
    }
    sorter.drop_unseen();
    sorter.register.accesses.sort_unstable_by_key(|access| (access.cluster, access.is_read, access.at));
    Sorted::Register(sorter.register)
}

struct Sorter<'f, 'h> {
    facts: &'f Facts<'h>,
    key: KeyNumber,
    register: Register,
    /// What compare-and-sets would have made that expected a value that nobody wrote.
    impossible: Vec<ClusterNumber>,
}

impl Sorter<'_, '_> {
    /// Takes in a call; `own` is the cluster that it makes if it writes.
    fn take(&mut self, visit: &Visit, own: ClusterNumber) -> Result<(), Sorted> {
        let is_read = visit.verb == Verb::Read;
        if !visit.is_possible || is_read && !(visit.is_confirmed && visit.is_load) {
            return Ok(());
        }
        let (mut cluster, at) = (own, visit.at);
        if is_read {
            cluster = self.seen_by(visit)?;
        } else if visit.verb == Verb::CompareAndSet
            && let MicroOp::CompareAndSet { expected, .. } = self.facts.micro_op(at)
        {
            let from = self.seen(at, expected);
            // It cannot have happened; that somebody saw what it would have made is for the search.
            if let Err(Sorted::Unexplained(_)) = from
                && !visit.is_confirmed
            {
                self.impossible.push(cluster);
                return Ok(());
            }
            self.register.swaps.push((from?, cluster));
        }
        let (invoked, completed) = visit.interval();
        self.register.accesses.push(Access { cluster, is_read, at, invoked, completed });
        Ok(())
    }

    fn number(&self, writer: Address) -> ClusterNumber {
        let on_key = self.facts.on_key(self.key);
        on_key.binary_search(&writer).expect("a writer of the key is a call on it") as u32 + 1
    }

    fn seen_by(&self, read: &Visit) -> Result<ClusterNumber, Sorted> {
        match read.integer().map(|value| self.facts.integer_maker(self.key, value)) {
            Some(Maker::One(writer)) => Ok(self.number(writer)),
            _ => self.facts.observed(read.at).map_or(Ok(0), |observed| self.seen(read.at, observed)),
        }
    }

    fn seen(&self, at: Address, observed: &Observed) -> Result<ClusterNumber, Sorted> {
        let Some(value) = observed.single() else { return self.absent(at, observed) };
        let known = match self.facts.micro_op(at) {
            MicroOp::CompareAndSet { .. } => self.facts.expected(at),
            _ => self.facts.seen(at),
        };
        match known.first().copied().unwrap_or(Maker::Nobody) {
            Maker::One(writer) => Ok(self.number(writer)),
            Maker::Nobody if self.facts.is_blank(self.key, value) => self.absent(at, observed),
            Maker::Nobody => Err(Sorted::Unexplained(at)),
            Maker::Several { .. } => Err(Sorted::Ambiguous),
        }
    }

    fn absent(&self, at: Address, observed: &Observed) -> Result<ClusterNumber, Sorted> {
        if self.facts.usage(self.key).deletes == 0 {
            return Ok(0);
        }
        if let Some(version) = observed.versions.first()
            && let Maker::One(writer) = self.facts.version_maker(self.key, version)
            && matches!(self.facts.micro_op(writer), MicroOp::Delete { .. })
        {
            return Ok(self.number(writer));
        }
        let (_, completed) = interval(self.facts, at);
        let may_be_seen = |writer: &Address| {
            matches!(self.facts.micro_op(*writer), MicroOp::Delete { .. })
                && self.facts.operation(*writer).is_possible()
                && interval(self.facts, *writer).0 <= completed
        };
        match self.facts.on_key(self.key).iter().any(may_be_seen) {
            true => Err(Sorted::Ambiguous),
            false => Ok(0),
        }
    }

    fn shows_the_impossible(&self) -> bool {
        let is_impossible = |cluster: &ClusterNumber| self.impossible.binary_search(cluster).is_ok();
        self.register.accesses.iter().any(|access| is_impossible(&access.cluster))
            || self.register.swaps.iter().any(|(from, _)| is_impossible(from))
    }

    // An unknown write that nobody saw may never have happened, so it constrains nothing.
    fn drop_unseen(&mut self) {
        let clusters = self.facts.on_key(self.key).len() + 1;
        let mut found = vec![None; clusters];
        for (from, to) in &self.register.swaps {
            found[*to as usize] = Some(*from);
        }
        // What surely was there, and through compare-and-set what must have been there before it.
        let mut happened = vec![false; clusters];
        for access in &self.register.accesses {
            let mut at = (access.completed < u64::MAX).then_some(access.cluster);
            while let Some(cluster) = at.filter(|cluster| !happened[*cluster as usize]) {
                happened[cluster as usize] = true;
                at = found[cluster as usize];
            }
        }
        self.register.accesses.retain(|access| happened[access.cluster as usize]);
        self.register.swaps.retain(|(_, to)| happened[*to as usize]);
    }
}

/// [`facts::interval`] of a call.
pub(super) fn interval(facts: &Facts<'_>, at: Address) -> (u64, u64) {
    facts::interval(facts.operation(at))
}
