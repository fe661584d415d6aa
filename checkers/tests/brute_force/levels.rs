//! Levels of isolation on lists: some order of the versions of each key, of which all reads are starts, has no
//! cycle that the level rules out.
//!
//! Two appends that nobody read may be in either order; each order may break snapshot isolation in a way of its own.
//!
//! Source: Adya 1999, §4.2 and §5.4; Cerone & Gotsman, J. ACM 2018.

use checkers::{Budget, Facts, checker};
use histories::text;

use crate::cycles::{Edges, Order, RW, Step, Transaction, WR, WW, happened, in_time, shortest, written};
use crate::generator::Draw;
use crate::permutations;

/// Each reads lists and then appends to some: nobody contradicts himself.
fn make(seed: u64) -> Vec<Transaction> {
    let mut draw = Draw::new(seed);
    let mut next = 0;
    let mut transactions = in_time(&mut draw, 6, |draw| {
        let mut steps = Vec::new();
        for key in 0..2 {
            let does = draw.below(4);
            if does != 0 {
                steps.extend((does != 1).then(|| Step::List(key, Vec::new())));
                next += 1;
                steps.extend((does != 2).then_some(Step::Append(key, next)));
            }
        }
        if steps.is_empty() { vec![Step::List(0, Vec::new())] } else { steps }
    });
    let mut lists = [Vec::new(), Vec::new()];
    for step in transactions.iter().flat_map(|transaction| &transaction.steps) {
        if let Step::Append(key, element) = step
            && draw.chance(85)
        {
            let list: &mut Vec<u32> = &mut lists[*key];
            list.insert(if draw.chance(70) { list.len() } else { draw.below(list.len() + 1) }, *element);
        }
    }
    for transaction in &mut transactions {
        let own: Vec<u32> = appended(transaction).map(|(_, element)| element).collect();
        for step in &mut transaction.steps {
            if let Step::List(key, seen) = step {
                let end = lists[*key].iter().position(|element| own.contains(element));
                let most = end.unwrap_or(lists[*key].len());
                let length = if draw.chance(60) { most } else { draw.below(most + 1) };
                *seen = lists[*key][..length].to_vec();
            }
        }
    }
    transactions
}

fn appended(transaction: &Transaction) -> impl Iterator<Item = (usize, u32)> {
    transaction.steps.iter().filter_map(|step| match step {
        Step::Append(key, element) => Some((*key, *element)),
        _ => None,
    })
}

/// Every order of a key's versions of which all reads are starts.
fn orders(transactions: &[Transaction], happened: &[bool], key: usize) -> Vec<Vec<u32>> {
    let confirmed = transactions.iter().filter(|transaction| transaction.is_confirmed);
    let reads = confirmed.flat_map(|transaction| &transaction.steps).filter_map(|step| match step {
        Step::List(of, seen) if *of == key => Some(seen.clone()),
        _ => None,
    });
    let longest = reads.max_by_key(Vec::len).unwrap_or_default();
    let all = transactions.iter().zip(happened).filter(|(_, happened)| **happened);
    let all = all.flat_map(|(transaction, _)| appended(transaction)).filter(|(of, _)| *of == key);
    let unread: Vec<u32> = all.map(|(_, element)| element).filter(|one| !longest.contains(one)).collect();
    let mixed = permutations(unread.len()).into_iter();
    mixed
        .map(|order| longest.iter().copied().chain(order.into_iter().map(|at| unread[at])).collect())
        .collect()
}

fn edges(transactions: &[Transaction], versions: [&[u32]; 2], order: Order) -> Edges {
    let mut edges = Edges::in_order(transactions, order);
    let writer = |key: usize, element: u32| {
        transactions.iter().position(|one| appended(one).any(|other| other == (key, element))).unwrap()
    };
    for (key, list) in versions.into_iter().enumerate() {
        let writers: Vec<usize> = list.iter().map(|element| writer(key, *element)).collect();
        writers.windows(2).for_each(|two| edges.add(two[0], two[1], WW));
        for (reader, transaction) in transactions.iter().enumerate().filter(|(_, one)| one.is_confirmed) {
            for step in &transaction.steps {
                let Step::List(of, seen) = step else { continue };
                if *of == key {
                    seen.len()
                        .checked_sub(1)
                        .into_iter()
                        .for_each(|last| edges.add(writers[last], reader, WR));
                    writers.get(seen.len()).into_iter().for_each(|next| edges.add(reader, *next, RW));
                }
            }
        }
    }
    edges
}

/// Did a transaction see what another left of one key, and miss what it appended to another?
fn is_fractured(transactions: &[Transaction]) -> bool {
    let reads = |reader: &Transaction| -> Vec<(usize, Vec<u32>)> {
        let lists = reader.steps.iter().filter_map(|step| match step {
            Step::List(key, seen) => Some((*key, seen.clone())),
            _ => None,
        });
        lists.collect()
    };
    let sees_a_part = |reader: &Transaction, writer: &Transaction| {
        let saw = reads(reader).iter().any(|(key, seen)| {
            seen.last().is_some_and(|last| appended(writer).any(|other| other == (*key, *last)))
        });
        let missed = reads(reader)
            .iter()
            .any(|(key, seen)| appended(writer).any(|(of, element)| of == *key && !seen.contains(&element)));
        saw && missed
    };
    let confirmed = transactions.iter().enumerate().filter(|(_, reader)| reader.is_confirmed);
    confirmed.into_iter().any(|(place, reader)| {
        transactions.iter().enumerate().any(|(other, writer)| place != other && sees_a_part(reader, writer))
    })
}

/// Kinds of cycles, from those of overwrites alone to all.
const KINDS: [&str; 5] = ["G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item"];

/// How many of them snapshot isolation rules out.
const SNAPSHOT: usize = 4;

/// A level, how many of the kinds it rules out, and along which order.
const LEVELS: [(&str, usize, Order); 10] = [
    ("read-uncommitted", 1, Order::Dependencies),
    ("read-committed", 2, Order::Dependencies),
    ("read-atomic", 2, Order::Dependencies),
    ("snapshot-isolation", SNAPSHOT, Order::Dependencies),
    ("repeatable-read", 5, Order::Dependencies),
    ("serializable", 5, Order::Dependencies),
    ("strong-session-snapshot-isolation", SNAPSHOT, Order::Sessions),
    ("strong-session-serializable", 5, Order::Sessions),
    ("strong-snapshot-isolation", SNAPSHOT, Order::RealTime),
    ("strict-serializable", 5, Order::RealTime),
];

#[test]
fn levels_on_lists_agree_with_every_order_of_versions() {
    let mut counts = [[0; 2]; LEVELS.len()];
    for seed in 0..10_000 {
        let transactions = make(seed);
        let happened = happened(&transactions);
        let written = written(&transactions);
        let history = text::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        let facts = Facts::new(&history);
        let [x, y] = [0, 1].map(|key| orders(&transactions, &happened, key));
        let cycles = [Order::Dependencies, Order::Sessions, Order::RealTime].map(|order| {
            let each = x.iter().flat_map(|x| y.iter().map(move |y| [x.as_slice(), y.as_slice()]));
            each.map(|versions| shortest(&edges(&transactions, versions, order))).collect::<Vec<_>>()
        });
        for ((level, kinds, order), counts) in LEVELS.iter().zip(&mut counts) {
            let is_ruled_out = |name: &String| {
                let base = name.trim_end_matches("-process").trim_end_matches("-realtime");
                KINDS[..*kinds].contains(&base)
            };
            let mut ways = cycles[*order as usize].iter();
            let is_fractured = *level == "read-atomic" && is_fractured(&transactions);
            let expected = is_fractured || ways.all(|cycles| cycles.keys().any(is_ruled_out));
            let verdict = checker(level).unwrap().check(&facts, Budget::default());
            assert!(
                verdict.is_broken() == expected,
                "{level}, seed {seed}, expected {expected}\n{written}\n{verdict:#?}"
            );
            counts[usize::from(expected)] += 1;
        }
    }
    println!("{counts:?}");
    assert!(counts.iter().flatten().all(|count| *count > 100), "{counts:?}");
}
