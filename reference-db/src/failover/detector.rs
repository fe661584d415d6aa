//! Failure detectors: is a leader that is silent gone?
//!
//! ```text
//! heard   |    |    |     |    |          phi 8 of intervals of 100 ms: 1.8 s        timeout 3 s
//!                                  ····························╳······················╳
//! ```
//!
//! Neither can tell a dead leader from one that is cut off. Phi learns what silence is usual. It is the accrual detector of
//! Hayashibara et al. (2004), with intervals taken to be exponential as Cassandra has it: phi = t / (mean · ln 10), so that
//! whole numbers do, which are the same on every machine.

use std::collections::VecDeque;

use super::{Detector, FailoverSettings};
use crate::time::Nanos;

/// How many intervals are remembered.
const WINDOW: usize = 64;

/// ln 10, in thousandths.
const LN_10_MILLI: u128 = 2303;

/// When a leader was heard, and how regularly.
#[derive(Debug)]
pub(crate) struct Pulse {
    heard_at: Nanos,
    intervals: VecDeque<u64>,
}

impl Pulse {
    /// Of a leader that was heard just now, or would have been.
    pub(crate) fn new(now: Nanos) -> Pulse {
        Pulse { heard_at: now, intervals: VecDeque::new() }
    }

    pub(crate) fn beat(&mut self, now: Nanos) {
        self.intervals.push_back(now.0.saturating_sub(self.heard_at.0));
        if self.intervals.len() > WINDOW {
            self.intervals.pop_front();
        }
        self.heard_at = now;
    }

    /// True if the leader has been silent for so long. O(1) but for phi, which is O(window).
    pub(crate) fn is_silent_for(&self, now: Nanos, span: Nanos) -> bool {
        now.is_due(self.heard_at, span)
    }

    /// True if the leader seems to be gone, and has for some time more.
    pub(crate) fn is_suspect(&self, now: Nanos, settings: &FailoverSettings, more: Nanos) -> bool {
        let patience = match settings.detector {
            Detector::Timeout => settings.detect_after,
            Detector::Phi => self.patience(settings),
        };
        self.is_silent_for(now, patience + more)
    }

    /// After how much silence phi passes its threshold.
    fn patience(&self, settings: &FailoverSettings) -> Nanos {
        let count = self.intervals.len() as u128;
        let sum: u128 = self.intervals.iter().map(|interval| u128::from(*interval)).sum();
        // What comes in bursts is no faster a pulse, and who has heard nothing yet knows no better than the plan.
        let mean = sum.checked_div(count).unwrap_or_default().max(u128::from(settings.heartbeat().0));
        let nanos = mean * u128::from(settings.phi) * LN_10_MILLI / 1000;
        Nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears a leader each `interval`, and gives after how many milliseconds of silence it is suspect.
    fn check(detector: Detector, interval: u64, expected: u64) {
        let millis = Nanos::from_millis;
        let settings =
            FailoverSettings { detector, detect_after: millis(600), ..FailoverSettings::default() };
        let mut pulse = Pulse::new(millis(0));
        (1..=100).for_each(|beat| pulse.beat(millis(beat * interval)));
        let last = 100 * interval;
        let suspect =
            (0..100_000).find(|silent| pulse.is_suspect(millis(last + silent), &settings, millis(0)));
        assert_eq!(suspect, Some(expected), "{detector} after beats of {interval} ms");
    }

    #[test]
    fn a_timeout_waits_for_a_time_and_phi_for_what_is_unusual() {
        check(Detector::Timeout, 100, 600);
        check(Detector::Timeout, 400, 600);
        check(Detector::Phi, 100, 1843);
        check(Detector::Phi, 400, 7370);
        // Faster than a leader has to speak is not what can be relied on.
        check(Detector::Phi, 10, 1843);
    }
}
