//! Clocks: what a node takes for the time of day. Each is a little ahead or behind, and a little fast
//! or slow, as machines are that keep time by NTP.
//!
//! ```text
//!   virtual time   0 s ────────────── 100 s
//!   A  +3 ms, +20 ppm     0.003 s ──── 100.005 s
//!   B  −2 ms, −50 ppm    −0.002 s ────  99.993 s       8 s + these: a clock never shows less than 0
//! ```

use histories::Nanos;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What every clock shows when virtual time begins, so that none has to go below 0.
const BEGINNING_NS: i64 = 8_000_000_000;
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
}

impl Clock {
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self {
            offset_ns: rng.random_range(-OFFSET_MAX_NS..=OFFSET_MAX_NS),
            drift_ppm: rng.random_range(-DRIFT_MAX_PPM..=DRIFT_MAX_PPM),
        }
    }

    /// What it shows at the virtual time `now`.
    pub(super) fn at(self, now: Nanos) -> reference_db::Nanos {
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        let gained = now / 1_000_000 * self.drift_ppm;
        let shown = BEGINNING_NS.saturating_add(now).saturating_add(self.offset_ns + gained);
        reference_db::Nanos(u64::try_from(shown).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_and_drifts() {
        let clock = Clock { offset_ns: -2_000_000, drift_ppm: 50 };
        let shows = |seconds: u64| clock.at(Nanos(seconds * 1_000_000_000)).0 as i64 - BEGINNING_NS;
        assert_eq!(shows(0), -2_000_000);
        assert_eq!(shows(100), 100_000_000_000 - 2_000_000 + 5_000_000);
    }
}
