//! Transactions on registers as a flat table, for histories of millions of them.
//!
//! ```text
//!   transaction   0         1     2             first      0  2  3  5
//!   session       c0        c1    c0            keys       x  y! x  y  x!      (! is a write)
//!   micro-ops     r x, w y  r x   r y, w x      values     -  1  -  1  2       (- is nothing)
//! ```
//!
//! Twelve bytes a micro-op and twelve a transaction, with 16 more where times are known. Transactions of
//! one session stand in program order; those of several may stand in any order. Keys and sessions have
//! dense numbers; integers are themselves, and other values have numbers of their own.
//!
//! Reads of a value that the table cannot hold are left out, and what was left out is said in words. To
//! leave out a read, or all that touches a key, can hide an anomaly and never makes one.

mod from_history;
mod to_history;

use rustc_hash::FxHashMap;

use crate::{Key, Nanos, OperationId, SessionId, Value};

/// A transaction's place in a [`TxnTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnId(pub u32);

impl TxnId {
    /// As an index into a slice that is ordered by this number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxnStatus {
    /// It happened.
    Committed,
    /// It surely did not happen.
    Aborted,
    /// Nobody knows; what others read may tell.
    Unknown,
}

/// One micro-op of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroOpRow {
    /// The number of its key, below [`TxnTable::key_count`].
    pub key: u32,
    /// True if it writes.
    pub is_write: bool,
    /// What it writes or read; [`TxnTable::NOTHING`] if the key was absent.
    pub value: i64,
}

/// Transactions of reads and writes. Make one with a [`TxnTableBuilder`], or from a history.
#[derive(Debug, Clone)]
pub struct TxnTable {
    /// The first micro-op of each transaction; one more than there are transactions.
    first: Vec<u32>,
    /// The key of each micro-op, with [`WRITE`] on top.
    keys: Vec<u32>,
    values: Vec<i64>,
    session_of: Vec<u32>,
    status: Vec<TxnStatus>,
    sessions: Vec<SessionId>,
    /// Invocation and completion of each transaction; empty if nobody knows. Without an end: the largest.
    times: Vec<(Nanos, Nanos)>,
    /// The operation of each transaction; empty if it has the same number.
    operations: Vec<OperationId>,
    key_names: KeyNames,
    value_names: Vec<Value>,
    left_out: Vec<String>,
}

/// The top bit of a key's number: a write.
const WRITE: u32 = 1 << 31;
/// The lowest integer that is its own number; below it are numbers of other values.
const INTEGER_MIN: i64 = i64::MIN + 1 + u32::MAX as i64;

/// Keys that are called by a smaller number than this are found by it, without a hash.
const SMALL: u64 = 1 << 20;
/// No key.
const NO_KEY: u32 = u32::MAX;

#[derive(Debug, Clone, Default)]
struct KeyNames {
    /// By the number that they are called by, up to the highest below [`SMALL`].
    small: Vec<u32>,
    numbers: FxHashMap<u64, u32>,
    texts: FxHashMap<Key, u32>,
    names: Vec<KeyName>,
}

impl KeyNames {
    fn of_number(&mut self, number: u64) -> u32 {
        let Self { small, numbers, names, .. } = self;
        if number >= SMALL {
            return *numbers.entry(number).or_insert_with(|| named(names, KeyName::Number(number)));
        }
        let place = number as usize;
        if small.len() <= place {
            small.resize(place + 1, NO_KEY);
        }
        if small[place] == NO_KEY {
            small[place] = named(names, KeyName::Number(number));
        }
        small[place]
    }
}

/// Gives the next number to a key.
fn named(names: &mut Vec<KeyName>, name: KeyName) -> u32 {
    names.push(name);
    names.len() as u32 - 1
}

#[derive(Debug, Clone)]
enum KeyName {
    Number(u64),
    Text(Key),
}

impl TxnTable {
    /// What a read of an absent key returns.
    pub const NOTHING: i64 = i64::MIN;

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.session_of.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.session_of.is_empty()
    }

    /// How many micro-ops there are.
    pub fn micro_op_count(&self) -> usize {
        self.keys.len()
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.key_names.names.len()
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// All transactions, in the order of the table.
    pub fn transactions(&self) -> impl Iterator<Item = TxnId> + use<> {
        (0..self.session_of.len() as u32).map(TxnId)
    }

    /// The places of the micro-ops of a transaction, in program order.
    #[inline]
    pub fn range(&self, txn: TxnId) -> std::ops::Range<usize> {
        self.first[txn.index()] as usize..self.first[txn.index() + 1] as usize
    }

    /// The key at this place.
    #[inline]
    pub fn key_at(&self, place: usize) -> u32 {
        self.keys[place] & !WRITE
    }

    /// True if the micro-op at this place writes.
    #[inline]
    pub fn writes_at(&self, place: usize) -> bool {
        self.keys[place] & WRITE != 0
    }

    /// The micro-op at this place.
    #[inline]
    pub fn row(&self, place: usize) -> MicroOpRow {
        let key = self.keys[place];
        MicroOpRow { key: key & !WRITE, is_write: key & WRITE != 0, value: self.values[place] }
    }

    /// The micro-ops of a transaction, in program order.
    #[inline]
    pub fn rows(&self, txn: TxnId) -> impl Iterator<Item = MicroOpRow> {
        let range = self.range(txn);
        let row = |(key, value): (&u32, &i64)| MicroOpRow {
            key: key & !WRITE,
            is_write: key & WRITE != 0,
            value: *value,
        };
        self.keys[range.clone()].iter().zip(&self.values[range]).map(row)
    }

    /// The transaction of the micro-op at this place.
    pub fn txn_at(&self, place: usize) -> TxnId {
        TxnId(self.first.partition_point(|first| *first as usize <= place) as u32 - 1)
    }

    /// The dense number of a transaction's session, below [`TxnTable::session_count`].
    pub fn session_of(&self, txn: TxnId) -> u32 {
        self.session_of[txn.index()]
    }

    /// The session with this dense number.
    pub fn session(&self, number: u32) -> SessionId {
        self.sessions[number as usize]
    }

    /// How a transaction ended.
    pub fn status(&self, txn: TxnId) -> TxnStatus {
        self.status[txn.index()]
    }

    /// True if it is known when transactions began and ended.
    pub fn has_times(&self) -> bool {
        !self.times.is_empty()
    }

    /// When a transaction was asked, and when its session learned how it ended: the largest time if
    /// nobody knows. None if the table has no times.
    pub fn times(&self, txn: TxnId) -> Option<(Nanos, Nanos)> {
        self.times.get(txn.index()).copied()
    }

    /// The operation of the history that this transaction was.
    pub fn operation(&self, txn: TxnId) -> OperationId {
        self.operations.get(txn.index()).copied().unwrap_or(OperationId(txn.0))
    }

    /// The key with this number.
    pub fn key(&self, number: u32) -> Key {
        match &self.key_names.names[number as usize] {
            KeyName::Number(number) => Key::from(number.to_string()),
            KeyName::Text(key) => key.clone(),
        }
    }

    /// The value with this number; none for [`TxnTable::NOTHING`].
    pub fn value(&self, number: i64) -> Option<Value> {
        match number {
            Self::NOTHING => None,
            INTEGER_MIN.. => Some(Value::Integer(number)),
            _ => self.value_names.get((number - Self::NOTHING - 1) as usize).cloned(),
        }
    }

    /// The same transactions, each in a session of its own: for levels that promise nothing about sessions.
    #[must_use]
    pub fn without_sessions(&self) -> Self {
        let numbers = 0..self.len() as u32;
        Self {
            session_of: numbers.clone().collect(),
            sessions: numbers.map(SessionId).collect(),
            ..self.clone()
        }
    }

    /// What the table does not show of the history that it was made of, a phrase each, such as `3 keys
    /// that appends change`.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// Fills a [`TxnTable`], one transaction after another.
///
/// ```
/// use histories::SessionId;
/// use histories::compact::{TxnStatus, TxnTableBuilder};
///
/// let mut builder = TxnTableBuilder::default();
/// let x = builder.key_of_number(17);
/// builder.begin(SessionId(0));
/// builder.read(x, None);
/// builder.write(x, 1);
/// builder.end(TxnStatus::Committed);
/// let table = builder.finish();
/// assert_eq!((table.len(), table.micro_op_count(), table.key(x).as_str()), (1, 2, "17"));
/// ```
#[derive(Debug)]
pub struct TxnTableBuilder {
    table: TxnTable,
    session_numbers: FxHashMap<SessionId, u32>,
    value_numbers: FxHashMap<Value, i64>,
    newest_session: Option<(SessionId, u32)>,
}

impl Default for TxnTableBuilder {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl TxnTableBuilder {
    /// An empty table with room for so many of each.
    pub fn with_capacity(transactions: usize, micro_ops: usize) -> Self {
        let mut first = Vec::with_capacity(transactions + 1);
        first.push(0);
        let table = TxnTable {
            first,
            keys: Vec::with_capacity(micro_ops),
            values: Vec::with_capacity(micro_ops),
            session_of: Vec::with_capacity(transactions),
            status: Vec::with_capacity(transactions),
            sessions: Vec::new(),
            times: Vec::new(),
            operations: Vec::new(),
            key_names: KeyNames::default(),
            value_names: Vec::new(),
            left_out: Vec::new(),
        };
        let (session_numbers, value_numbers) = (FxHashMap::default(), FxHashMap::default());
        Self { table, session_numbers, value_numbers, newest_session: None }
    }

    /// The number of a key that is called by a number.
    #[inline]
    pub fn key_of_number(&mut self, number: u64) -> u32 {
        let small = usize::try_from(number).ok().and_then(|number| self.table.key_names.small.get(number));
        match small {
            Some(known) if *known != NO_KEY => *known,
            _ => self.table.key_names.of_number(number),
        }
    }

    /// The number of a key that is called by a text.
    pub fn key_of_text(&mut self, key: &Key) -> u32 {
        let KeyNames { texts, names, .. } = &mut self.table.key_names;
        if let Some(number) = texts.get(key) {
            return *number;
        }
        let number = named(names, KeyName::Text(key.clone()));
        texts.insert(key.clone(), number);
        number
    }

    /// The number of an integer: mostly itself.
    #[inline]
    pub fn value_of_integer(&mut self, integer: i64) -> i64 {
        if integer >= INTEGER_MIN { integer } else { self.number_of_value(&Value::Integer(integer)) }
    }

    /// The number of a value.
    pub fn value_number(&mut self, value: &Value) -> i64 {
        match value.as_integer() {
            Some(integer) => self.value_of_integer(integer),
            None => self.number_of_value(value),
        }
    }

    fn number_of_value(&mut self, value: &Value) -> i64 {
        if let Some(number) = self.value_numbers.get(value) {
            return *number;
        }
        self.table.value_names.push(value.clone());
        let number = TxnTable::NOTHING + self.table.value_names.len() as i64;
        self.value_numbers.insert(value.clone(), number);
        number
    }

    /// How many micro-ops there are so far.
    pub fn micro_op_count(&self) -> usize {
        self.table.keys.len()
    }

    /// Begins the next transaction of a session.
    pub fn begin(&mut self, session: SessionId) {
        let number = match self.newest_session {
            Some((newest, number)) if newest == session => number,
            _ => self.number_of(session),
        };
        self.newest_session = Some((session, number));
        self.table.session_of.push(number);
    }

    /// The transaction reads; none if the key was absent.
    pub fn read(&mut self, key: u32, value: Option<i64>) {
        self.push(MicroOpRow { key, is_write: false, value: value.unwrap_or(TxnTable::NOTHING) });
    }

    /// The transaction writes.
    pub fn write(&mut self, key: u32, value: i64) {
        self.push(MicroOpRow { key, is_write: true, value });
    }

    /// The transaction ends, nobody knows when.
    pub fn end(&mut self, status: TxnStatus) {
        self.table.status.push(status);
        // More than 32 bits of micro-ops would be 50 GB of table.
        self.table.first.push(u32::try_from(self.table.keys.len()).unwrap_or(u32::MAX));
    }

    /// The transaction ends, and it is known from when to when it lasted.
    pub fn end_at(&mut self, status: TxnStatus, invoked: Nanos, completed: Nanos) {
        self.table.times.push((invoked, completed));
        self.end(status);
    }

    /// The table does not show this.
    pub fn leave_out(&mut self, what: impl Into<String>) {
        self.table.left_out.push(what.into());
    }

    /// The whole table.
    pub fn finish(mut self) -> TxnTable {
        if self.table.times.len() < self.table.len() {
            self.table.times.clear();
        }
        self.table
    }

    fn push(&mut self, row: MicroOpRow) {
        self.table.keys.push(if row.is_write { row.key | WRITE } else { row.key });
        self.table.values.push(row.value);
    }

    fn number_of(&mut self, session: SessionId) -> u32 {
        let sessions = &mut self.table.sessions;
        *self.session_numbers.entry(session).or_insert_with(|| {
            sessions.push(session);
            sessions.len() as u32 - 1
        })
    }
}
