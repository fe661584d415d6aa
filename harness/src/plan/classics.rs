//! Classics: plans that are built in, each a few lines of faults that show how replicated databases
//! fail, or that a sound one does not.
//!
//! ```text
//! rashomon run classic:both-sides-write --world sim
//! rashomon run classic:both-sides-write -t reference:siblings      the same, in another mode
//! ```
//!
//! A new classic is a file in `classics/`, a line here, and a row in `docs/CLASSICS.md`, which a test
//! holds to what runs show (`harness/tests/classics.rs`).

use super::file::{self, PlanFile};
use super::layer::Layer;
use crate::exit::Stop;
use crate::names;

/// How the command line names one: this, and then its name.
pub(crate) const PREFIX: &str = "classic:";

/// A plan that is built in.
pub(crate) struct Classic {
    pub(crate) name: &'static str,
    text: &'static str,
}

macro_rules! classics {
    ($($name:literal),* $(,)?) => {
        &[$(Classic { name: $name, text: include_str!(concat!("../../classics/", $name, ".toml")) }),*]
    };
}

/// All classics, sorted by name.
pub(crate) static CLASSICS: &[Classic] = classics![
    "answer-before-question",
    "answers-lost",
    "both-sides-write",
    "clock-ahead",
    "disk-that-lies",
    "killed-in-catch-up",
    "lost-with-its-node",
    "roaming-in-a-split",
    "stale-after-pause",
    "tombstones-too-short",
];

/// The names, for a sentence.
pub(crate) fn names() -> String {
    CLASSICS.iter().map(|classic| classic.name).collect::<Vec<_>>().join(", ")
}

/// Reads the classic of that name, with its `[profile.NAME]`.
pub(crate) fn read(name: &str, profile: Option<&str>) -> Result<PlanFile, Stop> {
    let classic = CLASSICS.iter().find(|classic| classic.name == name).ok_or_else(|| {
        Stop::usage(names::unknown("classic", name, CLASSICS.iter().map(|classic| classic.name)))
    })?;
    file::parse(&format!("{PREFIX}{name}"), classic.text, profile)
}

/// A mode alone, as in `--target reference:siblings`, changes the mode of a classic and nothing else that it
/// says of its target.
pub(crate) fn keep_settings(layer: &mut Layer) {
    let mode = layer.values.get("target").and_then(|(value, origin)| {
        let mode = value.as_str()?.strip_prefix("reference:")?.to_string();
        (!mode.contains(',')).then(|| (mode, origin.clone()))
    });
    if let Some((mode, origin)) = mode {
        layer.values.remove("target");
        layer.set("target.reference", mode, origin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::plan::layer::{Origin, merge};

    #[test]
    fn classics_are_sorted_and_read_and_short() {
        assert!(CLASSICS.windows(2).all(|pair| pair[0].name < pair[1].name), "{}", names());
        for classic in CLASSICS {
            let file = read(classic.name, None).unwrap_or_else(|stop| panic!("{:#}", stop.error));
            let merged = merge(Plan::default(), &[file.settings]).unwrap();
            assert_eq!(merged.plan.name, format!("{PREFIX}{}", classic.name));
            let faults = classic.text.lines().skip_while(|line| *line != "[[fault]]");
            let said = faults.filter(|line| !line.is_empty() && !line.starts_with('#'));
            assert!(said.clone().count() <= 10, "{}: {} lines of faults", classic.name, said.count());
            assert!(classic.text.starts_with("# "), "{} does not say what it shows", classic.name);
        }
    }

    #[test]
    fn a_mode_alone_keeps_what_the_classic_says_of_its_target() {
        let target = |said: &str| {
            let file = read("tombstones-too-short", None).unwrap_or_else(|stop| panic!("{:#}", stop.error));
            let mut flags = Layer::default();
            flags.set("target", said, Origin::Flag("--target".into()));
            keep_settings(&mut flags);
            merge(Plan::default(), &[file.settings, flags]).unwrap().plan.target.to_string()
        };
        assert_eq!(target("reference:crdt"), "reference:crdt,tombstones=500ms");
        assert_eq!(target("reference:crdt,nodes=5"), "reference:crdt,nodes=5");
        assert_eq!(target("control"), "control");
    }
}
