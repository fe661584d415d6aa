//! The planted bugs, each hunted in its plan of `harness/defects` and shrunk to the story of what it does.
//!
//! ```text
//!   seed 1, seed 2, … ──► the first that breaks the guarantee ──► at most 8 calls and 2 faults
//! ```

use expect_test::{Expect, expect};
use reference_db::Defect;

use super::tests::{run, story};
use super::*;
use crate::run::prepare;
use crate::sim::defects::{caught_by, plan, seeds};

/// The first seed that shows the bug, shrunk.
fn check(defect: Defect, expected: Expect) {
    let (merged, guarantee) = (plan(defect), caught_by(defect)[0]);
    let shrunk = seeds().find_map(|seed| {
        let prepared = prepare(&merged, seed).unwrap_or_else(|stop| panic!("{:#}", stop.error));
        let way = Way { guarantee: Some(guarantee.into()), jobs: 2, over: &|| false, tell: &mut |_| {} };
        shrink(&prepared, &run(&prepared), way).ok()
    });
    let shrunk = shrunk.unwrap_or_else(|| panic!("no seed shows {defect}"));
    let Size { calls, faults, .. } = size(&shrunk.prepared.resolved);
    assert!(calls <= 8 && faults <= 2, "{}\n{}", shrunk.course(), story(&shrunk));
    expected.assert_eq(&story(&shrunk));
}

#[test]
fn a_dependent_change_that_is_applied_early_is_seen_before_its_cause() {
    check(Defect::ApplyDependentEarly, expect![[r#""#]]);
}

#[test]
fn a_write_that_is_confirmed_before_it_is_durable_dies_with_its_node() {
    check(Defect::ConfirmBeforeDurable, expect![[r#"
        Client c0 added 1 to x on node A and the database said OK. At the end 1 was gone from A, and no final read saw it or anything made from it.
        0.020 s  c0 → A  adds 1 to x  OK
        0.040 s  nodes  kill A  
        0.060 s  c1 → A  reads x  nothing
        Without kill A the write survives."#]]);
}

#[test]
fn a_tombstone_that_is_forgotten_lets_an_older_write_come_back_on_one_node() {
    check(Defect::ForgetTombstones, expect![[r#"
        At the end, key x is nothing on A, but 1 on B.
        0.252 s  c2 → A  reads x  nothing
        0.252 s  c6 → B  reads x  1
        Without one-way A ⇥ B all nodes agree in the end."#]]);
}

#[test]
fn clocks_that_are_compared_without_a_tie_break_leave_each_node_its_own_value() {
    check(Defect::NoTieBreak, expect![[r#"
        At the end, key x is 2 on A, but 1 on B.
        5.502 s  c2 → A  reads x  2
        5.502 s  c6 → B  reads x  1"#]]);
}

#[test]
fn a_change_that_comes_again_is_counted_again() {
    check(Defect::SkipVersionCheck, expect![[r#"
        At the end, key x is 7 on A and B, but 11 on C.
        7.003 s  c2 → A  reads x  7
        7.003 s  c10 → C  reads x  11"#]]);
}
