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
use crate::request::{self, Ask, Consistency, Request, Status, SyncState};

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
    get(|State(api): State<Api>, terms: Terms| async move {
        let Terms { consistency, session, .. } = terms;
        api.ask(Request { ask: Ask::Keys, consistency, session }, shown).await
    })
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
    api.ask(Request::new(ask, consistency), show).await
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
        request::Response::Status(status) => match hindrance(&status) {
            None => Answer::applied(StatusCode::OK, &json!({ "status": "ready" })),
            Some((error, mend)) => {
                Answer::error(StatusCode::SERVICE_UNAVAILABLE, Outcome::NotApplied, error, mend)
            }
        },
        other => Answer::unexpected(&other),
    }
}

/// Why a node can only refuse, if so, and the mend.
fn hindrance(status: &Status) -> Option<(&'static str, &'static str)> {
    if !status.included {
        return Some(("node is left out of the cluster", "link it in again with PUT /v1/topology"));
    }
    if status.apart > 0 {
        let mend = "start it with an empty directory, or with rejoin truncate or keep";
        return Some(("node has writes that the new leader had not, and stays out", mend));
    }
    let leader = status.leader?;
    let heard = || status.peers.iter().any(|peer| peer.node == leader && peer.heard);
    if status.state == SyncState::CatchingUp && leader == status.node {
        return Some(("leader is catching up", "start the other nodes, and look at the links to them"));
    }
    let lost = leader != status.node && !heard();
    lost.then_some(("leader has not been heard of yet", "wait for it, or look at the link to it"))
}
