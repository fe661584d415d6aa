//! A verdict: what a checker says about one guarantee.

use serde::Serialize;

use crate::Finding;

/// What a checker says about one guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The guarantee's name.
    pub guarantee: &'static str,
    /// Held, broken or not judged.
    pub judgement: Judgement,
    /// How often it could have broken and would have been seen.
    pub chances: Chances,
    /// If broken: what happened in the user's terms, such as `47 confirmed writes disappeared, on 41
    /// keys`. Empty otherwise.
    pub summary: String,
    /// If broken: how many times, in the unit of `summary`.
    pub count: u64,
    /// If broken: the proofs, the simplest first. May be fewer than `count`: one proof can stand for
    /// several writes of one key.
    pub findings: Vec<Finding>,
}

/// Held, broken or not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Nothing broke it, and it had chances to break.
    Held,
    /// It was broken; findings prove it.
    Broken,
    /// Nothing was proved either way.
    NotJudged {
        /// Why, such as `nothing: this history has no deletes`.
        why: String,
    },
}

/// Situations in which a guarantee could have broken and would have been seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chances {
    /// How many.
    pub count: u64,
    /// What they were, with their number and unit: `1 204 reads after an own write`. If there were
    /// none: what was missing, such as `this history has no deletes`.
    pub what: String,
}

impl Verdict {
    /// Held if there were chances, not judged if there were none.
    pub fn unbroken(guarantee: &'static str, chances: Chances) -> Self {
        let judgement = match chances.count {
            0 => Judgement::NotJudged { why: format!("nothing: {}", chances.what) },
            _ => Judgement::Held,
        };
        Self { guarantee, judgement, chances, summary: String::new(), count: 0, findings: Vec::new() }
    }

    /// Broken, `count` times, as `findings` prove.
    pub fn broken(
        guarantee: &'static str,
        chances: Chances,
        summary: String,
        count: u64,
        findings: Vec<Finding>,
    ) -> Self {
        assert!(!findings.is_empty(), "a broken guarantee needs a proof");
        Self { guarantee, judgement: Judgement::Broken, chances, summary, count, findings }
    }

    /// Not judged, for a reason other than a lack of chances.
    pub fn not_judged(guarantee: &'static str, chances: Chances, why: impl Into<String>) -> Self {
        let judgement = Judgement::NotJudged { why: why.into() };
        Self { guarantee, judgement, chances, summary: String::new(), count: 0, findings: Vec::new() }
    }

    /// True if it was broken.
    pub fn is_broken(&self) -> bool {
        self.judgement == Judgement::Broken
    }
}
