//! What is said of files that are no history, or not a whole one.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{Error, read};

const HEADER: &str = r#"{"rashomon":"history","version":1}"#;

/// A history of four lines, each of another shape; every cut of the last one is tested.
const WHOLE: [&str; 4] = [
    HEADER,
    r#"{"time":1,"event":"invoke","session":0,"node":"A","call":[{"read":{"key":"x"}},{"increment":{"key":"y","by":-5}}]}"#,
    r#"{"time":2,"event":"phase","phase":"settle"}"#,
    r#"{"time":3,"event":"confirmed","session":0,"reply":[{"observed":{"values":["naïve",[1,[2]]],"versions":["A:1","B:\"2"]}},{}]}"#,
];

/// What is said of a file: the flaw, or how much was read and the warnings.
fn check(input: impl AsRef<[u8]>, expected: Expect) {
    expected.assert_eq(&told(input.as_ref()));
}

/// What is said of a file with a good header and then these lines.
fn check_lines(lines: &[&str], expected: Expect) {
    check(format!("{HEADER}\n{}\n", lines.join("\n")), expected);
}

fn told(input: &[u8]) -> String {
    match read(input) {
        Err(error) => match std::error::Error::source(&error) {
            Some(source) if matches!(error, Error::Io { .. }) => format!("error: {error}: {source}"),
            _ => format!("error: {error}"),
        },
        Ok(reading) => {
            let mut told = format!("{} operations", reading.history.operations().len());
            for warning in reading.warnings {
                let _ = write!(told, "\nwarning: {warning}");
            }
            told
        }
    }
}

const ASK: &str = r#"{"time":1,"event":"invoke","session":0,"call":{"read":{"key":"x"}}}"#;
const CHANGE: &str = r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x","value":1}}}"#;

#[test]
fn a_session_has_one_call_in_flight() {
    check_lines(
        &[ASK, ASK],
        expect![
            "error: line 3: session c0 calls while its call at 0.000 s is still in flight; give each concurrent caller a session of its own"
        ],
    );
}

#[test]
fn a_reply_needs_a_call() {
    check_lines(
        &[r#"{"time":1,"event":"confirmed","session":7,"reply":{}}"#],
        expect!["error: line 2: session c7 is answered but has no call in flight"],
    );
    check_lines(
        &[
            ASK,
            r#"{"time":2,"event":"failed","session":0,"reason":"refused"}"#,
            r#"{"time":3,"event":"failed","session":0,"reason":"refused"}"#,
        ],
        expect!["error: line 4: session c0 is answered but has no call in flight"],
    );
}

#[test]
fn an_unknown_answer_ends_a_session() {
    check_lines(
        &[
            ASK,
            r#"{"time":2,"event":"unknown","session":0,"reason":"timeout"}"#,
            r#"{"time":3,"event":"invoke","session":0,"call":{"read":{"key":"x"}}}"#,
        ],
        expect![
            "error: line 4: session c0 calls again after an unknown answer; a new session must take over"
        ],
    );
}

#[test]
fn time_does_not_go_back() {
    check_lines(
        &[r#"{"time":2000000,"event":"phase","phase":"settle"}"#, ASK],
        expect!["error: line 3: time goes back from 2000000 ns to 1 ns; events stand in the order of time"],
    );
    check_lines(
        &[
            r#"{"time":2000000000,"event":"phase","phase":"settle"}"#,
            r#"{"time":1999999999,"event":"phase","phase":"settled"}"#,
        ],
        expect![
            "error: line 3: time goes back from 2000000000 ns to 1999999999 ns; events stand in the order of time"
        ],
    );
}

#[test]
fn a_newer_version_is_named() {
    check(
        r#"{"rashomon":"history","version":2,"shape":"new"}"#,
        expect!["error: line 1: history version 2, but this program reads versions up to 1; use a newer one"],
    );
    check(r#"{"rashomon":"history","version":0}"#, expect!["error: line 1: version 0; versions begin at 1"]);
    check(
        r#"{"rashomon":"history","version":"1"}"#,
        expect![[
            r#"error: line 1, column 35: not the header of a history: invalid type: string "1", expected a whole number that fits 64 bits; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(r#"{"rashomon":"history"}"#, expect!["error: line 1: missing field `version`"]);
}

#[test]
fn a_file_begins_with_a_header() {
    check(
        "",
        expect![[
            r#"error: line 1: empty; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(
        "\n",
        expect![[
            r#"error: line 1: empty; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(
        ASK,
        expect![[
            r#"error: line 1: not the header of a history: missing field `rashomon`; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(
        r#"{"rashomon":"witness","version":1}"#,
        expect![[
            r#"error: line 1: not the header of a history: `rashomon` is "witness" instead of "history"; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(
        "[]\n",
        expect![[
            r#"error: line 1, column 2: not the header of a history: invalid type: array, expected an object; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
    check(
        r#"{"rashomon":"history","version":1,"colour":"red"}"#,
        expect![
            "error: line 1, column 42: unknown field `colour`, expected one of `rashomon`, `version`, `name`, `target`, `workload`, `seed`, `nodes`, `notes`"
        ],
    );
    check(
        r#"{"rashomon":"history","version":1,"nodes":"A"}"#,
        expect![[r#"error: line 1, column 45: invalid type: string "A", expected an array"#]],
    );
    check(
        r#"{"rashomon":"history","version":1,"notes":{"date":"1","date":"2"}}"#,
        expect!["error: line 1, column 65: duplicate note `date`"],
    );
    check(
        r#"{"rashomon":"history","version":1,"name":"a","name":"b"}"#,
        expect!["error: line 1, column 51: duplicate field `name`"],
    );
    check(
        r#"{"rashomon":"hist"#,
        expect![[
            r#"error: line 1, column 17: not the header of a history: the line ends within a string; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
}

#[test]
fn only_utf8_is_text() {
    let with = |bytes: &[u8]| [HEADER.as_bytes(), b"\n", bytes].concat();
    check(
        with(b"{\"time\":1,\"event\":\"phase\",\"phase\":\"l\xffd\"}\n"),
        expect!["error: line 2, byte 37: not UTF-8"],
    );
    check(
        with(b"{\"time\":1,\"event\":\"phase\",\"phase\":\"l\xffd\"}"),
        expect!["error: line 2, byte 37: not UTF-8"],
    );
    check(b"\xff\xfe{\0", expect!["error: line 1, byte 1: not UTF-8"]);
}

#[test]
fn numbers_fit_their_bits() {
    check_lines(
        &[
            r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x","value":9223372036854775808}}}"#,
        ],
        expect![
            "error: line 2, column 93: the number 9223372036854775808 does not fit a signed 64-bit integer"
        ],
    );
    check_lines(
        &[
            r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x","value":[1,99999999999999999999]}}}"#,
        ],
        expect!["error: line 2, column 97: the number 100000000000000000000 is not a signed 64-bit integer"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x","value":1.5}}}"#],
        expect!["error: line 2, column 77: the number 1.5 is not a signed 64-bit integer"],
    );
    check_lines(
        &[
            r#"{"time":1,"event":"invoke","session":0,"call":{"increment":{"key":"x","by":9223372036854775808}}}"#,
        ],
        expect![
            "error: line 2, column 94: invalid value: integer `9223372036854775808`, expected a signed 64-bit integer"
        ],
    );
    check_lines(
        &[r#"{"time":18446744073709551616,"event":"phase","phase":"load"}"#],
        expect![
            "error: line 2, column 28: invalid type: floating point `1.8446744073709552e+19`, expected a whole number of nanoseconds that fits 64 bits"
        ],
    );
    check_lines(
        &[r#"{"time":-1,"event":"phase","phase":"load"}"#],
        expect![
            "error: line 2, column 10: invalid type: integer `-1`, expected a whole number of nanoseconds that fits 64 bits"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":4294967296,"call":{"read":{"key":"x"}}}"#],
        expect![
            "error: line 2, column 47: invalid value: integer `4294967296`, expected a whole number that fits 32 bits"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":"c0","call":{"read":{"key":"x"}}}"#],
        expect![[
            r#"error: line 2, column 41: invalid type: string "c0", expected a whole number that fits 32 bits"#
        ]],
    );
}

#[test]
fn one_reply_an_operation_and_of_its_kind() {
    let asked = |call: &str, reply: &str, expected: Expect| {
        let call = format!(r#"{{"time":1,"event":"invoke","session":0,"call":{call}}}"#);
        let reply = format!(r#"{{"time":2,"event":"confirmed","session":0,"reply":{reply}}}"#);
        check_lines(&[&call, &reply], expected);
    };
    let read = r#"{"read":{"key":"x"}}"#;
    let two = r#"[{"read":{"key":"x"}},{"delete":{"key":"x"}}]"#;
    asked(
        two,
        r#"[{"observed":{"values":[]}}]"#,
        expect!["error: line 3: 1 reply for 2 operations; give one reply an operation"],
    );
    asked(two, r#"[]"#, expect!["error: line 3: 0 replies for 2 operations; give one reply an operation"]);
    asked(
        two,
        r#"[{},{"observed":{"values":[]}}]"#,
        expect!["error: line 3: operation 1 of the call: a confirmed read says what it saw"],
    );
    asked(
        read,
        r#"{}"#,
        expect!["error: line 3: operation 1 of the call: a confirmed read says what it saw"],
    );
    asked(
        r#"{"delete":{"key":"x"}}"#,
        r#"{"observed":{"values":[1]}}"#,
        expect!["error: line 3: operation 1 of the call: only a read says what it saw"],
    );
    asked(
        read,
        r#"{"observed":{"values":[1,2],"versions":["a"]}}"#,
        expect!["error: line 3: 2 values with 1 version; give one version a value, or none"],
    );
    asked(
        read,
        r#"{"observed":{"values":1}}"#,
        expect!["error: line 3, column 73: invalid type: integer `1`, expected an array"],
    );
    asked(read, r#"[["a"]]"#, expect!["error: line 3, column 52: invalid type: array, expected an object"]);
    asked("[]", "[]", expect!["error: line 2: a transaction without operations"]);
}

#[test]
fn unknown_words_are_named() {
    check_lines(
        &[r#"{"time":1,"event":"phase","phase":"load","colour":"red"}"#],
        expect![
            "error: line 2, column 49: unknown field `colour`, expected one of `time`, `event`, `session`, `node`, `planned`, `call`, `reply`, `reason`, `fault`, `state`, `phase`"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invok","session":0}"#],
        expect![
            "error: line 2, column 25: unknown word `invok`, expected one of `invoke`, `confirmed`, `failed`, `unknown`, `fault`, `node`, `phase`"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"cas":{"key":"x"}}}"#],
        expect![
            "error: line 2, column 52: unknown word `cas`, expected one of `read`, `write`, `compare-and-set`, `append`, `add`, `remove`, `increment`, `delete`, `enqueue`, `dequeue`, `push`, `pop`"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"read":{"key":"x","value":1}}}"#],
        expect!["error: line 2, column 72: unknown field `value`, expected `key`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"read":{"key":"x"},"delete":{"key":"x"}}}"#],
        expect![
            "error: line 2, column 66: a comma where an object ends, or a second operation in one object"
        ],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":"read"}"#],
        expect![[
            r#"error: line 2, column 52: invalid type: string "read", expected an object, or an array of objects"#
        ]],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"read":{"key":"x"}},"reply":{}}"#],
        expect![
            "error: line 2: an event `invoke` has no field `reply`, only `time`, `event`, `session`, `node`, `planned`, `call`"
        ],
    );
}

#[test]
fn missing_fields_are_named() {
    check_lines(
        &[r#"{"event":"phase","phase":"load"}"#],
        expect!["error: line 2, column 32: missing field `time`"],
    );
    check_lines(
        &[r#"{"time":1,"phase":"load"}"#],
        expect!["error: line 2, column 25: missing field `event`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0}"#],
        expect!["error: line 2: missing field `call`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","call":{"read":{"key":"x"}}}"#],
        expect!["error: line 2: missing field `session`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x"}}}"#],
        expect!["error: line 2, column 66: missing field `value`"],
    );
    check_lines(
        &[ASK, r#"{"time":1,"event":"confirmed","session":0}"#],
        expect!["error: line 3: missing field `reply`"],
    );
    check_lines(
        &[ASK, r#"{"time":1,"event":"failed","session":0,"reason":null}"#],
        expect!["error: line 3: missing field `reason`"],
    );
}

#[test]
fn faults_nodes_and_phases_have_their_shapes() {
    check_lines(&[r#"{"time":1,"event":"fault"}"#], expect!["error: line 2: missing field `fault`"]);
    check_lines(
        &[r#"{"time":1,"event":"fault","fault":"partition"}"#],
        expect![[r#"error: line 2, column 45: invalid type: string "partition", expected an object"#]],
    );
    check_lines(
        &[r#"{"time":1,"event":"fault","fault":[1,"partition","healed",1,"A | B"]}"#],
        expect!["error: line 2, column 35: invalid type: array, expected an object"],
    );
    check_lines(
        &[
            r#"{"time":1,"event":"fault","fault":{"fault":1,"name":"partition","stage":"heal","planned":1,"summary":""}}"#,
        ],
        expect![
            "error: line 2, column 78: unknown word `heal`, expected one of `injecting`, `effective`, `ineffective`, `healing`, `healed`"
        ],
    );
    check_lines(
        &[
            r#"{"time":1,"event":"fault","fault":{"fault":1,"name":"partition","stage":"healed","planned":1,"summary":"","links":[["A"]]}}"#,
        ],
        expect!["error: line 2, column 120: invalid length 1, expected a pair"],
    );
    check_lines(
        &[r#"{"time":1,"event":"node","node":"A","state":"up"}"#],
        expect![[r#"error: line 2, column 48: invalid type: string "up", expected an object"#]],
    );
    check_lines(
        &[r#"{"time":1,"event":"node","state":{"node":"A"}}"#],
        expect!["error: line 2, column 45: missing field `state`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"phase","phase":"final_reads"}"#],
        expect![
            "error: line 2, column 47: unknown word `final_reads`, expected one of `load`, `settle`, `settled`, `final-reads`, `done`"
        ],
    );
    check(
        format!(
            r#"{{"rashomon":"history","version":1,"nodes":["A"]}}{}{{"time":1,"event":"node","state":{{"node":"B","state":"up"}}}}"#,
            "\n"
        ),
        expect!["error: line 2: node B is not among the nodes that the header names"],
    );
}

#[test]
fn a_name_stands_once_in_an_object() {
    check_lines(
        &[r#"{"time":1,"time":1,"event":"phase","phase":"load"}"#],
        expect!["error: line 2, column 16: duplicate field `time`"],
    );
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"call":{"write":{"key":"x","value":1,"value":2}}}"#],
        expect!["error: line 2, column 83: duplicate field `value`"],
    );
    check_lines(
        &[CHANGE, r#"{"time":2,"event":"confirmed","session":0,"reply":{"version":"a","version":"b"}}"#],
        expect!["error: line 3, column 74: duplicate field `version`"],
    );
}

#[test]
fn a_line_is_one_object() {
    check_lines(&["", ASK], expect!["error: line 2: an empty line; remove it"]);
    check_lines(&[ASK, "   "], expect!["error: line 3: an empty line; remove it"]);
    check_lines(
        &["[1,\"phase\"]"],
        expect!["error: line 2, column 1: invalid type: array, expected an object"],
    );
    check_lines(&["null"], expect!["error: line 2, column 4: invalid type: null, expected an object"]);
    check_lines(
        &[&format!("{ASK} {ASK}")],
        expect!["error: line 2, column 69: more follows after the event; write one event a line"],
    );
    check_lines(&[&ASK[..40], ASK], expect!["error: line 2, column 40: the line ends within a string"]);
    check_lines(
        &["{\"time\":1,\"event\":\"failed\",\"session\":0,\"reason\":\"a\u{1}\"}"],
        expect![[
            r#"error: line 2, column 51: control character (\u0000-\u001F) found while parsing a string"#
        ]],
    );
}

#[test]
fn columns_are_counted_in_characters() {
    check_lines(
        &[r#"{"time":1,"event":"invoke","session":0,"node":"€€€","call":7}"#],
        expect![
            "error: line 2, column 60: invalid type: integer `7`, expected an object, or an array of objects"
        ],
    );
}

#[test]
fn lines_may_end_as_on_windows() {
    check(format!("{HEADER}\r\n{ASK}\r\n"), expect!["1 operations"]);
}

#[test]
fn the_last_line_needs_no_end_if_it_is_whole() {
    check(format!("{HEADER}\n{ASK}"), expect!["1 operations"]);
    // A mistake in it is a mistake all the same, and no cut.
    check(
        format!("{HEADER}\n{}", ASK.replace("invoke", "invok")),
        expect![
            "error: line 2, column 25: unknown word `invok`, expected one of `invoke`, `confirmed`, `failed`, `unknown`, `fault`, `node`, `phase`"
        ],
    );
}

#[test]
fn a_field_may_stand_anywhere_and_be_spaced() {
    check_lines(
        &[r#" { "event" : "invoke", "call" : { "read" : { "key" : "\u0078" } }, "session":0, "time":1 } "#],
        expect!["1 operations"],
    );
}

#[test]
fn deep_lists_leave_the_stack_alone() {
    let nested = |depth: usize| {
        let value = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        format!("{HEADER}\n{}\n", CHANGE.replace("\"value\":1", &format!("\"value\":{value}")))
    };
    check(nested(100), expect!["1 operations"]);
    check(nested(1_000_000), expect!["error: line 2, column 199: nested deeper than 127 levels"]);
    check(
        format!("{HEADER}\n{}", "[".repeat(1_000_000)),
        expect!["error: line 2, column 1: invalid type: array, expected an object"],
    );
    check(
        format!("{}\n", "[".repeat(1_000_000)),
        expect![[
            r#"error: line 1, column 1: not the header of a history: invalid type: array, expected an object; a history begins with a line such as {"rashomon":"history","version":1}"#
        ]],
    );
}

#[test]
fn a_huge_line_is_a_line() {
    let text = "x".repeat(10_000_000);
    check(
        format!("{HEADER}\n{}\n", CHANGE.replace("\"value\":1", &format!("\"value\":\"{text}\""))),
        expect!["1 operations"],
    );
}

#[test]
fn zeros_after_a_crash_are_a_cut() {
    check(
        format!("{HEADER}\n{ASK}\n{}", "\0".repeat(4096)),
        expect![[r#"
        1 operations
        warning: line 3 is cut off after 0 bytes; judged up to line 2"#]],
    );
    check(
        format!("{HEADER}\n{}{}", &ASK[..30], "\0".repeat(4096)),
        expect![[r#"
        0 operations
        warning: line 2 is cut off after 30 bytes; judged up to line 1"#]],
    );
}

#[test]
fn a_cut_in_the_last_line_leaves_the_lines_before_it() {
    let before = WHOLE[..3].join("\n") + "\n";
    let all = before.clone() + WHOLE[3];
    let expected = read(before.as_bytes()).unwrap().history;
    for length in before.len() + 1..all.len() {
        let reading = read(&all.as_bytes()[..length]).unwrap();
        assert_eq!(reading.history, expected, "cut after {length} bytes");
        let cut = length - before.len();
        assert_eq!(reading.warnings, [format!("line 4 is cut off after {cut} bytes; judged up to line 3")]);
    }
    let whole = read(all.as_bytes()).unwrap();
    assert!(whole.warnings.is_empty() && whole.history.operations()[0].is_confirmed());
}

#[test]
fn a_cut_elsewhere_is_an_error() {
    for (index, line) in WHOLE.iter().enumerate().take(3) {
        for length in (0..line.len()).filter(|length| line.is_char_boundary(*length)) {
            let mut lines = WHOLE;
            lines[index] = &line[..length];
            let error = read(lines.join("\n").as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("line {}", index + 1)), "cut after {length} bytes: {error}");
        }
    }
}

#[test]
fn a_compressed_file_may_be_cut_anywhere() {
    let lines: Vec<String> = (0..200)
        .map(|line| {
            format!(
                r#"{{"time":{line},"event":"invoke","session":{line},"call":{{"read":{{"key":"k{}"}}}}}}"#,
                line * line
            )
        })
        .collect();
    let plain = format!("{HEADER}\n{}\n", lines.join("\n"));
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    // Flushed now and then, as by a recorder, so that a cut file has some whole blocks.
    for chunk in plain.as_bytes().chunks(1000) {
        std::io::Write::write_all(&mut encoder, chunk).unwrap();
        std::io::Write::flush(&mut encoder).unwrap();
    }
    let packed = encoder.finish().unwrap();
    let mut longest = 0;
    for length in 0..packed.len() {
        match read(&packed[..length]) {
            Ok(reading) => {
                let operations = reading.history.operations().len();
                assert!(operations >= longest, "cut after {length} bytes: {operations} after {longest}");
                assert_eq!(
                    reading.warnings,
                    [format!("the file is cut off after line {}; judged up to there", operations + 1)]
                );
                longest = operations;
            }
            Err(error) => assert_eq!(longest, 0, "cut after {length} bytes: {error}"),
        }
    }
    assert!(longest > 150, "most of a file that lacks its last bytes is read, not {longest}");
    check(&packed, expect!["200 operations"]);
    check(&packed[..8], expect!["error: cannot be read: incomplete frame"]);
    check(
        &packed[..packed.len() - 9],
        expect![[r#"
        199 operations
        warning: the file is cut off after line 200; judged up to there"#]],
    );
}
