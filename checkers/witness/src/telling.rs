//! A witness in plain words.

use histories::{Observed, Value};

use crate::document::{Because, Claim, Edge, Ended, Known, Stated, VersionStep, Witness};

/// What it says, a line each: the operations, then the claim.
pub fn tell(witness: &Witness) -> Vec<String> {
    let mut lines: Vec<String> = witness.operations.iter().map(told).collect();
    lines.extend(claimed(&witness.claim));
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

fn told(stated: &Stated) -> String {
    let asked: Vec<String> = stated.call.iter().map(histories::text::print_micro_op).collect();
    let answered = match &stated.outcome {
        Ended::Confirmed(replies) => {
            let seen: Vec<String> = replies
                .iter()
                .map(|reply| reply.observed.as_ref().map_or("OK".into(), Observed::to_string))
                .collect();
            seen.join("; ")
        }
        Ended::Failed(reason) => format!("failed: {reason}"),
        Ended::Unknown(reason) => format!("no answer: {reason}"),
    };
    let node = stated.node.as_ref().map(|node| format!("@{node}")).unwrap_or_default();
    let (id, session) = (stated.id, stated.session);
    let ended = stated.completed.map_or("…".into(), |ended| ended.to_string());
    format!("{id}  {session}{node}  {}..{ended}  {} → {answered}", stated.invoked, asked.join("; "))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".into(), Value::to_string)
}

fn claimed(claim: &Claim) -> Vec<String> {
    let line = match claim {
        Claim::Cycle { edges } => return edges.iter().map(edge).collect(),
        Claim::VersionCycle { key, steps } => {
            return steps.iter().map(|step| format!("{key}: {}", version(step))).collect();
        }
        Claim::NoOrder {} => {
            "every order of these operations was tried: none explains what they saw, and all are needed"
                .into()
        }
        Claim::Unwritten { operation, key, value } => {
            format!("{operation} saw {value} in {key}, and no call of the history can have brought it")
        }
        Claim::FailedWrite { operation, key, value, writer } => {
            format!("{operation} saw {value} in {key}, and only {writer} would have brought it, which failed")
        }
        Claim::DirtyUpdate { operation, key, value, writer, after, later } => format!(
            "{operation} saw {after} of {later} in {key} on top of {value}, which only {writer} appended, and that failed"
        ),
        Claim::Intermediate { operation, key, value, writer, after } => {
            format!("{operation} saw {value} in {key}, and {writer} went on to write {after}")
        }
        Claim::TooEarly { operation, key, value, writers } => format!(
            "{operation} saw {value} in {key} and had ended before any of {} that may have brought it began",
            writers.len()
        ),
        Claim::Internal { operation, key, part } => {
            format!("part {part} of {operation} saw in {key} what contradicts the parts around it")
        }
        Claim::Torn { operation, key, writer, first, then, second } => format!(
            "{operation} saw {key} with {} behind {first}, and {writer} appended {second} right after that",
            shown(then.as_ref())
        ),
        Claim::Twice { key, value, written, seen } => {
            format!("{value} was seen {} times in {key}, and written {} times", seen.len(), written.len())
        }
        Claim::Incompatible { key, one, other, place } => {
            format!("{one} and {other} saw {key} as lists that differ at place {place}: no list grew to both")
        }
        Claim::LostUpdate { key, one, other, value } => {
            format!("{one} and {other} both read {key} as {} and both replaced it", shown(value.as_ref()))
        }
        Claim::Missing { key, value, writer, known, read } => format!(
            "{writer} added {value} to {key}, {known} shows that it was there, and {read} and all reads after it do not"
        ),
        Claim::Left { key, values, empty } => {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            format!("{} were put into {key} and not taken, and {empty} found nothing", values.join(", "))
        }
        Claim::OutOfBounds { key, operation, value, low, high } => {
            format!("{operation} saw {key} as {value}, and the calls add up to {low} to {high}")
        }
        Claim::WrongTotal { operation, found, right, expected, .. } => {
            format!("{operation} found {found} in all, and {right} shows that it is {expected}")
        }
        Claim::WentBack { key, before, after } => {
            format!("{after} saw {key} smaller than {before} of its session, and nobody takes away")
        }
        Claim::SameName { key, one, other, name } => {
            format!("{one} and {other} were both given {name} of {key}")
        }
        Claim::Disagree { key, one, other } => format!("{one} and {other} saw {key} differ at the end"),
        Claim::CameBack { key, value, writer, removal, known, read, .. } => format!(
            "{writer} brought {value} to {key}, {removal} took it out ({known} shows that it knew), and {read} saw it again"
        ),
        Claim::Vanished { key, lost, reads } => {
            format!("nothing of {lost} is in {key} at the end, by {} final reads", reads.len())
        }
        Claim::NotVerifiable { reason } => format!("cannot be verified: {reason}"),
    };
    vec![line]
}

fn edge(edge: &Edge) -> String {
    let Edge { from, to, kind, because } = edge;
    let why = match because {
        Because::Session { session } => format!("{session} asked both"),
        Because::Time { ended, began } => format!("ended at {ended}, before the other began at {began}"),
        Because::Value { key, value } => format!("read {value} from {key}"),
        Because::Element { key, element } => format!("read {key}, with {element} at its end"),
        Because::Behind { key, before, after, read } => {
            format!("{read} saw {key} with {before}, and {after} behind it or not yet")
        }
        Because::Without { key, element, .. } => format!("read {key} without {element}"),
        Because::Version { key, step } => format!("{key}: {}", version(step)),
    };
    format!("{from} ──{}──▶ {to}   {why}", kind.as_str())
}

fn version(step: &VersionStep) -> String {
    let (before, after) = (shown(step.before.as_ref()), shown(step.after.as_ref()));
    let why = match &step.known {
        Known::Start {} => "nothing is there before anything is written".into(),
        Known::Replaced { operation } => format!("{operation} read the one and wrote the other"),
        Known::Session { first, second } => {
            format!("{first} left the one, and {second} of its session found the other")
        }
        Known::Time { first, second } => {
            format!("{first} left the one and ended before {second} found the other")
        }
    };
    format!("{before} comes before {after}: {why}")
}
