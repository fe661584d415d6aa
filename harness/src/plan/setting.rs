//! Settings: each has a path in the plan, a way to be read and a way to be shown. From this one list
//! come the plan file, `--show-plan` and the messages about names that do not exist.

use clap::ValueEnum;
use histories::Nanos;
use toml::Value;

use super::{Expectation, Faults, KeyDistribution, OnIndeterminate, Plan, Routing, World};
use crate::names;
use crate::progress::ProgressHow;
use crate::target::TargetSpec;

/// One setting of a plan.
pub(crate) struct Setting {
    /// Where it stands in the file, such as `load.rate`.
    pub(crate) path: &'static str,
    /// What it means, for people.
    pub(crate) about: &'static str,
    /// Takes a value; the error says what was expected.
    pub(crate) set: fn(&mut Plan, &Value) -> Result<(), String>,
    /// The value as it would be written in a plan; none if it has none.
    pub(crate) show: fn(&Plan) -> Option<Value>,
}

/// Every setting but `[[fault]]` and `[expect]`, in the order in which they are applied and shown.
pub(crate) static SETTINGS: &[Setting] = &[
    Setting {
        path: "name",
        about: "what reports call the plan",
        set: |plan, value| assign(&mut plan.name, text(value)),
        show: |plan| Some(plan.name.as_str().into()),
    },
    Setting {
        path: "world",
        about: "live: real processes; sim: virtual time, the same to the byte for one seed",
        set: |plan, value| assign(&mut plan.world, world(&text(value)?)),
        show: |plan| Some(plan.world.as_str().into()),
    },
    Setting {
        path: "target",
        about: "reference:MODE, control, or the URLs of a store that speaks the reference API",
        set: |plan, value| assign(&mut plan.target, text(value)?.parse::<TargetSpec>()),
        show: |plan| Some(plan.target.to_string().into()),
    },
    Setting {
        path: "target.reference",
        about: "mode of the bundled database",
        set: |plan, value| plan.target.set_mode(&text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.url",
        about: "where a store runs that speaks the reference API",
        set: |plan, value| assign(&mut plan.target, text(value)?.parse::<TargetSpec>()),
        show: |_| None,
    },
    Setting {
        path: "target.nodes",
        about: "nodes of the bundled database",
        set: |plan, value| plan.target.set_nodes(whole(value, 1, 26)?),
        show: |_| None,
    },
    Setting {
        path: "target.topology",
        about: "who sends to whom in the bundled database",
        set: |plan, value| plan.target.set("topology", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.links",
        about: "the links of topology custom: A>B one way, A-B both ways",
        set: |plan, value| plan.target.set("links", &list(value, '+')?.join("+")),
        show: |_| None,
    },
    Setting {
        path: "target.regions",
        about: "which nodes are close to each other, as eu: A B; in topology two-tier the first of each leads",
        set: |plan, value| {
            let regions = list(value, '/')?.into_iter().map(|region| regional(&region));
            plan.target.set("regions", &regions.collect::<Vec<_>>().join("/"))
        },
        show: |_| None,
    },
    Setting {
        path: "target.latency",
        about: "one way within and between regions: local: 0.5ms..2ms, remote: 50ms..200ms, eu-us: 40ms..60ms",
        set: |plan, value| {
            let distances = list(value, '+')?.into_iter().map(|distance| distance.replace(' ', ""));
            plan.target.set("latency", &distances.collect::<Vec<_>>().join("+"))
        },
        show: |_| None,
    },
    Setting {
        path: "target.reads",
        about: "who answers what is read in mode single-leader",
        set: |plan, value| plan.target.set("reads", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.delivery",
        about: "in which order the bundled database applies what it receives",
        set: |plan, value| plan.target.set("delivery", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.witnesses",
        about: "nodes that keep of each event only that it happened, and count for acknowledgements",
        set: |plan, value| plan.target.set("witnesses", &list(value, '+')?.join("+")),
        show: |_| None,
    },
    Setting {
        path: "target.routers",
        about: "nodes that keep nothing, and pass on what they are asked",
        set: |plan, value| plan.target.set("routers", &list(value, '+')?.join("+")),
        show: |_| None,
    },
    Setting {
        path: "target.misdirected",
        about: "what becomes of requests that another node has to answer: forward, redirect or reject",
        set: |plan, value| plan.target.set("misdirected", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.failover",
        about: "who has another node lead in mode single-leader: auto or manual",
        set: |plan, value| plan.target.set("failover", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.detector",
        about: "how it is found out that a leader is gone: timeout or phi",
        set: |plan, value| plan.target.set("detector", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.detect-after",
        about: "for how long a leader is silent before it counts as gone",
        set: |plan, value| plan.target.set("detect-after", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.phi",
        about: "from which suspicion on a leader counts as gone, for detector phi",
        set: |plan, value| plan.target.set("phi", &whole::<u32>(value, 1, 100)?.to_string()),
        show: |_| None,
    },
    Setting {
        path: "target.election",
        about: "who leads next: most-caught-up or highest-id",
        set: |plan, value| plan.target.set("election", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.fencing",
        about: "whether the old leader can go on: epoch or none",
        set: |plan, value| plan.target.set("fencing", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.rejoin",
        about: "what becomes of what an old leader has and the new one had not: truncate, keep or refuse",
        set: |plan, value| plan.target.set("rejoin", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.ack",
        about: "who must have a write before the bundled database confirms it",
        set: |plan, value| plan.target.set("ack", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.ack-nodes",
        about: "how many nodes must have it, the one that takes it included",
        set: |plan, value| plan.target.set("ack-nodes", &whole::<u32>(value, 1, 26)?.to_string()),
        show: |_| None,
    },
    Setting {
        path: "target.ack-timeout",
        about: "how long a write waits for that",
        set: |plan, value| plan.target.set("ack-timeout", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.on-ack-timeout",
        about: "what becomes of a write that too few nodes have acknowledged in time",
        set: |plan, value| plan.target.set("on-ack-timeout", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.on-follower-down",
        about: "what becomes of writes that wait for a node which has fallen silent",
        set: |plan, value| plan.target.set("on-follower-down", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.tombstones",
        about: "how long a node of the bundled database remembers deletions, 0 = for ever",
        set: |plan, value| plan.target.set("tombstones", &text(value)?),
        show: |_| None,
    },
    Setting {
        path: "target.defects",
        about: "planted bugs of the bundled database that are switched on",
        set: |plan, value| plan.target.set("defects", &list(value, '+')?.join("+")),
        show: |_| None,
    },
    Setting {
        path: "load.workload",
        about: "what the clients do",
        set: |plan, value| assign(&mut plan.load.workload, workload(&text(value)?)),
        show: |plan| Some(plan.load.workload.as_str().into()),
    },
    Setting {
        path: "load.clients",
        about: "concurrent clients",
        set: |plan, value| assign(&mut plan.load.clients, whole(value, 1, 10_000)),
        show: |plan| Some(i64::from(plan.load.clients).into()),
    },
    Setting {
        path: "load.sessions",
        about: "sticky: a client stays on its node; roam: any node",
        set: |plan, value| assign(&mut plan.load.sessions, routing(&text(value)?).map(Some)),
        show: |plan| plan.load.sessions.map(|routing| routing.as_str().into()),
    },
    Setting {
        path: "load.tokens",
        about: "sessions carry what they have seen from node to node: true or false",
        set: |plan, value| assign(&mut plan.load.tokens, yes_or_no(value)),
        show: |plan| plan.load.tokens.then_some(true.into()),
    },
    Setting {
        path: "load.rate",
        about: "calls per second over all clients, 0 = as fast as possible",
        set: |plan, value| assign(&mut plan.load.rate, whole(value, 0, 1_000_000)),
        show: |plan| Some(i64::from(plan.load.rate).into()),
    },
    Setting {
        path: "load.keys",
        about: "keys in use at a time",
        set: |plan, value| assign(&mut plan.load.keys, whole(value, 1, 1_000_000)),
        show: |plan| Some(i64::from(plan.load.keys).into()),
    },
    Setting {
        path: "load.key-distribution",
        about: "how often each key is used: uniform, zipf, or hot: nine of ten uses on a tenth of the keys",
        set: |plan, value| assign(&mut plan.load.key_distribution, key_distribution(&text(value)?)),
        show: |plan| Some(plan.load.key_distribution.as_str().into()),
    },
    Setting {
        path: "load.duration",
        about: "how long the load lasts, without set-up and checking",
        set: |plan, value| assign(&mut plan.load.duration, positive(value)),
        show: |plan| Some(show_duration(plan.load.duration)),
    },
    Setting {
        path: "load.timeout",
        about: "after that a call is unknown, never failed",
        set: |plan, value| assign(&mut plan.load.timeout, positive(value)),
        show: |plan| Some(show_duration(plan.load.timeout)),
    },
    Setting {
        path: "faults",
        about: "kinds of fault, spread over the load by the seed",
        set: |plan, value| assign(&mut plan.faults, faults(value)),
        show: |plan| match &plan.faults {
            Faults::Kinds(kinds) => Some(show_list(kinds)),
            Faults::Swarm(kinds) => Some(show_list(std::iter::once(&SWARM.to_string()).chain(kinds))),
            Faults::Listed(_) => None,
        },
    },
    Setting {
        path: "check.settle",
        about: "longest quiet time after the last fault, before the final reads",
        set: |plan, value| assign(&mut plan.check.settle, duration(value)),
        show: |plan| Some(show_duration(plan.check.settle)),
    },
    Setting {
        path: "check.time",
        about: "longest search of a checker (counted in steps); then the answer is \"not judged\", not \"held\"",
        set: |plan, value| assign(&mut plan.check.time, positive(value)),
        show: |plan| Some(show_duration(plan.check.time)),
    },
    Setting {
        path: "check.min-exposure",
        about: "a guarantee with fewer chances to break is \"not judged\"",
        set: |plan, value| assign(&mut plan.check.min_exposure, whole(value, 1, i64::MAX as u64)),
        show: |plan| Some(i64::try_from(plan.check.min_exposure).unwrap_or(i64::MAX).into()),
    },
    Setting {
        path: "check.on-indeterminate",
        about: "fail: exit code 2 if a guarantee could not be judged; pass: 0",
        set: |plan, value| assign(&mut plan.check.on_indeterminate, on_indeterminate(&text(value)?)),
        show: |plan| Some(plan.check.on_indeterminate.as_str().into()),
    },
    Setting {
        path: "progress",
        about: "how progress is shown: auto, full, line or none",
        set: |plan, value| assign(&mut plan.progress, progress(&text(value)?).map(Some)),
        show: |plan| plan.progress.map(|how| how.name().into()),
    },
    Setting {
        path: "seed",
        about: "fixes requests and fault schedule; random when absent",
        set: |plan, value| assign(&mut plan.seed, text(value)?.parse().map(Some)),
        show: |plan| plan.seed.map(|seed| seed.to_string().into()),
    },
    Setting {
        path: "repeat",
        about: "run this many seeds, stop at the first broken expectation",
        set: |plan, value| assign(&mut plan.repeat, whole(value, 1, 1_000_000)),
        show: |plan| Some(i64::from(plan.repeat).into()),
    },
];

/// The setting at `path`.
pub(crate) fn find(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.path == path)
}

pub(crate) fn expectation(value: &Value) -> Result<Expectation, String> {
    match text(value)?.as_str() {
        "hold" => Ok(Expectation::Hold),
        "break" => Ok(Expectation::Break),
        "watch" => Ok(Expectation::Watch),
        other => Err(names::unknown("expectation", other, Expectation::NAMES)),
    }
}

pub(crate) fn guarantee(name: &str) -> Result<String, String> {
    match checkers::checker(name) {
        Some(_) => Ok(name.to_string()),
        None => Err(names::unknown("guarantee", name, checkers::CHECKERS.iter().map(|c| c.guarantee()))),
    }
}

fn assign<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn workload(name: &str) -> Result<String, String> {
    match crate::workload::find(name) {
        Some(_) => Ok(name.to_string()),
        None => Err(names::unknown("workload", name, crate::workload::WORKLOADS.iter().map(|w| w.name()))),
    }
}

/// Stands among kinds of fault and has everything drawn from the seed.
pub(crate) const SWARM: &str = "swarm";

fn faults(value: &Value) -> Result<Faults, String> {
    let kinds = list(value, ',')?;
    let swarm = kinds.iter().any(|kind| kind == SWARM);
    let kinds: Vec<String> =
        kinds.into_iter().filter(|kind| kind != "none" && kind != SWARM && !kind.is_empty()).collect();
    for kind in &kinds {
        let known =
            ["none", SWARM].into_iter().chain(nemesis::fault::FAULTS.iter().map(|fault| fault.name()));
        nemesis::fault::find(kind).map_err(|_| names::unknown("kind of fault", kind, known))?;
    }
    Ok(if swarm { Faults::Swarm(kinds) } else { Faults::Kinds(kinds) })
}

fn show_list<'a>(words: impl IntoIterator<Item = &'a String>) -> Value {
    Value::Array(words.into_iter().map(|word| word.as_str().into()).collect())
}

fn world(name: &str) -> Result<World, String> {
    match name {
        "live" => Ok(World::Live),
        "sim" => Ok(World::Sim),
        other => Err(names::unknown("world", other, World::NAMES)),
    }
}

fn routing(name: &str) -> Result<Routing, String> {
    match name {
        "sticky" => Ok(Routing::Sticky),
        "roam" => Ok(Routing::Roam),
        other => Err(names::unknown("kind of session", other, ["sticky", "roam"])),
    }
}

fn key_distribution(name: &str) -> Result<KeyDistribution, String> {
    let known = KeyDistribution::ALL;
    let found = known.into_iter().find(|distribution| distribution.as_str() == name);
    found.ok_or_else(|| names::unknown("distribution of keys", name, known.map(KeyDistribution::as_str)))
}

fn progress(name: &str) -> Result<ProgressHow, String> {
    let known = ProgressHow::value_variants();
    let found = known.iter().copied().find(|how| how.name() == name);
    found.ok_or_else(|| names::unknown("kind of progress", name, known.iter().map(|how| how.name())))
}

fn on_indeterminate(name: &str) -> Result<OnIndeterminate, String> {
    match name {
        "fail" => Ok(OnIndeterminate::Fail),
        "pass" => Ok(OnIndeterminate::Pass),
        other => Err(names::unknown("answer", other, ["fail", "pass"])),
    }
}

fn yes_or_no(value: &Value) -> Result<bool, String> {
    match value {
        Value::Boolean(yes) => Ok(*yes),
        Value::String(text) if text == "true" || text == "false" => Ok(text == "true"),
        other => Err(format!("expected true or false, found {other}")),
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(format!("expected a text in quotes, found {other}")),
    }
}

/// A list, or a text with the separator between its parts.
fn list(value: &Value, separator: char) -> Result<Vec<String>, String> {
    match value {
        Value::String(list) => Ok(list.split(separator).map(|part| part.trim().to_string()).collect()),
        Value::Array(list) => list.iter().map(text).collect(),
        other => Err(format!("expected a list such as [\"one\", \"other\"], found {other}")),
    }
}

/// `eu: A B` as the database has it, `eu:A+B`.
fn regional(region: &str) -> String {
    match region.split_once(':') {
        Some((name, nodes)) => {
            let nodes: Vec<&str> = nodes.split([' ', '+']).filter(|node| !node.is_empty()).collect();
            format!("{}:{}", name.trim(), nodes.join("+"))
        }
        None => region.to_owned(),
    }
}

/// A whole number in `[min, max]`, written as a number or, on the command line, as text.
fn whole<T: TryFrom<u64>>(value: &Value, min: u64, max: u64) -> Result<T, String> {
    let number = match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::String(text) => text.replace(['_', ' '], "").parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (min..=max).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("expected a whole number from {min} to {max}, found {value}"))
}

fn duration(value: &Value) -> Result<Nanos, String> {
    nemesis::duration::parse(&text(value)?).map_err(|error| error.to_string())
}

fn positive(value: &Value) -> Result<Nanos, String> {
    match duration(value)? {
        Nanos(0) => Err("expected more than 0s".into()),
        positive => Ok(positive),
    }
}

fn show_duration(duration: Nanos) -> Value {
    nemesis::duration::format(duration).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_setting_shows_it_takes_again() {
        let mut plan = Plan::default();
        for setting in SETTINGS {
            let Some(shown) = (setting.show)(&plan) else { continue };
            assert_eq!((setting.set)(&mut plan, &shown), Ok(()), "{}", setting.path);
            assert_eq!((setting.show)(&plan), Some(shown), "{}", setting.path);
        }
    }
}
