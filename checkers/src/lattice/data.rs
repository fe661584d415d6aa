//! The table of guarantees, each a line or a few, sorted by name. Anomalies are in [`crate::anomaly`].

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
    "causal-consistency"; "Bouajjani et al. 2017"; ["monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads"]; []
    "causal-memory"; "Ahamad et al. 1995"; ["causal-consistency", "pram"]; []
    "causal-order"; "Bouajjani et al. 2017"; ["causal-consistency"]; []
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
    "read-atomic"; CERONE; ["monotonic-atomic-view"]; ["internal", "G1a", "future-read", "fractured-read"]
    "read-committed" = "PL-2"; ADYA; ["read-uncommitted"]; ["G1"]
    "read-uncommitted" = "PL-1"; ADYA; []; ["G0", "duplicate-elements"]
    "read-your-writes"; TERRY; []; []
    "repeatable-read" = "PL-2.99"; ADYA; ["cursor-stability", "monotonic-atomic-view"]; ["G1", "G2-item", "lost-update"]
    "sequential"; "Lamport 1979"; ["causal-memory", "causal-order"]; []
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
