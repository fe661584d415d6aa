//! Where a history stands in the lattice of guarantees: what it rules out, and what it does not.

use checkers::lattice::{boundary, guarantee};
use checkers::{Judgement, Verdict};
use histories::History;

use super::model::Standing;
use crate::judge::Row;

/// The standing, if isolation was put to the test. Everything must have been judged: what nobody looked
/// for is not ruled out. Where there are no times, nothing that promises something about real time was.
pub(super) fn standing(history: &History, rows: &[Row]) -> Option<Standing> {
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
    let unjudged: &[&str] = if has_times(history) { &[] } else { &[WEAKEST_IN_REAL_TIME] };
    let boundary = boundary(&anomalies, &broken, unjudged);
    Some(Standing { ruled_out: boundary.weakest_ruled_out, left: boundary.strongest_left })
}

/// What every level implies that promises something about real time.
const WEAKEST_IN_REAL_TIME: &str = "strong-read-uncommitted";

/// Formats without times put everything into one instant.
fn has_times(history: &History) -> bool {
    let begin = history.operations().first().map(|operation| operation.invoked);
    begin.is_some_and(|begin| history.end() > begin)
}

#[cfg(test)]
mod tests {
    use checkers::{Budget, Facts, checker};
    use histories::{format, text};

    use super::*;
    use crate::plan::Expectation;

    fn left(history: &History) -> Vec<&'static str> {
        let verdict = checker("serializable").unwrap().check(&Facts::new(history), Budget::default());
        standing(history, &[Row { expected: Expectation::Watch, verdict }]).unwrap().left
    }

    #[test]
    fn without_times_nothing_is_said_of_real_time() {
        let plume = "w(7,1,0,0)\nr(7,1,1,1)\n";
        assert_eq!(left(&format::read(plume.as_bytes()).unwrap().history), ["strong-session-serializable"]);
        let timed = text::parse("c0 0..1 txn write x 1 -> ok\nc1 2..3 txn read x -> 1").unwrap();
        assert_eq!(left(&timed), ["strict-serializable"]);
    }
}
