//! For tests: whether somebody who knows no checker can follow a finding.

use histories::{History, OperationId};
use witness::{Claim, Hint, Kind, Record, prove, verify};

use crate::{Certainty, EdgeKind, Finding};

/// Fails unless the finding has a witness that holds, or depends on a call whose answer never came.
pub(crate) fn assert_proven(history: &History, guarantee: &str, finding: &Finding) {
    let kind = |kind: EdgeKind| match kind {
        EdgeKind::WriteWrite => Kind::Ww,
        EdgeKind::WriteRead => Kind::Wr,
        EdgeKind::ReadWrite => Kind::Rw,
        EdgeKind::Session => Kind::So,
        EdgeKind::RealTime => Kind::Rt,
    };
    let operations: Vec<OperationId> = finding.steps.iter().map(|step| step.operation).collect();
    let edges: Vec<_> = finding.edges.iter().map(|edge| (edge.from, edge.to, kind(edge.kind))).collect();
    let (keys, anomaly) = (finding.keys.as_slice(), finding.anomaly);
    let record = Record::new(history);
    let witness = prove(&record, &Hint { guarantee, anomaly, keys, operations: &operations, edges: &edges });
    let is_likely = matches!(finding.certainty, Certainty::Likely(_));
    if !(is_likely && matches!(witness.claim, Claim::NotVerifiable { .. })) {
        assert_eq!(verify(&record, &witness), Ok(()), "{finding:#?}");
    }
}
