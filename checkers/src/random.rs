//! Small random histories, to compare checkers with brute force. Most of them are wrong in some way:
//! what reads saw is drawn too.

use histories::{
    Call, Event, EventKind, Header, History, MicroOp, Nanos, NodeName, Observed, Outcome, Reason, Reply,
    SessionId, Value,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What may occur in a random history, each in percent of the calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) operations: u64,
    pub(crate) sessions: u32,
    pub(crate) keys: u64,
    pub(crate) writes: u64,
    pub(crate) swaps: u64,
    pub(crate) deletes: u64,
    pub(crate) appends: u64,
    pub(crate) adds: u64,
    pub(crate) unknown: u64,
    /// Chance that a write stores a value that was stored before.
    pub(crate) again: u64,
    /// Chance that a read sees several values.
    pub(crate) siblings: u64,
    /// Names of nodes to draw from; 0: nodes are not named.
    pub(crate) nodes: u32,
    /// False: everything happens one after another in no particular time.
    pub(crate) overlapping: bool,
}

impl Recipe {
    pub(crate) const PLAIN: Self = Self {
        operations: 6,
        sessions: 3,
        keys: 1,
        writes: 45,
        swaps: 0,
        deletes: 0,
        appends: 0,
        adds: 0,
        unknown: 0,
        again: 0,
        siblings: 0,
        nodes: 0,
        overlapping: true,
    };

    /// The history that this seed draws.
    pub(crate) fn draw(&self, seed: u64) -> History {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut cook = Cook { recipe: *self, rng: &mut rng, stored: Vec::new(), next: 1 };
        cook.history()
    }
}

struct Cook<'r, R> {
    recipe: Recipe,
    rng: &'r mut R,
    stored: Vec<(u64, Value)>,
    next: i64,
}

impl<R: Rng> Cook<'_, R> {
    fn history(&mut self) -> History {
        let mut free = vec![0_u64; self.recipe.sessions as usize];
        let mut names: Vec<u32> = (0..self.recipe.sessions).collect();
        let most = self.recipe.operations;
        let count = self.rng.random_range(most / 2..=most);
        let mut asked: Vec<(MicroOp, bool)> = (0..count).map(|_| self.micro_op()).collect();
        // What a read or compare-and-set finds is drawn when all values are known.
        for (micro_op, _) in &mut asked {
            self.fill_expectation(micro_op);
        }
        let mut events = Vec::new();
        for (micro_op, unknown) in asked {
            let place = self.rng.random_range(0..free.len());
            let from = free[place] + self.rng.random_range(0..4);
            let to = from + if self.recipe.overlapping { self.rng.random_range(0..5) } else { 1 };
            free[place] = to + 1;
            if !self.recipe.overlapping {
                free = vec![to + 1; free.len()];
            }
            let session = SessionId(names[place]);
            let outcome = match (&micro_op, unknown) {
                (MicroOp::Read { key }, _) => {
                    let key = key.clone();
                    Outcome::confirmed(Reply::read(self.seen(key.as_str())))
                }
                (_, true) => {
                    names[place] += self.recipe.sessions;
                    Outcome::Unknown(Reason::TIMEOUT)
                }
                _ => Outcome::confirmed(Reply::changed(None)),
            };
            let call = Call::Single(micro_op);
            let named = self.recipe.nodes.checked_sub(1);
            let node = named.map(|last| NodeName::from(format!("N{}", self.rng.random_range(0..=last))));
            events.push(((from, 0), EventKind::Invoke { session, node, planned: None, call }));
            events.push(((to, 1), EventKind::Complete { session, outcome }));
        }
        events.sort_by_key(|(order, _)| *order);
        let events =
            events.into_iter().map(|((time, _), kind)| Event { time: Nanos::from_millis(time), kind });
        History::new(Header::default(), events).unwrap()
    }

    fn micro_op(&mut self) -> (MicroOp, bool) {
        let number = self.rng.random_range(0..self.recipe.keys);
        let key = histories::Key::from(format!("x{number}"));
        let unknown = self.rng.random_range(0..100) < self.recipe.unknown;
        let dice = self.rng.random_range(0..100);
        let mut sum = 0;
        let mut is = |percent: u64| {
            sum += percent;
            dice < sum
        };
        if is(self.recipe.writes) {
            return (MicroOp::Write { key, value: self.value(number) }, unknown);
        }
        if is(self.recipe.swaps) {
            let value = self.value(number);
            return (MicroOp::CompareAndSet { key, expected: Box::default(), value }, unknown);
        }
        if is(self.recipe.deletes) {
            return (MicroOp::Delete { key }, unknown);
        }
        if is(self.recipe.appends) {
            return (MicroOp::Append { key, element: self.value(number) }, unknown);
        }
        if is(self.recipe.adds) {
            return (MicroOp::Add { key, element: self.value(number) }, unknown);
        }
        (MicroOp::Read { key }, false)
    }

    fn value(&mut self, key: u64) -> Value {
        if !self.stored.is_empty() && self.rng.random_range(0..100) < self.recipe.again {
            let place = self.rng.random_range(0..self.stored.len());
            return self.stored[place].1.clone();
        }
        let value = Value::from(self.next);
        self.next += 1;
        self.stored.push((key, value.clone()));
        value
    }

    fn fill_expectation(&mut self, micro_op: &mut MicroOp) {
        if let MicroOp::CompareAndSet { key, expected, .. } = micro_op {
            let key = key.clone();
            **expected = self.one(key.as_str()).map(Observed::value).unwrap_or_default();
        }
    }

    fn one(&mut self, key: &str) -> Option<Value> {
        let known: Vec<Value> = self.known(key);
        let place = self.rng.random_range(0..known.len() + 1);
        known.get(place).cloned()
    }

    fn known(&self, key: &str) -> Vec<Value> {
        let here = |number: &u64| format!("x{number}") == key;
        self.stored.iter().filter(|(number, _)| here(number)).map(|(_, value)| value.clone()).collect()
    }

    fn seen(&mut self, key: &str) -> Observed {
        if self.recipe.appends + self.recipe.adds > 0 {
            let mut known = self.known(key);
            known.retain(|_| self.rng.random_range(0..3) > 0);
            return Observed::value(Value::from_iter(known));
        }
        let mut observed = Observed { values: self.one(key).into_iter().collect(), versions: Vec::new() };
        if self.rng.random_range(0..100) < self.recipe.siblings {
            observed.values.extend(self.one(key));
            observed.values.dedup();
        }
        observed
    }
}
