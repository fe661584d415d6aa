//! Answers: a status, a JSON body, and headers that say what happened.

use std::fmt::Display;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use crate::clock::DotSet;
use crate::datum::Datum;
use crate::event::Key;
use crate::names::{Dot, NodeName};
use crate::refusal::{Outcome, Refusal};
use crate::request::{self, Reading, Sibling};

/// What a client is told.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    outcome: Outcome,
    body: String,
    headers: Vec<(&'static str, String)>,
}

/// The body of a read of one key.
#[derive(Serialize)]
struct KeyBody<'a> {
    key: &'a Key,
    #[serde(flatten)]
    held: Held,
    context: &'a str,
}

/// What a key holds, as JSON.
#[derive(Serialize, Default)]
struct Held {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Datum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Dot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    siblings: Option<Vec<Sibling>>,
}

impl From<Reading> for Held {
    fn from(reading: Reading) -> Held {
        match reading {
            Reading::Absent => Held::default(),
            Reading::One { value, version } => Held { value: Some(value), version, siblings: None },
            Reading::Siblings(siblings) => Held { siblings: Some(siblings), ..Held::default() },
        }
    }
}

impl Answer {
    /// It happened.
    pub(super) fn applied(status: StatusCode, body: &impl Serialize) -> Answer {
        // Our own types have no map without string keys, which is all that can fail.
        let body = serde_json::to_string(body).unwrap_or_default();
        Answer { status, outcome: Outcome::Applied, body, headers: Vec::new() }
    }

    /// A JSON text as it is.
    pub(super) fn document(text: &str) -> Answer {
        Answer {
            status: StatusCode::OK,
            outcome: Outcome::Applied,
            body: text.to_owned(),
            headers: Vec::new(),
        }
    }

    /// It did not happen, or nobody knows.
    pub(super) fn error(status: StatusCode, outcome: Outcome, error: impl Display, mend: &str) -> Answer {
        let body = json!({ "error": error.to_string(), "mend": mend, "outcome": outcome.name() }).to_string();
        Answer { status, outcome, body, headers: Vec::new() }
    }

    /// The request cannot be understood.
    pub(super) fn bad_request(error: impl Display, mend: &str) -> Answer {
        Answer::error(StatusCode::BAD_REQUEST, Outcome::NotApplied, error, mend)
    }

    pub(super) fn refused(refusal: &Refusal) -> Answer {
        let status = match refusal {
            Refusal::Stale { .. } | Refusal::Compare { .. } | Refusal::Aborted { .. } => StatusCode::CONFLICT,
            Refusal::Mismatch { .. }
            | Refusal::Overflow { .. }
            | Refusal::Promote { .. }
            | Refusal::Relink { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Misdirected { .. } => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Unseen => StatusCode::PRECONDITION_FAILED,
            Refusal::CatchingUp { .. }
            | Refusal::Deposed { .. }
            | Refusal::Diverged { .. }
            | Refusal::NoMajority { .. }
            | Refusal::LeftOut { .. }
            | Refusal::LeaderSilent { .. }
            | Refusal::NoLeader
            | Refusal::NotAcknowledged { .. } => StatusCode::SERVICE_UNAVAILABLE,
        };
        let answer = Answer::error(status, refusal.outcome(), refusal, refusal.mend());
        match refusal {
            Refusal::Aborted { step, reason } => {
                let body =
                    json!({ "status": "aborted", "reason": reason, "step": step, "mend": refusal.mend() });
                Answer { body: body.to_string(), ..answer }
            }
            Refusal::Misdirected { to, .. } | Refusal::Deposed { to } => {
                answer.with("refdb-leader", to.to_string())
            }
            _ => answer,
        }
    }

    /// What a key holds.
    pub(super) fn read(key: &Key, reading: Reading, context: &DotSet) -> Answer {
        let status = match reading {
            Reading::Absent => StatusCode::NOT_FOUND,
            Reading::One { .. } => StatusCode::OK,
            Reading::Siblings(_) => StatusCode::MULTIPLE_CHOICES,
        };
        let versions: Vec<String> = match &reading {
            Reading::Absent => Vec::new(),
            Reading::One { version, .. } => version.iter().map(Dot::to_string).collect(),
            Reading::Siblings(siblings) => {
                siblings.iter().map(|sibling| sibling.version.to_string()).collect()
            }
        };
        let context = to_token(context);
        let mut answer = Answer::applied(status, &KeyBody { key, held: reading.into(), context: &context });
        if !versions.is_empty() {
            answer.headers.push(("etag", format!("\"{}\"", versions.join(" "))));
        }
        answer.headers.push(("refdb-context", context));
        answer
    }

    /// A write that was taken.
    pub(super) fn written(dot: Dot, context: &DotSet, acked_by: &[NodeName]) -> Answer {
        let context = to_token(context);
        let mut answer = Answer::applied(StatusCode::OK, &json!({ "version": dot, "context": context }));
        answer.headers.push(("etag", format!("\"{dot}\"")));
        answer.headers.push(("refdb-context", context));
        answer.with_dot(dot, acked_by)
    }

    /// A transaction that was taken.
    pub(super) fn committed(
        dot: Option<Dot>,
        readings: Vec<Option<Reading>>,
        acked_by: &[NodeName],
    ) -> Answer {
        #[derive(Serialize)]
        struct Committed {
            status: &'static str,
            version: Option<Dot>,
            results: Vec<Held>,
        }
        // An absent key reads as null without a version: a stored null has one.
        let absent = || Held { value: Some(Datum::null()), ..Held::default() };
        let result = |reading| match reading {
            None => Held::default(),
            Some(Reading::Absent) => absent(),
            Some(reading) => reading.into(),
        };
        let results = readings.into_iter().map(result).collect();
        let answer =
            Answer::applied(StatusCode::OK, &Committed { status: "committed", version: dot, results });
        match dot {
            Some(dot) => answer.with_dot(dot, acked_by),
            None => answer,
        }
    }

    /// An answer that does not fit the question: a leader of another version, perhaps.
    pub(super) fn unexpected(response: &request::Response) -> Answer {
        tracing::error!(?response, "the node's answer does not fit the question");
        let mend = "run the same version on every node";
        Answer::error(StatusCode::INTERNAL_SERVER_ERROR, Outcome::Unknown, "node gave a strange answer", mend)
    }

    /// In a session, of which this is what it has seen by now.
    pub(super) fn in_session(self, seen: &DotSet) -> Answer {
        self.with("refdb-session", to_token(seen))
    }

    fn with(mut self, header: &'static str, value: String) -> Answer {
        self.headers.push((header, value));
        self
    }

    fn with_dot(mut self, dot: Dot, acked_by: &[NodeName]) -> Answer {
        self.headers.push(("refdb-dot", dot.to_string()));
        let names: Vec<&str> = acked_by.iter().map(NodeName::as_str).collect();
        self.headers.push(("refdb-acked-by", names.join(",")));
        self
    }

    pub(super) fn into_response(self, node: NodeName) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("refdb-outcome", HeaderValue::from_static(self.outcome.name()));
        let named = self.headers.into_iter().chain([("refdb-node", node.to_string())]);
        for (name, value) in named {
            // Names, dots and hexadecimal digits are always fit for a header.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// A context as clients carry it: hexadecimal, so that nobody is tempted to look inside.
pub(super) fn to_token(context: &DotSet) -> String {
    context.to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A context that a client has brought back.
pub(super) fn from_token(token: &str) -> Option<DotSet> {
    let digits = token.as_bytes();
    let pair = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.len() == 2)?;
        u8::from_str_radix(digits, 16).ok()
    };
    let bytes = digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}
