//! Workloads: what the clients do. A generator is pure: it draws the next call from its own stream
//! and from what its own client saw before, so that a seed fixes what a client asks.

use std::collections::BTreeSet;

use histories::{Call, Key, Outcome, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::plan::{KeyDistribution, Routing};

mod append;
mod counter;
mod register;
mod session_mix;
mod set;

/// Every workload, sorted by name. To add one: a file, and a line here.
pub(crate) static WORKLOADS: &[&dyn Workload] =
    &[&append::Append, &counter::Counter, &register::Register, &session_mix::SessionMix, &set::Set];

/// The workload with this name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Workload> {
    WORKLOADS.iter().copied().find(|workload| workload.name() == name)
}

/// One kind of load.
pub(crate) trait Workload: Sync {
    /// Its name in plans.
    fn name(&self) -> &'static str;

    /// What the clients do, in a few words.
    fn about(&self) -> &'static str;

    /// The guarantees that it puts to the test, those that most stores promise first.
    fn guarantees(&self) -> &'static [&'static str];

    /// Which node a client talks to, unless the plan says otherwise.
    fn routing(&self) -> Routing {
        Routing::Sticky
    }

    /// The calls of one client.
    fn generator(&self, share: Share) -> Box<dyn Generator>;
}

/// The calls of one client, in order.
pub(crate) trait Generator: Send {
    /// The next call.
    fn next_call(&mut self) -> Call;

    /// How the call that was drawn last ended.
    fn observe(&mut self, call: &Call, outcome: &Outcome);

    /// Every key that was used so far: what the final reads have to read.
    fn keys(&self) -> &BTreeSet<Key>;
}

/// One client's share of a load.
pub(crate) struct Share {
    /// Which client, from 0.
    pub(crate) client: u32,
    /// How many clients there are.
    pub(crate) clients: u32,
    /// How many keys are in use at a time.
    pub(crate) keys: u32,
    /// How often each is used.
    pub(crate) key_distribution: KeyDistribution,
    /// How the store changes a value that depends on the one before.
    pub(crate) updates: Updates,
    /// The client's own stream.
    pub(crate) rng: ChaCha8Rng,
}

/// How a store lets a client change a value that depends on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Updates {
    /// Read, then compare-and-set.
    CompareAndSet,
    /// The store merges; clients send what to add.
    Merge,
}

/// Keys and values as every workload draws them.
struct Draw {
    share: Share,
    keys: BTreeSet<Key>,
    calls: u64,
    written: i64,
}

/// How many changes a key gets on average before a fresh key takes its place, so that lists stay
/// readable however long the run.
const CHANGES_PER_KEY: u64 = 50;
/// The same for a key that is used more often than others.
const CHANGES_PER_HOT_KEY: u64 = 200;

impl Draw {
    fn new(share: Share) -> Self {
        Self { share, keys: BTreeSet::new(), calls: 0, written: 0 }
    }

    /// A number of a key in use, and its name.
    fn key(&mut self) -> (u32, Key) {
        self.calls += 1;
        let slot = slot(self.share.key_distribution, self.share.keys, &mut self.share.rng);
        let changes = self.calls * u64::from(self.share.clients) / 2;
        let generation = changes / turnover(self.share.key_distribution, self.share.keys);
        let number = u64::from(slot) + generation * u64::from(self.share.keys);
        let key = Key::from(format!("k{number}"));
        if !self.keys.contains(&key) {
            self.keys.insert(key.clone());
        }
        (slot, key)
    }

    /// A number that nobody else ever writes.
    fn fresh(&mut self) -> Value {
        self.written += 1;
        let others = i64::from(self.share.clients);
        Value::Integer((self.written - 1) * others + i64::from(self.share.client) + 1)
    }

    /// True `percent` times of 100.
    fn chance(&mut self, percent: u32) -> bool {
        self.share.rng.random_range(0..100) < percent
    }
}

/// One of so many keys. Whole numbers only: a power may differ from machine to machine.
fn slot(distribution: KeyDistribution, keys: u32, rng: &mut ChaCha8Rng) -> u32 {
    match distribution {
        KeyDistribution::Uniform => rng.random_range(0..keys),
        KeyDistribution::Zipf => {
            // Each run of keys that is twice as long as the one before is used as often as that.
            let first = (1 << rng.random_range(0..=keys.ilog2())) - 1;
            rng.random_range(first..keys.min(2 * first + 1))
        }
        KeyDistribution::Hot => {
            let hot = rng.random_range(0..10_u32) != 0;
            rng.random_range(0..if hot { hot_keys(keys) } else { keys })
        }
    }
}

fn hot_keys(keys: u32) -> u32 {
    keys.div_ceil(10)
}

/// After how many changes fresh keys take the place of those in use.
fn turnover(distribution: KeyDistribution, keys: u32) -> u64 {
    let even = u64::from(keys) * CHANGES_PER_KEY;
    match distribution {
        KeyDistribution::Uniform => even,
        KeyDistribution::Zipf => even.min(u64::from(keys.ilog2() + 1) * CHANGES_PER_HOT_KEY),
        KeyDistribution::Hot => even.min(u64::from(hot_keys(keys)) * CHANGES_PER_HOT_KEY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use histories::{MicroOp, Observed, Reply};

    fn generator(workload: &dyn Workload, client: u32, updates: Updates) -> Box<dyn Generator> {
        let rng = Seed(7).fork(&format!("c{client}")).stream();
        let key_distribution = KeyDistribution::Uniform;
        workload.generator(Share { client, clients: 3, keys: 5, key_distribution, updates, rng })
    }

    fn answer(call: &Call) -> Outcome {
        Outcome::Confirmed(
            call.micro_ops()
                .iter()
                .map(|micro_op| match micro_op {
                    MicroOp::Read { .. } => Reply::read(Observed::default()),
                    _ => Reply::changed(None),
                })
                .collect(),
        )
    }

    #[test]
    fn the_registry_is_sorted_and_names_known_guarantees() {
        let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for workload in WORKLOADS {
            for guarantee in workload.guarantees() {
                assert!(checkers::checker(guarantee).is_some(), "{}: {guarantee}", workload.name());
            }
        }
    }

    /// How many of 1000 uses fall on the first key, on the first tenth of 100 keys, and on the last half.
    fn uses(distribution: KeyDistribution) -> (usize, usize, usize) {
        let mut rng = Seed(3).stream();
        let slots: Vec<u32> = (0..1000).map(|_| slot(distribution, 100, &mut rng)).collect();
        let count = |range: std::ops::Range<u32>| slots.iter().filter(|slot| range.contains(slot)).count();
        assert_eq!(count(0..100), 1000);
        (count(0..1), count(0..10), count(50..100))
    }

    #[test]
    fn keys_are_used_evenly_or_some_more_than_others() {
        expect_test::expect!["[(10, 105, 502), (124, 485, 205), (91, 917, 51)]"]
            .assert_eq(&format!("{:?}", KeyDistribution::ALL.map(uses)));
        for (distribution, keys) in
            KeyDistribution::ALL.iter().flat_map(|how| (1..12).map(move |keys| (*how, keys)))
        {
            let mut rng = Seed(4).stream();
            let used: BTreeSet<u32> = (0..2000).map(|_| slot(distribution, keys, &mut rng)).collect();
            assert!(used.into_iter().eq(0..keys), "{distribution:?} leaves out some of {keys} keys");
            assert!(turnover(distribution, keys) > 0);
        }
    }

    #[test]
    fn a_seed_fixes_what_a_client_asks() {
        for workload in WORKLOADS {
            let draw = || {
                let mut generator = generator(*workload, 1, Updates::CompareAndSet);
                let mut calls = Vec::new();
                for _ in 0..200 {
                    let call = generator.next_call();
                    generator.observe(&call, &answer(&call));
                    calls.push(call);
                }
                calls
            };
            assert_eq!(draw(), draw(), "{}", workload.name());
        }
    }

    #[test]
    fn no_two_clients_write_the_same_value_to_a_key() {
        for (workload, updates) in
            WORKLOADS.iter().flat_map(|w| [(w, Updates::CompareAndSet), (w, Updates::Merge)])
        {
            let mut written = BTreeSet::new();
            for client in 0..3 {
                let mut generator = generator(*workload, client, updates);
                for _ in 0..300 {
                    let call = generator.next_call();
                    generator.observe(&call, &answer(&call));
                    for micro_op in call.micro_ops() {
                        let value = match micro_op {
                            MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => value,
                            MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => element,
                            _ => continue,
                        };
                        let new = written.insert((micro_op.key().clone(), value.clone()));
                        assert!(new, "{}: {call:?} writes a value for the second time", workload.name());
                    }
                }
            }
        }
    }
}
