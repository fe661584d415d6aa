//! Every finding on every golden history, and on those that another checker judged, has a witness that the
//! verifier confirms; what has none is named here.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod witness_of;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use checkers::{Budget, CHECKERS, EdgeKind, Facts, Finding, Judgement};
use histories::{History, format, text};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use witness::{Claim, Record, Witness, verify};
use witness_of::witness_of;

fn histories() -> Vec<(PathBuf, History)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries(&root.join("../histories/corpus")).filter(|path| path.is_dir());
    let mut golden: Vec<PathBuf> = folders.flat_map(|folder| entries(&folder).collect::<Vec<_>>()).collect();
    golden.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    golden.sort();
    let mut foreign: Vec<PathBuf> = entries(&root.join("tests/oracle/histories")).collect();
    foreign.sort();
    let golden = golden.into_iter().map(|path| {
        let history = text::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path, history)
    });
    let foreign = foreign.into_iter().map(|path| {
        let history = format::read_file(&path).unwrap().history;
        (path, history)
    });
    golden.chain(foreign).collect()
}

/// Findings without a witness, by history: what the verifier does not follow, and why.
const OPEN: &[(&str, &str)] = &[("rw--s-stale-0", "more operations than all orders can be tried of")];

#[test]
fn every_finding_has_a_witness_that_holds() {
    let (mut count, mut open) = (0_u32, Vec::new());
    for (path, history) in histories() {
        let (facts, record) = (Facts::new(&history), Record::new(&history));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for checker in CHECKERS {
            let guarantee = checker.guarantee();
            for finding in checker.check(&facts, Budget::default()).findings {
                count += 1;
                let witness = witness_of(&record, guarantee, &finding);
                match (&witness.claim, verify(&record, &witness)) {
                    (_, Ok(())) => {}
                    (Claim::NotVerifiable { reason }, Err(_)) => {
                        open.push((name.clone(), format!("{guarantee} {}: {reason}", finding.anomaly)));
                    }
                    (_, Err(flaw)) => panic!("{name} {guarantee}: {flaw}: {witness:#?}"),
                }
            }
        }
    }
    let is_known = |name: &str| OPEN.iter().any(|(known, _)| *known == name);
    let unknown: Vec<_> = open.iter().filter(|(name, _)| !is_known(name)).collect();
    assert!(unknown.is_empty(), "no witness: {unknown:#?}");
    for (known, why) in OPEN {
        assert!(open.iter().any(|(name, _)| name == known), "{known} has a witness now: strike out `{why}`");
    }
    println!("{} of {count} findings have no witness", open.len());
    assert!(count > 4_600 && open.len() <= 5, "{} of {count} findings have no witness", open.len());
}

/// Each reads what the one before appended, and the first what the last did: no cycle is shorter.
#[test]
fn a_circle_of_a_thousand_transactions_has_a_witness_with_all_its_edges() {
    let line = |number: u32| {
        let before = (number + 999) % 1_000;
        format!("c{number} {number}..2000 txn append k{number} 1; read k{before} -> ok; [1]\n")
    };
    let history = text::parse(&(0..1_000).map(line).collect::<String>()).unwrap();
    let verdict =
        checkers::checker("read-committed").unwrap().check(&Facts::new(&history), Budget::default());
    let [finding] = verdict.findings.as_slice() else { panic!("{verdict:#?}") };
    assert_eq!((finding.anomaly, finding.steps.len(), finding.edges.len()), ("G1c", 8, 1_000));
    let record = Record::new(&history);
    let witness = witness_of(&record, "read-committed", finding);
    assert_eq!(verify(&record, &witness), Ok(()));
    assert!(matches!(&witness.claim, Claim::Cycle { edges } if edges.len() == 1_000));
}

/// A witness that holds.
struct Sample {
    history: History,
    witness: Witness,
    /// What the history keeps.
    held: Vec<&'static str>,
}

/// One of each form, guarantee and anomaly.
fn samples() -> Vec<Sample> {
    let mut samples: BTreeMap<(String, String, String), Sample> = BTreeMap::new();
    for (_, history) in histories() {
        let (facts, record) = (Facts::new(&history), Record::new(&history));
        let verdicts: Vec<_> =
            CHECKERS.iter().map(|checker| checker.check(&facts, Budget::default())).collect();
        let held = verdicts.iter().filter(|verdict| verdict.judgement == Judgement::Held);
        let held: Vec<&'static str> = held.map(|verdict| verdict.guarantee).collect();
        for verdict in &verdicts {
            for finding in &verdict.findings {
                let witness = witness_of(&record, verdict.guarantee, finding);
                let name = witness.claim.form().to_string();
                let key = (name, witness.guarantee.clone(), witness.anomaly.clone());
                if verify(&record, &witness).is_ok() {
                    samples.entry(key).or_insert_with(|| Sample {
                        history: history.clone(),
                        witness,
                        held: held.clone(),
                    });
                }
            }
        }
    }
    samples.into_values().collect()
}

const PERTURBED_EACH: usize = 200;

#[test]
fn every_perturbed_witness_is_rejected() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (mut tried, mut same) = (0, 0);
    for Sample { history, witness, held } in samples() {
        let record = Record::new(&history);
        let document = serde_json::to_value(&witness).unwrap();
        for _ in 0..PERTURBED_EACH {
            let mut perturbed = document.clone();
            let what = perturb(&mut perturbed, &held, &mut rng);
            let Ok(read) = serde_json::from_value::<Witness>(perturbed) else {
                tried += 1;
                continue;
            };
            if read == witness {
                same += 1;
                continue;
            }
            tried += 1;
            let verdict = verify(&record, &read);
            assert!(verdict.is_err(), "{what} went through: {witness:#?}\n\n{read:#?}");
        }
    }
    println!("{tried} perturbed witnesses, all rejected; {same} were the same");
    assert!(tried > 10_000, "{tried}");
}

/// Changes something at random; says what.
fn perturb(document: &mut Value, held: &[&'static str], rng: &mut ChaCha8Rng) -> &'static str {
    match rng.random_range(0..8) {
        0 => another_guarantee(document, held, rng),
        1 => {
            let names = ["G0", "G1c", "G2-item", "lost-update", "stale-read", "thin-air-read", "long-fork"];
            document["anomaly"] = (*names.choose(rng).unwrap()).into();
            "another anomaly"
        }
        2 => swap_operations(document, rng),
        3 => edge(document, rng),
        4 => {
            on_array(document, rng, |array, rng| {
                array.remove(rng.random_range(0..array.len()));
            });
            "something left out"
        }
        5 => {
            on_array(document, rng, |array, rng| {
                let (one, other) = (rng.random_range(0..array.len()), rng.random_range(0..array.len()));
                array.swap(one, other);
            });
            "two things swapped"
        }
        _ => leaf(document, rng),
    }
}

/// A guarantee that the whole history keeps.
fn another_guarantee(document: &mut Value, held: &[&'static str], rng: &mut ChaCha8Rng) -> &'static str {
    document["guarantee"] = held.choose(rng).copied().unwrap_or("no-such-guarantee").into();
    "a guarantee that is not refuted"
}

/// Two operations change places in the claim.
fn swap_operations(document: &mut Value, rng: &mut ChaCha8Rng) -> &'static str {
    let ids: Vec<Value> =
        document["operations"].as_array().unwrap().iter().map(|operation| operation["id"].clone()).collect();
    let (one, other) = (ids.choose(rng).unwrap().clone(), ids.choose(rng).unwrap().clone());
    each_leaf(&mut document["claim"], &mut |value| {
        if *value == one {
            *value = other.clone();
        } else if *value == other {
            *value = one.clone();
        }
    });
    "two operations swapped"
}

/// An edge gets another kind, is turned around, or is said twice.
fn edge(document: &mut Value, rng: &mut ChaCha8Rng) -> &'static str {
    let Some(edges) = document["claim"].get_mut("edges").and_then(Value::as_array_mut) else {
        return leaf(document, rng);
    };
    let place = rng.random_range(0..edges.len());
    match rng.random_range(0..3) {
        0 => {
            edges[place]["kind"] = (*["ww", "wr", "rw", "so", "rt"].choose(rng).unwrap()).into();
            "another kind of edge"
        }
        1 => {
            let (from, to) = (edges[place]["from"].clone(), edges[place]["to"].clone());
            edges[place]["from"] = to;
            edges[place]["to"] = from;
            "an edge turned around"
        }
        _ => {
            let again = edges[place].clone();
            edges.insert(place, again);
            "an edge twice"
        }
    }
}

/// One number, text or truth becomes another, perhaps one from elsewhere in the document.
fn leaf(document: &mut Value, rng: &mut ChaCha8Rng) -> &'static str {
    let mut leaves = Vec::new();
    each_leaf(document, &mut |value| leaves.push(value.clone()));
    let chosen = rng.random_range(0..leaves.len());
    let alike = |other: &&Value| std::mem::discriminant(*other) == std::mem::discriminant(&leaves[chosen]);
    let others: Vec<&Value> = leaves.iter().filter(alike).collect();
    let new = match (&leaves[chosen], rng.random_bool(0.5)) {
        (_, true) => (*others.choose(rng).unwrap()).clone(),
        (Value::Number(number), false) => match number.as_i64() {
            Some(number) => (number + *[-1, 1, 1_000_003].choose(rng).unwrap()).into(),
            None => 7.into(),
        },
        (Value::String(text), false) => format!("{text}x").into(),
        (Value::Bool(truth), false) => (!truth).into(),
        _ => Value::String("x".into()),
    };
    let mut place = 0;
    let guarantee = document["guarantee"].clone();
    each_leaf(document, &mut |value| {
        if place == chosen && *value != guarantee {
            *value = new.clone();
        }
        place += 1;
    });
    "a value"
}

fn each_leaf(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(array) => array.iter_mut().for_each(|value| each_leaf(value, visit)),
        Value::Object(object) => object.values_mut().for_each(|value| each_leaf(value, visit)),
        leaf => visit(leaf),
    }
}

/// Visits one array that is not empty, by chance.
fn on_array(document: &mut Value, rng: &mut ChaCha8Rng, visit: impl Fn(&mut Vec<Value>, &mut ChaCha8Rng)) {
    fn count(value: &Value) -> usize {
        match value {
            Value::Array(array) => usize::from(!array.is_empty()) + array.iter().map(count).sum::<usize>(),
            Value::Object(object) => object.values().map(count).sum(),
            _ => 0,
        }
    }
    fn find<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Vec<Value>> {
        match value {
            Value::Array(array) => {
                if !array.is_empty() {
                    if *left == 0 {
                        return Some(array);
                    }
                    *left -= 1;
                }
                array.iter_mut().find_map(|value| find(value, left))
            }
            Value::Object(object) => object.values_mut().find_map(|value| find(value, left)),
            _ => None,
        }
    }
    let mut chosen = rng.random_range(0..count(document));
    if let Some(array) = find(document, &mut chosen) {
        visit(array, rng);
    }
}
