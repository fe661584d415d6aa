//! Swarm: another shape of trouble for each seed.
//!
//! ```text
//! seed 1    kill ×4  lose ×1                       2 short faults, far apart
//! seed 2    clock ×2  clog ×8  disk-full ×1  …     9 long ones, over each other where that can be
//! ```
//!
//! A mix of everything in each run finds less than many runs with a few kinds each: some faults hide
//! what others would show (who is always cut off sees no overtaking). So a seed draws which kinds are on,
//! how much each weighs, how many faults there are and how long they last, and only then the faults.
//!
//! Sources: Groce and others, ISSTA 2012, "Swarm testing"; TigerBeetle's VOPR and FoundationDB's
//! simulation, which draw the odds of every fault from the seed.

use histories::{FaultId, Nanos, NodeName};
use rand::{Rng, RngExt};

use crate::fault::{self, FAULTS, Fault};
use crate::schedule::{clash, overlap};
use crate::{Controls, Error, PlannedFault, Schedule};

/// One fault for each half second of the load, and no more than this.
const COUNT_MAX: u32 = 12;
/// The shortest fault, in milliseconds, unless the load is shorter.
const SHORTEST_MS: u32 = 100;

/// What a seed draws before its faults.
struct Shape {
    /// Kinds that are on, each with its weight.
    kinds: Vec<(&'static dyn Fault, u32)>,
    count: u32,
    /// Of one fault, in milliseconds.
    longest_ms: u32,
}

impl Schedule {
    /// A schedule whose every part is drawn: kinds that the target offers, weights, number, times,
    /// lengths and targets. `asked` are kinds that are on in any case; of the rest only those that a
    /// sound database survives are drawn.
    ///
    /// It is empty where nothing is offered, or where nothing suits so few nodes.
    pub fn swarm<R: Rng>(
        asked: &[&str],
        offered: Controls,
        nodes: &[NodeName],
        end_of_load: Nanos,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let run_ms = u32::try_from(end_of_load.0 / 1_000_000).unwrap_or(u32::MAX).max(1);
        let shape = Shape::draw(asked, offered, run_ms, rng)?;
        let mut faults: Vec<PlannedFault> = Vec::new();
        for _ in 0..shape.count {
            let Some(fault) = shape.fault(nodes, run_ms, rng)? else { continue };
            if !faults.iter().any(|other| overlap(&fault, other) && clash(&fault, other).is_some()) {
                faults.push(fault);
            }
        }
        faults.sort_by_key(|fault| fault.at);
        for (index, fault) in faults.iter_mut().enumerate() {
            fault.id = FaultId(u32::try_from(index).unwrap_or(u32::MAX));
        }
        Ok(Self { faults })
    }
}

impl Shape {
    fn draw(asked: &[&str], offered: Controls, run_ms: u32, rng: &mut dyn Rng) -> Result<Self, Error> {
        let asked = asked.iter().map(|name| fault::find(name)).collect::<Result<Vec<_>, Error>>()?;
        let is_asked = |fault: &&dyn Fault| asked.iter().any(|other| other.name() == fault.name());
        let candidates: Vec<&'static dyn Fault> = FAULTS
            .iter()
            .copied()
            .filter(|fault| offered.offers(fault.needs()) && (fault.is_survivable() || is_asked(fault)))
            .collect();
        let mut kinds: Vec<&'static dyn Fault> = candidates
            .iter()
            .copied()
            .filter(|fault| rng.random_range(0..2_u32) == 0 || is_asked(fault))
            .collect();
        if kinds.is_empty() && !candidates.is_empty() {
            kinds.push(candidates[rng.random_range(0..candidates.len() as u32) as usize]);
        }
        let kinds: Vec<_> = kinds.into_iter().map(|fault| (fault, 1 << rng.random_range(0..4_u32))).collect();
        let count =
            if kinds.is_empty() { 0 } else { rng.random_range(1..=(run_ms / 500).clamp(1, COUNT_MAX)) };
        let longest_ms = (run_ms >> rng.random_range(1..4_u32)).max(SHORTEST_MS).min(run_ms);
        Ok(Self { kinds, count, longest_ms })
    }

    /// One fault, if its kind suits so few nodes.
    fn fault(
        &self,
        nodes: &[NodeName],
        run_ms: u32,
        rng: &mut dyn Rng,
    ) -> Result<Option<PlannedFault>, Error> {
        let kind = self.kind(rng);
        let duration = rng.random_range(SHORTEST_MS.min(self.longest_ms)..=self.longest_ms);
        // It ends with the load at the latest.
        let at = rng.random_range(0..=run_ms - duration);
        let form = kind.parse(&kind.draw(nodes, rng))?;
        let resolved = match form.resolve(nodes, rng) {
            Ok(resolved) => resolved,
            Err(Error::TooFewNodes { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(PlannedFault {
            id: FaultId(0),
            name: kind.name().to_owned(),
            at: Nanos::from_millis(at.into()),
            duration: Nanos::from_millis(duration.into()),
            summary: resolved.summary,
            effects: resolved.effects,
            flap_period: resolved.flap_period,
            trigger: None,
        }))
    }

    fn kind(&self, rng: &mut dyn Rng) -> &'static dyn Fault {
        let mut left = rng.random_range(0..self.kinds.iter().map(|(_, weight)| weight).sum::<u32>());
        for (fault, weight) in &self.kinds {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *fault,
            }
        }
        unreachable!("{left} is left of the weights of {} kinds", self.kinds.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::fault::tests::nodes;

    fn swarm(seed: u64, asked: &[&str], offered: Controls, names: &str) -> Schedule {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        Schedule::swarm(asked, offered, &nodes(names), Nanos::from_millis(6_000), rng).unwrap()
    }

    #[test]
    fn each_seed_is_another_shape_and_every_kind_comes() {
        let (mut shapes, mut kinds) = (BTreeSet::new(), BTreeMap::<String, u32>::new());
        for seed in 0..300 {
            let schedule = swarm(seed, &[], Controls::ALL, "A B C D");
            assert_eq!(schedule, swarm(seed, &[], Controls::ALL, "A B C D"));
            assert!(!schedule.faults.is_empty());
            let shape: BTreeSet<String> = schedule.faults.iter().map(|fault| fault.name.clone()).collect();
            shape.iter().for_each(|kind| *kinds.entry(kind.clone()).or_default() += 1);
            shapes.insert(shape);
        }
        assert!(shapes.len() > 150, "{} shapes", shapes.len());
        for fault in FAULTS {
            let seen = kinds.get(fault.name()).copied().unwrap_or_default();
            assert_eq!(seen > 20, fault.is_survivable(), "{}: {seen} of 300", fault.name());
        }
    }

    #[test]
    fn faults_overlap_where_they_combine_and_only_there() {
        let mut overlapping = 0;
        for seed in 0..200 {
            let faults = swarm(seed, &["wipe", "disk-lies"], Controls::ALL, "A B C").faults;
            for (index, one) in faults.iter().enumerate() {
                assert_eq!(one.id.index(), index);
                assert!(one.duration > Nanos(0) && one.end() <= Nanos::from_millis(6_000));
                for other in faults[index + 1..].iter().filter(|other| overlap(one, other)) {
                    assert_eq!(clash(one, other), None);
                    overlapping += 1;
                }
            }
        }
        assert!(overlapping > 100, "{overlapping}");
    }

    #[test]
    fn only_what_is_offered_and_suits_the_nodes_is_drawn() {
        let network = Controls { network: true, ..Controls::default() };
        for seed in 0..100 {
            network.admit(&swarm(seed, &[], network, "A B C")).unwrap();
            assert_eq!(swarm(seed, &[], Controls::default(), "A B C"), Schedule::default());
            let alone = swarm(seed, &[], Controls::ALL, "A");
            assert!(alone.faults.iter().all(|fault| fault.links().is_empty()));
        }
    }
}
