//! How it reads that elements of a queue or a stack have no order.
//!
//! ```text
//!   c0's put of 1 ──rt──▶ c0's put of 2 ──wr──▶ c1's take of 2 ──ww──▶ c2's take of 1 …
//! ```

use crate::anomaly::names;
use crate::facts::{Address, KeyKind};
use crate::linearizable::items::{Conflict, Empty, Item};
use crate::linearizable::witness::{Told, Witness};
use crate::wording::listed;
use crate::{Edge, EdgeKind, Finding};

impl Witness<'_, '_> {
    /// The proof for a queue or a stack.
    pub(super) fn items(&self, conflict: &Conflict) -> Finding {
        match conflict {
            Conflict::Unexplained(take) => self.unexplained(*take),
            Conflict::TooEarly { take, put } => self.read_too_early(*take, *put),
            Conflict::Twice { first, second } => self.twice(*first, *second),
            Conflict::Overtaken { first, second } => self.overtaken(first, second),
            Conflict::NotEmpty { empty, there } => self.not_empty(empty, there),
            Conflict::Tangled(items) => {
                let mut addresses: Vec<Address> = items.iter().flat_map(calls).collect();
                addresses.sort_unstable();
                self.searched(addresses, None)
            }
        }
    }

    fn twice(&self, first: Address, second: Address) -> Finding {
        let element = self.found(second);
        let because = |one: Address| format!("{} took {element}, and then it was gone", self.act(one));
        self.finding(Told {
            anomaly: names::DUPLICATE_ELEMENTS,
            story: format!(
                "{} {}. But {} had been given {element} too, and it was put in once.",
                self.client(second),
                self.did(second),
                self.facts.operation(first).session,
            ),
            brief: format!("{element} was taken twice"),
            conclusion: "So each of the two came before the other: a cycle that no order can explain.".into(),
            edges: vec![
                self.edge(first, second, EdgeKind::WriteWrite, because(second)),
                self.edge(second, first, EdgeKind::WriteWrite, because(first)),
            ],
            proof: second,
            addresses: vec![first, second],
        })
    }

    // `first` should have come out first: of a queue what was put in first, of a stack what lay on top.
    fn overtaken(&self, first: &Item, second: &Item) -> Finding {
        let is_queue = self.facts.kind(self.key) == KeyKind::Queue;
        let [early, late] = [first, second].map(|item| self.put_in(item.put));
        let proof = second.take.unwrap_or(second.put);
        let (lower, upper) = if is_queue { (first, second) } else { (second, first) };
        let mut edges = vec![self.in_time(lower.put, upper.put)];
        if is_queue {
            edges.push(self.edge(second.put, proof, EdgeKind::WriteRead, self.read_from(proof)));
        } else {
            edges.push(self.in_time(upper.put, proof));
        }
        let reason = match is_queue {
            true => format!("{early} was put in before {late}, so it comes out before it"),
            false => format!("{early} lay on top of {late}, so it comes off before it"),
        };
        match first.take {
            Some(take) => {
                edges.push(self.in_time(proof, take));
                edges.push(self.edge(take, proof, EdgeKind::WriteWrite, reason));
            }
            None => {
                let reason = format!("{reason}; but nobody took it, so it came later");
                edges.push(self.edge(proof, first.put, EdgeKind::WriteWrite, reason));
            }
        }
        let verb = if is_queue { "had been put in earlier" } else { "lay on top of it" };
        self.finding(Told {
            anomaly: if is_queue { names::OVERTAKEN_ELEMENT } else { names::COVERED_ELEMENT },
            story: format!(
                "{} {}. But {early} {verb}, and {}.",
                self.client(proof),
                self.did(proof),
                self.taken_later(first),
            ),
            brief: format!("{late} came out before {early}"),
            conclusion: "So the calls would each have to come before another of them: no order does.".into(),
            edges,
            proof,
            addresses: calls(first).chain(calls(second)).collect(),
        })
    }

    fn not_empty(&self, empty: &Empty, there: &[Item]) -> Finding {
        let mut edges: Vec<Edge> = Vec::new();
        for (index, item) in there.iter().enumerate() {
            let reason = match index + 1 == there.len() {
                true => format!(
                    "{} found nothing, and {} came out later",
                    self.act(empty.at),
                    self.put_in(item.put)
                ),
                false => "it came before the next was put in, and so before this was taken".to_string(),
            };
            edges.push(self.edge(empty.at, item.put, EdgeKind::ReadWrite, reason));
            match index.checked_sub(1) {
                None => edges.push(self.in_time(item.put, empty.at)),
                Some(before) => edges.extend(there[before].take.map(|take| self.in_time(item.put, take))),
            }
        }
        if let Some(take) = there.last().and_then(|item| item.take) {
            edges.push(self.in_time(empty.at, take));
        }
        let elements = listed(there.iter().map(|item| self.put_in(item.put)));
        let verb =
            if there.len() == 1 { "was there all the time" } else { "were there in turn, with no gap" };
        self.finding(Told {
            anomaly: names::NOT_EMPTY,
            story: format!("{} {}. But {elements} {verb}.", self.client(empty.at), self.did(empty.at)),
            brief: format!("nothing found while {elements} {verb}"),
            conclusion: "So there was no instant at which it was empty.".into(),
            edges,
            proof: empty.at,
            addresses: there.iter().flat_map(calls).chain([empty.at]).collect(),
        })
    }

    fn in_time(&self, first: Address, second: Address) -> Edge {
        self.edge(first, second, EdgeKind::RealTime, self.before(first, second))
    }

    fn put_in(&self, put: Address) -> String {
        self.made(put).unwrap_or_default()
    }

    fn taken_later(&self, item: &Item) -> String {
        match item.take {
            Some(take) => format!(
                "{} took it only at {}, after that was answered",
                self.facts.operation(take).session,
                self.began(take)
            ),
            None => "nobody ever took it".into(),
        }
    }
}

fn calls(item: &Item) -> impl Iterator<Item = Address> + use<> {
    item.take.into_iter().chain([item.put])
}
