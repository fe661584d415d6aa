//! Register: clients read, overwrite, delete, and replace what they read by compare-and-set.

use std::collections::BTreeSet;

use histories::{Call, Key, MicroOp, Observed, Outcome};

use super::{Draw, Generator, Share, Workload};

pub(crate) struct Register;

impl Workload for Register {
    fn name(&self) -> &'static str {
        "register"
    }

    fn about(&self) -> &'static str {
        "read, overwrite, compare-and-set and delete registers"
    }

    fn guarantees(&self) -> &'static [&'static str] {
        &[
            "linearizable",
            "no-lost-updates",
            "convergence",
            "no-made-up-values",
            "deletes-stay-deleted",
            "causal-order",
            "read-your-writes",
            "monotonic-reads",
        ]
    }

    fn generator(&self, share: Share) -> Box<dyn Generator> {
        Box::new(Registrar { draw: Draw::new(share), seen: None })
    }
}

struct Registrar {
    draw: Draw,
    /// What the client just read and is about to replace.
    seen: Option<(Key, Observed)>,
}

impl Generator for Registrar {
    fn next_call(&mut self) -> Call {
        if let Some((key, observed)) = self.seen.take() {
            return MicroOp::CompareAndSet { key, expected: Box::new(observed), value: self.draw.fresh() }
                .into();
        }
        let (_, key) = self.draw.key();
        if self.draw.chance(60) {
            return MicroOp::Read { key }.into();
        }
        if self.draw.chance(10) {
            return MicroOp::Delete { key }.into();
        }
        MicroOp::Write { key, value: self.draw.fresh() }.into()
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        let Call::Single(MicroOp::Read { key }) = call else { return };
        let Some([reply]) = outcome.replies() else { return };
        if self.draw.chance(25) {
            self.seen = reply.observed.clone().map(|observed| (key.clone(), observed));
        }
    }

    fn keys(&self) -> &BTreeSet<Key> {
        &self.draw.keys
    }
}
