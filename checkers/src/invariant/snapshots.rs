//! Reads of several keys at once, of keys that are written once each: what such a read found is a set of
//! writes that it saw, and the rest that it did not.
//!
//! ```text
//!   txn read x; read y → 1; nothing        saw the write of x, not that of y
//! ```

use std::collections::BTreeMap;

use histories::MicroOp;

use crate::Facts;
use crate::facts::{Address, KeyKind, KeyNumber};

/// One read of several keys.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// By key: where it is read, and whether it was there.
    pub(super) found: Vec<(KeyNumber, Address, bool)>,
}

impl Snapshot {
    pub(super) fn at(&self) -> Address {
        self.found[0].1
    }

    pub(super) fn place(&self, key: KeyNumber) -> Address {
        let place = self.found.binary_search_by_key(&key, |(key, ..)| *key);
        self.found[place.unwrap_or(0)].1
    }
}

/// All confirmed reads of at least two such keys, by operation.
pub(super) struct Snapshots {
    pub(super) all: Vec<Snapshot>,
    /// Of each key: its one write, if it has one.
    pub(super) writes: Vec<Option<Address>>,
}

impl Snapshots {
    /// O(n) in operations.
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        let writes: Vec<Option<Address>> = facts.keys().map(|key| only_write(facts, key)).collect();
        let mut all = Vec::new();
        for operation in facts.history().operations() {
            if !operation.is_confirmed() || !operation.call.is_read_only() {
                continue;
            }
            let mut found = Vec::new();
            for index in 0..operation.call.micro_ops().len() as u32 {
                let at = Address { operation: operation.id, index };
                let key = facts.key_of(at);
                let Some(observed) = facts.observed(at) else { continue };
                // What is neither the write nor nothing says nothing about the write.
                let sees = facts.seen(at).first().and_then(|maker| maker.one());
                let is_clear =
                    observed.is_absent() || observed.values.len() == 1 && sees == writes[key.index()];
                if writes[key.index()].is_some() && is_clear {
                    found.push((key, at, !observed.is_absent()));
                }
            }
            found.sort_unstable();
            found.dedup_by_key(|(key, ..)| *key);
            if found.len() > 1 {
                all.push(Snapshot { found });
            }
        }
        Self { all, writes }
    }

    pub(super) fn write(&self, key: KeyNumber) -> Address {
        self.writes[key.index()].expect("a snapshot's keys are written once")
    }

    /// Snapshots of the same keys.
    pub(super) fn by_keys(&self) -> BTreeMap<Vec<KeyNumber>, Vec<&Snapshot>> {
        let mut groups: BTreeMap<Vec<KeyNumber>, Vec<&Snapshot>> = BTreeMap::new();
        for snapshot in &self.all {
            let keys = snapshot.found.iter().map(|(key, ..)| *key).collect();
            groups.entry(keys).or_default().push(snapshot);
        }
        groups
    }
}

// One blind write that may have happened, and nothing else that changes the key.
fn only_write(facts: &Facts<'_>, key: KeyNumber) -> Option<Address> {
    let usage = facts.usage(key);
    if facts.kind(key) != KeyKind::Register || usage.compare_and_sets + usage.deletes > 0 {
        return None;
    }
    let mut writes = facts.on_key(key).iter().copied().filter(|at| {
        matches!(facts.micro_op(*at), MicroOp::Write { .. }) && facts.operation(*at).is_possible()
    });
    let write = writes.next()?;
    writes.next().is_none().then_some(write)
}

#[cfg(test)]
pub(super) mod tests {
    use histories::{History, text};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Up to three keys, each written once, and up to three reads of two or three of them.
    pub(in crate::invariant) fn draw(seed: u64) -> History {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut script = String::new();
        for (session, key) in ["x", "y", "z"].iter().enumerate() {
            let from = rng.random_range(0..12);
            let to = from + rng.random_range(0..6);
            let outcome = ["ok", "ok", "ok", "unknown"][rng.random_range(0..4)];
            script.push_str(&format!("c{session} {from}..{to} write {key} 1 -> {outcome}\n"));
        }
        for session in 3..6 {
            let from = rng.random_range(0..12);
            let to = from + rng.random_range(0..6);
            let keys = [&["x", "y"][..], &["y", "z"], &["x", "y", "z"]][rng.random_range(0..3)];
            let reads: Vec<String> = keys.iter().map(|key| format!("read {key}")).collect();
            let seen: Vec<&str> = keys.iter().map(|_| ["1", "nothing"][rng.random_range(0..2)]).collect();
            script.push_str(&format!(
                "c{session} {from}..{to} txn {} -> {}\n",
                reads.join("; "),
                seen.join("; ")
            ));
        }
        text::parse(&script).unwrap()
    }
}
