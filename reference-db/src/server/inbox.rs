//! Messages from peers: `POST /repl/v1/messages` on the peer port. And from testers: `POST /test/v1/clock` shows the node
//! a wrong clock; the answer says by how many milliseconds it is ahead now.
//!
//! Taking a message promises nothing: what became of it, the node says in a message of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;

use super::host::Jobs;
use super::outbox::Envelope;

/// A batch is small, but one event may be a transaction of many values.
const BODY_MAX: usize = 64 * 1024 * 1024;

pub(super) fn router(jobs: Jobs) -> Router {
    let router = Router::new().route("/repl/v1/messages", post(take)).route("/test/v1/clock", post(skew));
    router.layer(DefaultBodyLimit::max(BODY_MAX)).with_state(jobs)
}

async fn take(State(jobs): State<Jobs>, body: Bytes) -> (StatusCode, String) {
    let Envelope { from, messages } = match serde_json::from_slice(&body) {
        Ok(envelope) => envelope,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("not messages: {error}")),
    };
    if jobs.deliver(from, messages) {
        (StatusCode::ACCEPTED, String::new())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "node has stopped".to_owned())
    }
}

async fn skew(State(jobs): State<Jobs>, body: Bytes) -> (StatusCode, String) {
    let skew = match serde_json::from_slice(&body) {
        Ok(skew) => skew,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("not a clock: {error}")),
    };
    match jobs.skew(skew).await {
        Some(ahead_ms) => (StatusCode::OK, ahead_ms.to_string()),
        None => (StatusCode::SERVICE_UNAVAILABLE, "node has stopped".to_owned()),
    }
}
