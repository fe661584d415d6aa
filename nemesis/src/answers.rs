//! Answers that get lost: the store did what it was asked, and the client never hears of it.
//!
//! ```text
//!   client ── write x ──► A   done          A ── OK ──╳ · · ·  client: no answer within 1 s, unknown
//! ```
//!
//! What is counted is pure, and the same in both worlds: of the answers of a node that say that
//! something of a kind was done, every so-manieth is lost. Live this is done at the client's end of the
//! connection, because only there it is known what an answer says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use histories::{Call, NodeName};
use tokio::sync::watch;

use crate::trigger::CallKind;

/// Which answers of which node are lost; `T` is whatever they are lost to.
#[derive(Debug, Clone)]
pub struct Losses<T> {
    rules: BTreeMap<NodeName, Rule<T>>,
}

#[derive(Debug, Clone)]
struct Rule<T> {
    of: CallKind,
    every: u64,
    seen: u64,
    to: T,
}

impl<T> Default for Losses<T> {
    fn default() -> Self {
        Self { rules: BTreeMap::new() }
    }
}

impl<T: Copy> Losses<T> {
    /// From now on every `every`th answer of `node` to calls of a kind is lost.
    pub fn begin(&mut self, node: NodeName, of: CallKind, every: u64, to: T) {
        self.rules.insert(node, Rule { of, every: every.max(1), seen: 0, to });
    }

    /// No answer of `node` is lost any more.
    pub fn end(&mut self, node: &NodeName) {
        self.rules.remove(node);
    }

    /// True if nothing is lost.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// `node` answers that `call` was done; says to what the answer is lost, if it is.
    pub fn take(&mut self, node: &NodeName, call: &Call) -> Option<T> {
        let rule = self.rules.get_mut(node)?;
        if !call.micro_ops().iter().any(|op| rule.of.covers(op)) {
            return None;
        }
        rule.seen += 1;
        rule.seen.is_multiple_of(rule.every).then_some(rule.to)
    }
}

/// The same for the clients of a live run; cheap to clone, and to ask where nothing is lost.
#[derive(Debug, Clone)]
pub struct Answers {
    losses: Arc<Mutex<Losses<()>>>,
    lost: Arc<watch::Sender<u64>>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { losses: Arc::default(), lost: Arc::new(watch::Sender::new(0)) }
    }
}

impl Answers {
    /// A client was told by `node` that `call` was done. True if it did not hear that.
    pub fn lose(&self, node: &NodeName, call: &Call) -> bool {
        let lost = self.losses().take(node, call).is_some();
        if lost {
            self.lost.send_modify(|count| *count += 1);
        }
        lost
    }

    pub(crate) fn begin(&self, node: &NodeName, of: CallKind, every: u64) {
        self.losses().begin(node.clone(), of, every, ());
    }

    pub(crate) fn end(&self, node: &NodeName) {
        self.losses().end(node);
    }

    /// How many answers were lost so far, and a way to wait for the next.
    pub(crate) fn lost(&self) -> watch::Receiver<u64> {
        self.lost.subscribe()
    }

    fn losses(&self) -> std::sync::MutexGuard<'_, Losses<()>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use histories::MicroOp;

    use super::*;

    #[test]
    fn every_so_manieth_answer_of_a_kind_is_lost() {
        let (a, b) = (NodeName::from("A"), NodeName::from("B"));
        let write = Call::from(MicroOp::Write { key: "x".into(), value: 1.into() });
        let read = Call::from(MicroOp::Read { key: "x".into() });
        let mut losses = Losses::default();
        losses.begin(a.clone(), CallKind::Update, 3, 7);
        let taken: Vec<_> =
            [&write, &read, &write, &read, &read, &write, &write].map(|call| losses.take(&a, call)).into();
        assert_eq!(taken, [None, None, None, None, None, Some(7), None]);
        assert_eq!(losses.take(&b, &write), None);
        losses.end(&a);
        assert!(losses.is_empty() && losses.take(&a, &write).is_none());
    }
}
