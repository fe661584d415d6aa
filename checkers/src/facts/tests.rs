use histories::text;

use super::*;

fn name(maker: Maker) -> String {
    match maker {
        Maker::Nobody => "nobody".into(),
        Maker::One(address) => format!("{}.{}", address.operation, address.index),
        Maker::Several { .. } => "several".into(),
    }
}

#[test]
fn states_are_traced_to_their_makers() {
    let history = text::parse(
        "c0 write x 5 -> ok A:1
         c1 write x 6 -> unknown
         c2 write x 7 -> ok A:3
         c3 write x 7 -> ok A:4
         c4 write x 9 -> failed
         c5 txn read y; read x -> nothing; 5@A:1 | 6@B:9 | 7@A:4 | 9@C:1 | 7@B:2",
    )
    .unwrap();
    let facts = Facts::new(&history);
    let read = Address { operation: OperationId(5), index: 1 };
    let seen: Vec<String> = facts.seen(read).iter().copied().map(name).collect();
    assert_eq!(seen, ["op 0.0", "op 1.0", "op 3.0", "nobody", "several"]);
    assert!(facts.seen(Address { index: 0, ..read }).is_empty());
    assert_eq!(facts.key(facts.key_of(read)).as_str(), "x");
}

#[test]
fn elements_are_traced_to_what_brought_them() {
    let history = text::parse(
        "c0 append l 1 -> ok
         c1 add s 2 -> ok
         c2 cas x [1 2] [1 2 3] -> ok
         c3 read l -> [1]",
    )
    .unwrap();
    let facts = Facts::new(&history);
    let of = |key: &str, element: i64| {
        let key = facts.key_number(&Key::from(key)).unwrap();
        name(facts.element_maker(key, &Value::from(element)))
    };
    assert_eq!([of("l", 1), of("s", 2), of("x", 3), of("x", 1)], ["op 0.0", "op 1.0", "op 2.0", "nobody"]);
    let kinds: Vec<KeyKind> = facts.keys().map(|key| facts.kind(key)).collect();
    assert_eq!(kinds, [KeyKind::List, KeyKind::Set, KeyKind::Register]);
}

#[test]
fn operations_are_found_by_key_by_session_and_among_the_final_reads() {
    let history = text::parse(
        "nodes A B
         c1@A write k10 1 -> ok
         c0@A write k2 2 -> ok
         c1@B read k10 -> nothing
         -- final-reads
         c0@A read k10 -> nothing
         c0@A read k10 -> 1
         c0@B read k10 -> failed refused",
    )
    .unwrap();
    let facts = Facts::new(&history);
    let names: Vec<&str> = facts.keys().map(|key| facts.key(key).as_str()).collect();
    assert_eq!(names, ["k2", "k10"]);
    let numbers = |addresses: &[Address]| addresses.iter().map(|at| at.operation.0).collect::<Vec<_>>();
    assert_eq!(numbers(facts.on_key(KeyNumber(1))), [0, 2, 3, 4, 5]);
    assert_eq!(numbers(facts.final_reads(KeyNumber(1))), [3, 4]);
    let last = |node: &str| facts.final_read(KeyNumber(1), &NodeName::from(node)).map(|at| at.operation.0);
    assert_eq!((last("A"), last("B")), (Some(4), None));
    let sessions: Vec<(u32, Vec<u32>)> =
        facts.sessions().map(|(id, ops)| (id.0, ops.iter().map(|op| op.0).collect())).collect();
    assert_eq!(sessions, [(0, vec![1, 3, 4, 5]), (1, vec![0, 2])]);
}

#[test]
fn a_history_without_operations_has_no_facts() {
    let history = text::parse("").unwrap();
    let facts = Facts::new(&history);
    assert_eq!((facts.keys().count(), facts.sessions().count()), (0, 0));
}
