//! Append: clients add numbers to lists. Most lists are read, extended and written back only if
//! nothing changed in between (a read-modify-write); every fourth is extended blindly by the store.
//!
//! ```text
//!   c3   read k17 → [88 301]   compare-and-set k17 [88 301] → [88 301 412]
//!   c5   append k3 57
//! ```

use std::collections::BTreeSet;

use histories::{Call, Key, MicroOp, Observed, Outcome};

use super::{Draw, Generator, Share, Updates, Workload};
use crate::script::extended;

pub(crate) struct Append;

impl Workload for Append {
    fn name(&self) -> &'static str {
        "append"
    }

    fn about(&self) -> &'static str {
        "add numbers to lists"
    }

    fn guarantees(&self) -> &'static [&'static str] {
        &["no-lost-updates", "convergence", "no-made-up-values", "read-your-writes", "monotonic-reads"]
    }

    fn generator(&self, share: Share) -> Box<dyn Generator> {
        Box::new(Appender { draw: Draw::new(share), seen: None })
    }
}

struct Appender {
    draw: Draw,
    /// What the client just read and is about to extend.
    seen: Option<(Key, Observed)>,
}

impl Generator for Appender {
    fn next_call(&mut self) -> Call {
        if let Some((key, observed)) = self.seen.take() {
            let value = extended(&observed, self.draw.fresh());
            return MicroOp::CompareAndSet { key, expected: Box::new(observed), value }.into();
        }
        let (slot, key) = self.draw.key();
        let blind = slot % 4 == 3 || self.draw.share.updates == Updates::Merge;
        if blind && self.draw.chance(60) {
            return MicroOp::Append { key, element: self.draw.fresh() }.into();
        }
        MicroOp::Read { key }.into()
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        let Call::Single(MicroOp::Read { key }) = call else { return };
        let Some([reply]) = outcome.replies() else { return };
        let blind = self.draw.share.updates == Updates::Merge || is_blind(key);
        // One read in five is only a read.
        if !blind && self.draw.chance(80) {
            self.seen = reply.observed.clone().map(|observed| (key.clone(), observed));
        }
    }

    fn keys(&self) -> &BTreeSet<Key> {
        &self.draw.keys
    }
}

/// Every fourth key is never compared: a blind append and a compare-and-set on one list would hide
/// each other's ancestry.
fn is_blind(key: &Key) -> bool {
    key.as_str()[1..].parse::<u64>().is_ok_and(|number| number % 4 == 3)
}
