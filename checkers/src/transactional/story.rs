//! From an anomaly to a finding: who did what, and why no order explains it.

use histories::{Key, Operation, OperationId, Outcome};

use super::analysis::{Analysis, Found};
use super::links::Spotted;
use super::open_orders;
use super::proof::{Proof, Prover};
use super::search::Cycle;
use super::words;
use crate::anomaly::names;
use crate::facts::{Address, Facts, KeyKind, KeyNumber};
use crate::isolation::{Breach, Link};
use crate::wording::{answered, asked, counted, listed, shown};
use crate::{Certainty, Edge, EdgeKind, Finding, Step};

/// Operations of one transaction that are shown.
const SHOWN_MAX: usize = 6;
/// A cycle of more transactions is too long to be followed by people.
const WHOLE_MAX: usize = 200;
/// Of such a cycle so many transactions are shown.
const BEGINNING: usize = 8;
/// Of one of no more transactions than this all edges are found again, so that it can be verified.
const VERIFIED_MAX: usize = 10_000;
/// Unless there are so many micro-operations to look at, for each edge all on its keys at worst.
const LOOKED_AT_MAX: usize = 100_000_000;

/// Tells findings of one history.
pub(super) struct Teller<'a, 'h> {
    facts: &'a Facts<'h>,
    prover: Prover<'a, 'h>,
}

impl<'a, 'h> Teller<'a, 'h> {
    pub(super) fn new(facts: &'a Facts<'h>, analysis: &'a Analysis, found: &'a Found) -> Self {
        Self { facts, prover: Prover { facts, analysis, found } }
    }

    /// The keys that prove a cycle's dependencies; none for an edge of sessions or of real time.
    pub(super) fn proofs(&self, cycle: &Cycle) -> Vec<Proof> {
        cycle.hops.iter().map(|hop| self.prover.proof(hop)).collect()
    }

    /// What the key is used as.
    pub(super) fn kind(&self, key: KeyNumber) -> KeyKind {
        self.facts.kind(key)
    }

    pub(super) fn cycle(&self, cycle: &Cycle) -> Finding {
        if cycle.hops.len() > WHOLE_MAX {
            return self.beginning_of(cycle);
        }
        let proofs = self.proofs(cycle);
        let mut keys: Vec<KeyNumber> = proofs.iter().filter_map(|proof| proof.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let operations: Vec<OperationId> = proofs.iter().map(|proof| proof.edge.from).collect();
        let name = cycle.kind.name();
        let longer = if cycle.is_shortest { "" } else { " The search for a shorter one ran out of steps." };
        let who = listed(operations.iter().map(|operation| self.prover.who(*operation)));
        Finding {
            anomaly: name,
            keys: self.names(&keys),
            story: self.story(cycle, &proofs),
            brief: format!("{name} between {who}"),
            steps: self.steps(&operations, &keys, &[]),
            edges: proofs.into_iter().map(|proof| proof.edge).collect(),
            conclusion: format!(
                "So each comes before the next and the last before the first: a cycle that no order can explain.{longer}"
            ),
            certainty: self.certainty(&operations),
            weight: 1,
        }
    }

    /// A cycle too long to be shown: its first transactions, each with what leads to the next. The edges are all
    /// of it where they are not too many.
    fn beginning_of(&self, cycle: &Cycle) -> Finding {
        let count = cycle.hops.len();
        let is_verified = count <= VERIFIED_MAX && count * self.facts.micro_op_count() <= LOOKED_AT_MAX;
        let edges = if is_verified { self.proofs(cycle) } else { Vec::new() };
        let shown = Cycle { hops: cycle.hops[..BEGINNING].to_vec(), ..*cycle };
        let mut proofs = self.proofs(&shown);
        proofs.sort_by_key(|proof| proof.edge.from);
        let mut keys: Vec<KeyNumber> = proofs.iter().filter_map(|proof| proof.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let name = cycle.kind.name();
        let count = counted(cycle.hops.len() as u64, "transaction", "transactions");
        let more = counted((cycle.hops.len() - BEGINNING) as u64, "transaction", "transactions");
        let step = |proof: &Proof| {
            self.step(self.facts.history().operation(proof.edge.from), &keys, &proof.edge.because)
        };
        let operations: Vec<OperationId> =
            cycle.hops.iter().flat_map(|hop| [hop.from, hop.to]).map(OperationId).collect();
        Finding {
            anomaly: name,
            keys: self.names(&keys),
            story: format!("Among {count}, {}{}.", words::happened(name), words::against(name)),
            brief: format!("{name} between {count}"),
            steps: proofs.iter().map(step).collect(),
            edges: edges.into_iter().map(|proof| proof.edge).collect(),
            conclusion: format!(
                "And so on through {more} more, and from the last to the first: a cycle that no order can explain."
            ),
            certainty: self.certainty(&operations),
            weight: 1,
        }
    }

    fn story(&self, cycle: &Cycle, proofs: &[Proof]) -> String {
        let count = cycle.hops.len() as u64;
        let missed: Vec<String> = proofs
            .iter()
            .filter(|proof| proof.edge.kind == EdgeKind::ReadWrite)
            .filter_map(|proof| {
                let key = self.facts.key(proof.key?);
                let Edge { from, to, .. } = proof.edge;
                let (reader, writer) = (self.prover.who(from), self.prover.who(to));
                Some(format!("{reader} did not see what {writer} put into {key}"))
            })
            .collect();
        let name = cycle.kind.name();
        let (happened, against) = (words::happened(name), words::against(name));
        match missed.len() {
            0 => format!("Among {}, {happened}{against}.", counted(count, "transaction", "transactions")),
            1 => format!("Client {}, and yet that came before it{against}.", missed[0]),
            2..=3 => format!("Client {}: {happened}{against}.", listed(missed)),
            more => format!(
                "Client {}, and so on round a circle of {}: {happened}{against}.",
                missed[0],
                counted(more as u64, "such read", "such reads")
            ),
        }
    }

    /// What no order of the appends that nobody read explains.
    pub(super) fn open(&self, judged: &open_orders::Judged, breach: &Breach) -> Finding {
        let operations: Vec<OperationId> =
            breach.transactions.iter().map(|txn| open_orders::operation(*txn)).collect();
        let keys: Vec<KeyNumber> = breach.keys.iter().map(|key| judged.key(*key)).collect();
        let edge = |link: &Link| {
            let (kind, because) = judged.told(self.facts, *link);
            let (from, to) = (open_orders::operation(link.from), open_orders::operation(link.to));
            Edge { from, to, kind, because }
        };
        let reasons = |links: &[Link]| {
            let reasons: Vec<String> = links.iter().map(|link| judged.told(self.facts, *link).1).collect();
            reasons.join("; ")
        };
        let conclusion = match breach.choices.as_slice() {
            [_, second, ..] => format!(
                "And the other way round there is a circle too: {}. So neither order does.",
                reasons(&second.links)
            ),
            _ => "Each comes before the next and the last before the first: no order does that.".into(),
        };
        let count = counted(operations.len() as u64, "transaction", "transactions");
        let names = self.names(&keys);
        Finding {
            anomaly: breach.anomaly,
            story: format!(
                "No order of what was appended to {} explains what {count} saw: {}.",
                listed(&names),
                reasons(&breach.links)
            ),
            brief: format!("{} on {}", breach.anomaly.replace('-', " "), listed(&names)),
            steps: self.steps(&operations, &keys, &[]),
            edges: breach.links.iter().map(edge).collect(),
            conclusion,
            certainty: self.certainty(&operations),
            weight: 1,
            keys: names,
        }
    }

    pub(super) fn spotted(&self, spotted: &Spotted) -> Finding {
        let mut operations: Vec<OperationId> = spotted.at.iter().map(|at| at.operation).collect();
        operations.sort_unstable();
        operations.dedup();
        let key = self.facts.key(spotted.key);
        let mut keys = vec![spotted.key];
        if spotted.anomaly == names::FRACTURED_READ {
            keys.extend(spotted.at.iter().map(|at| self.facts.key_of(*at)));
            keys.sort_unstable();
            keys.dedup();
        }
        Finding {
            anomaly: spotted.anomaly,
            keys: self.names(&keys),
            story: self.spotted_story(spotted),
            brief: format!("{} by {}", spotted.anomaly, self.prover.who(spotted.at[0].operation)),
            steps: self.steps(&operations, &keys, &spotted.at[..1]),
            edges: self.spotted_edges(spotted),
            conclusion: format!("On {key}, {}.", words::happened(spotted.anomaly)),
            certainty: self.certainty(&operations),
            weight: 1,
        }
    }

    fn spotted_story(&self, spotted: &Spotted) -> String {
        let first = spotted.at[0];
        let (who, key) = (self.prover.who(first.operation), self.facts.key(spotted.key));
        let seen = || answered(self.facts, first);
        let other = || spotted.at.get(1).map(|at| self.prover.who(at.operation)).unwrap_or_default();
        let did = |at: Option<&Address>| at.map(|at| asked(self.facts.micro_op(*at))).unwrap_or_default();
        match spotted.anomaly {
            names::G1A => format!(
                "Client {who} read {key} as {}. But when {} asked for that ({}), it was told that it had failed.",
                seen(),
                other(),
                did(spotted.at.get(1))
            ),
            names::FRACTURED_READ => format!(
                "Client {who} saw in {} what {} had put there, but read {key} as {}, without the rest of it ({}).",
                spotted
                    .at
                    .get(2)
                    .map(|at| self.facts.key(self.facts.key_of(*at)).to_string())
                    .unwrap_or_default(),
                other(),
                seen(),
                did(spotted.at.get(1))
            ),
            names::G1B => format!(
                "Client {who} read {key} as {}, a state in the middle of {}'s transaction: that went on to change {key} again.",
                seen(),
                other()
            ),
            names::NON_REPEATABLE_READ => format!(
                "Client {who} read {key} again in one transaction, and it had become {}: another transaction came in between.",
                seen()
            ),
            names::INTERNAL => format!(
                "Client {who} read {key} as {}, which is not what its own transaction had read or written just before.",
                seen()
            ),
            names::FUTURE_READ => format!(
                "Client {who} read {key} as {}, with what its own transaction did only after that read ({}).",
                seen(),
                did(spotted.at.get(1))
            ),
            names::DIRTY_UPDATE => format!(
                "Client {who} confirmed a change of {key} ({}) that stands on top of one by {} ({}), which had failed.",
                did(Some(&first)),
                other(),
                did(spotted.at.get(1))
            ),
            names::LOST_UPDATE => format!(
                "Client {who} and {} both read {key} as {} and then both changed it, and neither knew of the other.",
                other(),
                seen()
            ),
            names::DUPLICATE_ELEMENTS => {
                format!("Client {who} read {key} as {}, with an element that is there twice.", seen())
            }
            names::INCOMPATIBLE_ORDER => format!(
                "Client {who} read {key} as {}, and {} as {}: neither is the beginning of the other, so no one list grew to both.",
                seen(),
                other(),
                spotted.at.get(1).map(|at| answered(self.facts, *at)).unwrap_or_default()
            ),
            names::THIN_AIR_READ => {
                format!("Client {who} read {key} as {}, and nobody ever wrote that.", seen())
            }
            _ => {
                let values = spotted.at.iter().filter_map(|at| match self.facts.micro_op(*at) {
                    histories::MicroOp::Write { value, .. } => Some(shown(value)),
                    _ => None,
                });
                format!(
                    "On {key}, the values {} each come before the next and the last before the first.",
                    listed(values)
                )
            }
        }
    }

    fn spotted_edges(&self, spotted: &Spotted) -> Vec<Edge> {
        let [first, other, ..] = spotted.at.as_slice() else { return Vec::new() };
        let (first, other) = (first.operation, other.operation);
        let (reader, writer) = (self.prover.who(first), self.prover.who(other));
        let key = self.facts.key(spotted.key);
        match spotted.anomaly {
            names::G1A | names::G1B => vec![Edge {
                from: other,
                to: first,
                kind: EdgeKind::WriteRead,
                because: format!("{reader} saw in {key} what {writer} had put there"),
            }],
            names::FRACTURED_READ => vec![
                Edge {
                    from: other,
                    to: first,
                    kind: EdgeKind::WriteRead,
                    because: format!("{reader} saw a part of what {writer} had done"),
                },
                Edge {
                    from: first,
                    to: other,
                    kind: EdgeKind::ReadWrite,
                    because: format!("{reader} read {key} before {writer} appended to it"),
                },
            ],
            names::LOST_UPDATE => [(first, other), (other, first)]
                .map(|(from, to)| Edge {
                    from,
                    to,
                    kind: EdgeKind::ReadWrite,
                    because: format!(
                        "{} read {key} before {} changed it",
                        self.prover.who(from),
                        self.prover.who(to)
                    ),
                })
                .into(),
            _ => Vec::new(),
        }
    }

    fn names(&self, keys: &[KeyNumber]) -> Vec<Key> {
        keys.iter().map(|key| self.facts.key(*key).clone()).collect()
    }

    /// Each operation once, in the order of time, with what it did to these keys.
    fn steps(&self, operations: &[OperationId], keys: &[KeyNumber], marked: &[Address]) -> Vec<Step> {
        let mut operations = operations.to_vec();
        operations.sort_unstable();
        operations.dedup();
        let marks = |operation: OperationId| marked.iter().any(|at| at.operation == operation);
        let step = |operation: OperationId| {
            let remark = if marks(operation) { "the proof" } else { "" };
            self.step(self.facts.history().operation(operation), keys, remark)
        };
        operations.into_iter().map(step).collect()
    }

    fn step(&self, operation: &Operation, keys: &[KeyNumber], remark: &str) -> Step {
        let count = operation.call.micro_ops().len() as u32;
        let all = (0..count).map(|index| Address { operation: operation.id, index });
        let of_keys: Vec<Address> = all.filter(|at| keys.contains(&self.facts.key_of(*at))).collect();
        let shown = &of_keys[..of_keys.len().min(SHOWN_MAX)];
        let mut what: Vec<String> = shown.iter().map(|at| asked(self.facts.micro_op(*at))).collect();
        let answer = match &operation.outcome {
            Outcome::Confirmed(_) => {
                let mut answers: Vec<String> = shown.iter().map(|at| answered(self.facts, *at)).collect();
                if answers.iter().all(|answer| answer == "OK") {
                    answers.truncate(1);
                }
                answers.join(", ")
            }
            Outcome::Failed(_) | Outcome::Unknown(_) => {
                shown.first().map(|at| answered(self.facts, *at)).unwrap_or_default()
            }
        };
        if of_keys.len() > SHOWN_MAX {
            what.push("…".into());
        }
        Step { operation: operation.id, what: what.join(", "), answer, remark: remark.into() }
    }

    fn certainty(&self, operations: &[OperationId]) -> Certainty {
        let unknown = |id: &&OperationId| self.facts.history().operation(**id).outcome.is_unknown();
        Certainty::Certain(match operations.iter().find(unknown) {
            Some(id) => format!("no answer to {} came, but what it wrote was read", self.prover.who(*id)),
            None => crate::wording::all_answered(operations.len()),
        })
    }
}
