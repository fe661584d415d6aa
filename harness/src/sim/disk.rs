//! A disk: what was synced outlives a crash, what was not may be gone.
//!
//! ```text
//!   append [e7 e8]  ── being written ──  sync: durable          a crash before the sync keeps the batch
//!   append [e9]     ── being written ──╳ crash                  whole (it was just done), loses it, or
//!                                                               tears it, which its checksum turns into lost
//! ```
//!
//! A batch that is kept although nobody was told is the case that proves a client's *unknown* right.
//!
//! Limits: a disk here never fails, fills up, or lies about a sync.
//!
//! Source: Pillai et al., *All file systems are not created equal* (OSDI 2014), for what a crash leaves.

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use reference_db::Record;

/// How long a sync takes, from and to.
const SYNC: (Nanos, Nanos) = (Nanos(100_000), Nanos(600_000));
/// Of so many syncs one takes long.
const SLOW_ONE_IN: u32 = 500;
/// How much longer that one takes.
const SLOW_TIMES: u64 = 20;

/// The disk of one node.
pub(super) struct Disk {
    durable: Vec<Record>,
    being_written: Vec<Record>,
    rng: ChaCha8Rng,
}

/// What a crash did to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crashed {
    /// Nothing was being written.
    Idle,
    /// The batch that was being written is there.
    Kept(usize),
    /// It is gone.
    Lost(usize),
    /// Half of it was there, and did not check: it is gone.
    Torn(usize),
}

impl Disk {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self { durable: Vec::new(), being_written: Vec::new(), rng }
    }

    /// Begins to write a batch; gives how long the sync will take.
    pub(super) fn append(&mut self, batch: &mut Vec<Record>) -> Nanos {
        assert!(self.being_written.is_empty(), "a batch is written before the one before is synced");
        std::mem::swap(&mut self.being_written, batch);
        let took = self.rng.random_range(SYNC.0.0..=SYNC.1.0);
        let slow = self.rng.random_range(0..SLOW_ONE_IN) == 0;
        Nanos(if slow { took * SLOW_TIMES } else { took })
    }

    /// The batch is durable.
    pub(super) fn sync(&mut self) {
        self.durable.append(&mut self.being_written);
    }

    /// The machine stops in the middle of what it does.
    pub(super) fn crash(&mut self) -> Crashed {
        let count = self.being_written.len();
        if count == 0 {
            return Crashed::Idle;
        }
        match self.rng.random_range(0..3) {
            0 => {
                self.sync();
                Crashed::Kept(count)
            }
            1 => {
                self.being_written.clear();
                Crashed::Lost(count)
            }
            _ => {
                self.being_written.clear();
                Crashed::Torn(count)
            }
        }
    }

    /// What is found at a start.
    pub(super) fn records(&self) -> &[Record] {
        &self.durable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use reference_db::message::Boot;

    fn batch(boots: &[u64]) -> Vec<Record> {
        let record =
            |boot: &u64| Record::Start { format: 1, origin: "A".parse().unwrap(), boot: Boot(*boot) };
        boots.iter().map(record).collect()
    }

    #[test]
    fn a_crash_takes_whole_batches_that_were_not_synced_and_nothing_else() {
        let mut seen = [false; 3];
        for seed in 0..20 {
            let mut disk = Disk::new(Seed(seed).stream());
            disk.append(&mut batch(&[1, 2]));
            disk.sync();
            assert_eq!(disk.crash(), Crashed::Idle);
            disk.append(&mut batch(&[3, 4]));
            let left = match disk.crash() {
                Crashed::Kept(2) => (0, batch(&[1, 2, 3, 4])),
                Crashed::Lost(2) => (1, batch(&[1, 2])),
                Crashed::Torn(2) => (2, batch(&[1, 2])),
                other => panic!("{other:?}"),
            };
            seen[left.0] = true;
            assert_eq!(disk.records(), left.1);
        }
        assert_eq!(seen, [true; 3]);
    }
}
