//! The analysis that all isolation levels share, made once a history.

use std::collections::{BTreeMap, BTreeSet};

use histories::{Call, OperationId};

use super::acyclic::{Times, unplaced};
use super::kind::{Kind, Order};
use super::links::{Links, Spots};
use super::list_append::{self, ListKey};
use super::rw_register::{Assume, link_registers};
use super::search::{Cycle, cycles};
use super::touch::{Versions, is_register};
use super::web::Web;
use crate::Budget;
use crate::facts::{Facts, KeyNumber, Maker};
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
    /// What comes after what among the versions of registers.
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
}

impl<'f, 'h> Base<'f, 'h> {
    fn new(facts: &'f Facts<'h>) -> Self {
        let mut base = Self {
            facts,
            transactions: Transactions::default(),
            links: Links::new(facts),
            versions: None,
            times: Times::default(),
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
        let mut places = vec![u32::MAX; if lists.is_empty() { 0 } else { facts.micro_op_count() }];
        for key in &lists {
            ListKey::new(facts, *key, &happened).link(&mut places, &mut self.links);
        }
        drop(places);
        if !registers.is_empty() {
            self.versions = Some(Versions::new(facts, &registers, &happened, &mut self.links));
        }
        self.times = Times::new(facts.history(), facts.sessions().map(|(_, operations)| operations));
        self.transactions.keys = (lists.len() + registers.len()) as u64;
        self.transactions.dependencies = self.links.edges.len() as u64;
        if let Some(versions) = &self.versions {
            self.transactions.dependencies += versions.readers().len() as u64;
        }
    }

    fn find(&self, order: Order, assume: Assume, budget: &mut Budget) -> Found {
        let mut found = Found::default();
        let graph = match &self.versions {
            None => FlatGraph::new(self.links.nodes(), &self.links.edges),
            Some(versions) => {
                let mut links = self.links.clone();
                links.spots = Spots::default();
                found.version_order = Some(link_registers(self.facts, versions, assume, &mut links));
                let graph = FlatGraph::new(links.nodes(), &links.edges);
                found.spots = links.spots;
                graph
            }
        };
        let left = unplaced(&graph, &self.times, order);
        if left.is_empty() {
            return found;
        }
        for knot in Web::new(&graph, &self.times, order, &left).knots(&left) {
            let web = Web::new(&graph, &self.times, order, &knot);
            for cycle in cycles(&web, &self.times, order, budget) {
                let count = found.counts.entry(cycle.kind).or_default();
                *count += 1;
                if *count <= KEPT_MAX as u64 {
                    found.cycles.push(cycle);
                }
            }
        }
        found.cycles.sort_by_key(|cycle| (cycle.hops.len(), cycle.hops.first().map(|hop| hop.from)));
        found
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
