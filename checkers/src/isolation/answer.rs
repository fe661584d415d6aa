//! What is said about a level: the transactions that break it, and why.

use crate::anomaly::names;
use histories::compact::TxnId;

use super::atomic::Unrepeatable;
use super::part::Part;
use super::sources::{FlawKind, INITIAL, NONE};
use super::view::View;

/// What is known about one level.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What breaks it, the simplest first.
    pub breaches: Vec<Breach>,
    /// True if the budget ran out before all was looked at.
    pub undecided: bool,
    /// Reads that say something: each could have been one that nothing explains.
    pub reads: u64,
    /// Reads of values that were written more than once, and so say nothing.
    pub ambiguous: u64,
}

/// The budget ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecided;

/// Transactions that cannot all have been as they were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The anomaly's name.
    pub anomaly: &'static str,
    /// The transactions that show it, in the order of the table.
    pub transactions: Vec<TxnId>,
    /// The keys that matter.
    pub keys: Vec<u32>,
    /// A circle; or one edge, or none, if one read is enough.
    pub links: Vec<Link>,
    /// If there are two ways out, and each leads to a circle: the ways.
    pub choices: Vec<Choice>,
}

/// One of two orders that might have been, and the circle that it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is supposed to come first.
    pub first: TxnId,
    /// What is supposed to come later.
    pub later: TxnId,
    /// The circle.
    pub links: Vec<Link>,
}

/// One transaction must come before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// What comes first.
    pub from: TxnId,
    /// What comes later.
    pub to: TxnId,
    /// Why.
    pub why: Why,
}

/// Why one transaction must come before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// One session asked both in this order.
    Session,
    /// One had ended before the other began.
    RealTime,
    /// The later read the key as the first left it.
    Read {
        /// The key.
        key: u32,
    },
    /// A reader that is after both, or at least knows of the first, saw the key as the later left it.
    Newer {
        /// The key that both write.
        key: u32,
        /// Who saw it.
        reader: TxnId,
    },
    /// The first saw the key as it was before the later wrote it.
    Overwritten {
        /// The key.
        key: u32,
    },
    /// Both write the key, and the first was at work before the other's writes: they exclude each other.
    Apart {
        /// The key.
        key: u32,
    },
    /// Both write the key, and this order is the one supposed.
    Supposed {
        /// The key.
        key: u32,
    },
}

impl Why {
    /// The key that it is about.
    pub fn key(self) -> Option<u32> {
        match self {
            Self::Session | Self::RealTime => None,
            Self::Read { key }
            | Self::Newer { key, .. }
            | Self::Overwritten { key }
            | Self::Apart { key }
            | Self::Supposed { key } => Some(key),
        }
    }
}

impl Answer {
    pub(crate) fn of_flaws(view: &View<'_>) -> Self {
        let mut answer = Self {
            reads: view.read_count(),
            ambiguous: view.sources.ambiguous_at.len() as u64,
            ..Self::default()
        };
        for flaw in &view.sources.flaws {
            let (key, to) = (view.table.key_at(flaw.place as usize), TxnId(flaw.reader));
            let writer = flaw.writer.filter(|writer| *writer != flaw.reader).map(TxnId);
            let mut transactions: Vec<TxnId> = writer.into_iter().chain([to]).collect();
            transactions.sort_unstable();
            let links = writer.map(|from| Link { from, to, why: Why::Read { key } });
            answer.breaches.push(Breach {
                anomaly: flaw.kind.anomaly(),
                transactions,
                keys: vec![key],
                links: links.into_iter().collect(),
                choices: Vec::new(),
            });
        }
        answer
    }

    pub(crate) fn add_unrepeatable(&mut self, found: &[Unrepeatable]) {
        for Unrepeatable { reader, key, sources, .. } in found {
            let reader = TxnId(*reader);
            let writers = sources.iter().filter(|source| **source < NONE).map(|source| TxnId(*source));
            let mut transactions: Vec<TxnId> = writers.chain([reader]).collect();
            transactions.sort_unstable();
            let known = |source: u32| Link { from: TxnId(source), to: reader, why: Why::Read { key: *key } };
            let links = match *sources {
                // Whoever wrote the one: two values in one transaction are enough.
                [NONE, _] | [_, NONE] => Vec::new(),
                [INITIAL, source] | [source, INITIAL] => {
                    let after = Link { from: reader, to: TxnId(source), why: Why::Overwritten { key: *key } };
                    vec![known(source), after]
                }
                [one, other] => [(one, other), (other, one)]
                    .map(|(first, later)| Link {
                        from: TxnId(first),
                        to: TxnId(later),
                        why: Why::Newer { key: *key, reader },
                    })
                    .to_vec(),
            };
            self.breaches.push(Breach {
                anomaly: names::NON_REPEATABLE_READ,
                transactions,
                keys: vec![*key],
                links,
                choices: Vec::new(),
            });
        }
    }
}

impl Breach {
    pub(crate) fn circle(anomaly: &'static str, part: &Part, links: Vec<Link>) -> Self {
        Self {
            anomaly,
            transactions: part.transactions.iter().map(|txn| TxnId(*txn)).collect(),
            keys: part.keys.clone(),
            links,
            choices: Vec::new(),
        }
    }
}

impl FlawKind {
    fn anomaly(self) -> &'static str {
        match self {
            Self::ThinAir => names::THIN_AIR_READ,
            Self::Aborted => names::ABORTED_READ,
            Self::Intermediate => names::INTERMEDIATE_READ,
            Self::Future => names::FUTURE_READ,
            Self::Internal => names::INTERNAL,
        }
    }
}

impl Part {
    /// An edge of the part, in the numbers of the whole.
    pub(crate) fn in_whole(&self, link: Link) -> Link {
        let txn = |txn: TxnId| TxnId(self.transactions[txn.index()]);
        let key = |key: u32| self.keys[key as usize];
        let why = match link.why {
            Why::Session => Why::Session,
            Why::RealTime => Why::RealTime,
            Why::Read { key: of } => Why::Read { key: key(of) },
            Why::Newer { key: of, reader } => Why::Newer { key: key(of), reader: txn(reader) },
            Why::Overwritten { key: of } => Why::Overwritten { key: key(of) },
            Why::Apart { key: of } => Why::Apart { key: key(of) },
            Why::Supposed { key: of } => Why::Supposed { key: key(of) },
        };
        Link { from: txn(link.from), to: txn(link.to), why }
    }
}
