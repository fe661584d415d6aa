//! The graph as a drawing: a lane a client, time downwards, a track of its own for each edge.
//!
//! ```text
//!     c0        c1          tracks, an edge each
//!   ╭────╮                  │     │
//!   │ 1  ├──────────────────┤     │
//!   ╰────╯   ╭────╮        wr    rw
//!            │ 2  │◀────────╯     │
//!            ╰────╯ ...
//! ```
//!
//! One operation a row, so what runs to the right of it meets no other; one edge a track, so no two labels
//! meet. Self-contained: no script, no font, no file; light or dark as the reader's system is.

use std::fmt::Write;

use super::{Graph, lane_of};

/// Lengths in pixels.
const BOX_WIDTH: usize = 264;
const BOX_HEIGHT: usize = 66;
const LANE_GAP: usize = 20;
const ROW_GAP: usize = 18;
const TRACK: usize = 40;
const MARGIN: usize = 20;
const TOP: usize = 66;
const LINE: usize = 18;
/// The width of a letter, at most: 12 pixels high, of equal width.
const LETTER_TENTHS: usize = 74;

const STYLE: &str = "
  svg { background: #ffffff }
  text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }
  .title { font-weight: bold }
  .quiet { fill: #59636e }
  .box { fill: #f6f8fa; stroke: #818b98 }
  .pill { fill: #ffffff }
  .edge { fill: none; stroke-width: 1.6 }
  .ww { stroke: #b3261e } .wr { stroke: #1a7f37 } .rw { stroke: #8250df; stroke-dasharray: 7 3 }
  .so { stroke: #59636e; stroke-dasharray: 2 3 } .rt { stroke: #0969da; stroke-dasharray: 9 3 2 3 }
  .tip { stroke: none } .tip.ww { fill: #b3261e } .tip.wr { fill: #1a7f37 } .tip.rw { fill: #8250df }
  .tip.so { fill: #59636e } .tip.rt { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #f0f6fc }
    .quiet { fill: #9198a1 }
    .box { fill: #151b23; stroke: #6e7681 }
    .pill { fill: #0d1117 }
    .ww { stroke: #ff7b72 } .wr { stroke: #3fb950 } .rw { stroke: #d2a8ff }
    .so { stroke: #9198a1 } .rt { stroke: #79c0ff }
    .tip.ww { fill: #ff7b72 } .tip.wr { fill: #3fb950 } .tip.rw { fill: #d2a8ff }
    .tip.so { fill: #9198a1 } .tip.rt { fill: #79c0ff }
  }
";

/// One edge: where it leaves and enters, and its track.
struct Route<'g> {
    kind: &'g str,
    from: (usize, usize),
    to: (usize, usize),
    track: usize,
}

/// The drawing.
pub(crate) fn svg(graph: &Graph<'_>) -> String {
    let lanes = graph.lanes();
    let routes = routes(graph, &lanes);
    let right = MARGIN + lanes.len() * (BOX_WIDTH + LANE_GAP);
    let width = (right + TRACK * (routes.len() + 1)).max(640) + MARGIN;
    let below = TOP + graph.nodes.len() * (BOX_HEIGHT + ROW_GAP);
    let said = said(graph, (width - 2 * MARGIN) * 10 / LETTER_TENTHS);
    let height = below + said.len() * LINE + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n",
        escaped(&graph.title)
    );
    text(&mut out, "title", (MARGIN, 28), &cut(&graph.title, (width - 2 * MARGIN) * 10 / LETTER_TENTHS));
    for (place, lane) in lanes.iter().enumerate() {
        text(&mut out, "quiet", (lane_x(place) + 10, TOP - 12), lane);
    }
    routes.iter().for_each(|route| draw(&mut out, route));
    boxes(&mut out, graph, &lanes);
    labels(&mut out, &routes);
    for (line, (class, words)) in said.iter().enumerate() {
        text(&mut out, class, (MARGIN, below + (line + 1) * LINE), words);
    }
    out.push_str("</svg>\n");
    out
}

fn lane_x(place: usize) -> usize {
    MARGIN + place * (BOX_WIDTH + LANE_GAP)
}

fn row_y(row: usize) -> usize {
    TOP + row * (BOX_HEIGHT + ROW_GAP)
}

fn routes<'g>(graph: &'g Graph<'_>, lanes: &[&str]) -> Vec<Route<'g>> {
    let edges = &graph.told.edges;
    let row_of = |number: usize| graph.nodes.iter().position(|node| node.number == Some(number));
    // Each end of each edge has a place of its own on the side of its box.
    let ends: Vec<usize> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    let port = |place: usize| -> Option<(usize, usize)> {
        let row = row_of(ends[place])?;
        let all = ends.iter().filter(|other| **other == ends[place]).count();
        let before = ends[..place].iter().filter(|other| **other == ends[place]).count();
        let lane = lanes.iter().position(|lane| *lane == lane_of(graph.nodes[row]))?;
        Some((lane_x(lane) + BOX_WIDTH, row_y(row) + BOX_HEIGHT * (before + 1) / (all + 1)))
    };
    let right = MARGIN + lanes.len() * (BOX_WIDTH + LANE_GAP);
    let route = |(place, edge): (usize, &'g crate::report::model::ToldEdge)| {
        let (from, to) = (port(2 * place)?, port(2 * place + 1)?);
        Some(Route { kind: edge.kind.as_str(), from, to, track: right + TRACK * place + TRACK / 2 })
    };
    edges.iter().enumerate().filter_map(route).collect()
}

fn draw(out: &mut String, route: &Route<'_>) {
    let Route { kind, from, to, track } = route;
    let _ = writeln!(
        out,
        "<path class=\"edge {kind}\" d=\"M{} {} H{track} V{} H{}\"/>",
        from.0,
        from.1,
        to.1,
        to.0 + 8
    );
    let (x, y) = *to;
    let _ = writeln!(
        out,
        "<path class=\"tip {kind}\" d=\"M{x} {y} l10 -5 v10 z\"/><circle class=\"tip {kind}\" cx=\"{}\" cy=\"{}\" r=\"2.5\"/>",
        from.0, from.1
    );
}

fn boxes(out: &mut String, graph: &Graph<'_>, lanes: &[&str]) {
    let room = (BOX_WIDTH - 20) * 10 / LETTER_TENTHS;
    for (row, node) in graph.nodes.iter().enumerate() {
        let lane = lanes.iter().position(|lane| *lane == lane_of(node)).unwrap_or_default();
        let (x, y) = (lane_x(lane), row_y(row));
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/>",
            escaped(&format!("{} {}: {}", node.who, node.what, node.answer))
        );
        let head = format!("{}  {}  {}", node.number.unwrap_or_default(), node.time, node.who);
        text(out, "quiet", (x + 10, y + 19), &cut(&head, room));
        text(out, "", (x + 10, y + 37), &cut(&node.what, room));
        text(out, "", (x + 10, y + 55), &cut(&node.answer, room));
        out.push_str("</g>\n");
    }
}

/// The kind of each edge, on its track where no other edge crosses, if there is such a place.
fn labels(out: &mut String, routes: &[Route<'_>]) {
    for route in routes {
        let (top, low) = (route.from.1.min(route.to.1), route.from.1.max(route.to.1));
        let middle = usize::midpoint(top, low);
        let crossings: Vec<usize> = routes.iter().flat_map(|other| [other.from.1, other.to.1]).collect();
        let is_free = |y: &usize| crossings.iter().all(|crossing| crossing.abs_diff(*y) > 9);
        let mut places: Vec<usize> = (top..=low).collect();
        places.sort_by_key(|y| y.abs_diff(middle));
        let y = places.into_iter().find(is_free).unwrap_or(middle);
        let _ = writeln!(
            out,
            "<rect class=\"pill\" x=\"{}\" y=\"{}\" width=\"22\" height=\"16\"/>",
            route.track - 11,
            y - 8
        );
        text(out, "", (route.track - 8, y + 4), route.kind);
    }
}

/// What the edges say, and what they come to, in lines of so many letters.
fn said(graph: &Graph<'_>, room: usize) -> Vec<(&'static str, String)> {
    let mut said = vec![("", String::new())];
    let mut say = |class: &'static str, words: &str| {
        for line in textwrap::wrap(words, textwrap::Options::new(room).subsequent_indent("    ")) {
            said.push((class, line.into_owned()));
        }
    };
    for edge in &graph.told.edges {
        say("", &format!("{} ──{}──▶ {}   {}", edge.from, edge.kind.as_str(), edge.to, edge.because));
    }
    say("", &graph.told.conclusion);
    say("quiet", &graph.told.story);
    said
}

fn text(out: &mut String, class: &str, (x, y): (usize, usize), words: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ =
        writeln!(out, "<text{class} x=\"{x}\" y=\"{y}\" xml:space=\"preserve\">{}</text>", escaped(words));
}

/// So many letters at most.
fn cut(words: &str, room: usize) -> String {
    match words.chars().count() <= room {
        true => words.into(),
        false => words.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn escaped(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
