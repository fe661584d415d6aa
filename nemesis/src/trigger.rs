//! Triggers: faults that wait for something to happen instead of for a time.
//!
//! ```text
//! when = { confirmed = "write", key = "x", node = "A" }   the first write of x that A confirms
//! when = { asked = "update", nth = 3 }                    the third change that anybody asks for
//! when = { confirmed = "any", every = 20, delay = "5ms" } 5 ms after each twentieth call
//! when = { fault = 0, is = "healed" }                     once F0 has healed
//! ```
//!
//! A [`Lookout`] counts what happens and says which faults begin. It is pure: the simulator asks it
//! at the very moment of virtual time; live it stands behind a [`Sentry`](crate::Sentry).

use std::fmt;

use histories::{Call, FaultId, Key, MicroOp, Nanos, NodeName, Outcome};

use crate::{Error, Schedule, duration};

mod words;

pub use words::TriggerError;

/// What a fault waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What has to happen.
    pub cause: Cause,
    /// The how-manieth time counts, from 1.
    pub nth: u64,
    /// After that every so many times again, if at all; above 0.
    pub every: Option<u64>,
    /// How long after it the fault begins.
    pub delay: Nanos,
}

/// Something that may happen, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A client's call comes to this moment.
    Call {
        /// Which moment.
        moment: Moment,
        /// What is called.
        kind: CallKind,
        /// On this key, or on any.
        key: Option<Key>,
        /// At this node, or at any.
        node: Option<NodeName>,
    },
    /// Another fault comes so far.
    Fault {
        /// Which fault of the schedule.
        fault: FaultId,
        /// How far.
        milestone: Milestone,
    },
}

/// A moment in the life of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The client asks; nothing has been sent.
    Asked,
    /// The client hears that it happened.
    Confirmed,
    /// The client hears that it did not happen.
    Failed,
    /// The client will never know.
    Unknown,
}

impl Moment {
    /// All moments.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Confirmed, Self::Failed, Self::Unknown];

    /// How a plan writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl From<&Outcome> for Moment {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Confirmed(_) => Self::Confirmed,
            Outcome::Failed(_) => Self::Failed,
            Outcome::Unknown(_) => Self::Unknown,
        }
    }
}

/// A milestone in the life of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// It was injected.
    Begun,
    /// It was seen to bite.
    Effective,
    /// It is gone.
    Healed,
}

impl Milestone {
    /// All milestones.
    pub const ALL: [Self; 3] = [Self::Begun, Self::Effective, Self::Healed];

    /// How a plan writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Effective => "effective",
            Self::Healed => "healed",
        }
    }
}

/// Kinds of call, as plans name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// An element is put into a set.
    Add,
    /// Whatever it is.
    Any,
    /// An element is put at the end of a list.
    Append,
    /// A value is replaced if it is the one that was seen.
    CompareAndSet,
    /// A key is made absent.
    Delete,
    /// The oldest value of a queue is taken out.
    Dequeue,
    /// A value is put at the end of a queue.
    Enqueue,
    /// A counter is changed.
    Increment,
    /// The newest value of a stack is taken off.
    Pop,
    /// A value is put on a stack.
    Push,
    /// Nothing is changed.
    Read,
    /// An element is taken out of a set.
    Remove,
    /// Something is changed.
    Update,
    /// A value is stored, whatever is there.
    Write,
}

impl CallKind {
    /// All kinds, sorted by name.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Any,
        Self::Append,
        Self::CompareAndSet,
        Self::Delete,
        Self::Dequeue,
        Self::Enqueue,
        Self::Increment,
        Self::Pop,
        Self::Push,
        Self::Read,
        Self::Remove,
        Self::Update,
        Self::Write,
    ];

    /// How a plan writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Any => "any",
            Self::Append => "append",
            Self::CompareAndSet => "compare-and-set",
            Self::Delete => "delete",
            Self::Dequeue => "dequeue",
            Self::Enqueue => "enqueue",
            Self::Increment => "increment",
            Self::Pop => "pop",
            Self::Push => "push",
            Self::Read => "read",
            Self::Remove => "remove",
            Self::Update => "update",
            Self::Write => "write",
        }
    }

    /// Whether an operation is of the kind.
    pub fn covers(self, micro_op: &MicroOp) -> bool {
        match self {
            Self::Any => true,
            Self::Update => !micro_op.is_read(),
            Self::Add
            | Self::Append
            | Self::CompareAndSet
            | Self::Delete
            | Self::Dequeue
            | Self::Enqueue
            | Self::Increment
            | Self::Pop
            | Self::Push
            | Self::Read
            | Self::Remove
            | Self::Write => self == Self::of(micro_op),
        }
    }

    /// The kind of one operation.
    fn of(micro_op: &MicroOp) -> Self {
        match micro_op {
            MicroOp::Read { .. } => Self::Read,
            MicroOp::Write { .. } => Self::Write,
            MicroOp::CompareAndSet { .. } => Self::CompareAndSet,
            MicroOp::Append { .. } => Self::Append,
            MicroOp::Add { .. } => Self::Add,
            MicroOp::Remove { .. } => Self::Remove,
            MicroOp::Increment { .. } => Self::Increment,
            MicroOp::Delete { .. } => Self::Delete,
            MicroOp::Enqueue { .. } => Self::Enqueue,
            MicroOp::Dequeue { .. } => Self::Dequeue,
            MicroOp::Push { .. } => Self::Push,
            MicroOp::Pop { .. } => Self::Pop,
        }
    }
}

impl fmt::Display for CallKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that happened, as a lookout is told.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// A client's call came to this moment.
    Call {
        /// Which moment.
        moment: Moment,
        /// What was called.
        call: &'a Call,
        /// At which node.
        node: &'a NodeName,
    },
    /// A fault came so far.
    Fault(FaultId, Milestone),
}

impl Cause {
    /// Whether this happened; in a few words, such as `A confirmed write x`.
    fn seen_in(&self, sight: Sight<'_>) -> Option<String> {
        match (self, sight) {
            (Self::Call { moment, kind, key, node }, Sight::Call { moment: at, call, node: place }) => {
                if *moment != at || node.as_ref().is_some_and(|node| node != place) {
                    return None;
                }
                let on_key = |op: &&MicroOp| key.as_ref().is_none_or(|key| key == op.key());
                let op = call.micro_ops().iter().filter(on_key).find(|op| kind.covers(op))?;
                let what = format!("{} {}", CallKind::of(op), op.key());
                Some(match at {
                    Moment::Asked => format!("{place} was asked for {what}"),
                    Moment::Confirmed => format!("{place} confirmed {what}"),
                    Moment::Failed => format!("{place} failed {what}"),
                    Moment::Unknown => format!("{place} left {what} unknown"),
                })
            }
            (Self::Fault { fault, milestone }, Sight::Fault(seen, reached)) => {
                let done = match milestone {
                    Milestone::Begun => "began",
                    Milestone::Effective => "bit",
                    Milestone::Healed => "healed",
                };
                (*fault == seen && *milestone == reached).then(|| format!("{fault} {done}"))
            }
            (Self::Call { .. }, Sight::Fault(..)) | (Self::Fault { .. }, Sight::Call { .. }) => None,
        }
    }
}

impl Trigger {
    /// The first time that this happens.
    pub fn new(cause: Cause) -> Self {
        Self { cause, nth: 1, every: None, delay: Nanos(0) }
    }

    /// Whether the `count`th time counts.
    fn fires_at(&self, count: u64) -> bool {
        match self.every {
            Some(every) => count >= self.nth && (count - self.nth).is_multiple_of(every),
            None => count == self.nth,
        }
    }

    /// Refuses what the store or the plan does not have.
    pub(crate) fn check(&self, own: FaultId, faults: usize, nodes: &[NodeName]) -> Result<(), Error> {
        match &self.cause {
            Cause::Call { node: Some(node), .. } => {
                crate::fault::node_of("when", node.as_str(), nodes).map(|_| ())
            }
            Cause::Call { node: None, .. } => Ok(()),
            Cause::Fault { fault, .. } if *fault == own || fault.index() >= faults => {
                Err(TriggerError::NoSuchFault { own, fault: *fault, faults }.into())
            }
            Cause::Fault { .. } => Ok(()),
        }
    }
}

/// `confirmed write x at A, 3rd, every 20th, 5ms later`.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Call { moment, kind, key, node } => {
                write!(f, "{} {kind}", moment.name())?;
                key.iter().try_for_each(|key| write!(f, " {key}"))?;
                node.iter().try_for_each(|node| write!(f, " at {node}"))?;
            }
            Cause::Fault { fault, milestone } => write!(f, "{fault} {}", milestone.name())?,
        }
        if self.nth > 1 && self.every != Some(self.nth) {
            write!(f, ", {}", ordinal(self.nth))?;
        }
        self.every.iter().try_for_each(|every| write!(f, ", every {}", ordinal(*every)))?;
        if self.delay > Nanos(0) {
            write!(f, ", {} later", duration::format(self.delay))?;
        }
        Ok(())
    }
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A fault shall begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Which, as an index into [`Schedule::faults`].
    pub fault: usize,
    /// How long from now.
    pub delay: Nanos,
    /// Why, in a few words, such as `when A confirmed write x`.
    pub because: String,
}

/// Looks out for what the faults of a schedule wait for.
#[derive(Debug, Clone, Default)]
pub struct Lookout {
    posts: Vec<Post>,
}

/// What one fault waits for, and how often that has happened.
#[derive(Debug, Clone)]
struct Post {
    fault: usize,
    trigger: Trigger,
    earliest: Nanos,
    count: u64,
}

impl Lookout {
    /// Looks out for every fault that waits.
    pub fn new(schedule: &Schedule) -> Self {
        let post = |(fault, planned): (usize, &crate::PlannedFault)| {
            let trigger = planned.trigger.clone()?;
            Some(Post { fault, trigger, earliest: planned.at, count: 0 })
        };
        Self { posts: schedule.faults.iter().enumerate().filter_map(post).collect() }
    }

    /// True if nothing is waited for.
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// Something happened at `now`, since the load began; gives the faults that it sets off.
    pub fn saw(&mut self, now: Nanos, sight: Sight<'_>) -> Vec<Alarm> {
        self.posts.iter_mut().filter_map(|post| post.saw(now, sight)).collect()
    }
}

impl Post {
    fn saw(&mut self, now: Nanos, sight: Sight<'_>) -> Option<Alarm> {
        if now < self.earliest {
            return None;
        }
        let what = self.trigger.cause.seen_in(sight)?;
        self.count += 1;
        self.trigger.fires_at(self.count).then(|| {
            let what = match (&self.trigger.cause, self.count) {
                (_, 1) => what,
                (Cause::Call { .. }, count) => format!("{what}, the {} such call", ordinal(count)),
                (Cause::Fault { .. }, count) => format!("{what} for the {} time", ordinal(count)),
            };
            Alarm { fault: self.fault, delay: self.trigger.delay, because: format!("when {what}") }
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use histories::Observed;

    use super::*;

    fn write(key: &str) -> Call {
        MicroOp::Write { key: key.into(), value: 1.into() }.into()
    }

    /// What a trigger makes of calls `moment node operation key`, one a line, a millisecond apart.
    fn check(when: &str, calls: &str, expected: Expect) {
        let trigger: Trigger = toml::from_str(when).unwrap();
        let mut text = format!("{trigger}\n");
        let post = Post { fault: 0, trigger, earliest: Nanos(2), count: 0 };
        let mut lookout = Lookout { posts: vec![post] };
        for (at, line) in calls.split(", ").enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let call = match words[2] {
                "read" => MicroOp::Read { key: words[3].into() }.into(),
                "swap" => {
                    let expected = Box::new(Observed::default());
                    MicroOp::CompareAndSet { key: words[3].into(), expected, value: 1.into() }.into()
                }
                _ => write(words[3]),
            };
            let moment = Moment::ALL.into_iter().find(|moment| moment.name() == words[0]).unwrap();
            let sight = Sight::Call { moment, call: &call, node: &words[1].into() };
            for Alarm { because, .. } in lookout.saw(Nanos(at as u64 + 1), sight) {
                text += &format!("{}: {because}\n", at + 1);
            }
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_trigger_fires_at_the_call_that_it_describes() {
        let calls = "confirmed A write x, asked A write x, confirmed A write y, confirmed B write x, \
                     confirmed A read x, confirmed A swap x, confirmed A write x, failed A write x";
        check(
            "confirmed = 'write'\nkey = 'x'\nnode = 'A'",
            calls,
            expect![[r#"
                confirmed write x at A
                7: when A confirmed write x
            "#]],
        );
        check(
            "confirmed = 'update'\nnth = 2",
            calls,
            expect![[r#"
                confirmed update, 2nd
                4: when B confirmed write x, the 2nd such call
            "#]],
        );
        check(
            "failed = 'any'",
            calls,
            expect![[r#"
                failed any
                8: when A failed write x
            "#]],
        );
    }

    #[test]
    fn a_trigger_may_fire_again_and_again() {
        let calls = "asked A write x, asked A write x, asked A write x, asked A write x, asked A write x, \
                     asked A write x, asked A write x";
        check(
            "asked = 'write'\nevery = 3",
            calls,
            expect![[r#"
                asked write, every 3rd
                4: when A was asked for write x, the 3rd such call
                7: when A was asked for write x, the 6th such call
            "#]],
        );
        check(
            "asked = 'write'\nevery = 3\nnth = 1\ndelay = '5ms'",
            calls,
            expect![[r#"
                asked write, every 3rd, 5ms later
                2: when A was asked for write x
                5: when A was asked for write x, the 4th such call
            "#]],
        );
    }

    #[test]
    fn a_fault_may_wait_for_another() {
        let trigger: Trigger = toml::from_str("fault = 1\nis = 'effective'").unwrap();
        let sights = [Milestone::Begun, Milestone::Effective, Milestone::Effective];
        let mut lookout = Lookout { posts: vec![Post { fault: 0, trigger, earliest: Nanos(0), count: 0 }] };
        let alarms = sights.map(|milestone| {
            let other = lookout.saw(Nanos(1), Sight::Fault(FaultId(0), milestone)).len();
            (other, lookout.saw(Nanos(1), Sight::Fault(FaultId(1), milestone)).pop())
        });
        let because = |alarm: &Alarm| alarm.because.clone();
        let seen = alarms.each_ref().map(|(other, alarm)| (*other, alarm.as_ref().map(because)));
        assert_eq!(seen, [(0, None), (0, Some("when F1 bit".into())), (0, None)]);
    }

    #[test]
    fn a_transaction_is_seen_by_each_of_its_parts() {
        let trigger: Trigger = toml::from_str("confirmed = 'write'\nkey = 'y'").unwrap();
        let parts = |keys: [&str; 2]| {
            let read = MicroOp::Read { key: keys[0].into() };
            Call::Transaction(vec![read, MicroOp::Write { key: keys[1].into(), value: 1.into() }])
        };
        let seen = |call: &Call| {
            let sight = Sight::Call { moment: Moment::Confirmed, call, node: &"A".into() };
            trigger.cause.seen_in(sight)
        };
        assert_eq!(seen(&parts(["y", "x"])), None);
        assert_eq!(seen(&parts(["x", "y"])).as_deref(), Some("A confirmed write y"));
    }
}
