//! Cycles of transactions: no finding tells one where a shorter one of its kind exists, nor one that begins
//! later where one as short begins earlier; and each kind is told, or a stronger one.
//!
//! The definition draws every edge that one observation shows, and goes through all cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use checkers::{Budget, Facts, Finding, checker, lattice};
use histories::text;
use witness::{Record, verify};

use crate::generator::Draw;
use crate::witness_of::witness_of;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(usize, u32),
    Write(usize, u32),
    List(usize, Vec<u32>),
    Register(usize, Option<u32>),
}

#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    session: u32,
    from: u64,
    to: u64,
    pub(crate) is_confirmed: bool,
    pub(crate) steps: Vec<Step>,
}

const LISTS: [&str; 2] = ["x", "y"];
const REGISTERS: [&str; 2] = ["r", "s"];

/// Transactions that saw starts of one list a key, and any values of registers.
fn make(draw: &mut Draw, most: usize) -> Vec<Transaction> {
    let (mix, steps_max) = (draw.below(4), 1 + draw.below(3));
    let mut next = 0;
    let mut transactions = in_time(draw, most, |draw| {
        // Sometimes each transaction only reads or only writes.
        let alike = (mix == 3).then(|| draw.chance(50));
        let steps = (0..1 + draw.below(steps_max)).map(|_| {
            let is_list = mix == 0 || mix == 3 || mix == 2 && draw.chance(50);
            let (key, writes) = (draw.below(2), alike.unwrap_or_else(|| draw.chance(50)));
            next += 1;
            match (is_list, writes) {
                (true, true) => Step::Append(key, next),
                (true, false) => Step::List(key, Vec::new()),
                (false, true) => Step::Write(key, next),
                (false, false) => Step::Register(key, None),
            }
        });
        steps.collect()
    });
    answer(draw, &mut transactions);
    transactions
}

/// Two to so many transactions, one at a time in each session.
pub(crate) fn in_time(
    draw: &mut Draw,
    most: usize,
    mut steps: impl FnMut(&mut Draw) -> Vec<Step>,
) -> Vec<Transaction> {
    let (count, sessions) = (2 + draw.below(most - 1), 1 + draw.below(4));
    let longest = if draw.chance(30) { 40 } else { 12 };
    let mut busy = vec![0; sessions];
    let mut clock = 0;
    let mut transactions = Vec::new();
    for number in 0..count {
        // Calls at odd times and answers at even ones: no call is in the very instant of an answer.
        clock += 2 * draw.below(8) as u64;
        let (from, to) = (clock + 1, clock + 2 + 2 * draw.below(longest) as u64);
        let free: Vec<usize> = (0..sessions).filter(|session| busy[*session] < from).collect();
        let is_confirmed = !draw.chance(8);
        let session = if free.is_empty() { 10 + number } else { free[draw.below(free.len())] };
        if let Some(busy) = busy.get_mut(session) {
            *busy = if is_confirmed { to } else { u64::MAX };
        }
        transactions.push(Transaction {
            session: session as u32,
            from,
            to,
            is_confirmed,
            steps: steps(draw),
        });
        clock += 2;
    }
    transactions
}

// What the reads saw.
fn answer(draw: &mut Draw, transactions: &mut [Transaction]) {
    let (mut lists, mut values) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for step in transactions.iter().flat_map(|transaction| &transaction.steps) {
        match step {
            Step::Append(key, element) if draw.chance(85) => {
                let list: &mut Vec<u32> = &mut lists[*key];
                list.insert(if draw.chance(60) { list.len() } else { draw.below(list.len() + 1) }, *element);
            }
            Step::Write(key, value) => values[*key].push(*value),
            _ => {}
        }
    }
    for step in transactions.iter_mut().flat_map(|transaction| &mut transaction.steps) {
        match step {
            Step::List(key, seen) => *seen = lists[*key][..draw.below(lists[*key].len() + 1)].to_vec(),
            Step::Register(key, seen) if draw.chance(80) && !values[*key].is_empty() => {
                *seen = Some(values[*key][draw.below(values[*key].len())]);
            }
            _ => {}
        }
    }
}

pub(crate) fn written(transactions: &[Transaction]) -> String {
    let mut out = String::new();
    for Transaction { session, from, to, is_confirmed, steps } in transactions {
        let asked = |step: &Step| match step {
            Step::Append(key, element) => format!("append {} {element}", LISTS[*key]),
            Step::Write(key, value) => format!("write {} {value}", REGISTERS[*key]),
            Step::List(key, _) => format!("read {}", LISTS[*key]),
            Step::Register(key, _) => format!("read {}", REGISTERS[*key]),
        };
        let answered = |step: &Step| match step {
            Step::Append(..) | Step::Write(..) => "ok".into(),
            Step::List(_, seen) if seen.is_empty() => "nothing".into(),
            Step::List(_, seen) => format!("{seen:?}").replace(',', ""),
            Step::Register(_, seen) => seen.map_or_else(|| "nothing".into(), |seen| seen.to_string()),
        };
        let join = |say: &dyn Fn(&Step) -> String| steps.iter().map(say).collect::<Vec<_>>().join("; ");
        let answers = if *is_confirmed { join(&answered) } else { "unknown".into() };
        let _ = writeln!(out, "c{session} {from}..{to} txn {} -> {answers}", join(&asked));
    }
    out
}

/// Kinds of edges, as bits.
pub(crate) const WW: u8 = 1;
pub(crate) const WR: u8 = 2;
pub(crate) const RW: u8 = 4;
const SO: u8 = 8;
const RT: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Dependencies,
    Sessions,
    RealTime,
}

/// Every edge between two transactions.
pub(crate) struct Edges {
    between: Vec<Vec<u8>>,
}

impl Edges {
    fn new(transactions: &[Transaction], order: Order) -> Self {
        let happened = happened(transactions);
        let mut edges = Self::in_order(transactions, order);
        for key in 0..2 {
            edges.add_list(transactions, &happened, key);
        }
        edges.add_registers(transactions, &happened, order);
        edges
    }

    /// Those of sessions or of real time.
    pub(crate) fn in_order(transactions: &[Transaction], order: Order) -> Self {
        let mut edges = Self { between: vec![vec![0; transactions.len()]; transactions.len()] };
        for (one, first) in transactions.iter().enumerate() {
            for (other, second) in transactions.iter().enumerate() {
                if order == Order::Sessions && one < other && first.session == second.session {
                    edges.add(one, other, SO);
                }
                if order == Order::RealTime && first.is_confirmed && first.to < second.from {
                    edges.add(one, other, RT);
                }
            }
        }
        edges
    }

    pub(crate) fn add(&mut self, from: usize, to: usize, kind: u8) {
        if from != to {
            self.between[from][to] |= kind;
        }
    }

    /// Without those that say less than another one between the same two: who was overwritten was missed too.
    fn needed(mut self) -> Self {
        let overwritten = self.between.iter_mut().flatten().filter(|kinds| **kinds & WW != 0);
        overwritten.for_each(|kinds| *kinds &= !RW);
        self
    }

    /// Those among the transactions that are reached from this one and reach it.
    fn around(&self, transaction: usize) -> Self {
        let count = self.between.len();
        let mut reaches: Vec<Vec<bool>> =
            self.between.iter().map(|row| row.iter().map(|kinds| *kinds != 0).collect()).collect();
        for via in 0..count {
            for from in 0..count {
                for to in 0..count {
                    reaches[from][to] |= reaches[from][via] && reaches[via][to];
                }
            }
        }
        let is_near = |other: usize| reaches[transaction][other] && reaches[other][transaction];
        let kinds =
            |from: usize, to: usize| if is_near(from) && is_near(to) { self.between[from][to] } else { 0 };
        Self { between: (0..count).map(|from| (0..count).map(|to| kinds(from, to)).collect()).collect() }
    }

    fn add_list(&mut self, transactions: &[Transaction], happened: &[bool], key: usize) {
        let mut longest: &[u32] = &[];
        let (mut appends, mut reads) = (Vec::new(), Vec::new());
        for (number, transaction) in transactions.iter().enumerate() {
            for step in &transaction.steps {
                match step {
                    Step::List(of, seen) if *of == key && transaction.is_confirmed => {
                        longest = if seen.len() > longest.len() { seen } else { longest };
                        reads.push((number, seen));
                    }
                    Step::Append(of, element) if *of == key => appends.push((number, *element)),
                    _ => {}
                }
            }
        }
        // What nobody read comes after all that was.
        let place = |element| longest.iter().position(|other| *other == element);
        let placed: Vec<(usize, u32, Option<usize>)> =
            appends.into_iter().map(|(number, element)| (number, element, place(element))).collect();
        let comes_after = |(number, _, other): &(usize, u32, Option<usize>), place: usize| {
            other.map_or(happened[*number], |other| other >= place)
        };
        for (writer, _, at) in &placed {
            let Some(at) = at else { continue };
            placed
                .iter()
                .filter(|later| comes_after(later, at + 1))
                .for_each(|(later, ..)| self.add(*writer, *later, WW));
        }
        for (reader, seen) in reads {
            placed
                .iter()
                .filter(|later| comes_after(later, seen.len()))
                .for_each(|(later, ..)| self.add(reader, *later, RW));
            let last = placed.iter().find(|(_, element, _)| Some(element) == seen.last());
            last.into_iter().for_each(|(writer, ..)| self.add(*writer, reader, WR));
        }
    }

    fn add_registers(&mut self, transactions: &[Transaction], happened: &[bool], order: Order) {
        let touches: Vec<Touch> = (0..2).flat_map(|key| touches(transactions, happened, key)).collect();
        let order_of_versions = order_of_versions(transactions, &touches, order);
        for one in &touches {
            for other in &touches {
                let comes_before = |before: Option<Version>| {
                    before.zip(other.written).is_some_and(|two| order_of_versions.contains(&two))
                };
                if comes_before(one.written) {
                    self.add(one.transaction, other.transaction, WW);
                }
                if comes_before(one.read) {
                    self.add(one.transaction, other.transaction, RW);
                }
                if one.written.is_some() && one.written == other.read {
                    self.add(one.transaction, other.transaction, WR);
                }
            }
        }
    }
}

/// Key and value; no value before anything was written.
type Version = (usize, Option<u32>);

/// What a transaction found in a register and what it left there.
struct Touch {
    transaction: usize,
    read: Option<Version>,
    written: Option<Version>,
}

impl Touch {
    fn first(&self) -> Option<Version> {
        self.read.or(self.written)
    }

    fn last(&self) -> Option<Version> {
        self.written.or(self.read)
    }
}

fn touches(transactions: &[Transaction], happened: &[bool], key: usize) -> Vec<Touch> {
    let left = |transaction: &Transaction| {
        transaction.steps.iter().rev().find_map(|step| match step {
            Step::Write(of, value) if *of == key => Some(*value),
            _ => None,
        })
    };
    let is_on = |step: &&Step| matches!(step, Step::Write(of, _) | Step::Register(of, _) if *of == key);
    let mut touches = Vec::new();
    for (number, transaction) in transactions.iter().enumerate().filter(|(number, _)| happened[*number]) {
        let Some(first) = transaction.steps.iter().find(is_on) else { continue };
        let read = match first {
            Step::Register(_, None) => Some((key, None)),
            // Another's last word.
            Step::Register(_, Some(value)) => {
                let mut writers = transactions.iter().enumerate();
                let is_left = writers.any(|(other, writer)| other != number && left(writer) == Some(*value));
                is_left.then_some((key, Some(*value)))
            }
            _ => None,
        };
        touches.push(Touch {
            transaction: number,
            read: read.filter(|_| transaction.is_confirmed),
            written: left(transaction).map(|value| (key, Some(value))),
        });
    }
    touches
}

// Which version one observation shows to come before which. What goes in a circle is not used.
fn order_of_versions(
    transactions: &[Transaction],
    touches: &[Touch],
    order: Order,
) -> BTreeSet<(Version, Version)> {
    let mut known = BTreeSet::new();
    let seen = touches.iter().flat_map(|touch| [touch.read, touch.written]).flatten();
    known.extend(seen.filter(|version| version.1.is_some()).map(|version| ((version.0, None), version)));
    let replaced =
        touches.iter().filter_map(|touch| touch.read.filter(|read| read.1.is_some()).zip(touch.written));
    take(&mut known, replaced.collect());
    let mut later = BTreeSet::new();
    for one in touches {
        for other in touches {
            let [first, second] = [one, other].map(|touch| &transactions[touch.transaction]);
            let is_later = match order {
                Order::Dependencies => false,
                Order::Sessions => first.session == second.session && one.transaction < other.transaction,
                Order::RealTime => first.to < second.from,
            };
            // An unknown transaction is the last of its session, and no time shows when it ended.
            let counts = first.is_confirmed && (second.is_confirmed || order == Order::RealTime);
            if let (Some(before), Some(after)) = (one.last(), other.first())
                && before.0 == after.0
                && before != after
                && is_later
                && counts
            {
                later.insert((before, after));
            }
        }
    }
    take(&mut known, later);
    known
}

fn take(known: &mut BTreeSet<(Version, Version)>, new: BTreeSet<(Version, Version)>) {
    let all: BTreeSet<_> = known.union(&new).copied().collect();
    let mut left = all.clone();
    // Without a circle something always comes after nothing that is left.
    while let Some(edge) = left.iter().find(|(from, _)| !left.iter().any(|(_, to)| to == from)).copied() {
        left.remove(&edge);
    }
    if left.is_empty() {
        *known = all;
    }
}

pub(crate) fn happened(transactions: &[Transaction]) -> Vec<bool> {
    let saw = |reader: &Transaction, writer: &Transaction| {
        reader.is_confirmed
            && reader.steps.iter().any(|step| {
                writer.steps.iter().any(|other| match (step, other) {
                    (Step::List(key, seen), Step::Append(of, element)) => key == of && seen.contains(element),
                    (Step::Register(key, seen), Step::Write(of, value)) => key == of && *seen == Some(*value),
                    _ => false,
                })
            })
    };
    let is_seen = |writer: &Transaction| transactions.iter().any(|reader| saw(reader, writer));
    transactions.iter().map(|writer| writer.is_confirmed || is_seen(writer)).collect()
}

/// What a way through transactions has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Used {
    kinds: u8,
    first: u8,
    last: u8,
    /// 2 stands for more as well.
    anti: u8,
    in_a_row: bool,
}

impl Used {
    fn and(self, kind: u8) -> Self {
        Self {
            kinds: self.kinds | kind,
            first: if self.first == 0 { kind } else { self.first },
            last: kind,
            anti: (self.anti + u8::from(kind == RW)).min(2),
            in_a_row: self.in_a_row || (self.last == RW && kind == RW),
        }
    }

    fn name(self) -> String {
        let in_a_row = self.in_a_row || (self.last == RW && self.first == RW);
        let shape = match self.anti {
            0 if self.kinds & WR != 0 => "G1c",
            0 => "G0",
            1 => "G-single-item",
            _ if in_a_row => "G2-item",
            _ => "G-nonadjacent-item",
        };
        let order = if self.kinds & RT != 0 {
            "-realtime"
        } else if self.kinds & SO != 0 {
            "-process"
        } else {
            ""
        };
        format!("{shape}{order}")
    }
}

/// The shortest cycle of each kind: how long it is, and its first transaction, the earliest there is.
pub(crate) fn shortest(edges: &Edges) -> BTreeMap<String, (usize, usize)> {
    let mut shortest: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let count = edges.between.len();
    for start in 0..count {
        let nothing = Used { kinds: 0, first: 0, last: 0, anti: 0, in_a_row: false };
        let mut ways = BTreeSet::from([(1_u32 << start, start, nothing)]);
        let mut open: Vec<_> = ways.iter().copied().collect();
        while let Some((met, at, used)) = open.pop() {
            for to in start..count {
                for kind in [WW, WR, RW, SO, RT].into_iter().filter(|kind| edges.between[at][to] & kind != 0)
                {
                    let used = used.and(kind);
                    if to == start {
                        let found = (met.count_ones() as usize, start);
                        let known = shortest.entry(used.name()).or_insert(found);
                        *known = found.min(*known);
                    } else if met & 1 << to == 0 && ways.insert((met | 1 << to, to, used)) {
                        open.push((met | 1 << to, to, used));
                    }
                }
            }
        }
    }
    shortest
}

const LEVELS: [(&str, Order); 3] = [
    ("serializable", Order::Dependencies),
    ("strong-session-serializable", Order::Sessions),
    ("strict-serializable", Order::RealTime),
];

fn compare(seeds: std::ops::Range<u64>, most: usize) -> BTreeMap<String, u64> {
    let mut told = BTreeMap::new();
    let mut known = BTreeMap::new();
    for seed in seeds {
        known.clear();
        let transactions = make(&mut Draw::new(seed), most);
        let written = written(&transactions);
        let history = text::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        let (facts, record) = (Facts::new(&history), Record::new(&history));
        for (level, order) in LEVELS {
            let edges = Edges::new(&transactions, order);
            let verdict = checker(level).unwrap().check(&facts, Budget::default());
            let at = || format!("{level}, seed {seed}\n{written}\n{verdict:#?}");
            let is_cycle = |finding: &&Finding| finding.anomaly.starts_with('G') && finding.edges.len() > 1;
            let cycles = || verdict.findings.iter().filter(is_cycle);
            for finding in cycles() {
                let first = finding.edges.iter().map(|edge| edge.from.index()).min().unwrap();
                let around = edges.around(first);
                let shortest = known.entry(around.between.clone()).or_insert_with(|| shortest(&around));
                let found = (finding.edges.len(), first);
                assert_eq!(shortest.get(finding.anomaly), Some(&found), "{finding:#?}\n{}", at());
                let witness = witness_of(&record, level, finding);
                assert_eq!(verify(&record, &witness), Ok(()), "{finding:#?}\n{}", at());
                *told.entry(finding.anomaly.to_string()).or_default() += 1;
            }
            let mut left = shortest(&edges.needed());
            left.retain(|name, _| !cycles().any(|told| lattice::is_also(told.anomaly, name)));
            assert!(left.is_empty(), "not told: {left:?}, {}", at());
        }
    }
    told
}

#[test]
fn no_cycle_is_shorter_than_the_one_that_is_told() {
    let mut told = compare(0..10_000, 6);
    for (name, count) in compare(10_000..15_000, 8) {
        *told.entry(name).or_default() += count;
    }
    println!("{told:?}");
    assert_eq!(told.len(), 15, "{told:?}");
}
