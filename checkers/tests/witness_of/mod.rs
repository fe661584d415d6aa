//! The witness of what a checker found; for the tests of the checkers, within and without.

use histories::OperationId;
use witness::{Hint, Kind, Record, Witness, prove};

use crate::{EdgeKind, Finding};

pub(crate) fn witness_of(record: &Record<'_>, guarantee: &str, finding: &Finding) -> Witness {
    let operations: Vec<OperationId> = finding.steps.iter().map(|step| step.operation).collect();
    let edges: Vec<_> = finding.edges.iter().map(|edge| (edge.from, edge.to, kind(edge.kind))).collect();
    let (keys, anomaly) = (finding.keys.as_slice(), finding.anomaly);
    prove(record, &Hint { guarantee, anomaly, keys, operations: &operations, edges: &edges })
}

fn kind(kind: EdgeKind) -> Kind {
    match kind {
        EdgeKind::WriteWrite => Kind::Ww,
        EdgeKind::WriteRead => Kind::Wr,
        EdgeKind::ReadWrite => Kind::Rw,
        EdgeKind::Session => Kind::So,
        EdgeKind::RealTime => Kind::Rt,
    }
}
