//! Jepsen's banks: what an account holds first is in no history, and nobody is accused for it.

use checkers::{Budget, CHECKERS, Facts, Judgement};
use histories::format::read;

/// Two accounts of 10 each, a transfer of 5 that ends, one that does not, and then a read.
fn bank(last_read: &str) -> String {
    format!(
        "{{:process 0, :type :invoke, :f :read, :time 0}}
{{:process 0, :type :ok, :f :read, :value {{1 10, 2 10, 3 7}}, :time 1000000}}
{{:process 1, :type :invoke, :f :transfer, :value {{:from 1, :to 2, :amount 5}}, :time 2000000}}
{{:process 1, :type :ok, :f :transfer, :value {{:from 1, :to 2, :amount 5}}, :time 3000000}}
{{:process 1, :type :invoke, :f :transfer, :value {{:from 2, :to 1, :amount 2}}, :time 4000000}}
{{:process 1, :type :info, :f :transfer, :value {{:from 2, :to 1, :amount 2}}, :time 5000000}}
{{:process 0, :type :invoke, :f :read, :time 6000000}}
{{:process 0, :type :ok, :f :read, :value {last_read}, :time 7000000}}
"
    )
}

fn broken_and_held(file: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let history = read(file.as_bytes()).expect("a bank").history;
    let facts = Facts::new(&history);
    let (mut broken, mut held) = (Vec::new(), Vec::new());
    for checker in CHECKERS {
        match checker.check(&facts, Budget::default()).judgement {
            Judgement::Broken => broken.push(checker.guarantee()),
            Judgement::Held => held.push(checker.guarantee()),
            Judgement::NotJudged { .. } => {}
        }
    }
    (broken, held)
}

#[test]
fn a_bank_that_keeps_its_money_breaks_nothing() {
    for last_read in ["{1 5, 2 15, 3 7}", "{1 7, 2 13, 3 7}"] {
        let (broken, held) = broken_and_held(&bank(last_read));
        assert!(broken.is_empty() && held.contains(&"bank-totals"), "{last_read}: {broken:?}, {held:?}");
    }
}

#[test]
fn money_that_is_gone_is_the_banks_and_nobody_elses() {
    let (broken, _) = broken_and_held(&bank("{1 5, 2 10, 3 7}"));
    assert_eq!(broken, ["bank-totals"]);
}
