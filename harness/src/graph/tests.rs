use checkers::{Certainty, EdgeKind};
use histories::Nanos;

use super::*;
use crate::report::model::ToldEdge;

fn row(number: usize, who: &str, what: &str, answer: &str) -> StoryRow {
    StoryRow {
        number: Some(number),
        operation: Some(number as u32),
        time: Nanos::from_millis(number as u64),
        who: who.into(),
        what: what.into(),
        answer: answer.into(),
        remark: String::new(),
    }
}

fn skew(what: &str) -> Told {
    let edge =
        |from, to| ToldEdge { from, to, kind: EdgeKind::ReadWrite, because: format!("{from} missed {to}") };
    Told {
        id: "A1".into(),
        guarantee: "serializable",
        anomaly: "G2-item",
        keys: vec!["x".into(), "y".into()],
        story: "Two transactions missed each other's writes.".into(),
        brief: String::new(),
        rows: vec![
            row(1, "c0 → A", what, "nothing, OK"),
            row(2, "c1 → B", "reads y, writes x = 1", "nothing, OK"),
        ],
        edges: vec![edge(1, 2), edge(2, 1)],
        conclusion: "So each comes before the other.".into(),
        certainty: Certainty::Certain(String::new()),
        weight: 1,
        finding: None,
    }
}

#[test]
fn what_clients_wrote_cannot_leave_its_place() {
    let told = skew("writes x = \"</text><script>\" \\");
    let graph = Graph::of(&told);
    assert!(!svg(&graph).contains("<script"), "{}", svg(&graph));
    assert!(dot(&graph).contains(r#"\"</text><script>\" \\"#), "{}", dot(&graph));
}

#[test]
fn no_two_labels_and_no_two_boxes_meet() {
    let mut told = skew("reads x, writes y = 1");
    for (from, to) in [(1, 2), (1, 2), (2, 1)] {
        told.edges.push(ToldEdge { from, to, kind: EdgeKind::WriteRead, because: String::new() });
    }
    let drawn = svg(&Graph::of(&told));
    let numbers = |class: &str| -> Vec<[i64; 4]> {
        let mark = format!("<rect class=\"{class}\"");
        let rects = drawn.split(&mark).skip(1).map(|rest| rest.split("/>").next().unwrap_or_default());
        let value = |rect: &str, name: &str| -> i64 {
            let at = format!(" {name}=\"");
            let text = rect.split(&at).nth(1).and_then(|rest| rest.split('"').next());
            text.and_then(|text| text.parse().ok()).unwrap_or(-1)
        };
        rects.map(|rect| ["x", "y", "width", "height"].map(|name| value(rect, name))).collect()
    };
    let all = [numbers("box"), numbers("pill")].concat();
    assert_eq!(all.len(), 7);
    for (place, one) in all.iter().enumerate() {
        for other in &all[..place] {
            let apart =
                |at: usize| one[at] + one[at + 2] <= other[at] || other[at] + other[at + 2] <= one[at];
            assert!(apart(0) || apart(1), "{one:?} and {other:?}");
        }
    }
}

#[test]
fn graphviz_gets_a_cluster_a_client_and_every_edge() {
    let told = skew("reads x, writes y = 1");
    let text = dot(&Graph::of(&told));
    assert!(text.contains("subgraph cluster_1") && !text.contains("subgraph cluster_2"), "{text}");
    assert!(text.contains("n1 -> n2 [label=\"rw\"") && text.contains("n2 -> n1 [label=\"rw\""), "{text}");
}
