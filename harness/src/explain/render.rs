//! A page in a terminal: title, words, the tiny history, remarks in two columns.

use std::fmt::Write as _;

use super::{Explained, anomalies, guarantees};
use crate::report::style::{Paint, Style};

/// Columns of a label.
const LABEL: usize = 16;

/// One name, explained.
pub(crate) fn page(explained: &Explained, style: Style) -> String {
    let mut out = String::new();
    let also = match explained.also_called {
        [] => explained.kind.to_string(),
        names => format!("{}, also called {}", explained.kind, names.join(", ")),
    };
    hang(&mut out, &format!("{}   ", style.paint(Paint::Strong, &title(explained.name))), &also, style);
    out.push('\n');
    for paragraph in &explained.paragraphs {
        wrap(&mut out, "  ", paragraph, style);
        out.push('\n');
    }
    explained.history.lines().for_each(|line| {
        let _ = writeln!(out, "      {}", style.draw(line));
    });
    let broken = format!("{} {}", style.draw("✗"), explained.broken);
    let _ = writeln!(out, "    {} is broken: {}\n", style.paint(Paint::Bad, &broken), explained.reported);
    for (label, text) in &explained.remarks {
        remark(&mut out, label, text, style);
    }
    remark(
        &mut out,
        "Try it",
        &format!("rashomon explain {} --history | rashomon check -", explained.name),
        style,
    );
    remark(&mut out, "Next", &format!("rashomon explain {}", explained.next.join(", ")), style);
    out
}

/// All names, each in one line where the terminal is wide enough.
pub(crate) fn list(style: Style) -> String {
    let mut out = String::new();
    let anomalies: Vec<_> = anomalies().collect();
    for (heading, entries) in [("Anomalies", anomalies), ("Guarantees", guarantees())] {
        let _ = writeln!(out, "{}", style.paint(Paint::Strong, heading));
        let widest = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, about) in entries {
            if style.width < widest + 40 {
                let _ = writeln!(out, "  {name}");
                wrap(&mut out, "      ", about, style);
            } else {
                hang(&mut out, &format!("  {name:<widest$}  "), about, style);
            }
        }
        out.push('\n');
    }
    wrap(&mut out, "", "rashomon explain NAME tells one of them, with a tiny history that shows it.", style);
    out
}

/// `LOST UPDATE`; the letters of Adya's names stay as they are.
pub(crate) fn title(name: &str) -> String {
    if name.starts_with('G') { name.to_string() } else { name.replace('-', " ").to_uppercase() }
}

fn remark(out: &mut String, label: &str, text: &str, style: Style) {
    let label = style.paint(Paint::Faint, &format!("{label:<w$}", w = LABEL - 2));
    hang(out, &format!("  {label}"), text, style);
}

fn wrap(out: &mut String, indent: &str, text: &str, style: Style) {
    for line in textwrap::wrap(&style.draw(text), style.width.saturating_sub(indent.len()).max(20)) {
        let _ = writeln!(out, "{indent}{line}");
    }
}

// The first line after `head`, the others below it.
fn hang(out: &mut String, head: &str, text: &str, style: Style) {
    let indent = console::measure_text_width(head);
    let options = textwrap::Options::new(style.width.saturating_sub(indent).max(20)).break_words(false);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    let drawn = style.draw(text);
    let lines = textwrap::wrap(&drawn, options);
    let _ = writeln!(out, "{head}{}", lines.join(&format!("\n{:indent$}", "")));
}
