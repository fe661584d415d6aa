//! How a call ended, as far as its session could see.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{Observed, Version};

/// The store's answer to one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// What a read saw, or what was taken out of a queue or a stack; none for anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// The version that a change made, if the store says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl Reply {
    /// The answer to a read.
    pub fn read(observed: Observed) -> Self {
        Self { observed: Some(observed), version: None }
    }

    /// The answer to a change.
    pub fn changed(version: Option<Version>) -> Self {
        Self { observed: None, version }
    }
}

/// How a call ended. In doubt it is unknown: `Failed` needs proof that nothing happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It happened; one reply an operation, in program order.
    Confirmed(SmallVec<[Reply; 1]>),
    /// It surely did not happen, now or later.
    Failed(Reason),
    /// It may have happened, may yet happen, or never.
    Unknown(Reason),
}

impl Outcome {
    /// A confirmed single operation.
    pub fn confirmed(reply: Reply) -> Self {
        Self::Confirmed(SmallVec::from_iter([reply]))
    }

    /// The replies, if it was confirmed.
    pub fn replies(&self) -> Option<&[Reply]> {
        match self {
            Self::Confirmed(replies) => Some(replies),
            Self::Failed(_) | Self::Unknown(_) => None,
        }
    }

    /// True if it happened.
    pub fn is_confirmed(&self) -> bool {
        matches!(self, Self::Confirmed(_))
    }

    /// True if it surely did not happen.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// True if nobody knows.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// Why a call failed or its outcome is unknown. The constants are the reasons that checkers and
/// reports know; any other text is passed on to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// Compare-and-set found something else than expected.
    pub const CONFLICT: Self = Self(Cow::Borrowed("conflict"));
    /// The connection was refused before anything was sent.
    pub const REFUSED: Self = Self(Cow::Borrowed("refused"));
    /// No answer in time.
    pub const TIMEOUT: Self = Self(Cow::Borrowed("timeout"));
    /// The connection broke after something was sent.
    pub const DISCONNECTED: Self = Self(Cow::Borrowed("disconnected"));
    /// The recording ends before an answer.
    pub const UNANSWERED: Self = Self(Cow::Borrowed("unanswered"));

    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
