//! Who wrote what each read saw, and the reads that nothing can explain, whatever the order.
//!
//! ```text
//!   nobody wrote it                      thin-air read
//!   an aborted transaction wrote it      aborted read (G1a)
//!   it was overwritten where it was made intermediate read (G1b)
//!   its own transaction writes it later  future read
//!   its own transaction wrote another    internal
//! ```
//!
//! Key by key, so that the values looked for stay in the processor's cache, and the keys of a quarter of the
//! table at a time, so that the room for them stays small; one thread looks at one half of the keys, and one
//! at the other. O(n).
//!
//! A transaction of unknown outcome happened if one that happened read from it; else it says nothing.

use histories::compact::{TxnId, TxnStatus, TxnTable};
use histories::threads::{Slots, in_halves};

/// Not a read, or one that says nothing: of an own write, of a value that several wrote.
pub(crate) const NONE: u32 = u32::MAX - 1;
/// The read saw that nothing was there yet.
pub(crate) const INITIAL: u32 = u32::MAX;

/// Ways in which a read cannot be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FlawKind {
    ThinAir,
    Aborted,
    Intermediate,
    Future,
    Internal,
}

/// A read that cannot be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flaw {
    pub(crate) kind: FlawKind,
    pub(crate) reader: u32,
    /// The place of the read.
    pub(crate) place: u32,
    /// Who wrote what it saw.
    pub(crate) writer: Option<u32>,
}

/// Who wrote what each read saw.
#[derive(Debug)]
pub(crate) struct Sources {
    /// For each micro-op: a transaction, [`INITIAL`] or [`NONE`].
    pub(crate) of: Vec<u32>,
    /// For each transaction: did it happen, as far as anybody can know?
    pub(crate) happened: Vec<bool>,
    pub(crate) flaws: Vec<Flaw>,
    /// Reads of values that were written more than once, each with its transaction, by key.
    pub(crate) ambiguous_at: Vec<(u32, u32)>,
}

/// In how many parts the keys are looked at, about.
const PARTS: usize = 4;
/// Micro-ops on the keys that are looked at together, at least.
const AT_ONCE_MIN: usize = 1 << 20;
const WRITE: u32 = 1 << 31;

#[derive(Clone, Copy, Default)]
struct Record {
    value: i64,
    place: u32,
    /// With [`WRITE`] on top.
    txn: u32,
}

impl Record {
    fn is_write(self) -> bool {
        self.txn & WRITE != 0
    }

    fn txn(self) -> u32 {
        self.txn & !WRITE
    }
}

impl Sources {
    pub(crate) fn new(table: &TxnTable) -> Self {
        let of = Slots::new(table.micro_op_count(), NONE);
        let batches = batches(table);
        let traced = in_halves(table.micro_op_count(), &batches, |batches| {
            let mut trace = Trace { table, of: &of, flaws: Vec::new(), ambiguous_at: Vec::new() };
            batches.iter().for_each(|batch| trace.follow(batch));
            (trace.flaws, trace.ambiguous_at)
        });
        let [(mut flaws, mut ambiguous_at), (more_flaws, more_ambiguous)] = traced;
        flaws.extend(more_flaws);
        ambiguous_at.extend(more_ambiguous);
        let mut sources = Self { of: of.into_numbers(), happened: Vec::new(), flaws, ambiguous_at };
        sources.find_what_happened(table);
        sources
    }

    fn find_what_happened(&mut self, table: &TxnTable) {
        self.happened = table.transactions().map(|txn| table.status(txn) == TxnStatus::Committed).collect();
        let happened: Vec<u32> = (0..table.len() as u32).filter(|txn| self.happened[*txn as usize]).collect();
        if happened.len() < table.len() {
            self.spread(table, happened);
        }
        self.flaws.retain(|flaw| self.happened[flaw.reader as usize]);
        self.flaws.sort_unstable();
    }

    // What was seen happened, and so did what that had seen.
    fn spread(&mut self, table: &TxnTable, mut happened: Vec<u32>) {
        while let Some(txn) = happened.pop() {
            for place in table.range(TxnId(txn)) {
                let source = self.of[place];
                if source < NONE && !self.happened[source as usize] {
                    self.happened[source as usize] = true;
                    happened.push(source);
                }
            }
        }
        for txn in table.transactions().filter(|txn| !self.happened[txn.index()]) {
            self.of[table.range(txn)].fill(NONE);
        }
    }
}

/// Finds who wrote what was read of some of the keys.
struct Trace<'t> {
    table: &'t TxnTable,
    /// [`Sources::of`].
    of: &'t Slots,
    flaws: Vec<Flaw>,
    ambiguous_at: Vec<(u32, u32)>,
}

impl Trace<'_> {
    fn follow(&mut self, batch: &Batch) {
        let (first, records) = collect(self.table, batch);
        let mut writers = Writers::default();
        for of_key in first.windows(2).map(|ends| &records[ends[0] as usize..ends[1] as usize]) {
            writers.fill(of_key);
            self.trace(of_key, &writers);
        }
    }

    fn trace(&mut self, records: &[Record], writers: &Writers) {
        let mut own: Option<(u32, i64)> = None;
        for record in records {
            let own_value = own.filter(|(txn, _)| *txn == record.txn()).map(|(_, value)| value);
            if record.is_write() {
                own = Some((record.txn(), record.value));
            } else if own_value.is_none() {
                self.of.set(record.place as usize, self.source(*record, writers));
            } else if own_value != Some(record.value) {
                self.flaw(FlawKind::Internal, *record, Some(record.txn()));
            }
        }
    }

    fn source(&mut self, record: Record, writers: &Writers) -> u32 {
        if record.value == TxnTable::NOTHING {
            return INITIAL;
        }
        let Some(writer) = writers.find(record.value) else {
            return self.flaw(FlawKind::ThinAir, record, None);
        };
        if writer.several {
            self.ambiguous_at.push((record.txn(), record.place));
            return NONE;
        }
        let txn = writer.txn;
        if txn == record.txn() {
            return self.flaw(FlawKind::Future, record, Some(txn));
        }
        match self.table.status(TxnId(txn)) {
            TxnStatus::Aborted => self.flaw(FlawKind::Aborted, record, Some(txn)),
            _ if !writer.last => self.flaw(FlawKind::Intermediate, record, Some(txn)),
            TxnStatus::Committed | TxnStatus::Unknown => txn,
        }
    }

    fn flaw(&mut self, kind: FlawKind, record: Record, writer: Option<u32>) -> u32 {
        self.flaws.push(Flaw { kind, reader: record.txn(), place: record.place, writer });
        NONE
    }
}

/// Keys that are looked at together.
struct Batch {
    low: usize,
    /// How many micro-ops there are on each.
    sizes: Vec<u32>,
}

/// All keys, in batches.
fn batches(table: &TxnTable) -> Vec<Batch> {
    let mut sizes = vec![0_u32; table.key_count()];
    for place in 0..table.micro_op_count() {
        sizes[table.key_at(place) as usize] += 1;
    }
    let at_once = table.micro_op_count().div_ceil(PARTS).max(AT_ONCE_MIN);
    let mut batches = Vec::new();
    let mut low = 0;
    while low < sizes.len() {
        let high = end_of_batch(&sizes, low, at_once);
        batches.push(Batch { low, sizes: sizes[low..high].to_vec() });
        low = high;
    }
    batches
}

fn end_of_batch(sizes: &[u32], low: usize, at_once: usize) -> usize {
    let mut sum = 0;
    let within = sizes[low..].iter().take_while(|size| {
        sum += **size as usize;
        sum <= at_once
    });
    low + within.count().max(1)
}

/// The micro-ops on these keys, sorted by key, and within a key in the order of the table.
fn collect(table: &TxnTable, Batch { low, sizes }: &Batch) -> (Vec<u32>, Vec<Record>) {
    let mut first = vec![0_u32; sizes.len() + 1];
    for (key, size) in sizes.iter().enumerate() {
        first[key + 1] = first[key] + size;
    }
    let mut records = vec![Record::default(); first[sizes.len()] as usize];
    let mut next = first.clone();
    for txn in table.transactions() {
        for (place, row) in table.range(txn).zip(table.rows(txn)) {
            let key = (row.key as usize).wrapping_sub(*low);
            if key < sizes.len() {
                let mark = if row.is_write { WRITE } else { 0 };
                let slot = &mut next[key];
                records[*slot as usize] = Record { value: row.value, place: place as u32, txn: txn.0 | mark };
                *slot += 1;
            }
        }
    }
    (first, records)
}

/// The writers of one key by value, with open addressing.
#[derive(Default)]
struct Writers {
    slots: Vec<Writer>,
    shift: u32,
}

#[derive(Clone, Copy)]
struct Writer {
    value: i64,
    txn: u32,
    /// False if its transaction wrote the key again.
    last: bool,
    /// True if the value was written more than once.
    several: bool,
}

/// Nobody writes nothing.
const EMPTY: Writer = Writer { value: TxnTable::NOTHING, txn: 0, last: false, several: false };

impl Writers {
    fn fill(&mut self, records: &[Record]) {
        let count = records.iter().filter(|record| record.is_write()).count();
        let capacity = (count * 2).next_power_of_two().max(2);
        self.slots.clear();
        self.slots.resize(capacity, EMPTY);
        self.shift = 64 - capacity.trailing_zeros();
        let mut later: Option<u32> = None;
        for record in records.iter().rev().filter(|record| record.is_write()) {
            let last = later != Some(record.txn());
            later = Some(record.txn());
            let slot = self.slot(record.value);
            let several = self.slots[slot].value == record.value;
            self.slots[slot] = Writer { value: record.value, txn: record.txn(), last, several };
        }
    }

    fn find(&self, value: i64) -> Option<Writer> {
        Some(self.slots[self.slot(value)]).filter(|writer| writer.value == value)
    }

    // Multiplied by the golden ratio, the top bits are well mixed: Knuth, vol. 3, §6.4.
    fn slot(&self, value: i64) -> usize {
        let mut slot = ((value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        while self.slots[slot].value != value && self.slots[slot].value != TxnTable::NOTHING {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        slot
    }
}
