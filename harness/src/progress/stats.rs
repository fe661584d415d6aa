//! What the load did so far: counted as it happens, shown ten times a second.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use histories::{Call, Key, Nanos, Outcome, Value};

/// Counts as the load goes.
pub(crate) struct Stats {
    inner: Mutex<Inner>,
}

struct Inner {
    ok: u64,
    failed: u64,
    unknown: u64,
    /// Confirmed calls by second of the run.
    per_second: Vec<u64>,
    /// Confirmed calls by node, in the second that began at `second`.
    nodes: Vec<NodeRate>,
    /// Nanoseconds from the planned time to the answer.
    latency: Histogram<u64>,
    /// During a split: who changed which key last, by side.
    split: Option<Split>,
    suspects: Vec<Suspect>,
}

#[derive(Debug, Clone, Copy, Default)]
struct NodeRate {
    second: u64,
    now: u64,
    before: u64,
}

struct Split {
    side_of_node: Vec<usize>,
    changed: BTreeMap<Key, (usize, usize, String)>,
}

/// A key that both sides of a split changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) key: Key,
    /// Node and value, once a side.
    pub(crate) sides: [(usize, String); 2],
}

/// What is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) elapsed: Nanos,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
    /// Confirmed calls in each of the last seconds, the newest last.
    pub(crate) rates: Vec<u64>,
    /// Confirmed calls by node in the last whole second.
    pub(crate) nodes: Vec<u64>,
    /// Milliseconds: median, 99th percentile, longest.
    pub(crate) latency_ms: [f64; 3],
    pub(crate) suspects: usize,
    pub(crate) first_suspect: Option<Suspect>,
}

impl Stats {
    pub(crate) fn new(nodes: usize) -> Self {
        let latency = Histogram::new_with_bounds(1_000, 3_600_000_000_000, 2);
        Self {
            inner: Mutex::new(Inner {
                ok: 0,
                failed: 0,
                unknown: 0,
                per_second: Vec::new(),
                nodes: vec![NodeRate::default(); nodes],
                latency: latency.unwrap_or_else(|_| unreachable!("the bounds are in order")),
                split: None,
                suspects: Vec::new(),
            }),
        }
    }

    /// A call came to its end.
    pub(crate) fn count(
        &self,
        node: usize,
        call: &Call,
        outcome: &Outcome,
        planned: Nanos,
        completed: Nanos,
    ) {
        let mut inner = self.lock();
        inner.latency.saturating_record(completed.since(planned).0);
        match outcome {
            Outcome::Confirmed(_) => {
                inner.ok += 1;
                inner.rate(node, completed);
                inner.suspect(node, call);
            }
            Outcome::Failed(_) => inner.failed += 1,
            Outcome::Unknown(_) => inner.unknown += 1,
        }
    }

    /// The network is split: node `n` is on side `side_of_node[n]`. None: it is whole.
    pub(crate) fn split(&self, side_of_node: Option<Vec<usize>>) {
        let mut inner = self.lock();
        inner.split = side_of_node.map(|side_of_node| Split { side_of_node, changed: BTreeMap::new() });
    }

    pub(crate) fn snapshot(&self, elapsed: Nanos) -> Snapshot {
        let inner = self.lock();
        let second = elapsed.0 / 1_000_000_000;
        let whole = usize::try_from(second).unwrap_or(usize::MAX).min(inner.per_second.len());
        let millis = |nanos: u64| nanos as f64 / 1e6;
        Snapshot {
            elapsed,
            ok: inner.ok,
            failed: inner.failed,
            unknown: inner.unknown,
            rates: inner.per_second[whole.saturating_sub(20)..whole].to_vec(),
            nodes: inner.nodes.iter().map(|rate| rate.last_whole(second)).collect(),
            latency_ms: [
                millis(inner.latency.value_at_quantile(0.5)),
                millis(inner.latency.value_at_quantile(0.99)),
                millis(inner.latency.max()),
            ],
            suspects: inner.suspects.len(),
            first_suspect: inner.suspects.first().cloned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn rate(&mut self, node: usize, completed: Nanos) {
        let second = completed.0 / 1_000_000_000;
        let index = usize::try_from(second).unwrap_or(usize::MAX);
        if index >= self.per_second.len() {
            self.per_second.resize(index + 1, 0);
        }
        self.per_second[index] += 1;
        self.nodes[node].count(second);
    }

    fn suspect(&mut self, node: usize, call: &Call) {
        let Some(split) = &mut self.split else { return };
        let side = split.side_of_node.get(node).copied().unwrap_or(0);
        for micro_op in call.micro_ops().iter().filter(|micro_op| !micro_op.is_read()) {
            let what = changed_to(micro_op);
            match split.changed.get(micro_op.key()) {
                Some((other_side, other_node, other)) if *other_side != side => {
                    if self.suspects.iter().all(|suspect| suspect.key != *micro_op.key()) {
                        let sides = [(*other_node, other.clone()), (node, what)];
                        self.suspects.push(Suspect { key: micro_op.key().clone(), sides });
                    }
                }
                Some(_) => {}
                None => {
                    split.changed.insert(micro_op.key().clone(), (side, node, what));
                }
            }
        }
    }
}

fn changed_to(micro_op: &histories::MicroOp) -> String {
    use histories::MicroOp;
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => {
            value.as_list().and_then(<[Value]>::last).unwrap_or(value).to_string()
        }
        MicroOp::Append { element, .. }
        | MicroOp::Add { element, .. }
        | MicroOp::Enqueue { element, .. }
        | MicroOp::Push { element, .. } => element.to_string(),
        MicroOp::Remove { element, .. } => format!("-{element}"),
        MicroOp::Increment { by, .. } => format!("{by:+}"),
        MicroOp::Delete { .. } => "deleted".into(),
        MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => "taken".into(),
        MicroOp::Read { .. } => String::new(),
    }
}

impl NodeRate {
    fn count(&mut self, second: u64) {
        if second != self.second {
            self.before = if second == self.second + 1 { self.now } else { 0 };
            (self.second, self.now) = (second, 0);
        }
        self.now += 1;
    }

    fn last_whole(&self, second: u64) -> u64 {
        match second.checked_sub(self.second) {
            Some(0) => self.before,
            Some(1) => self.now,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use histories::{MicroOp, Reply};

    #[test]
    fn keys_changed_on_both_sides_of_a_split_are_suspects() {
        let stats = Stats::new(3);
        let write = |node, key: &str, value: i64, second: u64| {
            let call = MicroOp::Write { key: key.into(), value: value.into() }.into();
            let time = Nanos(second * 1_000_000_000);
            stats.count(node, &call, &Outcome::confirmed(Reply::changed(None)), time, time);
        };
        write(0, "before", 1, 0);
        write(1, "before", 2, 0);
        stats.split(Some(vec![0, 1, 1]));
        write(0, "x", 3, 1);
        write(1, "x", 4, 1);
        write(2, "x", 5, 1);
        write(1, "y", 6, 1);
        write(2, "y", 7, 1);
        let snapshot = stats.snapshot(Nanos(2_000_000_000));
        assert_eq!(snapshot.suspects, 1);
        let sides = [(0, "3".to_string()), (1, "4".to_string())];
        assert_eq!(snapshot.first_suspect, Some(Suspect { key: "x".into(), sides }));
        assert_eq!((snapshot.rates, snapshot.nodes), (vec![2, 5], vec![1, 2, 2]));
    }
}
