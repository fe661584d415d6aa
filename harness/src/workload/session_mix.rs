//! Session mix: clients that roam between nodes write, look for what they wrote, answer what they
//! read, and read again: what a session was promised is asked for all the time.

use std::collections::{BTreeSet, VecDeque};

use histories::{Call, Key, MicroOp, Outcome};
use rand::RngExt;

use super::{Draw, Generator, Share, Workload};
use crate::plan::Routing;

pub(crate) struct SessionMix;

impl Workload for SessionMix {
    fn name(&self) -> &'static str {
        "session-mix"
    }

    fn about(&self) -> &'static str {
        "write, read back, answer and read again, on any node"
    }

    fn guarantees(&self) -> &'static [&'static str] {
        &[
            "read-your-writes",
            "monotonic-reads",
            "monotonic-writes",
            "writes-follow-reads",
            "causal-order",
            "convergence",
            "no-made-up-values",
        ]
    }

    fn routing(&self) -> Routing {
        Routing::Roam
    }

    fn generator(&self, share: Share) -> Box<dyn Generator> {
        Box::new(Roamer { draw: Draw::new(share), recent: VecDeque::new() })
    }
}

/// How many of its last keys a client comes back to.
const MEMORY: usize = 4;

struct Roamer {
    draw: Draw,
    recent: VecDeque<Key>,
}

impl Roamer {
    fn key(&mut self) -> Key {
        let (_, fresh) = self.draw.key();
        if self.recent.is_empty() || !self.draw.chance(60) {
            return fresh;
        }
        let index = self.draw.share.rng.random_range(0..self.recent.len());
        self.recent[index].clone()
    }
}

impl Generator for Roamer {
    fn next_call(&mut self) -> Call {
        let key = self.key();
        if self.draw.chance(40) {
            return MicroOp::Write { key, value: self.draw.fresh() }.into();
        }
        MicroOp::Read { key }.into()
    }

    fn observe(&mut self, call: &Call, outcome: &Outcome) {
        if !outcome.is_confirmed() {
            return;
        }
        let key = call.micro_ops()[0].key();
        if !self.recent.contains(key) {
            self.recent.push_back(key.clone());
        }
        if self.recent.len() > MEMORY {
            self.recent.pop_front();
        }
    }

    fn keys(&self) -> &BTreeSet<Key> {
        &self.draw.keys
    }
}
