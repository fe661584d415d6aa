//! For tests: whether somebody who knows no checker can follow a finding.

use histories::History;
use witness::{Claim, Record, verify};

use crate::witness_of::witness_of;
use crate::{Certainty, Finding};

/// Fails unless the finding has a witness that holds, or depends on a call whose answer never came.
pub(crate) fn assert_proven(history: &History, guarantee: &str, finding: &Finding) {
    let record = Record::new(history);
    let witness = witness_of(&record, guarantee, finding);
    let is_likely = matches!(finding.certainty, Certainty::Likely(_));
    if !(is_likely && matches!(witness.claim, Claim::NotVerifiable { .. })) {
        assert_eq!(verify(&record, &witness), Ok(()), "{finding:#?}");
    }
}
