//! What joins two transactions, as the byte that a flat graph keeps.

use crate::EdgeKind;

/// Kinds of edges of the graph of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Link {
    /// The later write replaced the earlier one.
    WriteWrite,
    /// The read saw the write.
    WriteRead,
    /// The read saw the state from before the write.
    ReadWrite,
    /// Leads on from a node that stands for many edges: no step of its own.
    Free,
    /// The same session, one after the other.
    Session,
    /// One ended before the other began.
    RealTime,
}

impl Link {
    const ALL: [Self; 6] =
        [Self::WriteWrite, Self::WriteRead, Self::ReadWrite, Self::Free, Self::Session, Self::RealTime];

    pub(super) fn of(label: u8) -> Self {
        Self::ALL[label as usize]
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The kind of dependency; none if it is no step.
    pub(super) fn kind(self) -> Option<EdgeKind> {
        match self {
            Self::WriteWrite => Some(EdgeKind::WriteWrite),
            Self::WriteRead => Some(EdgeKind::WriteRead),
            Self::ReadWrite => Some(EdgeKind::ReadWrite),
            Self::Session => Some(EdgeKind::Session),
            Self::RealTime => Some(EdgeKind::RealTime),
            Self::Free => None,
        }
    }
}
