//! Changes: ways to make a pinned plan smaller. Each gives another plan, or none where it has no meaning;
//! whether that still fails is for the oracle to say.

use std::collections::{BTreeMap, BTreeSet};

use histories::{FaultStage, History, Key, Nanos, NodeName, Value};
use nemesis::trigger::Cause;
use nemesis::{FaultSpec, PlannedFault, Schedule};

use crate::run::Resolved;
use crate::script::{Act, Line, Script};
use crate::target::TargetSpec;

/// The calls of a plan.
pub(super) fn lines(resolved: &Resolved) -> &[Line] {
    resolved.script.as_ref().map_or(&[], |script| &script.calls)
}

/// The same with these calls.
pub(super) fn with_lines(resolved: &Resolved, calls: Vec<Line>) -> Option<Resolved> {
    (!calls.is_empty()).then(|| tight(resolved.clone().pinned(Script { calls })))
}

/// The same with the calls that `keep` keeps.
pub(super) fn keep_lines(resolved: &Resolved, keep: impl Fn(&Line) -> bool) -> Option<Resolved> {
    with_lines(resolved, lines(resolved).iter().filter(|line| keep(line)).cloned().collect())
}

/// The same with these faults, each with the number that it had: numbers, names and words are made anew.
pub(super) fn with_faults(resolved: &Resolved, faults: Vec<(u32, PlannedFault)>) -> Option<Resolved> {
    let numbers: Vec<u32> = faults.iter().map(|(number, _)| *number).collect();
    let mut specs = Vec::new();
    for (_, mut fault) in faults {
        if let Some(Cause::Fault { fault: other, .. }) =
            fault.trigger.as_mut().map(|trigger| &mut trigger.cause)
        {
            // A fault that waits for one that is gone would never come.
            let place = numbers.iter().position(|number| *number == other.0)?;
            other.0 = place as u32;
        }
        specs.push(FaultSpec::of(&fault, &resolved.nodes));
    }
    let faults = settled(&specs, resolved)?;
    Some(tight(Resolved { faults, ..resolved.clone() }))
}

/// What is said of the faults is made anew; nothing is drawn, for everything is named.
fn settled(specs: &[FaultSpec], resolved: &Resolved) -> Option<Schedule> {
    let end = Nanos(u64::MAX / 4);
    Schedule::resolve(specs, &resolved.nodes, end, &mut resolved.seed().stream()).ok()
}

/// Every fault with its number.
pub(super) fn faults(resolved: &Resolved) -> Vec<(u32, PlannedFault)> {
    resolved.faults.faults.iter().map(|fault| (fault.id.0, fault.clone())).collect()
}

/// The same with one fault changed.
pub(super) fn with_fault(
    resolved: &Resolved,
    index: usize,
    change: impl FnOnce(&mut PlannedFault),
) -> Option<Resolved> {
    let mut faults = faults(resolved);
    change(&mut faults[index].1);
    with_faults(resolved, faults)
}

/// The same with faults that begin when they began in this record, instead of waiting for something. None
/// if no fault waits.
pub(super) fn timed(resolved: &Resolved, history: &History) -> Option<Resolved> {
    resolved.faults.faults.iter().find(|fault| fault.trigger.is_some())?;
    let begun = |fault: &PlannedFault| {
        let mut events = history.faults().iter().filter(|(_, event)| event.fault == fault.id);
        events.find(|(_, event)| event.stage == FaultStage::Injecting).map(|(time, _)| *time)
    };
    let mut left = Vec::new();
    for (number, fault) in faults(resolved) {
        // One that never began is not needed.
        let Some(at) = begun(&fault) else { continue };
        left.push((number, PlannedFault { at, trigger: None, ..fault }));
    }
    with_faults(resolved, left)
}

/// Ends the load with what happens last in it, at a round time.
fn tight(mut resolved: Resolved) -> Resolved {
    const ROUND: u64 = 100_000_000;
    let calls = lines(&resolved).iter().map(|line| line.at + Nanos(1)).max().unwrap_or_default();
    let last = resolved.faults.faults.iter().map(|fault| match fault.trigger {
        None => fault.end(),
        // It begins whenever it begins, with a call or after one.
        Some(_) => calls + resolved.timeout + fault.duration,
    });
    let end = last.max().unwrap_or_default().max(calls);
    resolved.duration = Nanos(end.0.div_ceil(ROUND).max(1) * ROUND);
    resolved
}

/// The same without a node: its calls go to `heir`, or are not asked; the nodes after it move up.
pub(super) fn without_node(resolved: &Resolved, node: usize, heir: Option<usize>) -> Option<Resolved> {
    let mut target: TargetSpec = resolved.target.parse().ok()?;
    target.set_nodes(u32::try_from(resolved.nodes.len() - 1).ok()?).ok()?;
    // Fewer nodes may be fewer than have to acknowledge a write.
    target.admit().ok()?;
    let fewer = target.nodes();
    let place = |name: &NodeName| resolved.nodes.iter().position(|known| known == name);
    let moved = |place: usize| (place != node).then(|| fewer[place - usize::from(place > node)].clone());
    let renamed = |name: &NodeName| moved(place(name)?);
    let heir = heir.and_then(moved);
    let mut calls = Vec::new();
    for line in lines(resolved) {
        if let Some(node) = renamed(&line.node).or_else(|| heir.clone()) {
            calls.push(Line { node, ..line.clone() });
        }
    }
    let mut faults = Vec::new();
    for (number, mut fault) in self::faults(resolved) {
        fault.effects.retain_mut(|effect| {
            effect.nodes_mut().into_iter().all(|name| renamed(name).map(|new| *name = new).is_some())
        });
        if let Some(Cause::Call { node: Some(name), .. }) =
            fault.trigger.as_mut().map(|trigger| &mut trigger.cause)
        {
            *name = renamed(name).or_else(|| heir.clone())?;
        }
        if !fault.effects.is_empty() {
            faults.push((number, fault));
        }
    }
    let smaller = Resolved { target: target.to_string(), nodes: fewer, ..resolved.clone() };
    with_lines(&with_faults(&smaller, faults)?, calls)
}

/// The same with all times in one rhythm: what happens at one time still does, and what comes after
/// comes after. Times that are less than `gap` apart become one.
///
/// ```text
///   cut 10 s   write 12.412 s   write 13.121 s   heal 20 s      cut 0.5 s   1 s   1.5 s   heal 2 s
/// ```
pub(super) fn in_rhythm(resolved: &Resolved, beat: Nanos, gap: Nanos) -> Option<Resolved> {
    let timed = resolved.faults.faults.iter().filter(|fault| fault.trigger.is_none());
    let faults = timed.flat_map(|fault| [fault.at, fault.end()]);
    let times: BTreeSet<Nanos> = lines(resolved).iter().map(|line| line.at).chain(faults).collect();
    let (mut new, mut last, mut now) = (BTreeMap::new(), None, Nanos(0));
    for time in times {
        if last.is_none_or(|last| time.since(last) > gap) {
            now = now + beat;
        }
        last = Some(time);
        new.insert(time, now);
    }
    retimed(resolved, |time| new.get(&time).copied().unwrap_or(time))
}

/// The same with all times rounded down to whole so many.
pub(super) fn rounded(resolved: &Resolved, unit: Nanos) -> Option<Resolved> {
    retimed(resolved, |time| Nanos(time.0 - time.0 % unit.0))
}

fn retimed(resolved: &Resolved, new: impl Fn(Nanos) -> Nanos) -> Option<Resolved> {
    let calls = lines(resolved).iter().map(|line| Line { at: new(line.at), ..line.clone() }).collect();
    let mut faults = faults(resolved);
    for (_, fault) in faults.iter_mut().filter(|(_, fault)| fault.trigger.is_none()) {
        let end = new(fault.end());
        fault.at = new(fault.at);
        fault.duration = end.since(fault.at);
        if fault.duration == Nanos(0) {
            return None;
        }
    }
    with_lines(&with_faults(resolved, faults)?, calls)
}

/// The same with short names: keys x, y, z, whole numbers from 1, sessions from 0, in the order of calls.
pub(super) fn plainly_named(resolved: &Resolved) -> Option<Resolved> {
    let mut names = Names::default();
    let mut calls = lines(resolved).to_vec();
    for line in &mut calls {
        line.session = names.session(line.session);
        line.acts_mut().iter_mut().for_each(|act| names.rename(act));
    }
    let mut faults = faults(resolved);
    for (_, fault) in &mut faults {
        if let Some(Cause::Call { key: Some(key), .. }) =
            fault.trigger.as_mut().map(|trigger| &mut trigger.cause)
        {
            *key = names.key(key);
        }
    }
    with_lines(&with_faults(resolved, faults)?, calls)
}

#[derive(Default)]
struct Names {
    keys: BTreeMap<Key, Key>,
    integers: BTreeMap<i64, i64>,
    sessions: BTreeMap<u32, u32>,
}

impl Names {
    fn session(&mut self, session: u32) -> u32 {
        let next = self.sessions.len() as u32;
        *self.sessions.entry(session).or_insert(next)
    }

    fn key(&mut self, key: &Key) -> Key {
        let next = match self.keys.len() {
            few @ 0..=2 => ["x", "y", "z"][few].to_string(),
            many => format!("k{many}"),
        };
        self.keys.entry(key.clone()).or_insert_with(|| Key::from(next)).clone()
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Integer(integer) => {
                let next = self.integers.len() as i64 + 1;
                *integer = *self.integers.entry(*integer).or_insert(next);
            }
            Value::Text(_) => {}
            Value::List(elements) => {
                let mut renamed = elements.to_vec();
                renamed.iter_mut().for_each(|element| self.value(element));
                *elements = renamed.into();
            }
        }
    }

    fn rename(&mut self, act: &mut Act) {
        match act {
            Act::Read(key)
            | Act::Delete(key)
            | Act::Dequeue(key)
            | Act::Pop(key)
            | Act::Increment { key, .. } => {
                *key = self.key(key);
            }
            Act::Write { key, value } | Act::Replace { key, value } => {
                *key = self.key(key);
                self.value(value);
            }
            Act::Append { key, element }
            | Act::Add { key, element }
            | Act::Remove { key, element }
            | Act::Enqueue { key, element }
            | Act::Push { key, element }
            | Act::Extend { key, element } => {
                *key = self.key(key);
                self.value(element);
            }
            Act::CompareAndSet { key, expected, value } => {
                *key = self.key(key);
                expected.values.iter_mut().for_each(|value| self.value(value));
                self.value(value);
            }
        }
    }
}
