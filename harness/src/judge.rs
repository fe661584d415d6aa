//! The judge: what a plan expects, against what the checkers observed.
//!
//! ```text
//!              observed  held              broken            not judged
//!   hold                 met               BROKEN            indeterminate
//!   break                BROKEN            met               indeterminate
//!   watch                –                 –                 –
//! ```
//!
//! Held needs evidence: fewer chances than the plan asks for, or a fault that did not bite, make it
//! *not judged*. Broken stays broken whatever else went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use checkers::isolation::{self, levels};
use checkers::{Budget, Checker, Facts, Judgement, Verdict};
use histories::compact::{TxnId, TxnTable};
use histories::{FaultStage, Header, History};

use crate::exit::Exit;
use crate::plan::{Expectation, OnIndeterminate};

/// What to judge, and how strictly.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Guarantees in the order of the report, each with what is expected of it.
    pub(crate) expect: Vec<(String, Expectation)>,
    /// Steps that one checker may take.
    pub(crate) steps: u64,
    /// Fewer chances than this are none.
    pub(crate) min_exposure: u64,
    /// What *not judged* comes to.
    pub(crate) on_indeterminate: OnIndeterminate,
    /// Guarantees without any chance do not count as expected: for records of unknown origin.
    pub(crate) forgive_no_chance: bool,
}

/// One guarantee, judged.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) expected: Expectation,
    pub(crate) verdict: Verdict,
}

/// A whole run, judged.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) rows: Vec<Row>,
    /// What the rows come to.
    pub(crate) finding: Exit,
    /// How the program ends: the same, but for what the plan lets pass.
    pub(crate) exit: Exit,
}

/// The guarantees of a workload in the order of the report: what most stores promise is expected to
/// hold unless the plan says otherwise, the rest is watched.
pub(crate) fn expectations(
    guarantees: &[&str],
    plan: &BTreeMap<String, Expectation>,
) -> Vec<(String, Expectation)> {
    const USUAL: [&str; 3] = ["no-lost-updates", "convergence", "no-made-up-values"];
    let usual = |name: &str| if USUAL.contains(&name) { Expectation::Hold } else { Expectation::Watch };
    let mut expect: Vec<(String, Expectation)> = guarantees
        .iter()
        .map(|name| (name.to_string(), plan.get(*name).copied().unwrap_or(usual(name))))
        .collect();
    for (name, expectation) in plan {
        if !guarantees.contains(&name.as_str()) {
            expect.push((name.clone(), *expectation));
        }
    }
    expect.sort_by_key(|(_, expectation)| *expectation == Expectation::Watch);
    expect
}

/// Judges `history` on all cores.
pub(crate) fn judge(history: &History, rules: &Rules) -> Judged {
    judge_on(history, rules, std::thread::available_parallelism().map_or(1, usize::from))
}

/// Judges `history` on so many cores; what is said does not depend on it.
pub(crate) fn judge_on(history: &History, rules: &Rules, cores: usize) -> Judged {
    let facts = Facts::new(history);
    sum_up(check_all(&facts, rules, cores), rules, &toothless_faults(history))
}

/// Judges a table, without a history of all of it; `rules` must ask for levels of isolation only. With it
/// comes a history of those transactions alone that findings tell of.
pub(crate) fn judge_table(table: &TxnTable, header: Header, rules: &Rules) -> (Judged, History) {
    let asked: Vec<&str> = rules.expect.iter().map(|(name, _)| name.as_str()).collect();
    let answers = levels::judge(table, &asked, Budget { steps: rules.steps });
    let told = answers.iter().flat_map(|(_, answer)| isolation::guarantee::told(answer));
    let transactions: BTreeSet<TxnId> = told.flat_map(|breach| breach.transactions.iter().copied()).collect();
    let part = table.part(header, &transactions.into_iter().collect::<Vec<TxnId>>());
    let verdict = |(name, expected): &(String, Expectation)| {
        let (guarantee, answer) = answers.iter().find(|(guarantee, _)| guarantee == name)?;
        let mut verdict = isolation::guarantee::verdict(guarantee, &part, table, answer);
        demand_times(&mut verdict, table);
        Some((*expected, verdict))
    };
    let verdicts = rules.expect.iter().filter_map(verdict).collect();
    (sum_up(verdicts, rules, &[]), part)
}

/// What promises something about real time did not keep it where nobody knows the time.
fn demand_times(verdict: &mut Verdict, table: &TxnTable) {
    let is_strict = levels::level(verdict.guarantee).is_some_and(|level| level.is_strict);
    if verdict.judgement == Judgement::Held && is_strict && !table.has_times() {
        let why = "this file has no times; without them it is the guarantee of sessions, strong-session-…";
        verdict.judgement = Judgement::NotJudged { why: why.into() };
    }
}

fn sum_up(verdicts: Vec<(Expectation, Verdict)>, rules: &Rules, toothless: &[String]) -> Judged {
    let row = |(expected, verdict): (Expectation, Verdict)| {
        let verdict = demand_evidence(verdict, rules, toothless);
        Row { expected: demand_chances(expected, &verdict, rules), verdict }
    };
    let mut rows: Vec<Row> = verdicts.into_iter().map(row).collect();
    rows.sort_by_key(|row| row.expected == Expectation::Watch);
    let exit = rows.iter().map(exit_of).fold(Exit::Met, Exit::worse);
    let judged_nothing = rows.iter().all(|row| matches!(row.verdict.judgement, Judgement::NotJudged { .. }));
    let finding = if judged_nothing { exit.worse(Exit::Indeterminate) } else { exit };
    Judged { exit: soften(finding, rules), finding, rows }
}

/// Asks the checkers side by side; what each says depends on the history alone.
fn check_all(facts: &Facts<'_>, rules: &Rules, cores: usize) -> Vec<(Expectation, Verdict)> {
    let asked: Vec<(Expectation, &dyn Checker)> = rules
        .expect
        .iter()
        .filter_map(|(name, expected)| Some((*expected, checkers::checker(name)?)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        while let Some((expected, checker)) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = checker.check(facts, Budget { steps: rules.steps });
            answers.push((verdict.guarantee, (*expected, verdict)));
        }
        answers
    };
    let cores = cores.clamp(1, asked.len().max(1));
    let mut answers = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    answers.sort_by_key(|(name, _)| asked.iter().position(|(_, checker)| checker.guarantee() == *name));
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A record of unknown origin is only expected to hold what it puts to the test.
fn demand_chances(expected: Expectation, verdict: &Verdict, rules: &Rules) -> Expectation {
    let unjudged = matches!(verdict.judgement, Judgement::NotJudged { .. });
    if rules.forgive_no_chance && unjudged && verdict.chances.count == 0 {
        Expectation::Watch
    } else {
        expected
    }
}

fn soften(exit: Exit, rules: &Rules) -> Exit {
    match (exit, rules.on_indeterminate) {
        (Exit::Indeterminate, OnIndeterminate::Pass) => Exit::Met,
        (exit, _) => exit,
    }
}

fn demand_evidence(mut verdict: Verdict, rules: &Rules, toothless: &[String]) -> Verdict {
    if verdict.judgement != Judgement::Held {
        return verdict;
    }
    if verdict.chances.count < rules.min_exposure {
        let (count, least) = (verdict.chances.count, rules.min_exposure);
        let why =
            format!("{count} chances to break, and the plan asks for {least}: {}", verdict.chances.what);
        verdict.judgement = Judgement::NotJudged { why };
    } else if let Some(fault) = toothless.first() {
        let why = format!("a fault did not do as planned: {fault}");
        verdict.judgement = Judgement::NotJudged { why };
    }
    verdict
}

fn exit_of(row: &Row) -> Exit {
    match (row.expected, &row.verdict.judgement) {
        (Expectation::Watch, _) => Exit::Met,
        (Expectation::Hold, Judgement::Held) | (Expectation::Break, Judgement::Broken) => Exit::Met,
        (Expectation::Hold, Judgement::Broken) | (Expectation::Break, Judgement::Held) => Exit::Broken,
        (_, Judgement::NotJudged { .. }) => Exit::Indeterminate,
    }
}

/// How the driver begins to say that a fault was not seen to be gone.
const UNHEALED: &str = "not seen to be gone";

/// Faults that were injected and seen not to bite, or not seen to be gone.
fn toothless_faults(history: &History) -> Vec<String> {
    let toothless = history.faults().iter().filter(|(_, fault)| match fault.stage {
        FaultStage::Ineffective => true,
        // Healed without words: whoever judges what came afterwards should know.
        FaultStage::Healed => fault.detail.starts_with(UNHEALED),
        FaultStage::Injecting | FaultStage::Effective | FaultStage::Healing => false,
    });
    toothless.map(|(_, fault)| format!("{} {}: {}", fault.name, fault.summary, fault.detail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkers::CHECKERS;
    use histories::text;

    const LOST: &str = "
        nodes A B
        c0@A 0..1 write x [1] -> ok A:1
        c1@A 2..3 read x -> [1]@A:1
        c2@B 2..3 read x -> [1]@A:1
        c1@A 4..5 cas x [1]@A:1 [1 2] -> ok A:2
        c2@B 4..5 cas x [1]@A:1 [1 3] -> ok B:1
        -- final-reads
        c3@A read x -> [1 3]@B:1
        c4@B read x -> [1 3]@B:1";

    fn exit(history: &str, expect: &[(&str, Expectation)]) -> Exit {
        let rules = Rules {
            expect: expect.iter().map(|(name, expectation)| (name.to_string(), *expectation)).collect(),
            steps: 1000,
            min_exposure: 1,
            on_indeterminate: OnIndeterminate::Fail,
            forgive_no_chance: false,
        };
        judge(&text::parse(history).unwrap(), &rules).exit
    }

    #[test]
    fn expectations_meet_observations() {
        use Expectation::{Break, Hold, Watch};
        assert_eq!(exit(LOST, &[("no-lost-updates", Hold)]), Exit::Broken);
        assert_eq!(exit(LOST, &[("no-lost-updates", Break)]), Exit::Met);
        assert_eq!(exit(LOST, &[("no-lost-updates", Watch), ("convergence", Hold)]), Exit::Met);
        assert_eq!(exit(LOST, &[("convergence", Break)]), Exit::Broken);
        assert_eq!(exit(LOST, &[("deletes-stay-deleted", Hold)]), Exit::Indeterminate);
        let both = [("deletes-stay-deleted", Hold), ("no-lost-updates", Hold)];
        assert_eq!(exit(LOST, &both), Exit::Broken);
    }

    #[test]
    fn nothing_is_held_where_nothing_could_break() {
        let expect: Vec<(&str, Expectation)> =
            CHECKERS.iter().map(|checker| (checker.guarantee(), Expectation::Hold)).collect();
        assert_eq!(exit("c0 read x -> failed 503", &expect), Exit::Indeterminate);
        assert_eq!(exit("", &expect), Exit::Indeterminate);
    }
}
