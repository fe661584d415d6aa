//! Who leads, having another node lead, and what was discarded by it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use serde_json::json;

use super::Api;
use super::answer::Answer;
use super::ask::Content;
use super::topology::laid_out;
use crate::request::{self, Ask, Consistency, Request};

/// `/v1/leader`
pub(super) fn leader() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move {
        let show = |response| match response {
            request::Response::Status(status) => {
                let body = json!({ "leader": status.leader, "term": status.term, "epoch": status.epoch });
                Answer::applied(StatusCode::OK, &body)
            }
            other => Answer::unexpected(&other),
        };
        api.ask(Request::new(Ask::Status, Consistency::Local), show).await
    })
}

/// `/v1/promote`
pub(super) fn promotion() -> MethodRouter<Api> {
    post(|State(api): State<Api>, content: Content| async move {
        match content.force() {
            Ok(force) => {
                let request = Request::new(Ask::Promote { force }, Consistency::Local);
                api.ask(request, laid_out).await
            }
            Err(answer) => answer.into_response(api.node),
        }
    })
}

/// `/v1/discarded`
pub(super) fn discarded() -> MethodRouter<Api> {
    get(|State(api): State<Api>| async move { list(&api).await })
}

async fn list(api: &Api) -> Response {
    let show = |response| match response {
        request::Response::Discarded(events) => {
            let shown = events.iter().map(|event| json!({ "version": event.dot, "effects": event.effects }));
            let shown: Vec<serde_json::Value> = shown.collect();
            Answer::applied(StatusCode::OK, &json!({ "discarded": shown }))
        }
        other => Answer::unexpected(&other),
    };
    api.ask(Request::new(Ask::Discarded, Consistency::Local), show).await
}
