//! A part of a history that breaks a level, put in edges between transactions: a circle, or two orders of
//! two writers with a circle each.

use histories::compact::TxnId;

use super::choose::{self, Brought};
use super::model::{Edge, Model, Reason};
use super::reasons::Graph;
use super::{Strong, infer};
use crate::Budget;
use crate::anomaly::names;
use crate::isolation::answer::{Breach, Choice, Link, Why};
use crate::isolation::part::Part;
use crate::isolation::sources::INITIAL;
use crate::isolation::view::View;

/// The breach that a small part is.
pub(super) fn breach(level: Strong, part: &Part) -> Breach {
    let view = View::new(&part.table);
    let in_whole = |links: Vec<Link>| links.into_iter().map(|link| part.in_whole(link)).collect::<Vec<_>>();
    let plain = circle(level, &view, &[]);
    if let Some(links) = plain {
        return Breach::circle(level.anomaly(&links), part, in_whole(links));
    }
    let txn = |txn: u32| TxnId(part.transactions[txn as usize]);
    let mut breach = Breach::circle(level.anomaly(&[]), part, Vec::new());
    if let Some((one, other, [first, second])) = dilemma(level, &view) {
        breach.links = in_whole(first);
        breach.choices = vec![
            Choice { first: txn(one), later: txn(other), links: breach.links.clone() },
            Choice { first: txn(other), later: txn(one), links: in_whole(second) },
        ];
    }
    breach
}

/// Two writers, and the circle that each order of them closes.
fn dilemma(level: Strong, view: &View<'_>) -> Option<(u32, u32, [Vec<Link>; 2])> {
    let mut model = Model::new(view, level);
    let clocks = infer::saturate(&mut model, &mut Budget::default()).ok()?;
    let pairs = choose::pairs(&model, &clocks, &mut Budget::default()).ok()?;
    pairs.into_iter().find_map(|pair| {
        let (one, other) = (pair.one, pair.other);
        let first = circle(level, view, &choose::brought(&model, one, other))?;
        let second = circle(level, view, &choose::brought(&model, other, one))?;
        Some((one, other, [first, second]))
    })
}

/// A circle of what is known, what is supposed, and what these imply.
fn circle(level: Strong, view: &View<'_>, supposed: &[Brought]) -> Option<Vec<Link>> {
    let mut model = Model::new(view, level);
    for Brought { from, to, reason } in supposed {
        model.known(*from, *to, *reason);
    }
    infer::saturate(&mut model, &mut Budget::default()).err()?;
    let circle = Graph::new(&model).circle()?;
    let edges: Vec<Edge> = circle.iter().map(|index| model.edges[*index as usize]).collect();
    Some(links(&model, &edges))
}

// Nodes of one transaction become one, and the end of a version disappears between its reader and the
// writer that comes after it.
fn links(model: &Model<'_>, edges: &[Edge]) -> Vec<Link> {
    let start = edges.iter().position(|edge| model.txn(edge.from).is_some()).unwrap_or(0);
    let mut links: Vec<Link> = Vec::new();
    let mut from: Option<u32> = None;
    for edge in edges[start..].iter().chain(&edges[..start]) {
        from = model.txn(edge.from).or(from);
        let (Some(first), Some(later)) = (from, model.txn(edge.to)) else { continue };
        if first != later {
            links.push(Link { from: TxnId(first), to: TxnId(later), why: why(model, edge, first, later) });
        }
    }
    links
}

fn why(model: &Model<'_>, edge: &Edge, first: u32, later: u32) -> Why {
    match edge.reason {
        Reason::Session => Why::Session,
        Reason::RealTime => Why::RealTime,
        Reason::Read { key } => Why::Read { key },
        Reason::Supposed { key } => Why::Supposed { key },
        Reason::Apart { key } => Why::Apart { key },
        Reason::Newer { version } => {
            let version = model.versions[version as usize];
            let reader = model.view.transactions().find(|txn| {
                *txn != first && model.view.keys_read_from(*txn, version.writer).any(|key| key == version.key)
            });
            Why::Newer { key: version.key, reader: TxnId(reader.unwrap_or(later)) }
        }
        Reason::Overwritten { version } => {
            let version = model.versions[version as usize];
            let reads = |txn: u32| {
                model.view.reads(txn).any(|seen| (seen.key, seen.source) == (version.key, version.writer))
            };
            if version.writer != INITIAL && !reads(first) {
                return Why::Supposed { key: version.key };
            }
            Why::Overwritten { key: version.key }
        }
        // Only whoever reads and writes the key in one step ends a version as a transaction.
        Reason::Reader => {
            let shared = model.view.reads(first).map(|seen| seen.key);
            let written = model.view.written.get(later as usize);
            let key = shared.into_iter().find(|key| written.binary_search(key).is_ok());
            Why::Overwritten { key: key.unwrap_or(0) }
        }
    }
}

impl Strong {
    fn anomaly(self, links: &[Link]) -> &'static str {
        let overwritten = |link: &Link| matches!(link.why, Why::Overwritten { .. });
        let places: Vec<usize> = (0..links.len()).filter(|index| overwritten(&links[*index])).collect();
        let next = |index: usize| overwritten(&links[(index + 1) % links.len()]);
        let updates_lost = links.len() == 2 && {
            let keys: Vec<Option<u32>> = links.iter().map(|link| link.why.key()).collect();
            !places.is_empty() && keys[0] == keys[1]
        };
        if updates_lost {
            return names::LOST_UPDATE;
        }
        match places.len() {
            0 if links.is_empty() => names::NO_ORDER,
            0 if links.iter().all(|link| matches!(link.why, Why::Session | Why::Read { .. })) => {
                names::CIRCULAR_INFORMATION_FLOW
            }
            0 => names::CAUSAL_VIOLATION,
            1 => names::READ_SKEW,
            2 if places.iter().any(|index| next(*index)) => names::WRITE_SKEW,
            _ if places.iter().any(|index| next(*index)) => names::CIRCULAR_ANTI_DEPENDENCY,
            _ => names::LONG_FORK,
        }
    }
}
