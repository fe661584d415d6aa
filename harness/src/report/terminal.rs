//! The verdict in a terminal, in fixed order: verdict, context, table, one story, its proof, how
//! certain it is, the rest in one line each, what to do next, exit code.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use checkers::wording::{grouped, listed};
use checkers::{Certainty, Judgement};
use tabled::builder::Builder;
use tabled::settings::Style as TableStyle;

use super::model::{GuaranteeRow, Report, State, StoryRow, Told};
use super::style::{Paint, Style};

/// How much of a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Only the verdict's first line, and the exit code.
    pub(crate) brief: bool,
    /// Every finding in full instead of the simplest.
    pub(crate) all: bool,
}

/// Where the run is kept, and the commands that go on from there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    /// Label and text, such as `report` and a path.
    pub(crate) lines: Vec<(&'static str, String)>,
    /// More text before the labels: sentences of their own.
    pub(crate) remarks: Vec<String>,
}

/// Findings that are listed in one line each under the story.
const BRIEF_FINDINGS_MAX: usize = 2;
/// Under this many columns the table becomes records.
const TABLE_WIDTH_MIN: usize = 60;

/// The whole verdict as text, ending in a line break.
pub(crate) fn render(report: &Report, links: &Links, style: Style, extent: Extent) -> String {
    let mut out = String::new();
    verdict_line(&mut out, report, style);
    if extent.brief {
        return out;
    }
    paragraph(&mut out, "  ", &style.draw(&report.context), style, Some(Paint::Faint));
    out.push('\n');
    guarantees(&mut out, &report.guarantees, style);
    standing(&mut out, report, style);
    let untold = findings(&mut out, report, style, extent);
    if !untold.is_empty() {
        out.push('\n');
        untold.iter().for_each(|line| paragraph(&mut out, "    ", line, style, None));
    }
    let remarks: Vec<&String> = report.advice.iter().chain(&report.notes).chain(&links.remarks).collect();
    if !remarks.is_empty() {
        out.push('\n');
        remarks.into_iter().for_each(|remark| paragraph(&mut out, "  ", &style.draw(remark), style, None));
    }
    out.push('\n');
    footer(&mut out, report, links, style);
    out
}

fn verdict_line(out: &mut String, report: &Report, style: Style) {
    let (paint, glyph, word) = match report.state {
        State::Broken => (Paint::Bad, "✗", "BROKEN"),
        State::Held => (Paint::Good, "✓", "HELD"),
        State::Indeterminate => (Paint::Unsure, "?", "INDETERMINATE"),
    };
    let mark = style.paint(paint, &format!("{} {word}", style.draw(glyph)));
    let indent = console::measure_text_width(&mark) + 2;
    let headline = style.draw(&report.headline);
    let wrapped = textwrap::wrap(&headline, style.width.saturating_sub(indent).max(20));
    let _ =
        writeln!(out, "{mark}  {}", style.paint(Paint::Strong, &wrapped.join(&format!("\n{:indent$}", ""))));
}

fn paragraph(out: &mut String, indent: &str, text: &str, style: Style, paint: Option<Paint>) {
    for line in textwrap::wrap(text, style.width.saturating_sub(indent.len()).max(20)) {
        let line = paint.map_or_else(|| line.to_string(), |paint| style.paint(paint, &line));
        let _ = writeln!(out, "{indent}{line}");
    }
}

fn guarantees(out: &mut String, rows: &[GuaranteeRow], style: Style) {
    let (folded, rows): (Vec<&GuaranteeRow>, Vec<&GuaranteeRow>) =
        rows.iter().partition(|row| row.follows_from.is_some());
    if style.width < TABLE_WIDTH_MIN {
        rows.iter().for_each(|row| record(out, row, style));
    } else {
        table(out, &rows, style);
    }
    follow(out, &folded, style);
}

/// Guarantees that are broken only because they imply a broken one: a line for each such.
fn follow(out: &mut String, folded: &[&GuaranteeRow], style: Style) {
    let mut by_cause: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in folded {
        by_cause.entry(row.follows_from.unwrap_or_default()).or_default().push(row.guarantee);
    }
    for (cause, names) in by_cause {
        paragraph(out, "  ", &format!("broken with {cause}   {}", names.join(", ")), style, None);
    }
}

fn table(out: &mut String, rows: &[&GuaranteeRow], style: Style) {
    let last = if rows.iter().all(|row| matches!(row.observed, Judgement::NotJudged { .. })) {
        "why"
    } else {
        "put to the test by"
    };
    let fixed: [usize; 3] = [
        rows.iter().map(|row| row.guarantee.len()).max().unwrap_or(0).max(9),
        8,
        rows.iter().map(|row| console::measure_text_width(&observed(row, style))).max().unwrap_or(0).max(8),
    ];
    // Borders and padding take 13 columns of a table with four.
    let rest = style.width.saturating_sub(fixed.iter().sum::<usize>() + 13).max(16);
    let mut table = Builder::default();
    table.push_record(["guarantee", "expected", "observed", last]);
    for row in rows {
        // Wrapped here: tabled would leave a space at the start of a continued line.
        let tested_by = textwrap::wrap(&style.draw(&row.tested_by), rest).join("\n");
        table.push_record([
            row.guarantee.to_string(),
            row.expected.to_string(),
            observed(row, style),
            tested_by,
        ]);
    }
    let mut table = table.build();
    if style.unicode {
        table.with(TableStyle::rounded());
    } else {
        table.with(TableStyle::ascii_rounded());
    }
    let _ = writeln!(out, "{table}");
}

/// What was not put to the test, and where the record stands among the guarantees.
fn standing(out: &mut String, report: &Report, style: Style) {
    if !report.untested.is_empty() {
        let names = report.untested.join(", ");
        paragraph(out, "  ", &format!("not put to the test   {names}"), style, Some(Paint::Faint));
    }
    let Some(standing) = &report.standing else { return };
    if !standing.ruled_out.is_empty() {
        let names = listed(&standing.ruled_out);
        paragraph(out, "  ", &format!("ruled out   {names}, and all that is stronger"), style, None);
    }
    let left = match standing.left.as_slice() {
        [] => "nothing of isolation".into(),
        left => listed(left),
    };
    paragraph(out, "  ", &format!("strongest not ruled out   {left}"), style, None);
}

fn record(out: &mut String, row: &GuaranteeRow, style: Style) {
    let _ = writeln!(out, "{}  {}", observed(row, style), style.paint(Paint::Strong, row.guarantee));
    paragraph(out, "    ", &format!("expected: {}", row.expected), style, Some(Paint::Faint));
    paragraph(out, "    ", &style.draw(&row.tested_by), style, None);
}

fn observed(row: &GuaranteeRow, style: Style) -> String {
    let (paint, glyph, word) = style.judgement(&row.observed);
    let times = match row.observed {
        Judgement::Broken => style.draw(&format!(" ×{}", grouped(row.count))),
        _ => String::new(),
    };
    style.paint(paint, &format!("{glyph} {word}{times}"))
}

/// Prints the stories; says what is left untold.
fn findings(out: &mut String, report: &Report, style: Style, extent: Extent) -> Vec<String> {
    let told = if extent.all { report.findings.len() } else { 1.min(report.findings.len()) };
    for finding in &report.findings[..told] {
        out.push('\n');
        let like = report.findings.iter().filter(|other| other.guarantee == finding.guarantee).count();
        story(out, finding, like, extent, style);
    }
    let rest = &report.findings[told..];
    let Some(first) = report.findings.first() else { return Vec::new() };
    let same: Vec<&Told> = rest.iter().filter(|finding| finding.guarantee == first.guarantee).collect();
    let mut lines: Vec<String> = same
        .iter()
        .take(BRIEF_FINDINGS_MAX)
        .map(|finding| style.draw(&format!("{}  {}  {}", finding.id, finding.keys.join(" "), finding.brief)))
        .collect();
    if same.len() > BRIEF_FINDINGS_MAX {
        let more = grouped((same.len() - BRIEF_FINDINGS_MAX) as u64);
        lines.push(format!("{more} more of the same kind"));
    }
    for row in report.guarantees.iter().filter(|row| row.guarantee != first.guarantee && row.count > 0) {
        if let Some(finding) = rest.iter().find(|finding| finding.guarantee == row.guarantee) {
            lines.push(style.draw(&format!("{}  {}  {}", finding.id, row.guarantee, finding.brief)));
        }
    }
    lines
}

fn story(out: &mut String, finding: &Told, like: usize, extent: Extent, style: Style) {
    let title = crate::explain::render::title(finding.anomaly);
    let keys = if finding.keys.len() == 1 { "key" } else { "keys" };
    let choice = if like > 1 && !extent.all {
        format!(", the simplest of {}", grouped(like as u64))
    } else {
        String::new()
    };
    let title = style.paint(Paint::Strong, &format!("{}  {title}", finding.id));
    let line = format!("{title}  {keys} {}{choice}", style.draw(&finding.keys.join(" → ")));
    let more = format!("more: rashomon explain {}", finding.anomaly);
    // At the end of the line if there is room, else in one of its own.
    let room = style.width.saturating_sub(console::measure_text_width(&line) + more.len());
    let gap = if room >= 2 { format!("{:room$}", "") } else { "\n    ".into() };
    let _ = writeln!(out, "{line}{gap}{}\n", style.paint(Paint::Faint, &more));
    paragraph(out, "    ", &style.draw(&finding.story), style, None);
    out.push('\n');
    story_table(out, &finding.rows, style);
    let _ = writeln!(out, "\n    Why this breaks {}", finding.guarantee);
    for edge in &finding.edges {
        let arrow = style.draw(&format!("{} ──{}──▶ {}   ", edge.from, edge.kind.as_str(), edge.to));
        let indent = console::measure_text_width(&arrow) + 6;
        let wrapped = textwrap::wrap(&edge.because, style.width.saturating_sub(indent).max(20));
        let lines: Vec<String> = wrapped.iter().map(|line| style.draw(line)).collect();
        let _ = writeln!(out, "      {arrow}{}", lines.join(&format!("\n{:indent$}", "")));
    }
    paragraph(out, "      ", &style.draw(&finding.conclusion), style, None);
    out.push('\n');
    let (word, why) = match &finding.certainty {
        Certainty::Certain(why) => ("Certain", why),
        Certainty::Likely(why) => ("Likely", why),
    };
    paragraph(out, "    ", &style.draw(&format!("{word}: {why}")), style, None);
}

fn story_table(out: &mut String, rows: &[StoryRow], style: Style) {
    let widest = |cell: fn(&StoryRow) -> &str, least: usize| {
        rows.iter().map(|row| console::measure_text_width(cell(row))).max().unwrap_or(0).max(least)
    };
    let (who, what, answer) =
        (widest(|row| &row.who, 3), widest(|row| &row.what, 4), widest(|row| &row.answer, 6));
    let what = what.min(style.width.saturating_sub(who + 36).max(24));
    let answer = answer.min(style.width.saturating_sub(who + what + 26).max(12));
    let head = format!("      {:<10}  {}  {}  {}", "time", pad("who", who), pad("what", what), "answer");
    let _ = writeln!(out, "{}", style.paint(Paint::Faint, head.trim_end()));
    for row in rows {
        let number = row.number.map_or_else(|| " ".to_string(), |number| number.to_string());
        let cells = format!(
            "{:>4}  {:<10}  {}  {}  {}",
            number,
            row.time.to_string(),
            pad(&style.draw(&row.who), who),
            pad(&shorten(&style.draw(&row.what), what), what),
            pad(&shorten(&style.draw(&row.answer), answer), answer),
        );
        let paint = if row.number.is_some() { None } else { Some(Paint::Unsure) };
        let cells =
            paint.map_or_else(|| cells.trim_end().to_string(), |paint| style.paint(paint, cells.trim_end()));
        if row.remark.is_empty() {
            let _ = writeln!(out, "{cells}");
            continue;
        }
        let remark = style.draw(&format!("◀ {}", row.remark));
        let room = style.width.saturating_sub(console::measure_text_width(&cells) + 2);
        if console::measure_text_width(&remark) <= room {
            let _ = writeln!(out, "{cells}  {}", style.paint(Paint::Bad, &remark));
        } else {
            let _ = writeln!(out, "{cells}\n                  {}", style.paint(Paint::Bad, &remark));
        }
    }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(console::measure_text_width(text));
    format!("{text}{:missing$}", "")
}

fn shorten(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

fn footer(out: &mut String, report: &Report, links: &Links, style: Style) {
    let exit = format!("exit code {}{}", report.exit_code, report.exit_note);
    for (label, text) in &links.lines {
        let _ = writeln!(out, "  {} {text}", style.paint(Paint::Faint, &format!("{label:<8}")));
    }
    let _ = writeln!(out, "  {exit}");
}
