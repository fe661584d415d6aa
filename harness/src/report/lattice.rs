//! Where a history stands in the lattice of guarantees: what it rules out, and what it does not.

use checkers::lattice::{boundary, guarantee};
use checkers::{Judgement, Verdict};

use super::model::Standing;
use crate::judge::Row;

/// The standing, if isolation was put to the test. Everything must have been judged: what nobody looked
/// for is not ruled out.
pub(super) fn standing(rows: &[Row]) -> Option<Standing> {
    let verdicts = || rows.iter().map(|row| &row.verdict);
    let isolation = |verdict: &&Verdict| {
        verdict.guarantee == "serializable" && !matches!(verdict.judgement, Judgement::NotJudged { .. })
    };
    verdicts().find(isolation)?;
    let broken: Vec<&str> = verdicts()
        .filter(|verdict| verdict.is_broken() && guarantee(verdict.guarantee).is_some())
        .map(|verdict| verdict.guarantee)
        .collect();
    let mut anomalies: Vec<&str> = verdicts()
        .filter(|verdict| broken.contains(&verdict.guarantee))
        .flat_map(|verdict| verdict.findings.iter().map(|finding| finding.anomaly))
        .collect();
    anomalies.sort_unstable();
    anomalies.dedup();
    let boundary = boundary(&anomalies, &broken);
    Some(Standing { ruled_out: boundary.weakest_ruled_out, left: boundary.strongest_left })
}
