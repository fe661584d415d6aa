//! The tables: guarantees and anomalies, each a line or a few, sorted by name.

/// A guarantee, and its place in the lattice.
#[derive(Debug)]
pub struct Guarantee {
    /// Its name, as in the registry of checkers if there is a checker.
    pub name: &'static str,
    /// Other names for the same thing.
    pub aliases: &'static [&'static str],
    /// What it implies directly.
    pub implies: &'static [&'static str],
    /// Anomalies that it rules out directly.
    pub proscribes: &'static [&'static str],
    /// Where it is defined.
    pub source: &'static str,
}

/// An anomaly, and what it is besides.
#[derive(Debug)]
pub struct Anomaly {
    /// Its name.
    pub name: &'static str,
    /// Anomalies that it also is.
    pub is_also: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
}

const ADYA: &str = "Adya 1999";
const CERONE: &str = "Cerone, Bernardi & Gotsman 2015";
const TERRY: &str = "Terry et al. 1994";
const DAUDJEE: &str = "Daudjee & Salem 2006";
const BISWAS: &str = "Biswas & Enea 2019";
const BAILIS: &str = "Bailis et al. 2013";
const ELLE: &str = "Kingsbury & Alvaro 2020";

macro_rules! guarantees {
    ($($name:literal $(= $($alias:literal),+)?; $source:expr; [$($implies:literal),*]; [$($proscribes:literal),*])*) => {
        &[$(Guarantee {
            name: $name,
            aliases: &[$($($alias),+)?],
            implies: &[$($implies),*],
            proscribes: &[$($proscribes),*],
            source: $source,
        }),*]
    };
}

/// Every guarantee of the lattice, sorted by name. Causal and prefix consistency are those of Biswas & Enea,
/// which go along sessions: what promises nothing about sessions does not imply them.
pub static GUARANTEES: &[Guarantee] = guarantees! {
    "causal-order"; "Bouajjani et al. 2017"; ["pram", "writes-follow-reads"]; []
    "consistent-view" = "PL-2+"; ADYA; ["cursor-stability", "monotonic-view"]; ["G1", "G-single"]
    "cursor-stability" = "PL-CS"; ADYA; ["read-committed"]; ["G1", "lost-update"]
    "forward-consistent-view" = "PL-FCV"; ADYA; ["consistent-view"]; ["G1"]
    "linearizable"; "Herlihy & Wing 1990"; ["sequential"]; []
    "monotonic-atomic-view"; BAILIS; ["read-committed"]; []
    "monotonic-reads"; TERRY; []; []
    "monotonic-snapshot-read" = "PL-MSR"; ADYA; ["read-committed"]; ["G1"]
    "monotonic-view" = "PL-2L"; ADYA; ["read-committed"]; ["G1"]
    "monotonic-writes"; TERRY; []; []
    "parallel-snapshot-isolation"; "Sovran et al. 2011"; ["update-atomic"]; ["internal", "G1a"]
    "pram"; "Lipton & Sandberg 1988"; ["monotonic-reads", "monotonic-writes", "read-your-writes"]; []
    "prefix-consistency" = "prefix"; BISWAS; ["transactional-causal"]; ["internal", "G1a"]
    "read-atomic"; CERONE; ["monotonic-atomic-view"]; ["internal", "G1a", "future-read"]
    "read-committed" = "PL-2"; ADYA; ["read-uncommitted"]; ["G1"]
    "read-uncommitted" = "PL-1"; ADYA; []; ["G0", "duplicate-elements"]
    "read-your-writes"; TERRY; []; []
    "repeatable-read" = "PL-2.99"; ADYA; ["cursor-stability", "monotonic-atomic-view"]; ["G1", "G2-item", "lost-update"]
    "sequential"; "Lamport 1979"; ["causal-order"]; []
    "serializable" = "PL-3", "conflict-serializable"; ADYA; ["repeatable-read", "snapshot-isolation", "update-serializable"]; ["G1", "G2", "internal"]
    "snapshot-isolation" = "PL-SI"; ADYA; ["forward-consistent-view", "monotonic-atomic-view", "monotonic-snapshot-read", "parallel-snapshot-isolation"]; ["internal", "G1", "G-nonadjacent"]
    "strict-serializable" = "PL-SS", "strong-serializable"; "Papadimitriou 1979"; ["linearizable", "strong-session-serializable", "strong-snapshot-isolation"]; ["G1", "G1c-realtime", "G2-realtime"]
    "strong-read-committed" = "strong-PL-2"; ELLE; ["strong-read-uncommitted", "strong-session-read-committed"]; ["G1c-realtime"]
    "strong-read-uncommitted" = "strong-PL-1"; ELLE; ["strong-session-read-uncommitted"]; ["G0-realtime"]
    "strong-session-monotonic-atomic-view"; BISWAS; ["monotonic-atomic-view"]; []
    "strong-session-read-atomic"; BISWAS; ["read-atomic", "strong-session-monotonic-atomic-view"]; []
    "strong-session-read-committed" = "strong-session-PL-2"; ELLE; ["read-committed", "strong-session-read-uncommitted"]; ["G1c-process"]
    "strong-session-read-uncommitted" = "strong-session-PL-1"; ELLE; ["read-uncommitted"]; ["G0-process"]
    "strong-session-serializable"; DAUDJEE; ["serializable", "strong-session-snapshot-isolation"]; ["G1", "G1c-process", "G2-process"]
    "strong-session-snapshot-isolation"; DAUDJEE; ["prefix-consistency", "snapshot-isolation", "strong-session-read-committed"]; ["internal", "G1", "G1c-process", "G-nonadjacent-process"]
    "strong-snapshot-isolation"; DAUDJEE; ["strong-read-committed", "strong-session-snapshot-isolation"]; ["internal", "G1", "G1c-realtime", "G-nonadjacent-realtime"]
    "transactional-causal" = "causal-cerone"; BISWAS; ["strong-session-read-atomic"]; ["internal", "G1a"]
    "update-atomic"; CERONE; ["read-atomic"]; ["lost-update"]
    "update-serializable" = "PL-3U"; ADYA; ["forward-consistent-view"]; ["G1"]
    "writes-follow-reads"; TERRY; []; []
};

macro_rules! anomalies {
    ($($name:literal; [$($is_also:literal),*]; $about:literal)*) => {
        &[$(Anomaly { name: $name, is_also: &[$($is_also),*], about: $about }),*]
    };
}

/// Every anomaly of transactions, sorted by name.
pub static ANOMALIES: &[Anomaly] = anomalies! {
    "G-nonadjacent"; ["G-nonadjacent-process", "G2"]; "a cycle with anti-dependencies, no two of them in a row"
    "G-nonadjacent-item"; ["G-nonadjacent", "G-nonadjacent-item-process", "G2-item"]; "a cycle with several anti-dependencies, no two of them in a row (long fork)"
    "G-nonadjacent-item-process"; ["G-nonadjacent-process", "G-nonadjacent-item-realtime", "G2-item-process"]; "the same, with the order of a session"
    "G-nonadjacent-item-realtime"; ["G-nonadjacent-realtime", "G2-item-realtime"]; "the same, with real time"
    "G-nonadjacent-process"; ["G-nonadjacent-realtime", "G2-process"]; "G-nonadjacent with the order of a session"
    "G-nonadjacent-realtime"; ["G2-realtime"]; "G-nonadjacent with real time"
    "G-single"; ["G-nonadjacent", "G-single-process"]; "a cycle with one anti-dependency (read skew)"
    "G-single-item"; ["G-nonadjacent-item", "G-single", "G-single-item-process"]; "a cycle with exactly one anti-dependency (read skew)"
    "G-single-item-process"; ["G-nonadjacent-item-process", "G-single-process", "G-single-item-realtime"]; "the same, with the order of a session"
    "G-single-item-realtime"; ["G-nonadjacent-item-realtime", "G-single-realtime"]; "the same, with real time (stale read)"
    "G-single-process"; ["G-nonadjacent-process", "G-single-realtime"]; "G-single with the order of a session"
    "G-single-realtime"; ["G-nonadjacent-realtime"]; "G-single with real time"
    "G0"; ["G0-process", "G1c"]; "a cycle of overwrites (dirty write)"
    "G0-process"; ["G0-realtime", "G1c-process"]; "a cycle of overwrites and the order of a session"
    "G0-realtime"; ["G1c-realtime"]; "a cycle of overwrites and real time"
    "G1"; []; "G1a, G1b or G1c"
    "G1a"; ["G1"]; "a read of what a failed transaction wrote (aborted read)"
    "G1b"; ["G1"]; "a read of what its writer itself overwrote (intermediate read)"
    "G1c"; ["G1", "G1c-process"]; "a cycle of overwrites and reads (circular information flow)"
    "G1c-process"; ["G1c-realtime"]; "the same, with the order of a session"
    "G1c-realtime"; []; "the same, with real time"
    "G2"; ["G2-process"]; "a cycle with anti-dependencies"
    "G2-item"; ["G2", "G2-item-process"]; "a cycle with several anti-dependencies (write skew)"
    "G2-item-process"; ["G2-item-realtime", "G2-process"]; "the same, with the order of a session"
    "G2-item-realtime"; ["G2-realtime"]; "the same, with real time"
    "G2-process"; ["G2-realtime"]; "G2 with the order of a session"
    "G2-realtime"; []; "G2 with real time"
    "cyclic-versions"; ["G1c"]; "what transactions read and then wrote orders the values of a key in a circle"
    "cyclic-versions-process"; ["G1c-process"]; "the order of sessions orders the values of a key in a circle"
    "cyclic-versions-realtime"; ["G1c-realtime"]; "real time orders the values of a key in a circle"
    "dirty-update"; ["G1a"]; "a confirmed write on top of a failed one"
    "duplicate-elements"; []; "an element that is twice in a list"
    "future-read"; ["G1c"]; "a transaction that sees what it writes only later"
    "incompatible-order"; ["G1a"]; "two reads of a list, neither of which continues the other"
    "internal"; []; "a transaction that does not see what it itself read or wrote"
    "lost-update"; ["G2-item", "write-skew"]; "two transactions that both replaced one version that both had read"
    "non-repeatable-read"; ["G-single-item", "internal"]; "a transaction that reads two versions of a key that it did not write"
    "thin-air-read"; ["G1a"]; "a read of what nobody wrote"
    "write-skew"; ["G2"]; "two transactions that each changed what the other had read"
};
