//! The frame: what is shown right now, in at most eight lines that never wrap.
//!
//! ```text
//! run  cart-nightly · reference:lww ×3 · seed 7f3a91c2 ━━━━━━━━━━━━━━━━━━╸─────────── 18.4 / 30.0 s
//! ops      601/s  ▆▆▇▆▇▇▆▇▆▆▇▆▇▇▆▇▆▇   11 062 ok   0 failed   0 unknown
//! latency  p50 2.1 ms   p99 19 ms   max 49 ms
//! faults   ──────────▒▒▒▒▒▒▒▒▒░┄┄┄┄┄┄┄┄┄┄   partition A | B C for 8.4 s, heals in 1.6 s
//! nodes    A ◐ 300/s   B ● 120/s   C ● 181/s          ● up  ◐ cut off  ○ down
//! suspects 31  keys changed on both sides; first k17 (412 on A only, 434 on B only)
//! Ctrl-C: stop here and check what was recorded
//! ```

use checkers::wording::grouped;
use histories::{Nanos, NodeName};

use super::Snapshot;

/// What stays the same, or changes with a fault or a phase.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    /// `cart-nightly · reference:lww ×3 · seed 7f3a91c2`.
    pub(crate) title: String,
    /// How long the load lasts.
    pub(crate) duration: Nanos,
    /// What comes after the load, such as `settling`; empty while it lasts.
    pub(crate) phase: String,
    pub(crate) nodes: Vec<(NodeName, NodeGlyph)>,
    /// Faults as planned: from, to, name and summary.
    pub(crate) faults: Vec<(Nanos, Nanos, String)>,
}

/// How a node looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum NodeGlyph {
    #[default]
    Up,
    CutOff,
    Down,
}

const TIMELINE: usize = 30;

/// The lines of the frame, each at most `width` columns.
pub(crate) fn frame(scene: &Scene, snapshot: &Snapshot, width: usize, color: bool) -> Vec<String> {
    let wide = width >= 80;
    let mut lines = vec![title(scene, snapshot, width, color), ops(snapshot, wide), latency(snapshot)];
    if !scene.faults.is_empty() {
        lines.push(faults(scene, snapshot));
    }
    if wide {
        lines.push(nodes(scene, snapshot));
        lines.extend(suspects(scene, snapshot));
    }
    lines.push("Ctrl-C: stop here and check what was recorded".into());
    lines.iter().map(|line| console::truncate_str(line, width, "…").into_owned()).collect()
}

fn title(scene: &Scene, snapshot: &Snapshot, width: usize, color: bool) -> String {
    let (now, all) = (snapshot.elapsed.as_secs_f64(), scene.duration.as_secs_f64());
    let time = if scene.phase.is_empty() {
        format!("{:.1} / {all:.1} s", now.min(all))
    } else {
        format!("{} {now:.1} s", scene.phase)
    };
    let head = format!("run  {}", scene.title);
    let amber = color && scene.faults.iter().any(|fault| is_active(fault, snapshot.elapsed));
    let paint = |bar: String| if amber { format!("\u{1b}[33m{bar}\u{1b}[0m") } else { bar };
    bar_between(&head, now / all.max(0.001), &time, width, paint)
}

/// `hunt  cart ━━━━━━━━╸─────── 18.4 / 60.0 s`: a bar in what is left of the line, if enough is.
pub(crate) fn titled_bar(head: &str, done: f64, tail: &str, width: usize) -> String {
    bar_between(head, done, tail, width, |bar| bar)
}

fn bar_between(head: &str, done: f64, tail: &str, width: usize, paint: impl Fn(String) -> String) -> String {
    let room = width.saturating_sub(console::measure_text_width(head) + tail.len() + 2);
    if room < 8 {
        return format!("{head} {tail}");
    }
    let bar = match (done.clamp(0.0, 1.0) * room as f64) as usize {
        0 => "─".repeat(room),
        done => format!("{}╸{}", "━".repeat(done - 1), "─".repeat(room - done)),
    };
    format!("{head} {} {tail}", paint(bar))
}

fn is_active((from, to, _): &(Nanos, Nanos, String), now: Nanos) -> bool {
    *from <= now && now < *to
}

fn ops(snapshot: &Snapshot, wide: bool) -> String {
    let rate = snapshot.rates.last().copied().unwrap_or(0);
    let spark = if wide { format!("  {}", sparkline(&snapshot.rates)) } else { String::new() };
    format!(
        "ops      {}/s{spark}   {} ok   {} failed   {} unknown",
        grouped(rate),
        grouped(snapshot.ok),
        grouped(snapshot.failed),
        grouped(snapshot.unknown)
    )
}

fn sparkline(rates: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = rates.iter().copied().max().unwrap_or(0).max(1);
    rates.iter().map(|rate| BARS[usize::try_from(rate * 7 / most).unwrap_or(7)]).collect()
}

fn latency(snapshot: &Snapshot) -> String {
    let [p50, p99, max] = snapshot.latency_ms.map(millis);
    format!("latency  p50 {p50}   p99 {p99}   max {max}")
}

pub(super) fn millis(millis: f64) -> String {
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

fn faults(scene: &Scene, snapshot: &Snapshot) -> String {
    let cell = |index: usize| {
        let at = Nanos(scene.duration.0 / TIMELINE as u64 * index as u64);
        let active = scene.faults.iter().any(|fault| is_active(fault, at));
        match (at <= snapshot.elapsed, active) {
            (true, true) => '▒',
            (true, false) => '─',
            (false, true) => '░',
            (false, false) => '┄',
        }
    };
    let timeline: String = (0..TIMELINE).map(cell).collect();
    let now = snapshot.elapsed;
    let seconds = |span: Nanos| format!("{:.1} s", span.as_secs_f64());
    let active = scene.faults.iter().find(|fault| is_active(fault, now));
    let next = scene.faults.iter().filter(|(from, ..)| *from > now).min_by_key(|(from, ..)| *from);
    let text = match (active, next) {
        (Some((from, to, name)), _) => {
            format!("{name} for {}, heals in {}", seconds(now.since(*from)), seconds(to.since(now)))
        }
        (None, Some((from, _, name))) => format!("{name} in {}", seconds(from.since(now))),
        (None, None) => "all healed".into(),
    };
    format!("faults   {timeline}   {text}")
}

fn nodes(scene: &Scene, snapshot: &Snapshot) -> String {
    let cells: Vec<String> = scene
        .nodes
        .iter()
        .zip(&snapshot.nodes)
        .map(|((name, glyph), rate)| {
            let glyph = match glyph {
                NodeGlyph::Up => '●',
                NodeGlyph::CutOff => '◐',
                NodeGlyph::Down => '○',
            };
            format!("{name} {glyph} {}/s", grouped(*rate))
        })
        .collect();
    format!("nodes    {}          ● up  ◐ cut off  ○ down", cells.join("   "))
}

fn suspects(scene: &Scene, snapshot: &Snapshot) -> Option<String> {
    let first = snapshot.first_suspect.as_ref()?;
    let name = |node: usize| scene.nodes.get(node).map_or("?", |(name, _)| name.as_str());
    let [(a, left), (b, right)] = &first.sides;
    Some(format!(
        "suspects {}  keys changed on both sides; first {} ({left} on {} only, {right} on {} only)",
        grouped(snapshot.suspects as u64),
        first.key,
        name(*a),
        name(*b)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::stats::Suspect;
    use expect_test::{Expect, expect};

    fn check(width: usize, expected: Expect) {
        let second = |seconds: u64| Nanos(seconds * 1_000_000_000);
        let scene = Scene {
            title: "cart · reference:lww ×3 · seed 7f3a91c2".into(),
            duration: second(30),
            phase: String::new(),
            nodes: vec![
                ("A".into(), NodeGlyph::CutOff),
                ("B".into(), NodeGlyph::Up),
                ("C".into(), NodeGlyph::Down),
            ],
            faults: vec![(second(10), second(20), "partition A | B C".into())],
        };
        let snapshot = Snapshot {
            elapsed: Nanos(18_400_000_000),
            ok: 11_062,
            failed: 3,
            unknown: 0,
            rates: vec![300, 601, 590, 601],
            nodes: vec![300, 120, 0],
            latency_ms: [2.1, 19.3, 49.0],
            suspects: 31,
            first_suspect: Some(Suspect { key: "k17".into(), sides: [(0, "412".into()), (1, "434".into())] }),
        };
        let mut text = frame(&scene, &snapshot, width, false).join("\n");
        text.push('\n');
        for line in text.lines() {
            assert!(console::measure_text_width(line) <= width, "{line:?} is too wide");
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        check(
            100,
            expect![[r#"
            run  cart · reference:lww ×3 · seed 7f3a91c2 ━━━━━━━━━━━━━━━━━━━━━━━━╸──────────────── 18.4 / 30.0 s
            ops      601/s  ▄█▇█   11 062 ok   3 failed   0 unknown
            latency  p50 2.1 ms   p99 19 ms   max 49 ms
            faults   ──────────▒▒▒▒▒▒▒▒▒░┄┄┄┄┄┄┄┄┄┄   partition A | B C for 8.4 s, heals in 1.6 s
            nodes    A ◐ 300/s   B ● 120/s   C ○ 0/s          ● up  ◐ cut off  ○ down
            suspects 31  keys changed on both sides; first k17 (412 on A only, 434 on B only)
            Ctrl-C: stop here and check what was recorded
        "#]],
        );
    }

    #[test]
    fn a_narrow_terminal_drops_what_matters_least() {
        check(
            60,
            expect![[r#"
            run  cart · reference:lww ×3 · seed 7f3a91c2 18.4 / 30.0 s
            ops      601/s   11 062 ok   3 failed   0 unknown
            latency  p50 2.1 ms   p99 19 ms   max 49 ms
            faults   ──────────▒▒▒▒▒▒▒▒▒░┄┄┄┄┄┄┄┄┄┄   partition A | B C…
            Ctrl-C: stop here and check what was recorded
        "#]],
        );
    }
}
