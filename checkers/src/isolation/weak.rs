//! The levels that can be judged in polynomial time: which edges each implies, and whether they go round
//! in a circle.
//!
//! ```text
//!   table ─► sources, flaws ─► session order, reads ─► edges that the level implies ─► an order, or a circle
//! ```

use histories::compact::TxnTable;

use super::answer::{Answer, Breach, Link, Undecided, Why};
use super::lists::Lists;
use super::order::Order;
use super::part::{Part, shrunk};
use super::path::{self, Path};
use super::sources::NONE;
use super::view::{Implied, View};
use super::walk::{Stuck, in_order};
use super::{atomic, causal, committed, repeated};
use crate::Budget;
use crate::anomaly::names;

/// Levels that are judged here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    /// Nothing but sessions and reads, which must not go round in a circle.
    Dependencies,
    ReadCommitted,
    ReadAtomic,
    Causal,
}

/// Circles that are told.
const CIRCLES_MAX: usize = 5;

/// Judges a level.
pub(crate) fn judge(level: Weak, table: &TxnTable, mut budget: Budget) -> Answer {
    let mut view = View::new(table);
    let mut answer = Answer::of_flaws(&view);
    if matches!(level, Weak::ReadAtomic | Weak::Causal) {
        take_out_unrepeatable(&mut view, &mut answer);
    }
    for _ in 0..CIRCLES_MAX {
        match circle(level, &view, &mut budget) {
            Ok(None) => break,
            Ok(Some(transactions)) => {
                let part = shrunk(&view, transactions, |part| is_broken(level, part));
                let breach = explain(level, &part);
                silence(&mut view, &breach);
                answer.breaches.push(breach);
            }
            Err(Undecided) => {
                answer.undecided = true;
                break;
            }
        }
    }
    answer
}

// The first read is kept, the others say nothing any more.
fn take_out_unrepeatable(view: &mut View<'_>, answer: &mut Answer) {
    let found = repeated::unrepeatable(view);
    for found in &found {
        view.sources.of[found.place as usize] = NONE;
    }
    answer.add_unrepeatable(&found);
}

/// Transactions that the level does not allow together, if there are any.
fn circle(level: Weak, view: &View<'_>, budget: &mut Budget) -> Result<Option<Vec<u32>>, Undecided> {
    let mut order = Order::new(view);
    if level == Weak::Causal
        && let Some(stuck) = order.stuck.take()
    {
        return Ok(Some(path::shortest_circle(view, &[], stuck).transactions()));
    }
    let implied = implied(level, view, &order, budget)?;
    if order.goes_along(&implied) {
        return Ok(None);
    }
    match in_order(view, Some(&before(view, &implied)), |_| ()) {
        Ok(()) => Ok(None),
        Err(stuck) => Ok(Some(with_reasons(level, view, &implied, stuck))),
    }
}

fn before(view: &View<'_>, implied: &[Implied]) -> Lists {
    Lists::new(view.len(), |take| implied.iter().map(Implied::edge).for_each(|(from, to)| take(to, from)))
}

fn implied(
    level: Weak,
    view: &View<'_>,
    order: &Order,
    budget: &mut Budget,
) -> Result<Vec<Implied>, Undecided> {
    Ok(match level {
        Weak::Dependencies => Vec::new(),
        Weak::ReadCommitted => committed::implied(view, &order.transactions),
        Weak::ReadAtomic => atomic::implied(view, &order.transactions),
        Weak::Causal => causal::implied(view, &order.transactions, budget)?,
    })
}

/// A circle's transactions, and those that prove its edges.
fn with_reasons(level: Weak, view: &View<'_>, implied: &[Implied], stuck: Stuck) -> Vec<u32> {
    let Path { steps } = path::shortest_circle(view, implied, stuck);
    let mut transactions = Vec::new();
    for (txn, reason) in steps {
        transactions.push(txn);
        let Some(Implied { first, reader, .. }) = reason else { continue };
        transactions.push(reader);
        transactions.push(first);
        if level == Weak::Causal {
            transactions.extend(path::between(view, first, reader));
        }
    }
    transactions
}

fn is_broken(level: Weak, table: &TxnTable) -> bool {
    let view = View::new(table);
    matches!(circle(level, &view, &mut Budget::default()), Ok(Some(_)))
}

/// The circle of a small part, with the reason for each edge.
fn explain(level: Weak, part: &Part) -> Breach {
    let view = View::new(&part.table);
    let order = Order::new(&view);
    let implied = match (level, &order.stuck) {
        (Weak::Causal, Some(_)) => Vec::new(),
        _ => implied(level, &view, &order, &mut Budget::default()).unwrap_or_default(),
    };
    let found = match in_order(&view, Some(&before(&view, &implied)), |_| ()) {
        Ok(()) => Vec::new(),
        Err(stuck) => path::shortest_circle(&view, &implied, stuck).links(&view),
    };
    let links: Vec<Link> = found.iter().map(|link| part.in_whole(*link)).collect();
    Breach::circle(level.anomaly(&links), part, links)
}

impl Weak {
    fn anomaly(self, links: &[Link]) -> &'static str {
        if links.iter().all(|link| matches!(link.why, Why::Session | Why::Read { .. })) {
            return names::CIRCULAR_INFORMATION_FLOW;
        }
        match self {
            Self::Dependencies => names::CIRCULAR_INFORMATION_FLOW,
            Self::ReadCommitted => names::NON_MONOTONIC_READ,
            Self::ReadAtomic => names::FRACTURED_READ,
            Self::Causal => names::CAUSAL_VIOLATION,
        }
    }
}

// So that the next circle is another one: a reader that takes part says nothing any more.
fn silence(view: &mut View<'_>, breach: &Breach) {
    let reader = breach.links.iter().find_map(|link| match link.why {
        Why::Newer { reader, .. } => Some(reader),
        Why::Overwritten { .. } => Some(link.from),
        _ => None,
    });
    let reads = |link: &&Link| matches!(link.why, Why::Read { .. });
    let reader = reader.or_else(|| breach.links.iter().find(reads).map(|link| link.to));
    let Some(reader) = reader else { return };
    let range = view.table.range(reader);
    view.sources.of[range].fill(NONE);
}
