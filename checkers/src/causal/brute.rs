//! Causal order by definition, for histories of a few operations with values that are written once.

use std::collections::BTreeSet;

use histories::{History, Key, MicroOp, Observed, Operation, Value};

/// `before[a][b]`: a is causally before b; a relation of all operations.
pub(crate) struct Brute<'h> {
    pub(crate) history: &'h History,
    pub(crate) before: Vec<Vec<bool>>,
}

impl<'h> Brute<'h> {
    /// Session order and reads-from, closed under transitivity.
    pub(crate) fn new(history: &'h History) -> Self {
        let operations = history.operations();
        let count = operations.len();
        let happened = happened(history);
        let mut before = vec![vec![false; count]; count];
        for a in 0..count {
            for b in 0..count {
                let follows = operations[a].session == operations[b].session && a < b;
                let reads = a != b && happened.contains(&b) && sources(history, b).contains(&a);
                before[a][b] = follows || reads;
            }
        }
        Self { history, before: closed(before) }
    }

    pub(crate) fn is_cyclic(&self) -> bool {
        (0..self.before.len()).any(|at| self.before[at][at])
    }

    pub(crate) fn writes(&self, key: &Key) -> Vec<usize> {
        let operations = self.history.operations();
        (0..operations.len())
            .filter(|at| operations[*at].is_possible() && !micro_op(&operations[*at]).is_read())
            .filter(|at| micro_op(&operations[*at]).key() == key)
            .collect()
    }

    pub(crate) fn reads(&self) -> Vec<usize> {
        let operations = self.history.operations();
        (0..operations.len()).filter(|at| observed(&operations[*at]).is_some()).collect()
    }

    pub(crate) fn key(&self, at: usize) -> &'h Key {
        micro_op(&self.history.operations()[at]).key()
    }

    /// Is there an order of all writes, in agreement with causal order, in which `write` is not
    /// after everything that may stand for what the read saw?
    pub(crate) fn explains(&self, read: usize, write: usize) -> bool {
        let seen = self.excuses(read);
        self.any_order(&mut Vec::new(), &|order| {
            let place = |at: usize| order.iter().position(|other| *other == at);
            seen.iter().any(|excuse| place(*excuse) >= place(write))
        })
    }

    /// What may stand for what the read saw: its writers; deletes if it saw nothing.
    fn excuses(&self, read: usize) -> Vec<usize> {
        let operations = self.history.operations();
        let seen = observed(&operations[read]).unwrap();
        if !seen.is_absent() {
            return sources(self.history, read);
        }
        let is_delete = |at: &usize| matches!(micro_op(&operations[*at]), MicroOp::Delete { .. });
        let in_time = |at: &usize| operations[*at].invoked <= operations[read].completed.unwrap();
        self.writes(self.key(read)).into_iter().filter(is_delete).filter(in_time).collect()
    }

    // Tries the orders of all writes that agree with causal order until one is accepted.
    fn any_order(&self, order: &mut Vec<usize>, accepts: &impl Fn(&[usize]) -> bool) -> bool {
        let operations = self.history.operations();
        let is_write = |at: &usize| !micro_op(&operations[*at]).is_read();
        let left: Vec<usize> =
            (0..operations.len()).filter(is_write).filter(|at| !order.contains(at)).collect();
        if left.is_empty() {
            return accepts(order);
        }
        left.iter().filter(|next| left.iter().all(|other| !self.before[*other][**next])).any(|next| {
            order.push(*next);
            let accepted = self.any_order(order, accepts);
            order.pop();
            accepted
        })
    }

    /// Is there an order of all writes by which each read saw the last of those causally before it?
    pub(crate) fn is_convergent(&self) -> bool {
        if self.is_cyclic() || self.reads().iter().any(|read| self.is_thin_air(*read)) {
            return false;
        }
        self.any_order(&mut Vec::new(), &|order| self.reads().iter().all(|read| self.agrees(order, *read)))
    }

    /// Has each read an order of the writes before it of its own?
    pub(crate) fn is_consistent(&self) -> bool {
        let explained = |read: usize| self.any_order(&mut Vec::new(), &|order| self.agrees(order, read));
        !self.is_cyclic() && self.reads().iter().all(|read| !self.is_thin_air(*read) && explained(*read))
    }

    fn is_thin_air(&self, read: usize) -> bool {
        let seen = observed(&self.history.operations()[read]).unwrap();
        let is_list = seen.single().is_some_and(|value| value.as_list().is_some());
        !is_list && seen.values.len() != sources(self.history, read).len()
    }

    fn agrees(&self, order: &[usize], read: usize) -> bool {
        let operations = self.history.operations();
        let known: Vec<usize> = order
            .iter()
            .copied()
            .filter(|at| self.writes(self.key(read)).contains(at) && self.before[*at][read])
            .collect();
        let seen = observed(&operations[read]).unwrap();
        if let Some(elements) = seen.single().and_then(Value::as_list) {
            return known.iter().all(|at| elements.contains(&element(&operations[*at])));
        }
        match known.last() {
            None => seen.is_absent(),
            Some(last) => stored(&operations[*last]) == seen.single().cloned(),
        }
    }
}

/// The relation closed under transitivity.
pub(crate) fn closed(mut before: Vec<Vec<bool>>) -> Vec<Vec<bool>> {
    let count = before.len();
    for middle in 0..count {
        for a in 0..count {
            for b in 0..count {
                before[a][b] |= before[a][middle] && before[middle][b];
            }
        }
    }
    before
}

/// What was confirmed, and what that saw, directly or through others: an unknown compare-and-set that nobody
/// saw need not have found what it expected.
fn happened(history: &History) -> BTreeSet<usize> {
    let operations = history.operations();
    let mut happened: BTreeSet<usize> =
        (0..operations.len()).filter(|at| operations[*at].is_confirmed()).collect();
    loop {
        let seen: BTreeSet<usize> = happened.iter().flat_map(|at| sources(history, *at)).collect();
        if seen.is_subset(&happened) {
            return happened;
        }
        happened.extend(seen);
    }
}

fn micro_op(operation: &Operation) -> &MicroOp {
    &operation.call.micro_ops()[0]
}

pub(crate) fn observed(operation: &Operation) -> Option<&Observed> {
    operation.steps().next().unwrap().1?.observed.as_ref()
}

fn stored(operation: &Operation) -> Option<Value> {
    match micro_op(operation) {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value.clone()),
        _ => None,
    }
}

fn element(operation: &Operation) -> Value {
    match micro_op(operation) {
        MicroOp::Append { element, .. } => element.clone(),
        _ => unreachable!("only appends are drawn for lists"),
    }
}

/// The writers of what an operation saw or expected.
pub(crate) fn sources(history: &History, at: usize) -> Vec<usize> {
    let operations = history.operations();
    let found = match micro_op(&operations[at]) {
        MicroOp::CompareAndSet { expected, .. } if operations[at].is_possible() => Some(&**expected),
        _ => observed(&operations[at]),
    };
    let values: Vec<Value> = found.map(|found| found.values.clone()).unwrap_or_default();
    let elements: Vec<Value> = match values.as_slice() {
        [Value::List(elements)] => elements.to_vec(),
        _ => values,
    };
    let made_one = |other: &usize| {
        let operation = &operations[*other];
        let same = micro_op(operation).key() == micro_op(&operations[at]).key() && operation.is_possible();
        let made = match micro_op(operation) {
            MicroOp::Append { element, .. } => Some(element.clone()),
            _ => stored(operation),
        };
        same && made.is_some_and(|made| elements.contains(&made))
    };
    (0..operations.len()).filter(made_one).collect()
}
