//! What is written is read again as what it was.

use std::io::Write;

use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{WRITERS, Writer};
use crate::format::{Format, read};
use crate::{History, text};

fn written(history: &History, format: &str) -> Result<(String, Vec<String>), String> {
    let mut out = Vec::new();
    let writer = Writer::named(format).map_err(|error| error.to_string())?;
    let warnings = writer.write(history, &mut out).map_err(|error| error.to_string())?;
    Ok((String::from_utf8(out).unwrap(), warnings))
}

fn check(history: &str, format: &str, expected: Expect) {
    let told = match written(&text::parse(history).unwrap(), format) {
        Ok((file, warnings)) => {
            warnings.iter().fold(file, |file, warning| format!("{file}warning: {warning}\n"))
        }
        Err(error) => format!("error: {error}\n"),
    };
    expected.assert_eq(&told);
}

const LISTS: &str = "c0 0..5 append x 1 -> ok
c1 2..5 txn read x; append \"y\" 2 -> [1]; ok
c0 6..6 txn append x 3 -> failed conflict
c2 7..8 append x 4 -> unknown timeout
";

#[test]
fn lists_are_transactions_to_elle() {
    check(
        LISTS,
        "jepsen-edn",
        expect![[r#"
        {:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append "x" 1]]}
        {:index 1, :time 2000000, :type :invoke, :process 1, :f :txn, :value [[:r "x" nil] [:append "\"y\"" 2]]}
        {:index 2, :time 5000000, :type :ok, :process 0, :f :txn, :value [[:append "x" 1]]}
        {:index 3, :time 5000000, :type :ok, :process 1, :f :txn, :value [[:r "x" [1]] [:append "\"y\"" 2]]}
        {:index 4, :time 6000000, :type :invoke, :process 0, :f :txn, :value [[:append "x" 3]]}
        {:index 5, :time 6000000, :type :fail, :process 0, :f :txn, :value [[:append "x" 3]], :error "conflict"}
        {:index 6, :time 7000000, :type :invoke, :process 2, :f :txn, :value [[:append "x" 4]]}
        {:index 7, :time 8000000, :type :info, :process 2, :f :txn, :value [[:append "x" 4]], :error "timeout"}
    "#]],
    );
}

#[test]
fn anything_else_is_an_operation_a_map() {
    check(
        "c0 0..1 add s \"a\" -> ok\nc1 0..1 cas 7 nothing 4 -> ok\nc1 2..3 read 7 -> 4\n-- settle 9\n",
        "jepsen-edn",
        expect![[r#"
            {:index 0, :time 0, :type :invoke, :process 0, :f :add, :value ["s" "a"]}
            {:index 1, :time 0, :type :invoke, :process 1, :f :cas, :value [7 [nil 4]]}
            {:index 2, :time 1000000, :type :ok, :process 0, :f :add, :value ["s" "a"]}
            {:index 3, :time 1000000, :type :ok, :process 1, :f :cas, :value [7 [nil 4]]}
            {:index 4, :time 2000000, :type :invoke, :process 1, :f :read, :value [7 nil]}
            {:index 5, :time 3000000, :type :ok, :process 1, :f :read, :value [7 4]}
            warning: 1 event of faults, nodes and phases: left out
        "#]],
    );
    check(
        "c0 0..1 read s -> 1 | 2",
        "jepsen-edn",
        expect![[r#"
        error: op 0: 1 | 2: siblings, which EDN has no word for; write it as jsonl
    "#]],
    );
}

#[test]
fn registers_in_plume() {
    check(
        "c0 0..1 txn write x 10; read y -> ok; nothing\nc1 0..1 read x -> 10\nc0 2..3 write y 7 -> failed conflict
c4 2..3 write y 8 -> unknown timeout\nc5 2..3 write y 9 -> unknown timeout\nc1 4..5 read y -> 9\n",
        "plume",
        expect![[r#"
            w(0,10,0,0)
            r(1,0,0,0)
            r(0,10,1,1)
            w(1,7,0,-1)
            w(1,9,5,4)
            r(1,9,1,5)
            warning: 1 unknown transaction that nobody read from: left out
        "#]],
    );
    check(
        LISTS,
        "plume",
        expect![[r#"
        error: op 0: Plume has reads and writes of one value only; write it as jepsen-edn or jsonl
    "#]],
    );
    check(
        LISTS,
        "csv",
        expect![[r#"
        error: no format `csv` to write; there are jepsen-edn, jsonl, parquet, plume
    "#]],
    );
}

#[test]
fn writers_are_sorted_and_all_but_parquet_can_be_read() {
    assert!(WRITERS.is_sorted_by_key(|writer| writer.name));
    let unread: Vec<&str> =
        WRITERS.iter().map(|writer| writer.name).filter(|name| Format::named(name).is_err()).collect();
    assert_eq!(unread, ["parquet"]);
}

fn line() -> impl Strategy<Value = String> {
    let micro_op = prop_oneof![
        (0..3_u8, 1..9_i64).prop_map(|(key, value)| (format!("write {key} {value}"), "ok".to_string())),
        (0..3_u8, 0..9_i64).prop_map(|(key, value)| {
            (format!("read {key}"), if value == 0 { "nothing".to_string() } else { value.to_string() })
        }),
    ];
    (vec(micro_op, 1..4), 0..8_u8).prop_map(|(steps, ending)| {
        let (calls, replies): (Vec<String>, Vec<String>) = steps.into_iter().unzip();
        let ending = match ending {
            0 => "failed aborted".to_string(),
            1 => "unknown timeout".to_string(),
            _ => replies.join("; "),
        };
        format!("txn {} -> {ending}", calls.join("; "))
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(lines in vec((0..4_u64, line()), 1..8)) {
        let file: String = lines
            .iter()
            .enumerate()
            .map(|(session, (time, line))| format!("c{session} {time}..{} {line}\n", time + 2))
            .collect();
        let mut sorted: Vec<&str> = file.lines().collect();
        sorted.sort_by_key(|line| line.split([' ', '.']).nth(1).map(str::to_string));
        let history = text::parse(&sorted.join("\n")).unwrap();
        let (jsonl, _) = written(&history, "jsonl").unwrap();
        prop_assert_eq!(&read(jsonl.as_bytes()).unwrap().history, &history);
        let (edn, _) = written(&history, "jepsen-edn").unwrap();
        let back = read(edn.as_bytes()).unwrap();
        prop_assert_eq!(back.format, "jepsen EDN");
        prop_assert_eq!(back.history.operations().len(), history.operations().len());
        for (ours, theirs) in history.operations().iter().zip(back.history.operations()) {
            prop_assert_eq!((&ours.call, &ours.outcome, ours.session), (&theirs.call, &theirs.outcome, theirs.session));
        }
        let (again, _) = written(&back.history, "jepsen-edn").unwrap();
        prop_assert_eq!(read(again.as_bytes()).unwrap().history, back.history);
    }

    #[test]
    fn plume_keeps_its_transactions(lines in vec(line(), 1..8)) {
        let file: String =
            lines.iter().enumerate().map(|(session, line)| format!("c{session} 0..0 {line}\n")).collect();
        let (plume, _) = written(&text::parse(&file).unwrap(), "plume").unwrap();
        if plume.is_empty() {
            return Ok(());
        }
        let first = read(plume.as_bytes()).unwrap();
        prop_assert_eq!(first.format, "plume text");
        let (again, _) = written(&first.history, "plume").unwrap();
        prop_assert_eq!(read(again.as_bytes()).unwrap().history.operations().len(), first.history.operations().len());
    }
}

/// What a reader of Parquet finds: the number of groups, and a line a row with the columns that have a value.
fn rows(history: &str, rows_max: usize) -> String {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let history = text::parse(history).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&super::parquet::in_memory(&history, rows_max).unwrap()).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let mut told = format!("groups {}\n", reader.num_row_groups());
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let there = row.get_column_iter().map(|(name, field)| (name, field.to_string()));
        let there = there.filter(|(_, field)| field != "null").map(|(name, field)| format!("{name} {field}"));
        told += &format!("{}\n", there.collect::<Vec<_>>().join(", "));
    }
    told
}

#[test]
fn a_micro_op_is_a_row_of_parquet() {
    expect![[r#"
        groups 1
        operation 0, place 0, in_transaction false, session 0, phase "load", invoked_ns 0, completed_ns 5000000, outcome "confirmed", function "append", key "x", argument "1"
        operation 1, place 0, in_transaction true, session 1, phase "load", invoked_ns 2000000, completed_ns 5000000, outcome "confirmed", function "read", key "x", observed "[[1]]"
        operation 1, place 1, in_transaction true, session 1, phase "load", invoked_ns 2000000, completed_ns 5000000, outcome "confirmed", function "append", key ""y"", argument "2"
        operation 2, place 0, in_transaction true, session 0, phase "load", invoked_ns 6000000, completed_ns 6000000, outcome "failed", reason "conflict", function "append", key "x", argument "3"
        operation 3, place 0, in_transaction false, session 2, phase "load", invoked_ns 7000000, completed_ns 8000000, outcome "unknown", reason "timeout", function "append", key "x", argument "4"
    "#]].assert_eq(&rows(LISTS, 100));
    let siblings = "c0@A 0..1 write x [1] -> ok A:1
c1 0..1 cas x nothing \"two\" -> ok
c2 2..3 read x -> [1]@A:1 | 2@B:1
c3 4.. read x
";
    expect![[r#"
        groups 2
        operation 0, place 0, in_transaction false, session 0, node "A", phase "load", invoked_ns 0, completed_ns 1000000, outcome "confirmed", function "write", key "x", argument "[1]", version "A:1"
        operation 1, place 0, in_transaction false, session 1, phase "load", invoked_ns 0, completed_ns 1000000, outcome "confirmed", function "compare-and-set", key "x", argument ""two"", expected "{"values":[]}"
        operation 2, place 0, in_transaction false, session 2, phase "load", invoked_ns 2000000, completed_ns 3000000, outcome "confirmed", function "read", key "x", observed "[[1],2]", observed_versions "["A:1","B:1"]"
        operation 3, place 0, in_transaction false, session 3, phase "load", invoked_ns 4000000, outcome "unknown", reason "unanswered", function "read", key "x"
    "#]].assert_eq(&rows(siblings, 2));
    expect![[r#"
        groups 0
    "#]]
    .assert_eq(&rows("", 1));
}
