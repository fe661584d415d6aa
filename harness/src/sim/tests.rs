//! Simulated runs as a whole: they repeat to the byte, they pass every check that a live one passes,
//! and each mode does what it promises.
//!
//! `SIM_SEEDS=1000 cargo test -p harness sim --release` plays more seeds than the usual 30.

use checkers::Judgement;
use histories::format::jsonl;
use histories::{Event, EventKind, FaultStage, History, HistoryBuilder, Nanos, Outcome, Phase};
use rand::RngExt;
use rand::seq::IndexedRandom;
use reference_db::Mode;

use super::{Ended, Scenario, simulate};
use crate::judge::{Judged, judge};
use crate::plan::Plan;
use crate::plan::layer::{Layer, Merged, Origin, merge};
use crate::rng::Seed;
use crate::run::{Prepared, prepare};
use crate::workload::WORKLOADS;

/// A simulated plan with these settings.
fn plan(settings: &[(&str, &str)]) -> Merged {
    let mut layer = Layer::default();
    for (path, value) in [("world", "sim")].iter().chain(settings) {
        layer.set(*path, *value, Origin::Flag(format!("--{path}")));
    }
    merge(Plan::default(), &[layer]).unwrap_or_else(|stop| panic!("{:#}", stop.error))
}

fn prepared(merged: &Merged, seed: Seed) -> Prepared {
    prepare(merged, seed).unwrap_or_else(|stop| panic!("{:#}", stop.error))
}

fn play(prepared: &Prepared, record: &mut dyn FnMut(Event)) -> Ended {
    let Prepared { target, workload, resolved, .. } = prepared;
    let scenario = Scenario { target, resolved, workload: *workload };
    simulate(scenario, record, &|| false)
}

/// The history as it would be on the disk.
pub(super) fn bytes(merged: &Merged, seed: Seed) -> Vec<u8> {
    let (prepared, mut bytes) = (prepared(merged, seed), Vec::new());
    jsonl::write_header(&mut bytes, &prepared.header).unwrap();
    play(&prepared, &mut |event| jsonl::write_event(&mut bytes, &event).unwrap());
    bytes
}

pub(super) fn judged(merged: &Merged, seed: Seed) -> (History, Judged, Ended) {
    let prepared = prepared(merged, seed);
    let mut builder = HistoryBuilder::new(prepared.header.clone());
    let ended = play(&prepared, &mut |event| {
        builder.push(event).unwrap_or_else(|flaw| panic!("seed {seed}: {flaw}"));
    });
    let history = builder.finish();
    let judged = judge(&history, &prepared.rules);
    (history, judged, ended)
}

fn judgement<'a>(judged: &'a Judged, guarantee: &str) -> &'a Judgement {
    let row = judged.rows.iter().find(|row| row.verdict.guarantee == guarantee);
    &row.unwrap_or_else(|| panic!("{guarantee} was not judged")).verdict.judgement
}

pub(super) fn is_broken(judged: &Judged, guarantee: &str) -> bool {
    *judgement(judged, guarantee) == Judgement::Broken
}

/// The command that shows a seed to a person.
pub(super) fn command(merged: &Merged, seed: Seed) -> String {
    let settings: Vec<String> = merged.show().lines().map(str::to_string).collect();
    format!("seed {seed} of the plan\n{}", settings.join("\n"))
}

/// Another kind of cluster, load and trouble for each seed.
pub(super) fn mixed(seed: Seed) -> Merged {
    let mut rng = seed.fork("mixture").stream();
    let mode = Mode::ALL.choose(&mut rng).unwrap().name();
    let control = rng.random_range(0..10_u32) == 0;
    let target = if control { "control".to_string() } else { format!("reference:{mode}") };
    plan(&[
        ("target", &target),
        ("faults", "swarm"),
        ("load.duration", &format!("{}ms", rng.random_range(1500..4000_u32))),
        ("load.workload", WORKLOADS[seed.0 as usize % WORKLOADS.len()].name()),
    ])
}

pub(super) fn seeds() -> impl Iterator<Item = Seed> {
    let count = std::env::var("SIM_SEEDS").ok().map_or(30, |count| count.parse().unwrap());
    (0..count).map(Seed)
}

#[test]
fn another_seed_makes_another_history() {
    let merged = plan(&[("load.duration", "1s"), ("faults", "none")]);
    assert_ne!(bytes(&merged, Seed(1)), bytes(&merged, Seed(2)));
}

#[test]
fn what_is_simulated_reads_back_and_converges_and_makes_nothing_up() {
    for seed in seeds() {
        let merged = mixed(seed);
        let written = bytes(&merged, seed);
        let reading = histories::format::read(written.as_slice()).unwrap();
        assert_eq!(reading.warnings, Vec::<String>::new());
        let (history, judged, ended) = judged(&merged, seed);
        assert_eq!(reading.history, history, "{}", command(&merged, seed));
        assert!(ended.equal && ended.answered == ended.asked, "{ended:?}\n{}", command(&merged, seed));
        assert_eq!(ended.calls, history.operations().len() as u64);
        for row in &judged.rows {
            let sacred = matches!(row.verdict.guarantee, "convergence" | "no-made-up-values");
            let told = row.verdict.findings.first().map_or("", |finding| &finding.story);
            assert!(!sacred || !row.verdict.is_broken(), "{told}\n{}", command(&merged, seed));
        }
    }
}

#[test]
fn the_single_copy_holds_everything() {
    for workload in WORKLOADS {
        let merged = plan(&[
            ("target", "control"),
            ("load.workload", workload.name()),
            ("load.duration", "4s"),
            ("load.keys", "20"),
        ]);
        for seed in [1, 2] {
            let (_, judged, _) = judged(&merged, Seed(seed));
            for guarantee in workload.guarantees() {
                assert!(!is_broken(&judged, guarantee), "{}: {guarantee}", workload.name());
            }
        }
    }
}

#[test]
fn lww_under_a_partition_loses_updates() {
    let merged = plan(&[("target", "reference:lww"), ("load.duration", "6s")]);
    let losing = (0..10).filter(|seed| is_broken(&judged(&merged, Seed(*seed)).1, "no-lost-updates"));
    assert!(losing.count() >= 1, "no seed of 10 lost an update");
}

#[test]
fn siblings_and_crdt_lose_nothing_under_partitions_and_kills() {
    for target in ["reference:siblings", "reference:crdt"] {
        let merged = plan(&[
            ("target", target),
            ("load.duration", "5s"),
            ("load.keys", "50"),
            ("faults", "partition,kill"),
        ]);
        for seed in (0..20).map(Seed) {
            let (_, judged, ended) = judged(&merged, seed);
            assert!(ended.equal, "{target}, seed {seed}: the nodes differ");
            for guarantee in ["no-lost-updates", "convergence"] {
                let found = judgement(&judged, guarantee);
                assert_eq!(*found, Judgement::Held, "{guarantee}: {}", command(&merged, seed));
            }
        }
    }
}

#[test]
fn a_single_leader_without_faults_breaks_nothing() {
    for workload in WORKLOADS {
        let merged = plan(&[
            ("target", "reference:single-leader"),
            ("load.workload", workload.name()),
            ("load.duration", "4s"),
            ("load.keys", "20"),
            ("faults", "none"),
        ]);
        for seed in (0..3).map(Seed) {
            let (_, judged, _) = judged(&merged, seed);
            for row in &judged.rows {
                assert!(!row.verdict.is_broken(), "{}: {}", row.verdict.guarantee, command(&merged, seed));
            }
            if workload.name() == "register" {
                assert_eq!(*judgement(&judged, "linearizable"), Judgement::Held, "seed {seed}");
            }
        }
    }
}

/// In an unequal mesh an answer can overtake what it answers: B, near A, reads and answers; C, far from
/// A and near B, has the answer first. Causal delivery makes it wait, first-in-first-out does not.
#[test]
fn causal_delivery_waits_for_causes_and_fifo_does_not() {
    let breaks = |delivery: &str| {
        let target = format!("reference:lww,delivery={delivery}");
        let merged = plan(&[
            ("target", &target),
            ("load.workload", "session-mix"),
            ("load.sessions", "sticky"),
            ("load.keys", "5"),
            ("load.duration", "4s"),
            ("faults", "slow"),
        ]);
        (0..10).filter(|seed| is_broken(&judged(&merged, Seed(*seed)).1, "causal-order")).count()
    };
    assert_eq!(breaks("causal"), 0);
    assert!(breaks("fifo") > 0, "no seed of 10 broke causal order under fifo");
}

/// Sets the faults of a plan, as in a plan file.
fn with_faults(merged: &mut Merged, faults: &str) {
    let file = crate::plan::file::parse("test.toml", &format!("version = 1\n{faults}"), None).unwrap();
    merged.plan.faults = crate::plan::Faults::Listed(file.settings.faults);
}

#[test]
fn a_fault_that_waits_begins_before_anything_else_happens() {
    let mut merged = plan(&[("load.duration", "3s")]);
    with_faults(
        &mut merged,
        "[[fault]]\nwhen = { confirmed = 'append', node = 'A', nth = 5 }\nthen = { kill = 'A' }\nfor = '300ms'\n\
         [[fault]]\nwhen = { fault = 0, delay = '10ms' }\nthen = { partition = ['A', 'B C'] }\nfor = '500ms'",
    );
    assert_eq!(bytes(&merged, Seed(7)), bytes(&merged, Seed(7)));
    let (mut events, prepared) = (Vec::new(), prepared(&merged, Seed(7)));
    play(&prepared, &mut |event| events.push(event));
    let begins = |fault: u32| {
        let injecting = |kind: &EventKind| match kind {
            EventKind::Fault(event) => event.fault.0 == fault && event.stage == FaultStage::Injecting,
            _ => false,
        };
        events.iter().position(|event| injecting(&event.kind)).unwrap()
    };
    let confirmed = &events[begins(0) - 1];
    assert!(matches!(&confirmed.kind, EventKind::Complete { outcome, .. } if outcome.is_confirmed()));
    assert_eq!(confirmed.time, events[begins(0)].time);
    let EventKind::Fault(kill) = &events[begins(0)].kind else { panic!("no fault") };
    assert!(kill.detail.starts_with("when A confirmed append k"), "{}", kill.detail);
    let gap = events[begins(1)].time.since(events[begins(0)].time);
    assert_eq!(gap, Nanos::from_millis(310));
}

#[test]
fn a_fault_that_nothing_triggers_leaves_nothing_held() {
    let mut merged = plan(&[("load.duration", "2s"), ("target", "reference:crdt")]);
    with_faults(
        &mut merged,
        "[[fault]]\nwhen = { confirmed = 'delete' }\nthen = { kill = 'A' }\nfor = '300ms'",
    );
    let (history, judged, ended) = judged(&merged, Seed(7));
    let faults: Vec<_> = history.faults().iter().map(|(time, fault)| (*time, fault.stage)).collect();
    assert_eq!(faults, [(Nanos::from_millis(2000), FaultStage::Ineffective)]);
    assert!(ended.equal);
    assert!(matches!(judgement(&judged, "no-lost-updates"), Judgement::NotJudged { .. }));
}

#[test]
fn what_faults_do_to_clients_is_told_as_it_is() {
    let outcomes = |faults: &str| {
        let merged = plan(&[("load.duration", "4s"), ("faults", faults), ("load.timeout", "300ms")]);
        let (history, ..) = judged(&merged, Seed(4));
        let mut reasons = std::collections::BTreeSet::new();
        for operation in history.operations() {
            match &operation.outcome {
                Outcome::Confirmed(_) => {}
                Outcome::Failed(reason) => drop(reasons.insert(format!("failed {reason}"))),
                Outcome::Unknown(reason) => drop(reasons.insert(format!("unknown {reason}"))),
            }
        }
        reasons.into_iter().collect::<Vec<_>>().join(", ")
    };
    assert!(outcomes("kill").contains("failed refused"), "{}", outcomes("kill"));
    assert!(outcomes("pause").contains("unknown timeout"), "{}", outcomes("pause"));
}

#[test]
fn a_run_that_is_stopped_heals_and_reads_back() {
    let merged = plan(&[("load.duration", "60s"), ("faults", "partition,kill,pause")]);
    let prepared = prepared(&merged, Seed(1));
    let mut builder = HistoryBuilder::new(prepared.header.clone());
    let Prepared { target, workload, resolved, .. } = &prepared;
    let scenario = Scenario { target, resolved, workload: *workload };
    let looks = std::cell::Cell::new(0);
    let stop = || {
        looks.set(looks.get() + 1);
        looks.get() > 12
    };
    let ended = simulate(scenario, &mut |event| builder.push(event).unwrap(), &stop);
    assert!(ended.time.as_secs_f64() < 40.0, "{ended:?}");
    assert!(ended.equal && ended.answered == ended.asked, "{ended:?}");
    let history = builder.finish();
    let stages = |wanted| history.faults().iter().filter(|(_, fault)| fault.stage == wanted).count();
    assert_eq!(stages(FaultStage::Injecting), stages(FaultStage::Healed));
}

/// A script of a run asks what was asked, when and of whom; with the same seed the answers are the same.
#[test]
fn a_script_of_a_run_has_the_same_end() {
    for (workload, faults) in [("append", "partition"), ("register", "pause,kill"), ("set", "slow")] {
        let merged = plan(&[
            ("load.workload", workload),
            ("load.duration", "3s"),
            ("load.keys", "20"),
            ("load.timeout", "300ms"),
            ("faults", faults),
        ]);
        let (recorded, _, ended) = judged(&merged, Seed(3));
        let script = crate::script::Script::of(&recorded).unwrap();
        let resolved = prepared(&merged, Seed(3)).resolved.pinned(script.clone());
        let pinned = Prepared::with(resolved).unwrap_or_else(|stop| panic!("{:#}", stop.error));
        let replayed = crate::replay::play(&pinned, &|| false).unwrap_or_default().unwrap();
        let answers = |history: &History| {
            let of = |operation: &histories::Operation| (operation.invoked, operation.outcome.clone());
            history.operations().iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(ended.calls, replayed.operations().len() as u64, "{workload} under {faults}");
        assert!(answers(&recorded) == answers(&replayed), "{workload} under {faults}: other answers");
        assert_eq!(crate::script::Script::of(&replayed).unwrap().calls.len(), script.calls.len());
    }
}

/// Local writes take 1 to 5 ms in the median, and who has to go to another region waits for the way there and back, twice
/// 50 to 200 ms: what the textbooks give.
#[test]
fn local_writes_are_quick_and_remote_ones_cross_the_way() {
    let regions = "eu:A+B/us:C+D";
    let local = format!("reference:lww,nodes=4,topology=two-tier,regions={regions}");
    let remote = format!("reference:single-leader,nodes=4,regions={regions}");
    let median = |target: &str, node: &str| {
        let settings = [
            ("target", target),
            ("faults", "none"),
            ("load.sessions", "sticky"),
            ("load.workload", "register"),
            ("load.duration", "4s"),
            ("load.rate", "100"),
            ("load.clients", "8"),
        ];
        let (history, ..) = judged(&plan(&settings), Seed(1));
        let load = history.operations().iter().filter(|operation| operation.phase == Phase::Load);
        let writes = load.filter(|operation| operation.is_confirmed() && !operation.call.is_read_only());
        let there = writes.filter(|operation| operation.node.as_ref().is_some_and(|at| at.as_str() == node));
        let mut took: Vec<Nanos> = there.map(|write| write.completed.unwrap().since(write.invoked)).collect();
        took.sort_unstable();
        assert!(took.len() > 10, "{} writes at {node}", took.len());
        took[took.len() / 2]
    };
    let millis = |took: Nanos| took.0 / 1_000_000;
    for node in ["A", "C"] {
        let took = median(&local, node);
        assert!((1..=5).contains(&millis(took)), "a write at {node} took {took}");
    }
    assert!((1..=5).contains(&millis(median(&remote, "A"))));
    let took = median(&remote, "C");
    assert!((100..=400).contains(&millis(took)), "a write at C took {took}");
}
