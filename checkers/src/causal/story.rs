//! A violation of causal order as people can follow it.
//!
//! ```text
//!   1 ──wr──▶ 2 ──so──▶ 3 ──wr──▶ 4 ──so──▶ 5     so 1 happened before 5
//!   5 ──rw──▶ 1                                   but 5 read k4 as it was before 1
//! ```

use histories::{MicroOp, Operation, OperationId, Value};
use rustc_hash::FxHashMap;

use crate::anomaly::names;
use crate::causal::path::{Hop, path, path_through};
use crate::causal::seen::{Read, Saw, brought};
use crate::causal::{Causality, simplest_by_key};
use crate::facts::{Address, KeyNumber};
use crate::wording::{saw, shown, step};
use crate::{Certainty, Edge, EdgeKind, Facts, Finding};

/// Operations looked at to find one path.
const PATH_STEPS: u64 = 20_000;

/// Puts findings in words.
pub(crate) struct Teller<'f, 'h> {
    pub(crate) facts: &'f Facts<'h>,
    pub(crate) causality: &'f Causality,
}

/// What all findings about one overlooked write need.
pub(crate) struct Told {
    pub(crate) anomaly: &'static str,
    pub(crate) story: String,
    pub(crate) brief: String,
    pub(crate) conclusion: String,
    pub(crate) weight: u64,
}

impl Teller<'_, '_> {
    /// One finding a key for the reads that overlooked a write.
    pub(crate) fn overlooked(&self) -> Vec<Finding> {
        simplest_by_key(self.causality, &self.causality.overlooked.reads)
            .into_iter()
            .map(|(_, read, write, count)| self.missing_cause(read, write, count))
            .collect()
    }

    fn missing_cause(&self, number: u32, write: u32, weight: u64) -> Finding {
        let read = &self.causality.seen.reads[number as usize];
        let hops = self.path(write, read);
        let found = self.found(read);
        let cause = self.stored(read.key, write);
        let reader = format!("Client {}", self.operation(read.at.operation.0).session);
        let story = match hops.as_slice() {
            [_, by_reader, to_effect, by_other] if by_other.kind == EdgeKind::Session => {
                let effect = self.did(to_effect.from);
                format!(
                    "Client {} saw {cause} and then {effect}. {reader} saw that, looked for {cause} in {}, \
                     and was told {found}.",
                    self.operation(by_reader.from).session,
                    self.facts.key(read.key),
                )
            }
            [own] if own.kind == EdgeKind::Session => format!(
                "{reader} {}; but when it then read {}{} it was told {found}.",
                self.did(write),
                self.facts.key(read.key),
                self.at_node(read.at),
            ),
            _ => format!(
                "{reader} already knew that {} {}; but when it then read {}{} it was told {found}.",
                self.operation(write).session,
                self.did(write),
                self.facts.key(read.key),
                self.at_node(read.at),
            ),
        };
        let told = Told {
            anomaly: names::CAUSAL_VIOLATION,
            story,
            brief: format!("{cause} missing, {found} seen"),
            conclusion: "So the read came both before and after the write that it missed.".into(),
            weight,
        };
        self.finding(read, write, hops, told)
    }

    /// A finding about a read that overlooked `write`, of which it knew by `hops`.
    pub(crate) fn finding(&self, read: &Read, write: u32, hops: Vec<Hop>, told: Told) -> Finding {
        let mut edges: Vec<Edge> = hops.iter().map(|hop| self.edge(*hop)).collect();
        let mut operations: Vec<u32> = hops.iter().flat_map(|hop| [hop.from, hop.to]).collect();
        let (older, known) = self.older(read, write);
        operations.extend(older.iter().flat_map(|hop| [hop.from, hop.to]));
        edges.extend(older.iter().map(|hop| self.edge(*hop)));
        edges.push(Edge {
            from: read.at.operation,
            to: OperationId(write),
            kind: EdgeKind::ReadWrite,
            because: format!(
                "but it read {} as it was before {}{known}",
                self.facts.key(read.key),
                self.stored(read.key, write)
            ),
        });
        operations.extend([write, read.at.operation.0]);
        self.assemble(
            operations,
            edges,
            &[(write, read.key), (read.at.operation.0, read.key)],
            read.key,
            told,
        )
    }

    // How what was seen is known to be older: in full where that is short.
    fn older(&self, read: &Read, write: u32) -> (Vec<Hop>, String) {
        let excuses = self.causality.seen.excuses(self.facts, read, write);
        match (read.saw, excuses.as_slice()) {
            (Saw::Made { .. }, [maker]) => {
                let hops = path(&self.causality.order, *maker, write, PATH_STEPS).unwrap_or_default();
                let why = format!(", and {} came before that", self.stored(read.key, *maker));
                if hops.len() > 4 { (Vec::new(), why) } else { (hops, why) }
            }
            (Saw::Made { .. }, _) => (Vec::new(), ", and all that it saw came before that".into()),
            (Saw::Deleted, _) => (Vec::new(), ", and every delete of it came before that".into()),
            (Saw::Elements { .. }, [_, ..]) => {
                (Vec::new(), ", and all that may have removed it came before that".into())
            }
            _ => (Vec::new(), String::new()),
        }
    }

    /// One finding a key for the values that nobody wrote.
    pub(crate) fn thin_air(&self) -> Vec<Finding> {
        let mut counts: FxHashMap<KeyNumber, u64> = FxHashMap::default();
        let mut firsts: Vec<&Read> = Vec::new();
        for read in self.causality.seen.reads.iter().filter(|read| read.saw == Saw::ThinAir) {
            let count = counts.entry(read.key).or_default();
            *count += 1;
            if *count == 1 {
                firsts.push(read);
            }
        }
        firsts.iter().map(|read| self.nowhere(read, counts[&read.key])).collect()
    }

    fn nowhere(&self, read: &Read, weight: u64) -> Finding {
        let found = self.found(read);
        let session = self.operation(read.at.operation.0).session;
        let told = Told {
            anomaly: names::THIN_AIR_READ,
            story: format!(
                "Client {session} read {}{} and was told {found}, which no call can have stored there.",
                self.facts.key(read.key),
                self.at_node(read.at)
            ),
            brief: format!("{found} came from nowhere"),
            conclusion: "An effect without a cause.".into(),
            weight,
        };
        let proof = [(read.at.operation.0, read.key)];
        self.assemble(vec![read.at.operation.0], Vec::new(), &proof, read.key, told)
    }

    pub(super) fn assemble(
        &self,
        mut operations: Vec<u32>,
        edges: Vec<Edge>,
        about: &[(u32, KeyNumber)],
        key: KeyNumber,
        told: Told,
    ) -> Finding {
        operations.sort_unstable();
        operations.dedup();
        let address = |operation: &u32| {
            let key = about.iter().find(|(other, _)| other == operation).map(|(_, key)| *key);
            self.address(*operation, key)
        };
        let proof = about.last().map(|(operation, _)| *operation);
        let steps = operations.iter().map(|operation| {
            let remark = if proof == Some(*operation) { "the proof" } else { "" };
            step(self.facts, address(operation), remark)
        });
        let mut keys: Vec<KeyNumber> = operations.iter().map(|at| self.facts.key_of(address(at))).collect();
        keys.push(key);
        keys.sort_unstable();
        keys.dedup();
        Finding {
            anomaly: told.anomaly,
            keys: keys.iter().map(|key| self.facts.key(*key).clone()).collect(),
            story: told.story,
            brief: told.brief,
            steps: steps.collect(),
            edges,
            conclusion: told.conclusion,
            certainty: self.certainty(&operations),
            weight: told.weight,
        }
    }

    fn address(&self, operation: u32, key: Option<KeyNumber>) -> Address {
        let count = self.operation(operation).call.micro_ops().len() as u32;
        let mut all = (0..count).map(|index| Address { operation: OperationId(operation), index });
        let first = Address { operation: OperationId(operation), index: 0 };
        all.find(|at| key == Some(self.facts.key_of(*at))).unwrap_or(first)
    }

    fn certainty(&self, operations: &[u32]) -> Certainty {
        let unknown = operations.iter().find(|at| self.operation(**at).outcome.is_unknown());
        match (unknown, operations.len()) {
            (Some(at), _) => Certainty::Likely(format!(
                "depends on {}, whose answer never came, but whose effect was seen",
                OperationId(*at)
            )),
            (None, 1) => Certainty::Certain("the operation was answered".into()),
            (None, count) => Certainty::Certain(format!("all {count} operations were answered")),
        }
    }

    // The way from one to the other, but not by what other reads of the same call saw; a single step if it is too
    // long to find.
    fn path(&self, from: u32, read: &Read) -> Vec<Hop> {
        let to = read.at.operation.0;
        let is_alone = self.facts.operation(read.at).call.micro_ops().len() == 1;
        let makers = self.causality.seen.makers(read.saw);
        let counts = |source: u32| is_alone || makers.contains(&source);
        let direct = || vec![Hop { from, to, kind: EdgeKind::WriteRead }];
        path_through(&self.causality.order, from, to, counts, PATH_STEPS).unwrap_or_else(direct)
    }

    pub(super) fn edge(&self, hop: Hop) -> Edge {
        let session = self.operation(hop.to).session;
        let because = match hop.kind {
            EdgeKind::Session => format!("{session} did one after the other"),
            EdgeKind::WriteRead => {
                format!("{session} found what {} had written", self.operation(hop.from).session)
            }
            _ => self.ordered(hop),
        };
        Edge { from: OperationId(hop.from), to: OperationId(hop.to), kind: hop.kind, because }
    }

    pub(crate) fn operation(&self, number: u32) -> &Operation {
        &self.facts.history().operations()[number as usize]
    }

    /// What the read was told.
    pub(crate) fn found(&self, read: &Read) -> String {
        self.facts.observed(read.at).map(saw).unwrap_or_default()
    }

    /// ` on node A`, if known.
    pub(crate) fn at_node(&self, at: Address) -> String {
        let node = self.facts.operation(at).node.as_ref();
        node.map(|node| format!(" on node {node}")).unwrap_or_default()
    }

    /// What `write` stored on `key`: a value, an element, or `its delete`.
    pub(crate) fn stored(&self, key: KeyNumber, write: u32) -> String {
        if let Some(element) = brought(self.facts, key, write) {
            return shown(element);
        }
        let at = self.address(write, Some(key));
        value_of(self.facts.micro_op(at)).map_or_else(|| "the delete".into(), shown)
    }

    pub(super) fn made(&self, write: u32) -> String {
        let micro_ops = self.operation(write).call.micro_ops();
        micro_ops.iter().find_map(value_of).map_or_else(|| "the delete".into(), shown)
    }

    /// `wrote k8 = 772`.
    pub(crate) fn did(&self, number: u32) -> String {
        let operation = self.operation(number);
        let change = operation.call.micro_ops().iter().find(|micro_op| !micro_op.is_read());
        match change {
            Some(MicroOp::Write { key, value }) => format!("wrote {key} = {}", shown(value)),
            Some(MicroOp::CompareAndSet { key, value, .. }) => format!("changed {key} to {}", shown(value)),
            Some(MicroOp::Append { key, element }) => format!("appended {} to {key}", shown(element)),
            Some(MicroOp::Add { key, element }) => format!("added {} to {key}", shown(element)),
            Some(MicroOp::Remove { key, element }) => format!("removed {} from {key}", shown(element)),
            Some(MicroOp::Increment { key, by }) => format!("added {by} to {key}"),
            Some(MicroOp::Delete { key }) => format!("deleted {key}"),
            Some(MicroOp::Enqueue { key, element }) => format!("put {} into {key}", shown(element)),
            Some(MicroOp::Push { key, element }) => format!("put {} on top of {key}", shown(element)),
            Some(MicroOp::Dequeue { key } | MicroOp::Pop { key }) => format!("took from {key}"),
            Some(MicroOp::Read { .. }) | None => "read".into(),
        }
    }
}

fn value_of(micro_op: &MicroOp) -> Option<&Value> {
    match micro_op {
        MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(value),
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => Some(element),
        _ => None,
    }
}
