//! An order that puts every transaction after those of its session before it, those it read from, and
//! those that something else says must be before it.
//!
//! ```text
//!   c0   T0  T1 ░░░░ waits for T5           each session goes on until it waits for a transaction of
//!   c1   T4 ░░░ waits for T1                another; that one wakes it. When all wait, they wait in a
//!   c2   T5  T6                             circle: no order explains what was seen
//! ```
//!
//! The sessions are the graph: no list of successors is ever built. O(n + sessions), four bytes a
//! transaction.

use histories::compact::TxnId;

use super::lists::Lists;
use super::sources::NONE;
use super::view::View;

/// No transaction, no session.
const NOBODY: u32 = u32::MAX;

/// Why there is no order.
#[derive(Debug)]
pub(crate) struct Stuck {
    /// Transactions that wait for each other in a circle: each before the next, the last before the first.
    pub(crate) circle: Vec<u32>,
    /// The transactions that could be put in order.
    pub(crate) done: Vec<bool>,
}

/// Hands every transaction to `visit`, in such an order. `before` lists for each transaction what else
/// must come before it.
pub(crate) fn in_order(
    view: &View<'_>,
    before: Option<&Lists>,
    mut visit: impl FnMut(u32),
) -> Result<(), Stuck> {
    let mut walk = Walk::new(view, before);
    while let Some(chain) = walk.ready.pop() {
        while let Some(txn) = walk.next_of(chain) {
            if let Some(other) = walk.waits_for(chain, txn) {
                walk.asleep[chain as usize] = walk.wakes[other as usize];
                walk.wakes[other as usize] = chain;
                break;
            }
            visit(txn);
            walk.finish(chain, txn);
        }
    }
    match (0..view.chains.len() as u32).find(|chain| walk.next_of(*chain).is_some()) {
        None => Ok(()),
        Some(chain) => Err(Stuck { circle: walk.circle(chain), done: walk.done }),
    }
}

struct Walk<'v> {
    view: &'v View<'v>,
    before: Option<&'v Lists>,
    done: Vec<bool>,
    /// How many transactions of each session are done.
    reached: Vec<u32>,
    /// Where to go on looking for what the next transaction of a session waits for.
    looked: Vec<u32>,
    ready: Vec<u32>,
    /// The session that a transaction wakes first, and the one after each.
    wakes: Vec<u32>,
    asleep: Vec<u32>,
}

impl<'v> Walk<'v> {
    fn new(view: &'v View<'v>, before: Option<&'v Lists>) -> Self {
        let chains = view.chains.len();
        Self {
            view,
            before,
            done: vec![false; view.len()],
            reached: vec![0; chains],
            looked: vec![0; chains],
            ready: (0..chains as u32).rev().collect(),
            wakes: vec![NOBODY; view.len()],
            asleep: vec![NOBODY; chains],
        }
    }

    fn next_of(&self, chain: u32) -> Option<u32> {
        self.view.chains.get(chain as usize).get(self.reached[chain as usize] as usize).copied()
    }

    // The place where the last look ended is kept: what was done then is done now.
    fn waits_for(&mut self, chain: u32, txn: u32) -> Option<u32> {
        let sources = &self.view.sources.of[self.view.table.range(TxnId(txn))];
        let before = self.before.map_or(&[][..], |before| before.get(txn as usize));
        let looked = &mut self.looked[chain as usize];
        for other in sources.iter().chain(before).skip(*looked as usize) {
            if *other < NONE && !self.done[*other as usize] {
                return Some(*other);
            }
            *looked += 1;
        }
        None
    }

    fn finish(&mut self, chain: u32, txn: u32) {
        self.done[txn as usize] = true;
        self.reached[chain as usize] += 1;
        self.looked[chain as usize] = 0;
        let mut woken = std::mem::replace(&mut self.wakes[txn as usize], NOBODY);
        while woken != NOBODY {
            self.ready.push(woken);
            woken = std::mem::replace(&mut self.asleep[woken as usize], NOBODY);
        }
    }

    fn circle(&mut self, from: u32) -> Vec<u32> {
        let mut met: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut place = vec![NOBODY; self.reached.len()];
        let mut chain = from;
        while place[chain as usize] == NOBODY {
            place[chain as usize] = met.len() as u32;
            let Some(head) = self.next_of(chain) else { break };
            let Some(other) = self.waits_for(chain, head) else { break };
            // What it waits for is perhaps not the next of its session, but after that.
            let next = self.view.session(other);
            let next_head = self.next_of(next).filter(|next_head| *next_head != other);
            met.push((chain, std::iter::once(other).chain(next_head).collect()));
            chain = next;
        }
        let start = place[chain as usize] as usize;
        let mut circle: Vec<u32> = met.drain(start..).flat_map(|(_, path)| path).collect();
        circle.reverse();
        circle
    }
}
