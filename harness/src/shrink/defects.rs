//! The planted bugs, each hunted in its plan of `harness/defects` and shrunk to the story of what it does.
//!
//! ```text
//!   seed 1, seed 2, … ──► the first that breaks the guarantee ──► at most 8 calls and 2 faults
//! ```

use expect_test::{Expect, expect};
use histories::text::print_operation;
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
    expected.assert_eq(&tale(&shrunk));
}

/// What was pinned and what came of it, then what the report makes of that.
fn tale(shrunk: &Shrunk) -> String {
    let mut lines: Vec<String> = Vec::new();
    for fault in &shrunk.prepared.resolved.faults.faults {
        lines.push(format!("{}: {}, from {} to {}", fault.name, fault.summary, fault.at, fault.end()));
    }
    lines.extend(shrunk.history.operations().iter().map(print_operation));
    lines.push(String::new());
    lines.push(story(shrunk));
    lines.join("\n")
}

#[test]
fn a_dependent_change_that_is_applied_early_is_seen_before_its_cause() {
    check(
        Defect::ApplyDependentEarly,
        expect![[r#"
            slow: C → A + 100 ms, from 0.020 s to 0.180 s
            c0@B 60..63 write x 1 -> ok B:1
            c1@C 80..81 write x 2 -> ok C:1
            c0@B 100..102 read x -> 2@C:1
            c0@B 120..123 write y 3 -> ok B:2
            c2@A 140..144 read y -> 3@B:2
            c2@A 160..165 read x -> 1@B:1
            c3@A 230..233 read x -> 2@C:1
            c4@A 230..233 read y -> 3@B:2
            c7@B 230..232 read x -> 2@C:1
            c8@B 230..234 read y -> 3@B:2
            c11@C 230..230 read x -> 2@C:1
            c12@C 230..230 read y -> 3@B:2

            What 2 clients saw cannot be put in one order: each of 2 writes would have to be replaced by the next, all around.
            0.060 s  c0 → B  writes x = 1  OK
            0.080 s  c1 → C  writes x = 2  OK
            0.081 s  network  slow: C → A + 100 ms  
            0.100 s  c0 → B  reads x  2
            0.160 s  c2 → A  reads x  1
            Without slow C → A + 100 ms causal-order is not broken."#]],
    );
}

#[test]
fn a_write_that_is_confirmed_before_it_is_durable_dies_with_its_node() {
    check(
        Defect::ConfirmBeforeDurable,
        expect![[r#"
            kill: kill A, from 0.040 s to 0.060 s
            c0@A 20..24 add x 1 -> ok A:1
            c1@A 60..64 read x -> nothing

            Client c0 added 1 to x on node A and the database said OK. At the end 1 was gone from A, and no final read saw it or anything made from it.
            0.020 s  c0 → A  adds 1 to x  OK
            0.040 s  nodes  kill A  
            0.060 s  c1 → A  reads x  nothing
            Without kill A the write survives."#]],
    );
}

#[test]
fn a_tombstone_that_is_forgotten_lets_an_older_write_come_back_on_one_node() {
    check(
        Defect::ForgetTombstones,
        expect![[r#"
            one-way: A ⇥ B, from 0.050 s to 0.150 s
            c0@A 100..100 cas x nothing 1 -> ok A:1
            c1@B 200..201 delete x -> ok B:1
            c2@A 251..251 read x -> nothing
            c6@B 251..253 read x -> 1@A:1

            At the end, key x is nothing on A, but 1 on B.
            0.252 s  c2 → A  reads x  nothing
            0.252 s  c6 → B  reads x  1
            Without one-way A ⇥ B all nodes agree in the end."#]],
    );
}

#[test]
fn clocks_that_are_compared_without_a_tie_break_leave_each_node_its_own_value() {
    check(
        Defect::NoTieBreak,
        expect![[r#"
            c0@A 500..501 write x 1 -> ok A:1
            c1@B 500..502 write x 2 -> ok B:1
            c2@A 5502..5503 read x -> 2@B:1
            c6@B 5502..5503 read x -> 1@A:1

            At the end, key x is 2 on A, but 1 on B.
            5.502 s  c2 → A  reads x  2
            5.502 s  c6 → B  reads x  1"#]],
    );
}

#[test]
fn a_change_that_comes_again_is_counted_again() {
    check(
        Defect::SkipVersionCheck,
        expect![[r#"
            c0@C 2000..2001 increment x 3 -> ok C:1
            c1@A 2000..2002 increment x 4 -> ok A:1
            c2@A 7002..7004 read x -> 7
            c6@B 7002..7003 read x -> 7
            c10@C 7002..7004 read x -> 11

            At the end, key x is 7 on A and B, but 11 on C.
            7.003 s  c2 → A  reads x  7
            7.003 s  c10 → C  reads x  11"#]],
    );
}
