//! What people read when a guarantee breaks, word for word.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use checkers::{Budget, Facts, checker};
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
            No choice among the calls without an answer adds up to what was read.
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
        Certain("both reads were answered, and nothing was changed between them")
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
