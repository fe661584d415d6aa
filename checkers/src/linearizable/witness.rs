//! From a conflict to a proof that people can follow.
//!
//! ```text
//!    1  c1 → A   writes x = 6    OK       confirmed at 1.200 s
//!    2  c2 → B   reads x         5        ◀ the proof
//!
//!    1 ──rt──▶ 2   c1's write of 6 was confirmed at 1.200 s, before c2's read began at 1.300 s
//!    2 ──rw──▶ 1   but 2 saw 5, which 6 had replaced
//! ```

use histories::MicroOp;

use crate::anomaly::names;
use crate::facts::{Address, KeyNumber};
use crate::linearizable::bounds::OutOfBounds;
use crate::linearizable::infer::First;
use crate::linearizable::register::{Access, Register};
use crate::linearizable::zones::{Conflict, Overlap};
use crate::wording::{counted, step};
use crate::{Certainty, Edge, EdgeKind, Facts, Finding};

const PROOF: &str = "the proof";

/// Puts conflicts of one key in words.
pub(super) struct Witness<'f, 'h> {
    pub(super) facts: &'f Facts<'h>,
    pub(super) key: KeyNumber,
}

impl Witness<'_, '_> {
    /// The proof for a register whose writers are known.
    pub(super) fn conflict(&self, register: &Register, conflict: &Conflict) -> Finding {
        match conflict {
            Conflict::FromTheFuture { read, writer } => self.read_too_early(read.at, writer.at),
            Conflict::TwoSwaps { first, second } => self.two_swaps(first.at, second.at),
            Conflict::SwapCycle { swaps } => self.swap_cycle(swaps),
            Conflict::Stale { stale, swap, fresh } => self.stale(stale.at, swap.at, fresh.at),
            Conflict::Overlap(overlap) => self.overlap(register, overlap),
        }
    }

    /// The proof for a read of a value that nobody can have written.
    pub(super) fn unexplained(&self, read: Address) -> Finding {
        let found = self.found(read);
        let refused = self.facts.on_key(self.key).iter().copied().find(|at| {
            self.facts.operation(*at).outcome.is_failed() && self.made(*at).as_deref() == Some(&*found)
        });
        let why = match refused {
            Some(write) => format!("{} was told that it had failed", self.act(write)),
            None => format!("no call on {} can have stored {found}", self.name()),
        };
        let story = format!("{} {}, but {why}.", self.client(read), self.did(read));
        let addresses: Vec<Address> = refused.into_iter().chain([read]).collect();
        self.finding(Told {
            anomaly: names::THIN_AIR_READ,
            story,
            brief: format!("{found} came from nowhere"),
            conclusion: format!("No order of the calls gives {found}: nothing stored it."),
            edges: Vec::new(),
            proof: read,
            addresses,
        })
    }

    /// The proof by a few calls of which the search has tried every order; `circle` by their places.
    pub(super) fn searched(&self, addresses: Vec<Address>, circle: Option<Vec<First>>) -> Finding {
        let proof = *addresses
            .iter()
            .rev()
            .find(|at| self.facts.micro_op(**at).observes())
            .or(addresses.last())
            .expect("no order of no calls is illegal");
        let others = counted(addresses.len() as u64 - 1, "other call", "other calls");
        let story = format!(
            "{} {}. Together with the {others} listed here, no order explains that: each one that agrees \
             with time gives some call another answer than it got.",
            self.client(proof),
            self.did(proof),
        );
        let edges = circle.unwrap_or_default().into_iter().map(|first| {
            let (from, to) = (addresses[first.from], addresses[first.to]);
            let because = match first.kind {
                EdgeKind::RealTime => self.before(from, to),
                EdgeKind::WriteRead => self.read_from(to),
                EdgeKind::ReadWrite => {
                    format!(
                        "{} found {}, and {} came after that",
                        self.act(from),
                        self.found(from),
                        self.act(to)
                    )
                }
                _ => format!(
                    "{} came before a call that found {}, so before that was written",
                    self.act(from),
                    self.seen_or_made(to)
                ),
            };
            self.edge(from, to, first.kind, because)
        });
        self.finding(Told {
            anomaly: names::NO_LEGAL_ORDER,
            story,
            brief: format!("{} without a legal order", counted(addresses.len() as u64, "call", "calls")),
            conclusion: "Every order that agrees with time was tried: a single copy allows none.".into(),
            edges: edges.collect(),
            proof,
            addresses,
        })
    }

    /// The proof for a counter beyond what may have been counted.
    pub(super) fn out_of_bounds(&self, beyond: &OutOfBounds) -> Finding {
        let OutOfBounds { read, bounds: (low, high), increments } = beyond;
        let found = self.found(*read);
        let lies = match low == high {
            true => format!("it was {low} all the time"),
            false => format!("it lay between {low} and {high}"),
        };
        let counted_before = |at: &&Address| {
            let (increment, read) = (self.facts.operation(**at), self.facts.operation(*read));
            increment.precedes(read)
        };
        let edges = increments
            .iter()
            .filter(counted_before)
            .map(|at| self.edge(*at, *read, EdgeKind::RealTime, self.before(*at, *read)));
        let finding = self.finding(Told {
            anomaly: names::NO_LEGAL_ORDER,
            story: format!(
                "{} {}. But {lies}: that is what was counted before the read began, and what may have been \
                 counted before it ended.",
                self.client(*read),
                self.did(*read),
            ),
            brief: format!("{found} where {lies}"),
            conclusion: format!(
                "No order of these calls gives {found}, whatever became of those that were never answered."
            ),
            edges: edges.collect(),
            proof: *read,
            addresses: increments.iter().copied().chain([*read]).collect(),
        });
        let certainty = Certainty::Certain("the read was answered, and so was what surely counted".into());
        Finding { certainty, ..finding }
    }

    /// The proof for a read that ended before its write began.
    pub(super) fn read_too_early(&self, read: Address, writer: Address) -> Finding {
        let found = self.found(read);
        self.finding(Told {
            anomaly: names::READ_FROM_THE_FUTURE,
            story: format!(
                "{} {}. That was answered at {}, before {} was asked for at {}.",
                self.client(read),
                self.did(read),
                self.ended(read),
                self.act(writer),
                self.began(writer)
            ),
            brief: format!("{found} seen before it was written"),
            conclusion: "So the read came before the write that it saw: no order explains that.".into(),
            edges: vec![
                self.edge(writer, read, EdgeKind::WriteRead, self.read_from(read)),
                self.edge(read, writer, EdgeKind::RealTime, self.before(read, writer)),
            ],
            proof: read,
            addresses: vec![read, writer],
        })
    }

    fn two_swaps(&self, first: Address, second: Address) -> Finding {
        let from = self.found(first);
        let because = |later: Address, earlier: Address| {
            format!("{} found {from}, which {} replaces", self.act(later), self.act(earlier))
        };
        self.finding(Told {
            anomaly: names::LOST_UPDATE,
            story: format!(
                "{} and {} both replaced {from}. Whichever came second should have found the other's value.",
                self.client_act(first),
                self.act(second)
            ),
            brief: format!("{from} was replaced twice"),
            conclusion: "So each of the two came before the other: a cycle that no order can explain.".into(),
            edges: vec![
                self.edge(first, second, EdgeKind::ReadWrite, because(first, second)),
                self.edge(second, first, EdgeKind::ReadWrite, because(second, first)),
            ],
            proof: second,
            addresses: vec![first, second],
        })
    }

    fn swap_cycle(&self, swaps: &[Access]) -> Finding {
        let edges = swaps
            .iter()
            .zip(swaps.iter().cycle().skip(1))
            .map(|(made, found)| self.edge(made.at, found.at, EdgeKind::WriteRead, self.read_from(found.at)));
        let proof = swaps.last().expect("a cycle has calls").at;
        self.finding(Told {
            anomaly: names::CIRCULAR_UPDATES,
            story: format!(
                "Each of {} changes of {} found what another of them made, all around: none can be the first.",
                swaps.len(), self.name()
            ),
            brief: "changes that each need another first".into(),
            conclusion: "So none of them can have come first.".into(),
            edges: edges.collect(),
            proof,
            addresses: swaps.iter().map(|access| access.at).collect(),
        })
    }

    /// How a call comes before what replaced the value that it wrote, or else saw.
    fn replaced(&self, at: Address) -> EdgeKind {
        match self.facts.micro_op(at) {
            MicroOp::Read { .. } | MicroOp::CompareAndSet { .. } => EdgeKind::ReadWrite,
            _ => EdgeKind::WriteWrite,
        }
    }

    fn stale(&self, stale: Address, swap: Address, fresh: Address) -> Finding {
        let (old, new) = (self.seen_or_made(stale), self.seen_or_made(fresh));
        let mut edges = vec![self.edge(
            stale,
            swap,
            self.replaced(stale),
            format!("{} is about {old}, which {} replaced", self.act(stale), self.act(swap)),
        )];
        if fresh != swap {
            let kind = match self.facts.micro_op(fresh).is_read() {
                true => EdgeKind::WriteRead,
                false => EdgeKind::WriteWrite,
            };
            let because = match self.writer_of(fresh) == Some(swap) {
                true => self.read_from(fresh),
                false => format!("{new} grew out of it by compare-and-set"),
            };
            edges.push(self.edge(swap, fresh, kind, because));
        }
        edges.push(self.edge(fresh, stale, EdgeKind::RealTime, self.before(fresh, stale)));
        self.finding(Told {
            anomaly: names::STALE_READ,
            story: format!(
                "{} {}. But {}, before that began, and {} had replaced {old}.",
                self.client(stale),
                self.did(stale),
                self.known_by(fresh),
                self.act(swap)
            ),
            brief: format!("{old} seen after {new}"),
            conclusion: "So the call came both before and after what replaced the value it saw.".into(),
            edges,
            proof: stale,
            addresses: vec![stale, swap, fresh],
        })
    }

    fn overlap(&self, register: &Register, overlap: &Overlap) -> Finding {
        let Overlap { outer_last, inner_first, inner_last, .. } = *overlap;
        let (old, new) = (self.found(outer_last.at), self.seen_or_made(inner_first.at));
        let replaced = register.writer(inner_first.cluster).unwrap_or(inner_first).at;
        let newer = match overlap.outer_first {
            Some(first) => format!(
                "{}, before {} began at {}",
                self.known_by(first.at),
                self.act(inner_last.at),
                self.began(inner_last.at)
            ),
            None => format!("{} was empty before anybody wrote it", self.name()),
        };
        let mut edges: Vec<Edge> = overlap
            .outer_first
            .into_iter()
            .map(|first| {
                self.edge(first.at, inner_last.at, EdgeKind::RealTime, self.before(first.at, inner_last.at))
            })
            .collect();
        edges.push(self.edge(
            outer_last.at,
            replaced,
            self.replaced(outer_last.at),
            format!("{} found {old}, which {new} had replaced", self.act(outer_last.at)),
        ));
        if replaced != inner_first.at {
            let because = match self.writer_of(inner_first.at) == Some(replaced) {
                true => self.read_from(inner_first.at),
                false => format!("{new} grew out of it by compare-and-set"),
            };
            edges.push(self.edge(replaced, inner_first.at, EdgeKind::WriteRead, because));
        }
        edges.push(self.edge(
            inner_first.at,
            outer_last.at,
            EdgeKind::RealTime,
            self.before(inner_first.at, outer_last.at),
        ));
        let accesses = overlap.outer_first.into_iter().chain([inner_first, inner_last, outer_last]);
        let mut addresses: Vec<Address> = accesses.map(|access| access.at).chain([replaced]).collect();
        let outer = (overlap.outer_first, outer_last);
        for (first, last) in [outer, (Some(inner_first), inner_last), (Some(inner_last), inner_first)] {
            if let Some((link, edge)) = self.link(register, first, last) {
                addresses.push(link);
                edges.extend(edge);
            }
        }
        self.finding(Told {
            anomaly: names::STALE_READ,
            story: format!(
                "{} {}. But {}, before that began, and {new} is the newer value: {newer}.",
                self.client(outer_last.at),
                self.did(outer_last.at),
                self.known_by(inner_first.at)
            ),
            brief: format!("{old} seen after {new}"),
            conclusion: format!("So {old} would have to hold both before and after {new}: one copy cannot."),
            edges,
            proof: outer_last.at,
            addresses,
        })
    }

    // Two calls on different states of one chain belong together: shows what made the later state.
    fn link(
        &self,
        register: &Register,
        first: Option<Access>,
        last: Access,
    ) -> Option<(Address, Option<Edge>)> {
        let from = first.map_or(0, |access| access.cluster);
        let link = register.writer(last.cluster).filter(|_| from != last.cluster)?.at;
        matches!(self.facts.micro_op(link), MicroOp::CompareAndSet { .. }).then_some(())?;
        let because = "nothing can come between: each found what the one before it made".to_string();
        let edge = first.filter(|first| first.at != link && first.at < link);
        Some((link, edge.map(|first| self.edge(first.at, link, self.replaced(first.at), because))))
    }

    pub(super) fn finding(&self, told: Told) -> Finding {
        let mut addresses = told.addresses;
        self.add_sightings(&mut addresses);
        addresses.sort_unstable();
        addresses.dedup();
        let steps =
            addresses.iter().map(|at| step(self.facts, *at, if *at == told.proof { PROOF } else { "" }));
        Finding {
            anomaly: told.anomaly,
            keys: vec![self.name().clone()],
            story: told.story,
            brief: told.brief,
            steps: steps.collect(),
            edges: told.edges,
            conclusion: told.conclusion,
            certainty: certainty(self.facts, &addresses),
            weight: 1,
        }
    }

    // That a change of unknown outcome happened is proved by who saw what it made.
    fn add_sightings(&self, addresses: &mut Vec<Address>) {
        let mut place = 0;
        while let Some(at) = addresses.get(place).copied() {
            place += 1;
            let saw_it = |other: &Address| *other != at && self.writer_of(*other) == Some(at);
            let is_sure = |other: &Address| self.facts.operation(*other).is_confirmed();
            let is_shown = addresses.iter().any(|other| saw_it(other) && is_sure(other));
            if !self.facts.operation(at).outcome.is_unknown() || is_shown {
                continue;
            }
            let sightings = || self.facts.on_key(self.key).iter().copied().filter(saw_it);
            let first = sightings().find(is_sure).or_else(|| sightings().next());
            addresses.extend(first.filter(|first| !addresses.contains(first)));
        }
    }

    pub(super) fn edge(&self, from: Address, to: Address, kind: EdgeKind, because: String) -> Edge {
        Edge { from: from.operation, to: to.operation, kind, because }
    }
}

/// A finding's words, before the words that all have in common.
pub(super) struct Told {
    pub(super) anomaly: &'static str,
    pub(super) story: String,
    pub(super) brief: String,
    pub(super) conclusion: String,
    pub(super) edges: Vec<Edge>,
    pub(super) proof: Address,
    pub(super) addresses: Vec<Address>,
}

fn certainty(facts: &Facts<'_>, addresses: &[Address]) -> Certainty {
    match addresses.iter().find(|at| facts.operation(**at).outcome.is_unknown()) {
        Some(unknown) => {
            Certainty::Likely(format!("depends on {}, whose answer never came", unknown.operation))
        }
        None => Certainty::Certain(match addresses.len() {
            1 => "the operation was answered".into(),
            count => format!("all {count} operations were answered"),
        }),
    }
}
