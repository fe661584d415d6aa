//! How calls on one key read in a proof: `c1's write of 6 was confirmed at 1.200 s`.

use histories::{Key, MicroOp, Nanos, Observed};

use crate::facts::{Address, Maker};
use crate::linearizable::witness::Witness;
use crate::wording::{saw, shown};

impl Witness<'_, '_> {
    pub(super) fn name(&self) -> &Key {
        self.facts.key(self.key)
    }

    pub(super) fn client(&self, at: Address) -> String {
        format!("Client {}", self.facts.operation(at).session)
    }

    pub(super) fn began(&self, at: Address) -> Nanos {
        self.facts.operation(at).invoked
    }

    pub(super) fn ended(&self, at: Address) -> Nanos {
        let operation = self.facts.operation(at);
        operation.completed.unwrap_or(operation.invoked)
    }

    pub(super) fn before(&self, first: Address, second: Address) -> String {
        let ended = if self.facts.micro_op(first).is_read() { "answered" } else { "confirmed" };
        format!(
            "{} was {ended} at {}, before {} began at {}",
            self.act(first),
            self.ended(first),
            self.act(second),
            self.began(second)
        )
    }

    pub(super) fn read_from(&self, at: Address) -> String {
        format!("{} found {}", self.act(at), self.found(at))
    }

    /// `c1's write of 6 was confirmed at 1.200 s`, `c3 had read 6 by 1.200 s`.
    pub(super) fn known_by(&self, at: Address) -> String {
        match self.facts.micro_op(at).is_read() {
            true => format!(
                "{} had read {} by {}",
                self.facts.operation(at).session,
                self.found(at),
                self.ended(at)
            ),
            false => format!("{} was confirmed at {}", self.act(at), self.ended(at)),
        }
    }

    /// `c1's write of 6`.
    pub(super) fn act(&self, at: Address) -> String {
        let session = self.facts.operation(at).session;
        match self.facts.micro_op(at) {
            MicroOp::Read { .. } => format!("{session}'s read"),
            MicroOp::Delete { .. } => format!("{session}'s delete"),
            MicroOp::CompareAndSet { value, .. } => format!("{session}'s change to {}", shown(value)),
            MicroOp::Write { value, .. } => format!("{session}'s write of {}", shown(value)),
            MicroOp::Append { element, .. } => format!("{session}'s append of {}", shown(element)),
            MicroOp::Add { element, .. } => format!("{session}'s add of {}", shown(element)),
            MicroOp::Remove { element, .. } => format!("{session}'s removal of {}", shown(element)),
            MicroOp::Increment { by, .. } => format!("{session}'s increment by {by}"),
            MicroOp::Enqueue { element, .. } => format!("{session}'s enqueue of {}", shown(element)),
            MicroOp::Push { element, .. } => format!("{session}'s push of {}", shown(element)),
            MicroOp::Dequeue { .. } => format!("{session}'s dequeue"),
            MicroOp::Pop { .. } => format!("{session}'s pop"),
        }
    }

    pub(super) fn client_act(&self, at: Address) -> String {
        format!("Client {}", self.act(at))
    }

    /// `read k4 on node A at 1.200 s and was told 5`.
    pub(super) fn did(&self, at: Address) -> String {
        let node = self.facts.operation(at).node.as_ref();
        let place = node.map(|node| format!(" on node {node}")).unwrap_or_default();
        let time = self.began(at);
        match self.facts.micro_op(at) {
            MicroOp::Read { key } => format!("read {key}{place} at {time} and was told {}", self.found(at)),
            MicroOp::Dequeue { key } | MicroOp::Pop { key } => {
                format!("took from {key}{place} at {time} and was given {}", self.found(at))
            }
            MicroOp::CompareAndSet { key, value, .. } => {
                format!("changed {key}{place} from {} to {} at {time}", self.found(at), shown(value))
            }
            MicroOp::Write { .. }
            | MicroOp::Append { .. }
            | MicroOp::Add { .. }
            | MicroOp::Remove { .. }
            | MicroOp::Increment { .. }
            | MicroOp::Enqueue { .. }
            | MicroOp::Push { .. }
            | MicroOp::Delete { .. } => format!("was told OK for this{place} at {time}: {}", self.asked(at)),
        }
    }

    pub(super) fn asked(&self, at: Address) -> String {
        crate::wording::asked(self.facts.micro_op(at))
    }

    /// What a call found: what it was told, or what a compare-and-set expected.
    pub(super) fn found(&self, at: Address) -> String {
        self.observed(at).map(saw).unwrap_or_default()
    }

    pub(super) fn observed(&self, at: Address) -> Option<&Observed> {
        match self.facts.micro_op(at) {
            MicroOp::CompareAndSet { expected, .. } => Some(expected),
            _ => self.facts.observed(at),
        }
    }

    pub(super) fn made(&self, at: Address) -> Option<String> {
        match self.facts.micro_op(at) {
            MicroOp::Write { value, .. } | MicroOp::CompareAndSet { value, .. } => Some(shown(value)),
            MicroOp::Delete { .. } => Some("nothing".into()),
            _ => None,
        }
    }

    pub(super) fn seen_or_made(&self, at: Address) -> String {
        self.made(at).unwrap_or_else(|| self.found(at))
    }

    pub(super) fn writer_of(&self, at: Address) -> Option<Address> {
        let observed = self.observed(at)?;
        let version = observed.versions.first();
        let maker = match observed.single() {
            Some(value) => self.facts.maker(self.key, value, version),
            None => version.map_or(Maker::Nobody, |version| self.facts.version_maker(self.key, version)),
        };
        maker.one()
    }
}
