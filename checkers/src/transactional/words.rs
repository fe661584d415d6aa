//! What happened, in plain words, by the name of the anomaly.

use crate::anomaly::names;

/// Such as `a failed write was read`; to be followed by how often.
pub(super) fn happened(anomaly: &str) -> &'static str {
    let (base, _) = split(anomaly);
    match base {
        names::G0 => "transactions overwrote each other in a circle",
        names::G1A => "a failed write was read",
        names::G1B => "a transaction's unfinished write was read",
        names::G1C => "transactions depended on each other in a circle",
        names::G_SINGLE_ITEM => "a transaction saw only a part of what another did",
        names::G_NONADJACENT_ITEM => "transactions saw writes in contradictory orders",
        names::G2_ITEM => "transactions missed each other's writes",
        names::CYCLIC_VERSIONS => "the values of a key followed each other in a circle",
        names::DIRTY_UPDATE => "a failed write was built upon",
        names::DUPLICATE_ELEMENTS => "a list showed an element twice",
        names::FRACTURED_READ => "a transaction saw a part of another and missed the rest",
        names::FUTURE_READ => "a transaction saw what it wrote only later",
        names::INCOMPATIBLE_ORDER => "a list was seen in two orders",
        names::INTERNAL => "a transaction did not see what it had read or written itself",
        names::LOST_UPDATE => "two transactions replaced one version, neither knowing of the other",
        names::NON_REPEATABLE_READ => "a transaction read a key twice and saw two values",
        names::THIN_AIR_READ => "a value came from nowhere",
        _ => "transactions contradicted each other",
    }
}

/// What else the anomaly needs, such as `, against the order of a session`; empty if nothing.
pub(super) fn against(anomaly: &str) -> &'static str {
    match split(anomaly).1 {
        "process" => ", against the order of a session",
        "realtime" => ", against real time",
        _ => "",
    }
}

/// The anomaly's name without the order that it needs, and that order.
fn split(anomaly: &str) -> (&str, &str) {
    ["process", "realtime"]
        .into_iter()
        .find_map(|order| Some((anomaly.strip_suffix(order)?.strip_suffix('-')?, order)))
        .unwrap_or((anomaly, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactional::kind::{Kind, Order, Shape};

    #[test]
    fn every_kind_of_cycle_has_words_of_its_own() {
        for shape in Shape::ALL {
            for order in [Order::Dependencies, Order::Sessions, Order::RealTime] {
                let name = Kind { order, shape }.name();
                assert_ne!(happened(name), happened("?"), "{name}");
                assert_eq!(against(name).is_empty(), order == Order::Dependencies, "{name}");
            }
        }
    }
}
