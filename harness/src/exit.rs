//! Exit codes: under 64 is a verdict about the store, 64 and over means there is none.

use std::fmt;

/// How the program ends. Numbers from 64 are those of BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every expectation was met, and each was put to the test.
    Met,
    /// An expectation was broken.
    Broken,
    /// Nothing was proved either way.
    Indeterminate,
    /// Wrong command line.
    Usage,
    /// A plan or a history cannot be read.
    Data,
    /// The store cannot be reached, or breaks its contract.
    Unavailable,
    /// A bug in rashomon.
    Internal,
    /// A result cannot be written.
    CannotWrite,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::Broken => 1,
            Self::Indeterminate => 2,
            Self::Usage => 64,
            Self::Data => 65,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::CannotWrite => 74,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Which of two ends counts: a proof stays a proof, then what prevented a verdict.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Broken => 3,
            Self::Met => 0,
            Self::Indeterminate => 1,
            _ => 2,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// What stops the program, and the code with which it ends.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Stop {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, error: anyhow::anyhow!("{message}") }
    }

    pub(crate) fn data(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Data, error: anyhow::anyhow!("{message}") }
    }

    pub(crate) fn unavailable(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Unavailable, error: anyhow::anyhow!("{message}") }
    }

    pub(crate) fn cannot_write(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::CannotWrite, error: error.into() }
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Internal, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_outranks_everything() {
        assert_eq!(Exit::Broken.worse(Exit::Interrupted), Exit::Broken);
        assert_eq!(Exit::Indeterminate.worse(Exit::Interrupted), Exit::Interrupted);
        assert_eq!(Exit::Met.worse(Exit::Indeterminate), Exit::Indeterminate);
    }
}
