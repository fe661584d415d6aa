//! What people read when a guarantee breaks, word for word.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use checkers::{Budget, Certainty, Facts, checker};
use expect_test::{Expect, expect};
use histories::text;

fn check(guarantee: &str, golden: &str, expect: Expect) {
    let path = format!("{}/../histories/corpus/{guarantee}/{golden}.txt", env!("CARGO_MANIFEST_DIR"));
    let history = text::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let verdict = checker(guarantee).unwrap().check(&Facts::new(&history), Budget::default());
    let mut out = format!("{}\n{}\n", verdict.summary, verdict.chances.what);
    for finding in &verdict.findings {
        let _ = writeln!(out, "\n{}\n{}", finding.story, finding.brief);
        for (index, step) in finding.steps.iter().enumerate() {
            let _ = writeln!(out, "  {} {} | {} | {}", index + 1, step.what, step.answer, step.remark);
        }
        let number = |id| finding.steps.iter().position(|step| step.operation == id).unwrap() + 1;
        for edge in &finding.edges {
            let (from, to) = (number(edge.from), number(edge.to));
            let _ = writeln!(out, "  {from} {} {to}: {}", edge.kind.as_str(), edge.because);
        }
        let _ = writeln!(out, "{}\n{:?}", finding.conclusion, finding.certainty);
    }
    expect.assert_eq(&out);
}

#[test]
fn a_lost_update_names_what_vanished_what_survived_and_the_proof() {
    check(
        "no-lost-updates",
        "two-read-modify-writes",
        expect![[r#"
        1 confirmed write disappeared, on 1 key
        1 key updated by two sessions from one version, once

        Client c3 added 412 to x on node A and the database said OK. At the end 412 was gone from both nodes, A and B, and no final read saw it or anything made from it.
        412 gone, replaced by c5 → B
          1 adds 412 to [88 301] | OK | this write disappears
          2 adds 434 to [88 301] | OK | B did not know of 412
          3 reads x | [88 301 434] | the proof
          1 ww 2: 434 was stored over 412: 2 of 2 final reads have 434 and not 412
          2 rw 1: but 2 started from [88 301], the list as it was before 1
        So each of the two came before the other: a cycle that no order can explain.
        Certain("all 3 operations were answered, and A and B were read at the end")
    "#]],
    );
}

#[test]
fn a_lost_chain_is_told_by_its_fork() {
    check(
        "no-lost-updates",
        "chain-lost",
        expect![[r#"
        3 confirmed writes disappeared, on 1 key
        1 key updated by two sessions from one version, once

        Client c1 added 2 to x on node A and the database said OK. At the end 2 was gone from both nodes, A and B, and no final read saw it or anything made from it. It is one of 3 confirmed writes that x lost.
        2 gone, replaced by c5 → B
          1 adds 2 to [1] | OK | this write disappears
          2 adds 9 to [1] | OK | B did not know of 2
          3 reads x | [1 9] | the proof
          1 ww 2: 9 was stored over 2: 2 of 2 final reads have 9 and not 2
          2 rw 1: but 2 started from [1], the list as it was before 1
        So each of the two came before the other: a cycle that no order can explain.
        Certain("all 3 operations were answered, and A and B were read at the end")
    "#]],
    );
}

#[test]
fn a_survivor_of_unknown_outcome_makes_it_likely() {
    check(
        "no-lost-updates",
        "unknown-update-survived",
        expect![[r#"
        1 confirmed write disappeared, on 1 key
        1 key updated by two sessions from one version, once

        Client c2 changed x to 3 on node B and the database said OK. At the end 3 was gone from both nodes, A and B, and no final read saw it or anything made from it.
        3 gone, replaced by c1 → A
          1 changes x from 1 to 2 | no answer: timeout | A did not know of 3
          2 changes x from 1 to 3 | OK | this write disappears
          3 reads x | 2 | the proof
          2 ww 1: 2 was stored over 3: 2 of 2 final reads have 2 and not 3
          1 rw 2: but 1 started from 1, the value as it was before 2
        So each of the two came before the other: a cycle that no order can explain.
        Likely("depends on operation 1, whose answer never came; but what it wrote was read")
    "#]],
    );
}

#[test]
fn a_counter_says_how_much_was_confirmed() {
    check(
        "no-lost-updates",
        "counter-too-small",
        expect![[r#"
            1 confirmed write disappeared, on 1 key
            1 key added to by two sessions side by side, once

            On key n the confirmed changes, with or without those of unknown outcome, add up to 2 to 7, but at the end A and B said 1: at least 1 confirmed change disappeared.
            n is 1, not 2 to 7
              1 adds 1 to n | OK | one of those confirmed
              2 reads n | 1 | the proof
              1 rt 2: 1 and all others were confirmed before 2 began
              2 rw 1: but 2 saw 1, and the confirmed changes, with or without those of unknown outcome, add up to 2 to 7: it lacks 1 or others like it
            No choice among the calls without an answer, each once, adds up to what was read.
            Certain("both operations were answered, and A and B were read at the end")
        "#]],
    );
}

#[test]
fn divergence_names_both_sides() {
    check(
        "convergence",
        "one-is-behind",
        expect![[r#"
            1 of 1 key differs between nodes at the end
            1 key read on A, B and C at the end

            At the end, key x is nothing on A and B, but 1 on C.
            x: nothing on A and B, 1 on C
              1 reads x | nothing | 
              2 reads x | 1 | the proof
            Both nodes had their time after the last fault, and their answers differ.
            Certain("both reads were answered, and nothing that can explain it was changed between them")
        "#]],
    );
}

#[test]
fn a_zombie_names_who_deleted_it() {
    check(
        "deletes-stay-deleted",
        "tombstone-forgotten",
        expect![[r#"
        1 deleted value came back, on 1 key
        1 delete of a value that was there, looked at again later

        Client c2 deleted x, which held 5, on node B and the database said OK. At the end 5 was there all the same, on A and B, though nobody had written it again.
        5 back, deleted by c2 → B
          1 writes x = 5 | OK | 
          2 deletes x | OK | this delete does not last
          3 reads x | 5 | the proof: it is back
          1 ww 2: 5 was read by this client or on this node before the delete
          2 rt 3: the delete was confirmed before the read began
          3 rw 2: but the read saw 5, the state from before the delete
        So the read came both after the delete and before it: no order can explain that.
        Certain("all 3 operations were answered, and 5 was not written again")
    "#]],
    );
}

#[test]
fn an_aborted_read_names_the_failed_call() {
    check(
        "no-made-up-values",
        "aborted-read",
        expect![[r#"
        1 value was read although the call to write it failed, on key x
        1 read that saw a value

        Client c2 read x and was told 6, but the call of client c1 that would have written it failed.
        x: 6 seen 0.004 s
          1 changes x from 5 to 6 | failed: conflict | this had no effect
          2 reads x | 6 | the proof
          1 wr 2: the read saw what it would have written
        A failed call has no effect, so nobody may see one.
        Certain("the read was answered, and the history has every call that was made")
    "#]],
    );
}

#[test]
fn a_stale_read_names_the_newer_value_and_when_it_was_confirmed() {
    check(
        "linearizable",
        "stale-read",
        expect![[r#"
        1 key did not behave like a single copy
        1 read after a confirmed write, on 1 key

        Client c1 read x on node B at 0.006 s and was told 5. But c0's write of 6 was confirmed at 0.005 s, before that began, and 6 is the newer value: c0's write of 5 was confirmed at 0.002 s, before c0's write of 6 began at 0.003 s.
        5 seen after 6
          1 writes x = 5 | OK | 
          2 writes x = 6 | OK | 
          3 reads x | 5 | the proof
          1 rt 2: c0's write of 5 was confirmed at 0.002 s, before c0's write of 6 began at 0.003 s
          3 rw 2: c1's read found 5, which 6 had replaced
          2 rt 3: c0's write of 6 was confirmed at 0.005 s, before c1's read began at 0.006 s
        So 5 would have to hold both before and after 6: one copy cannot.
        Certain("all 3 operations were answered")
    "#]],
    );
}

#[test]
fn two_changes_of_one_value_are_a_lost_update() {
    check(
        "linearizable",
        "two-swaps-of-one-value",
        expect![[r#"
        1 key did not behave like a single copy
        2 reads after a confirmed write, on 1 key

        Client c1's change to 2 and c2's change to 3 both replaced 1. Whichever came second should have found the other's value.
        1 was replaced twice
          1 changes x from 1 to 2 | OK | 
          2 changes x from 1 to 3 | OK | the proof
          1 rw 2: c1's change to 2 found 1, which c2's change to 3 replaces
          2 rw 1: c2's change to 3 found 1, which c1's change to 2 replaces
        So each of the two came before the other: a cycle that no order can explain.
        Certain("all 2 operations were answered")
    "#]],
    );
}

#[test]
fn what_only_the_search_refutes_lists_the_few_calls() {
    check(
        "linearizable",
        "deleted-and-seen-again",
        expect![[r#"
        1 key did not behave like a single copy
        2 reads after a confirmed write, on 1 key

        Client c3 read x at 0.008 s and was told 1. Together with the 3 other calls listed here, no order explains that: each one that agrees with time gives some call another answer than it got.
        4 calls without a legal order
          1 writes x = 1 | OK | 
          2 deletes x | OK | 
          3 deletes x | OK | 
          4 reads x | 1 | the proof
          1 rt 2: c0's write of 1 was confirmed at 0.001 s, before c1's delete began at 0.002 s
          2 ww 1: c1's delete came before a call that found 1, so before that was written
        Every order that agrees with time was tried: a single copy allows none.
        Certain("all 4 operations were answered")
    "#]],
    );
}

#[test]
fn a_counter_with_decrements_says_what_else_explains_it() {
    check(
        "no-lost-updates",
        "counter-with-decrements-too-small",
        expect![[r#"
            1 confirmed write disappeared, on 1 key
            1 key added to by two sessions side by side, once

            On key n the confirmed changes add up to 1, but at the end A and B said 0: at least 1 confirmed change disappeared, unless a decrement took effect more than once.
            n is 0, not 1
              1 adds 1 to n | OK | one of those confirmed
              2 reads n | 0 | the proof
              1 rt 2: 1 and all others were confirmed before 2 began
              2 rw 1: but 2 saw 0, and the confirmed changes add up to 1: it lacks 1 or others like it
            No choice among the calls without an answer, each once, adds up to what was read.
            Likely("decrements that took effect more than once, such as -1 of c2 (op 2), would explain it too")
        "#]],
    );
}

#[test]
fn a_causal_violation_tells_cause_and_effect() {
    check(
        "causal-order",
        "question-and-answer",
        expect![[r#"
        an effect was visible before its cause, 1 time
        2 reads of a key after a known write to it

        Client c7 saw 771 and then wrote k8 = 772. Client c4 saw that, looked for 771 in k4, and was told nothing.
        771 missing, nothing seen
          1 writes k4 = 771 | OK | 
          2 reads k4 | 771 | 
          3 writes k8 = 772 | OK | 
          4 reads k8 | 772 | 
          5 reads k4 | nothing | the proof
          1 wr 2: c7 found what c2 had written
          2 so 3: c7 did one after the other
          3 wr 4: c4 found what c7 had written
          4 so 5: c4 did one after the other
          5 rw 1: but it read k4 as it was before 771
        So the read came both before and after the write that it missed.
        Certain("all 5 operations were answered")
    "#]],
    );
}

#[test]
fn contradictory_orders_name_the_reads_that_demand_them() {
    check(
        "causal-order",
        "bouajjani-a",
        expect![[r#"
        clients saw writes in contradictory orders, 1 time
        2 reads of a key after a known write to it

        What 2 clients saw cannot be put in one order: each of 2 writes would have to be replaced by the next, all around.
        a circle of 2 operations
          1 writes x = 1 | OK | 
          2 writes x = 2 | OK | 
          3 reads x | 2 | 
          4 reads x | 1 | 
          1 ww 2: c0 knew of 1 when it read x and saw 2
          2 ww 1: c1 knew of 2 when it read x and saw 1
        So each of them came before itself: a cycle that no order can explain.
        Certain("all 4 operations were answered")
    "#]],
    );
}

#[test]
fn an_own_write_that_is_missing_names_both_operations() {
    check(
        "read-your-writes",
        "password",
        expect![[r#"
        1 read did not show what its own session had written, on 1 key
        1 read of a key after an own write to it

        Client c0 wrote password = 2. When it then read password on node B, it was told 1: its own write was missing.
        2 gone, 1 seen
          1 writes password = 1 | OK | 
          2 writes password = 2 | OK | 
          3 reads password | 1 | the proof
          2 so 3: c0 did one after the other
          1 so 2: c0 did one after the other
          3 rw 2: but it read password as it was before 2, and 1 came before that
        So the read came both before and after the write that it should have shown.
        Certain("all 3 operations were answered")
    "#]],
    );
}

#[test]
fn a_read_that_goes_back_names_both_reads_and_nodes() {
    check(
        "monotonic-reads",
        "calendar",
        expect![[r#"
        1 read showed an older state than its session had seen, on 1 key
        1 pair of reads of one key in one session

        Client c0 read calendar on node A and was told 2. When it read it again on node B, it was told 1, which is older.
        2 gone, 1 seen
          1 writes calendar = 1 | OK | 
          2 writes calendar = 2 | OK | 
          3 reads calendar | 2 | 
          4 reads calendar | 1 | the proof
          2 wr 3: c0 found what c1 had written
          3 so 4: c0 did one after the other
          1 so 2: c1 did one after the other
          4 rw 2: but it read calendar as it was before 2, and 1 came before that
        So the read came both before and after the write that it should have shown.
        Certain("all 4 operations were answered")
    "#]],
    );
}

#[test]
fn writes_out_of_order_name_both_writes() {
    check(
        "monotonic-writes",
        "library-and-program",
        expect![[r#"
        1 read missed an earlier write of a session whose later one was there, on 1 key
        1 read of a key after a later write of its writer was seen

        Client c1 wrote library = 1 and then wrote program = 2. Client c0 saw the second on node B, but when it then read library on node B, it was told nothing: the first was missing.
        1 gone, nothing seen
          1 writes library = 1 | OK | 
          2 writes program = 2 | OK | 
          3 reads program | 2 | 
          4 reads library | nothing | the proof
          1 so 2: c1 did one after the other
          2 wr 3: c0 found what c1 had written
          3 so 4: c0 did one after the other
          4 rw 1: but it read library as it was before 1
        So the read came both before and after the write that it should have shown.
        Certain("all 4 operations were answered")
    "#]],
    );
}

#[test]
fn an_answer_without_its_question_names_who_answered() {
    check(
        "writes-follow-reads",
        "bulletin-board",
        expect![[r#"
        1 read missed what the writer of something seen had read, on 1 key
        1 read of a key that the writer of something seen had read before

        Client c2 read 1 and then wrote reply = 2. Client c0 saw that on node B, but when it then read article on node B, it was told nothing, which is older.
        1 gone, nothing seen
          1 writes article = 1 | OK | 
          2 reads article | 1 | 
          3 writes reply = 2 | OK | 
          4 reads reply | 2 | 
          5 reads article | nothing | the proof
          1 wr 2: c2 found what c1 had written
          2 so 3: c2 did one after the other
          3 wr 4: c0 found what c2 had written
          4 so 5: c0 did one after the other
          5 rw 1: but it read article as it was before 1
        So the read came both before and after the write that it should have shown.
        Certain("all 5 operations were answered")
    "#]],
    );
}

#[test]
fn an_element_too_often_says_how_often_it_was_written() {
    check(
        "no-made-up-values",
        "element-three-times",
        expect![[r#"
            1 value was seen more often than written, on key s
            1 read that saw a value

            Client c2 read s and was told 1, which was there 3 times, but written only twice in the whole history.
            s: 1 seen 0.004 s
              1 adds 1 to s | OK | written twice, here first
              2 reads s | [1 1 1] | seen 3 times
              1 wr 2: the read saw what it wrote
            Each call may take effect once.
            Certain("the read was answered, and the history has every call that was made")
        "#]],
    );
}

#[test]
fn a_zombie_on_the_deleting_node_names_the_reads_before() {
    check(
        "deletes-stay-deleted",
        "back-on-the-deleting-node",
        expect![[r#"
        1 deleted value came back, on 1 key
        1 delete of a value that was there, looked at again later

        Client c2 deleted x, which held 5, on node B and the database said OK. Reads on node B saw it, then saw it gone, and then it was back, though nobody had written it again.
        5 back, deleted by c2 → B
          1 writes x = 5 | OK | 
          2 reads x | 5 | there
          3 deletes x | OK | this delete does not last
          4 reads x | nothing | gone
          5 reads x | 5 | the proof: it is back
          1 ww 3: 5 was written to node B before
          3 rt 5: the delete was confirmed before the read began
          5 rw 3: but the read saw 5, the state from before the delete
        So the read came both after the delete and before it: no order can explain that.
        Certain("all 5 operations were answered, and 5 was not written again")
    "#]],
    );
}

#[test]
fn differences_that_an_unknown_change_may_explain_are_likely() {
    for (golden, unknown) in [
        ("unknown-append", Some("op 1 of c1")),
        ("unknown-increment", Some("op 1 of c1")),
        ("unknown-delete", Some("op 1 of c1")),
        ("unknown-write-unseen", None),
    ] {
        let path = format!("{}/../histories/corpus/convergence/{golden}.txt", env!("CARGO_MANIFEST_DIR"));
        let history = text::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let verdict = checker("convergence").unwrap().check(&Facts::new(&history), Budget::default());
        match (&verdict.findings[0].certainty, unknown) {
            (Certainty::Likely(why), Some(unknown)) => assert!(why.contains(unknown), "{golden}: {why}"),
            (Certainty::Certain(_), None) => {}
            (certainty, _) => panic!("{golden}: {certainty:?}"),
        }
    }
}
