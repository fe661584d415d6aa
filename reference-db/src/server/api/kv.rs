//! One key: read, write, delete, and typed operations.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use super::Api;
use super::answer::Answer;
use super::ask::{Content, PathKey, Terms};
use crate::event::Key;
use crate::request::{self, Action, Ask, Request, Step};

/// `/v1/kv/{key}`
pub(super) fn value() -> MethodRouter<Api> {
    get(read).put(write).delete(remove)
}

/// `/v1/kv/{key}/ops`
pub(super) fn operations() -> MethodRouter<Api> {
    post(operate)
}

async fn read(State(api): State<Api>, PathKey(key): PathKey, terms: Terms) -> Response {
    let request = request(key.clone(), Action::Read, terms);
    let show = |response| match response {
        request::Response::Read { reading, context } => Answer::read(&key, reading, &context),
        other => Answer::unexpected(&other),
    };
    api.ask(request, show).await
}

async fn write(State(api): State<Api>, PathKey(key): PathKey, terms: Terms, content: Content) -> Response {
    match content.value() {
        Ok(value) => api.ask(request(key, Action::Write { value }, terms), written).await,
        Err(answer) => answer.into_response(api.node),
    }
}

async fn remove(State(api): State<Api>, PathKey(key): PathKey, terms: Terms) -> Response {
    api.ask(request(key, Action::Delete, terms), written).await
}

async fn operate(State(api): State<Api>, PathKey(key): PathKey, terms: Terms, content: Content) -> Response {
    match content.operation() {
        Ok(action) => api.ask(request(key, action, terms), written).await,
        Err(answer) => answer.into_response(api.node),
    }
}

fn request(key: Key, action: Action, terms: Terms) -> Request {
    let Terms { consistency, condition, context, session } = terms;
    Request { ask: Ask::Single(Step { key, action, condition, context }), consistency, session }
}

fn written(response: request::Response) -> Answer {
    match response {
        request::Response::Written { dot, context, acked_by } => Answer::written(dot, &context, &acked_by),
        other => Answer::unexpected(&other),
    }
}
