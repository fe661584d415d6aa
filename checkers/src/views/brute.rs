//! Views by definition: all orders of a few calls.

use std::collections::BTreeMap;

use histories::{History, Key, MicroOp, Operation};

use crate::causal::brute::sources;

/// All orders of some calls, by definition.
struct Orders<'h> {
    history: &'h History,
    /// `before[a][b]`: a has to come before b.
    before: Vec<Vec<bool>>,
    /// Calls whose answers have to be explained.
    judged: Vec<bool>,
}

impl Orders<'_> {
    fn micro_op(&self, at: usize) -> &MicroOp {
        &self.history.operations()[at].call.micro_ops()[0]
    }

    fn exists(&self, left: &[usize], held: &mut BTreeMap<Key, usize>) -> bool {
        left.is_empty()
            || left.iter().any(|at| {
                let rest: Vec<usize> = left.iter().copied().filter(|other| other != at).collect();
                if rest.iter().any(|other| self.before[*other][*at]) || !self.is_right(*at, held) {
                    return false;
                }
                let key = self.micro_op(*at).key().clone();
                let before = held.get(&key).copied();
                if !self.micro_op(*at).is_read() {
                    held.insert(key.clone(), *at);
                }
                let exists = self.exists(&rest, held);
                match before {
                    Some(before) => held.insert(key, before),
                    None => held.remove(&key),
                };
                exists
            })
    }

    fn is_right(&self, at: usize, held: &BTreeMap<Key, usize>) -> bool {
        let found = held.get(self.micro_op(at).key()).copied();
        let finds = !matches!(self.micro_op(at), MicroOp::Write { .. });
        !finds || !self.judged[at] || sources(self.history, at).first().copied() == found
    }
}

/// Calls that surely happened: confirmed, or a change that somebody saw.
pub(crate) fn happened(history: &History) -> Vec<usize> {
    let operations = history.operations();
    let mut seen: Vec<usize> = (0..operations.len())
        .filter(|at| operations[*at].is_confirmed())
        .flat_map(|at| sources(history, at))
        .collect();
    let mut place = 0;
    while let Some(at) = seen.get(place).copied() {
        place += 1;
        let further = sources(history, at).into_iter().filter(|other| !seen.contains(other));
        seen.extend(further.collect::<Vec<_>>());
    }
    let is_seen = |at: usize| seen.contains(&at);
    let is_read = |operation: &Operation| operation.call.is_read_only();
    (0..operations.len())
        .filter(|at| {
            let operation = &operations[*at];
            operation.is_confirmed() || (operation.is_possible() && !is_read(operation) && is_seen(*at))
        })
        .collect()
}

pub(crate) fn session_order(history: &History) -> Vec<Vec<bool>> {
    let operations = history.operations();
    let follows = |a: usize, b: usize| a < b && operations[a].session == operations[b].session;
    (0..operations.len()).map(|a| (0..operations.len()).map(|b| follows(a, b)).collect()).collect()
}

/// Sessions, and each compare-and-set that happened after what it replaced.
pub(crate) fn with_replaced(history: &History) -> Vec<Vec<bool>> {
    let mut before = session_order(history);
    let is_swap =
        |at: &usize| matches!(history.operations()[*at].call.micro_ops(), [MicroOp::CompareAndSet { .. }]);
    for at in happened(history).into_iter().filter(is_swap) {
        sources(history, at).into_iter().for_each(|source| before[source][at] |= source != at);
    }
    before
}

/// Has each session an order of all writes that agrees with this and explains what it saw?
pub(crate) fn each_view_exists(history: &History, before: &[Vec<bool>]) -> bool {
    let operations = history.operations();
    let mut sessions: Vec<_> = operations.iter().map(|operation| operation.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions.into_iter().all(|session| {
        let judged: Vec<bool> = operations.iter().map(|operation| operation.session == session).collect();
        let orders = Orders { history, before: before.to_vec(), judged };
        let mut calls = happened(history);
        calls.retain(|at| orders.judged[*at] || !operations[*at].call.is_read_only());
        orders.exists(&calls, &mut BTreeMap::new())
    })
}

/// Has the whole history such an order?
pub(crate) fn one_order_exists(history: &History) -> bool {
    let judged = vec![true; history.operations().len()];
    let orders = Orders { history, before: session_order(history), judged };
    orders.exists(&happened(history), &mut BTreeMap::new())
}
