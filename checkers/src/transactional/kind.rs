//! What a cycle is called: by the dependencies that it needs.
//!
//! ```text
//!   ww ww           G0              ww wr           G1c
//!   wr rw           G-single-item   rw wr rw wr     G-nonadjacent-item
//!   rw rw wr        G2-item         wr rt rw        G-single-item-realtime
//! ```
//!
//! Sources: Adya 1999, §4.2 and §5.4; Cerone & Gotsman, J. ACM 2018 (no two in a row: snapshot
//! isolation); Kingsbury & Alvaro 2020, §4.2 (the names).

use crate::EdgeKind;
use crate::anomaly::names;

/// Which dependencies a cycle needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Overwrites only.
    G0,
    /// Overwrites and reads.
    G1c,
    /// Exactly one anti-dependency.
    GSingle,
    /// Several, no two in a row.
    GNonadjacent,
    /// Several, some in a row.
    G2,
}

/// The order that a cycle needs besides what transactions saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// None.
    Dependencies,
    /// That of each session.
    Sessions,
    /// One transaction ended before the other began.
    RealTime,
}

/// A kind of cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) order: Order,
    pub(super) shape: Shape,
}

impl Shape {
    pub(super) const ALL: [Self; 5] = [Self::G0, Self::G1c, Self::GSingle, Self::GNonadjacent, Self::G2];

    /// True if every cycle of this shape, with an order put in, is also one of `other`.
    fn is_also(self, other: Self) -> bool {
        self == other
            || match self {
                Self::G0 => other == Self::G1c,
                Self::GSingle => matches!(other, Self::GNonadjacent | Self::G2),
                Self::GNonadjacent => other == Self::G2,
                Self::G1c | Self::G2 => false,
            }
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        const NAMES: [[&str; 3]; 5] = [
            [names::G0, names::G0_PROCESS, names::G0_REALTIME],
            [names::G1C, names::G1C_PROCESS, names::G1C_REALTIME],
            [names::G_SINGLE_ITEM, names::G_SINGLE_ITEM_PROCESS, names::G_SINGLE_ITEM_REALTIME],
            [
                names::G_NONADJACENT_ITEM,
                names::G_NONADJACENT_ITEM_PROCESS,
                names::G_NONADJACENT_ITEM_REALTIME,
            ],
            [names::G2_ITEM, names::G2_ITEM_PROCESS, names::G2_ITEM_REALTIME],
        ];
        NAMES[self.shape as usize][self.order as usize]
    }

    /// True if a cycle of this kind is also one of `other`.
    pub(super) fn is_also(self, other: Self) -> bool {
        self.shape.is_also(other.shape) && self.order <= other.order
    }

    /// The kind of a cycle with these dependencies, in order around it.
    pub(super) fn of(cycle: &[EdgeKind]) -> Self {
        let has = |kind| cycle.contains(&kind);
        let order = match (has(EdgeKind::RealTime), has(EdgeKind::Session)) {
            (true, _) => Order::RealTime,
            (false, true) => Order::Sessions,
            (false, false) => Order::Dependencies,
        };
        let is_anti = |index: usize| cycle[index % cycle.len()] == EdgeKind::ReadWrite;
        let shape = match (0..cycle.len()).filter(|index| is_anti(*index)).count() {
            0 if has(EdgeKind::WriteRead) => Shape::G1c,
            0 => Shape::G0,
            1 => Shape::GSingle,
            _ if (0..cycle.len()).any(|index| is_anti(index) && is_anti(index + 1)) => Shape::G2,
            _ => Shape::GNonadjacent,
        };
        Self { order, shape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice;

    #[test]
    fn a_cycle_is_named_by_what_it_needs() {
        use EdgeKind::{ReadWrite as Rw, RealTime as Rt, Session as So, WriteRead as Wr, WriteWrite as Ww};
        let name = |cycle: &[EdgeKind]| Kind::of(cycle).name();
        assert_eq!(name(&[Ww, Ww]), "G0");
        assert_eq!(name(&[Ww, Wr]), "G1c");
        assert_eq!(name(&[Wr, Rw]), "G-single-item");
        assert_eq!(name(&[Rw, Wr, Rw, Wr]), "G-nonadjacent-item");
        assert_eq!(name(&[Rw, Wr, Rw]), "G2-item");
        assert_eq!(name(&[Ww, Rt]), "G0-realtime");
        assert_eq!(name(&[Rw, So, Rw, So]), "G-nonadjacent-item-process");
    }

    #[test]
    fn kinds_imply_each_other_as_the_lattice_says() {
        let kinds: Vec<Kind> = Shape::ALL
            .into_iter()
            .flat_map(|shape| {
                [Order::Dependencies, Order::Sessions, Order::RealTime].map(|order| Kind { order, shape })
            })
            .collect();
        for a in &kinds {
            for b in &kinds {
                assert_eq!(a.is_also(*b), lattice::is_also(a.name(), b.name()), "{a:?} {b:?}");
            }
        }
    }
}
