//! What happened, in plain words, by the name of the anomaly.

/// Such as `a failed write was read`; to be followed by how often.
pub(super) fn happened(anomaly: &str) -> &'static str {
    let (base, _) = split(anomaly);
    match base {
        "G0" => "transactions overwrote each other in a circle",
        "G1a" => "a failed write was read",
        "G1b" => "a transaction's unfinished write was read",
        "G1c" => "transactions depended on each other in a circle",
        "G-single-item" => "a transaction saw only a part of what another did",
        "G-nonadjacent-item" => "transactions saw writes in contradictory orders",
        "G2-item" => "transactions missed each other's writes",
        "cyclic-versions" => "the values of a key followed each other in a circle",
        "dirty-update" => "a failed write was built upon",
        "duplicate-elements" => "a list showed an element twice",
        "future-read" => "a transaction saw what it wrote only later",
        "incompatible-order" => "a list was seen in two orders",
        "internal" => "a transaction did not see what it had read or written itself",
        "lost-update" => "two transactions replaced one version, neither knowing of the other",
        "non-repeatable-read" => "a transaction read a key twice and saw two values",
        "thin-air-read" => "a value came from nowhere",
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
