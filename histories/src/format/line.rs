//! One event as one line of JSON, in and out.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::one_or_many::{Object, OneOrMany};
use crate::{
    Call, Event, EventKind, FaultEvent, MicroOp, Nanos, NodeEvent, NodeName, Outcome, Phase, Reason, Reply,
    SessionId,
};

/// Reads any event, however its line is written.
pub(super) fn read_event(line: &str) -> Result<Event, Flaw> {
    if line.trim_ascii().is_empty() {
        return Err(Flaw::whole_line("an empty line; remove it".into()));
    }
    let flaw = |error| Flaw::new(line, &error);
    let Object(fields): Object<LineIn> = serde_json::from_str(line).map_err(flaw)?;
    fields.into_event()
}

/// What is wrong with a line, and where.
pub(super) struct Flaw {
    /// Which character, from 1; 0 if it is the whole line.
    pub(super) column: usize,
    /// In a few words.
    pub(super) reason: String,
    /// True if the line stops too early, and so far is right.
    pub(super) stops_early: bool,
}

impl Flaw {
    /// Says in words for users what serde says of `line`.
    pub(super) fn new(line: &str, error: &serde_json::Error) -> Self {
        // serde_json counts bytes; it adds "at line 1 column 17" where people see this one line only.
        let column = line.char_indices().take_while(|(byte, _)| *byte < error.column()).count();
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        let reason = for_users(reason);
        Self { column, reason, stops_early: error.is_eof() }
    }

    fn whole_line(reason: String) -> Self {
        Self { column: 0, reason, stops_early: false }
    }

    fn missing(field: &str) -> Self {
        Self::whole_line(format!("missing field `{field}`"))
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tag {
    Invoke,
    Confirmed,
    Failed,
    Unknown,
    Fault,
    Node,
    Phase,
}

impl Tag {
    /// What a line with this tag says besides its time.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Invoke => &["session", "node", "planned", "call"],
            Self::Confirmed => &["session", "reply"],
            Self::Failed | Self::Unknown => &["session", "reason"],
            Self::Fault => &["fault"],
            Self::Node => &["state"],
            Self::Phase => &["phase"],
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// serde speaks of Rust's types; people who write histories think of JSON's.
fn for_users(reason: &str) -> String {
    match reason {
        "trailing characters" => return "more follows after the event; write one event a line".into(),
        "recursion limit exceeded" => return "nested deeper than 127 levels".into(),
        "trailing comma" => {
            return "a comma where an object ends, or a second operation in one object".into();
        }
        _ => {}
    }
    if let Some(word) = reason.strip_prefix("unknown variant") {
        return format!("unknown word{word}");
    }
    if let Some(place) = reason.strip_prefix("EOF while parsing") {
        return format!("the line ends within{place}");
    }
    let Some((found, expected)) = reason.rsplit_once(", expected ") else { return reason.into() };
    let found = match found {
        "invalid type: sequence" => "invalid type: array",
        "invalid type: map" => "invalid type: object",
        _ => found,
    };
    let expected = match expected {
        "a sequence" => "an array",
        "a map" => "an object",
        "a tuple of size 2" => "a pair",
        "i64" => "a signed 64-bit integer",
        "u64" => "a whole number that fits 64 bits",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    };
    format!("{found}, expected {expected}")
}

/// A line as it is read; which fields must be there depends on `event`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    time: Nanos,
    event: Tag,
    session: Option<SessionId>,
    node: Option<NodeName>,
    planned: Option<Nanos>,
    call: Option<OneOrMany<MicroOp>>,
    reply: Option<OneOrMany<Reply>>,
    reason: Option<Reason>,
    fault: Option<Object<FaultEvent>>,
    state: Option<Object<NodeEvent>>,
    phase: Option<Phase>,
}

impl LineIn {
    fn into_event(self) -> Result<Event, Flaw> {
        self.check_fields()?;
        let session = self.session.ok_or_else(|| Flaw::missing("session"));
        let reason = self.reason.ok_or_else(|| Flaw::missing("reason"));
        let kind = match self.event {
            Tag::Invoke => EventKind::Invoke {
                session: session?,
                node: self.node,
                planned: self.planned,
                call: self.call.ok_or_else(|| Flaw::missing("call"))?.into(),
            },
            Tag::Confirmed => EventKind::Complete {
                session: session?,
                outcome: Outcome::Confirmed(self.reply.ok_or_else(|| Flaw::missing("reply"))?.into()),
            },
            Tag::Failed => EventKind::Complete { session: session?, outcome: Outcome::Failed(reason?) },
            Tag::Unknown => EventKind::Complete { session: session?, outcome: Outcome::Unknown(reason?) },
            Tag::Fault => EventKind::Fault(self.fault.ok_or_else(|| Flaw::missing("fault"))?.0),
            Tag::Node => EventKind::Node(self.state.ok_or_else(|| Flaw::missing("state"))?.0),
            Tag::Phase => EventKind::Phase(self.phase.ok_or_else(|| Flaw::missing("phase"))?),
        };
        Ok(Event { time: self.time, kind })
    }

    // A field in the wrong place is a mistake of the writer; to pass over it would be to guess.
    fn check_fields(&self) -> Result<(), Flaw> {
        let there = [
            ("session", self.session.is_some()),
            ("node", self.node.is_some()),
            ("planned", self.planned.is_some()),
            ("call", self.call.is_some()),
            ("reply", self.reply.is_some()),
            ("reason", self.reason.is_some()),
            ("fault", self.fault.is_some()),
            ("state", self.state.is_some()),
            ("phase", self.phase.is_some()),
        ];
        let fields = self.event.fields();
        match there.iter().find(|(name, is_there)| *is_there && !fields.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Flaw::whole_line(format!(
                "an event `{}` has no field `{name}`, only `time`, `event`, `{}`",
                self.event,
                fields.join("`, `")
            ))),
        }
    }
}

/// A line as it is written.
#[derive(Serialize)]
pub(super) struct LineOut<'a> {
    time: Nanos,
    event: Tag,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a NodeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<Nanos>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<OneOrMany<&'a MicroOp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<OneOrMany<&'a Reply>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a FaultEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a NodeEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
}

impl<'a> From<&'a Event> for LineOut<'a> {
    fn from(event: &'a Event) -> Self {
        let blank = |tag| LineOut {
            time: event.time,
            event: tag,
            session: None,
            node: None,
            planned: None,
            call: None,
            reply: None,
            reason: None,
            fault: None,
            state: None,
            phase: None,
        };
        match &event.kind {
            EventKind::Invoke { session, node, planned, call } => LineOut {
                session: Some(*session),
                node: node.as_ref(),
                planned: *planned,
                call: Some(call_out(call)),
                ..blank(Tag::Invoke)
            },
            EventKind::Complete { session, outcome } => match outcome {
                Outcome::Confirmed(replies) => LineOut {
                    session: Some(*session),
                    reply: Some(replies_out(replies)),
                    ..blank(Tag::Confirmed)
                },
                Outcome::Failed(reason) => {
                    LineOut { session: Some(*session), reason: Some(reason), ..blank(Tag::Failed) }
                }
                Outcome::Unknown(reason) => {
                    LineOut { session: Some(*session), reason: Some(reason), ..blank(Tag::Unknown) }
                }
            },
            EventKind::Fault(fault) => LineOut { fault: Some(fault), ..blank(Tag::Fault) },
            EventKind::Node(state) => LineOut { state: Some(state), ..blank(Tag::Node) },
            EventKind::Phase(phase) => LineOut { phase: Some(*phase), ..blank(Tag::Phase) },
        }
    }
}

fn call_out(call: &Call) -> OneOrMany<&MicroOp> {
    match call {
        Call::Single(micro_op) => OneOrMany::One(micro_op),
        Call::Transaction(micro_ops) => OneOrMany::Many(micro_ops.iter().collect()),
    }
}

fn replies_out(replies: &[Reply]) -> OneOrMany<&Reply> {
    match replies {
        [reply] => OneOrMany::One(reply),
        replies => OneOrMany::Many(replies.iter().collect()),
    }
}
