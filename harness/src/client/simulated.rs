//! The bundled database without HTTP: the one file that translates between the harness's words and
//! its typed requests. What [`super::reference`] says in headers and JSON, this says in values.
//!
//! ```text
//!   read k17                          Single { k17, Read }
//!   compare-and-set k17 A:7 → 5       Single { k17, Write 5, Versions [A:7] }
//!   transaction                       Transaction [ … ]
//! ```

use histories::{Call, Key, MicroOp, Observed, Outcome, Reason, Reply, Value, Version};
use reference_db::clock::DotSet;
use reference_db::request::{Reading, Session};
use reference_db::{Action, Ask, Consistency, Datum, Dot, Refusal, Request, Response, Step, refusal};

use super::dependency::{Condition, Memory};
use super::{Dialect, Locality, undecided};

/// A session's client: what it needs to remember between two calls.
pub(crate) struct SimulatedClient {
    memory: Memory<DotSet>,
    /// What it has seen, if it carries that with it.
    session: Option<Session>,
}

impl SimulatedClient {
    pub(crate) fn new(dialect: Dialect, tokens: bool) -> Self {
        Self { memory: Memory::new(dialect), session: tokens.then(Session::default) }
    }

    /// What `call` asks of a node.
    pub(crate) fn request(&self, call: &Call, locality: Locality) -> Request {
        let ask = match call {
            Call::Single(micro_op) => Ask::Single(self.single(micro_op)),
            Call::Transaction(micro_ops) => Ask::Transaction(micro_ops.iter().map(part).collect()),
        };
        let consistency = match locality {
            Locality::Default => Consistency::Default,
            Locality::Local => Consistency::Local,
        };
        Request { ask, consistency, session: self.session.clone() }
    }

    fn single(&self, micro_op: &MicroOp) -> Step {
        let MicroOp::CompareAndSet { key, expected, value } = micro_op else { return part(micro_op) };
        let step = Step::new(name(key), Action::Write { value: datum(value) });
        match self.memory.condition(key, expected) {
            Condition::Context(context) => Step { context: Some(context.clone()), ..step },
            Condition::Version(version) => Step { condition: versions(version), ..step },
            Condition::Absent => Step { condition: reference_db::Condition::Absent, ..step },
            Condition::Nothing => step,
        }
    }

    /// How `call` ended, as `response` says.
    pub(crate) fn understand(&mut self, call: &Call, response: Response) -> Outcome {
        match response {
            Response::InSession { seen, response } => {
                if let Some(session) = &mut self.session {
                    session.seen = seen;
                }
                self.understand(call, *response)
            }
            Response::Read { reading, context } => match observed(reading) {
                Ok(observed) => {
                    self.memory.remember(call, Some(context));
                    Outcome::confirmed(Reply::read(observed))
                }
                Err(reason) => undecided(call, reason),
            },
            Response::Written { dot, .. } => Outcome::confirmed(Reply::changed(Some(version(dot)))),
            Response::Committed { dot, readings, .. } => match replies(call, dot, readings) {
                Ok(replies) => Outcome::Confirmed(replies.into()),
                Err(reason) => undecided(call, reason),
            },
            Response::Refused(refused) => match refused.outcome() {
                refusal::Outcome::Unknown => Outcome::Unknown(reason(&refused)),
                refusal::Outcome::Applied | refusal::Outcome::NotApplied => Outcome::Failed(reason(&refused)),
            },
            Response::Keys(_)
            | Response::Digest(_)
            | Response::Discarded(_)
            | Response::Layout { .. }
            | Response::Status(_) => undecided(call, "an answer to another question"),
        }
    }
}

/// One operation without a condition, or with the one that the operation itself is.
fn part(micro_op: &MicroOp) -> Step {
    let action = match micro_op {
        MicroOp::Read { .. } => Action::Read,
        MicroOp::Write { value, .. } => Action::Write { value: datum(value) },
        MicroOp::CompareAndSet { expected, value, .. } => {
            let from = expected.single().map_or_else(Datum::null, datum);
            Action::Cas { from, to: datum(value) }
        }
        MicroOp::Append { element, .. } => Action::Append { value: datum(element) },
        MicroOp::Add { element, .. } => Action::Add { value: datum(element) },
        MicroOp::Remove { element, .. } => Action::Remove { value: datum(element) },
        MicroOp::Increment { by, .. } => Action::Increment { by: *by },
        MicroOp::Delete { .. } => Action::Delete,
        MicroOp::Enqueue { .. } | MicroOp::Dequeue { .. } | MicroOp::Push { .. } | MicroOp::Pop { .. } => {
            return refused(micro_op);
        }
    };
    Step::new(name(micro_op.key()), action)
}

// The store has neither queues nor stacks. A condition that no key meets is refused.
fn refused(micro_op: &MicroOp) -> Step {
    let step = Step::new(name(micro_op.key()), Action::Delete);
    Step { condition: reference_db::Condition::Versions(Vec::new()), ..step }
}

fn name(key: &Key) -> reference_db::Key {
    reference_db::Key::from(key.as_str())
}

fn datum(value: &Value) -> Datum {
    if let Value::Integer(integer) = value {
        return Datum::integer(*integer);
    }
    // Our values are whole numbers, texts and lists, and are written without spaces: canonical JSON.
    let text = serde_json::to_string(value).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|_| Datum::null())
}

/// A version that is no dot was never given by this store: no key can have it.
fn versions(version: &Version) -> reference_db::Condition {
    reference_db::Condition::Versions(version.as_str().parse().into_iter().collect())
}

fn version(dot: Dot) -> Version {
    Version::from(dot.to_string())
}

fn value(datum: &Datum) -> Result<Option<Value>, String> {
    // Over HTTP a stored null looks like no value, too.
    serde_json::from_str(datum.text()).map_err(|error| format!("an answer that cannot be read: {error}"))
}

fn observed(reading: Reading) -> Result<Observed, String> {
    match reading {
        Reading::Absent => Ok(Observed::default()),
        Reading::One { value: datum, version: dot } => Ok(Observed {
            values: value(&datum)?.into_iter().collect(),
            versions: dot.into_iter().map(version).collect(),
        }),
        Reading::Siblings(siblings) => {
            let mut observed = Observed::default();
            for sibling in siblings {
                let held = value(&sibling.value)?;
                observed.values.push(held.ok_or("an answer that cannot be read: a sibling is null")?);
                observed.versions.push(version(sibling.version));
            }
            Ok(observed)
        }
    }
}

fn replies(call: &Call, dot: Option<Dot>, readings: Vec<Option<Reading>>) -> Result<Vec<Reply>, String> {
    let micro_ops = call.micro_ops();
    if readings.len() != micro_ops.len() {
        return Err(format!("{} results for {} operations", readings.len(), micro_ops.len()));
    }
    let dot = dot.map(version);
    let reply = |(micro_op, reading): (&MicroOp, Option<Reading>)| match (micro_op.observes(), reading) {
        (true, reading) => Ok(Reply::read(observed(reading.unwrap_or(Reading::Absent))?)),
        (false, _) => Ok(Reply::changed(dot.clone())),
    };
    micro_ops.iter().zip(readings).map(reply).collect()
}

fn reason(refused: &Refusal) -> Reason {
    match refused {
        Refusal::Stale { .. } | Refusal::Compare { .. } | Refusal::Aborted { .. } => Reason::CONFLICT,
        Refusal::Mismatch { .. }
        | Refusal::Overflow { .. }
        | Refusal::CatchingUp { .. }
        | Refusal::LeaderSilent { .. }
        | Refusal::Deposed { .. }
        | Refusal::Diverged { .. }
        | Refusal::LeftOut { .. }
        | Refusal::NoMajority { .. }
        | Refusal::Promote { .. }
        | Refusal::Unseen
        | Refusal::Misdirected { .. }
        | Refusal::NoLeader
        | Refusal::Relink { .. }
        | Refusal::NotAcknowledged { .. } => refused.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reference_db::Mode;
    use reference_db::request::Sibling;

    fn check(mode: Mode, call: impl Into<Call>, response: Response, expected: &str) {
        let mut client = SimulatedClient::new(Dialect::of(mode), false);
        let outcome = match client.understand(&call.into(), response) {
            Outcome::Confirmed(replies) => match &replies[0] {
                Reply { observed: Some(observed), .. } => observed.to_string(),
                Reply { version, .. } => format!("ok {}", version.as_ref().map_or("-", Version::as_str)),
            },
            Outcome::Failed(reason) => format!("failed {reason}"),
            Outcome::Unknown(reason) => format!("unknown {reason}"),
        };
        assert_eq!(outcome, expected);
    }

    fn dot(text: &str) -> Dot {
        text.parse().unwrap()
    }

    fn reading(reading: Reading) -> Response {
        Response::Read { reading, context: DotSet::of([dot("A:1")]) }
    }

    #[test]
    fn responses_become_outcomes() {
        let read = || MicroOp::Read { key: "k".into() };
        let write = || MicroOp::Write { key: "k".into(), value: 1.into() };
        let one = |text: &str, version| Reading::One { value: Datum::parse(text).unwrap(), version };
        check(Mode::Lww, read(), reading(one("[1]", Some(dot("A:1")))), "[1]");
        check(Mode::Lww, read(), reading(Reading::Absent), "nothing");
        check(Mode::Lww, read(), reading(one("null", None)), "nothing");
        let siblings =
            ["A:1", "B:1"].map(|version| Sibling { value: Datum::integer(7), version: dot(version) });
        check(Mode::Siblings, read(), reading(Reading::Siblings(siblings.into())), "7 | 7");
        let written = Response::Written { dot: dot("B:3"), context: DotSet::new(), acked_by: Vec::new() };
        check(Mode::Lww, write(), written, "ok B:3");
        let refused = |refusal| Response::Refused(refusal);
        check(Mode::Lww, write(), refused(Refusal::Stale { key: "k".into() }), "failed conflict");
        let silent = || refused(Refusal::LeaderSilent { write: true });
        check(Mode::SingleLeader, write(), silent(), "unknown leader did not answer in time");
        let unreadable = "failed an answer that cannot be read: the number 1.5 is not a signed 64-bit integer at line 1 column 3";
        check(Mode::Lww, read(), reading(one("1.5", None)), unreadable);
    }

    #[test]
    fn a_compare_and_set_depends_on_what_was_read() {
        let condition = |mode, versions: &[&str]| {
            let mut client = SimulatedClient::new(Dialect::of(mode), false);
            let key = || Key::from("k");
            client.understand(&MicroOp::Read { key: key() }.into(), reading(Reading::Absent));
            let versions = versions.iter().map(|version| Version::from(*version)).collect();
            let expected = Box::new(Observed { values: vec![], versions });
            let call = MicroOp::CompareAndSet { key: key(), expected, value: 2.into() }.into();
            match client.request(&call, Locality::Default).ask {
                Ask::Single(step) => format!("{:?} {:?}", step.condition, step.context),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(condition(Mode::Lww, &["A:1"]), "Versions([A:1]) None");
        assert_eq!(condition(Mode::Lww, &[]), "Absent None");
        assert!(condition(Mode::Siblings, &["A:1"]).starts_with("Always Some("));
    }
}
