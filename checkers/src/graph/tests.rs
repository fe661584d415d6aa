use super::*;
use crate::Budget;
use crate::EdgeKind::{ReadWrite, Session, WriteRead, WriteWrite};

const MILLION: u32 = 1_000_000;

fn graph(operations: u32, edges: impl IntoIterator<Item = (u32, EdgeKind, u32)>) -> DependencyGraph<()> {
    let mut graph = DependencyGraph::new(operations as usize);
    for (from, kind, to) in edges {
        graph.add(Dependency { from: OperationId(from), to: OperationId(to), kind, reason: () });
    }
    graph
}

fn cycle(graph: &DependencyGraph<()>, kinds: Option<&[EdgeKind]>) -> Option<String> {
    let components = graph.cyclic_components();
    let search = Search { within: components.first()?, kinds };
    let cycle = graph.shortest_cycle(search, &mut Budget::default())?;
    let mut text = cycle[0].from.0.to_string();
    for edge in cycle {
        text += &format!(" {} {}", edge.kind.as_str(), edge.to.0);
    }
    Some(text)
}

#[test]
fn a_graph_without_a_cycle_has_an_order() {
    let graph = graph(4, [(2, WriteWrite, 1), (1, WriteRead, 3), (2, Session, 3)]);
    assert!(graph.is_acyclic());
    let order = graph.order().unwrap();
    let place = |operation| order.iter().position(|at| *at == OperationId(operation));
    assert!(place(2) < place(1) && place(1) < place(3));
    assert!(graph.cyclic_components().is_empty());
}

#[test]
fn the_shortest_cycle_of_the_kinds_allowed_is_found() {
    let graph = graph(
        6,
        [
            (0, WriteWrite, 1),
            (1, WriteRead, 2),
            (2, WriteRead, 0),
            (2, Session, 3),
            (3, ReadWrite, 2),
            (4, WriteWrite, 5),
        ],
    );
    assert!(!graph.is_acyclic());
    assert_eq!(graph.cyclic_components(), [[0, 1, 2, 3].map(OperationId)]);
    assert_eq!(cycle(&graph, None).unwrap(), "2 so 3 rw 2");
    assert_eq!(cycle(&graph, Some(&[WriteWrite, WriteRead])).unwrap(), "0 ww 1 wr 2 wr 0");
    assert_eq!(cycle(&graph, Some(&[WriteWrite])), None);
}

#[test]
fn an_operation_before_itself_is_a_cycle() {
    let graph = graph(3, [(0, WriteRead, 1), (1, ReadWrite, 1)]);
    assert_eq!(cycle(&graph, None).unwrap(), "1 rw 1");
}

#[test]
fn a_search_without_budget_finds_nothing() {
    let graph = graph(2, [(0, WriteWrite, 1), (1, ReadWrite, 0)]);
    let search = Search { within: &[OperationId(0), OperationId(1)], kinds: None };
    assert!(graph.shortest_cycle(search, &mut Budget { steps: 1 }).is_none());
    assert!(graph.shortest_cycle(search, &mut Budget { steps: 2 }).is_some());
}

#[test]
fn a_chain_of_a_million_operations_overflows_nothing() {
    let graph = graph(MILLION, (1..MILLION).map(|to| (to - 1, Session, to)));
    assert!(graph.is_acyclic());
    assert!(graph.cyclic_components().is_empty());
}

#[test]
fn a_cycle_of_a_million_operations_overflows_nothing() {
    let graph = graph(MILLION, (0..MILLION).map(|from| (from, Session, (from + 1) % MILLION)));
    assert!(!graph.is_acyclic());
    let components = graph.cyclic_components();
    assert_eq!(components.iter().map(Vec::len).collect::<Vec<_>>(), [MILLION as usize]);
    let search = Search { within: &components[0], kinds: None };
    let cycle = graph.shortest_cycle(search, &mut Budget { steps: 2_000_000 }).unwrap();
    assert_eq!(cycle.len(), MILLION as usize);
}
