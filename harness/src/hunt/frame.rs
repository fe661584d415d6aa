//! What a hunt shows while it lasts: a frame on a terminal, one line elsewhere.
//!
//! ```text
//! hunt  cart-nightly · reference:lww ×3 · seed 7f3a91c2 ━━━━━━━━━━━━╸─────────── 18.4 / 60.0 s
//! seeds    1 204   24.1/s   1 190 met   8 broken   6 not judged
//! world    1.20 simulated hours   432 100 calls   98 411 chances to break
//! found    no-lost-updates: lost-update in 8   convergence: divergence in 2
//! Ctrl-C: stop here; it goes on with  rashomon hunt --resume
//! ```

use checkers::wording::grouped;
use histories::Nanos;

use super::tally::{Found, Tally};
use crate::progress::titled_bar;

/// What stays the same while it lasts.
pub(super) struct Scene {
    /// `cart-nightly · reference:lww ×3 · seed 7f3a91c2`.
    pub(super) title: String,
    /// No more seeds than these.
    pub(super) seeds: u32,
    /// No new seed after this.
    pub(super) time: Option<Nanos>,
    /// Seeds that were counted before it went on.
    pub(super) before: u32,
}

impl Scene {
    /// Seeds a second since it began or went on.
    pub(super) fn rate(&self, tally: &Tally, elapsed: Nanos) -> f64 {
        f64::from(tally.seeds - self.before) / elapsed.as_secs_f64().max(1e-3)
    }

    /// How much is done, in [0, 1], and the same in words: whatever ends it first.
    fn done(&self, tally: &Tally, elapsed: Nanos) -> (f64, String) {
        let seeds = f64::from(tally.seeds) / f64::from(self.seeds.max(1));
        let seconds = elapsed.as_secs_f64();
        match self.time.map(|time| time.as_secs_f64().max(1e-3)) {
            Some(all) if seconds / all >= seeds => (seconds / all, format!("{seconds:.1} / {all:.1} s")),
            _ => (seeds, format!("{} / {} seeds", grouped(tally.seeds.into()), grouped(self.seeds.into()))),
        }
    }
}

/// The lines of the frame, each at most `width` columns.
pub(super) fn frame(scene: &Scene, tally: &Tally, elapsed: Nanos, width: usize) -> Vec<String> {
    let (done, words) = scene.done(tally, elapsed);
    let mut lines = vec![
        titled_bar(&format!("hunt  {}", scene.title), done, &words, width),
        format!(
            "seeds    {}   {:.1}/s   {} met   {} broken   {} not judged",
            grouped(tally.seeds.into()),
            scene.rate(tally, elapsed),
            grouped(tally.met.into()),
            grouped(tally.broken.into()),
            grouped((tally.seeds - tally.met - tally.broken).into()),
        ),
        format!(
            "world    {:.2} simulated hours   {} calls   {} chances to break",
            hours(tally.simulated),
            grouped(tally.calls),
            grouped(tally.chances()),
        ),
    ];
    if !tally.found.is_empty() {
        let found = |found: &Found| {
            let print = &found.fingerprint;
            format!("{}: {} in {}", print.guarantee, print.anomaly, grouped(found.seeds.into()))
        };
        lines.push(format!("found    {}", tally.found.iter().map(found).collect::<Vec<_>>().join("   ")));
    }
    lines.push("Ctrl-C: stop here; it goes on with  rashomon hunt --resume".into());
    lines.iter().map(|line| console::truncate_str(line, width, "…").into_owned()).collect()
}

/// `seeds=120 rate=24.1/s simulated=1.20h calls=432100 chances=98411 broken=8 found=no-lost-updates/lost-update:8`
pub(super) fn line(scene: &Scene, tally: &Tally, elapsed: Nanos) -> String {
    let found = |found: &Found| {
        format!("{}/{}:{}", found.fingerprint.guarantee, found.fingerprint.anomaly, found.seeds)
    };
    let found: Vec<String> = tally.found.iter().map(found).collect();
    format!(
        "seeds={} rate={:.1}/s simulated={:.2}h calls={} chances={} broken={} found={}",
        tally.seeds,
        scene.rate(tally, elapsed),
        hours(tally.simulated),
        tally.calls,
        tally.chances(),
        tally.broken,
        if found.is_empty() { "none".to_string() } else { found.join(",") }
    )
}

pub(super) fn hours(simulated: Nanos) -> f64 {
    simulated.as_secs_f64() / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunt::tally::{Fingerprint, Line};
    use expect_test::{Expect, expect};

    fn tally() -> Tally {
        let fingerprint = Fingerprint { guarantee: "no-lost-updates".into(), anomaly: "lost-update".into() };
        let found = Found {
            fingerprint,
            expected: "hold".into(),
            seed: "7f3a91c2".into(),
            seeds: 8,
            faults: [("kill".to_string(), 8)].into(),
            brief: "412 gone".into(),
            run: None,
        };
        Tally {
            seeds: 1204,
            calls: 432_100,
            simulated: Nanos(4_320_000_000_000),
            broken: 8,
            met: 1190,
            guarantees: vec![("no-lost-updates".into(), Line { chances: 98_411, ..Line::default() })],
            found: vec![found],
            ..Tally::default()
        }
    }

    fn scene(seeds: u32, time: Option<Nanos>) -> Scene {
        Scene { title: "cart · reference:lww ×3 · seed 7f3a91c2".into(), seeds, time, before: 1000 }
    }

    fn check(width: usize, scene: &Scene, expected: Expect) {
        let lines = frame(scene, &tally(), Nanos(10_000_000_000), width);
        for line in &lines {
            assert!(console::measure_text_width(line) <= width, "{line:?} is too wide");
        }
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn a_frame_shows_how_far_it_is_by_what_ends_it_first() {
        check(
            90,
            &scene(u32::MAX, Some(Nanos(40_000_000_000))),
            expect![[r#"
            hunt  cart · reference:lww ×3 · seed 7f3a91c2 ━━━━━━╸─────────────────────── 10.0 / 40.0 s
            seeds    1 204   20.4/s   1 190 met   8 broken   6 not judged
            world    1.20 simulated hours   432 100 calls   98 411 chances to break
            found    no-lost-updates: lost-update in 8
            Ctrl-C: stop here; it goes on with  rashomon hunt --resume
        "#]],
        );
        check(
            60,
            &scene(2000, None),
            expect![[r#"
            hunt  cart · reference:lww ×3 · seed 7f3a91c2 1 204 / 2 000…
            seeds    1 204   20.4/s   1 190 met   8 broken   6 not judg…
            world    1.20 simulated hours   432 100 calls   98 411 chan…
            found    no-lost-updates: lost-update in 8
            Ctrl-C: stop here; it goes on with  rashomon hunt --resume
        "#]],
        );
    }

    #[test]
    fn a_line_is_keys_and_values() {
        expect!["seeds=1204 rate=20.4/s simulated=1.20h calls=432100 chances=98411 broken=8 found=no-lost-updates/lost-update:8"].assert_eq(&line(&scene(2000, None), &tally(), Nanos(10_000_000_000)));
    }
}
