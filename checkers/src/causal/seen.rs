//! What each confirmed read saw, as far as it can be traced to writes, and all writes of each key by
//! session.
//!
//! ```text
//!   read x → 5          made by op 3                     Saw::Made [op 3]
//!   read x → 5 | 6      siblings                         Saw::Made [op 3, op 4]
//!   read x → nothing    nobody may have deleted x        Saw::Nothing
//!   read x → nothing    op 7 or op 9 may have            Saw::Deleted: either, or never written
//!   read l → [1 2]      a list that grows by appends     Saw::Elements [op 1, op 2]
//!   read x → 5          5 was written twice              Saw::Unclear: nothing is concluded
//!   read x → [1 2]      merged from [1] and [2]          Saw::Unclear
//! ```

use histories::{MicroOp, Observed, Operation, Value};
use rustc_hash::FxHashMap;

use crate::Facts;
use crate::causal::order::NONE;
use crate::facts::{Address, KeyKind, KeyNumber, Maker};

/// What a read saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saw {
    /// Cannot be traced.
    Unclear,
    /// A value that no call can have written.
    ThinAir,
    /// The state before the first write.
    Nothing,
    /// The same, or that after any delete that began before the read ended.
    Deleted,
    /// What these made; several if siblings.
    Made { begin: u32, count: u32 },
    /// A list or set whose elements these brought, in order of their numbers.
    Elements { begin: u32, count: u32 },
}

impl Saw {
    /// True if something can be concluded from it.
    pub(crate) fn is_clear(self) -> bool {
        !matches!(self, Self::Unclear | Self::ThinAir)
    }
}

/// One confirmed read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) at: Address,
    pub(crate) key: KeyNumber,
    pub(crate) saw: Saw,
}

/// The writes of one key in one session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    pub(crate) session: u32,
    begin: u32,
    end: u32,
}

/// All reads, and all writes by key and session.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// In the order of their operations.
    pub(crate) reads: Vec<Read>,
    pool: Vec<u32>,
    /// Reader and source, for each value whose one maker is known.
    pub(crate) reads_from: Vec<(u32, u32)>,
    /// Those of them in which a compare-and-set that is a call of its own replaced what the source wrote, ascending.
    pub(crate) replaced: Vec<(u32, u32)>,
    lanes: Vec<Lane>,
    /// The column of each.
    columns: Vec<u32>,
    lanes_of: Vec<u32>,
    /// Position in its session, and the operation.
    writes: Vec<(u32, u32)>,
    deletes: Vec<Vec<u32>>,
    /// Of each list and set: what may have written the whole anew.
    overwriters: Vec<Vec<u32>>,
    /// Of each add: what may have removed its element.
    removers: FxHashMap<u32, Vec<u32>>,
}

impl Seen {
    pub(crate) fn new(facts: &Facts<'_>) -> Self {
        let keys = facts.keys().count();
        let mut seen =
            Self { deletes: vec![Vec::new(); keys], overwriters: vec![Vec::new(); keys], ..Self::default() };
        for key in facts.keys().filter(|key| facts.usage(*key).deletes > 0) {
            let deletes = facts.on_key(key).iter().filter(|at| {
                matches!(facts.micro_op(**at), MicroOp::Delete { .. }) && facts.operation(**at).is_possible()
            });
            seen.deletes[key.index()] = deletes.map(|at| at.operation.0).collect();
        }
        for key in facts.keys().filter(|key| matches!(facts.kind(*key), KeyKind::List | KeyKind::Set)) {
            seen.note_hiders(facts, key);
        }
        for operation in facts.history().operations() {
            for index in 0..operation.call.micro_ops().len() as u32 {
                seen.take(facts, Address { operation: operation.id, index });
            }
        }
        seen.reads_from.dedup();
        seen.replaced.sort_unstable();
        seen.replaced.dedup();
        seen.keep_what_happened(facts);
        seen.group_writes(facts);
        seen
    }

    /// The operations in `saw`.
    pub(crate) fn makers(&self, saw: Saw) -> &[u32] {
        match saw {
            Saw::Made { begin, count } | Saw::Elements { begin, count } => {
                &self.pool[begin as usize..(begin + count) as usize]
            }
            Saw::Unclear | Saw::ThinAir | Saw::Nothing | Saw::Deleted => &[],
        }
    }

    /// The sessions that write this key.
    pub(crate) fn lanes(&self, key: KeyNumber) -> std::ops::Range<usize> {
        self.lanes_of[key.index()] as usize..self.lanes_of[key.index() + 1] as usize
    }

    /// The columns of these in a clock; those of one key ascend.
    pub(crate) fn columns(&self, lanes: std::ops::Range<usize>) -> &[u32] {
        &self.columns[lanes]
    }

    /// One of them.
    pub(crate) fn lane(&self, lane: usize) -> Lane {
        self.lanes[lane]
    }

    /// Its writes: position in the session, and the operation; in program order.
    pub(crate) fn writes(&self, lane: usize) -> &[(u32, u32)] {
        let Lane { begin, end, .. } = self.lanes[lane];
        &self.writes[begin as usize..end as usize]
    }

    /// The writes that `session` made on `key`.
    pub(crate) fn writes_of(&self, key: KeyNumber, session: u32) -> &[(u32, u32)] {
        let lanes = self.lanes(key);
        let place = self.lanes[lanes.clone()].binary_search_by_key(&session, |lane| lane.session);
        place.map_or(&[], |place| self.writes(lanes.start + place))
    }

    /// The writes that would explain why a read did not show `write`, unless each is known to come
    /// before it: what was read, or what may have overwritten it.
    pub(crate) fn excuses(&self, facts: &Facts<'_>, read: &Read, write: u32) -> Vec<u32> {
        match read.saw {
            Saw::Made { .. } => self.makers(read.saw).to_vec(),
            Saw::Deleted => self.deletes_before(facts, read).to_vec(),
            Saw::Elements { .. } => self.hiders(facts, read, write),
            Saw::Unclear | Saw::ThinAir | Saw::Nothing => Vec::new(),
        }
    }

    // An element may be gone because it was removed, or because the whole was written anew.
    fn hiders(&self, facts: &Facts<'_>, read: &Read, write: u32) -> Vec<u32> {
        let ended = facts.operation(read.at).completed;
        let is_begun =
            |id: &u32| ended.is_none_or(|ended| facts.history().operations()[*id as usize].invoked <= ended);
        let removers = self.removers.get(&write).map_or(&[][..], Vec::as_slice);
        let hiders = self.overwriters[read.key.index()].iter().chain(removers);
        hiders.copied().filter(is_begun).collect()
    }

    fn note_hiders(&mut self, facts: &Facts<'_>, key: KeyNumber) {
        let mut removed: FxHashMap<&Value, Vec<u32>> = FxHashMap::default();
        for at in facts.on_key(key).iter().filter(|at| facts.operation(**at).is_possible()) {
            match facts.micro_op(*at) {
                MicroOp::Write { .. } | MicroOp::CompareAndSet { .. } | MicroOp::Delete { .. } => {
                    self.overwriters[key.index()].push(at.operation.0);
                }
                MicroOp::Remove { element, .. } => removed.entry(element).or_default().push(at.operation.0),
                _ => {}
            }
        }
        for at in facts.on_key(key) {
            if let MicroOp::Add { element, .. } | MicroOp::Append { element, .. } = facts.micro_op(*at)
                && let Some(removers) = removed.get(element)
            {
                self.removers.insert(at.operation.0, removers.clone());
            }
        }
    }

    /// The deletes of the key that may have happened before the read ended.
    pub(crate) fn deletes_before(&self, facts: &Facts<'_>, read: &Read) -> &[u32] {
        let deletes = &self.deletes[read.key.index()];
        let ended = facts.operation(read.at).completed;
        let is_begun =
            |id: &u32| ended.is_none_or(|ended| facts.history().operations()[*id as usize].invoked <= ended);
        &deletes[..deletes.partition_point(is_begun)]
    }

    // What an unknown compare-and-set expected was there if somebody saw what it made.
    fn keep_what_happened(&mut self, facts: &Facts<'_>) {
        let operations = facts.history().operations();
        let mut happened: Vec<bool> = operations.iter().map(Operation::is_confirmed).collect();
        if self.reads_from.iter().all(|(reader, _)| happened[*reader as usize]) {
            return;
        }
        let mut open: Vec<u32> = (0..operations.len() as u32).filter(|id| happened[*id as usize]).collect();
        while let Some(reader) = open.pop() {
            let begin = self.reads_from.partition_point(|(other, _)| *other < reader);
            for (_, source) in self.reads_from[begin..].iter().take_while(|(other, _)| *other == reader) {
                if !std::mem::replace(&mut happened[*source as usize], true) {
                    open.push(*source);
                }
            }
        }
        self.reads_from.retain(|(reader, _)| happened[*reader as usize]);
        self.replaced.retain(|(reader, _)| happened[*reader as usize]);
    }

    fn take(&mut self, facts: &Facts<'_>, at: Address) {
        let operation = facts.operation(at);
        if operation.outcome.is_failed() {
            return;
        }
        let key = facts.key_of(at);
        match facts.micro_op(at) {
            MicroOp::CompareAndSet { .. } if facts.kind(key) == KeyKind::Register => {
                let before = self.reads_from.len();
                for maker in facts.expected(at) {
                    self.read_from(at, *maker);
                }
                if operation.call.micro_ops().len() == 1 {
                    self.replaced.extend_from_slice(&self.reads_from[before..]);
                }
            }
            MicroOp::Read { .. } => {
                let Some(observed) = facts.observed(at) else { return };
                // What the transaction itself wrote before is no news of others.
                let before = &operation.call.micro_ops()[..at.index as usize];
                if before.iter().any(|other| !other.is_read() && other.key() == facts.key(key)) {
                    return;
                }
                let saw = self.trace(facts, at, observed);
                self.reads.push(Read { at, key, saw });
            }
            _ => {}
        }
    }

    fn trace(&mut self, facts: &Facts<'_>, at: Address, observed: &Observed) -> Saw {
        let key = facts.key_of(at);
        match facts.kind(key) {
            KeyKind::Register if observed.is_absent() => self.trace_absent(facts, at, observed),
            KeyKind::Register => self.trace_values(facts, at, observed),
            KeyKind::List | KeyKind::Set => self.trace_elements(facts, at, observed),
            KeyKind::Counter | KeyKind::Queue | KeyKind::Stack | KeyKind::Mixed => Saw::Unclear,
        }
    }

    fn trace_absent(&mut self, facts: &Facts<'_>, at: Address, observed: &Observed) -> Saw {
        let key = facts.key_of(at);
        if let Some(version) = observed.versions.first()
            && let Maker::One(maker) = facts.version_maker(key, version)
            && matches!(facts.micro_op(maker), MicroOp::Delete { .. })
        {
            self.read_from(at, Maker::One(maker));
            return self.made(&[maker.operation.0]);
        }
        let read = Read { at, key, saw: Saw::Deleted };
        match self.deletes_before(facts, &read) {
            [] => Saw::Nothing,
            _ => Saw::Deleted,
        }
    }

    fn trace_values(&mut self, facts: &Facts<'_>, at: Address, observed: &Observed) -> Saw {
        let key = facts.key_of(at);
        let mut makers: Vec<u32> = Vec::with_capacity(observed.values.len());
        let mut unclear = None;
        for (value, maker) in observed.values.iter().zip(facts.seen(at)) {
            self.read_from(at, *maker);
            match maker {
                Maker::One(maker) => makers.push(maker.operation.0),
                // Nothing was stored there yet, for all that anybody knows.
                Maker::Nobody if facts.is_blank(key, value) => return self.trace_absent(facts, at, observed),
                Maker::Nobody if is_merged(facts, key, value) => unclear = unclear.or(Some(Saw::Unclear)),
                Maker::Nobody => unclear = Some(Saw::ThinAir),
                Maker::Several { .. } => unclear = unclear.or(Some(Saw::Unclear)),
            }
        }
        unclear.unwrap_or_else(|| self.made(&makers))
    }

    fn trace_elements(&mut self, facts: &Facts<'_>, at: Address, observed: &Observed) -> Saw {
        if observed.values.len() > 1 {
            return Saw::Unclear;
        }
        let Some(elements) = observed.single().map_or(Some(&[][..]), Value::as_list) else {
            return Saw::Unclear;
        };
        let begin = self.pool.len();
        for element in elements {
            let maker = facts.element_maker(facts.key_of(at), element);
            self.read_from(at, maker);
            // One of several makers at least; whichever it was, no other is missed.
            let Some(maker) = maker.one() else {
                self.pool.truncate(begin);
                return Saw::Unclear;
            };
            self.pool.push(maker.operation.0);
        }
        self.pool[begin..].sort_unstable();
        Saw::Elements { begin: begin as u32, count: (self.pool.len() - begin) as u32 }
    }

    fn made(&mut self, makers: &[u32]) -> Saw {
        let begin = self.pool.len() as u32;
        self.pool.extend_from_slice(makers);
        Saw::Made { begin, count: makers.len() as u32 }
    }

    fn read_from(&mut self, at: Address, maker: Maker) {
        if let Maker::One(maker) = maker
            && maker.operation != at.operation
        {
            self.reads_from.push((at.operation.0, maker.operation.0));
        }
    }

    fn group_writes(&mut self, facts: &Facts<'_>) {
        let columns = columns(facts);
        let mut place = vec![(0_u32, 0_u32); facts.history().operations().len()];
        for (number, (_, ids)) in facts.sessions().enumerate() {
            for (index, id) in ids.iter().enumerate() {
                place[id.index()] = (number as u32, index as u32 + 1);
            }
        }
        self.lanes_of.push(0);
        let mut here: Vec<(u32, u32, u32)> = Vec::new();
        for key in facts.keys() {
            here.clear();
            let writes = facts
                .on_key(key)
                .iter()
                .filter(|at| !facts.micro_op(**at).is_read() && facts.operation(**at).is_possible());
            here.extend(writes.map(|at| {
                let (session, position) = place[at.operation.index()];
                (session, position, at.operation.0)
            }));
            here.sort_unstable();
            here.dedup();
            let column = |session: u32| columns[session as usize];
            for lane in here.chunk_by(|a, b| a.0 == b.0) {
                let begin = self.writes.len() as u32;
                self.writes.extend(lane.iter().map(|(_, position, id)| (*position, *id)));
                let (session, end) = (lane[0].0, self.writes.len() as u32);
                self.lanes.push(Lane { session, begin, end });
                self.columns.push(column(session));
            }
            self.lanes_of.push(self.lanes.len() as u32);
        }
    }
}

// A store may merge lists: then each element was brought by somebody, and the whole written by nobody.
fn is_merged(facts: &Facts<'_>, key: KeyNumber, value: &Value) -> bool {
    value.as_list().is_some_and(|elements| {
        elements.iter().all(|element| facts.element_maker(key, element) != Maker::Nobody)
    })
}

/// Each session's column in a clock; [`NONE`] for those that write nothing.
pub(crate) fn columns(facts: &Facts<'_>) -> Vec<u32> {
    let mut next = 0;
    let columns = facts.sessions().map(|(_, ids)| {
        let writes = ids.iter().any(|id| !facts.history().operation(*id).call.is_read_only());
        let column = if writes { next } else { NONE };
        next += u32::from(writes);
        column
    });
    columns.collect()
}

/// The element that `write` brought to a list or set; none if it wrote the whole.
pub(crate) fn brought<'h>(facts: &Facts<'h>, key: KeyNumber, write: u32) -> Option<&'h Value> {
    facts.history().operations()[write as usize].call.micro_ops().iter().find_map(|micro_op| match micro_op {
        MicroOp::Append { key: on, element } | MicroOp::Add { key: on, element } if on == facts.key(key) => {
            Some(element)
        }
        _ => None,
    })
}
