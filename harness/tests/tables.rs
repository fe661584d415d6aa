//! `rashomon check` on files of weak-isolation testers, which are judged as flat tables.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

use expect_test::{Expect, expect};
use tempfile::TempDir;

/// A folder to run the command in.
struct Desk(TempDir);

impl Desk {
    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.0.path().join(name), text).unwrap();
        self
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("COLUMNS", "100")
            .env("LANG", "C.UTF-8")
            .args(arguments.split_whitespace())
            .output()
            .unwrap()
    }

    fn refuses(&self, arguments: &str, code: i32, expected: Expect) {
        let output = self.run(arguments);
        expected.assert_eq(&text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stdout));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Session 1 saw a part of what transaction 0 wrote, and then what was before it.
const PLUME: &str = "w(1,11,0,0)\nw(2,12,0,0)\nr(1,11,1,1)\nr(2,0,1,1)\nr(1,11,0,2)\n";

#[test]
fn a_file_of_a_weak_isolation_tester_is_judged_as_a_table_by_their_definitions_too() {
    let desk = Desk(tempfile::tempdir().unwrap());
    let output = desk.write("half.txt", PLUME).run("check half.txt -g read-committed");
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        plume text, rw-register, 3 operations, 2 sessions, 0.000 s

        ✗ BROKEN  strong-session-monotonic-atomic-view: transactions saw what no order of them explains, 1
                  time
          0.0 s · 3 operations

        ╭──────────────────────────────────────┬──────────┬─────────────┬─────────────────────────╮
        │ guarantee                            │ expected │ observed    │ put to the test by      │
        ├──────────────────────────────────────┼──────────┼─────────────┼─────────────────────────┤
        │ read-committed                       │ hold     │ ✓ held      │ 3 reads of registers by │
        │                                      │          │             │ transactions            │
        │ strong-session-monotonic-atomic-view │ hold     │ ✗ broken ×1 │ 3 reads of registers by │
        │                                      │          │             │ transactions            │
        ╰──────────────────────────────────────┴──────────┴─────────────┴─────────────────────────╯

        A1  NON MONOTONIC READ  keys 1 → 2                         more: rashomon explain non-monotonic-read

            No order of 2 transactions on 1 and 2 explains what they saw: 2 saw 1 as 1 left it; 2 saw 2 as
            it was before 1 wrote it.

              time        who  what                          answer
           1  0.000 s     c0   writes 1 = 11, writes 2 = 12  OK
           2  0.000 s     c1   reads 1, reads 2              11, nothing

            Why this breaks strong-session-monotonic-atomic-view
              1 ──wr──▶ 2   2 saw 1 as 1 left it
              2 ──rw──▶ 1   2 saw 2 as it was before 1 wrote it
              Each comes before the next and the last before the first: no order does that.

            Certain: both operations were answered

          In plume text, read committed means what Biswas & Enea 2019 define, here strong-session-monotonic-
          atomic-view: it is expected, too (-e strong-session-monotonic-atomic-view=watch to look on). read-
          committed itself promises less.

          exit code 1
    "#]]
    .assert_eq(&text(&output.stdout));
    let json = desk.run("check half.txt -g read-committed --format json");
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let operations: Vec<_> = report["findings"][0]["rows"].as_array().unwrap().iter().collect();
    assert_eq!(operations.iter().map(|row| row["operation"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(report["operations"]["total"], 3);
}

#[test]
fn a_large_table_is_judged_without_a_history_and_says_what_is_left_aside() {
    let desk = Desk(tempfile::tempdir().unwrap());
    let mut file = String::new();
    for value in 2..=500_001 {
        let (session, before) = (value % 20, value - 1);
        file += &format!("w({},{value},{session},{value})\n", value % 1000);
        file += &format!("r({},{},{session},{value})\n", before % 1000, if value == 2 { 0 } else { before });
    }
    let output = desk.write("large.txt", &file).run("check large.txt");
    assert_eq!(output.status.code(), Some(0));
    expect![[r#"
        plume text, rw-register, 500 000 operations, 20 sessions, 0.000 s

        ✓ HELD  all 11 expected guarantees held without any fault
          0.0 s · 500 000 operations

        ╭──────────────────────────────────────┬──────────┬──────────┬───────────────────────────────╮
        │ guarantee                            │ expected │ observed │ put to the test by            │
        ├──────────────────────────────────────┼──────────┼──────────┼───────────────────────────────┤
        │ monotonic-atomic-view                │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ prefix-consistency                   │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ read-atomic                          │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ read-committed                       │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ serializable                         │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ snapshot-isolation                   │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ strong-session-monotonic-atomic-view │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ strong-session-read-atomic           │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ strong-session-serializable          │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ strong-session-snapshot-isolation    │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        │ transactional-causal                 │ hold     │ ✓ held   │ 500 000 reads of registers by │
        │                                      │          │          │ transactions                  │
        ╰──────────────────────────────────────┴──────────┴──────────┴───────────────────────────────╯
          strongest not ruled out   strong-session-serializable

          This is no proof of correctness: it says that this load and these faults broke nothing.
          Judged as a table of 1 000 000 reads and writes: isolation alone, all else was left aside. To ask
          for more: rashomon check large.txt -g GUARANTEE

          exit code 0
    "#]]
    .assert_eq(&text(&output.stdout));
    // What a session has read of a key is not older than what it has read before.
    let old = file + "r(9,499009,99,600000)\nr(9,498009,99,600001)\n";
    let output = desk.write("old.txt", &old).run("check old.txt -g transactional-causal");
    expect![[r#"
        plume text, rw-register, 500 002 operations, 21 sessions, 0.000 s

        ✗ BROKEN  transactional-causal: transactions saw what no order of them explains, 1 time
          0.0 s · 500 002 operations

        ╭──────────────────────┬──────────┬─────────────┬────────────────────────────────────────────╮
        │ guarantee            │ expected │ observed    │ put to the test by                         │
        ├──────────────────────┼──────────┼─────────────┼────────────────────────────────────────────┤
        │ transactional-causal │ hold     │ ✗ broken ×1 │ 500 002 reads of registers by transactions │
        ╰──────────────────────┴──────────┴─────────────┴────────────────────────────────────────────╯

        A1  CAUSAL VIOLATION  key 9                                  more: rashomon explain causal-violation

            No order of 4 transactions on 9 explains what they saw: one session asked 1 before 2; 4 comes
            after 2 and saw 9 as 1 left it: 2's is older.

              time        who  what               answer
           1  0.000 s     c9   writes 9 = 498009  OK
           2  0.000 s     c9   writes 9 = 499009  OK
           3  0.000 s     c99  reads 9            499009
           4  0.000 s     c99  reads 9            498009

            Why this breaks transactional-causal
              1 ──so──▶ 2   one session asked 1 before 2
              2 ──ww──▶ 1   4 comes after 2 and saw 9 as 1 left it: 2's is older
              Each comes before the next and the last before the first: no order does that.

            Certain: all 4 operations were answered

          exit code 1
    "#]]
    .assert_eq(&text(&output.stdout));
    desk.refuses("check large.txt -g read-comitted", 64, expect![[r#"
        error: --guarantee: no guarantee "read-comitted"; did you mean read-committed or read-uncommitted or read-atomic? there are bank-totals, causal-consistency, causal-memory, causal-order, convergence, deletes-stay-deleted, linearizable, monotonic-atomic-view, monotonic-reads, monotonic-values, monotonic-writes, no-causal-reverse, no-long-fork, no-lost-updates, no-made-up-values, pram, prefix-consistency, read-atomic, read-committed, read-uncommitted, read-your-writes, repeatable-read, sequential, serializable, set-full, snapshot-isolation, strict-serializable, strong-session-monotonic-atomic-view, strong-session-read-atomic, strong-session-serializable, strong-session-snapshot-isolation, strong-snapshot-isolation, total-queue, transactional-causal, unique-ids, writes-follow-reads
    "#]]);
    desk.write("bad.txt", "w(1,2,3,4)\nw(1,x,3,4)\n").refuses(
        "check bad.txt -g read-atomic",
        65,
        expect![[r#"
        error: bad.txt: line 2, column 5: `x`, expected a value, which is a whole number
    "#]],
    );
}
