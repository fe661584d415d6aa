//! Small random histories on one key and two nodes.

use std::fmt::Write as _;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a call asks; states and elements are named by numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Read(Vec<i64>),
    Write(i64),
    /// From these siblings; none if the key was absent.
    Change(Vec<i64>, i64),
    /// Puts an element behind those of the list that the session saw.
    Grow(Vec<i64>, i64),
    Append(i64),
    Add(i64),
    Remove(i64),
    Increment(i64),
    Delete,
    Enqueue(i64),
    /// And what came out; none if there was nothing.
    Dequeue(Option<i64>),
    /// A write, and the version that it was given.
    Store(i64, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Confirmed,
    Failed,
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) session: u32,
    pub(crate) node: char,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) ask: Ask,
    pub(crate) end: End,
}

impl Line {
    pub(crate) fn is_possible(&self) -> bool {
        self.end != End::Failed
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.end == End::Confirmed
    }

    pub(crate) fn precedes(&self, other: &Self) -> bool {
        self.is_confirmed() && self.to < other.from
    }

    /// True if whoever did `other` must have known of this.
    pub(crate) fn is_known_to(&self, other: &Self) -> bool {
        self.precedes(other) && (self.session == other.session || self.node == other.node)
    }
}

/// A history: lines in the order of invocation, then final reads of A and B.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) lines: Vec<Line>,
    /// What A and B say at the end.
    pub(crate) finals: Vec<Vec<i64>>,
    /// True if the key's value is one list, its elements being the numbers.
    pub(crate) is_collection: bool,
    /// True if states have versions as well.
    pub(crate) has_versions: bool,
}

impl Script {
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::from("nodes A B\n");
        for line in &self.lines {
            let Line { session, node, from, to, .. } = line;
            let _ = writeln!(out, "c{session}@{node} {from}..{to} {}", self.said(line));
        }
        out += "-- final-reads\n";
        for (node, seen) in ['A', 'B'].into_iter().zip(&self.finals) {
            let _ = writeln!(out, "c99@{node} read x -> {}", self.seen(seen));
        }
        out
    }

    fn said(&self, line: &Line) -> String {
        let state = |value: &i64| {
            if self.has_versions { format!("{value} -> ok v{value}") } else { format!("{value} -> ok") }
        };
        let confirmed = match &line.ask {
            Ask::Read(seen) => format!("read x -> {}", self.seen(seen)),
            Ask::Write(value) => format!("write x {}", state(value)),
            Ask::Change(from, value) => format!("cas x {} {}", self.seen(from), state(value)),
            Ask::Grow(from, element) => {
                let grown: Vec<i64> = from.iter().copied().chain([*element]).collect();
                format!("cas x {} {} -> ok", self.seen(from), self.seen(&grown))
            }
            Ask::Append(element) => format!("append x {element} -> ok"),
            Ask::Add(element) => format!("add x {element} -> ok"),
            Ask::Remove(element) => format!("remove x {element} -> ok"),
            Ask::Increment(by) => format!("increment x {by} -> ok"),
            Ask::Delete => "delete x -> ok".into(),
            Ask::Enqueue(element) => format!("enqueue x {element} -> ok"),
            Ask::Dequeue(element) => format!("dequeue x -> {}", self.seen(element.as_slice())),
            Ask::Store(value, version) => format!("write x {value} -> ok v{version}"),
        };
        let asked = confirmed.split(" -> ").next().unwrap();
        match line.end {
            End::Confirmed => confirmed,
            End::Failed => format!("{asked} -> failed"),
            End::Unknown => format!("{asked} -> unknown"),
        }
    }

    fn seen(&self, values: &[i64]) -> String {
        let version =
            |value: &i64| if self.has_versions { format!("{value}@v{value}") } else { value.to_string() };
        match values {
            [] => "nothing".into(),
            values if self.is_collection => {
                format!("[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            }
            values => values.iter().map(version).collect::<Vec<_>>().join(" | "),
        }
    }
}

/// Draws one history.
pub(crate) struct Draw {
    rng: ChaCha8Rng,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One to six lines; `ask` says what each asks, given its place.
    pub(crate) fn lines(&mut self, mut ask: impl FnMut(&mut Self, usize) -> Ask) -> Vec<Line> {
        let count = 1 + self.below(6);
        let mut froms: Vec<u64> = (0..count).map(|_| self.below(30) as u64).collect();
        froms.sort_unstable();
        let mut lines: Vec<Line> = Vec::new();
        for (index, from) in froms.into_iter().enumerate() {
            let ask = ask(self, index);
            let end = match self.below(10) {
                0 => End::Failed,
                1 | 2 => End::Unknown,
                _ => End::Confirmed,
            };
            let wanted = self.below(3) as u32;
            let is_busy =
                |line: &Line| line.session == wanted && (line.to >= from || line.end == End::Unknown);
            let session = if lines.iter().any(is_busy) { 10 + index as u32 } else { wanted };
            let node = if self.chance(50) { 'A' } else { 'B' };
            lines.push(Line { session, node, from, to: from + self.below(8) as u64, ask, end });
        }
        lines
    }

    /// Up to `limit` different numbers from `from`, in order.
    pub(crate) fn some_of(&mut self, from: &[i64], limit: usize) -> Vec<i64> {
        let mut some: Vec<i64> = Vec::new();
        for _ in 0..self.below(limit + 1) {
            if !from.is_empty() {
                some.push(from[self.below(from.len())]);
            }
        }
        some.sort_unstable();
        some.dedup();
        some
    }
}
