//! Messages from peers: `POST /repl/v1/messages` on the peer port.
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
    let router = Router::new().route("/repl/v1/messages", post(take));
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
