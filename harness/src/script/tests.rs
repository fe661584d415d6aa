use expect_test::{Expect, expect};
use histories::{Outcome, Reply, text};

use super::*;
use crate::workload::Generator as _;

fn nodes() -> Vec<NodeName> {
    ["A", "B"].map(NodeName::from).to_vec()
}

/// Reads a plan's tables, and shows them again or says what is wrong with them.
fn read(plan: &str) -> Result<Script, String> {
    let document: toml::Table = toml::from_str(plan).unwrap();
    let tables = document["call"].as_array().unwrap().iter().zip(1..);
    let tables: Vec<_> = tables
        .map(|(table, line)| (table.as_table().unwrap().clone(), format!("plan.toml:{line}")))
        .collect();
    table::script(&tables, &nodes(), Nanos::from_millis(10_000))
        .map(Option::unwrap_or_default)
        .map_err(|stop| stop.error.to_string())
}

fn refuses(line: &str, expected: Expect) {
    expected.assert_eq(&read(&format!("[[call]]\n{line}")).unwrap_err());
}

const ALL: &str = r#"
[[call]]
at = "400ms"
session = 0
node = "A"
read = "x"

[[call]]
at = "500ms"
session = 0
node = "A"
extend = { key = "x", element = 1 }

[[call]]
at = "600ms"
session = 3
node = "B"
compare-and-set = { key = "x", expected = { values = [[1], [2]], versions = ["A:1", "B:1"] }, value = [1, 2, 3] }

[[call]]
at = "1s"
session = 3
node = "B"
txn = [{ read = "x" }, { increment = { key = "y", by = -2 } }, { delete = "z" }]
"#;

#[test]
fn tables_survive_a_round_trip() {
    let script = read(ALL).unwrap();
    assert_eq!(table::show(&script).unwrap(), ALL);
    let json = serde_json::to_string(&script).unwrap();
    assert_eq!(serde_json::from_str::<Script>(&json).unwrap(), script);
    expect![[r#"{"at":"500ms","session":0,"node":"A","extend":{"key":"x","element":1}}"#]]
        .assert_eq(&serde_json::to_string(&script.calls[1]).unwrap());
    assert_eq!((script.sessions().len(), script.keys().len()), (2, 3));
}

#[test]
fn a_wrong_table_is_answered_with_its_line_and_the_mend() {
    refuses(
        "at = '1s'\nsession = 0\nnode = 'A'\napend = { key = 'x', element = 1 }",
        expect![[
            r#"plan.toml:1: call: no part of a call "apend"; did you mean append? there are at, node, session, add, append, compare-and-set, delete, dequeue, enqueue, extend, increment, pop, push, read, remove, replace, txn, write"#
        ]],
    );
    refuses(
        "at = '1s'\nsession = 0\nnode = 'A'\nappend = { key = 'x' }",
        expect![[
            r#"plan.toml:1: call: append: missing field `element`; write for example append = { key = "x", element = 1 }"#
        ]],
    );
    refuses(
        "at = '1s'\nsession = 0\nnode = 'A'",
        expect![
            "plan.toml:1: call: it asks nothing; add one of add, append, compare-and-set, delete, dequeue, enqueue, extend, increment, pop, push, read, remove, replace, txn, write"
        ],
    );
    refuses(
        "at = '1s'\nsession = 0\nnode = 'A'\nread = 'x'\ndelete = 'x'",
        expect!["plan.toml:1: call: delete and read stand in one call; write two [[call]] tables, or a txn"],
    );
    refuses(
        "at = '1s'\nsession = 0\nnode = 'C'\nread = 'x'",
        expect![[r#"plan.toml:1: call: no node "C"; there are A, B"#]],
    );
    refuses(
        "at = '10s'\nsession = 0\nnode = 'A'\nread = 'x'",
        expect![
            "plan.toml:1: call: it is asked at 10.000 s, and the load ends at 10.000 s; make load.duration longer"
        ],
    );
    refuses(
        "at = 1\nsession = 0\nnode = 'A'\nread = 'x'",
        expect![[r#"plan.toml:1: call: at: expected a time in quotes; write for example at = "1.5s""#]],
    );
    refuses(
        "at = '1s'\nnode = 'A'\nread = 'x'",
        expect!["plan.toml:1: call: session is missing; write for example session = 0"],
    );
    refuses(
        "at = '1s'\nsession = 0\nnode = 'A'\ntxn = [{ rea = 'x' }]",
        expect![[
            r#"plan.toml:1: call: txn: { rea = "x" } is no operation; write for example txn = [{ read = "x" }, { write = { key = "y", value = 1 } }]"#
        ]],
    );
}

#[test]
fn what_depends_on_what_was_read_becomes_symbolic() {
    let history = text::parse(
        "nodes A B
        c0@A 0..1 write x [1] -> ok A:1
        c2@A 2..3 read x -> [1]@A:1
        c2@A 4..5 cas x [1]@A:1 [1 2] -> ok A:2
        c5@B 4..5 cas x nothing 7 -> failed conflict
        c5@B 6..7 cas x [1]@A:1 9 -> ok B:1
        -- final-reads
        c3@A read x -> [1 3]@B:1",
    )
    .unwrap();
    let script = Script::of(&history).unwrap();
    let shown: Vec<String> = script
        .calls
        .iter()
        .map(|line| format!("{}@{} {:?}", line.session, line.node, line.acts()[0]))
        .collect();
    expect![[r#"
        0@A Write { key: Key("x"), value: List([Integer(1)]) }
        1@A Read(Key("x"))
        1@A Extend { key: Key("x"), element: Integer(2) }
        2@B Replace { key: Key("x"), value: Integer(7) }
        2@B CompareAndSet { key: Key("x"), expected: Observed { values: [List([Integer(1)])], versions: [Version("A:1")] }, value: Integer(9) }"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn a_player_asks_against_what_it_read_last() {
    let script = read(ALL).unwrap();
    let mut player = Player::new(&script, 0);
    let read = player.next_call();
    let seen = Observed { values: vec![Value::from_iter([Value::from(8)])], versions: vec!["A:7".into()] };
    player.observe(&read, &Outcome::confirmed(Reply::read(seen.clone())));
    let value = Value::from_iter([8.into(), 1.into()]);
    let asked = MicroOp::CompareAndSet { key: "x".into(), expected: Box::new(seen), value };
    assert_eq!(player.next_call(), Call::Single(asked));
    let mut blind = Player::new(&script, 0);
    blind.next_call();
    let asked = MicroOp::CompareAndSet {
        key: "x".into(),
        expected: Box::default(),
        value: Value::from_iter([Value::from(1)]),
    };
    assert_eq!(blind.next_call(), Call::Single(asked));
}

#[test]
fn siblings_become_one_list_that_has_all() {
    let list = |elements: &[i64]| elements.iter().map(|element| Value::from(*element)).collect::<Value>();
    let observed = Observed { values: vec![list(&[1, 2]), list(&[1, 3])], versions: Vec::new() };
    assert_eq!(extended(&observed, Value::from(4)), list(&[1, 2, 3, 4]));
    assert_eq!(extended(&Observed::default(), Value::from(1)), list(&[1]));
}
