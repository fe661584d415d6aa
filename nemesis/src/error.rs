//! What stops us, in words that carry the values and the mend.

use std::io;

use histories::{FaultId, Nanos, NodeName};

use crate::controls::Control;
use crate::duration::DurationError;
use crate::effect::Target;
use crate::trigger::TriggerError;

/// Why a plan's faults cannot be used, or a node's process cannot be handled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A time is written wrongly.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// A `when` cannot be meant.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
    /// No such fault in the registry.
    #[error("no fault is called `{name}`{}; there are: {known}", did_you_mean(.nearest))]
    UnknownFault {
        /// What was written.
        name: String,
        /// The name that comes nearest, if one is near.
        nearest: Option<String>,
        /// All names.
        known: String,
    },
    /// A fault table says when, but not what.
    #[error("the fault has no kind; add one of: {known}")]
    NoFault {
        /// All names.
        known: String,
    },
    /// A fault table says two things at once.
    #[error("`{first}` and `{second}` stand in one fault; write two [[fault]] tables")]
    TwoFaults {
        /// The kind that came first.
        first: &'static str,
        /// The kind that came second.
        second: &'static str,
    },
    /// Only what is said effect by effect has a period of its own.
    #[error(
        "`flap-period` goes with `effects`; a fault that comes and goes is written flap = {{ partition = \"halves\", period = \"500ms\" }}"
    )]
    FlapPeriod,
    /// A fault does nothing.
    #[error(
        "`effects` names no effect; write for example effects = [{{ cut = {{ from = \"A\", to = \"B\" }} }}]"
    )]
    NoEffects,
    /// A fault table does not say when, or for how long.
    #[error("`{key}` is missing in the fault; write for example {key} = \"10s\"")]
    NoTime {
        /// `at` or `for`.
        key: &'static str,
    },
    /// A fault cannot take the form that was written.
    #[error("`{fault}` cannot be {given}{}; it takes {syntax}", did_you_mean(.nearest))]
    Form {
        /// The fault's kind.
        fault: &'static str,
        /// What was written.
        given: String,
        /// The word that comes nearest, if one is near.
        nearest: Option<String>,
        /// What can be written.
        syntax: String,
    },
    /// A fault names what the store does not have.
    #[error("`{fault}` names the node `{name}`{}; the nodes are: {nodes}", did_you_mean(.nearest))]
    UnknownNode {
        /// The fault's kind.
        fault: &'static str,
        /// What was written.
        name: String,
        /// The node that comes nearest, if one is near.
        nearest: Option<String>,
        /// All nodes.
        nodes: String,
    },
    /// A node stands on no side of a partition.
    #[error("node `{node}` is on no side of the partition; name it on one side, or on both as a bridge")]
    NoSide {
        /// Which node.
        node: NodeName,
    },
    /// The sides of a partition all see each other.
    #[error("the sides {sides} cut no link; put at least two nodes apart")]
    NothingCut {
        /// As it was written.
        sides: String,
    },
    /// A form needs more nodes than there are.
    #[error("`{fault} = {form:?}` needs {needed} nodes or more, and there are {nodes}")]
    TooFewNodes {
        /// The fault's kind.
        fault: &'static str,
        /// The form that was written.
        form: &'static str,
        /// The fewest nodes that do.
        needed: usize,
        /// How many there are.
        nodes: usize,
    },
    /// An effect that was written down has numbers that mean nothing.
    #[error("the effect {effect} cannot be: {why}")]
    BadEffect {
        /// In a few words.
        effect: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A node is called like a word of the plan.
    #[error("a node cannot be called `{name}`: fault plans use the word")]
    ReservedName {
        /// The node's name.
        name: NodeName,
    },
    /// A fault takes no time.
    #[error("fault {fault} lasts 0 s; `for` must be longer")]
    Empty {
        /// Which fault of the schedule.
        fault: FaultId,
    },
    /// A fault begins when nobody works any more.
    #[error("fault {fault} begins at {at}, and the load ends at {end}")]
    AfterLoad {
        /// Which fault of the schedule.
        fault: FaultId,
        /// When it begins.
        at: Nanos,
        /// When the load ends.
        end: Nanos,
    },
    /// Two faults would do incompatible things to one target at one time.
    #[error("faults {first} and {second} overlap on {target}; let one end before the other begins")]
    Overlap {
        /// The fault that begins first.
        first: FaultId,
        /// The other.
        second: FaultId,
        /// What both would change.
        target: Target,
    },
    /// A fault needs what the target does not offer.
    #[error(
        "fault {fault}, {name}, needs {needed} control, which this target does not offer; it offers {offered}"
    )]
    NotOffered {
        /// Which fault of the schedule.
        fault: FaultId,
        /// Its kind.
        name: String,
        /// What it needs.
        needed: Control,
        /// What there is, in words.
        offered: String,
    },
    /// The supervisor does not know the node.
    #[error("node {node} was never started here")]
    NotStarted {
        /// Which node.
        node: NodeName,
    },
    /// A process is already there, or is not.
    #[error("cannot {action} node {node}: it is {state}")]
    WrongState {
        /// What was asked.
        action: &'static str,
        /// Which node.
        node: NodeName,
        /// Its state, in words.
        state: String,
    },
    /// The operating system refused.
    #[error("cannot {action} node {node}")]
    Process {
        /// What was asked.
        action: &'static str,
        /// Which node.
        node: NodeName,
        /// What the system said.
        source: io::Error,
    },
}

pub(crate) fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// The known word that comes nearest, if it comes near enough to be a typing error.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    let (distance, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    // A third of the letters may be wrong; of a name of one letter, none but its case.
    (distance <= name.chars().count().saturating_add(1) / 3).then(|| name.to_owned())
}
