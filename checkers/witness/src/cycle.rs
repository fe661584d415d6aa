//! Cycles: each operation comes before the next and the last before the first.

use histories::OperationId;

use crate::document::{Claim, Edge, Kind};
use crate::edge::Promise;
use crate::guarantee;
use crate::record::Record;
use crate::{Derived, Flaw};

/// An edge without its proof.
pub(crate) type Bare = (OperationId, OperationId, Kind);

/// The cycle with its proofs, if the guarantee does not allow it.
pub(crate) fn derive(record: &Record<'_>, guarantee: &str, edges: &[Bare]) -> Result<Derived, Flaw> {
    goes_round(edges)?;
    let kinds: Vec<Kind> = edges.iter().map(|(.., kind)| *kind).collect();
    let (promise, name) = refuted(guarantee, &kinds)?;
    let proved = edges.iter().map(|(from, to, kind)| record.edge((*from, *to), *kind, promise));
    let edges: Vec<Edge> = proved.collect::<Result<_, _>>()?;
    let mut operations: Vec<OperationId> = edges.iter().map(|edge| edge.from).collect();
    operations.extend(edges.iter().flat_map(|edge| edge.because.operations()));
    Ok(Derived { claim: Claim::Cycle { edges }, operations, name })
}

fn goes_round(edges: &[Bare]) -> Result<(), Flaw> {
    let from = |place: usize| edges[place % edges.len()].0;
    let is_chain = edges.len() > 1 && (0..edges.len()).all(|place| edges[place].1 == from(place + 1));
    let mut met: Vec<OperationId> = edges.iter().map(|edge| edge.0).collect();
    let begins = met.first() == met.iter().min();
    met.sort_unstable();
    met.dedup();
    if is_chain && begins && met.len() == edges.len() { Ok(()) } else { Err(Flaw::NoCircle) }
}

fn refuted(guarantee: &str, kinds: &[Kind]) -> Result<(Promise, String), Flaw> {
    use Kind::{Rt, Rw, Wr};
    let turned =
        |pattern: &[Kind]| (0..kinds.len()).any(|by| [&kinds[by..], &kinds[..by]].concat() == pattern);
    let known = match guarantee {
        // Two readers, each of which saw the write that the other missed: Sovran et al. 2011, §3.
        "no-long-fork" => turned(&[Wr, Rw, Wr, Rw]).then(|| (Promise::Nothing, "long-fork".into())),
        // A read without a write that was confirmed before another one began, which it saw.
        "no-causal-reverse" => turned(&[Rt, Wr, Rw]).then(|| (Promise::Nothing, "causal-reverse".into())),
        // It read from a transaction, and another key as it was before that one: Bailis et al. 2014, §3.
        "read-atomic" if turned(&[Wr, Rw]) => Some((Promise::Transactions, "fractured-read".into())),
        _ => match guarantee::find(guarantee) {
            None => return Err(Flaw::Form { form: "cycle", guarantee: guarantee.into() }),
            Some(level) => level.refuted_by(kinds).map(|name| (level.promise, name)),
        },
    };
    known.ok_or_else(|| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        Flaw::Allowed { kinds: kinds.join(" "), guarantee: guarantee.into() }
    })
}
