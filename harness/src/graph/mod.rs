//! A finding as a graph: operations as nodes, what must come before what as edges.
//!
//! ```text
//!      c0             c1
//!   ╭────────╮
//!   │ 1 write├──────────────┬─ wr ─╮
//!   ╰────────╯  ╭────────╮  │      │
//!               │ 2 read │◀─┼──────╯
//!               ╰────────╯ ...
//! ```
//!
//! As text for Graphviz (`dot.rs`), and drawn by ourselves (`svg.rs`), so that nobody needs Graphviz.

mod dot;
mod svg;

pub(crate) use dot::dot;
pub(crate) use svg::svg;

use crate::report::model::{StoryRow, Told};

/// What both forms draw.
pub(crate) struct Graph<'t> {
    /// `G2-item: serializable does not hold`.
    title: String,
    /// The operations, in the order of time.
    nodes: Vec<&'t StoryRow>,
    told: &'t Told,
}

impl<'t> Graph<'t> {
    /// The graph of a finding.
    pub(crate) fn of(told: &'t Told) -> Self {
        let title = format!("{}: {} does not hold", told.anomaly, told.guarantee);
        let nodes = told.rows.iter().filter(|row| row.number.is_some()).collect();
        Self { title, nodes, told }
    }

    /// The lanes: each client once, in the order in which they come.
    fn lanes(&self) -> Vec<&'t str> {
        let mut lanes: Vec<&str> = Vec::new();
        for node in &self.nodes {
            let lane = lane_of(node);
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        lanes
    }
}

/// The client of a row; `c3` of `c3 → A`.
fn lane_of(row: &StoryRow) -> &str {
    row.who.split(" → ").next().unwrap_or(&row.who)
}

#[cfg(test)]
mod tests;
