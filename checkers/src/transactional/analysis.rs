//! The analysis that all isolation levels share, made once a history.

use std::collections::{BTreeMap, BTreeSet};

use histories::threads::in_halves;
use histories::{Call, OperationId};
use rustc_hash::FxHashMap;

use super::acyclic::{Times, unplaced};
use super::fractured;
use super::kind::{Kind, Order};
use super::links::{Links, Spots};
use super::list_append::{self, ListKey, Reach};
use super::rw_register::{Assume, Registers, link_registers, link_registers_far};
use super::search::{Cycle, Knot, cycles};
use super::touch::{Versions, is_register};
use super::web::Web;
use crate::Budget;
use crate::facts::{Address, Facts, KeyNumber, Maker, Verb, Visit};
use crate::graph::flat::FlatGraph;

/// Cycles of one kind that are kept to be told; the others are counted.
const KEPT_MAX: usize = 100;

/// What there is to judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transactions {
    /// Confirmed transactions.
    pub confirmed: u64,
    /// Keys whose values are judged.
    pub keys: u64,
    /// Dependencies found between them.
    pub dependencies: u64,
    /// Keys of transactions that are not judged: neither lists of which each element says who appended it,
    /// nor registers without deletes.
    pub keys_left_out: u64,
    /// Reads of registers that saw a value which was written more than once.
    pub ambiguous_reads: u64,
}

/// What a history shows about transactions.
#[derive(Debug)]
pub struct Analysis {
    pub(super) transactions: Transactions,
    /// Anomalies that need no cycle and no order of versions.
    pub(super) spots: Spots,
    /// Registers, if there are any.
    pub(super) versions: Option<Versions>,
    /// What each order adds.
    orders: [Found; 3],
}

/// What one order adds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) spots: Spots,
    /// The shortest first, of each kind not all.
    pub(super) cycles: Vec<Cycle>,
    /// How many components have a cycle of each kind.
    pub(super) counts: BTreeMap<Kind, u64>,
    /// What comes after what among the versions of registers: an edge, or a way through nodes behind them.
    pub(super) version_order: Option<FlatGraph>,
}

impl Analysis {
    /// Judges all three orders, each with what it may assume of registers: a store that keeps a level
    /// with real time also keeps each key in real time, and so for sessions.
    pub fn new(facts: &Facts<'_>, mut budget: Budget) -> Self {
        let base = Base::new(facts);
        let transactions = base.transactions;
        let mut orders = [Found::default(), Found::default(), Found::default()];
        if transactions.confirmed > 0 {
            // Whatever the weaker orders rule out, real time rules out too, where times show the order of sessions.
            let real_time = base.find(Order::RealTime, assumed(Order::RealTime), &mut budget);
            if !real_time.is_clean() || base.times.has_close_calls() {
                for order in [Order::Dependencies, Order::Sessions] {
                    orders[order as usize] = base.find(order, assumed(order), &mut budget);
                }
                // Each closes a cycle by itself.
                let found = &mut orders[Order::Dependencies as usize];
                if !found.cycles.is_empty() {
                    found.spots.append(fractured::find(facts));
                }
            }
            orders[Order::RealTime as usize] = real_time;
        }
        Self { transactions, spots: base.links.spots, versions: base.versions, orders }
    }

    pub(super) fn found(&self, order: Order) -> &Found {
        &self.orders[order as usize]
    }

    /// What there was to judge.
    pub fn transactions(&self) -> Transactions {
        self.transactions
    }
}

impl Found {
    fn is_clean(&self) -> bool {
        self.cycles.is_empty() && self.spots.iter().next().is_none()
    }
}

/// The names of all anomalies, of cycles one of each kind in a component, with this order and these
/// assumptions.
pub fn anomalies(
    facts: &Facts<'_>,
    order: Order,
    assume: Assume,
    mut budget: Budget,
) -> BTreeSet<&'static str> {
    let base = Base::new(facts);
    let found = base.find(order, assume, &mut budget);
    let spotted = base.links.spots.iter().chain(found.spots.iter()).map(|(name, ..)| name);
    spotted.chain(found.counts.keys().map(|kind| kind.name())).collect()
}

/// Keys of transactions that are neither.
fn left_out(facts: &Facts<'_>, lists: &[KeyNumber], registers: &[KeyNumber]) -> u64 {
    let is_judged =
        |key: &KeyNumber| lists.binary_search(key).is_ok() || registers.binary_search(key).is_ok();
    let in_transaction = |at: &Address| matches!(facts.operation(*at).call, Call::Transaction(_));
    let others = facts.keys().filter(|key| !is_judged(key));
    others.filter(|key| facts.on_key(*key).iter().any(in_transaction)).count() as u64
}

/// Reads of a register of which nobody can say whose write they saw.
fn ambiguous_reads(facts: &Facts<'_>, register: KeyNumber) -> u64 {
    let is_ambiguous = |visit: &&Visit| {
        visit.verb == Verb::Read && matches!(facts.seen(visit.at).first(), Some(Maker::Several { .. }))
    };
    facts.visits(register).iter().filter(is_ambiguous).count() as u64
}

/// What a level with this order may assume of registers.
fn assumed(order: Order) -> Assume {
    Assume {
        writes_follow_reads: true,
        sequential_keys: order == Order::Sessions,
        linearizable_keys: order == Order::RealTime,
    }
}

/// What no order and no assumption changes.
struct Base<'f, 'h> {
    facts: &'f Facts<'h>,
    transactions: Transactions,
    links: Links,
    /// Registers, if there are any.
    versions: Option<Versions>,
    times: Times,
    lists: Vec<KeyNumber>,
    registers: Vec<KeyNumber>,
    happened: Vec<bool>,
}

impl<'f, 'h> Base<'f, 'h> {
    fn new(facts: &'f Facts<'h>) -> Self {
        let mut base = Self {
            facts,
            transactions: Transactions::default(),
            links: Links::new(facts),
            versions: None,
            times: Times::default(),
            lists: Vec::new(),
            registers: Vec::new(),
            happened: Vec::new(),
        };
        let confirmed = |operation: &&histories::Operation| {
            operation.is_confirmed() && matches!(operation.call, Call::Transaction(_))
        };
        base.transactions.confirmed = facts.history().operations().iter().filter(confirmed).count() as u64;
        if base.transactions.confirmed > 0 {
            base.read();
        }
        base
    }

    fn read(&mut self) {
        let facts = self.facts;
        let lists: Vec<KeyNumber> = facts.keys().filter(|key| list_append::is_list(facts, *key)).collect();
        let registers: Vec<KeyNumber> = facts.keys().filter(|key| is_register(facts, *key)).collect();
        let happened = happened(facts, &lists, &registers);
        let halves = in_halves(if lists.is_empty() { 0 } else { facts.micro_op_count() }, &lists, |half| {
            let mut links = Links::new(facts);
            let mut places = vec![u32::MAX; if half.is_empty() { 0 } else { facts.micro_op_count() }];
            half.iter().for_each(|key| {
                ListKey::new(facts, *key, &happened).link(Reach::Next, &mut places, &mut links);
            });
            links
        });
        halves.into_iter().for_each(|links| self.links.append(links));
        if !registers.is_empty() {
            self.versions = Some(Versions::new(facts, &registers, &happened, &mut self.links));
        }
        self.times = Times::new(facts.history(), facts.sessions().map(|(_, operations)| operations));
        self.transactions.keys = (lists.len() + registers.len()) as u64;
        self.transactions.dependencies = self.links.edges.len() as u64;
        if let Some(versions) = &self.versions {
            self.transactions.dependencies += versions.readers().len() as u64;
        }
        self.transactions.keys_left_out = left_out(facts, &lists, &registers);
        self.transactions.ambiguous_reads = registers.iter().map(|key| ambiguous_reads(facts, *key)).sum();
        (self.lists, self.registers, self.happened) = (lists, registers, happened);
    }

    fn find(&self, order: Order, assume: Assume, budget: &mut Budget) -> Found {
        let mut found = Found::default();
        let graph = match &self.versions {
            None => FlatGraph::new(self.links.nodes(), &self.links.edges),
            Some(versions) => {
                let mut links = self.links.clone();
                links.spots = Spots::default();
                let registers = Registers { facts: self.facts, versions, keys: &self.registers };
                link_registers(registers, assume, &mut links);
                let graph = FlatGraph::new(links.nodes(), &links.edges);
                found.spots = links.spots;
                graph
            }
        };
        let left = unplaced(&graph, &self.times, order);
        if left.is_empty() {
            return found;
        }
        let operations = self.times.invoked.len();
        let web = |graph: &FlatGraph, nodes: &[u32]| Web::new(graph, &self.times, order, nodes);
        let far = self.far(assume, &left, &mut found);
        let far_knots = Knots::new(web(&far.graph, &far.nodes).knots(&far.nodes), operations as u32);
        for nodes in web(&graph, &left).knots(&left) {
            let far_nodes =
                far_knots.around(&nodes[..nodes.partition_point(|node| (*node as usize) < operations)]);
            let knot =
                Knot { near: web(&graph, &nodes), far: web(&far.graph, &far_nodes), times: &self.times };
            for cycle in cycles(&knot, order, budget) {
                let count = found.counts.entry(cycle.kind).or_default();
                *count += 1;
                if *count <= KEPT_MAX as u64 {
                    found.cycles.push(cycle);
                }
            }
        }
        found.cycles.sort_by_key(|cycle| (cycle.hops.len(), cycle.first()));
        found
    }

    /// The graph of what is left in which each edge leads as far as one observation does.
    fn far(&self, assume: Assume, left: &[u32], found: &mut Found) -> Far {
        let (facts, history) = (self.facts, self.facts.history());
        let left = &left[..left.partition_point(|node| (*node as usize) < history.operations().len())];
        let addresses = left.iter().map(|node| OperationId(*node)).flat_map(|operation| {
            let parts = 0..history.operation(operation).call.micro_ops().len() as u32;
            parts.map(move |index| Address { operation, index })
        });
        let mut touched: Vec<KeyNumber> = addresses.map(|at| facts.key_of(at)).collect();
        touched.sort_unstable();
        touched.dedup();
        let of = |keys: &[KeyNumber]| -> Vec<KeyNumber> {
            touched.iter().copied().filter(|key| keys.binary_search(key).is_ok()).collect()
        };
        let (lists, registers) = (of(&self.lists), of(&self.registers));
        let mut links = Links::new(facts);
        let first_slot = links.nodes() as u32;
        let mut places = vec![u32::MAX; if lists.is_empty() { 0 } else { facts.micro_op_count() }];
        for key in &lists {
            ListKey::new(facts, *key, &self.happened).link(Reach::Far, &mut places, &mut links);
        }
        drop(places);
        if let Some(versions) = &self.versions {
            let registers = Registers { facts, versions, keys: &registers };
            found.version_order = Some(link_registers_far(registers, assume, &mut links));
        }
        let graph = FlatGraph::new(links.nodes(), &links.edges);
        Far { graph, nodes: left.iter().copied().chain(first_slot..links.nodes() as u32).collect() }
    }
}

struct Far {
    graph: FlatGraph,
    /// What is left of it, with all nodes that stand for edges.
    nodes: Vec<u32>,
}

/// Parts of a graph, and in which of them each node is.
struct Knots {
    knots: Vec<Vec<u32>>,
    of: FxHashMap<u32, usize>,
    /// Nodes from here on stand for edges.
    first_slot: u32,
}

impl Knots {
    fn new(knots: Vec<Vec<u32>>, first_slot: u32) -> Self {
        let of =
            knots.iter().enumerate().flat_map(|(place, knot)| knot.iter().map(move |node| (*node, place)));
        Self { of: of.collect(), knots, first_slot }
    }

    /// These operations, with the nodes between them that stand for edges.
    fn around(&self, operations: &[u32]) -> Vec<u32> {
        let knot = operations.first().and_then(|first| self.of.get(first)).map(|place| &self.knots[*place]);
        let is_slot = |node: &&u32| **node >= self.first_slot;
        operations.iter().chain(knot.into_iter().flatten().filter(is_slot)).copied().collect()
    }
}

/// Which operations surely took effect: those that were confirmed, and unknown ones of which something
/// was seen.
fn happened(facts: &Facts<'_>, lists: &[KeyNumber], registers: &[KeyNumber]) -> Vec<bool> {
    let operations = facts.history().operations();
    let mut happened: Vec<bool> = operations.iter().map(histories::Operation::is_confirmed).collect();
    if !operations.iter().any(|operation| operation.outcome.is_unknown()) {
        return happened;
    }
    let mut saw = |maker: Maker, reader: OperationId| {
        if let Maker::One(at) = maker
            && at.operation != reader
        {
            happened[at.operation.index()] = true;
        }
    };
    for key in registers {
        for at in facts.on_key(*key) {
            facts.seen(*at).iter().for_each(|maker| saw(*maker, at.operation));
        }
    }
    for key in lists {
        let Some((longest_at, longest)) = list_append::longest(facts, *key) else { continue };
        for at in facts.on_key(*key) {
            let Some(seen) = facts.observed(*at).and_then(list_append::elements) else { continue };
            // What starts the longest read is looked at there.
            if *at != longest_at && longest.starts_with(seen) {
                continue;
            }
            seen.iter().for_each(|element| saw(facts.element_maker(*key, element), at.operation));
        }
    }
    happened
}
