//! The table: every anomaly, sorted by its name.

use super::Anomaly;

macro_rules! anomalies {
    ($($id:ident = $name:literal $(| $alias:literal)*; $about:literal; $source:literal;
       [$($is_also:literal),*]; [$($reported_by:literal),*])*) => {
        /// The names, to be used wherever a checker says what it found.
        pub mod names {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")]
            pub const $id: &str = $name;)*
        }

        /// Every anomaly that a checker reports, and the names of their classes, sorted by name.
        pub static ANOMALIES: &[Anomaly] = &[$(Anomaly {
            name: $name,
            aliases: &[$($alias),*],
            about: $about,
            source: $source,
            is_also: &[$($is_also),*],
            reported_by: &[$($reported_by),*],
        }),*];
    };
}

anomalies! {
    G_NONADJACENT = "G-nonadjacent";
        "a cycle with anti-dependencies, no two of them in a row";
        "Cerone & Gotsman 2018, §4"; ["G-nonadjacent-process", "G2"]; []
    G_NONADJACENT_ITEM = "G-nonadjacent-item";
        "a cycle with several anti-dependencies, no two of them in a row (long fork)";
        "Cerone & Gotsman 2018, §4"; ["G-nonadjacent", "G-nonadjacent-item-process", "G2-item"];
         ["repeatable-read", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G_NONADJACENT_ITEM_PROCESS = "G-nonadjacent-item-process";
        "a G-nonadjacent-item that needs the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-item-realtime", "G-nonadjacent-process",
         "G2-item-process"]; ["strong-session-serializable", "strong-session-snapshot-isolation"]
    G_NONADJACENT_ITEM_REALTIME = "G-nonadjacent-item-realtime";
        "a G-nonadjacent-item that needs real time";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-realtime", "G2-item-realtime"];
         ["strict-serializable", "strong-snapshot-isolation"]
    G_NONADJACENT_PROCESS = "G-nonadjacent-process";
        "G-nonadjacent with the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-realtime", "G2-process"]; []
    G_NONADJACENT_REALTIME = "G-nonadjacent-realtime";
        "G-nonadjacent with real time";
        "Kingsbury & Alvaro 2020, §4.2"; ["G2-realtime"]; []
    G_SINGLE = "G-single";
        "a cycle with one anti-dependency (read skew)";
        "Adya 1999, §4"; ["G-nonadjacent", "G-single-process"]; []
    G_SINGLE_ITEM = "G-single-item" | "A5A";
        "a cycle with exactly one anti-dependency (read skew)";
        "Adya 1999, §4"; ["G-nonadjacent-item", "G-single", "G-single-item-process"]; ["repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G_SINGLE_ITEM_PROCESS = "G-single-item-process";
        "a G-single-item that needs the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-item-process", "G-single-item-realtime",
         "G-single-process"]; ["strong-session-serializable", "strong-session-snapshot-isolation"]
    G_SINGLE_ITEM_REALTIME = "G-single-item-realtime";
        "a G-single-item that needs real time (stale read)";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-item-realtime", "G-single-realtime"];
         ["strict-serializable", "strong-snapshot-isolation"]
    G_SINGLE_PROCESS = "G-single-process";
        "G-single with the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-process", "G-single-realtime"]; []
    G_SINGLE_REALTIME = "G-single-realtime";
        "G-single with real time";
        "Kingsbury & Alvaro 2020, §4.2"; ["G-nonadjacent-realtime"]; []
    G0 = "G0" | "P0" | "dirty-write" | "write-cycle";
        "a cycle of overwrites (dirty write)";
        "Adya, Liskov & O'Neil 2000, §5.1"; ["G0-process", "G1c"]; ["read-atomic", "read-committed",
         "read-uncommitted", "repeatable-read", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G0_PROCESS = "G0-process";
        "a cycle of overwrites and the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G0-realtime", "G1c-process"]; ["strong-session-serializable",
         "strong-session-snapshot-isolation"]
    G0_REALTIME = "G0-realtime";
        "a cycle of overwrites and real time";
        "Kingsbury & Alvaro 2020, §4.2"; ["G1c-realtime"]; ["strict-serializable",
         "strong-snapshot-isolation"]
    G1 = "G1" | "P1" | "dirty-read";
        "G1a, G1b or G1c";
        "Adya, Liskov & O'Neil 2000, §5.2"; []; []
    G1A = "G1a";
        "a transaction's read of what a failed transaction wrote (aborted read)";
        "Adya, Liskov & O'Neil 2000, §5.2"; ["G1"]; ["read-atomic", "read-committed", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G1B = "G1b";
        "a read of what its writer itself overwrote (intermediate read)";
        "Adya, Liskov & O'Neil 2000, §5.2"; ["G1"]; ["read-atomic", "read-committed", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G1C = "G1c";
        "a cycle of overwrites and reads (circular information flow)";
        "Adya, Liskov & O'Neil 2000, §5.2"; ["G1", "G1c-process"]; ["read-atomic", "read-committed",
         "repeatable-read", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    G1C_PROCESS = "G1c-process";
        "a G1c that needs the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G1c-realtime"]; ["strong-session-serializable",
         "strong-session-snapshot-isolation"]
    G1C_REALTIME = "G1c-realtime";
        "a G1c that needs real time";
        "Kingsbury & Alvaro 2020, §4.2"; []; ["strict-serializable", "strong-snapshot-isolation"]
    G2 = "G2";
        "a cycle with anti-dependencies";
        "Adya, Liskov & O'Neil 2000, §5.3"; ["G2-process"]; []
    G2_ITEM = "G2-item";
        "a cycle with several anti-dependencies, two of them in a row (write skew)";
        "Adya, Liskov & O'Neil 2000, §5.4"; ["G2", "G2-item-process"]; ["repeatable-read", "serializable",
         "strict-serializable", "strong-session-serializable"]
    G2_ITEM_PROCESS = "G2-item-process";
        "a G2-item that needs the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G2-item-realtime", "G2-process"]; ["strong-session-serializable"]
    G2_ITEM_REALTIME = "G2-item-realtime";
        "a G2-item that needs real time";
        "Kingsbury & Alvaro 2020, §4.2"; ["G2-realtime"]; ["strict-serializable"]
    G2_PROCESS = "G2-process";
        "G2 with the order of a session";
        "Kingsbury & Alvaro 2020, §4.2"; ["G2-realtime"]; []
    G2_REALTIME = "G2-realtime";
        "G2 with real time";
        "Kingsbury & Alvaro 2020, §4.2"; []; []
    ABORTED_READ = "aborted-read";
        "a read of what a failed call or transaction wrote";
        "Adya, Liskov & O'Neil 2000, §5.2"; []; ["monotonic-atomic-view", "no-made-up-values",
         "prefix-consistency", "read-atomic", "read-committed", "serializable", "snapshot-isolation",
         "strict-serializable", "strong-session-monotonic-atomic-view", "strong-session-read-atomic",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
         "transactional-causal"]
    ANSWER_WITHOUT_QUESTION = "answer-without-question";
        "a write is visible where what its writer had read is not";
        "Terry et al. 1994, §3.3"; []; ["writes-follow-reads"]
    CAUSAL_CYCLE = "causal-cycle" | "CyclicCO";
        "operations that each depend on the next, all around";
        "Bouajjani et al. 2017, §4"; []; ["causal-consistency", "causal-order"]
    CAUSAL_REVERSE = "causal-reverse";
        "a later write is visible where an earlier, confirmed one is not";
        "Kingsbury, Jepsen's causal-reverse test, 2019"; []; ["no-causal-reverse"]
    CAUSAL_VIOLATION = "causal-violation" | "WriteCORead" | "causality-violation";
        "a read overlooks a write that came before what its client or transaction knew";
        "Bouajjani et al. 2017, §4; Biswas & Enea 2019, §2"; []; ["causal-consistency", "causal-order",
         "prefix-consistency", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
         "transactional-causal"]
    CIRCULAR_ANTI_DEPENDENCY = "circular-anti-dependency";
        "a circle of transactions with several anti-dependencies, two in a row";
        "Adya, Liskov & O'Neil 2000, §5.3"; []; ["serializable", "strict-serializable",
         "strong-session-serializable"]
    CIRCULAR_INFORMATION_FLOW = "circular-information-flow";
        "transactions that each read from the next, or follow it in a session, all around";
        "Adya, Liskov & O'Neil 2000, §5.2"; []; ["monotonic-atomic-view", "prefix-consistency",
         "read-atomic", "read-committed", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-monotonic-atomic-view", "strong-session-read-atomic",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
         "transactional-causal"]
    CIRCULAR_UPDATES = "circular-updates";
        "compare-and-sets that each build on the next, all around";
        "Gibbons & Korach 1997, §4"; []; ["linearizable"]
    CONTRADICTORY_ORDERS = "contradictory-orders" | "CyclicCF";
        "what clients saw puts writes in orders that contradict each other";
        "Bouajjani et al. 2017, §4"; []; ["causal-memory", "causal-order", "pram", "sequential"]
    COUNTER_OUT_OF_BOUNDS = "counter-out-of-bounds";
        "a counter beyond everything that was added or taken away";
        "Kingsbury, Jepsen's counter checker"; []; ["no-made-up-values"]
    COVERED_ELEMENT = "covered-element";
        "a stack gives an element while a later one lies on it";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    CYCLIC_VERSIONS = "cyclic-versions";
        "what transactions read and then wrote orders the values of a key in a circle";
        "Kingsbury & Alvaro 2020, §4.3"; ["G1c"]; ["read-atomic", "read-committed", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    CYCLIC_VERSIONS_PROCESS = "cyclic-versions-process";
        "the order of sessions orders the values of a key in a circle";
        "Kingsbury & Alvaro 2020, §4.3"; ["G1c-process"]; ["strong-session-serializable",
         "strong-session-snapshot-isolation"]
    CYCLIC_VERSIONS_REALTIME = "cyclic-versions-realtime";
        "real time orders the values of a key in a circle";
        "Kingsbury & Alvaro 2020, §4.3"; ["G1c-realtime"]; ["strict-serializable",
         "strong-snapshot-isolation"]
    DIRTY_UPDATE = "dirty-update";
        "a confirmed write on top of a failed one";
        "Kingsbury & Alvaro 2020, §4.2"; ["G1a"]; ["read-atomic", "read-committed", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    DIVERGENCE = "divergence";
        "nodes that still differ after all faults are healed";
        "Shapiro et al. 2011, §2"; []; ["convergence"]
    DUPLICATE_ELEMENTS = "duplicate-elements" | "duplicate-element";
        "an element that is there, or comes out, more often than it was put in";
        "Kingsbury & Alvaro 2020, §4.2"; []; ["linearizable", "no-made-up-values", "read-atomic",
         "read-committed", "read-uncommitted", "repeatable-read", "serializable", "set-full",
         "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation", "total-queue"]
    DUPLICATE_ID = "duplicate-id";
        "one id given to two callers";
        "Kingsbury, Jepsen's unique-ids checker"; []; ["unique-ids"]
    FRACTURED_READ = "fractured-read";
        "a transaction sees a part of another and misses the rest";
        "Bailis et al. 2014, §3"; []; ["read-atomic", "strong-session-read-atomic"]
    FUTURE_READ = "future-read";
        "a read of what was asked for only later";
        "Kingsbury & Alvaro 2020, §4.2"; ["G1c"]; ["monotonic-atomic-view", "no-made-up-values",
         "prefix-consistency", "read-atomic", "read-committed", "repeatable-read", "serializable",
         "snapshot-isolation", "strict-serializable", "strong-session-monotonic-atomic-view",
         "strong-session-read-atomic", "strong-session-serializable", "strong-session-snapshot-isolation",
         "strong-snapshot-isolation", "transactional-causal"]
    INCOMPATIBLE_ORDER = "incompatible-order";
        "two reads of a list, neither of which continues the other";
        "Kingsbury & Alvaro 2020, §4.2"; ["G1a"]; ["read-atomic", "read-committed", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    INTERMEDIATE_READ = "intermediate-read";
        "a read of a value that its transaction went on to replace";
        "Adya, Liskov & O'Neil 2000, §5.2"; []; ["monotonic-atomic-view", "prefix-consistency",
         "read-atomic", "read-committed", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-monotonic-atomic-view", "strong-session-read-atomic",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
         "transactional-causal"]
    INTERNAL = "internal";
        "a transaction that does not see what it itself read or wrote";
        "Cerone, Bernardi & Gotsman 2015, §3"; []; ["monotonic-atomic-view", "prefix-consistency",
         "read-atomic", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-monotonic-atomic-view", "strong-session-read-atomic",
         "strong-session-serializable", "strong-session-snapshot-isolation", "strong-snapshot-isolation",
         "transactional-causal"]
    LONG_FORK = "long-fork";
        "two readers see two independent writes in opposite orders";
        "Sovran et al. 2011, §3"; []; ["no-long-fork", "prefix-consistency", "serializable",
         "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    LOST_ELEMENT = "lost-element";
        "a confirmed element that nobody finds again";
        "Kingsbury, Jepsen's set-full and total-queue checkers"; []; ["set-full", "total-queue"]
    LOST_UPDATE = "lost-update" | "P4";
        "two changes of one version, each without knowledge of the other; one is gone";
        "Berenson et al. 1995, §4.1"; ["write-skew"]; ["linearizable", "no-lost-updates", "repeatable-read",
         "serializable", "snapshot-isolation", "strict-serializable", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation"]
    NO_LEGAL_ORDER = "no-legal-order";
        "no order of the calls explains their answers";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    NO_ORDER = "no-order";
        "no order of the transactions explains what they read";
        "Biswas & Enea 2019, §2"; []; ["prefix-consistency", "serializable", "snapshot-isolation",
         "strict-serializable", "strong-session-serializable", "strong-session-snapshot-isolation",
         "strong-snapshot-isolation"]
    NON_MONOTONIC_READ = "non-monotonic-read";
        "a transaction reads from a newer one, then an older value that the newer one had replaced";
        "Biswas & Enea 2019, §2"; []; ["monotonic-atomic-view", "strong-session-monotonic-atomic-view"]
    NON_REPEATABLE_READ = "non-repeatable-read" | "P2" | "fuzzy-read";
        "a transaction that reads two versions of a key that it did not write";
        "Berenson et al. 1995, §2.1"; ["G-single-item", "internal"]; ["prefix-consistency", "read-atomic",
         "repeatable-read", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-read-atomic", "strong-session-serializable", "strong-session-snapshot-isolation",
         "strong-snapshot-isolation", "transactional-causal"]
    NOT_EMPTY = "not-empty";
        "an answer of nothing while an element was certainly in it";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    OVERTAKEN_ELEMENT = "overtaken-element";
        "a queue gives an element before an older one";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    OWN_WRITE_MISSING = "own-write-missing";
        "a session does not see its own write";
        "Terry et al. 1994, §3.1"; []; ["read-your-writes"]
    READ_FROM_THE_FUTURE = "read-from-the-future";
        "a read ends before the write of its value begins";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    READ_GOES_BACK = "read-goes-back";
        "a session reads a newer value, then an older one";
        "Terry et al. 1994, §3.2"; []; ["monotonic-reads"]
    READ_SKEW = "read-skew";
        "a transaction reads one key before and one key after another transaction's write";
        "Berenson et al. 1995, §4.2"; []; ["prefix-consistency", "serializable", "snapshot-isolation",
         "strict-serializable", "strong-session-serializable", "strong-session-snapshot-isolation",
         "strong-snapshot-isolation"]
    RESURRECTION = "resurrection";
        "something deleted comes back";
        "Shapiro et al. 2011, §3.3.5"; []; ["deletes-stay-deleted"]
    STALE_READ = "stale-read";
        "a read of a value that was replaced before the read began";
        "Herlihy & Wing 1990, §3.1"; []; ["linearizable"]
    THIN_AIR_READ = "thin-air-read" | "ThinAirRead" | "made-up-value" | "unexplained-read";
        "a read of what nobody wrote";
        "Bouajjani et al. 2017, §4"; ["G1a"]; ["causal-consistency", "causal-order", "linearizable",
         "monotonic-atomic-view", "no-made-up-values", "prefix-consistency", "read-atomic", "read-committed",
         "repeatable-read", "serializable", "snapshot-isolation", "strict-serializable",
         "strong-session-monotonic-atomic-view", "strong-session-read-atomic", "strong-session-serializable",
         "strong-session-snapshot-isolation", "strong-snapshot-isolation", "transactional-causal"]
    UNEXPECTED_ELEMENT = "unexpected-element";
        "a queue gives what nobody put in";
        "Kingsbury, Jepsen's total-queue checker"; []; ["total-queue"]
    VALUE_GOES_BACK = "value-goes-back";
        "a value that only grows is seen to shrink";
        "Terry et al. 1994, §3.2, on numbers"; []; ["monotonic-values"]
    WRITE_SKEW = "write-skew" | "A5B";
        "two transactions that each changed what the other had read";
        "Berenson et al. 1995, §4.2"; ["G2-item"]; ["serializable", "strict-serializable",
         "strong-session-serializable"]
    WRITES_OUT_OF_ORDER = "writes-out-of-order";
        "a session's later write is visible where its earlier one is not";
        "Terry et al. 1994, §3.4"; []; ["monotonic-writes"]
    WRONG_TOTAL = "wrong-total";
        "transfers change the sum of all accounts";
        "Kingsbury, Jepsen's bank test"; []; ["bank-totals"]
}
