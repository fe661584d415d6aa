//! Why a witness proves nothing.

use histories::OperationId;

/// The first thing that is wrong with a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Another version of the document.
    #[error("version {0} of the document is not known: expected {expected}", expected = crate::VERSION)]
    Version(u32),
    /// It is about another history.
    #[error("it is about a history of {stated} operations that ends at {end}, and this is another")]
    History {
        /// Operations that it states.
        stated: u64,
        /// The end that it states.
        end: histories::Nanos,
    },
    /// The history has no such operation.
    #[error("{0} is not in the history")]
    Missing(OperationId),
    /// An operation is not as it is written out.
    #[error("{0} is not as the history has it")]
    Misstated(OperationId),
    /// Some operation takes part and is not written out, or the other way round.
    #[error("the operations written out are not those that the claim is about")]
    Operations,
    /// An edge that the history does not bear out.
    #[error("{from} ──{kind}──▶ {to}: nothing in the history shows that")]
    Edge {
        /// What is said to come first.
        from: OperationId,
        /// What is said to come later.
        to: OperationId,
        /// The kind of dependency.
        kind: &'static str,
    },
    /// The edges do not go round in one circle, from the operation asked first on.
    #[error("the edges do not go round in a circle that begins with the operation asked first")]
    NoCircle,
    /// Such a circle is allowed.
    #[error("a circle of {kinds} does not refute {guarantee}")]
    Allowed {
        /// The kinds of its edges.
        kinds: String,
        /// The guarantee.
        guarantee: String,
    },
    /// The form proves nothing about this guarantee.
    #[error("the form {form} says nothing about {guarantee}")]
    Form {
        /// The claim's form.
        form: &'static str,
        /// The guarantee.
        guarantee: String,
    },
    /// The anomaly has another name.
    #[error("that is no {stated}: it is called {right}")]
    Name {
        /// The name that it states.
        stated: String,
        /// The name that it has.
        right: String,
    },
    /// Some order explains it.
    #[error("an order explains all that these operations saw")]
    Explained,
    /// One operation too many.
    #[error("{0} is not needed: the others have no order without it")]
    NotNeeded(OperationId),
    /// Too many operations for all their orders.
    #[error("{0} operations have too many orders to try")]
    TooMany(usize),
    /// A single claim that does not hold.
    #[error("{0}")]
    NotSo(&'static str),
    /// Something that follows from the history otherwise than it is stated.
    #[error("what it states of the {0} is not what follows from the history")]
    Otherwise(&'static str),
    /// It says itself that it proves nothing.
    #[error("it says itself that it cannot be verified: {0}")]
    NotVerifiable(String),
}

pub(crate) fn demand(holds: bool, reason: &'static str) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw::NotSo(reason)) }
}
