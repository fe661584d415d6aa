//! Transactions: several operations at one node, all or none.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, post};

use super::Api;
use super::answer::Answer;
use super::ask::{Content, Terms};
use crate::request::{self, Ask, Request};

/// `/v1/txn`
pub(super) fn transactions() -> MethodRouter<Api> {
    post(transact)
}

async fn transact(State(api): State<Api>, terms: Terms, content: Content) -> Response {
    let steps = match content.steps() {
        Ok(steps) => steps,
        Err(answer) => return answer.into_response(api.node),
    };
    let request =
        Request { ask: Ask::Transaction(steps), consistency: terms.consistency, session: terms.session };
    let show = |response| match response {
        request::Response::Committed { dot, readings, acked_by } => {
            Answer::committed(dot, readings, &acked_by)
        }
        other => Answer::unexpected(&other),
    };
    api.ask(request, show).await
}
