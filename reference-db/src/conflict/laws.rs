//! The laws: whatever the order in which events come, and however often, stores end equal; and what they hold is what
//! the events say, by a model that looks at all of them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{Moment, Store, store};
use crate::clock::{DotSet, HybridClock, Stamp, VersionVector};
use crate::datum::Datum;
use crate::defect::Defects;
use crate::event::{Change, Event, Key};
use crate::mode::Mode;
use crate::names::{Dot, Origin};
use crate::request::{Action, Reading, Step};
use crate::time::Nanos;

const NODES: usize = 3;

/// A store and what a node keeps beside it.
struct Replica {
    store: Box<dyn Store>,
    applied: DotSet,
    clock: HybridClock,
}

impl Replica {
    fn new(mode: Mode) -> Replica {
        Replica { store: store(mode, false), applied: DotSet::new(), clock: HybridClock::default() }
    }

    fn take(&mut self, node: usize, steps: &[Step]) -> Option<Arc<Event>> {
        let origin: Origin = ["A", "B", "C"][node].parse().unwrap();
        let dot = Dot { origin, sequence: self.applied.vector().get(origin).next() };
        let stamp = Stamp { hlc: self.clock.tick(Nanos(0)), dot };
        let defects = Defects::default();
        let moment = Moment { stamp, ordinal: 0, applied: &self.applied, defects: &defects };
        let plan = self.store.plan(steps, &moment).ok().filter(|plan| !plan.effects.is_empty())?;
        let event = Event { dot, hlc: stamp.hlc, deps: VersionVector::new(), effects: plan.effects.into() };
        self.apply(&event);
        Some(Arc::new(event))
    }

    /// Applies an event, unless it has been: a doubled event is the node's to drop.
    fn apply(&mut self, event: &Event) {
        if self.applied.contains(event.dot) {
            return;
        }
        let defects = Defects::default();
        for (ordinal, effect) in event.effects.iter().enumerate() {
            let moment = Moment {
                stamp: event.stamp(),
                ordinal: ordinal as u32,
                applied: &self.applied,
                defects: &defects,
            };
            self.store.apply(effect, &moment);
        }
        self.applied.insert(event.dot);
        self.clock.observe(event.hlc);
    }

    fn contents(&self) -> BTreeMap<Key, Reading> {
        self.store.keys().into_iter().map(|key| (key.clone(), self.store.read(&key))).collect()
    }
}

/// What happens in a history: a node takes a transaction, having seen what another one has, or not.
#[derive(Debug, Clone)]
struct Happening {
    node: usize,
    hears_of: Option<usize>,
    steps: Vec<Step>,
}

/// The events of a history, at most one for each of its happenings.
fn events(mode: Mode, history: &[Happening]) -> Vec<Arc<Event>> {
    let mut replicas: Vec<Replica> = (0..NODES).map(|_| Replica::new(mode)).collect();
    let mut events: Vec<Arc<Event>> = Vec::new();
    for Happening { node, hears_of, steps } in history {
        if let Some(other) = hears_of {
            let known = replicas[*other].applied.clone();
            let heard = events.iter().filter(|event| known.contains(event.dot));
            heard.for_each(|event| replicas[*node].apply(event));
        }
        // A client that has read at the node sends what it has seen; every other client has seen nothing.
        let context = hears_of.map(|_| replicas[*node].applied.clone());
        let steps: Vec<Step> =
            steps.iter().map(|step| Step { context: context.clone(), ..step.clone() }).collect();
        events.extend(replicas[*node].take(*node, &steps));
    }
    events
}

fn histories() -> impl Strategy<Value = Vec<Happening>> {
    let action = (0..8_u8, 0..4_i64).prop_map(|(kind, number)| {
        let value = Datum::integer(number);
        match kind {
            0 => Action::Delete,
            1 => Action::Append { value },
            2 => Action::Increment { by: number - 1 },
            3 => Action::Add { value },
            4 => Action::Remove { value },
            5 => Action::Cas { from: value, to: Datum::integer(9) },
            _ => Action::Write { value },
        }
    });
    let key = prop::sample::select(vec!["x", "y"]);
    let step = (key, action).prop_map(|(key, action)| Step::new(Key::from(key), action));
    let steps = prop::collection::vec(step, 1..3);
    let happening = (0..NODES, prop::option::of(0..NODES), steps);
    let happening = happening.prop_map(|(node, hears_of, steps)| Happening { node, hears_of, steps });
    prop::collection::vec(happening, 1..25)
}

/// A history, and an order in which its events come, some of them twice.
fn deliveries() -> impl Strategy<Value = (Vec<Happening>, Vec<usize>)> {
    histories().prop_flat_map(|history| {
        let order: Vec<usize> = (0..history.len()).chain(0..history.len() / 2).collect();
        (Just(history), Just(order).prop_shuffle())
    })
}

/// Stores that get the same events in several orders are equal.
fn check_order(mode: Mode, history: &[Happening], order: &[usize]) -> Result<Vec<Arc<Event>>, TestCaseError> {
    let events = events(mode, history);
    let [mut told, mut reversed, mut shuffled] = [(); 3].map(|()| Replica::new(mode));
    events.iter().for_each(|event| told.apply(event));
    events.iter().rev().for_each(|event| reversed.apply(event));
    order.iter().filter_map(|index| events.get(*index)).for_each(|event| shuffled.apply(event));
    for other in [&reversed, &shuffled] {
        prop_assert_eq!(told.contents(), other.contents());
        prop_assert_eq!(told.store.fingerprint(), other.store.fingerprint());
    }
    Ok(events)
}

/// The changes of one key, each with its stamp.
fn changes<'a>(events: &'a [Arc<Event>], key: &'a Key) -> impl Iterator<Item = (Stamp, &'a Change)> {
    events.iter().flat_map(move |event| {
        let effects = event.effects.iter().filter(move |effect| effect.key == *key);
        effects.map(move |effect| (event.stamp(), &effect.change))
    })
}

fn held(mode: Mode, events: &[Arc<Event>], key: &Key) -> Reading {
    let mut replica = Replica::new(mode);
    events.iter().for_each(|event| replica.apply(event));
    replica.store.read(key)
}

proptest! {
    #[test]
    fn of_all_writes_the_latest_stays((history, order) in deliveries()) {
        let events = check_order(Mode::Lww, &history, &order)?;
        for key in [Key::from("x"), Key::from("y")] {
            let latest = changes(&events, &key).max_by_key(|(stamp, _)| *stamp);
            let expected = match latest {
                Some((stamp, Change::Write { value, .. })) => {
                    Reading::One { value: value.clone(), version: Some(stamp.dot) }
                }
                _ => Reading::Absent,
            };
            prop_assert_eq!(held(Mode::Lww, &events, &key), expected);
        }
    }

    #[test]
    fn what_nobody_has_covered_stays((history, order) in deliveries()) {
        let events = check_order(Mode::Siblings, &history, &order)?;
        for key in [Key::from("x"), Key::from("y")] {
            let mut expected = BTreeMap::new();
            for (stamp, change) in changes(&events, &key) {
                match change {
                    Change::Write { value, .. } => expected.insert(stamp.dot, value.clone()),
                    _ => expected.remove(&stamp.dot),
                };
            }
            for (_, change) in changes(&events, &key) {
                if let Change::Write { covers, .. } | Change::Delete { covers, .. } = change {
                    expected.retain(|dot, _| !covers.contains(*dot));
                }
            }
            let found: BTreeMap<Dot, Datum> = match held(Mode::Siblings, &events, &key) {
                Reading::Absent => BTreeMap::new(),
                Reading::One { value, version } => [(version.unwrap(), value)].into(),
                Reading::Siblings(all) => all.into_iter().map(|one| (one.version, one.value)).collect(),
            };
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn merged_types_do_not_depend_on_the_order((history, order) in deliveries()) {
        check_order(Mode::Crdt, &history, &order)?;
    }

    #[test]
    fn every_increment_counts_once((history, order) in deliveries()) {
        let history = only(&history, |action| matches!(action, Action::Increment { .. }));
        let events = check_order(Mode::Crdt, &history, &order)?;
        let key = Key::from("x");
        let steps: Vec<i64> = changes(&events, &key).map(|(_, change)| match change {
            Change::Increment { by } => *by,
            other => panic!("{other:?} is no increment"),
        }).collect();
        let expected = Datum::integer(steps.iter().sum());
        if !steps.is_empty() {
            prop_assert_eq!(held(Mode::Crdt, &events, &key).winner().cloned(), Some(expected));
        }
    }

    #[test]
    fn an_element_is_in_the_set_if_an_addition_was_not_seen_by_a_removal((history, order) in deliveries()) {
        let history = only(&history, |action| matches!(action, Action::Add { .. } | Action::Remove { .. }));
        let events = check_order(Mode::Crdt, &history, &order)?;
        let key = Key::from("x");
        let removed: BTreeSet<_> = changes(&events, &key).filter_map(|(_, change)| match change {
            Change::Remove { tags, .. } => Some(tags.clone()),
            _ => None,
        }).flatten().collect();
        let mut expected = BTreeSet::new();
        for event in &events {
            for (ordinal, effect) in event.effects.iter().enumerate().filter(|(_, effect)| effect.key == key) {
                if let Change::Add { value } = &effect.change
                    && !removed.contains(&(event.dot, ordinal as u32).into())
                {
                    expected.insert(value.clone());
                }
            }
        }
        let found = held(Mode::Crdt, &events, &key).winner().and_then(Datum::elements).unwrap_or_default();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_element_is_in_the_list_once_in_the_order_of_time((history, order) in deliveries()) {
        let history = only(&history, |action| matches!(action, Action::Append { .. }));
        let events = check_order(Mode::Crdt, &history, &order)?;
        let key = Key::from("x");
        let mut appended: Vec<_> = changes(&events, &key).collect();
        appended.sort_by_key(|(stamp, _)| *stamp);
        let expected: Vec<Datum> = appended.into_iter().map(|(_, change)| match change {
            Change::Append { value } => value.clone(),
            other => panic!("{other:?} is no append"),
        }).collect();
        let found = held(Mode::Crdt, &events, &key).winner().and_then(Datum::elements).unwrap_or_default();
        prop_assert_eq!(found, expected);
    }
}

/// The history without the steps of other kinds.
fn only(history: &[Happening], wanted: impl Fn(&Action) -> bool) -> Vec<Happening> {
    let rest = history.iter().map(|happening| {
        let steps = happening.steps.iter().filter(|step| wanted(&step.action)).cloned().collect();
        Happening { steps, ..happening.clone() }
    });
    rest.filter(|happening| !happening.steps.is_empty()).collect()
}
