//! Swarm: what a seed draws besides faults, where the plan leaves it open: the shape of the cluster and of
//! the load.
//!
//! ```text
//! seed 7f3a91c2    4 nodes in a ring, fifo     roaming sessions    12 of 16 keys hot    380 calls a second
//! seed 7f3a91c3    2 nodes, all to all, causal sticky sessions     one key              60 calls a second
//! ```
//!
//! Each setting has a stream of its own, so that a plan that says one does not change the others. Faults
//! themselves are drawn by [`Schedule::swarm`](nemesis::Schedule::swarm).
//!
//! Source: Groce and others, ISSTA 2012, "Swarm testing".

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use reference_db::{Delivery, Topology};

use crate::plan::layer::Merged;
use crate::plan::{Faults, KeyDistribution, Plan, Routing};
use crate::rng::Seed;
use crate::target::TargetSpec;

/// One setting that a swarm draws.
struct Drawn {
    /// As in the plan.
    path: &'static str,
    draw: fn(&mut Plan, &mut ChaCha8Rng),
}

/// Every setting that a swarm draws, if the plan does not say it.
static DRAWN: &[Drawn] = &[
    Drawn {
        path: "target.nodes",
        draw: |plan, rng| on_target(plan, |spec| spec.nodes = rng.random_range(2..6)),
    },
    Drawn {
        path: "target.topology",
        draw: |plan, rng| on_target(plan, |spec| spec.topology = one_of(Topology::ALL, rng)),
    },
    Drawn {
        path: "target.delivery",
        draw: |plan, rng| on_target(plan, |spec| spec.delivery = one_of(Delivery::ALL, rng)),
    },
    Drawn { path: "load.clients", draw: |plan, rng| plan.load.clients = rng.random_range(2..17) },
    Drawn {
        path: "load.sessions",
        draw: |plan, rng| plan.load.sessions = Some(one_of(&[Routing::Sticky, Routing::Roam], rng)),
    },
    Drawn { path: "load.rate", draw: |plan, rng| plan.load.rate = rng.random_range(50..601) },
    // Few keys are as likely as many: on few there are more conflicts.
    Drawn {
        path: "load.keys",
        draw: |plan, rng| plan.load.keys = rng.random_range(1..4) << rng.random_range(0..7_u32),
    },
    Drawn {
        path: "load.key-distribution",
        draw: |plan, rng| plan.load.key_distribution = one_of(&KeyDistribution::ALL, rng),
    },
];

/// Whether a swarm draws the setting at `path` of this plan.
pub(crate) fn draws(merged: &Merged, path: &str) -> bool {
    let swarm = matches!(merged.plan.faults, Faults::Swarm(_));
    swarm && !merged.origins.contains_key(path) && DRAWN.iter().any(|drawn| drawn.path == path)
}

/// The plan as this seed runs it: itself, unless it asks for a swarm.
pub(crate) fn shape(merged: &Merged, seed: Seed) -> Plan {
    let mut plan = merged.plan.clone();
    for drawn in DRAWN.iter().filter(|drawn| draws(merged, drawn.path)) {
        let before = plan.target.clone();
        (drawn.draw)(&mut plan, &mut seed.fork("swarm").fork(drawn.path).stream());
        // A planted bug may need the delivery that it has, or it could never bite.
        if plan.target.admit().is_err() {
            plan.target = before;
        }
    }
    plan
}

fn on_target(plan: &mut Plan, change: impl FnOnce(&mut crate::target::ReferenceSpec)) {
    match &mut plan.target {
        TargetSpec::Reference(spec) => change(spec),
        TargetSpec::Control | TargetSpec::Urls(_) => {}
    }
}

fn one_of<T: Copy>(choices: &[T], rng: &mut ChaCha8Rng) -> T {
    choices[rng.random_range(0..choices.len() as u32) as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::layer::{Layer, Origin, merge};

    fn merged(settings: &[(&str, &str)]) -> Merged {
        let mut layer = Layer::default();
        for (path, value) in settings {
            layer.set(*path, *value, Origin::Flag(format!("--{path}")));
        }
        merge(Plan::default(), &[layer]).unwrap_or_else(|stop| panic!("{:#}", stop.error))
    }

    fn shapes(settings: &[(&str, &str)], part: fn(&Plan) -> String) -> BTreeSet<String> {
        let merged = merged(settings);
        (0..60).map(|seed| part(&shape(&merged, Seed(seed)))).collect()
    }

    #[test]
    fn every_part_is_drawn_and_the_same_for_a_seed() {
        let swarm = [("faults", "swarm")];
        assert!(shapes(&swarm, |plan| plan.target.to_string()).len() > 20);
        assert!(shapes(&swarm, |plan| format!("{:?}", plan.load)).len() == 60);
        assert_eq!(shapes(&swarm, |plan| format!("{:?}", plan.load.key_distribution)).len(), 3);
        let (one, other) = (shape(&merged(&swarm), Seed(3)), shape(&merged(&swarm), Seed(3)));
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }

    #[test]
    fn what_the_plan_says_is_not_drawn_and_changes_nothing_else() {
        let said = [("faults", "swarm"), ("load.clients", "5"), ("target", "reference:crdt,topology=ring")];
        assert_eq!(shapes(&said, |plan| plan.load.clients.to_string()).len(), 1);
        let targets = shapes(&said, |plan| plan.target.to_string());
        assert!(targets.len() > 4 && targets.iter().all(|target| target.contains("topology=ring")));
        let load = |plan: &Plan| format!("{} {}", plan.load.rate, plan.load.keys);
        assert_eq!(shapes(&said, load), shapes(&[("faults", "swarm")], load));
        // Three nodes are what is built in, and said all the same.
        let three = [("faults", "swarm"), ("target", "reference:lww,nodes=3")];
        assert_eq!(shapes(&three, |plan| plan.target.nodes().len().to_string()).len(), 1);
        let targets = shapes(&[("faults", "partition")], |plan| plan.target.to_string());
        assert_eq!(targets.into_iter().collect::<Vec<_>>(), ["reference:lww"]);
    }

    #[test]
    fn a_stored_plan_is_drawn_in_the_same_way_again() {
        for settings in [
            vec![("faults", "swarm,wipe")],
            vec![("faults", "swarm"), ("target", "reference:lww,nodes=3"), ("load.rate", "0")],
        ] {
            let first = merged(&settings);
            let file = crate::plan::file::parse("plan.toml", &first.show(), None);
            let file = file.unwrap_or_else(|stop| panic!("{:#}\n{}", stop.error, first.show()));
            let again =
                merge(Plan::default(), &[file.settings]).unwrap_or_else(|stop| panic!("{:#}", stop.error));
            for seed in (0..20).map(Seed) {
                assert_eq!(format!("{:?}", shape(&first, seed)), format!("{:?}", shape(&again, seed)));
            }
        }
    }

    #[test]
    fn a_planted_bug_keeps_what_it_needs_to_bite() {
        let bug = [("faults", "swarm"), ("target", "reference:lww,defects=apply-dependent-early")];
        for seed in (0..40).map(Seed) {
            assert_eq!(shape(&merged(&bug), seed).target.admit(), Ok(()));
        }
    }
}
