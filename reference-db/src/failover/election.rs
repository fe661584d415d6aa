//! Election rules: may a node have the vote of another?
//!
//! ```text
//! A (dead) 1 2 3      most caught up: B has a vote of C, C has none of B      nothing that a majority has is lost
//! B        1 2 3      highest id: C leads, as C > B                           3 is lost, confirmed or not
//! C        1 2
//! ```

use super::Election;
use crate::clock::DotSet;
use crate::names::NodeName;

/// Who asks for a vote.
pub(crate) struct Candidate<'a> {
    pub(crate) name: NodeName,
    pub(crate) applied: &'a DotSet,
}

impl Election {
    /// True if a node that has `applied`, and hears `others` with data, may vote for the candidate.
    pub(crate) fn allows(
        self,
        candidate: &Candidate<'_>,
        applied: &DotSet,
        others: impl IntoIterator<Item = NodeName>,
    ) -> bool {
        match self {
            Election::MostCaughtUp => applied.is_within(candidate.applied),
            Election::HighestId => others.into_iter().all(|other| other <= candidate.name),
        }
    }
}
