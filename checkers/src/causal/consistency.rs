//! Causal consistency: nobody sees an effect before its cause. Nobody need agree on the order of what was
//! written without knowing of each other.
//!
//! ```text
//!   c0  write x = 1        c2  read x → 1, read x → 2        c2 and c3 see the two in other orders:
//!   c1  write x = 2        c3  read x → 2, read x → 1        no causal convergence, but causal consistency
//! ```
//!
//! It is broken iff one of these occurs: CyclicCO, ThinAirRead, WriteCOInitRead, WriteCORead; that is
//! `causal-order` without CyclicCF, so what it breaks breaks `causal-order` too. What counts as a read, and
//! what is left aside, is said there. O(n · k) for k sessions.
//!
//! Source: Bouajjani, Enea, Guerraoui & Hamza, On verifying causal consistency, POPL 2017 (CC).

use crate::causal::story::Teller;
use crate::causal::{Causality, chances, summary};
use crate::{Budget, Checker, Facts, Finding, Verdict};

/// Judges `causal-consistency`.
pub struct CausalConsistency;

const GUARANTEE: &str = "causal-consistency";

impl Checker for CausalConsistency {
    fn guarantee(&self) -> &'static str {
        GUARANTEE
    }

    fn promise(&self) -> &'static str {
        "nobody sees an effect before its cause, whatever they think of what was written at once"
    }

    fn check(&self, facts: &Facts<'_>, _budget: Budget) -> Verdict {
        let causality = facts.causality();
        let chances = chances(causality.overlooked.chances);
        let broken = Broken::new(facts, causality);
        if broken.findings.is_empty() {
            return Verdict::unbroken(GUARANTEE, chances);
        }
        let Broken { counts: [missed, impossible, cyclic], mut findings } = broken;
        findings.sort_by_cached_key(|finding| finding.steps.len());
        let counts = [missed, impossible, cyclic, 0];
        Verdict::broken(GUARANTEE, chances, summary(counts), counts.iter().sum(), findings)
    }
}

/// What no order of concurrent writes could mend.
pub(super) struct Broken {
    /// Effects before their causes, values from nowhere, circles.
    pub(super) counts: [u64; 3],
    pub(super) findings: Vec<Finding>,
}

impl Broken {
    pub(super) fn new(facts: &Facts<'_>, causality: &Causality) -> Self {
        let teller = Teller { facts, causality };
        let thin_air = teller.thin_air();
        let cycles = causality.order.cycles.iter().take(super::CIRCLES_MAX);
        let cycles: Vec<Finding> = cycles.map(|circle| teller.circle(circle)).collect();
        let impossible = thin_air.iter().map(|finding| finding.weight).sum();
        let counts = [causality.overlooked.reads.len() as u64, impossible, cycles.len() as u64];
        Self { counts, findings: teller.overlooked().into_iter().chain(thin_air).chain(cycles).collect() }
    }
}
