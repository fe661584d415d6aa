//! Counter: clients add to counters, sometimes take away, and read them.

use std::collections::BTreeSet;

use histories::{Call, Key, MicroOp, Outcome};
use rand::RngExt;

use super::{Draw, Generator, Share, Workload};

pub(crate) struct Counter;

impl Workload for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn about(&self) -> &'static str {
        "add to counters"
    }

    fn guarantees(&self) -> &'static [&'static str] {
        &["no-lost-updates", "convergence", "no-made-up-values"]
    }

    fn generator(&self, share: Share) -> Box<dyn Generator> {
        Box::new(Counting { draw: Draw::new(share) })
    }
}

struct Counting {
    draw: Draw,
}

impl Generator for Counting {
    fn next_call(&mut self) -> Call {
        let (_, key) = self.draw.key();
        if self.draw.chance(30) {
            return MicroOp::Read { key }.into();
        }
        let size = self.draw.share.rng.random_range(1..=5);
        let by = if self.draw.chance(20) { -size } else { size };
        MicroOp::Increment { key, by }.into()
    }

    fn observe(&mut self, _: &Call, _: &Outcome) {}

    fn keys(&self) -> &BTreeSet<Key> {
        &self.draw.keys
    }
}
