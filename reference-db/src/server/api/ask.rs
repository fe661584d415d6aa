//! Requests: what a client asks, out of its path, headers and body. What cannot be understood is not done.

use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::answer::{Answer, from_token};
use super::{Api, BODY_MAX};
use crate::clock::DotSet;
use crate::datum::Datum;
use crate::event::Key;
use crate::names::{Dot, NodeName};
use crate::refusal::Outcome;
use crate::request::{Action, Condition, Consistency, Session, Step};
use crate::time::Nanos;
use crate::topology::{Graph, Relink, Topology};

/// The longest key, in bytes.
const KEY_MAX: usize = 1024;

/// The longest that a request may wait for what its session has seen.
const WAIT_MAX_MS: u32 = 60_000;

/// The most steps of a transaction.
const STEPS_MAX: usize = 1000;

/// Everything of a request but its path and body.
pub(super) struct Terms {
    pub(super) consistency: Consistency,
    pub(super) condition: Condition,
    pub(super) context: Option<DotSet>,
    pub(super) session: Option<Session>,
}

/// The key of a path.
pub(super) struct PathKey(pub(super) Key);

/// A whole body, of bounded size.
pub(super) struct Content(Bytes);

impl FromRequestParts<Api> for Terms {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Terms, Response> {
        let terms = || {
            let (headers, query) = (&parts.headers, parts.uri.query());
            Ok(Terms {
                consistency: consistency(headers, query)?,
                condition: condition(headers)?,
                context: context(headers)?,
                session: session(headers)?,
            })
        };
        terms().map_err(|answer: Answer| answer.into_response(api.node))
    }
}

impl FromRequestParts<Api> for PathKey {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<PathKey, Response> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, api).await;
        let key = path.map_err(|error| Answer::bad_request(error, "percent-encode the key as UTF-8"));
        let key = key.and_then(|Path(key)| checked(&key));
        key.map(PathKey).map_err(|answer| answer.into_response(api.node))
    }
}

impl FromRequest<Api> for Content {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, api: &Api) -> Result<Content, Response> {
        let body: Result<Bytes, BytesRejection> = Bytes::from_request(request, api).await;
        let refuse = |error: BytesRejection| {
            let mend = format!("send a body of at most {BODY_MAX} bytes");
            Answer::error(error.status(), Outcome::NotApplied, error, &mend).into_response(api.node)
        };
        body.map(Content).map_err(refuse)
    }
}

impl Content {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Answer> {
        let mend = "send the JSON that /v1/openapi.json describes";
        serde_json::from_slice(&self.0).map_err(|error| Answer::bad_request(error, mend))
    }

    /// The body of a `PUT`.
    pub(super) fn value(&self) -> Result<Datum, Answer> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            value: Box<RawValue>,
        }
        datum(&self.parse::<Body>()?.value)
    }

    /// The body of a typed operation.
    pub(super) fn operation(&self) -> Result<Action, Answer> {
        let operands = self.parse::<Operands>()?;
        if operands.key.is_some() {
            return Err(Answer::bad_request("field `key` is not expected", "the path names the key"));
        }
        let op = operands.f.clone().ok_or_else(|| missing("op"))?;
        match op.as_str() {
            "append" | "increment" | "add" | "remove" | "cas" => operands.action(&op),
            _ => Err(unknown_operation(&op)),
        }
    }

    /// The body of a change of the topology.
    pub(super) fn relink(&self) -> Result<Relink, Answer> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            topology: Option<Topology>,
            links: Option<Vec<String>>,
            nodes: Option<Vec<NodeName>>,
        }
        let Body { topology, links, nodes } = self.parse()?;
        let mend = "write A>B for one way or A-B for both";
        let graph = |links: Vec<String>| {
            links.join("+").parse::<Graph>().map_err(|error| Answer::bad_request(error, mend))
        };
        Ok(Relink { topology, links: links.map(graph).transpose()?, nodes })
    }

    /// The body of a promotion.
    pub(super) fn force(&self) -> Result<bool, Answer> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[serde(default)]
            force: bool,
        }
        Ok(self.parse::<Body>()?.force)
    }

    /// The body of a transaction.
    pub(super) fn steps(&self) -> Result<Vec<Step>, Answer> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            ops: Vec<Operands>,
        }
        let ops = self.parse::<Body>()?.ops;
        if ops.is_empty() || ops.len() > STEPS_MAX {
            let mend = format!("send 1 to {STEPS_MAX} steps");
            return Err(Answer::bad_request(format!("a transaction of {} steps", ops.len()), &mend));
        }
        ops.into_iter().map(Operands::step).collect()
    }
}

/// An operation and what it may need.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operands {
    #[serde(alias = "op")]
    f: Option<String>,
    key: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    by: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    from: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    to: Option<Box<RawValue>>,
}

impl Operands {
    fn step(self) -> Result<Step, Answer> {
        let key = checked(self.key.as_deref().ok_or_else(|| missing("key"))?)?;
        let name = self.f.clone().ok_or_else(|| missing("f"))?;
        Ok(Step::new(key, self.action(&name)?))
    }

    fn action(self, name: &str) -> Result<Action, Answer> {
        match name {
            "read" => Ok(Action::Read),
            "write" => Ok(Action::Write { value: operand("value", self.value)? }),
            "delete" => Ok(Action::Delete),
            "append" => Ok(Action::Append { value: operand("value", self.value)? }),
            "increment" => {
                let by = operand("by", self.by)?;
                let wrong = || Answer::bad_request(format!("`by` is {by}"), "send a whole number");
                Ok(Action::Increment { by: by.as_integer().ok_or_else(wrong)? })
            }
            "add" => Ok(Action::Add { value: operand("value", self.value)? }),
            "remove" => Ok(Action::Remove { value: operand("value", self.value)? }),
            "cas" => Ok(Action::Cas { from: operand("from", self.from)?, to: operand("to", self.to)? }),
            _ => Err(unknown_operation(name)),
        }
    }
}

/// A field that is there, even if it is null: serde would take null for a field that is missing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn operand(name: &str, value: Option<Box<RawValue>>) -> Result<Datum, Answer> {
    value.as_deref().ok_or_else(|| missing(name)).and_then(datum)
}

fn missing(field: &str) -> Answer {
    Answer::bad_request(
        format!("field `{field}` is missing"),
        "see /v1/openapi.json for what an operation needs",
    )
}

fn unknown_operation(name: &str) -> Answer {
    let mend = "take append, increment, add, remove or cas; in a transaction also read, write or delete";
    Answer::bad_request(format!("operation {name:?} does not exist"), mend)
}

fn datum(raw: &RawValue) -> Result<Datum, Answer> {
    Datum::parse(raw.get()).map_err(|error| Answer::bad_request(error, "send a value of the supported kind"))
}

fn checked(key: &str) -> Result<Key, Answer> {
    if key.is_empty() || key.len() > KEY_MAX {
        let mend = format!("take a key of 1 to {KEY_MAX} bytes");
        return Err(Answer::bad_request(format!("a key of {} bytes", key.len()), &mend));
    }
    Ok(Key::from(key))
}

fn consistency(headers: &HeaderMap, query: Option<&str>) -> Result<Consistency, Answer> {
    let header = text(headers, "refdb-consistency")?;
    let parameter = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("consistency="));
    match header.or(parameter) {
        None | Some("default") => Ok(Consistency::Default),
        Some("local") => Ok(Consistency::Local),
        Some(other) => {
            let mend = "take local, or leave it out for what the mode promises";
            Err(Answer::bad_request(format!("consistency {other:?} does not exist"), mend))
        }
    }
}

fn condition(headers: &HeaderMap) -> Result<Condition, Answer> {
    match (text(headers, "if-match")?, text(headers, "if-none-match")?) {
        (None, None) => Ok(Condition::Always),
        (None, Some("*")) => Ok(Condition::Absent),
        (Some(versions), None) => parse_versions(versions)
            .map(Condition::Versions)
            .ok_or_else(|| bad_header("If-Match", "send the ETag of a read, as it came")),
        (None, Some(_)) => Err(bad_header("If-None-Match", "only * is supported")),
        (Some(_), Some(_)) => Err(bad_header("If-Match", "send If-Match or If-None-Match, not both")),
    }
}

/// `"A:17"`, `"A:17 B:3"` or `"A:17", "B:3"`.
fn parse_versions(text: &str) -> Option<Vec<Dot>> {
    let versions = text.split([' ', ',', '"']).filter(|part| !part.is_empty());
    let versions = versions.map(|part| part.parse().ok()).collect::<Option<Vec<Dot>>>()?;
    (!versions.is_empty()).then_some(versions)
}

fn context(headers: &HeaderMap) -> Result<Option<DotSet>, Answer> {
    let token = text(headers, "refdb-context")?;
    let parsed =
        token.map(|token| from_token(token).ok_or_else(|| bad_header("RefDB-Context", "send it as it came")));
    parsed.transpose()
}

/// A token as it came, or nothing in it to begin with.
fn session(headers: &HeaderMap) -> Result<Option<Session>, Answer> {
    let Some(token) = text(headers, "refdb-session")? else { return Ok(None) };
    let seen =
        from_token(token).ok_or_else(|| bad_header("RefDB-Session", "send it as it came, or empty"))?;
    let wait = text(headers, "refdb-wait-ms")?.map(|text| {
        let millis = text.parse::<u32>().ok().filter(|millis| *millis <= WAIT_MAX_MS);
        millis.map(|millis| Nanos::from_millis(millis.into()))
    });
    let mend = format!("send a whole number of milliseconds, at most {WAIT_MAX_MS}");
    let wait = wait.map(|wait| wait.ok_or_else(|| bad_header("RefDB-Wait-Ms", &mend))).transpose()?;
    let built_in = Session::default();
    Ok(Some(Session { seen, wait: wait.unwrap_or(built_in.wait) }))
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Answer> {
    let text = headers.get(name).map(|value| value.to_str());
    text.transpose().map_err(|_| bad_header(name, "send it as plain ASCII"))
}

fn bad_header(name: impl Display, mend: &str) -> Answer {
    Answer::error(
        StatusCode::BAD_REQUEST,
        Outcome::NotApplied,
        format!("header {name} cannot be understood"),
        mend,
    )
}
