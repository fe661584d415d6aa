//! Set: clients add elements that nobody else adds, read, and take out what they saw.

use std::collections::BTreeSet;

use histories::{Call, Key, MicroOp, Outcome, Value};
use rand::RngExt;

use super::{Draw, Generator, Share, Workload};

pub(crate) struct Set;

impl Workload for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn about(&self) -> &'static str {
        "add elements to sets and take some out"
    }

    fn guarantees(&self) -> &'static [&'static str] {
        &["no-lost-updates", "convergence", "no-made-up-values", "deletes-stay-deleted", "read-your-writes"]
    }

    fn generator(&self, share: Share) -> Box<dyn Generator> {
        Box::new(Collector { draw: Draw::new(share), unwanted: None })
    }
}

struct Collector {
    draw: Draw,
    /// An element that the client just saw and is about to take out.
    unwanted: Option<(Key, Value)>,
}

impl Generator for Collector {
    fn next_call(&mut self) -> Call {
        if let Some((key, element)) = self.unwanted.take() {
            return MicroOp::Remove { key, element }.into();
        }
        let (_, key) = self.draw.key();
        if self.draw.chance(55) {
            return MicroOp::Add { key, element: self.draw.fresh() }.into();
        }
        MicroOp::Read { key }.into()
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        let Call::Single(MicroOp::Read { key }) = call else { return };
        let observed = outcome.replies().and_then(|replies| replies[0].observed.as_ref());
        let elements = observed.and_then(|observed| observed.single()).and_then(Value::as_list);
        let Some(elements) = elements.filter(|elements| !elements.is_empty()) else { return };
        if self.draw.chance(30) {
            let index = self.draw.share.rng.random_range(0..elements.len());
            self.unwanted = Some((key.clone(), elements[index].clone()));
        }
    }

    fn keys(&self) -> &BTreeSet<Key> {
        &self.draw.keys
    }
}
