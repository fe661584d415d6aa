//! Transactions against slow definitions: all serial orders, stores that are right, and ways of spoiling
//! what they recorded.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use checkers::transactional::{Assume, Order, anomalies};
use checkers::{Budget, Facts, Judgement, checker};
use histories::{History, text};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One step of a transaction on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Append(&'static str, u32),
    Read(&'static str, Vec<u32>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Confirmed,
    Failed,
    Unknown,
}

#[derive(Debug, Clone)]
struct Transaction {
    session: u32,
    from: u64,
    to: u64,
    end: End,
    steps: Vec<Step>,
}

type Store = BTreeMap<&'static str, Vec<u32>>;

const KEYS: [&str; 3] = ["x", "y", "z"];

/// What a store with one copy, which takes transactions one after the other, would record. Each takes
/// effect somewhere between its call and its answer.
fn serial(seed: u64, count: usize, keys: usize) -> Vec<Transaction> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut store, mut next, mut free) = (Store::new(), 0, [0_u64; 4]);
    let mut sessions: Vec<u32> = (0..4).collect();
    let mut transactions = Vec::new();
    for number in 0..count {
        let effect = 10 * number as u64 + 5;
        let idle: Vec<usize> = (0..free.len()).filter(|place| free[*place] <= effect).collect();
        let place = idle[rng.random_range(0..idle.len())];
        let from = rng.random_range(free[place]..=effect);
        let to = effect + rng.random_range(0..25);
        let end = match rng.random_range(0..12) {
            0 => End::Failed,
            1 => End::Unknown,
            _ => End::Confirmed,
        };
        let happens = end == End::Confirmed || end == End::Unknown && rng.random_range(0..2) == 0;
        let mut state = store.clone();
        let steps = (0..rng.random_range(1..4))
            .map(|_| {
                let key = KEYS[rng.random_range(0..keys)];
                if rng.random_range(0..2) == 0 {
                    return Step::Read(key, state.get(key).cloned().unwrap_or_default());
                }
                next += 1;
                state.entry(key).or_default().push(next);
                Step::Append(key, next)
            })
            .collect();
        if happens {
            store = state;
        }
        transactions.push(Transaction { session: sessions[place], from, to, end, steps });
        free[place] = to + 1;
        if end == End::Unknown {
            sessions[place] += 100;
        }
    }
    transactions
}

fn written(transactions: &[Transaction]) -> String {
    let mut out = String::new();
    for Transaction { session, from, to, end, steps } in transactions {
        let asked: Vec<String> = steps
            .iter()
            .map(|step| match step {
                Step::Append(key, element) => format!("append {key} {element}"),
                Step::Read(key, _) => format!("read {key}"),
            })
            .collect();
        let answers: Vec<String> = steps
            .iter()
            .map(|step| match step {
                Step::Append(..) => "ok".into(),
                Step::Read(_, seen) => format!("{seen:?}").replace(',', ""),
            })
            .collect();
        let answer = match end {
            End::Confirmed => answers.join("; "),
            End::Failed => "failed conflict".into(),
            End::Unknown => "unknown timeout".into(),
        };
        let _ = writeln!(out, "c{session} {from}..{to} txn {} -> {answer}", asked.join("; "));
    }
    out
}

fn parse(written: &str) -> History {
    text::parse(written).unwrap_or_else(|error| panic!("{error}\n{written}"))
}

const LEVELS: [&str; 10] = [
    "read-atomic",
    "read-committed",
    "read-uncommitted",
    "repeatable-read",
    "serializable",
    "snapshot-isolation",
    "strict-serializable",
    "strong-session-serializable",
    "strong-session-snapshot-isolation",
    "strong-snapshot-isolation",
];

#[test]
fn a_store_with_one_copy_is_never_accused() {
    let mut held = 0;
    for seed in 0..2_000 {
        let written = written(&serial(seed, 24, 3));
        let history = parse(&written);
        let facts = Facts::new(&history);
        for level in LEVELS {
            let verdict = checker(level).unwrap().check(&facts, Budget::default());
            assert!(!verdict.is_broken(), "{level}, seed {seed}\n{written}\n{verdict:#?}");
            held += u32::from(verdict.judgement == Judgement::Held);
        }
    }
    assert!(held > 19_000, "{held}");
}

/// True if some serial order of everything that was confirmed, and of any of what is unknown, explains
/// every read. Tries all orders, giving up on each at the first read that it does not explain.
fn is_serializable(transactions: &[Transaction], store: &Store, left: u32) -> bool {
    let is_left = |number: &usize| left & (1 << number) != 0;
    let needed = |number: &usize| is_left(number) && transactions[*number].end == End::Confirmed;
    if !(0..transactions.len()).any(|number| needed(&number)) {
        return true;
    }
    (0..transactions.len()).filter(is_left).any(|number| {
        replay(&transactions[number], store)
            .is_some_and(|store| is_serializable(transactions, &store, left & !(1 << number)))
    })
}

fn replay(transaction: &Transaction, store: &Store) -> Option<Store> {
    let mut store = store.clone();
    for step in &transaction.steps {
        match step {
            Step::Append(key, element) => store.entry(key).or_default().push(*element),
            // Nobody knows what an unknown transaction read.
            Step::Read(..) if transaction.end == End::Unknown => {}
            Step::Read(key, seen) => {
                if store.get(key).map_or(&[][..], Vec::as_slice) != seen.as_slice() {
                    return None;
                }
            }
        }
    }
    Some(store)
}

/// A few transactions of a correct store, with some reads replaced by what another saw or by less.
fn doubtful(seed: u64) -> Vec<Transaction> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let count = rng.random_range(2..7);
    let mut transactions = serial(seed, count, 2);
    let mut seen: Vec<Vec<u32>> = vec![Vec::new()];
    for step in transactions.iter().flat_map(|transaction| &transaction.steps) {
        if let Step::Read(_, elements) = step {
            seen.push(elements.clone());
        }
    }
    for _ in 0..rng.random_range(0..6) {
        let place = rng.random_range(0..transactions.len());
        let steps = &mut transactions[place].steps;
        let index = rng.random_range(0..steps.len());
        if let Step::Read(_, elements) = &mut steps[index] {
            match rng.random_range(0..3) {
                0 => drop(elements.pop()),
                1 => elements.clone_from(&seen[rng.random_range(0..seen.len())]),
                _ => elements.reverse(),
            }
        }
    }
    transactions
}

#[test]
fn serializability_of_lists_agrees_with_all_orders() {
    let (mut broken, mut held) = (0, 0);
    for seed in 0..10_000 {
        let transactions = doubtful(seed);
        let possible: u32 = (0..transactions.len())
            .filter(|number| transactions[*number].end != End::Failed)
            .map(|number| 1 << number)
            .sum();
        let written = written(&transactions);
        let history = parse(&written);
        let facts = Facts::new(&history);
        let verdict = checker("serializable").unwrap().check(&facts, Budget::default());
        let truth = is_serializable(&transactions, &Store::new(), possible);
        let said_broken = verdict.is_broken();
        assert_eq!(said_broken, !truth, "seed {seed}\n{written}\n{verdict:#?}");
        broken += u32::from(said_broken);
        held += u32::from(verdict.judgement == Judgement::Held);
    }
    assert!(broken > 1_000 && held > 1_000, "{broken} broken, {held} held");
}

/// What is put behind a correct history, on keys and in sessions of its own, and what it must be called.
struct Spoil {
    anomaly: &'static str,
    order: Order,
    lines: &'static str,
}

const fn spoil(anomaly: &'static str, order: Order, lines: &'static str) -> Spoil {
    Spoil { anomaly, order, lines }
}

const SPOILS: &[Spoil] = &[
    spoil(
        "G0",
        Order::Dependencies,
        "c50 0..9 txn append p 1; append q 1 -> ok; ok\nc51 0..9 txn append p 2; append q 2 -> ok; ok\nc52 10..11 txn read p; read q -> [1 2]; [2 1]",
    ),
    spoil("G1a", Order::Dependencies, "c50 0..9 txn append p 1 -> failed\nc51 0..9 txn read p -> [1]"),
    spoil("G1a", Order::Dependencies, "c50 0..9 txn write p 1 -> failed\nc51 0..9 txn read p -> 1"),
    spoil(
        "G1b",
        Order::Dependencies,
        "c50 0..9 txn append p 1; append p 2 -> ok; ok\nc51 0..9 txn read p -> [1]",
    ),
    spoil(
        "G1b",
        Order::Dependencies,
        "c50 0..9 txn write p 1; write p 2 -> ok; ok\nc51 0..9 txn read p -> 1",
    ),
    spoil(
        "G1c",
        Order::Dependencies,
        "c50 0..9 txn append p 1; read q -> ok; [1]\nc51 0..9 txn append q 1; read p -> ok; [1]",
    ),
    spoil(
        "G1c",
        Order::Dependencies,
        "c50 0..9 txn write p 1; read q -> ok; 1\nc51 0..9 txn write q 1; read p -> ok; 1",
    ),
    spoil("internal", Order::Dependencies, "c50 0..9 txn append p 1; read p -> ok; nothing"),
    spoil("internal", Order::Dependencies, "c50 0..9 txn write p 1; read p -> ok; nothing"),
    spoil(
        "non-repeatable-read",
        Order::Dependencies,
        "c50 0..9 txn write p 1 -> ok\nc51 0..9 txn read p; read p -> nothing; 1",
    ),
    spoil(
        "future-read",
        Order::Dependencies,
        "c50 0..9 txn read p; append p 1 -> [1]; ok\nc51 10..11 txn read p -> [1]",
    ),
    spoil("future-read", Order::Dependencies, "c50 0..9 txn read p; write p 1 -> 1; ok"),
    spoil(
        "dirty-update",
        Order::Dependencies,
        "c50 0..9 txn append p 1 -> failed\nc51 0..9 txn append p 2 -> ok\nc52 10..11 txn read p -> [1 2]",
    ),
    spoil(
        "lost-update",
        Order::Dependencies,
        "c50 0..9 txn read p; append p 1 -> nothing; ok\nc51 0..9 txn read p; append p 2 -> nothing; ok\nc52 10..11 txn read p -> [1 2]",
    ),
    spoil(
        "lost-update",
        Order::Dependencies,
        "c50 0..9 txn read p; write p 1 -> nothing; ok\nc51 0..9 txn read p; write p 2 -> nothing; ok",
    ),
    spoil(
        "duplicate-elements",
        Order::Dependencies,
        "c50 0..9 txn append p 1 -> ok\nc51 10..11 txn read p -> [1 1]",
    ),
    spoil(
        "incompatible-order",
        Order::Dependencies,
        "c50 0..9 txn append p 1 -> ok\nc51 0..9 txn append p 2 -> ok\nc52 10..11 txn read p -> [1 2]\nc53 10..11 txn read p -> [2 1]",
    ),
    spoil(
        "thin-air-read",
        Order::Dependencies,
        "c50 0..9 txn append p 1 -> ok\nc51 10..11 txn read p -> [1 7]",
    ),
    spoil("thin-air-read", Order::Dependencies, "c50 0..9 txn write p 1 -> ok\nc51 10..11 txn read p -> 7"),
    spoil(
        "cyclic-versions",
        Order::Dependencies,
        "c50 0..9 txn read p; write p 1 -> 2; ok\nc51 0..9 txn read p; write p 2 -> 1; ok",
    ),
    spoil(
        "G-single-item",
        Order::Dependencies,
        "c50 0..9 txn append p 1; append q 1 -> ok; ok\nc51 0..9 txn read p; read q -> [1]; nothing",
    ),
    spoil(
        "G-single-item",
        Order::Dependencies,
        "c50 0..9 txn write p 1; write q 1 -> unknown\nc51 0..9 txn read p; read q -> 1; nothing",
    ),
    spoil(
        "G-nonadjacent-item",
        Order::Dependencies,
        "c50 0..9 txn append p 1 -> ok\nc51 0..9 txn append q 1 -> ok\nc52 0..9 txn read p; read q -> [1]; nothing\nc53 0..9 txn read p; read q -> nothing; [1]",
    ),
    spoil(
        "G2-item",
        Order::Dependencies,
        "c50 0..9 txn read p; append q 1 -> nothing; ok\nc51 0..9 txn read q; append p 1 -> nothing; ok",
    ),
    spoil(
        "G0-process",
        Order::Sessions,
        "c50 0..1 txn append p 1 -> ok\nc50 2..3 txn append p 2 -> ok\nc51 4..5 txn read p -> [2 1]",
    ),
    spoil(
        "G1c-process",
        Order::Sessions,
        "c50 0..1 txn read p -> [1]\nc50 2..3 txn append q 1 -> ok\nc51 0..9 txn read q; append p 1 -> [1]; ok",
    ),
    spoil(
        "G-single-item-process",
        Order::Sessions,
        "c50 0..1 txn append p 1 -> ok\nc50 2..3 txn read p -> nothing",
    ),
    spoil(
        "G-nonadjacent-item-process",
        Order::Sessions,
        "c50 0..1 txn append p 1 -> ok\nc50 2..3 txn read q -> nothing\nc51 0..1 txn append q 1 -> ok\nc51 2..3 txn read p -> nothing",
    ),
    spoil(
        "G2-item-process",
        Order::Sessions,
        "c50 0..1 txn append q 1 -> ok\nc50 2..3 txn read p -> nothing\nc51 0..9 txn append p 1; read r -> ok; nothing\nc52 0..9 txn append r 1; read q -> ok; nothing",
    ),
    spoil(
        "G0-realtime",
        Order::RealTime,
        "c50 0..1 txn append p 1 -> ok\nc51 2..3 txn append p 2 -> ok\nc52 4..5 txn read p -> [2 1]",
    ),
    spoil("G1c-realtime", Order::RealTime, "c50 0..1 txn read p -> [1]\nc51 2..3 txn append p 1 -> ok"),
    spoil(
        "G-single-item-realtime",
        Order::RealTime,
        "c50 0..1 txn append p 1 -> ok\nc51 2..3 txn read p -> nothing",
    ),
    spoil(
        "cyclic-versions-realtime",
        Order::RealTime,
        "c50 0..1 txn write p 1 -> ok\nc51 2..3 txn write p 2 -> ok\nc52 4..5 txn read p -> 1",
    ),
    spoil(
        "G2-item-realtime",
        Order::RealTime,
        "c50 0..9 txn append q 1; read p -> ok; nothing\nc51 0..1 txn append p 1; read r -> ok; nothing\nc52 2..3 txn append r 1 -> ok\nc53 4..5 txn read q -> nothing\nc54 0..3 txn append s 1 -> ok",
    ),
];

/// The lines, so many milliseconds later.
fn later(lines: &str, by: u64) -> String {
    let shift = |time: &str| time.parse::<u64>().unwrap() + by;
    let mut out = String::new();
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let (session, interval, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let (from, to) = interval.split_once("..").unwrap();
        let _ = writeln!(out, "{session} {}..{} {rest}", shift(from), shift(to));
    }
    out
}

#[test]
fn every_way_of_spoiling_a_history_gets_its_name() {
    assert!(SPOILS.len() >= 20);
    let mut wrong = BTreeSet::new();
    for (seed, Spoil { anomaly, order, lines }) in
        (0..300).flat_map(|seed| SPOILS.iter().map(move |s| (seed, s)))
    {
        let transactions = serial(seed, 8, 3);
        let end = transactions.iter().map(|transaction| transaction.to).max().unwrap_or(0);
        let written = written(&transactions) + &later(lines, end + 10);
        let history = parse(&written);
        let facts = Facts::new(&history);
        let assume = Assume {
            writes_follow_reads: true,
            sequential_keys: false,
            linearizable_keys: *order == Order::RealTime,
        };
        let found = anomalies(&facts, *order, assume, Budget::default());
        if !found.contains(anomaly) {
            wrong.insert(format!("{anomaly} is not in {found:?}:\n{}", later(lines, 0)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_session_has_an_order_where_times_show_none() {
    // All at one instant: session 0 writes 1 and then 2, session 1 reads 2 and then 1.
    let plume = "w(7,1,0,0)\nw(7,2,0,1)\nr(7,2,1,0)\nr(7,1,1,1)\n";
    let history = histories::format::read(plume.as_bytes()).unwrap().history;
    let level = checker("strong-session-serializable").unwrap();
    let verdict = level.check(&Facts::new(&history), Budget::default());
    assert_eq!(verdict.findings[0].anomaly, "cyclic-versions-process");
}
