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
//! A disk may be in trouble. A full one takes no batch; one that errs or loses power ends in the middle of
//! one; after each of these its process has to end, for nobody knows what is durable. A disk that lies takes
//! batches into a cache and calls them durable: they are when it stops lying, and a crash before takes some
//! of them, the last ones.
//!
//! Source: Pillai et al., *All file systems are not created equal* (OSDI 2014), for what a crash leaves.

use histories::Nanos;
use nemesis::DiskTrouble;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use reference_db::Record;

use super::network::FaultIndex;

/// How long a sync takes, from and to.
const SYNC: (Nanos, Nanos) = (Nanos(100_000), Nanos(600_000));
/// Of so many syncs one takes long.
const SLOW_ONE_IN: u32 = 500;
/// How much longer that one takes.
const SLOW_TIMES: u64 = 20;

/// The disk of one node.
pub(super) struct Disk {
    durable: Vec<Record>,
    /// Called durable, and not: in the order in which they were written.
    cached: Vec<Record>,
    being_written: Vec<Record>,
    trouble: Option<(DiskTrouble, FaultIndex)>,
    rng: ChaCha8Rng,
}

/// A write that failed: its process cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) trouble: DiskTrouble,
    pub(super) fault: FaultIndex,
    /// What became of the batch.
    pub(super) crashed: Crashed,
}

/// A sync that returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synced {
    /// What was written is durable.
    Durable,
    /// It is not, though the disk said so.
    Lied(FaultIndex),
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
    /// The disk had lied: so many records that were called durable are gone, and what was being written.
    Forgotten(usize),
}

impl Disk {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        let (durable, cached, being_written) = (Vec::new(), Vec::new(), Vec::new());
        Self { durable, cached, being_written, trouble: None, rng }
    }

    /// From now on it is in trouble.
    pub(super) fn spoil(&mut self, trouble: DiskTrouble, fault: FaultIndex) {
        self.trouble = Some((trouble, fault));
    }

    /// It does its duty again. What it had only called durable is; says how many records those are.
    pub(super) fn mend(&mut self) -> usize {
        self.trouble = None;
        let count = self.cached.len();
        self.durable.append(&mut self.cached);
        count
    }

    /// Forgets everything; says how many records those were.
    pub(super) fn wipe(&mut self) -> usize {
        let count = self.durable.len() + self.cached.len();
        self.durable.clear();
        self.cached.clear();
        count
    }

    /// Begins to write a batch; gives how long the sync will take.
    pub(super) fn append(&mut self, batch: &mut Vec<Record>) -> Result<Nanos, Broken> {
        assert!(self.being_written.is_empty(), "a batch is written before the one before is synced");
        std::mem::swap(&mut self.being_written, batch);
        if let Some((trouble @ DiskTrouble::Full, fault)) = self.trouble {
            let crashed = Crashed::Lost(self.being_written.len());
            self.being_written.clear();
            return Err(Broken { trouble, fault, crashed });
        }
        let took = self.rng.random_range(SYNC.0.0..=SYNC.1.0);
        let slow = self.rng.random_range(0..SLOW_ONE_IN) == 0;
        Ok(Nanos(if slow { took * SLOW_TIMES } else { took }))
    }

    /// The sync returns: the batch is durable, unless the disk is in trouble.
    pub(super) fn sync(&mut self) -> Result<Synced, Broken> {
        match self.trouble {
            // The room was taken when it was written.
            None | Some((DiskTrouble::Full, _)) => {
                self.durable.append(&mut self.being_written);
                Ok(Synced::Durable)
            }
            Some((DiskTrouble::Lies, fault)) => {
                self.cached.append(&mut self.being_written);
                Ok(Synced::Lied(fault))
            }
            // Of a sync that failed any part may be there; that a checksum covers it makes that all or nothing.
            Some((trouble @ DiskTrouble::Error, fault)) => {
                Err(Broken { trouble, fault, crashed: self.crash() })
            }
            Some((trouble @ DiskTrouble::Torn, fault)) => {
                let crashed = Crashed::Torn(self.being_written.len());
                self.being_written.clear();
                Err(Broken { trouble, fault, crashed })
            }
        }
    }

    /// The machine stops in the middle of what it does.
    pub(super) fn crash(&mut self) -> Crashed {
        if !self.cached.is_empty() {
            return self.forget();
        }
        let count = self.being_written.len();
        if count == 0 {
            return Crashed::Idle;
        }
        match self.rng.random_range(0..3) {
            0 => {
                self.durable.append(&mut self.being_written);
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

    /// A part of the cache had found its way to the disk: none of it as often as any.
    fn forget(&mut self) -> Crashed {
        self.being_written.clear();
        let kept = match self.rng.random_range(0..2) {
            0 => 0,
            _ => self.rng.random_range(0..self.cached.len() as u32) as usize,
        };
        let count = self.cached.len() - kept;
        self.durable.extend(self.cached.drain(..).take(kept));
        Crashed::Forgotten(count)
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
            disk.append(&mut batch(&[1, 2])).unwrap();
            assert_eq!(disk.sync(), Ok(Synced::Durable));
            assert_eq!(disk.crash(), Crashed::Idle);
            disk.append(&mut batch(&[3, 4])).unwrap();
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

    #[test]
    fn what_a_disk_lied_about_is_gone_after_a_crash_and_there_after_a_heal() {
        let lied = |seed: u64| {
            let mut disk = Disk::new(Seed(seed).stream());
            disk.append(&mut batch(&[1])).unwrap();
            disk.sync().unwrap();
            disk.spoil(DiskTrouble::Lies, 5);
            for boot in 2..=4 {
                disk.append(&mut batch(&[boot])).unwrap();
                assert_eq!(disk.sync(), Ok(Synced::Lied(5)));
            }
            disk
        };
        let mut left = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let mut disk = lied(seed);
            let Crashed::Forgotten(count) = disk.crash() else { panic!("the lie had no consequence") };
            assert!(count > 0);
            assert_eq!(disk.records(), &batch(&[1, 2, 3, 4])[..4 - count]);
            left.insert(disk.records().len());
        }
        assert_eq!(left.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        let mut mended = lied(0);
        assert_eq!(mended.mend(), 3);
        assert_eq!((mended.crash(), mended.records()), (Crashed::Idle, &batch(&[1, 2, 3, 4])[..]));
    }

    #[test]
    fn a_write_that_fails_is_not_durable_and_says_so() {
        for (trouble, at_append) in
            [(DiskTrouble::Full, true), (DiskTrouble::Error, false), (DiskTrouble::Torn, false)]
        {
            let mut disk = Disk::new(Seed(2).stream());
            disk.spoil(trouble, 1);
            let appended = disk.append(&mut batch(&[1, 2]));
            assert_eq!(appended.is_err(), at_append, "{trouble:?}");
            let broken = if at_append { appended.unwrap_err() } else { disk.sync().unwrap_err() };
            assert_eq!((broken.trouble, broken.fault), (trouble, 1));
            let kept = matches!(broken.crashed, Crashed::Kept(2));
            assert_eq!(disk.records().len(), if kept { 2 } else { 0 });
            disk.mend();
            disk.append(&mut batch(&[3])).unwrap();
            assert_eq!(disk.sync(), Ok(Synced::Durable));
        }
    }
}
