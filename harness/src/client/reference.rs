//! The reference API over HTTP: the one file that translates between the harness's words and the
//! bundled database's.
//!
//! ```text
//!   read k17                          GET  /v1/kv/k17
//!   write k17 5                       PUT  /v1/kv/k17        {"value":5}
//!   compare-and-set k17 A:7 → 5       PUT  /v1/kv/k17        {"value":5}   If-Match: "A:7"
//!   append k17 5                      POST /v1/kv/k17/ops    {"op":"append","value":5}
//!   transaction                       POST /v1/txn           {"ops":[…]}
//! ```
//!
//! `RefDB-Outcome: applied | not-applied | unknown` says how it ended. Where it is missing, a
//! success is a success, a read that got no answer has changed nothing, and everything else is
//! unknown.

use std::io::ErrorKind;
use std::time::Duration;

use histories::{Call, Key, MicroOp, Observed, Outcome, Reason, Reply, Value, Version};
use reqwest::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::dependency::{Condition, Memory};
use super::{Dialect, Locality, undecided};

/// A session's client: a connection pool of its own, and the context of what it read last.
pub(crate) struct ReferenceClient {
    http: reqwest::Client,
    nodes: Vec<String>,
    memory: Memory<String>,
    /// What it has seen, if it carries that with it.
    session: Option<String>,
}

/// An HTTP client that never asks twice, goes through no proxy but ours, and shares no connection.
pub(crate) fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        .tcp_nodelay(true)
        .build()
}

impl ReferenceClient {
    pub(crate) fn new(nodes: Vec<String>, dialect: Dialect, tokens: bool, timeout: Duration) -> Self {
        // Nothing that the builder is told here can be refused: it reads no certificates and no files.
        let http = http_client(timeout).unwrap_or_default();
        Self { http, nodes, memory: Memory::new(dialect), session: tokens.then(String::new) }
    }

    pub(crate) async fn call(&mut self, node: usize, call: &Call, locality: Locality) -> Outcome {
        let request = self.request(&self.nodes[node], call, locality);
        let answer = match request.send().await {
            Ok(response) => Answer::receive(response).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => self.understand(call, answer),
            Err(error) => doubt(call, &error),
        }
    }

    fn request(&self, node: &str, call: &Call, locality: Locality) -> RequestBuilder {
        let request = match call {
            Call::Single(micro_op) => self.single(node, micro_op),
            Call::Transaction(micro_ops) => {
                let ops: Vec<Json> = micro_ops.iter().map(transaction_part).collect();
                self.http.request(Method::POST, format!("{node}/v1/txn")).json(&json!({ "ops": ops }))
            }
        };
        let request = match &self.session {
            Some(seen) => request.header("RefDB-Session", seen),
            None => request,
        };
        match locality {
            Locality::Default => request,
            Locality::Local => request.header("RefDB-Consistency", "local"),
        }
    }

    fn single(&self, node: &str, micro_op: &MicroOp) -> RequestBuilder {
        let url = format!("{node}/v1/kv/{}", encode(micro_op.key().as_str()));
        let typed = |body: Json| self.http.request(Method::POST, format!("{url}/ops")).json(&body);
        match micro_op {
            MicroOp::Read { .. } => self.http.request(Method::GET, url),
            MicroOp::Write { value, .. } => {
                self.http.request(Method::PUT, url).json(&json!({ "value": value }))
            }
            MicroOp::CompareAndSet { key, expected, value } => {
                let request = self.http.request(Method::PUT, url).json(&json!({ "value": value }));
                self.condition(request, key, expected)
            }
            MicroOp::Append { element, .. } => typed(json!({ "op": "append", "value": element })),
            MicroOp::Add { element, .. } => typed(json!({ "op": "add", "value": element })),
            MicroOp::Remove { element, .. } => typed(json!({ "op": "remove", "value": element })),
            MicroOp::Increment { by, .. } => typed(json!({ "op": "increment", "by": by })),
            MicroOp::Delete { .. } => self.http.request(Method::DELETE, url),
            // It has neither queues nor stacks, and refuses these.
            MicroOp::Enqueue { element, .. } => typed(json!({ "op": "enqueue", "value": element })),
            MicroOp::Dequeue { .. } => typed(json!({ "op": "dequeue" })),
            MicroOp::Push { element, .. } => typed(json!({ "op": "push", "value": element })),
            MicroOp::Pop { .. } => typed(json!({ "op": "pop" })),
        }
    }

    fn condition(&self, request: RequestBuilder, key: &Key, expected: &Observed) -> RequestBuilder {
        match self.memory.condition(key, expected) {
            Condition::Context(context) => request.header("RefDB-Context", context),
            Condition::Version(version) => request.header(IF_MATCH, format!("\"{version}\"")),
            Condition::Absent => request.header(IF_NONE_MATCH, "*"),
            Condition::Nothing => request,
        }
    }

    fn understand(&mut self, call: &Call, answer: Answer) -> Outcome {
        if let (Some(session), Some(seen)) = (&mut self.session, answer.header("RefDB-Session")) {
            *session = seen.to_string();
        }
        match answer.effect(call) {
            Effect::Applied => match answer.replies(call) {
                Ok(replies) => {
                    self.memory.remember(call, answer.header("RefDB-Context").map(str::to_string));
                    Outcome::Confirmed(replies.into())
                }
                Err(reason) => undecided(call, format!("{} that cannot be read: {reason}", answer.status)),
            },
            Effect::NotApplied => Outcome::Failed(answer.refusal()),
            Effect::Unknown => Outcome::Unknown(answer.refusal()),
        }
    }
}

/// Whether the store says that something happened.
enum Effect {
    Applied,
    NotApplied,
    Unknown,
}

/// An HTTP response, received whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    async fn receive(response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.bytes().await?.into() })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn effect(&self, call: &Call) -> Effect {
        let absent = self.status == StatusCode::NOT_FOUND && self.names_a_key();
        let several = self.status == StatusCode::MULTIPLE_CHOICES;
        let understood = self.status.is_success() || (call.is_read_only() && (absent || several));
        match self.header("RefDB-Outcome") {
            // It says both that it happened and that it did not.
            Some("not-applied") if understood && !call.is_read_only() => Effect::Unknown,
            Some("applied") if understood => Effect::Applied,
            Some("not-applied") if !understood => Effect::NotApplied,
            Some("unknown") => Effect::Unknown,
            // A read that was refused has changed nothing, whatever the store makes of it.
            _ if understood => Effect::Applied,
            _ if call.is_read_only() => Effect::NotApplied,
            _ => Effect::Unknown,
        }
    }

    /// True if this is about a key and not, say, about a path that does not exist.
    fn names_a_key(&self) -> bool {
        #[derive(Deserialize)]
        struct Keyed {
            #[serde(rename = "key")]
            _key: String,
        }
        serde_json::from_slice::<Keyed>(&self.body).is_ok()
    }

    fn refusal(&self) -> Reason {
        #[derive(Deserialize)]
        struct Refused {
            error: Option<String>,
            reason: Option<String>,
        }
        if self.status == StatusCode::CONFLICT {
            return Reason::CONFLICT;
        }
        let refused = serde_json::from_slice::<Refused>(&self.body).ok();
        match refused.and_then(|refused| refused.error.or(refused.reason)) {
            Some(error) => format!("{}: {error}", self.status.as_u16()).into(),
            None => self.status.to_string().into(),
        }
    }

    fn replies(&self, call: &Call) -> Result<Vec<Reply>, String> {
        match call {
            Call::Single(micro_op) => Ok(vec![self.single(micro_op)?]),
            Call::Transaction(micro_ops) => {
                let committed: Committed = parse(&self.body)?;
                if committed.results.len() != micro_ops.len() {
                    return Err(format!(
                        "{} results for {} operations",
                        committed.results.len(),
                        micro_ops.len()
                    ));
                }
                let version = committed.version;
                let reply = |(micro_op, found): (&MicroOp, Found)| match micro_op.observes() {
                    true => Reply::read(found.into()),
                    false => Reply::changed(version.clone()),
                };
                Ok(micro_ops.iter().zip(committed.results).map(reply).collect())
            }
        }
    }

    fn single(&self, micro_op: &MicroOp) -> Result<Reply, String> {
        if micro_op.observes() {
            let found: Found = parse(&self.body)?;
            return Ok(Reply::read(found.into()));
        }
        #[derive(Deserialize)]
        struct Changed {
            version: Option<Version>,
        }
        let changed: Changed = parse(&self.body)?;
        Ok(Reply::changed(changed.version))
    }
}

/// What a read found: one value, several siblings, or nothing.
#[derive(Deserialize)]
struct Found {
    value: Option<Value>,
    version: Option<Version>,
    siblings: Option<Vec<Sibling>>,
}

#[derive(Deserialize)]
struct Sibling {
    value: Value,
    version: Option<Version>,
}

#[derive(Deserialize)]
struct Committed {
    version: Option<Version>,
    results: Vec<Found>,
}

impl From<Found> for Observed {
    fn from(found: Found) -> Self {
        let siblings = found.siblings.unwrap_or_default();
        if siblings.is_empty() {
            let versions = found.version.into_iter().collect();
            return Self { values: found.value.into_iter().collect(), versions };
        }
        let versions: Vec<Version> = siblings.iter().filter_map(|sibling| sibling.version.clone()).collect();
        let whole = versions.len() == siblings.len();
        let values = siblings.into_iter().map(|sibling| sibling.value).collect();
        Self { values, versions: if whole { versions } else { Vec::new() } }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn transaction_part(micro_op: &MicroOp) -> Json {
    let key = micro_op.key();
    match micro_op {
        MicroOp::Read { .. } => json!({ "f": "read", "key": key }),
        MicroOp::Write { value, .. } => json!({ "f": "write", "key": key, "value": value }),
        MicroOp::CompareAndSet { expected, value, .. } => {
            json!({ "f": "cas", "key": key, "from": expected.single(), "to": value })
        }
        MicroOp::Append { element, .. } => json!({ "f": "append", "key": key, "value": element }),
        MicroOp::Add { element, .. } => json!({ "f": "add", "key": key, "value": element }),
        MicroOp::Remove { element, .. } => json!({ "f": "remove", "key": key, "value": element }),
        MicroOp::Increment { by, .. } => json!({ "f": "increment", "key": key, "by": by }),
        MicroOp::Delete { .. } => json!({ "f": "delete", "key": key }),
        MicroOp::Enqueue { element, .. } => json!({ "f": "enqueue", "key": key, "value": element }),
        MicroOp::Dequeue { .. } => json!({ "f": "dequeue", "key": key }),
        MicroOp::Push { element, .. } => json!({ "f": "push", "key": key, "value": element }),
        MicroOp::Pop { .. } => json!({ "f": "pop", "key": key }),
    }
}

/// What a call that got no whole answer comes to.
fn doubt(call: &Call, error: &reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::Unknown(Reason::TIMEOUT);
    }
    // Without a connection nothing was sent.
    if error.is_connect() {
        return Outcome::Failed(match cause(error) {
            Some(cause) if cause.kind() != ErrorKind::ConnectionRefused => {
                format!("cannot connect: {cause}").into()
            }
            _ => Reason::REFUSED,
        });
    }
    undecided(call, Reason::DISCONNECTED)
}

/// Percent-encodes a key for a path (RFC 3986, §2.3: unreserved characters stand for themselves).
fn encode(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// What the operating system said.
fn cause(error: &reqwest::Error) -> Option<&std::io::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error);
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, outcome: Option<&'static str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(outcome) = outcome {
            headers.insert("RefDB-Outcome", outcome.parse().unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    fn check(call: impl Into<Call>, answer: Answer, expected: &str) {
        let dialect = Dialect::of(reference_db::Mode::Lww);
        let mut client = ReferenceClient::new(Vec::new(), dialect, false, Duration::from_secs(1));
        let outcome = match client.understand(&call.into(), answer) {
            Outcome::Confirmed(replies) => match &replies[0] {
                Reply { observed: Some(observed), .. } => observed.to_string(),
                Reply { version, .. } => format!("ok {}", version.as_ref().map_or("-", Version::as_str)),
            },
            Outcome::Failed(reason) => format!("failed {reason}"),
            Outcome::Unknown(reason) => format!("unknown {reason}"),
        };
        assert_eq!(outcome, expected);
    }

    fn read() -> MicroOp {
        MicroOp::Read { key: "k".into() }
    }

    fn write() -> MicroOp {
        MicroOp::Write { key: "k".into(), value: 1.into() }
    }

    #[test]
    fn answers_become_outcomes() {
        check(read(), answer(200, Some("applied"), r#"{"key":"k","value":[1],"version":"A:1"}"#), "[1]");
        check(read(), answer(404, Some("applied"), r#"{"key":"k"}"#), "nothing");
        check(read(), answer(404, Some("not-applied"), r#"{"key":"k"}"#), "nothing");
        let siblings = r#"{"siblings":[{"value":1,"version":"A:1"},{"value":2,"version":"B:1"}]}"#;
        check(read(), answer(300, None, siblings), "1 | 2");
        check(write(), answer(200, Some("applied"), r#"{"version":"A:1"}"#), "ok A:1");
    }

    #[test]
    fn failed_needs_proof() {
        check(write(), answer(409, Some("not-applied"), "{}"), "failed conflict");
        check(write(), answer(503, Some("not-applied"), r#"{"error":"no leader"}"#), "failed 503: no leader");
        check(write(), answer(503, None, ""), "unknown 503 Service Unavailable");
        check(write(), answer(404, None, ""), "unknown 404 Not Found");
        check(write(), answer(503, Some("applied"), ""), "unknown 503 Service Unavailable");
        check(read(), answer(503, None, ""), "failed 503 Service Unavailable");
        check(read(), answer(404, None, "{}"), "failed 404 Not Found");
        check(write(), answer(200, Some("not-applied"), r#"{"version":"A:1"}"#), "unknown 200 OK");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_no_answer() {
        let unreadable = "failed 200 OK that cannot be read: expected value at line 1 column 1";
        check(read(), answer(200, None, "<html>"), unreadable);
        let unreadable = "unknown 200 OK that cannot be read: expected value at line 1 column 1";
        check(write(), answer(200, Some("applied"), "<html>"), unreadable);
    }

    #[test]
    fn keys_of_any_kind_fit_in_a_path() {
        assert_eq!(encode("a/b ü"), "a%2Fb%20%C3%BC");
    }
}
