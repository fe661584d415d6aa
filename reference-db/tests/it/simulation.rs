//! Random clusters in bad weather: whatever happens, the nodes are equal once it is over, and the same seed gives the
//! same run.
//!
//! `ROUNDS=100` plays more seeds than the usual four for each kind of cluster. A failing seed prints its own command: `SEED=7 cargo test -p reference-db simulation`.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Cluster, FAIR, Rng, Weather};
use reference_db::event::Change;
use reference_db::region::{Region, Regions};
use reference_db::request::Reading;
use reference_db::topology::{Edge, Graph, Relink};
use reference_db::{
    Action, Ask, ClusterSettings, Consistency, Datum, Delivery, Dot, Key, Mode, Nanos, NodeName,
    NodeSettings, Record, Response, Setting, Step, Topology,
};

const STEPS: usize = 150;

const BAD: Weather =
    Weather { loss_percent: 15, double_percent: 15, delay_max: Nanos::from_millis(120), crash_permille: 2 };

#[test]
fn every_cluster_converges_and_every_run_repeats() {
    let number = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let (only, rounds) = (number("SEED"), number("ROUNDS").unwrap_or(4));
    let combinations = Mode::ALL.iter().flat_map(|mode| {
        let topologies = Topology::ALL.iter().map(move |topology| (*mode, *topology));
        topologies.flat_map(|(mode, topology)| {
            Delivery::ALL.iter().map(move |delivery| (mode, topology, *delivery))
        })
    });
    for (index, (mode, topology, delivery)) in combinations.enumerate() {
        for round in 0..rounds {
            let seed = index as u64 * 1000 + round;
            if only.is_some_and(|only| only != seed) {
                continue;
            }
            println!("SEED={seed} cargo test -p reference-db simulation   # {mode} {topology} {delivery}");
            let first = run(mode, topology, delivery, seed);
            assert_eq!(first, run(mode, topology, delivery, seed), "the run does not repeat");
        }
    }
}

/// Plays one seed and gives its trace.
fn run(mode: Mode, topology: Topology, delivery: Delivery, seed: u64) -> Vec<String> {
    let count = 2 + seed as usize % 3;
    let members: Vec<NodeName> =
        ["A", "B", "C", "D"][..count].iter().map(|name| NodeName::new(name).unwrap()).collect();
    // Every fourth cluster runs on disks that forget.
    let durable = !seed.is_multiple_of(4);
    let shape = ClusterSettings {
        mode,
        topology,
        delivery,
        links: links(topology, &members),
        regions: regions(topology, &members),
        ..ClusterSettings::default()
    };
    let settings = NodeSettings { durable, cluster: shape, ..NodeSettings::new(members[0], members.clone()) };
    let mut cluster = Cluster::new(settings, seed);
    let mut rng = Rng(seed ^ 0xabcd);
    cluster.weather = BAD;
    for _ in 0..STEPS {
        disturb(&mut cluster, &members, &mut rng);
        let node = members[rng.below(count as u64) as usize];
        if cluster.is_up(node) {
            let ask = question(&mut rng);
            cluster.ask(node, ask, Consistency::Default);
        }
        let span = Nanos::from_millis(1 + rng.below(40));
        cluster.pass(span);
    }
    calm(&mut cluster, &members);
    assert!(cluster.settle(), "the nodes do not become equal");
    let confirmed = check_dots(&cluster.take_replies());
    cluster.trace.push(format!("{} writes were confirmed", confirmed.len()));
    check_order(&cluster, delivery);
    if mode == Mode::Crdt {
        check_counters(&mut cluster, members[0]);
    }
    let state = cluster.contents(members[0]);
    cluster.trace.push(format!("{state:?}"));
    std::mem::take(&mut cluster.trace)
}

/// Nodes are linked anew again and again, in any shape and with some of them left out, in the middle of all that: no event is lost
/// or applied twice, and once all take part again they are equal.
#[test]
fn relinked_clusters_converge() {
    let rounds = std::env::var("ROUNDS").map_or(12, |rounds| rounds.parse::<u64>().unwrap());
    for seed in (0..rounds).flat_map(|round| Mode::ALL.iter().map(move |mode| (round, *mode))) {
        let run = || relinked(seed.1, seed.0);
        println!("{seed:?}");
        assert_eq!(run(), run(), "the run does not repeat");
    }
}

fn relinked(mode: Mode, seed: u64) -> Vec<String> {
    let members: Vec<NodeName> = ["A", "B", "C", "D"].map(|name| NodeName::new(name).unwrap()).to_vec();
    let delivery = Delivery::ALL[seed as usize % Delivery::ALL.len()];
    let shape = ClusterSettings { mode, delivery, ..ClusterSettings::default() };
    let durable = !seed.is_multiple_of(4);
    let settings = NodeSettings { durable, cluster: shape, ..NodeSettings::new(members[0], members.clone()) };
    let mut cluster = Cluster::new(settings, seed);
    let mut rng = Rng(seed ^ 0xabcd);
    cluster.weather = BAD;
    for _ in 0..STEPS {
        disturb(&mut cluster, &members, &mut rng);
        let node = members[rng.below(4) as usize];
        if cluster.is_up(node) {
            let ask = if rng.chance(8) { relink(&members, &mut rng) } else { question(&mut rng) };
            cluster.ask(node, ask, Consistency::Default);
        }
        let span = Nanos::from_millis(1 + rng.below(40));
        cluster.pass(span);
    }
    calm(&mut cluster, &members);
    // Nobody hears of anybody at first: a layout that everyone is to go by is asked for when they do.
    cluster.pass(Nanos::from_millis(3000));
    let everyone = Relink { topology: Some(Topology::Ring), links: None, nodes: Some(members.clone()) };
    let told = cluster.answer(members[3], Ask::Relink(everyone), Consistency::Local);
    assert!(matches!(told, Some(Response::Layout { .. })), "{told:?}");
    assert!(cluster.settle(), "the nodes do not become equal");
    let confirmed = check_dots(&cluster.take_replies());
    cluster.trace.push(format!("{} writes were confirmed", confirmed.len()));
    check_order(&cluster, delivery);
    let state = cluster.contents(members[0]);
    cluster.trace.push(format!("{state:?}"));
    std::mem::take(&mut cluster.trace)
}

/// Some shape of some nodes. A single leader stays the first of them.
fn relink(members: &[NodeName], rng: &mut Rng) -> Ask {
    let shapes = [Topology::AllToAll, Topology::Chain, Topology::Ring, Topology::Star, Topology::Tree];
    let mut nodes = vec![members[0]];
    for node in &members[1..] {
        match rng.below(3) {
            0 => {}
            1 => nodes.push(*node),
            _ => nodes.insert(1, *node),
        }
    }
    let topology = Some(shapes[rng.below(shapes.len() as u64) as usize]);
    Ask::Relink(Relink { topology, links: None, nodes: Some(nodes) })
}

/// Of a two-tier topology: the last node is in a region of its own.
fn regions(topology: Topology, members: &[NodeName]) -> Regions {
    let region =
        |name, nodes: &[NodeName]| Region { name: NodeName::new(name).unwrap(), nodes: nodes.to_vec() };
    match members.split_last() {
        Some((last, others)) if topology == Topology::TwoTier => {
            Regions(vec![region("near", others), region("far", &[*last])])
        }
        _ => Regions::default(),
    }
}

/// Of a custom graph: one way round, and one link back.
fn links(topology: Topology, members: &[NodeName]) -> Graph {
    let next = members.iter().cycle().skip(1);
    let mut edges: Vec<Edge> =
        members.iter().zip(next).map(|(from, to)| Edge { from: *from, to: *to }).collect();
    edges.push(Edge { from: members[1], to: members[0] });
    if topology == Topology::Custom { Graph { edges } } else { Graph::default() }
}

fn disturb(cluster: &mut Cluster, members: &[NodeName], rng: &mut Rng) {
    let mut pick = || members[rng.below(members.len() as u64) as usize];
    let (one, other) = (pick(), pick());
    match rng.below(40) {
        0 => cluster.crash(one),
        1 => cluster.wipe(one),
        2 | 3 => cluster.cut(one, other),
        4 => cluster.slow(one, other, Nanos::from_millis(400)),
        5 | 6 => cluster.heal(),
        7..12 if !cluster.is_up(one) => cluster.restart(one),
        _ => {}
    }
}

fn calm(cluster: &mut Cluster, members: &[NodeName]) {
    cluster.heal();
    cluster.weather = FAIR;
    for name in members {
        if !cluster.is_up(*name) {
            cluster.restart(*name);
        }
    }
}

fn question(rng: &mut Rng) -> Ask {
    if rng.chance(15) {
        return Ask::Transaction((0..1 + rng.below(3)).map(|_| step(rng)).collect());
    }
    Ask::Single(step(rng))
}

fn step(rng: &mut Rng) -> Step {
    let key = Key::from(["x", "y", "z", "list", "set", "counter"][rng.below(6) as usize]);
    let value = Datum::integer(rng.below(5) as i64);
    let action = match (key.as_str(), rng.below(10)) {
        (_, 0) => Action::Delete,
        (_, 1) => Action::Read,
        ("list", _) => Action::Append { value },
        ("set", 2..5) => Action::Remove { value },
        ("set", _) => Action::Add { value },
        ("counter", _) => Action::Increment { by: rng.below(9) as i64 - 4 },
        // Now and then a key gets another type than it has elsewhere.
        ("z", 2) => Action::Increment { by: 1 },
        ("z", 3) => Action::Append { value },
        (_, 4) => Action::Cas { from: value, to: Datum::integer(7) },
        _ => Action::Write { value },
    };
    Step::new(key, action)
}

/// No dot was given to two clients.
fn check_dots(replies: &BTreeMap<reference_db::Ticket, Response>) -> BTreeSet<Dot> {
    let mut dots = BTreeSet::new();
    for response in replies.values() {
        if let Response::Written { dot, .. } | Response::Committed { dot: Some(dot), .. } = response {
            assert!(dots.insert(*dot), "{dot} was confirmed twice");
        }
    }
    dots
}

/// Each node applied each event once, each origin's in order unless by arrival, and causes first if causal.
fn check_order(cluster: &Cluster, delivery: Delivery) {
    for (name, records) in &cluster.disks {
        let mut applied = reference_db::clock::DotSet::new();
        for record in records {
            let Record::Event(event) = record else { continue };
            assert!(!applied.contains(event.dot), "{name} applied {} twice", event.dot);
            let last = applied.vector().get(event.dot.origin);
            let in_order = last.next() == event.dot.sequence;
            assert!(in_order || delivery == Delivery::Arrival, "{name} applied {} after {last}", event.dot);
            let caused = applied.vector().covers(&event.deps);
            assert!(caused || delivery != Delivery::Causal, "{name} applied {} before its causes", event.dot);
            applied.insert(event.dot);
        }
    }
}

/// Every increment counts once, if nothing was deleted.
fn check_counters(cluster: &mut Cluster, name: NodeName) {
    let key = Key::from("counter");
    let (mut sum, mut deleted) = (0, false);
    for record in &cluster.disks[&name] {
        let Record::Event(event) = record else { continue };
        for effect in event.effects.iter().filter(|effect| effect.key == key) {
            match effect.change {
                Change::Increment { by } => sum += by,
                _ => deleted = true,
            }
        }
    }
    if let (false, Some(Reading::One { value, .. })) = (deleted, cluster.contents(name).get(&key)) {
        assert_eq!(*value, Datum::integer(sum));
    }
}

/// With a single leader every key is one register: each confirmed write is read by all that ask later, until another
/// write takes its place, wherever they ask.
#[test]
fn a_single_leader_is_one_register() {
    for seed in 0..60 {
        println!("seed {seed}");
        let members: Vec<NodeName> = ["A", "B", "C"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let shape = ClusterSettings { mode: Mode::SingleLeader, ..ClusterSettings::default() };
        let settings = NodeSettings { cluster: shape, ..NodeSettings::new(members[0], members.clone()) };
        let mut cluster = Cluster::new(settings, seed);
        let mut rng = Rng(seed ^ 0x5eed);
        cluster.pass(Nanos::from_millis(10));
        cluster.weather = Weather {
            loss_percent: 10,
            double_percent: 30,
            delay_max: Nanos::from_millis(700),
            crash_permille: 0,
        };
        one_register(&mut cluster, &members, &mut rng);
    }
}

/// So is a chain, though nodes of it die, are dropped, and come back as its tail.
#[test]
fn a_relinked_chain_is_one_register() {
    for seed in 0..60 {
        println!("seed {seed}");
        let members: Vec<NodeName> = ["A", "B", "C", "D"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let mut settings = NodeSettings::new(members[0], members.clone());
        for (name, value) in
            [("mode", "single-leader"), ("topology", "chain"), ("ack", "tail"), ("reads", "tail")]
        {
            Setting::named(name).unwrap().set(&mut settings.cluster, value).unwrap();
        }
        let mut cluster = Cluster::new(settings, seed);
        let mut rng = Rng(seed ^ 0xc4a1);
        cluster.pass(Nanos::from_millis(100));
        cluster.weather = Weather {
            loss_percent: 10,
            double_percent: 30,
            delay_max: Nanos::from_millis(200),
            crash_permille: 0,
        };
        let (mut possible, mut unsettled) = (BTreeSet::from([Datum::null()]), BTreeSet::new());
        let (mut chain, mut dropped) = (members.clone(), None);
        for number in 1..150 {
            match dropped {
                Some(node) if rng.chance(10) => {
                    cluster.restart(node);
                    chain.push(node);
                    dropped = None;
                    cluster.pass(Nanos::from_millis(rng.below(300)));
                    relink_chain(&mut cluster, &chain);
                }
                None if rng.chance(5) => {
                    let node = chain.remove(1 + rng.below(3) as usize);
                    cluster.crash(node);
                    dropped = Some(node);
                    cluster.pass(Nanos::from_millis(rng.below(300)));
                    relink_chain(&mut cluster, &chain);
                }
                _ => {}
            }
            let asked = members[rng.below(4) as usize];
            if cluster.is_up(asked) {
                let step = register_step(number, &mut rng);
                let value = Datum::integer(number);
                one_answer(&mut cluster, asked, step, value, &mut possible, &mut unsettled);
            }
        }
        assert!(possible != BTreeSet::from([Datum::null()]), "nothing was ever written");
    }
}

/// So is a cluster that elects its leaders, though they die, are cut off and come back; with three nodes, with five, and
/// with two and a witness.
#[test]
fn an_electing_cluster_is_one_register() {
    let rounds = std::env::var("ROUNDS").map_or(60, |rounds| rounds.parse::<u64>().unwrap());
    let (mut terms, mut confirmed) = (0, 0);
    for seed in 0..rounds {
        println!("seed {seed}");
        let (term, writes) = elect(seed);
        assert_eq!((term, writes), elect(seed), "the run does not repeat");
        (terms, confirmed) = (terms + term, confirmed + writes);
    }
    assert!(terms > rounds && confirmed > 10 * rounds, "{terms} terms, {confirmed} confirmed writes");
}

/// Plays one seed; gives the last term, and how many writes were confirmed.
fn elect(seed: u64) -> (u64, u64) {
    let names = [&["A", "B", "C"][..], &["A", "B", "C", "D", "E"], &["A", "B", "W"]][seed as usize % 3];
    let members: Vec<NodeName> = names.iter().map(|name| NodeName::new(name).unwrap()).collect();
    let mut settings = NodeSettings::new(members[0], members.clone());
    let said =
        [("mode", "single-leader"), ("failover", "auto"), ("ack", "majority"), ("detect-after", "600ms")];
    let witness = [("witnesses", "W")].into_iter().filter(|_| names.contains(&"W"));
    for (name, value) in said.into_iter().chain(witness) {
        Setting::named(name).unwrap().set(&mut settings.cluster, value).unwrap();
    }
    let mut cluster = Cluster::new(settings, seed);
    let mut rng = Rng(seed ^ 0xe1ec);
    cluster.pass(Nanos::from_millis(500));
    cluster.weather =
        Weather { loss_percent: 5, double_percent: 20, delay_max: Nanos::from_millis(60), crash_permille: 1 };
    let (mut possible, mut unsettled) = (BTreeSet::from([Datum::null()]), BTreeSet::new());
    let mut writes = 0;
    for number in 1..120 {
        let pick = |rng: &mut Rng| members[rng.below(members.len() as u64) as usize];
        let (one, other) = (pick(&mut rng), pick(&mut rng));
        match rng.below(24) {
            0 => cluster.crash(one),
            1 | 2 => cluster.cut(one, other),
            // A leader that hears and is not heard, or the other way round.
            3 => members.iter().for_each(|node| cluster.cut(one, *node)),
            4 => members.iter().for_each(|node| cluster.cut(*node, one)),
            5 | 6 => cluster.heal(),
            7..11 if !cluster.is_up(one) => cluster.restart(one),
            _ => {}
        }
        let asked = pick(&mut rng);
        if cluster.is_up(asked) {
            let step = register_step(number, &mut rng);
            let before = possible.clone();
            one_answer(&mut cluster, asked, step, Datum::integer(number), &mut possible, &mut unsettled);
            writes += u64::from(possible != before && possible.contains(&Datum::integer(number)));
        }
    }
    calm(&mut cluster, &members);
    assert!(cluster.settle(), "the nodes do not become equal");
    let terms = members.iter().filter_map(|node| cluster.node(*node)).map(|node| node.status().term);
    (terms.max().unwrap(), writes)
}

fn relink_chain(cluster: &mut Cluster, chain: &[NodeName]) {
    let change = Relink { nodes: Some(chain.to_vec()), ..Relink::default() };
    let told = cluster.answer(chain[0], Ask::Relink(change), Consistency::Local);
    assert!(matches!(told, Some(Response::Layout { .. })), "{told:?}");
}

/// Asks one thing after the other, and keeps what a register could hold now.
fn one_register(cluster: &mut Cluster, members: &[NodeName], rng: &mut Rng) {
    // What it may hold: the last value that was confirmed or read, and writes since whose fate is unknown.
    let mut possible = BTreeSet::from([Datum::null()]);
    let mut unsettled = BTreeSet::new();
    for number in 1..150 {
        if rng.chance(3) {
            cluster.crash(members[0]);
            cluster.pass(Nanos::from_millis(1 + rng.below(100)));
            cluster.restart(members[0]);
        }
        let node = members[rng.below(members.len() as u64) as usize];
        let step = register_step(number, rng);
        one_answer(cluster, node, step, Datum::integer(number), &mut possible, &mut unsettled);
    }
}

fn register_step(number: i64, rng: &mut Rng) -> Step {
    let value = Datum::integer(number);
    let action = match rng.below(3) {
        0 => Action::Write { value },
        // Compares with what may well be there, so that copies of a refused comparison could do harm.
        1 => Action::Cas { from: Datum::integer(number - 1 - rng.below(3) as i64), to: value },
        _ => Action::Read,
    };
    Step::new(Key::from("x"), action)
}

fn one_answer(
    cluster: &mut Cluster,
    node: NodeName,
    step: Step,
    value: Datum,
    possible: &mut BTreeSet<Datum>,
    unsettled: &mut BTreeSet<Datum>,
) {
    match cluster.answer(node, Ask::Single(step), Consistency::Default) {
        Some(Response::Written { .. }) => *possible = [value].into(),
        Some(Response::Read { reading, .. }) => {
            let read = reading.winner().cloned().unwrap_or_else(Datum::null);
            let fits = possible.contains(&read) || unsettled.remove(&read);
            assert!(fits, "read {read}, not one of {possible:?} or {unsettled:?}");
            *possible = [read].into();
        }
        Some(Response::Refused(refusal)) if refusal.outcome() == reference_db::Outcome::NotApplied => {}
        // It may happen now, or whenever its message arrives; a late comparison may also come to nothing. A value that
        // was read once has happened, and happens no second time.
        _ => drop(unsettled.insert(value)),
    }
}
