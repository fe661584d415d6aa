//! What has to come before what, drawn out until nothing more follows or it goes round in a circle.
//!
//! ```text
//!   r saw w2, and w1 writes the same key:      w1 before r   so   w1 ──ww──▶ w2
//!                                              w2 before w1  so   r ──rw──▶ w1
//! ```
//!
//! Starts from the order of sessions and from who read what. If the reads that count are of one session,
//! then without a circle there is an order of all writes that explains them (the bad patterns CyclicHB and
//! WriteHBInitRead of the source); if they are of all sessions, a circle proves that there is none.
//!
//! Vector clocks: O(n · k) a round for k sessions, and few rounds.
//! Source: Bouajjani, Enea, Guerraoui & Hamza, On verifying causal consistency, POPL 2017, §4 (CM).

use crate::views::record::{Found, Record};
use crate::{Budget, EdgeKind};

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Before {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The round in which it was concluded, from what earlier rounds knew; 0: it is given.
    pub(super) round: u32,
    pub(super) kind: EdgeKind,
    /// The read from which it follows.
    pub(super) read: u32,
}

/// Whose reads count.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Only those of this session; none: all.
    pub(super) session: Option<u32>,
    /// True if what others read orders what they did.
    pub(super) causal: bool,
}

/// What came of it.
pub(super) enum Saturated {
    /// No circle. The clocks are those of [`Clocks`].
    Clear(Clocks),
    /// All that was concluded; the nodes with places in `stuck` are on circles or after them.
    Circle {
        edges: Vec<Before>,
        stuck: Vec<u32>,
    },
    OutOfSteps,
}

/// Of each node: how much of each session is before it, itself included.
pub(super) struct Clocks {
    columns: usize,
    clocks: Vec<u32>,
}

impl Clocks {
    pub(super) fn of(&self, node: u32) -> &[u32] {
        &self.clocks[node as usize * self.columns..][..self.columns]
    }
}

/// Draws all conclusions.
pub(super) fn saturate(record: &Record, view: View, budget: &mut Budget) -> Saturated {
    let mut edges = start(record, view);
    let base = edges.len();
    for round in 1.. {
        let cost = (record.nodes.len() * record.sessions.len()) as u64;
        if budget.steps < cost {
            return Saturated::OutOfSteps;
        }
        budget.steps -= cost;
        let clocks = match sort(record, &edges) {
            Ok(clocks) => clocks,
            Err(stuck) => return Saturated::Circle { edges, stuck },
        };
        let before = edges.len();
        conclude(record, view, &clocks, round, &mut edges);
        if edges.len() == before {
            return Saturated::Clear(clocks);
        }
        let concluded = &mut edges[base..];
        concluded.sort_unstable();
        edges.dedup_by_key(|edge| (edge.from, edge.to));
    }
    Saturated::OutOfSteps
}

fn counts(record: &Record, view: View, node: u32) -> bool {
    view.session.is_none_or(|session| record.node(node).session == session)
}

fn start(record: &Record, view: View) -> Vec<Before> {
    let mut edges = Vec::new();
    for session in &record.sessions {
        let pairs = session.windows(2);
        edges.extend(pairs.map(|pair| Before {
            from: pair[0],
            to: pair[1],
            round: 0,
            kind: EdgeKind::Session,
            read: pair[1],
        }));
    }
    for (to, node) in record.nodes.iter().enumerate() {
        let to = to as u32;
        if let Found::From(from) = node.found
            // What replaced something is after that for everybody.
            && (view.causal || node.writes || counts(record, view, to))
        {
            edges.push(Before { from, to, round: 0, kind: EdgeKind::WriteRead, read: to });
        }
    }
    edges
}

// Kahn's algorithm. Fails with what is left if there is a circle.
fn sort(record: &Record, edges: &[Before]) -> Result<Clocks, Vec<u32>> {
    let (count, columns) = (record.nodes.len(), record.sessions.len());
    let (mut first, mut waits) = (vec![0_u32; count + 1], vec![0_u32; count]);
    for edge in edges {
        first[edge.from as usize + 1] += 1;
        waits[edge.to as usize] += 1;
    }
    for place in 0..count {
        first[place + 1] += first[place];
    }
    let (mut next, mut targets) = (first.clone(), vec![0_u32; edges.len()]);
    for edge in edges {
        targets[next[edge.from as usize] as usize] = edge.to;
        next[edge.from as usize] += 1;
    }
    let mut clocks = vec![0_u32; count * columns];
    let mut ready: Vec<u32> = (0..count as u32).filter(|node| waits[*node as usize] == 0).collect();
    let mut done = 0;
    let mut clock = vec![0_u32; columns];
    while let Some(node) = ready.pop() {
        done += 1;
        let (place, own) = (node as usize, record.node(node));
        clocks[place * columns + own.session as usize] = own.position;
        clock.copy_from_slice(&clocks[place * columns..][..columns]);
        for to in &targets[first[place] as usize..first[place + 1] as usize] {
            let after = &mut clocks[*to as usize * columns..][..columns];
            after.iter_mut().zip(&clock).for_each(|(after, before)| *after = (*after).max(*before));
            waits[*to as usize] -= 1;
            if waits[*to as usize] == 0 {
                ready.push(*to);
            }
        }
    }
    match done == count {
        true => Ok(Clocks { columns, clocks }),
        false => Err((0..count as u32).filter(|node| waits[*node as usize] > 0).collect()),
    }
}

fn conclude(record: &Record, view: View, clocks: &Clocks, round: u32, edges: &mut Vec<Before>) {
    for read in 0..record.nodes.len() as u32 {
        let node = record.node(read);
        // Another session's compare-and-set is only a write to this one.
        if node.found == Found::Unsaid || !counts(record, view, read) {
            continue;
        }
        for lane in record.lanes(node.key) {
            let session = record.node(lane[0]).session as usize;
            if let Found::From(source) = node.found {
                // The newest write of that session before the read, other than its own.
                let known = clocks.of(read)[session];
                let begun = lane.partition_point(|write| record.node(*write).position <= known);
                let newest = lane[..begun].iter().rev().copied().find(|write| *write != read);
                if let Some(from) = newest.filter(|newest| *newest != source)
                    && clocks.of(source)[session] < record.node(from).position
                {
                    edges.push(Before { from, to: source, round, kind: EdgeKind::WriteWrite, read });
                }
            }
            // The first write of that session that comes after what was read.
            let after = match node.found {
                Found::From(source) => {
                    let (column, position) =
                        (record.node(source).session as usize, record.node(source).position);
                    let from = lane
                        .partition_point(|write| *write == source || clocks.of(*write)[column] < position);
                    lane[from..].iter().copied().find(|write| *write != read && *write != source)
                }
                _ => lane.iter().copied().find(|write| *write != read),
            };
            if let Some(to) = after
                && clocks.of(to)[node.session as usize] < node.position
            {
                edges.push(Before { from: read, to, round, kind: EdgeKind::ReadWrite, read });
            }
        }
    }
}
