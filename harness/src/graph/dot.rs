//! The graph as text for Graphviz.

use std::fmt::Write;

use super::{Graph, lane_of};

/// `dot -Tsvg` and the like can read it.
pub(crate) fn dot(graph: &Graph<'_>) -> String {
    let mut out = String::from("digraph witness {\n");
    let _ = writeln!(out, "  label={};\n  labelloc=t;", quoted(&graph.title));
    out.push_str(
        "  node [shape=box, style=rounded, fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];\n",
    );
    for (index, lane) in graph.lanes().into_iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{index} {{\n    label={};", quoted(lane));
        for node in graph.nodes.iter().filter(|node| lane_of(node) == lane) {
            let number = node.number.unwrap_or_default();
            let text = format!("{number}  {}\n{}\n{}", node.time, node.what, node.answer);
            let _ = writeln!(out, "    n{number} [label={}];", quoted(&text));
        }
        out.push_str("  }\n");
    }
    for edge in &graph.told.edges {
        let (kind, because) = (edge.kind.as_str(), quoted(&edge.because));
        let _ =
            writeln!(out, "  n{} -> n{} [label={}, tooltip={because}];", edge.from, edge.to, quoted(kind));
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => quoted.push(' '),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
