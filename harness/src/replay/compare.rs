//! Whether a simulated run repeats: line by line, to the byte.
//!
//! ```text
//!   the replay differs from run 20260821-141207-7f3a at line 812
//!     recorded  …"session":3,"ok":[{"version":"A:7"}]}
//!     replayed  …"session":3,"ok":[{"version":"A:8"}]}
//! ```

use histories::format::jsonl;
use histories::{Outcome, Reason};

use crate::exit::{Exit, Stop};
use crate::run::{Prepared, StopSignal};
use crate::sim::simulate;

/// How much of a long line is shown.
const SHOWN: usize = 140;
/// How much of that comes before the difference.
const BEFORE: usize = 60;

/// The history that the plan makes, as it would be on the disk; none if it was stopped.
pub(super) fn bytes(prepared: &Prepared, stop: &StopSignal) -> Result<Option<Vec<u8>>, Stop> {
    let mut bytes = Vec::new();
    let mut written = jsonl::write_header(&mut bytes, &prepared.header);
    let mut record = |event| {
        if written.is_ok() {
            written = jsonl::write_event(&mut bytes, &event);
        }
    };
    simulate(prepared.scenario(), &mut record, &|| stop.reason().is_some());
    written.map_err(anyhow::Error::from)?;
    Ok(stop.reason().is_none().then_some(bytes))
}

/// Complains about the first line that differs: a bug of ours, unless the record is not whole.
pub(super) fn demand_equal(name: &str, recorded: &[u8], now: &[u8]) -> Result<(), Stop> {
    let Some(difference) = difference(&String::from_utf8_lossy(recorded), &String::from_utf8_lossy(now))
    else {
        return Ok(());
    };
    if was_stopped(recorded) {
        return Err(Stop::data(format!(
            "{name} was stopped before its end, so there is no whole history to compare with; judge it with  rashomon check"
        )));
    }
    let Difference { line, recorded, now } = difference;
    let hint = if line == 1 { " (the header names the version of rashomon)" } else { "" };
    let error = anyhow::anyhow!(
        "the replay differs from {name} at line {line}{hint}\n  recorded  {recorded}\n  replayed  {now}"
    );
    Err(Stop { exit: Exit::Internal, error })
}

/// True if a call was left behind: only a run that is stopped does that.
fn was_stopped(recorded: &[u8]) -> bool {
    let unanswered = Outcome::Unknown(Reason::UNANSWERED);
    histories::format::read(recorded).is_ok_and(|reading| {
        reading.history.operations().iter().any(|operation| operation.outcome == unanswered)
    })
}

/// Two lines at one place.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    /// From 1.
    line: usize,
    recorded: String,
    now: String,
}

fn difference(recorded: &str, now: &str) -> Option<Difference> {
    if recorded == now {
        return None;
    }
    let (mut recorded, mut now) = (recorded.lines(), now.lines());
    let mut number = 0;
    loop {
        number += 1;
        let (one, other) = (recorded.next(), now.next());
        if one != other || one.is_none() {
            const END: &str = "(the history ends)";
            let (one, other) = (one.unwrap_or(END), other.unwrap_or(END));
            let from = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
            return Some(Difference {
                line: number,
                recorded: shortened(one, from),
                now: shortened(other, from),
            });
        }
    }
}

/// The part of a line around its character `at`.
fn shortened(line: &str, at: usize) -> String {
    let length = line.chars().count();
    if length <= SHOWN {
        return line.to_string();
    }
    let from = at.saturating_sub(BEFORE).min(length - SHOWN);
    let part: String = line.chars().skip(from).take(SHOWN).collect();
    let (before, after) = (if from > 0 { "…" } else { "" }, if from + SHOWN < length { "…" } else { "" });
    format!("{before}{part}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_line_is_named_and_shortened_around_the_difference() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        let found = difference("a\nb\nc\n", "a\nx\nc\n").unwrap();
        assert_eq!(found, Difference { line: 2, recorded: "b".into(), now: "x".into() });
        let found = difference("a\nb\n", "a\n").unwrap();
        assert_eq!((found.line, found.now.as_str()), (2, "(the history ends)"));
        let (one, other) = (format!("{}1{}", "-".repeat(500), "-".repeat(500)), "-".repeat(1001));
        let found = difference(&one, &other).unwrap();
        assert_eq!(found.recorded.chars().count(), SHOWN + 2);
        assert!(found.recorded.contains("-1-") && !found.now.contains('1'), "{found:?}");
    }
}
