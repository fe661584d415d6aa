//! What a node says about itself.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::json;

use super::Api;
use super::answer::Answer;
use super::ask::Terms;
use crate::refusal::Outcome;
use crate::request::{self, Ask, Consistency, Request, Status};

/// The description of the API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// `/healthz`
pub(super) fn health() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move {
        Answer::applied(StatusCode::OK, &json!({ "status": "alive" })).into_response(api.node)
    })
}

/// `/readyz`
pub(super) fn readiness() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move { ask(&api, Ask::Status, Consistency::Local, ready).await })
}

/// `/v1/digest`
pub(super) fn digest() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move { ask(&api, Ask::Digest, Consistency::Local, shown).await })
}

/// `/v1/keys`
pub(super) fn keys() -> MethodRouter<Api> {
    get(
        |State(api): State<Api>, terms: Terms| async move { ask(&api, Ask::Keys, terms.consistency, shown).await },
    )
}

/// `/v1/status`
pub(super) fn status() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move { ask(&api, Ask::Status, Consistency::Local, shown).await })
}

/// `/v1/openapi.json`
pub(super) fn openapi() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move { Answer::document(OPENAPI).into_response(api.node) })
}

async fn ask(
    api: &Api,
    ask: Ask,
    consistency: Consistency,
    show: fn(request::Response) -> Answer,
) -> Response {
    api.ask(Request { ask, consistency }, show).await
}

fn shown(response: request::Response) -> Answer {
    match response {
        request::Response::Keys(keys) => Answer::applied(StatusCode::OK, &json!({ "keys": keys })),
        request::Response::Digest(digest) => Answer::applied(StatusCode::OK, &digest),
        request::Response::Status(status) => Answer::applied(StatusCode::OK, &status),
        other => Answer::unexpected(&other),
    }
}

fn ready(response: request::Response) -> Answer {
    match response {
        request::Response::Status(status) if leads_or_follows(&status) => {
            Answer::applied(StatusCode::OK, &json!({ "status": "ready" }))
        }
        request::Response::Status(_) => {
            let (error, mend) =
                ("leader has not been heard of yet", "wait for it, or look at the link to it");
            Answer::error(StatusCode::SERVICE_UNAVAILABLE, Outcome::NotApplied, error, mend)
        }
        other => Answer::unexpected(&other),
    }
}

/// A follower that has never heard of its leader can only refuse.
fn leads_or_follows(status: &Status) -> bool {
    let Some(leader) = status.leader else { return true };
    leader == status.node || status.peers.iter().any(|peer| peer.node == leader && peer.heard)
}
