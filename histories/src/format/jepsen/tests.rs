//! What Jepsen's files mean, and what is said of those that mean nothing.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::read;
use crate::{Observed, text};

/// What a file was taken for, its operations and the warnings, or what is wrong with it.
fn check(file: &str, expected: Expect) {
    let told = match read(file.as_bytes()) {
        Err(error) => format!("error: {error}\n"),
        Ok(reading) => {
            let mut told = format!("{}, {}\n", reading.format, reading.history.header().workload);
            told.push_str(&text::print(&reading.history));
            reading.warnings.iter().for_each(|warning| writeln!(told, "warning: {warning}").unwrap());
            told
        }
    };
    expected.assert_eq(&told);
}

#[test]
fn transactions_of_lists() {
    check(
        r#"
{:index 0, :time 1000000, :type :invoke, :process 0, :f :txn, :value [[:append 8 1] [:r "y z" nil]]}
{:index 1, :time 2000000, :type :invoke, :process 1, :f :txn, :value [[:r 8 nil] [:r :k nil]]}
{:index 2, :time 3000000, :type :ok, :process 0, :f :txn, :value [[:append 8 1] [:r "y z" [3 4]]]}
{:index 3, :time 4000000, :type :info, :process :nemesis, :f :start, :value {:n1 #{:n2}}}
{:index 4, :time 5000000, :type :ok, :process 1, :f :txn, :value [[:r 8 [1]] [:r :k nil]]}
{:index 5, :time 6000000, :type :invoke, :process 2, :f :txn, :value [[:append 8 2]]}
{:index 6, :time 6000000, :type :fail, :process 2, :f :txn, :value [[:append 8 2]], :error :conflict}
{:index 7, :time 7000000, :type :invoke, :process 2, :f :txn, :value [[:append 8 3]]}
{:index 8, :time 8000000, :type :info, :process 2, :f :txn, :value [[:append 8 3]], :error [:timeout "5 s"]}
{:index 9, :time 9000000, :type :invoke, :process 3, :f :txn, :value [[:append 8 4]]}
"#,
        expect![[r#"
            jepsen EDN, list-append
            c0 1..3 txn append 8 1; read y z -> ok; [3 4]
            c1 2..5 txn read 8; read k -> [1]; nothing
            c2 6..6 txn append 8 2 -> failed conflict
            c2 7..8 txn append 8 3 -> unknown [:timeout "5 s"]
            c3 9.. txn append 8 4
            warning: 1 event of processes that are no clients, the first in line 5: left out
        "#]],
    );
}

#[test]
fn one_vector_in_any_layout() {
    check(
        "; a comment\n[{:type :invoke :process 0 :value [[:w x 1]\n [:r y nil]] #_ skipped :time 0}\n, #jepsen.history.Op{:process 0, :value {}, :type :ok, :time 1000000}]\n",
        expect![[r#"
            error: line 4, column 41: expected the transaction with what its reads saw, such as [[:r 1 [5]]]
        "#]],
    );
    check(
        "; a comment\n[{:type :invoke :process 0 :value [[:w x 1]\n [:r y nil]] #_ skipped :time 0}\n, #jepsen.history.Op{:process 0, :value [[:w x 1] [:r y 2]], :type :ok, :time 1000000}]\n",
        expect![[r#"
            jepsen EDN, rw-register
            c0 0..1 txn write x 1; read y -> ok; 2
        "#]],
    );
}

#[test]
fn json_of_elle_cli() {
    check(
        r#"{"index":0,"time":1000000,"type":"invoke","process":0,"f":"txn","value":[["append",8,1],["r","y",null]]}
{"index":1,"time":2000000,"type":"ok","process":0,"f":"txn","value":[["append",8,1],["r","y",[3,4]]]}
"#,
        expect![[r#"
            jepsen JSON, list-append
            c0 1..2 txn append 8 1; read y -> ok; [3 4]
        "#]],
    );
    check(
        r#"[ {"type": "invoke", "process": 0, "value": [["w", "a\u00e9\n", 1]], "time": 0},
             {"type": "ok", "process": 0, "value": [["w", "aé\n", 1]], "time": 1, "extra": {"a": [true, 1.5]}} ]"#,
        expect![[r#"
            error: line 2, column 52: micro-op 1 is not the one that was asked; only what reads saw may differ
        "#]],
    );
}

#[test]
fn registers_with_and_without_keys() {
    check(
        "{:process 0, :type :invoke, :f :write, :value 3, :time 0}
{:process 0, :type :ok, :f :write, :value 3, :time 1000000}
{:process 0, :type :invoke, :f :cas, :value [3 4], :time 2000000}
{:process 0, :type :fail, :f :cas, :value [3 4], :time 3000000}
{:process 1, :type :invoke, :f :read, :value nil, :time 4000000}
{:process 1, :type :ok, :f :read, :value 3, :time 5000000}",
        expect![[r#"
            jepsen EDN, register
            c0 0..1 write x 3 -> ok
            c0 2..3 cas x 3 4 -> failed no reason given
            c1 4..5 read x -> 3
        "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :write, :value [7 3], :time 0}
{:process 0, :type :ok, :f :write, :value [7 3], :time 1000000}
{:process 0, :type :invoke, :f :cas, :value [7 [3 4]], :time 2000000}
{:process 0, :type :info, :f :cas, :value [7 [3 4]], :error \"timeout\", :time 3000000}
{:process 1, :type :invoke, :f :read, :value #jepsen.independent.Tuple[7 nil], :time 4000000}
{:process 1, :type :ok, :f :read, :value #jepsen.independent.Tuple{:key 7, :value 3}, :time 5000000}",
        expect![[r#"
            jepsen EDN, register
            c0 0..1 write 7 3 -> ok
            c0 2..3 cas 7 3 4 -> unknown timeout
            c1 4..5 read 7 -> 3
        "#]],
    );
}

#[test]
fn keys_that_only_look_alike_stay_apart() {
    check(
        "{:process 0, :type :invoke, :f :txn, :value [[:w 5 1] [:w \"5\" 2] [:w :a 3] [:w \"a\" 4] [:w [1 2] 5]], :time 0}",
        expect![[r#"
            jepsen EDN, rw-register
            c0 0.. txn write 5 1; write "5" 2; write a 3; write "a" 4; write [1 2] 5
        "#]],
    );
}

#[test]
fn the_order_of_lines_counts() {
    check(
        "{:process 0, :type :invoke, :f :read, :value nil, :time 5000000}
{:process 1, :type :invoke, :f :read, :value nil, :time 3000000}
{:process 0, :type :ok, :f :read, :value nil, :time 5000000}
{:process 1, :type :ok, :f :read, :value nil}
{:process 1, :type :invoke, :f :read}",
        expect![[r#"
            jepsen EDN, register
            c0 5..5 read x -> nothing
            c1 5..6 read x -> nothing
            c1 7.. read x
            warning: 2 events without :time, the first in line 4: they are taken as 1 ms after the one before
            warning: 2 events whose :time goes back, the first in line 2: the order of lines counts
        "#]],
    );
}

#[test]
fn a_process_goes_on_after_an_unknown_answer() {
    check(
        "{:process 0, :type :invoke, :f :write, :value 1, :time 0}
{:process 0, :type :info, :f :write, :value 1, :time 1000000}
{:process 0, :type :invoke, :f :write, :value 2, :time 2000000}
{:process 0, :type :ok, :f :write, :value 2, :time 3000000}",
        expect![[r#"
            jepsen EDN, register
            c0 0..1 write x 1 -> unknown no reason given
            c1 2..3 write x 2 -> ok
            warning: 1 call of a process after its :info, the first in line 3: it is taken as of a new session
        "#]],
    );
}

#[test]
fn answers_without_calls() {
    check(
        "{:process 0, :type :ok, :f :txn, :value [[:append x 1]], :time 1000000}
{:process 1, :type :ok, :f :txn, :value [[:r x [1]]], :time 2000000}
{:process 0, :type :ok, :f :txn, :value [[:append x 2]], :time 3000000}
{:type :ok, :f :txn, :value [[:r x [1 2]]], :time 4000000}",
        expect![[r#"
            jepsen EDN, list-append
            c0 0..1 txn append x 1 -> ok
            c1 0..2 txn read x -> [1]
            c2 0..4 txn read x -> [1 2]
            c0 1..3 txn append x 2 -> ok
            warning: 1 event without :process, the first in line 4: it is taken as a session of its own
            warning: 4 events without :invoke, the first in line 1: when the call was made is not known, so it may have been any time after the session's last one
        "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :read}\n{:process 1, :type :ok, :f :read, :value 1}",
        expect![[r#"
            error: line 2, column 1: process 1 is answered but has no call in flight; write its :invoke before this
        "#]],
    );
    check(
        "{:process 0, :type :ok, :f :read}\n{:process 1, :type :invoke, :f :read, :value 1}",
        expect![[r#"
            error: line 2, column 1: an :invoke after answers without one; write one for every answer, or none at all
        "#]],
    );
}

#[test]
fn sets_and_counters_are_told_apart_by_what_reads_see() {
    let adds = "{:process 0, :type :invoke, :f :add, :value 3}
{:process 0, :type :ok, :f :add, :value 3}
{:process 1, :type :invoke, :f :read}\n";
    check(
        &format!("{adds}{{:process 1, :type :ok, :f :read, :value #{{3}}}}"),
        expect![[r#"
        jepsen EDN, set
        c0 0..1 add x 3 -> ok
        c1 2..3 read x -> [3]
        warning: 4 events without :time, the first in line 1: they are taken as 1 ms after the one before
    "#]],
    );
    check(
        &format!("{adds}{{:process 1, :type :ok, :f :read, :value 3}}"),
        expect![[r#"
        jepsen EDN, counter
        c0 0..1 increment x 3 -> ok
        c1 2..3 read x -> 3
        warning: 4 events without :time, the first in line 1: they are taken as 1 ms after the one before
    "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :dec, :value 3 :time 0} {:process 1, :type :invoke, :f :inc :time 1}",
        expect![[r#"
        jepsen EDN, counter
        c0 0.. increment x -3
        c1 0.. increment x 1
    "#]],
    );
}

#[test]
fn queues_and_stacks() {
    check(
        "{:process 0, :type :invoke, :f :enqueue, :value 3, :time 0}
{:process 0, :type :ok, :f :enqueue, :value 3, :time 1000000}
{:process 1, :type :invoke, :f :dequeue, :value nil, :time 2000000}
{:process 1, :type :ok, :f :dequeue, :value 3, :time 3000000}
{:process 1, :type :invoke, :f :dequeue, :time 4000000}
{:process 1, :type :fail, :f :dequeue, :error :empty, :time 5000000}",
        expect![[r#"
            jepsen EDN, queue
            c0 0..1 enqueue x 3 -> ok
            c1 2..3 dequeue x -> 3
            c1 4..5 dequeue x -> failed empty
        "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :push, :value 3, :time 0}",
        expect![[r#"
        jepsen EDN, stack
        c0 0.. push x 3
    "#]],
    );
}

#[test]
fn a_drain_is_the_dequeues_that_it_made() {
    check(
        "{:process 0, :type :invoke, :f :enqueue, :value 3, :time 0}
{:process 0, :type :ok, :f :enqueue, :value 3, :time 1000000}
{:process 1, :type :invoke, :f :drain, :time 2000000}
{:process 0, :type :invoke, :f :enqueue, :value 4, :time 3000000}
{:process 0, :type :ok, :f :enqueue, :value 4, :time 4000000}
{:process 1, :type :ok, :f :drain, :value [3 4], :time 5000000}
{:process 2, :type :invoke, :f :drain, :time 6000000}
{:process 2, :type :ok, :f :drain, :value nil, :time 7000000}",
        expect![[r#"
            jepsen EDN, queue
            c0 0..1 enqueue x 3 -> ok
            c1 2..5 dequeue x -> nothing
            c2 2..5 dequeue x -> 3
            c3 2..5 dequeue x -> 4
            c0 3..4 enqueue x 4 -> ok
            c4 6..7 dequeue x -> nothing
        "#]],
    );
    check(
        "{:process 1, :type :invoke, :f :drain, :time 0}
{:process 1, :type :info, :f :drain, :time 1000000}",
        expect![[r#"
            error: line 2, column 1: a drain of unknown outcome may have taken any number of elements, so nothing can be said of its queue; write the dequeues that it made one by one
        "#]],
    );
    check(
        "{:process 1, :type :ok, :f :drain, :value [3], :time 0}",
        expect![[r#"
        error: line 1, column 43: a drain without its :invoke; write one before it
    "#]],
    );
}

#[test]
fn a_bank_has_accounts() {
    check(
        "{:process 0, :type :invoke, :f :read, :time 0}
{:process 0, :type :ok, :f :read, :value {1 10, 2 10}, :time 1000000}
{:process 1, :type :invoke, :f :transfer, :value {:from 1, :to 2, :amount 5}, :time 2000000}
{:process 1, :type :ok, :f :transfer, :value {:from 1, :to 2, :amount 5}, :time 3000000}
{:process 0, :type :invoke, :f :read, :time 4000000}
{:process 0, :type :fail, :f :read, :error :conflict, :time 5000000}
{:process 2, :type :invoke, :f :transfer, :value {:from 2, :to 1, :amount 3}, :time 6000000}
{:process 2, :type :info, :f :transfer, :value {:from 2, :to 1, :amount 3}, :error :timeout, :time 7000000}
{:process 0, :type :invoke, :f :read, :time 8000000}",
        expect![[r#"
            jepsen EDN, bank
            c0 0..1 txn read 1; read 2 -> 10; 10
            c1 2..3 txn increment 1 -5; increment 2 5 -> ok; ok
            c0 4..5 txn read 1; read 2 -> failed conflict
            c2 6..7 txn increment 2 -3; increment 1 3 -> unknown timeout
            c0 8.. txn read 1; read 2
        "#]],
    );
    check(
        r#"{"process":0,"type":"invoke","f":"transfer","value":{"from":"a","to":"b","amount":5},"time":0}"#,
        expect![[r#"
            jepsen JSON, bank
            c0 0.. txn increment a -5; increment b 5
        "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :transfer, :value {:from 1 :to 2}, :time 0}",
        expect![[r#"
        error: line 1, column 50: expected {:from ACCOUNT, :to ACCOUNT, :amount N}
    "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :transfer, :value 5, :time 0}",
        expect![[r#"
        error: line 1, column 50: expected {:from ACCOUNT, :to ACCOUNT, :amount N}
    "#]],
    );
    check(
        "{:process 0, :type :invoke, :f :read, :time 0}
{:process 0, :type :ok, :f :read, :value {}, :time 1000000}",
        expect![[r#"
            error: line 2, column 42: a read of no account at all
        "#]],
    );
}

#[test]
fn logs_of_key_value_stores() {
    check(
        r#"{:process 0, :type :invoke, :f :append, :key "7", :value "x 0 1 y"}
{:process 0, :type :ok, :f :append, :key "7", :value "x 0 1 y"}
{:process 1, :type :invoke, :f :get, :key "7", :value nil}
{:process 1, :type :ok, :f :get, :key "7", :value "x 0 1 yx 1 5 y"}
{:process 1, :type :invoke, :f :put, :key "8", :value ""}
{:process 2, :type :invoke, :f :get, :key "8", :value nil}
{:process 2, :type :ok, :f :get, :key "8", :value ""}
"#,
        expect![[r#"
            jepsen EDN, list-append
            c0 0..1 append 7 "x 0 1 y" -> ok
            c1 2..3 read 7 -> ["x 0 1 y" "x 1 5 y"]
            c1 4.. delete 8
            c2 5..6 read 8 -> nothing
            warning: 7 events without :time, the first in line 1: they are taken as 1 ms after the one before
        "#]],
    );
    check(
        r#"{:process 0, :type :invoke, :f :append, :key "7", :value "abc"}"#,
        expect![[r#"
        error: line 1, column 58: "abc" is appended to a text; only texts such as "x 1 2 y" can be told apart afterwards
    "#]],
    );
}

#[test]
fn logs_of_jepsen() {
    check(
        "INFO  jepsen.core - Running test\nINFO  jepsen.util - 0 \t:invoke :write \t3 \t:hint 0
INFO [2026-03-30 15:28:17,423] jepsen worker 2 - jepsen.util 2  :invoke :read nil
INFO  jepsen.util - 0 :info :write :timed-out
INFO  jepsen.util - 2 :ok :read nil
INFO  jepsen.util - 5 :invoke :cas [3 4]
INFO  jepsen.util - 5 :fail :cas [3 4]
",
        expect![[r#"
            jepsen log, register
            c0 0..2 write x 3 -> unknown timed-out
            c2 1..3 read x -> nothing
            c5 4..5 cas x 3 4 -> failed no reason given
            warning: 1 line without an event, the first is line 1: left out
            warning: 6 events without :time, the first in line 2: they are taken as 1 ms after the one before
        "#]],
    );
    check(
        "INFO  jepsen.util - 0 :invoke :jump 3",
        expect![[r#"
            error: line 1, column 37: the function `jump` is not known, expected one of txn, read, write, cas, add, remove, increment, decrement, delete, get, put, append, enqueue, dequeue, drain, push, pop, transfer
        "#]],
    );
}

const ASK: &str = "{:process 0, :type :invoke, :f :txn, :value [[:r x nil] [:append y 1]], :time 0}\n";

#[test]
fn what_cannot_be_read_is_named() {
    for (line, expected) in [
        (
            "{:process 0, :type :ok, :f :txn, :value [[:r x 1] [:append z 1]]}",
            expect![
                "error: line 2, column 41: micro-op 2 is not the one that was asked; only what reads saw may differ\n"
            ],
        ),
        (
            "{:process 0, :type :ok, :f :txn, :value [[:r x 1]]}",
            expect!["error: line 2, column 41: 1 micro-ops, but 2 were asked; they are the same ones\n"],
        ),
        (
            "{:process 0, :type :ok, :f :txn}",
            expect![
                "error: line 2, column 1: expected the transaction with what its reads saw, such as [[:r 1 [5]]]\n"
            ],
        ),
        (
            "{:process 0, :type :okay}",
            expect![
                "error: line 2, column 20: the type `okay` is not known, expected one of invoke, ok, fail, info\n"
            ],
        ),
        (
            "{:process 0, :f :txn}",
            expect![
                "error: line 2, column 22: a map without `:type`, expected one of :invoke, :ok, :fail, :info\n"
            ],
        ),
        (
            "{:process 0, :type :invoke, :f :txn}",
            expect!["error: line 2, column 1: expected a transaction such as [[:r 1 nil] [:append 2 3]]\n"],
        ),
        (
            "{:process 1, :type :invoke, :f :txn, :value [[:rp x 1]]}",
            expect![
                "error: line 2, column 47: the micro-op `rp` is not known, expected one of r, w, append, add\n"
            ],
        ),
        (
            "{:process 1, :type :invoke, :f :txn, :value [[:w x nil]]}",
            expect!["error: line 2, column 52: nothing, expected the value that is written\n"],
        ),
        (
            "{:process 1, :type :invoke, :f :txn, :value [[:w x 99999999999999999999]]}",
            expect![
                "error: line 2, column 52: `99999999999999999999`, expected a number that fits a signed 64-bit integer\n"
            ],
        ),
        (
            "{:process 1, :type :invoke, :f :txn, :value [[:w x {}]]}",
            expect!["error: line 2, column 52: `{`, expected a number, a text, or a list of these\n"],
        ),
        (
            "{:process 1, :type :invoke, :f :txn, :value [[:w x 1 2]]}",
            expect!["error: line 2, column 54: `2`, expected `]`: a micro-op is [what key value]\n"],
        ),
        (
            "{:process 0, :type :invoke, :f :read}",
            expect![
                "error: line 2, column 1: session c0 calls while its call at 0.000 s is still in flight; give each concurrent caller a session of its own\n"
            ],
        ),
        (
            "{:type :invoke, :f :read}",
            expect![
                "error: line 2, column 1: a map without :process; give each concurrent client a number\n"
            ],
        ),
        (
            "{:process 1, :type :invoke, :f :jump, :value 3}",
            expect![
                "error: line 2, column 46: the function `jump` is not known, expected one of txn, read, write, cas, add, remove, increment, decrement, delete, get, put, append, enqueue, dequeue, drain, push, pop, transfer\n"
            ],
        ),
        (
            "{:process 1 :type :invoke :f :read :value \"é\" :time x}",
            expect!["error: line 2, column 53: the time x, expected nanoseconds\n"],
        ),
        (
            "nonsense",
            expect![
                "error: line 2, column 1: `nonsense`, expected a map such as `{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil]]}`\n"
            ],
        ),
    ] {
        check(&format!("{ASK}{line}\n"), expected);
    }
}

#[test]
fn a_file_that_is_cut_off_is_judged_up_to_there() {
    check(
        &format!("{ASK}{{:process 1, :type :inv"),
        expect![[r#"
            error: line 2, column 20: the type `inv` is not known, expected one of invoke, ok, fail, info
        "#]],
    );
    check(
        "{:process 1, :type :inv",
        expect![[r#"
        error: line 1, column 20: the type `inv` is not known, expected one of invoke, ok, fail, info
    "#]],
    );
}

fn whole() -> String {
    let mut file = ASK.to_string();
    file.push_str("{:process 0, :type :ok, :f :txn, :value [[:r x [1 \"é\"]] [:append y 1]], :time 1}\n");
    file.push_str(
        "{:process 1, :type :invoke, :f :cas, :value #jepsen.independent.Tuple[3 [nil #{2}]], :time 7}\n",
    );
    file.push_str("{:process 1, :type :info, :f :cas, :value [3 [1 2]], :error [:a {:b \\c}], :time 8}\n");
    file
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let begin = if json { &br#"[{"type":"invoke","f":"read","process":0},"#[..] } else { &b"{:type "[..] };
        let _ = read([begin, &bytes].concat().as_slice());
    }

    #[test]
    fn no_spoilt_byte_makes_the_reader_panic(
        place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()
    ) {
        let mut file = whole().into_bytes();
        let at = place.index(file.len());
        file[at] = byte;
        let _ = read(file.as_slice());
        file.truncate(cut.index(file.len()));
        let _ = read(file.as_slice());
    }
}

fn list() -> impl Strategy<Value = String> {
    (0..12_usize, prop_oneof![3 => Just("1 2 3 44 5 ".to_string()), 1 => "[0-9 \\[\\]x\"-]{0,8}"])
        .prop_map(|(length, text)| format!("[{}]", &text[..length.min(text.len())]))
}

proptest! {
    /// However lists follow each other, each is what it is alone.
    #[test]
    fn growing_lists_are_read_as_any_other(lists in vec(list(), 1..12)) {
        let step = |list: &str| format!("{{:process 0 :type :ok :time 1 :value [[:r x {list}]]}}\n");
        let alone: Vec<_> = lists.iter().map(|list| told_of(&step(list))).collect();
        let good: Vec<&String> = lists.iter().filter(|list| told_of(&step(list)).is_some()).collect();
        let file: String = good.iter().map(|list| step(list)).collect();
        let together = told_of(&file).unwrap_or_default();
        let alone: Vec<_> = alone.into_iter().flatten().flatten().collect();
        prop_assert_eq!(together, alone);
    }
}

/// What the reads of a file saw.
fn told_of(file: &str) -> Option<Vec<Observed>> {
    let reading = (super::EDN.read)(&mut file.as_bytes()).ok()?;
    let replies = reading.history.operations().iter().flat_map(|operation| operation.outcome.replies());
    Some(replies.flatten().filter_map(|reply| reply.observed.clone()).collect())
}

/// A piece that is not whole yet in the buffer is the same piece later.
#[test]
fn a_file_is_read_alike_in_pieces_of_any_size() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.0.len().min(1).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }
    let file = whole();
    let at_once = (super::EDN.read)(&mut file.as_bytes()).unwrap();
    let slowly = (super::EDN.read)(&mut Slow(file.as_bytes())).unwrap();
    assert_eq!(at_once.history, slowly.history);
}

/// Many transactions, each an event a line; more than is read at once.
fn long(last: &str) -> String {
    let mut file = String::new();
    for number in 0..20_000 {
        let process = number % 7;
        writeln!(
            file,
            "{{:type :invoke, :process {process}, :f :txn, :value [[:append {process} {number}]]}}\n\
             {{:type :ok, :process {process}, :f :txn, :value [[:append {process} {number}]]}}"
        )
        .unwrap();
    }
    file + last
}

#[test]
fn a_long_file_is_told_with_its_lines() {
    let reading = read(long("{:type :info, :process :nemesis, :f :start}\n").as_bytes()).unwrap();
    assert_eq!(reading.history.operations().len(), 20_000);
    assert!(reading.history.operations().iter().all(crate::Operation::is_confirmed));
    assert_eq!(
        reading.warnings,
        [
            "1 event of processes that are no clients, the first in line 40001: left out",
            "40000 events without :time, the first in line 1: they are taken as 1 ms after the one before"
        ]
    );
    let wrong = long("{:type :ok, :process 3, :f :txn, :value [[:r 1 []]]}\n{:type :unheard-of}\n");
    assert_eq!(
        read(wrong.as_bytes()).unwrap_err().to_string(),
        "line 40001, column 1: process 3 is answered but has no call in flight; write its :invoke before this"
    );
    let cut = long("{:type :invoke, :process 3, :f :txn, :value [[:r 1 ni");
    let reading = read(cut.as_bytes()).unwrap();
    assert_eq!(reading.warnings.last().unwrap(), "the file is cut off in line 40001; judged up to there");
}

/// What all maps but one have in common is found by comparing bytes.
#[test]
fn a_map_that_looks_almost_like_the_others_is_read_as_it_is_written() {
    let calls = |text: &str| text::print(&read(text.as_bytes()).unwrap().history);
    let others = "{:type :invoke, :process 0, :f :txn, :value [[:append 8 1]]}\n\
                  {:type :ok, :process 0, :f :txn, :value [[:append 8 1]]}\n\
                  {:type :invoke, :process 1, :f :txn, :value [[:append 8 2]]}\n";
    let expected = calls(&format!("{others}{{:type :ok, :process 1, :f :txn, :value [[:append 8 2]]}}\n"));
    for same in [
        "{:type :ok, :process  1, :f :txn, :value [[:append 8 2]]}",
        "{:type :ok, :process 1, :f :txn, :value  [[:append  8 2 ]]}",
        "{:type :ok, :process #_ 5 1, :f ,:txn, :value [[:append 8 2]]}",
        "{ :type :ok :process 1 :f :txn :value [[:append 8 2]] }",
        "{:type :ok, :process 1, :f :txn, :value [[:append 8 2]], :error nil}",
        "{:process 1, :type :ok, :value [[:append 8 2]], :f :txn}",
    ] {
        assert_eq!(calls(&format!("{others}{same}\n")), expected, "{same}");
    }
    // `:value` begins the name `:values`, and is another.
    let others = others.replace(":value ", ":value");
    let misled = format!("{others}{{:type :ok, :process 1, :f :txn, :values [[:append 8 2]]}}\n");
    assert_eq!(calls(&misled), expected, "an append needs no answer");
}

#[test]
fn json_with_a_space_more_is_read_too() {
    let file = r#"{"type":"invoke","process":0,"f":"txn","value":[["r",1,null]]}
{"type": "ok", "process": 0, "f": "txn", "value": [["r", 1, [5]]]}
{"type":"invoke","process": 1,"f":"txn","value":[["w",1,-6]]}
{"type":"ok","process":1, "f":"txn","value":[["w",1,-6]]}"#;
    assert_eq!(read(file.as_bytes()).unwrap().history.operations().len(), 2);
}
