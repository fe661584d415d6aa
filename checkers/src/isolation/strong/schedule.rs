//! A guess that proves itself: run the transactions one by one, and let a writer wait until all who read
//! the version before it have done so. If all get through, that is the order that was asked for.
//!
//! ```text
//!   x = T1's, T3 has yet to read it     T2 writes x: it waits        T3 reads, T2 writes
//! ```
//!
//! Under snapshot isolation a writer also holds its keys from its reads to its writes. O(edges · log n).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::model::Model;
use crate::isolation::lists::Lists;
use crate::isolation::sources::{INITIAL, NONE};

/// The nodes that got through, in their order: all of them if the guess was right.
pub(super) fn greedy(model: &Model<'_>) -> Vec<u32> {
    let successors = Lists::new(model.nodes as usize, |take| {
        model.edges.iter().for_each(|edge| take(edge.from, edge.to));
    });
    let mut run = Run::new(model, &successors);
    while let Some(Reverse((_, node))) = run.ready.pop() {
        match run.obstacle(node) {
            Some(key) => run.blocked.entry(key).or_default().push(node),
            None => run.pass(node),
        }
    }
    run.order
}

struct Run<'r, 'v> {
    model: &'r Model<'v>,
    successors: &'r Lists,
    waiting: Vec<u32>,
    /// By how much of its session is over before it, so that sessions advance together.
    ready: BinaryHeap<Reverse<(u64, u32)>>,
    /// Of each key, how many have yet to read its version.
    unread: Vec<u32>,
    /// Who holds a key between its reads and its writes.
    holder: Vec<u32>,
    blocked: BTreeMap<u32, Vec<u32>>,
    /// How many read each version that was left: sorted by key and writer.
    readers: Vec<(u32, u32, u32)>,
    order: Vec<u32>,
}

impl<'r, 'v> Run<'r, 'v> {
    fn new(model: &'r Model<'v>, successors: &'r Lists) -> Self {
        let keys = model.view.table.key_count();
        let mut run = Self {
            model,
            successors,
            waiting: vec![0; model.nodes as usize],
            ready: BinaryHeap::new(),
            unread: vec![0; keys],
            holder: vec![NONE; keys],
            blocked: BTreeMap::new(),
            readers: readers(model),
            order: Vec::with_capacity(model.nodes as usize),
        };
        for node in 0..model.nodes as usize {
            successors.get(node).iter().for_each(|successor| run.waiting[*successor as usize] += 1);
        }
        for key in 0..keys as u32 {
            run.unread[key as usize] = run.readers_of(key, INITIAL);
        }
        (0..model.nodes).filter(|node| run.waiting[*node as usize] == 0).for_each(|node| {
            run.ready.push(Reverse((rank(model, node), node)));
        });
        run
    }

    fn readers_of(&self, key: u32, writer: u32) -> u32 {
        let found = self.readers.binary_search_by_key(&(key, writer), |(key, writer, _)| (*key, *writer));
        found.map_or(0, |index| self.readers[index].2)
    }

    fn is(&self, node: u32, of: impl Fn(&Model<'v>, u32) -> u32) -> Option<u32> {
        self.model.txn(node).filter(|txn| of(self.model, *txn) == node)
    }

    /// A key for whose sake the node has to wait.
    fn obstacle(&self, node: u32) -> Option<u32> {
        let view = self.model.view;
        if let Some(txn) = self.is(node, Model::writes) {
            let own = |key: u32| {
                u32::from(!self.model.level.is_split() && view.reads(txn).any(|seen| seen.key == key))
            };
            let is_unread = |key: &&u32| self.unread[**key as usize] > own(**key);
            return view.written.get(txn as usize).iter().find(is_unread).copied();
        }
        let txn = self.is(node, Model::reads).filter(|_| self.model.level.excludes_writers())?;
        let is_held = |key: &&u32| self.holder[**key as usize] != NONE;
        view.written.get(txn as usize).iter().find(is_held).copied()
    }

    fn pass(&mut self, node: u32) {
        let view = self.model.view;
        self.order.push(node);
        if let Some(txn) = self.is(node, Model::reads) {
            let mut read: Vec<u32> = view.reads(txn).map(|seen| seen.key).collect();
            read.sort_unstable();
            read.dedup();
            for key in read {
                self.unread[key as usize] -= 1;
                self.wake(key);
            }
            if self.model.level.excludes_writers() {
                view.written.get(txn as usize).iter().for_each(|key| self.holder[*key as usize] = txn);
            }
        }
        if let Some(txn) = self.is(node, Model::writes) {
            for key in view.written.get(txn as usize) {
                self.unread[*key as usize] = self.readers_of(*key, txn);
                self.holder[*key as usize] = NONE;
                self.wake(*key);
            }
        }
        for successor in self.successors.get(node as usize) {
            self.waiting[*successor as usize] -= 1;
            if self.waiting[*successor as usize] == 0 {
                self.ready.push(Reverse((rank(self.model, *successor), *successor)));
            }
        }
    }

    fn wake(&mut self, key: u32) {
        for node in self.blocked.remove(&key).unwrap_or_default() {
            self.ready.push(Reverse((rank(self.model, node), node)));
        }
    }
}

fn rank(model: &Model<'_>, node: u32) -> u64 {
    let Some((session, place)) = model.place(node) else { return 0 };
    let nodes = model.view.chains.get(session).len() as u64 * 2;
    // What has begun ends before anything else begins.
    if model.level.is_split() && node & 1 == 1 { 0 } else { (u64::from(place) << 32) / nodes.max(1) }
}

fn readers(model: &Model<'_>) -> Vec<(u32, u32, u32)> {
    let view = model.view;
    let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
    for txn in view.transactions() {
        pairs.extend(view.reads(txn).map(|seen| (seen.key, seen.source, txn)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    let versions = pairs.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    versions.map(|readers| (readers[0].0, readers[0].1, readers.len() as u32)).collect()
}
