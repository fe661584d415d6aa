//! Outlines: the part of a document from which all the rest follows.

use histories::{Key, OperationId, Value};

use crate::document::{Because, Claim, Kind, Witness};
use crate::record::Record;
use crate::{Derived, Flaw, cycle, elements, end, numbers, orders, transaction};

/// The part of a document from which all the rest follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outline {
    /// Edges, in order around.
    Cycle(Vec<(OperationId, OperationId, Kind)>),
    /// Operations without an order.
    NoOrder(Vec<OperationId>),
    /// Any other form.
    Single(Single),
}

/// What the other forms are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    /// The form's name, such as `unwritten`.
    pub form: &'static str,
    /// The key; of `wrong-total` any account.
    pub key: Key,
    /// The operations that the form needs to be told, in its order.
    pub operations: Vec<OperationId>,
    /// The value that it is about, where operations and key do not say it.
    pub value: Option<Value>,
}

impl Outline {
    /// The outline of a document.
    pub(crate) fn of(witness: &Witness) -> Result<Self, Flaw> {
        let form = witness.claim.form();
        let single = |key: &Key, operations: &[OperationId], value: Option<&Value>| {
            let (operations, value) = (operations.to_vec(), value.cloned());
            Ok(Self::Single(Single { form, key: key.clone(), operations, value }))
        };
        match &witness.claim {
            Claim::Cycle { edges } => {
                Ok(Self::Cycle(edges.iter().map(|edge| (edge.from, edge.to, edge.kind)).collect()))
            }
            Claim::NoOrder {} => {
                Ok(Self::NoOrder(witness.operations.iter().map(|stated| stated.id).collect()))
            }
            Claim::Unwritten { operation, key, .. }
            | Claim::FailedWrite { operation, key, .. }
            | Claim::Intermediate { operation, key, .. }
            | Claim::TooEarly { operation, key, .. }
            | Claim::Internal { operation, key, .. }
            | Claim::Torn { operation, key, .. }
            | Claim::OutOfBounds { operation, key, .. } => single(key, &[*operation], None),
            Claim::DirtyUpdate { key, writer, later, .. } => single(key, &[*later, *writer], None),
            Claim::Twice { key, value, seen, .. } => {
                single(key, seen.get(..1).unwrap_or_default(), Some(value))
            }
            Claim::Incompatible { key, one, other, .. }
            | Claim::LostUpdate { key, one, other, .. }
            | Claim::SameName { key, one, other, .. }
            | Claim::Disagree { key, one, other }
            | Claim::WentBack { key, before: one, after: other } => single(key, &[*one, *other], None),
            Claim::VersionCycle { key, steps } => {
                let versions: Value = steps.iter().filter_map(|step| step.after.clone()).collect();
                single(key, &[], Some(&versions))
            }
            Claim::Missing { key, value, read, .. } => single(key, &[*read], Some(value)),
            Claim::Left { key, empty, .. } => single(key, &[*empty], None),
            Claim::WrongTotal { keys, operation, right, .. } => {
                single(keys.first().ok_or(Flaw::NotSo("no account is named"))?, &[*operation, *right], None)
            }
            Claim::CameBack { key, value, removal, between, read, .. } => {
                single(key, &[&[*removal, *read], between.as_slice()].concat(), Some(value))
            }
            Claim::Vanished { key, lost, .. } => single(key, &[*lost], None),
            Claim::NotVerifiable { reason } => Err(Flaw::NotVerifiable(reason.clone())),
        }
    }

    /// The same cycle from the operation asked first on.
    pub fn turned(mut edges: Vec<(OperationId, OperationId, Kind)>) -> Self {
        let first = (0..edges.len()).min_by_key(|place| edges[*place].0).unwrap_or(0);
        edges.rotate_left(first);
        Self::Cycle(edges)
    }
}

pub(crate) fn derive(record: &Record<'_>, guarantee: &str, outline: &Outline) -> Result<Derived, Flaw> {
    match outline {
        Outline::Cycle(edges) => cycle::derive(record, guarantee, edges),
        Outline::NoOrder(operations) => orders::derive(record, guarantee, operations),
        Outline::Single(single) => match single.form {
            "unwritten" | "failed-write" | "too-early" | "twice" | "missing" | "left" | "same-name" => {
                elements::derive(record, guarantee, single)
            }
            "out-of-bounds" | "wrong-total" | "went-back" => numbers::derive(record, guarantee, single),
            "disagree" | "came-back" | "vanished" => end::derive(record, guarantee, single),
            _ => transaction::derive(record, guarantee, single),
        },
    }
}

impl Single {
    /// The operations that it is told, if there are so many.
    pub(crate) fn told<const N: usize>(&self) -> Result<[OperationId; N], Flaw> {
        self.operations.as_slice().try_into().map_err(|_| Flaw::Operations)
    }

    pub(crate) fn no_form(&self, guarantee: &str) -> Flaw {
        Flaw::Form { form: self.form, guarantee: guarantee.into() }
    }
}

/// The name of such a claim about the guarantee, if it says anything about it.
pub(crate) fn named(single: &Single, guarantee: &str, name: Option<&str>) -> Result<String, Flaw> {
    name.map(ToString::to_string).ok_or_else(|| single.no_form(guarantee))
}

impl Because {
    /// The key that it is about.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Session { .. } | Self::Time { .. } => None,
            Self::Value { key, .. }
            | Self::Element { key, .. }
            | Self::Behind { key, .. }
            | Self::Without { key, .. }
            | Self::Version { key, .. } => Some(key),
        }
    }
}
