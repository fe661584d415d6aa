//! Clocks: what a node takes for the time of day. Each is a little ahead or behind, and a little fast
//! or slow, as machines are that keep time by NTP.
//!
//! ```text
//!   virtual time   0 s ────────────── 100 s
//!   A  +3 ms, +20 ppm     0.003 s ──── 100.005 s
//!   B  −2 ms, −50 ppm    −0.002 s ────  99.993 s       2 days + these: a clock never shows less than 0
//! ```
//!
//! A fault may set it wrong on top of that, for a while: by a jump, by more drift, or by a jump to and fro.

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What every clock shows when virtual time begins: two days, as a fault may set it back by one.
const BEGINNING_NS: i64 = 172_800_000_000_000;
/// The most that a clock is ahead or behind.
const OFFSET_MAX_NS: i64 = 5_000_000;
/// The most that a clock is fast or slow, in parts per million.
const DRIFT_MAX_PPM: i64 = 100;

/// The clock of one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// How far it is ahead when virtual time begins, in nanoseconds.
    offset_ns: i64,
    /// How much it gains, in parts per million.
    drift_ppm: i64,
    wrong: Option<Wrong>,
}

/// How a fault has set a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) since: Nanos,
    pub(super) jump_ms: i64,
    pub(super) drift_ppm: i64,
    /// Wrong and right in turn, each for so long, if it is above 0.
    pub(super) strobe: Nanos,
}

impl Wrong {
    /// How far the clock is ahead because of it, in nanoseconds.
    fn ahead_ns(self, now: Nanos) -> i64 {
        let passed = now.since(self.since).0;
        let fro = self.strobe.0 > 0 && (passed / self.strobe.0) % 2 == 1;
        let jump = if fro { 0 } else { self.jump_ms * 1_000_000 };
        jump + gain(passed, self.drift_ppm)
    }
}

/// What a clock gains while so many nanoseconds pass.
fn gain(passed: u64, ppm: i64) -> i64 {
    i64::try_from(passed / 1_000_000).unwrap_or(i64::MAX).saturating_mul(ppm)
}

impl Clock {
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self {
            offset_ns: rng.random_range(-OFFSET_MAX_NS..=OFFSET_MAX_NS),
            drift_ppm: rng.random_range(-DRIFT_MAX_PPM..=DRIFT_MAX_PPM),
            wrong: None,
        }
    }

    /// Sets it wrong, or right again.
    pub(super) fn set(&mut self, wrong: Option<Wrong>) {
        self.wrong = wrong;
    }

    /// What it shows at the virtual time `now`.
    pub(super) fn at(self, now: Nanos) -> reference_db::Nanos {
        let ahead =
            self.offset_ns + gain(now.0, self.drift_ppm) + self.wrong.map_or(0, |wrong| wrong.ahead_ns(now));
        let shown =
            BEGINNING_NS.saturating_add(i64::try_from(now.0).unwrap_or(i64::MAX)).saturating_add(ahead);
        reference_db::Nanos(u64::try_from(shown).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_and_drifts() {
        let clock = Clock { offset_ns: -2_000_000, drift_ppm: 50, wrong: None };
        let shows = |seconds: u64| clock.at(Nanos(seconds * 1_000_000_000)).0 as i64 - BEGINNING_NS;
        assert_eq!(shows(0), -2_000_000);
        assert_eq!(shows(100), 100_000_000_000 - 2_000_000 + 5_000_000);
    }

    #[test]
    fn a_wrong_clock_jumps_drifts_and_strobes() {
        let mut clock = Clock { offset_ns: 0, drift_ppm: 0, wrong: None };
        let since = Nanos::from_millis(10_000);
        let mut ahead = |jump_ms, drift_ppm, strobe_ms| {
            let strobe = Nanos::from_millis(strobe_ms);
            clock.set(Some(Wrong { since, jump_ms, drift_ppm, strobe }));
            let at = |millis| {
                (clock.at(Nanos::from_millis(millis)).0 as i64 - BEGINNING_NS) / 1_000_000 - millis as i64
            };
            [10_000, 10_150, 12_000].map(at)
        };
        assert_eq!(ahead(2_000, 0, 0), [2_000, 2_000, 2_000]);
        assert_eq!(ahead(-86_400_000, 0, 0), [-86_400_000; 3]);
        assert_eq!(ahead(0, 20_000, 0), [0, 3, 40]);
        assert_eq!(ahead(2_000, 0, 100), [2_000, 0, 2_000]);
    }
}
