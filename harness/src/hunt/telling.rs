//! What a hunt says at its end: a table of guarantees, a table of findings, and for each of these the command that
//! shows it again.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use checkers::wording::{counted, grouped};
use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::Style as TableStyle;

use super::frame::hours;
use super::stored::Stored;
use super::tally::{Found, Line, Tally};
use crate::cli::{Format, Session};
use crate::exit::{Exit, Stop};
use crate::report::style::{Paint, Style};

/// `✗ BROKEN  120 seeds, no-lost-updates: lost-update in 31`
pub(super) fn summary(tally: &Tally) -> String {
    let found = |found: &Found| {
        let print = &found.fingerprint;
        format!("{}: {} in {}", print.guarantee, print.anomaly, grouped(found.seeds.into()))
    };
    let seeds = counted(tally.seeds.into(), "seed", "seeds");
    let found: Vec<String> = std::iter::once(seeds).chain(tally.found.iter().map(found)).collect();
    format!("{}  {}", word(tally.exit()), found.join(", "))
}

fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Broken => "✗ BROKEN",
        Exit::Met => "✓ HELD",
        _ => "? INDETERMINATE",
    }
}

/// The tally as data.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    version: u32,
    /// What `--resume` calls it.
    hunt: &'a str,
    exit_code: u8,
    /// How long it took, in seconds, over all the times that it went on.
    seconds: f64,
    #[serde(flatten)]
    tally: &'a Tally,
    /// For each kind of finding the command that shows it again.
    commands: Vec<String>,
}

/// Prints what came of the hunt, in the form that was asked for.
pub(super) fn print(session: &Session, stored: &Stored, exit: Exit) -> Result<(), Stop> {
    if session.quiet > 1 {
        return Ok(());
    }
    let (state, tally) = (&stored.state, &stored.state.tally);
    let commands: Vec<String> = tally.found.iter().map(|found| command(&state.words, &found.seed)).collect();
    let (version, exit_code, seconds) = (1, exit.code(), state.elapsed.as_secs_f64());
    let text = match session.format {
        Format::Text => text(session, stored, &commands, exit),
        Format::Json | Format::Ndjson => {
            let document = Document { version, hunt: &stored.id, exit_code, seconds, tally, commands };
            serde_json::to_string(&document).map_err(anyhow::Error::from)? + "\n"
        }
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader who has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output").map_err(Stop::cannot_write),
    }
}

/// The command that plays a seed again.
pub(super) fn command(words: &[String], seed: &str) -> String {
    let mut command = vec!["rashomon".to_string(), "run".to_string()];
    command.extend(words.iter().map(|word| quoted(word)));
    command.extend(["--world", "sim", "--seed", seed].map(str::to_string));
    command.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_=:,./%+@".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn text(session: &Session, stored: &Stored, commands: &[String], exit: Exit) -> String {
    let (style, tally, elapsed) = (session.style, &stored.state.tally, stored.state.elapsed.as_secs_f64());
    let mut out = headline(tally, exit, style);
    if session.quiet > 0 {
        return out;
    }
    let _ = writeln!(
        out,
        "  {} in {:.1} s, {:.1} a second · {:.2} simulated hours · {} · {}\n",
        counted(tally.seeds.into(), "seed", "seeds"),
        elapsed,
        f64::from(tally.seeds) / elapsed.max(1e-3),
        hours(tally.simulated),
        counted(tally.calls, "call", "calls"),
        counted(tally.chances(), "chance to break", "chances to break"),
    );
    let _ = writeln!(out, "{}", guarantees(tally, style));
    if !tally.found.is_empty() {
        let _ = writeln!(out, "\n{}", findings(&tally.found, tally.seeds, style));
        out.push_str("\n  Each is shown again by\n");
        for (number, command) in commands.iter().enumerate() {
            // Findings of one seed stand together, and are shown together.
            if commands[..number].contains(command) {
                continue;
            }
            let like = (number..commands.len()).filter(|other| commands[*other] == *command);
            let numbers: Vec<String> = like.clone().map(|other| (other + 1).to_string()).collect();
            let _ = writeln!(out, "  {:>2}  {command}", numbers.join(", "));
            if let Some(run) = like.filter_map(|other| tally.found[other].run.as_ref()).next() {
                let _ = writeln!(out, "      made small by  rashomon shrink {run}");
            }
        }
    }
    let untested = |(name, line): &(String, Line)| {
        (line.held + line.broken == 0 && !line.why.is_empty())
            .then(|| format!("  {name} was never judged: {}\n", line.why))
    };
    out.extend(tally.guarantees.iter().filter_map(untested));
    if tally.unequal > 0 {
        let _ = writeln!(
            out,
            "  In {} the nodes did not become equal in time.",
            counted(tally.unequal.into(), "seed", "seeds")
        );
    }
    let _ = writeln!(out, "\n  go on    rashomon hunt --resume {}", stored.id);
    let _ = writeln!(out, "  exit code {}", exit.code());
    out
}

fn headline(tally: &Tally, exit: Exit, style: Style) -> String {
    let paint = match exit {
        Exit::Broken => Paint::Bad,
        Exit::Met => Paint::Good,
        _ => Paint::Unsure,
    };
    let seeds = counted(tally.seeds.into(), "seed", "seeds");
    let expected = tally.found.iter().find(|found| found.expected != "watch" && exit == Exit::Broken);
    let what = match (expected, exit) {
        (Some(found), _) => {
            let print = &found.fingerprint;
            format!("{}, {}: first in seed {}, of {seeds}", print.guarantee, print.anomaly, found.seed)
        }
        (None, Exit::Broken) => format!("what was expected to break did not, in {seeds}"),
        (None, Exit::Met) => format!("every expected guarantee held in {seeds}"),
        (None, _) => format!("nothing was proved in {seeds}"),
    };
    format!("{}  {}\n", style.paint(paint, &style.draw(word(exit))), style.paint(Paint::Strong, &what))
}

fn guarantees(tally: &Tally, style: Style) -> String {
    let mut table = Builder::default();
    table.push_record(["guarantee", "expected", "held", "broken", "not judged", "chances"]);
    for (name, line) in &tally.guarantees {
        let count = |count: u32| if count == 0 { style.draw("–") } else { grouped(count.into()) };
        let broken = count(line.broken);
        table.push_record([
            name.to_string(),
            line.expected.to_string(),
            count(line.held),
            if line.broken > 0 { style.paint(Paint::Bad, &broken) } else { broken },
            count(line.not_judged),
            grouped(line.chances),
        ]);
    }
    shaped(table, style)
}

fn findings(found: &[Found], seeds: u32, style: Style) -> String {
    let mut table = Builder::default();
    table.push_record(["", "anomaly", "breaks", "faults", "seeds", "the first"]);
    // What is left of a line after borders, padding and the other columns, about.
    let rest = style.width.saturating_sub(78).max(16);
    for (index, found) in found.iter().enumerate() {
        let print = &found.fingerprint;
        table.push_record([
            (index + 1).to_string(),
            print.anomaly.to_string(),
            print.guarantee.to_string(),
            faults(found),
            format!("{} of {}", grouped(found.seeds.into()), grouped(seeds.into())),
            textwrap::wrap(&style.draw(&found.brief), rest).join("\n"),
        ]);
    }
    shaped(table, style)
}

/// How many kinds of fault a finding lists.
const KINDS: usize = 5;

/// What was in force meanwhile, the most frequent first: all that was in force each time, or `kill 30`.
fn faults(found: &Found) -> String {
    let mut kinds: Vec<(&String, &u32)> = found.faults.iter().collect();
    kinds.sort_by_key(|(_, seeds)| std::cmp::Reverse(**seeds));
    let mut lines: Vec<String> = kinds
        .iter()
        .take(KINDS)
        .map(|(kind, seeds)| match **seeds == found.seeds {
            true => kind.to_string(),
            false => format!("{kind} {}", grouped((**seeds).into())),
        })
        .collect();
    match kinds.len() {
        0 => lines.push("none".into()),
        all if all > KINDS => lines.push(format!("{} more", all - KINDS)),
        _ => {}
    }
    lines.join("\n")
}

fn shaped(table: Builder, style: Style) -> String {
    let mut table = table.build();
    if style.unicode {
        table.with(TableStyle::rounded())
    } else {
        table.with(TableStyle::ascii_rounded())
    };
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("reference:lww,nodes=5"), "reference:lww,nodes=5");
        assert_eq!(quoted("my plan's.toml"), r"'my plan'\''s.toml'");
        assert_eq!(quoted(""), "''");
    }
}
